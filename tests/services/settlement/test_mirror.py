"""The mirror between two running nodes: equal to the fen, in flight, different, silent."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.test_statement_model import POOL
from tests.services.settlement.test_statements import plant
from tests.services.settlement.two_cities import INSURED, VISITED, TwoCities, Wire, two_cities
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import ASK_PATH, PeerRefused, Unreachable
from tongcheng.kernel.service import Reply
from tongcheng.node.core import Node
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.mirror import job, own, store
from tongcheng.services.settlement.mirror.answer import cut
from tongcheng.services.settlement.mirror.look import look
from tongcheng.services.settlement.mirror.model import SIDES, PurseSum, SidesAsk
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.seen import PurseSeen, Seen, confirmed
from tongcheng.services.settlement.reconcile import RowFinding


def sides(cities: TwoCities) -> list[tuple[Node, Books]]:
    """Return both nodes, each with its books of Beijing's persons in Tianjin's hospitals."""
    return [
        (cities.tianjin, own.books_of(VISITED, INSURED, VISITED)),
        (cities.beijing, own.books_of(INSURED, VISITED, VISITED)),
    ]


async def seen_from_both(cities: TwoCities) -> list[Seen]:
    """Return what both nodes see, each asking the other."""
    return [await look(node, books) for node, books in sides(cities)]


def test_settled_and_voided_stays_mirror_each_other(tmp_path: Path) -> None:
    """Each side sees its own sums and the other's: the same numbers, and nobody in flight."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            first = await cities.settled(0)
            await cities.settled(1)
            await cities.desk.void(cities.caller, first.settlement_id)
            await cities.quiet()

            for seen in await seen_from_both(cities):
                assert seen.agrees
                assert seen.findings == ()
                assert [one.mine for one in seen.purses] == [one.theirs for one in seen.purses]
                pooled = [one.mine for one in seen.purses if one.mine is not None]
                assert {(one.settled_count, one.voided_count) for one in pooled} == {(2, 1)}

    asyncio.run(work())


@pytest.mark.parametrize("is_visited", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_money_on_one_side_only_is_named(tmp_path: Path, count: int, *, is_visited: bool) -> None:
    """A difference planted in one ledger is found from both sides, and the settlement is named."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            await cities.settled(0)
            await plant(count, is_visited=is_visited, fen=700)(cities)

            for seen in await seen_from_both(cities):
                assert not seen.agrees
                assert [(one.settlement_id, one.kind) for one in seen.differences] == [
                    (f"s{number:05d}", "state" if is_visited else "only_there")
                    for number in range(count)
                ]
                (purse,) = [one for one in seen.purses if one.purse == POOL]
                amount_fen = purse.difference_fen(is_visited=seen.is_visited)
                assert amount_fen == (-700 if is_visited else 700) * count

    asyncio.run(work())


def test_equal_sums_of_different_settlements_differ(tmp_path: Path) -> None:
    """Two errors that cancel out in the sum do not in the digest."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            await plant(2, is_visited=True, fen=700)(cities)
            await plant(1, is_visited=False, fen=1_400)(cities)

            for seen in await seen_from_both(cities):
                assert not seen.agrees
                assert {one.settlement_id for one in seen.differences} == {"s00000", "s00001"}

    asyncio.run(work())


@pytest.mark.parametrize("side", [0, 1])
def test_a_line_that_never_rests_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    """Settled between two answers of every look, each time others: the books agree."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            stays = [await cities.discharged(number) for number in range(3)]
            batches = [stays[:1], stays[1:]]
            whole = cities.wire.post

            async def settle() -> None:
                for stay, total_fen in batches.pop(0):
                    await cities.desk.settle(cities.caller, stay.stay_id, total_fen)
                await cities.quiet()

            async def post(
                address: str, path: str, body: bytes, *, timeout_ms: int
            ) -> tuple[int, bytes]:
                of_sums = path == ASK_PATH and b'"lines":null,"settlements":[]' in body
                if of_sums and side == 0:
                    await settle()
                answered = await whole(address, path, body, timeout_ms=timeout_ms)
                if of_sums and side == 1:
                    await settle()
                return answered

            monkeypatch.setattr(cities.wire, "post", post)
            node, books = sides(cities)[side]
            seen = await look(node, books)

            assert batches == []
            assert seen.agrees
            assert sum(one.in_flight_fen for one in seen.purses) > 0

    asyncio.run(work())


def test_what_stays_is_a_difference_on_a_line_that_never_rests() -> None:
    """The same settlement, or the same amount of a purse, in both looks; all else is moving."""
    planted = RowFinding("p", "state", "booked", None, 700, 0, 1)
    moved = [RowFinding(name, "only_there", None, "settled", 0, 5, 1) for name in ("a", "b")]

    def shown(theirs_fen: int, *findings: RowFinding) -> Seen:
        sums = PurseSum(POOL, "2026-11", 1, 100, "", 0, 0, "")
        theirs = msgspec.structs.replace(sums, settled_fen=theirs_fen)
        purse = PurseSeen(POOL, "2026-11", sums, theirs, 0)
        return Seen(VISITED, INSURED, True, (purse,), findings, 0, 0)  # noqa: FBT003

    assert confirmed(shown(105, moved[0]), shown(107, moved[1])).agrees
    kept = confirmed(shown(105, planted, moved[0]), shown(107, planted, moved[1]))
    assert [row.settlement_id for row in kept.differences] == ["p"]
    assert not confirmed(shown(105), shown(105)).agrees


def lose_answers(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts reach Beijing and no answer come back; questions pass."""
    whole = wire.post

    async def post(address: str, path: str, body: bytes, *, timeout_ms: int) -> tuple[int, bytes]:
        if path == ASK_PATH:
            return await whole(address, path, body, timeout_ms=timeout_ms)
        if address == INSURED:
            await whole(address, path, body, timeout_ms=timeout_ms)
        raise Unreachable(address, "the answer was lost")

    monkeypatch.setattr(wire, "post", post)


def test_an_answer_under_way_is_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beijing has decided and its answer is lost: in flight with its money, no difference."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            stay, total_fen = await cities.discharged(0)
            lose_answers(cities.wire, monkeypatch)
            impatient = Desk(cities.tianjin, wait_ms=0)
            with pytest.raises(Refused):
                await impatient.settle(cities.caller, stay.stay_id, total_fen)
            await cities.quiet()

            for seen in await seen_from_both(cities):
                assert seen.agrees
                assert [one.kind for one in seen.findings] == ["in_flight"]
                assert seen.open_count == 1
                assert sum(one.in_flight_fen for one in seen.purses) > 0

    asyncio.run(work())


# the job


async def kept(node: Node, books: Books) -> store.MirrorRow:
    """Return what the node keeps of its last look."""
    row = await node.read(lambda snapshot: store.last(snapshot, books))
    assert row is not None
    return row


def test_silence_is_kept_with_its_beginning(tmp_path: Path) -> None:
    """What was seen stays; silence begins once, is tried every few seconds, and ends at once."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            node, books = sides(cities)[0]
            await job.look_at_all(node)
            before = await kept(node, books)
            cities.wire.cut = True
            cities.clock.advance(job.RESTING_MS)
            since_at = cities.clock.now()
            await job.look_at_all(node)
            cities.clock.advance(job.SILENT_MS)
            await job.look_at_all(node)
            silent = await kept(node, books)

            assert (silent.state, silent.silent_since_at) == ("silent", since_at)
            assert (silent.seen, silent.seen_at) == (before.seen, before.seen_at)

            cities.wire.cut = False
            cities.clock.advance(job.SILENT_MS)
            await job.look_at_all(node)
            again = await kept(node, books)

            assert (again.state, again.silent_since_at) == ("seen", None)
            assert again.seen_at == cities.clock.now()

    asyncio.run(work())


def test_an_older_accord_is_named_as_such(tmp_path: Path) -> None:
    """Without the permit nothing is asked, and the page can say why there is no mirror."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            node, books = sides(cities)[0]
            accord = node.home.accord
            older = [one for one in accord.permits if one.type != SIDES]
            node.home.accord_in_force = msgspec.structs.replace(accord, permits=older)
            cities.clock.advance(job.RESTING_MS)
            await job.look_at_all(node)

            assert (await kept(node, books)).state == "not_permitted"

    asyncio.run(work())


DUE = [
    # state      what is kept            age of the look        due
    ("seen",     {},                     job.RESTING_MS - 1,    False),
    ("seen",     {},                     job.RESTING_MS,        True),
    ("seen",     {"mark": b"earlier"},   job.MOVING_MS - 1,     False),
    ("seen",     {"mark": b"earlier"},   job.MOVING_MS,         True),
    ("silent",   {},                     job.SILENT_MS - 1,     False),
    ("silent",   {},                     job.SILENT_MS,         True),
    ("refused",  {},                     job.SILENT_MS,         False),
]  # fmt: skip


@pytest.mark.parametrize(("state", "what", "age_ms", "due"), DUE)
def test_when_it_looks_again(state: str, what: dict[str, bytes], age_ms: int, *, due: bool) -> None:
    """Soon at who is silent, later at what moves, seldom at what rests."""
    rest = Seen(VISITED, INSURED, is_visited=True, purses=(), findings=(), open_count=0, left_out=0)
    kept = store.packed(rest)
    row = store.MirrorRow(VISITED, INSURED, state, "", 1_000, None, 1_000, kept, b"m")
    mark = what.get("mark", b"m")

    assert job.is_due(row, mark, 1_000 + age_ms) is due


# the answering side


def test_a_third_member_is_told_nothing(tmp_path: Path) -> None:
    """Who asks about hospitals of neither side is refused by name."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            question = Reply(SIDES, SidesAsk(visited="shijiazhuang-hsb"))
            with pytest.raises(PeerRefused) as refused:
                await cities.tianjin.exchange.ask(INSURED, question, deadline_ms=1_000)

            assert refused.value.code == "SIDES_PAIR"

    asyncio.run(work())


def test_a_month_is_never_split() -> None:
    """Sums that do not fit are cut between two months, and the answer says where to go on."""
    months = ["2026-11", "2026-11", "2026-10", "2026-10", "2026-09"]
    sums = [PurseSum("p", month, 0, 0, "", 0, 0, "") for month in months]

    assert cut(sums, 5) == (sums, None)
    assert cut(sums, 3) == (sums[:2], "2026-10")
    assert cut(sums, 4) == (sums[:4], "2026-09")
