"""Laws of settling in periods: whatever is done in whatever order, both sides stay one story."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.settlement.test_periods import day_before, findings, mirrored
from tests.services.settlement.two_cities import (
    DAY_MS,
    INSURED,
    TwoCities,
    two_cities,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.services.settlement import periods, statements
from tongcheng.services.settlement.bills import active_lines
from tongcheng.services.settlement.store import YEARS

ZONE = "Asia/Shanghai"
STEPS = st.one_of(
    st.tuples(st.just("lines"), st.integers(1, 40)),
    st.tuples(st.just("period"), st.integers(0, 4)),
    st.tuples(st.sampled_from(["void", "discharge", "rest"]), st.just(0)),
    st.tuples(st.just("days"), st.sampled_from([1, 1, 2, 35])),
    st.tuples(st.just("statement"), st.integers(0, 2)),
)
MAY_BE_REFUSED = {
    "BILL_EMPTY",
    "DISCHARGE_IN_SETTLED_PERIOD",
    "MONTH_NOT_OVER",
    "PERIOD_DAY",
    "STATEMENT_MONTH_CLOSED",
    "STAY_NOT_DISCHARGED",
    "STAY_STATE",
}


class Course:
    """One stay, and what may be done with it; a refusal must have one of the codes known."""

    def __init__(self, cities: TwoCities, stay_id: str) -> None:
        self.cities = cities
        self.stay_id = stay_id
        self.uploads = 0
        self.done: Counter[str] = Counter()

    async def step(self, what: str, number: int) -> None:
        """Do one step, or be refused."""
        try:
            await getattr(self, what)(number)
            self.done[what] += 1
        except Refused as refusal:
            if refusal.code not in MAY_BE_REFUSED:
                raise

    async def lines(self, number: int) -> None:
        """Charge something now."""
        self.uploads += 1
        lines = [
            msgspec.structs.replace(
                line,
                line_id=f"{line.line_id}u{self.uploads}",
                charged_at=self.cities.clock.now() - number % 3 * DAY_MS,
            )
            for line in self.cities.bill(number)
        ]
        await self.cities.desk.add_lines(self.cities.caller, self.stay_id, lines)

    async def period(self, days: int) -> None:
        """Settle through some day; what it comes to is what is open by then."""
        through = day_before(self.cities, days)
        await self._settle(through)

    async def rest(self, _number: int) -> None:
        """Settle what is left."""
        await self._settle(None)

    async def _settle(self, through: str | None) -> None:
        cities = self.cities
        stay = await cities.desk.stay(cities.caller, self.stay_id)
        claims = await cities.tianjin.read(lambda s: periods.in_force(s, self.stay_id))
        known = periods.asked_before(claims, through)
        if known is not None:
            total_fen = known.total_fen
        else:
            at = cities.clock.now()
            period = await cities.tianjin.read(
                lambda s: periods.open_period(s, ZONE, stay, through, at)
            )
            total_fen = period.totals.total_fen
        claim = await cities.desk.settle(cities.caller, self.stay_id, total_fen, through_on=through)
        assert known in {None, claim}

    async def void(self, _number: int) -> None:
        """Take the last settlement back."""
        claims = await self.cities.tianjin.read(lambda s: periods.in_force(s, self.stay_id))
        if claims:
            await self.cities.desk.void(self.cities.caller, claims[-1].settlement_id)

    async def discharge(self, _number: int) -> None:
        """End the stay, now."""
        await self.cities.desk.discharge(self.cities.caller, self.stay_id, self.cities.clock.now())

    async def days(self, number: int) -> None:
        """Let days pass."""
        self.cities.clock.advance(number * DAY_MS)

    async def statement(self, months: int) -> None:
        """Send the statement of a month."""
        month = ["2026-11", "2026-12", "2027-01"][months]
        await self.cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, month))
        await self.cities.quiet()

    async def check(self) -> None:
        """Hold both sides to the laws."""
        cities = self.cities
        await cities.quiet()
        assert await findings(cities.tianjin) == []
        assert await findings(cities.beijing) == []
        await mirrored(cities)
        lines = await cities.tianjin.read(lambda s: active_lines(s, self.stay_id))
        claims = await cities.tianjin.read(lambda s: periods.in_force(s, self.stay_id))
        rest = await cities.tianjin.read(lambda s: periods.open_lines(s, ZONE, self.stay_id))
        settled_fen = sum(claim.total_fen for claim in claims)
        open_fen = sum(line.total_fen for line in rest)
        assert settled_fen + open_fen == sum(line.total_fen for line in lines)

    async def take_all_back(self) -> None:
        """Void every period: nothing is left of it on either side."""
        cities = self.cities
        while await cities.tianjin.read(lambda s: periods.in_force(s, self.stay_id)):
            await self.void(0)
        await self.check()
        for node in (cities.tianjin, cities.beijing):
            accounts = await node.read(lambda s: s.select(ACCOUNTS))
            assert {(row.balance_fen, row.debit_held_fen) for row in accounts} <= {(0, 0)}
        for year in await cities.beijing.read(lambda s: s.select(YEARS)):
            sums = {getattr(year, name) for name in year.__struct_fields__ if "fen" in name}
            assert sums == {0}
            assert year.admissions == 0


async def _course(folder: Path, steps: list[tuple[str, int]]) -> Counter[str]:
    async with two_cities(folder) as cities:
        stay = await cities.admitted()
        course = Course(cities, stay.stay_id)
        for what, number in steps:
            await course.step(what, number)
        await course.check()
        await course.take_all_back()
        return course.done


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=4, max_size=14))
def test_any_order_is_one_story(steps: list[tuple[str, int]]) -> None:
    """Lines, periods, voids, days, statements in any order: sums, ledgers and years hold."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_course(Path(folder), steps))


def test_the_course_does_what_it_says(tmp_path: Path) -> None:
    """A course that is not refused anywhere does each step; else the law would say nothing."""
    steps = [
        ("lines", 10),
        ("days", 1),
        ("period", 1),
        ("lines", 3),
        ("days", 35),
        ("period", 1),
        ("statement", 0),
        ("void", 0),
        ("discharge", 0),
        ("rest", 0),
    ]

    done = asyncio.run(_course(tmp_path, steps))

    assert done == Counter(what for what, _ in steps)
