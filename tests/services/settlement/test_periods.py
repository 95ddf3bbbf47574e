"""Settling a stay in periods (中途结算): over two nodes, from the desk to both ledgers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.reworded import set_word
from tests.services.settlement.test_hostile import forge
from tests.services.settlement.two_cities import (
    DAY_MS,
    INSURED,
    VISITED,
    TwoCities,
    running,
    two_cities,
)
from tongcheng.kernel.calendar import local_date, parse_local
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.service import Finding, Reply
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.services.settlement import visited
from tongcheng.services.settlement.bills import ALL_LINES, LineInput
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.model import ESTIMATE, VOID, EstimateAsk, StayFacts
from tongcheng.services.settlement.reconcile import compare
from tongcheng.services.settlement.sides import answered_side, insured_side, visited_side
from tongcheng.services.settlement.stays_data import stays_page
from tongcheng.services.settlement.store import DECISIONS, YEARS, ClaimRow, StayRow
from tongcheng.services.settlement.verify import VERIFY
from tongcheng.services.settlement.views import StaysQuery, StayState

Work = Callable[[TwoCities], Awaitable[None]]
ZONE = "Asia/Shanghai"


def run(folder: Path, work: Work) -> None:
    """Do some work over two nodes; afterwards both verify and their books mirror."""

    async def all_of_it() -> None:
        async with two_cities(folder) as cities:
            await work(cities)
            await cities.quiet()
            assert await findings(cities.tianjin) == []
            assert await findings(cities.beijing) == []
            await mirrored(cities)

    asyncio.run(all_of_it())


async def findings(node: Node) -> list[Finding]:
    """Return what settlement's own verification finds on a node."""

    def question(snapshot: Snapshot) -> list[Finding]:
        return [found for each in VERIFY for found in each(snapshot, node.home)]

    return await node.read(question)


async def mirrored(cities: TwoCities) -> None:
    """Assert that both sides' books say the same, month by month, by books and by answers."""
    tianjin, beijing, at = cities.tianjin, cities.beijing, cities.clock.now() + 1
    here = await tianjin.read(lambda s: visited_side(s, INSURED, at))
    there = await beijing.read(lambda s: insured_side(s, VISITED, at))
    told = await tianjin.read(lambda s: answered_side(s, tianjin.home.ring, INSURED, at))
    for other in (there, told):
        found = compare(VISITED, INSURED, here, other, now_at=at)
        assert found.mirrored, found
        assert found.in_flight == ()


async def refusal(asked: Awaitable[object]) -> str:
    """Return the code under which something is refused."""
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value.code


def day_before(cities: TwoCities, days: int) -> str:
    """Return a local day, so many days before today."""
    return (local_date(cities.clock.now(), ZONE) - timedelta(days=days)).isoformat()


def lines_on(cities: TwoCities, days: int, name: str, quantity: int = 20) -> list[LineInput]:
    """Return four lines charged so many days ago."""
    return [
        msgspec.structs.replace(
            line,
            line_id=f"{name}{line.line_id}",
            charged_at=cities.clock.now() - days * DAY_MS,
        )
        for line in cities.bill(quantity)
    ]


async def long_stay(cities: TwoCities, number: int = 0) -> tuple[StayRow, list[int]]:
    """Return a stay of five days, still in hospital, with lines of two days, and their sums."""
    stay = await cities.admitted(number)
    sums = []
    for days, name in ((4, "a"), (2, "b")):
        rows = await cities.desk.add_lines(
            cities.caller, stay.stay_id, lines_on(cities, days, name)
        )
        sums.append(sum(row.total_fen for row in rows))
    return stay, sums


async def in_periods(cities: TwoCities, number: int = 0) -> tuple[ClaimRow, ClaimRow]:
    """Settle a stay in two periods and return both settlements."""
    stay, (first_fen, second_fen) = await long_stay(cities, number)
    desk, who = cities.desk, cities.caller
    first = await desk.settle(who, stay.stay_id, first_fen, through_on=day_before(cities, 3))
    await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
    return first, await desk.settle(who, stay.stay_id, second_fen)


def test_a_stay_in_two_periods(tmp_path: Path) -> None:
    """Each period has its lines and its days; they abut, and the stay is one admission."""

    async def work(cities: TwoCities) -> None:
        first, last = await in_periods(cities)
        stay = await cities.desk.stay(cities.caller, first.stay_id)
        years = await cities.beijing.read(lambda s: s.select(YEARS))
        rows = await cities.beijing.read(lambda s: s.select(DECISIONS))
        numbers = {canonical_number(row.result) for row in rows}

        assert (first.period, first.final, last.period, last.final) == (1, False, 2, True)
        assert date.fromisoformat(last.period_from_on) - date.fromisoformat(
            first.period_to_on
        ) == timedelta(days=1)
        assert (stay.state, stay.period, stay.claim_id) == ("settled", 2, last.settlement_id)
        assert [year.admissions for year in years] == [1]
        assert numbers == {1}

    run(tmp_path, work)


def canonical_number(result: bytes) -> int:
    """Return the admission number of a stored result."""
    value = msgspec.json.decode(result)
    assert isinstance(value, dict)
    return int(value["admission_number"])


def test_between_the_periods_the_stay_goes_on(tmp_path: Path) -> None:
    """After the first period: admitted, lines come, those settled stay, a late one is open."""

    async def work(cities: TwoCities) -> None:
        stay, (first_fen, second_fen) = await long_stay(cities)
        desk, who, through = cities.desk, cities.caller, day_before(cities, 3)
        first = await desk.settle(who, stay.stay_id, first_fen, through_on=through)
        again = await desk.settle(who, stay.stay_id, first_fen, through_on=through)
        between = await desk.stay(who, stay.stay_id)
        settled = await refusal(desk.revoke_lines(who, stay.stay_id, "aL1"))
        late = await desk.add_lines(who, stay.stay_id, lines_on(cities, 4, "late", 1))
        gone = await desk.revoke_lines(who, stay.stay_id, ALL_LINES)
        lines = await desk.add_lines(who, stay.stay_id, lines_on(cities, 4, "late", 1))
        codes = [
            await refusal(desk.settle(who, stay.stay_id, first_fen + 1, through_on=through)),
            await refusal(desk.settle(who, stay.stay_id, 1, through_on=day_before(cities, 4))),
            await refusal(desk.settle(who, stay.stay_id, 1, through_on=day_before(cities, 0))),
            await refusal(desk.settle(who, stay.stay_id, 1, through_on="2026-02-30")),
            await refusal(desk.settle(who, stay.stay_id, second_fen)),
            await refusal(desk.discharge(who, stay.stay_id, cities.clock.now() - 3 * DAY_MS)),
        ]
        await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
        late_fen = sum(row.total_fen for row in lines)
        last = await desk.settle(who, stay.stay_id, late_fen)

        assert again == first
        assert (between.state, between.period, between.claim_id) == ("admitted", 2, None)
        assert (settled, gone) == ("LINE_SETTLED", 4 + len(late))
        assert codes == [
            "UPLOADED_DIFFERS",
            "PERIOD_DAY",
            "PERIOD_DAY",
            "DATE_MALFORMED",
            "STAY_NOT_DISCHARGED",
            "DISCHARGE_IN_SETTLED_PERIOD",
        ]
        assert last.total_fen == late_fen

    run(tmp_path, work)


def test_periods_are_taken_back_from_the_last_on(tmp_path: Path) -> None:
    """The first of two cannot be voided; the last can, then the first, and all can be settled."""

    async def work(cities: TwoCities) -> None:
        desk, who = cities.desk, cities.caller
        first, last = await in_periods(cities)
        code = await refusal(desk.void(who, first.settlement_id))
        await desk.void(who, last.settlement_id)
        after_last = await desk.stay(who, first.stay_id)
        await desk.void(who, first.settlement_id)
        after_first = await desk.stay(who, first.stay_id)
        whole = await desk.settle(who, first.stay_id, first.total_fen + last.total_fen)
        years = await cities.beijing.read(lambda s: s.select(YEARS))

        assert code == "SETTLEMENT_NOT_LAST"
        assert (after_last.state, after_last.period) == ("discharged", 2)
        assert (after_first.state, after_first.period) == ("discharged", 1)
        assert (whole.period, whole.final) == (1, True)
        assert [(year.admissions, year.entries) for year in years] == [(1, 5)]

    run(tmp_path, work)


def test_while_a_period_is_undecided(tmp_path: Path) -> None:
    """Lines come and the person may leave; the rest waits; the cashier can give up."""

    async def work(cities: TwoCities) -> None:
        desk, who = Desk(cities.tianjin, wait_ms=0), cities.caller
        stay, (first_fen, second_fen) = await long_stay(cities)
        through = day_before(cities, 3)
        cities.wire.cut = True
        pending = await refusal(desk.settle(who, stay.stay_id, first_fen, through_on=through))
        await desk.add_lines(who, stay.stay_id, lines_on(cities, 1, "c"))
        stays = [await desk.stay(who, stay.stay_id)]
        await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
        stays.append(await desk.stay(who, stay.stay_id))
        rest = await refusal(desk.settle(who, stay.stay_id, second_fen * 2))
        claim_id = stays[-1].claim_id
        assert claim_id is not None
        await desk.void(who, claim_id)
        stays.append(await desk.stay(who, stay.stay_id))
        cities.wire.cut = False
        first = await cities.desk.settle(who, stay.stay_id, first_fen, through_on=through)
        last = await cities.desk.settle(who, stay.stay_id, second_fen * 2)

        assert (pending, rest) == ("SETTLE-PENDING", "STAY_STATE")
        assert [one.state for one in stays] == [
            "admitted_settling",
            "discharged_settling",
            "discharged",
        ]
        assert (first.period, last.period) == (1, 2)

    run(tmp_path, work)


def test_a_refund_of_a_settled_line(tmp_path: Path) -> None:
    """It counts in the open period, which is never negative; a last period may cost nothing."""

    async def work(cities: TwoCities) -> None:
        desk, who = cities.desk, cities.caller
        stay = await cities.admitted()
        rows = await desk.add_lines(who, stay.stay_id, lines_on(cities, 4, "a"))
        total = sum(row.total_fen for row in rows)
        through = day_before(cities, 3)
        await desk.settle(who, stay.stay_id, total, through_on=through)
        await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
        line = lines_on(cities, 1, "a")[0]
        refund = msgspec.structs.replace(
            line,
            line_id="refund",
            quantity_e4=-line.quantity_e4,
            amount_fen=-line.amount_fen,
            original_line_id=line.line_id,
        )
        await desk.add_lines(who, stay.stay_id, [refund])
        code = await refusal(desk.settle(who, stay.stay_id, -line.amount_fen))
        await desk.revoke_lines(who, stay.stay_id, "refund")
        empty = await desk.settle(who, stay.stay_id, 0)

        assert code == "PERIOD_NEGATIVE"
        assert (empty.total_fen, empty.fund_fen, empty.final) == (0, 0, True)

    run(tmp_path, work)


# false periods


FALSE: dict[str, tuple[dict[str, object], str]] = {
    "a period after one that is missing": ({"period": 3}, "PERIOD_ORDER"),
    "a period settled before": (
        {"period": 1, "period_from_on": "2026-11-17"},
        "STAY_SETTLED_BEFORE",
    ),
    "a gap": ({"period_from_on": "2026-11-21"}, "PERIOD_GAP"),
    "another hospital": ({"institution_id": "H1"}, "STAY_DIFFERS"),
    "another admission": ({"admitted_on": "2026-11-16"}, "STAY_DIFFERS"),
    "an end without a discharge": ({"discharged_on": None}, "STAY_DATES"),
    "days that run backwards": ({"period_from_on": "2026-11-23"}, "STAY_DATES"),
}


@pytest.mark.parametrize("name", FALSE)
def test_the_insured_side_checks_the_periods(tmp_path: Path, name: str) -> None:
    """Whatever the visited side says, periods come in order, abut, and are one stay's."""
    change, code = FALSE[name]

    async def work(cities: TwoCities) -> None:
        stay, (first_fen, _) = await long_stay(cities)
        desk, who = cities.desk, cities.caller
        await desk.settle(who, stay.stay_id, first_fen, through_on=day_before(cities, 3))
        row = await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
        honest = await cities.tianjin.read(
            lambda s: visited.estimate_ask(s, ZONE, row, None, cities.clock.now())
        )
        facts: StayFacts = msgspec.structs.replace(honest.facts, **change)
        found = await refusal(
            cities.tianjin.exchange.ask(
                INSURED, Reply(ESTIMATE, EstimateAsk(facts=facts)), deadline_ms=5_000
            )
        )

        assert found == code

    run(tmp_path, work)


# the turn of the year


@pytest.mark.parametrize("year_of", ["discharge", "admission", "split"])
def test_over_the_turn_of_the_year(tmp_path: Path, year_of: str) -> None:
    """By the book the whole stay is one year's, or each year is settled for itself."""

    async def work(cities: TwoCities) -> None:
        set_word(cities.beijing.home, "year_of", year_of)
        cities.clock.advance(parse_local("2027-01-03 10:00:00", ZONE) - cities.clock.now())
        desk, who = cities.desk, cities.caller
        stay, (first_fen, second_fen) = await long_stay(cities)
        await desk.discharge(who, stay.stay_id, cities.clock.now() - 1_000)
        total = first_fen + second_fen
        if year_of != "split":
            await desk.settle(who, stay.stay_id, total)
        else:
            code = await refusal(desk.settle(who, stay.stay_id, total))
            assert code == "PERIOD_CROSSES_YEAR"
            await desk.settle(who, stay.stay_id, first_fen, through_on="2026-12-31")
            await desk.settle(who, stay.stay_id, second_fen)
        years = await cities.beijing.read(lambda s: s.select(YEARS))

        assert [(year.year, year.admissions) for year in years] == {
            "discharge": [(2027, 1)],
            "admission": [(2026, 1)],
            "split": [(2026, 1), (2027, 1)],
        }[year_of]

    run(tmp_path, work)


def test_the_insured_side_takes_no_period_out_of_the_middle(tmp_path: Path) -> None:
    """A visited side that voids the first of two periods is told which one comes after it."""
    with running(tmp_path) as city:
        cities = city.cities
        first, _ = city.run(in_periods(cities))
        body = {
            "settlement_id": first.settlement_id,
            "settle_envelope_id": first.settle_id,
            "reason": "hospital_cancelled",
        }
        cities.wire.cut = True
        found = city.run(forge(cities.tianjin, cities.beijing, VOID, body, None))
        rows = city.run(cities.beijing.read(lambda s: s.select(DECISIONS)))

    assert found == "SETTLEMENT_NOT_LAST"
    assert [row.state for row in rows] == ["settled", "settled"]


def test_the_list_shows_who_is_still_in_hospital(tmp_path: Path) -> None:
    """A mid-stay settlement does not make the list say that the stay is settled."""

    async def work(cities: TwoCities) -> None:
        stay, (first_fen, _) = await long_stay(cities)
        who, through = cities.caller, day_before(cities, 3)
        await cities.desk.settle(who, stay.stay_id, first_fen, through_on=through)
        home = cities.tianjin.home
        states: list[StayState | None] = [None, "admitted", "settled"]
        with cities.tianjin.database.snapshot() as snapshot:
            pages = [stays_page(snapshot, home, StaysQuery(state=at), 0) for at in states]

        assert [[row.state for row in page.rows] for page in pages] == [
            ["admitted"],
            ["admitted"],
            [],
        ]
        assert (pages[0].counts["admitted"], pages[0].counts["settled"]) == (1, 0)

    run(tmp_path, work)
