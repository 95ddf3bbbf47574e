"""The bar from 0 to the bill: the trace of a settlement as stretches that abut (pure)."""

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import round_half_up
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.tables import BASIS
from tongcheng.services.settlement.trace import TraceRow
from tongcheng.services.settlement.views import Band, BandKind

_KINDS: dict[str, BandKind] = {
    "deductible": "deductible",
    "pool": "pool",
    "large": "large",
    "uncovered": "over_cap",
}


def bands_of(
    scopes: tuple[int, int, int], result: BenefitResult, book: RuleBook | None
) -> tuple[Band, ...]:
    """Return the in-scope line by its trace, then what lies outside of it.

    `scopes` are the wholly self-paid, over-ceiling and first self-paid parts (fen). Each stretch
    shows the fund's part rounded for itself, so the parts may differ from the sums by the named
    residual; the widths add up to the bill exactly.
    """
    self_paid, over_ceiling, first_self_pay = scopes
    inside = [
        _band(row, book) for row in result.trace if row.part in _KINDS and row.to_fen > row.from_fen
    ]
    outside: list[tuple[BandKind, int]] = [
        ("first_self_pay", first_self_pay),
        ("over_ceiling", over_ceiling),
        ("self_paid", self_paid),
    ]
    return (
        *inside,
        *(Band(kind, fen, fund_fen=0, person_fen=fen) for kind, fen in outside if fen),
    )


def _band(row: TraceRow, book: RuleBook | None) -> Band:
    width = row.to_fen - row.from_fen
    exact = row.amount_fen * row.amount_over + row.amount_rest
    # A peer's trace may say anything; the amounts of the decision itself have been checked.
    fund_fen = max(0, min(width, round_half_up(exact, row.amount_over)))
    return Band(
        kind=_KINDS[row.part],
        amount_fen=width,
        fund_fen=fund_fen,
        person_fen=width - fund_fen,
        rate_bp=row.ratio // BASIS if row.ratio else None,
        clause=_clause(row, book),
    )


def _clause(row: TraceRow, book: RuleBook | None) -> Words | None:
    """Return the clause that the rule book names for a stretch, if the book is here."""
    if book is None:
        return None
    try:
        clause = tables_of(book).pointer(row.rule).clause
    except Refused:
        return None
    return None if clause is None else Words(clause, clause)
