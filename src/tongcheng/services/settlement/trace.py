"""How amounts came about: rows that say which stretch of a line which fund paid by which rule."""

from typing import Literal

import msgspec

from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.tables import RuleRef

Part = Literal["deductible", "pool", "large", "uncovered", "catastrophic", "assistance"]


class TraceRow(msgspec.Struct, frozen=True):
    """One stretch of a line and who pays what share of it.

    The line is the stay's in-scope amount; for the second covers (`catastrophic`, `assistance`) it
    is the person's burden of the year. `from_fen` and `to_fen` are rounded for display where a cap
    falls between two fen. The share is `ratio` over 10**8. The amount paid is exactly
    `amount_fen + amount_rest / amount_over` fen. `rule` is a path into the rule book whose digest
    is `book`; `modified_by` are the rules that changed what it says, in their order.
    """

    part: Part
    rule: str
    from_fen: int
    to_fen: int
    ratio: int
    amount_fen: int
    amount_rest: int
    amount_over: int
    book: str
    modified_by: tuple[RuleRef, ...] = ()


def paid_by(trace: tuple[TraceRow, ...], part: Part) -> int:
    """Return what a trace says that one fund pays: its exact rows added, then rounded once."""
    rows = [row for row in trace if row.part == part]
    over = max((row.amount_over for row in rows), default=1)
    assert all(row.amount_over == over for row in rows), "one fund's rows share their denominator"
    # Whole fen apart from the rests: their sum over `over` would not fit int64.
    rest = round_half_up(sum(row.amount_rest for row in rows), over)
    return sum(row.amount_fen for row in rows) + rest
