"""From the store to the explanation of a settlement: its lines, its rule books."""

from tongcheng.kernel import canonical
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import bills, periods
from tongcheng.services.settlement.decided import facts_of
from tongcheng.services.settlement.explain import explain
from tongcheng.services.settlement.explain_lines import ExplainedLine
from tongcheng.services.settlement.explain_model import Explanation
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.model import BenefitResult, ScopeTotals
from tongcheng.services.settlement.rule_words import Books
from tongcheng.services.settlement.store import ClaimRow, DecisionRow


def of_claim(reading: Reading, home: Home, claim: ClaimRow) -> Explanation:
    """Explain a settlement of this place's hospitals; refuses SETTLEMENT_UNDECIDED."""
    if not claim.result:
        raise Refused("SETTLEMENT_UNDECIDED", settlement=claim.settlement_id)
    totals = ScopeTotals(
        total_fen=claim.total_fen,
        self_paid_fen=claim.self_paid_fen,
        over_ceiling_fen=claim.over_ceiling_fen,
        first_self_pay_fen=claim.first_self_pay_fen,
        in_scope_fen=claim.in_scope_fen,
    )
    result = canonical.decode_as(claim.result, BenefitResult)
    lines = [explained_line(row) for row in lines_of(reading, home.region.zone, claim)]
    return explain(totals, result, lines, books_of(home, result))


def of_decision(home: Home, row: DecisionRow) -> Explanation:
    """Explain a decision of this place for its insured; the lines stay at the visited side."""
    result = canonical.decode_as(row.result, BenefitResult)
    return explain(facts_of(row).totals, result, None, books_of(home, result))


def books_of(home: Home, result: BenefitResult) -> Books:
    """Return the rule books that a result names, as far as this node has them."""
    digests = {result.book_digest, *(row.book for row in result.trace)}
    digests |= {ref.book for row in result.trace for ref in row.modified_by}
    digests |= set() if result.filing_rule is None else {result.filing_rule.book}
    found = {digest: home.shelf.find(digest) for digest in digests}
    return {digest: book for digest, book in found.items() if book is not None}


def lines_of(reading: Reading, zone: str, claim: ClaimRow) -> list[LineRow]:
    """Return the lines of a settlement; of one that was taken back, those that would be its own."""
    rows = bills.active_lines(reading, claim.stay_id)
    in_force = periods.in_force(reading, claim.stay_id)
    if claim.settlement_id in {each.settlement_id for each in in_force}:
        return periods.lines_of(rows, in_force, zone)[claim.period]
    return [
        row
        for row in rows
        if row.number <= claim.last_line
        and claim.period_from_on <= local_date(row.charged_at, zone).isoformat()
        and (claim.final or local_date(row.charged_at, zone).isoformat() <= claim.period_to_on)
    ]


def explained_line(row: LineRow) -> ExplainedLine:
    """Return a kept line as the explanation takes it."""
    return ExplainedLine(
        line_id=row.line_id,
        item_code=row.item_code,
        item_name=row.item_name,
        quantity_e4=row.quantity_e4,
        unit_price_e6=row.unit_price_e6,
        catalogue=row.catalogue_digest,
        valid_from_on=row.item_valid_from,
        parts=bills.reasons_of(row),
    )
