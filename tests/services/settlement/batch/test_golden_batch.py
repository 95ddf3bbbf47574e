"""The region's golden cases, settled by a batch of two rows instead of by the engine."""

from typing import Any

import msgspec
import pytest

from tests.services.settlement.batch.batches import overlay
from tests.services.settlement.books import REGION
from tests.services.settlement.laws import FUNDS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, Shelf, parse
from tongcheng.services.settlement import golden
from tongcheng.services.settlement.batch import run
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATORS,
    NONE,
    OPENING,
    UNKNOWN_FEN,
    Events,
    blank_events,
)
from tongcheng.services.settlement.batch.codes import CODES, FIELDS
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.explain import trace_of
from tongcheng.services.settlement.batch.plan import EPOCH, plan_of
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.golden_form import Broken, Case, read_cases
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import UNKNOWN, BenefitTables, Cut

SHELF = Shelf(
    [parse(path.read_text("utf-8")) for path in sorted((REGION / "rulebooks").glob("*.yaml"))],
    allow_drafts=True,
)
CASES = [
    case
    for path in sorted((REGION / "golden").glob("*.yaml"))
    for case in read_cases(path.read_text("utf-8"))
]


def _elsewhere(book: RuleBook, bill: Bill, cut: Cut) -> list[RuleBook]:
    """Return a cross-region book that takes off what a case says, none where it says nothing."""
    if cut.ref is None:
        return []
    points = None if cut.points == UNKNOWN else f"{cut.points // 10**4}.{cut.points % 10**4:04d}"
    cuts = [points if filing == bill.filing else None for filing in FILINGS[2:]]
    return [overlay({"from": book.effective_from.isoformat(), "to": None}, cuts, [])]


def _events(book: RuleBook, bill: Bill, before: Accumulators) -> Events:
    """Return what the year stood at and then the bill, on the book's first day."""
    events = blank_events(2, openings=1)
    events.kind[0], events.opening[0] = OPENING, 0
    events.opening_fen[0] = [getattr(before, name) for name in ACCUMULATORS]
    on = book.effective_from.toordinal() - EPOCH
    for days in (events.admitted_on, events.period_from_on, events.ended_on):
        days.fill(on)
    events.person_type[1] = PERSON_TYPES.index(bill.person_type)
    events.hospital_level[1] = bill.hospital_level
    events.tier[1] = NONE if bill.tier is None else TIERS.index(bill.tier)
    subtype = bill.hospital_subtype
    events.hospital_subtype[1] = NONE if subtype is None else SUBTYPES.index(subtype)
    events.category[1] = CATEGORIES.index(bill.category)
    events.filing[1] = FILINGS.index(bill.filing)
    events.period_number[1] = bill.period_number
    events.in_scope_fen[1] = bill.in_scope_fen
    events.total_fen[1] = UNKNOWN_FEN if bill.total_fen is None else bill.total_fen
    return events


def _by_batch(book: RuleBook, bill: Bill, before: Accumulators, cut: Cut) -> dict[str, Any]:
    """Return the amounts and the trace of a bill, or refuse as its row was refused."""
    plan = plan_of([book, *_elsewhere(book, bill, cut)])
    events = _events(book, bill, before)
    results = run.run(plan, events, trace=True)
    if results.code[1] != 0:
        detail = int(results.detail[1])
        rule = CODES[results.code[1]] == "RULE_UNKNOWN"
        named = {"rule": plan.rules[detail].path} if rule else {"field": FIELDS[detail]}
        raise Refused(CODES[results.code[1]], **named)
    amounts = dict(zip(RESULT_AMOUNTS, results.amounts[1].tolist(), strict=True))
    return {
        **{name: fen for name, fen in amounts.items() if not name.endswith("expected_fen")},
        "expected": {
            name.removesuffix("_expected_fen"): None if fen == UNKNOWN_FEN else fen
            for name, fen in amounts.items()
            if name.endswith("expected_fen")
        },
        "trace": trace_of(plan, events, results, 1),
    }


def _told(benefit: Benefit, found: dict[str, Any]) -> Benefit:
    """Return a benefit as the batch has it, whatever the engine said."""
    expected = found.pop("expected")
    paid = sum(found[name] for name in FUNDS)
    total = None if benefit.total_fen is None else benefit.total_fen - paid
    announced = tuple(
        msgspec.structs.replace(each, amount_fen=expected.get(each.fund))
        for each in benefit.announced
    )
    return msgspec.structs.replace(benefit, **found, personal_total_fen=total, announced=announced)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_golden_case_by_a_batch(case: Case | Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shipped case passes to the fen, refusals too, with the batch's amounts."""
    books: dict[str, RuleBook] = {}

    def remembered(compiler: Any) -> Any:
        def compiling(book: RuleBook) -> BenefitTables:
            tables: BenefitTables = compiler(book)
            books[tables.digest] = book
            return tables

        return compiling

    def by_batch(tables: BenefitTables, bill: Bill, before: Accumulators, cut: Cut) -> Benefit:
        found = _by_batch(books[tables.digest], bill, before, cut)
        return _told(settle(tables, bill, before, cut), found)

    monkeypatch.setattr(golden, "tables_of", remembered(tables_of))
    monkeypatch.setattr(golden, "compile_benefit", remembered(compile_benefit))
    monkeypatch.setattr(golden, "settle", by_batch)

    outcome = golden.run_case(case, SHELF)

    beside = [line for line in outcome.lines if "unexplained" in line or "residual" in line]
    assert (outcome.status, outcome.lines) == ("passed", tuple(beside))
