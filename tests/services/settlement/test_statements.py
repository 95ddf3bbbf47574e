"""The monthly statement between two members: whole at any size, agreed by receipt, then closed."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.test_hostile import forge
from tests.services.settlement.test_periods import Work, refusal, run
from tests.services.settlement.test_statement_model import POOL, SIZES, head_of, line
from tests.services.settlement.two_cities import (
    INSURED,
    VISITED,
    TwoCities,
    running,
    two_cities,
)
from tongcheng.kernel import canonical, ids, ledger
from tongcheng.kernel.calendar import parse_local
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.exchange.tables import SENT
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import purses, statements
from tongcheng.services.settlement import statement_model as model
from tongcheng.services.settlement.model import VOIDED, BenefitResult
from tongcheng.services.settlement.statement_model import (
    StatementBody,
    StatementFinding,
)
from tongcheng.services.settlement.statements import STATEMENTS, StatementRow
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, YEARS

ZONE = "Asia/Shanghai"


def to_day(cities: TwoCities, text: str) -> None:
    """Move the clock of both nodes on to the morning of a day."""
    cities.clock.advance(parse_local(f"{text} 09:00:00", ZONE) - cities.clock.now())


async def state(cities: TwoCities, month: str = "2026-11") -> tuple[StatementRow, StatementRow]:
    """Send a month's statement and return how both sides see it."""
    await cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, month))
    await cities.quiet()
    return await seen(cities, month)


async def seen(cities: TwoCities, month: str = "2026-11") -> tuple[StatementRow, StatementRow]:
    """Return the last statement of a month as both sides have it."""
    here, there = [
        (await node.read(lambda s: s.select(STATEMENTS, month=month)))[-1]
        for node in (cities.tianjin, cities.beijing)
    ]
    return here, there


# two nodes


def plant(count: int, *, is_visited: bool, fen: int = 700) -> Work:
    """Return work that books so many settlements, as if decided, on one side's ledger."""

    def command(tx: Transaction) -> None:
        entropy = SeededEntropy(f"{count} {is_visited}")
        more = purses.due_from(INSURED, POOL) if is_visited else purses.benefit(POOL)
        less = purses.payable("H", POOL) if is_visited else purses.due_to(VISITED, POOL)
        for account in (more, less):
            ledger.open_account(tx, account, POOL)
        for number in range(count):
            order = ledger.Order(
                act_id=ids.uuid7(tx.now_at, entropy),
                leg=0,
                subject_id=f"s{number:05d}",
                month="2026-11",
                debit_account=more,
                credit_account=less,
                amount_fen=fen,
            )
            ledger.transfer(tx, order)

    async def work(cities: TwoCities) -> None:
        await (cities.tianjin if is_visited else cities.beijing).run(command)

    return work


@pytest.mark.parametrize("count", SIZES)
def test_any_number_of_lines_is_agreed(tmp_path: Path, count: int) -> None:
    """At 0, 1, 100, 101 and 2,000 lines: all cross, both sides agree on the same root."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            await plant(count, is_visited=True)(cities)
            await plant(count, is_visited=False)(cities)
            to_day(cities, "2026-12-01")
            here, there = await state(cities)

            assert (here.state, there.state) == ("agreed", "agreed")
            assert (here.line_count, here.settled_fen) == (count, 700 * count)
            assert (here.root, here.pages, here.pages_taken) == (
                there.root,
                there.pages,
                there.pages_taken,
            )

    asyncio.run(work())


@pytest.mark.parametrize("place", [0, 99, 100, 1_999])
def test_one_different_line_is_found_at_any_place(tmp_path: Path, place: int) -> None:
    """One more here and one more there, at the edge of a page as anywhere: both are named."""

    def more(tx: Transaction) -> None:
        order = ledger.Order(
            act_id=tx.new_id(),
            leg=0,
            subject_id=f"s{place:05d}",
            month="2026-11",
            debit_account=purses.due_from(INSURED, POOL),
            credit_account=purses.payable("H", POOL),
            amount_fen=1,
        )
        ledger.transfer(tx, order)

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            await plant(2_000, is_visited=True)(cities)
            await plant(2_001, is_visited=False)(cities)
            await cities.tianjin.run(more)
            to_day(cities, "2026-12-01")
            here, there = await state(cities)
            found = canonical.decode_as(here.findings, list[StatementFinding])

            assert (here.state, there.state) == ("disputed", "disputed")
            assert [(one.settlement_id, one.kind) for one in found] == [
                (f"s{place:05d}", "amount"),
                ("s02000", "only_insured"),
            ]

    asyncio.run(work())


def test_a_month_is_agreed_once_and_not_before_it_is_over(tmp_path: Path) -> None:
    """Refused while it lasts; agreed afterwards; then closed, and another is not sent."""

    async def work(cities: TwoCities) -> None:
        stands, gone = await cities.settled(0), await cities.settled(1)
        await cities.desk.void(cities.caller, gone.settlement_id)
        await cities.quiet()
        early = await refusal(state(cities))
        to_day(cities, "2026-12-01")
        stranger = await refusal(
            cities.tianjin.run(lambda tx: statements.open_statement(tx, "nobody", "2026-11"))
        )
        here, there = await state(cities)
        again = await refusal(state(cities))

        assert (early, stranger, again) == (
            "MONTH_NOT_OVER",
            "MEMBER_UNKNOWN",
            "STATEMENT_MONTH_CLOSED",
        )
        assert (here.state, there.state) == ("agreed", "agreed")
        assert here.settled_fen == stands.fund_fen + gone.fund_fen
        assert here.voided_fen == gone.fund_fen

    run(tmp_path, work)


def test_nothing_is_agreed_before_the_receipt(tmp_path: Path) -> None:
    """While the wire is cut the month is open; a void sent then comes after the agreement."""

    async def work(cities: TwoCities) -> None:
        claim = await cities.settled(0)
        await cities.quiet()
        to_day(cities, "2026-12-01")
        cities.wire.cut = True
        await cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, "2026-11"))
        under_way = await refusal(
            cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, "2026-11"))
        )
        sent = await cities.tianjin.read(lambda s: s.select(STATEMENTS))
        await cities.desk.void(cities.caller, claim.settlement_id)
        cities.wire.cut = False
        await cities.settled(1)
        await cities.quiet()
        here, there = await seen(cities)
        voided = await cities.tianjin.read(lambda s: s.get(CLAIMS, claim.settlement_id))
        decided = await cities.beijing.read(
            lambda s: s.get(DECISIONS, VISITED, claim.settlement_id)
        )

        assert (under_way, [row.state for row in sent]) == ("STATEMENT_UNDER_WAY", ["sent"])
        assert (here.state, there.state) == ("agreed", "agreed")
        assert voided is not None
        assert decided is not None
        assert (voided.month, voided.void_month) == ("2026-11", "2026-12")
        assert (decided.month, decided.void_month) == ("2026-11", "2026-12")

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("agreed", "now", "month"),
    [
        ([], "2026-11-25", "2026-11"),
        ([], "2026-12-20", "2026-11"),
        (["2026-11"], "2026-12-20", "2026-12"),
        (["2026-11"], "2027-02-20", "2026-12"),
        (["2026-11", "2026-12"], "2027-02-20", "2027-01"),
    ],
)
def test_the_month_of_a_void(tmp_path: Path, agreed: list[str], now: str, month: str) -> None:
    """Its own month until that is agreed, then the first open one; the year is the original's."""

    async def work(cities: TwoCities) -> None:
        claim = await cities.settled(0)
        await cities.quiet()
        to_day(cities, now)
        for each in agreed:
            here, there = await state(cities, each)
            assert (here.state, there.state) == ("agreed", "agreed")
        await cities.desk.void(cities.caller, claim.settlement_id)
        await cities.quiet()
        years = await cities.beijing.read(lambda s: s.select(YEARS))
        voided = await cities.tianjin.read(lambda s: s.get(CLAIMS, claim.settlement_id))

        assert voided is not None
        assert (voided.state, voided.void_month) == ("voided", month)
        assert [(row.year, row.admissions, row.pool_paid_fen) for row in years] == [(2026, 0, 0)]
        if month < now[:7]:
            here, there = await state(cities, month)
            assert (here.state, there.state) == ("agreed", "agreed")
            assert here.voided_fen == claim.fund_fen
            assert here.settled_fen == (claim.fund_fen if month == claim.month else 0)

    run(tmp_path, work)


def test_an_answer_under_way_is_timing_and_the_next_statement_agrees(tmp_path: Path) -> None:
    """A void that the insured side booked and that is not known here yet is named as such."""

    async def work(cities: TwoCities) -> None:
        claim = await cities.settled(0)
        await cities.quiet()
        to_day(cities, "2026-12-01")
        cities.wire.cut = True
        await cities.desk.void(cities.caller, claim.settlement_id)
        await cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, "2026-11"))
        cities.wire.cut = False
        await cities.settled(1)
        await cities.quiet()
        first, _ = await seen(cities)
        kinds = {one.kind for one in canonical.decode_as(first.findings, list[StatementFinding])}
        second, there = await state(cities)

        assert (first.state, kinds) == ("disputed", {"timing"})
        assert (second.number, second.state, there.state) == (2, "agreed", "agreed")

    run(tmp_path, work)


# false pages

LINES = [line(f"s{number:05d}") for number in range(3)]
FALSE: dict[str, tuple[StatementBody, str | None, str]] = {
    "a second page first": (
        StatementBody(head_of(LINES, pages=2), 2, LINES),
        "st",
        "STATEMENT_PAGE",
    ),
    "another case": (StatementBody(head_of(LINES), 1, LINES), "other", "STATEMENT_PAGE"),
    "a root that is not the lines'": (
        StatementBody(head_of(LINES, root="0" * 64), 1, LINES),
        "st",
        "STATEMENT_DAMAGED",
    ),
    "a month that lasts": (
        StatementBody(head_of(LINES, month="2026-12"), 1, LINES),
        "st",
        "MONTH_NOT_OVER",
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_page_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is taken of a statement whose pages or sums do not fit."""
    body, case, code = FALSE[name]
    with running(tmp_path) as city:
        cities = city.cities
        to_day(cities, "2026-12-05")
        value = msgspec.to_builtins(body)
        found = city.run(
            forge(cities.tianjin, cities.beijing, model.STATEMENT, value, None, case=case)
        )
        rows = city.run(cities.beijing.read(lambda s: s.select(STATEMENTS)))

    assert (found, rows) == (code, [])


ANSWERS: dict[str, tuple[dict[str, object], str]] = {
    "another root": ({"root": "0" * 64}, "STATEMENT_DIFFERS"),
    "another statement": ({"statement_id": "x"}, "STATEMENT_UNKNOWN"),
    "asked by nobody": ({}, "REPLY_TO_UNKNOWN"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_false_agreement_closes_nothing(tmp_path: Path, name: str) -> None:
    """An agreement counts for exactly the statement that was sent, as an answer to it."""
    change, code = ANSWERS[name]
    with running(tmp_path) as city:
        cities = city.cities
        to_day(cities, "2026-12-05")
        cities.wire.cut = True
        row = city.run(
            cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, "2026-11"))
        )
        body = {"statement_id": row.statement_id, "month": row.month, "root": row.root}
        sent = city.run(cities.tianjin.read(lambda s: s.select(SENT, case_id=row.statement_id)))
        reply_to = sent[0].envelope_id if change else None
        found = city.run(
            forge(
                cities.beijing, cities.tianjin, model.STATEMENT_AGREED, {**body, **change}, reply_to
            )
        )
        rows = city.run(cities.tianjin.read(lambda s: s.select(STATEMENTS)))

    assert found == code
    assert [one.state for one in rows] == ["sent"]


def test_a_statement_has_one_answer(tmp_path: Path) -> None:
    """An agreement that comes a second time, or after a dispute, changes nothing."""
    with running(tmp_path) as city:
        cities = city.cities
        to_day(cities, "2026-12-05")
        row, _ = city.run(state(cities))
        sent = city.run(cities.tianjin.read(lambda s: s.select(SENT, case_id=row.statement_id)))
        body = {"statement_id": row.statement_id, "month": row.month, "root": row.root}
        reply_to = sent[0].envelope_id
        cities.wire.cut = True
        found = city.run(
            forge(cities.beijing, cities.tianjin, model.STATEMENT_AGREED, body, reply_to)
        )

    assert (row.state, found) == ("agreed", "STATEMENT_STATE")


def test_a_void_in_a_month_that_is_not_the_next_open_one_is_refused(tmp_path: Path) -> None:
    """November is open: a void booked in December would leave both months wrong."""
    with running(tmp_path) as city:
        cities = city.cities
        claim = city.run(cities.settled(0))
        result = canonical.decode_as(claim.result, BenefitResult)
        cities.wire.cut = True
        gone = city.run(cities.desk.void(cities.caller, claim.settlement_id))
        body = {
            "settlement_id": claim.settlement_id,
            "was": "settled",
            "month": "2026-12",
            "funds": msgspec.to_builtins(result.funds),
            "later": [],
        }
        found = city.run(forge(cities.beijing, cities.tianjin, VOIDED, body, gone.void_id))
        after = city.run(cities.desk.claim(cities.caller, claim.settlement_id))

    assert (found, after.state, after.void_month) == ("VOIDED_MONTH", "voiding", None)
