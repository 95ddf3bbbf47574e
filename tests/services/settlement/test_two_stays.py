"""Two stays of one person at once, in two cities: one deductible, decided in commit order."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.reworded import set_word
from tests.services.settlement.test_periods import findings
from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    INSURED,
    SCHEME,
    VISITED,
    TwoCities,
    id_number,
    two_cities,
)
from tongcheng.kernel import canonical
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import decided, pages_related
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.reconcile import compare
from tongcheng.services.settlement.sides import answer_to, insured_side, visited_side
from tongcheng.services.settlement.store import (
    DECISIONS,
    INSTITUTIONS,
    YEARS,
    ClaimRow,
    DecisionRow,
)
from tongcheng.services.settlement.visited import Admission

THIRD = "hebei-hsb"
LANGFANG = "H13100000001"
Settle = Callable[[], Awaitable[ClaimRow]]


class Bed:
    """One stay of the first person, discharged and ready to be settled."""

    def __init__(self, desk: Desk, caller: Caller, stay_id: str, total_fen: int) -> None:
        self.desk = desk
        self.caller = caller
        self.stay_id = stay_id
        self.total_fen = total_fen

    async def settle(self) -> ClaimRow:
        """Settle it."""
        return await self.desk.settle(self.caller, self.stay_id, self.total_fen)


async def in_tianjin(cities: TwoCities) -> Bed:
    """Return the stay in Tianjin, of the last five days."""
    stay, total_fen = await cities.discharged()
    return Bed(cities.desk, cities.caller, stay.stay_id, total_fen)


async def in_langfang(cities: TwoCities) -> Bed:
    """Return a stay of the same days in Langfang."""
    node = cities.wire.nodes[THIRD]
    caller, desk = Caller(LANGFANG, "his"), Desk(node)
    sample = await cities.tianjin.read(lambda s: s.get(INSTITUTIONS, FIRST_HOSPITAL))

    assert sample is not None

    def contract(tx: Transaction) -> None:
        row = msgspec.structs.replace(
            sample, institution_id=LANGFANG, admdvs="131000", catalogue="hebei-sample.csv"
        )
        tx.put(INSTITUTIONS, row)

    await node.run(contract)
    found = await desk.identify(caller, id_number(0))
    admitted_at = cities.clock.now() - 5 * DAY_MS
    stay = await desk.admit(caller, Admission(found.patient.person_id, SCHEME, "LF1", admitted_at))
    lines = [
        msgspec.structs.replace(line, item_code=line.item_code.replace("-TJ-", "-HB-"))
        for line in cities.bill()[:2]
    ]
    rows = await desk.add_lines(caller, stay.stay_id, lines)
    await desk.discharge(caller, stay.stay_id, cities.clock.now() - 1_000)
    return Bed(desk, caller, stay.stay_id, sum(row.total_fen for row in rows))


async def mirrored_with(cities: TwoCities, member: str) -> None:
    """Assert that the insured side's books and a visited side's say the same."""
    at = cities.clock.now() + 1
    here = await cities.wire.nodes[member].read(lambda s: visited_side(s, INSURED, at))
    there = await cities.beijing.read(lambda s: insured_side(s, member, at))
    assert compare(member, INSURED, here, there, now_at=at).mirrored


def in_three_cities(
    folder: Path, work: Callable[[TwoCities, Bed, Bed], Awaitable[None]], basis: str
) -> None:
    """Do some work with a stay in each city; afterwards all three nodes verify and mirror."""

    async def all_of_it() -> None:
        async with two_cities(folder, THIRD) as cities:
            set_word(cities.beijing.home, "basis", basis)
            await work(cities, await in_tianjin(cities), await in_langfang(cities))
            await cities.quiet()
            for node in cities.wire.nodes.values():
                assert await findings(node) == []
            for member in (VISITED, THIRD):
                await mirrored_with(cities, member)

    asyncio.run(all_of_it())


async def decisions(cities: TwoCities) -> list[tuple[DecisionRow, BenefitResult]]:
    """Return the decisions in commit order."""
    rows = await cities.beijing.read(lambda s: s.select(DECISIONS))
    rows.sort(key=lambda row: row.decision_no)
    return [(row, canonical.decode_as(row.result, BenefitResult)) for row in rows]


BASES = {"each_admission": (1_300_00, 650_00), "annual": (1_300_00, 0)}
"""What a retired person of Beijing bears first, of a first and of a later stay."""


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("order", ["tianjin", "langfang", "both"])
def test_one_deductible(tmp_path: Path, basis: str, order: str) -> None:
    """Whatever comes first, and at the same moment too, the second is the later admission."""

    async def work(cities: TwoCities, here: Bed, there: Bed) -> None:
        if order == "both":
            await asyncio.gather(here.settle(), there.settle())
        else:
            for bed in (here, there) if order == "tianjin" else (there, here):
                await bed.settle()
        found = await decisions(cities)
        years = await cities.beijing.read(lambda s: s.select(YEARS))
        overlaps = await cities.beijing.read(
            lambda s: [decided.overlaps_of(s, row) for row, _ in found]
        )

        assert tuple(result.deductible_fen for _, result in found) == BASES[basis]
        assert [result.admission_number for _, result in found] == [1, 2]
        assert [result.before.admissions for _, result in found] == [0, 1]
        assert [(row.admissions, row.deductible_paid_fen) for row in years] == [
            (2, sum(BASES[basis]))
        ]
        assert [[one.decision_no for one in each] for each in overlaps] == [[2], [1]]

    in_three_cities(tmp_path, work, basis)


@pytest.mark.parametrize("basis", BASES)
def test_the_first_is_voided_while_the_second_stands(tmp_path: Path, basis: str) -> None:
    """What the first had used comes back exactly; the second stands, and a third is computed so."""

    async def work(cities: TwoCities, here: Bed, there: Bed) -> None:
        first = await here.settle()
        second = await there.settle()
        await here.desk.void(here.caller, first.settlement_id)
        await cities.quiet()
        stands = await there.desk.claim(there.caller, second.settlement_id)
        years = await cities.beijing.read(lambda s: s.select(YEARS))
        rows = [row for row, _ in await decisions(cities)]
        later = await cities.beijing.read(lambda s: decided.later_than(s, rows[0]))
        beside = await cities.beijing.read(lambda s: pages_related.of_decision(s, rows[0]))
        again = await here.settle()
        results = [result for _, result in await decisions(cities)]

        assert (stands.state, stands.fund_fen) == ("settled", second.fund_fen)
        assert [(row.admissions, row.deductible_paid_fen) for row in years] == [
            (1, BASES[basis][1])
        ]
        assert [row.decision_no for row in later] == [2]
        assert [(one.kind, one.decision_no) for one in beside] == [("overlap", 2), ("later", 2)]
        assert again.decision_no == 3
        assert results[2].before.deductible_paid_fen == BASES[basis][1]
        assert results[2].admission_number == 2

    in_three_cities(tmp_path, work, basis)


def test_a_later_decision_is_named_to_its_own_member_only(tmp_path: Path) -> None:
    """The answer to a void lists the later decisions of the visited member that asks for it."""

    async def work(cities: TwoCities, here: Bed, there: Bed) -> None:
        first = await here.settle()
        await there.settle()
        stay, total_fen = await cities.discharged(caller=cities.other)
        third = await cities.desk.settle(cities.other, stay.stay_id, total_fen)
        await here.desk.void(here.caller, first.settlement_id)
        await cities.quiet()
        voided = await here.desk.claim(here.caller, first.settlement_id)
        ring = cities.tianjin.home.ring
        answer = await cities.tianjin.read(lambda s: answer_to(s, ring, voided.void_id))

        assert answer is not None
        assert answer[1].body["later"] == [third.decision_no]

    in_three_cities(tmp_path, work, "each_admission")
