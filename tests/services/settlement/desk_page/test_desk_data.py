"""The desk over a real store: what happens between the cities is what it says, on both sides."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import DAY_MS, INSURED, VISITED, Running
from tests.web import site
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import TROUBLES, TroubleRow
from tongcheng.node.console import catalogue
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.desk_page import data, view
from tongcheng.services.settlement.desk_page.model import Ages, DeskPage
from tongcheng.services.settlement.mirror import store
from tongcheng.services.settlement.mirror.model import PurseSum
from tongcheng.services.settlement.mirror.seen import PurseSeen, Seen
from tongcheng.services.settlement.mirror.store import MIRRORS, MirrorRow
from tongcheng.services.settlement.service import SERVICE
from tongcheng.services.settlement.store import CLAIMS, ClaimRow
from tongcheng.web import Page

MINUTE_MS = 60_000


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def _desk(running: Running, member: str = VISITED) -> DeskPage:
    node = running.cities.wire.nodes[member]
    now_at = running.cities.clock.now()
    with node.database.snapshot() as snapshot:
        return data.desk_page(
            snapshot, node.home, catalogue((SERVICE,)), "en", now_at, with_cases=True, live=True
        )


def _pending(running: Running, number: int = 0) -> ClaimRow:
    """Return a settlement that was asked for over a line that is cut."""
    cities = running.cities

    async def ask() -> ClaimRow:
        stay, total_fen = await cities.discharged(number)
        cities.wire.cut = True
        with pytest.raises(Refused):
            await Desk(cities.tianjin, wait_ms=0).settle(cities.caller, stay.stay_id, total_fen)
        return (await cities.tianjin.read(lambda s: s.select(CLAIMS, stay_id=stay.stay_id)))[0]

    claim: ClaimRow = running.run(ask())
    return claim


def test_what_is_settled_is_counted_on_both_sides(running: Running) -> None:
    """Both cities count the settlement of today by the same way; yesterday's is not today's."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())

    for member in (VISITED, INSURED):
        desk = _desk(running, member)
        (flow,) = desk.flows
        assert (flow.visited_member, flow.insured_member) == (VISITED, INSURED)
        assert msgspec.structs.astuple(flow.sums) == (
            1,
            claim.total_fen,
            claim.fund_fen,
            claim.person_fen,
        )
        assert [hour for hour, count in enumerate(desk.hours) if count] == [18]
        assert desk.ages == Ages()
    running.cities.clock.advance(DAY_MS)
    assert _desk(running).settled.count == 0


def test_what_waits_shows_its_age_and_why(running: Running) -> None:
    """First it is on its way, then the peer is silent, since the moment of the question."""
    claim = _pending(running)
    asked_at = claim.opened_at
    clock = running.cities.clock
    whys = []
    for wait_ms in (0, 2 * MINUTE_MS, 20 * MINUTE_MS):
        clock.advance(asked_at + wait_ms - clock.now())
        desk = _desk(running)
        (row,) = desk.waiting
        whys.append((row.why, desk.ages))
        assert (row.stay_id, row.since_at) == (claim.stay_id, asked_at)
        assert (row.held_fen, desk.held_fen) == (claim.in_scope_fen,) * 2

    assert whys == [
        ("sending", Ages(fresh=1)),
        ("silent", Ages(slow=1)),
        ("silent", Ages(long=1)),
    ]


def test_a_refused_batch_is_a_dead_letter(running: Running) -> None:
    """While the peer refuses what we send, people must act, and its code is told."""
    claim = _pending(running)
    trouble = TroubleRow(INSURED, 1, "BATCH_SIGNATURE", "", 3, claim.opened_at)
    running.run(running.cities.tianjin.run(lambda tx: tx.put(TROUBLES, trouble)))

    (row,) = _desk(running).waiting

    assert (row.why, row.code) == ("dead", "BATCH_SIGNATURE")


def test_a_void_waits_like_a_settlement(running: Running) -> None:
    """What the funds have paid is held until the void is confirmed; then it is gone."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    running.run(cities.quiet())
    cities.wire.cut = True
    running.run(cities.desk.void(cities.caller, claim.settlement_id))

    (row,) = _desk(running).waiting
    assert (row.kind, row.held_fen) == ("void", claim.fund_fen)


def test_who_left_unsettled_stands_on_the_desk(running: Running) -> None:
    """The one who left first stands first; who is settled or in hospital does not."""
    cities = running.cities
    first, _ = running.run(cities.discharged(1))
    cities.clock.advance(MINUTE_MS)
    second, _ = running.run(cities.discharged(2))
    running.run(cities.admitted(3))
    running.run(cities.settled(4))

    desk = _desk(running)

    assert [row.stay_id for row in desk.unsettled] == [first.stay_id, second.stay_id]
    assert desk.unsettled_count == 2


def test_who_left_and_was_undone_is_counted_apart(running: Running) -> None:
    """A settlement taken back leaves a person who is not settled: the desk does not forget them."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    running.run(cities.settled(1))
    assert _desk(running).undone_count == 0
    running.run(cities.desk.void(cities.caller, claim.settlement_id))
    running.run(cities.quiet())

    desk = _desk(running)

    assert (desk.unsettled_count, desk.undone_count) == (0, 1)


def test_a_sum_that_differs_is_no_nought(running: Running) -> None:
    """Books that differ without a settlement to name are not told as none one-sided."""
    digest = "0" * 64
    sums = PurseSum("beijing/310/pool", "2026-11", 1, 100, digest, 0, 0, digest)
    purse = PurseSeen(sums.purse, sums.month, sums, None, 0)
    seen = Seen(VISITED, INSURED, True, (purse,), (), 0, 0)  # noqa: FBT003
    row = MirrorRow(VISITED, INSURED, "seen", "", 1, None, 1, store.packed(seen), b"")
    running.run(running.cities.tianjin.run(lambda tx: tx.put(MIRRORS, row)))

    found = _desk(running).one_sided

    assert found is not None
    assert (found.count, found.sums_differ) == (0, True)


def test_the_desk_of_a_store_is_rendered(running: Running) -> None:
    """Nothing that a store can hold is without words."""
    running.run(running.cities.discharged(1))
    claim = _pending(running)
    page = Page(site.toolkit(), "en", "/en/settlement", reader=site.READER)

    shown = str(view.desk_rows(page, _desk(running)).content)

    assert "1 settlement is open" in shown
    assert "1 person has left unsettled" in shown
    assert f'href="/en/settlement/stays/{claim.stay_id}"' in shown
