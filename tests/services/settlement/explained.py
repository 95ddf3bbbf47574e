"""Settlements to explain: computed by the shipped rule books from made-up bills."""

from collections.abc import Iterator

import msgspec

from tests.services.settlement.books import REGION
from tongcheng.kernel.rulebook import RuleBook, parse
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.books import overlay_of, tables_of
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.explain_lines import ExplainedLine
from tongcheng.services.settlement.explain_model import Reason
from tongcheng.services.settlement.lines import Part
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    Announced,
    BenefitResult,
    FundPayment,
    ScopeTotals,
)

BOOKS = [parse(path.read_text("utf-8")) for path in sorted(REGION.glob("rulebooks/*.yaml"))]
BENEFITS = [book for book in BOOKS if book.kind == "benefit"]
OVERLAY = next(book for book in BOOKS if str(book.effective_from) == "2023-04-01")


def paying_covers() -> RuleBook:
    """Return Tianjin's resident book as if its catastrophic cover were paid at discharge."""
    text = (REGION / "rulebooks" / "tianjin-resident-inpatient.yaml").read_text("utf-8")
    changed = text.replace("layer: announced", "layer: catastrophic")
    return parse(changed.replace("paid_at: {value: on_claim", "paid_at: {value: discharge"))


COVERING = paying_covers()
BENEFITS.append(COVERING)
BY_DIGEST = {book.digest: book for book in (*BOOKS, COVERING)}


def decided(book: RuleBook, bill: Bill, before: Accumulators | None = None) -> BenefitResult:
    """Return what the insured side would answer, the person's bill being all in scope."""
    before = before or Accumulators()
    cut = overlay_of(OVERLAY).cut(bill.filing)
    benefit = settle(tables_of(book), bill, before, cut)
    layers = {term.fund: term.layer for term in tables_of(book).funds}
    funds = [
        {"fund": fund, "layer": layers[fund], "purse": f"p/{fund}", "amount_fen": fen}
        for fund, fen in benefit.funds
    ]
    at_home = bill.filing in {"local", "deemed"}
    assert bill.total_fen is not None, "a bill to explain has a total"
    return BenefitResult(
        person_type=bill.person_type,
        tier=bill.tier,
        category=bill.category,
        filing=bill.filing,
        filing_rule=None if at_home else cut.ref,
        admission_number=bill.admission_number,
        period_number=bill.period_number,
        funds=msgspec.convert(funds, list[FundPayment]),
        announced=[
            Announced(each.fund, each.paid_at, each.amount_fen) for each in benefit.announced
        ],
        hospital_fen=0,
        person_fen=bill.total_fen - benefit.fund_fen,
        account_fen=0,
        deductible_fen=benefit.deductible_fen,
        pool_self_fen=benefit.pool_self_fen,
        large_self_fen=benefit.large_self_fen,
        burden_fen=benefit.burden_fen,
        rounding_residual_fen=benefit.rounding_residual_fen,
        before=AccumulatorTotals(year=2025, origins={}, **msgspec.structs.asdict(before)),
        book_id=book.book_id,
        book_digest=book.digest,
        book_status=book.status,
        overlay_digest=OVERLAY.digest,
        trace=list(benefit.trace),
    )


def totals_of(bill: Bill, self_paid: int = 0, over: int = 0, first: int = 0) -> ScopeTotals:
    """Return the split of a bill whose other parts are these."""
    total = bill.in_scope_fen + self_paid + over + first
    assert total == bill.total_fen
    return ScopeTotals(total, self_paid, over, first, bill.in_scope_fen)


def line(number: int, *parts: Part, quantity_e4: int = 10_000) -> ExplainedLine:
    """Return a made-up line with these parts."""
    return ExplainedLine(
        line_id=f"L{number}",
        item_code=f"SAMPLE-{number}",
        item_name=f"样例项目{number}",
        quantity_e4=quantity_e4,
        unit_price_e6=123_450_000,
        catalogue="c" * 64,
        valid_from_on="2025-01-01",
        parts=parts,
    )


def every(reason: Reason) -> Iterator[Reason]:
    """Return a tree's nodes, parents first."""
    yield reason
    for child in reason.children:
        yield from every(child)
