"""The fixed trace row of a claim: how its amounts came about, without a list per claim.

With the plan's tables a row says everything that `trace.TraceRow`s say (`explain.trace_of` makes
them from it): what the year stood at, which cell of which book spoke, where the line of the stay
passes from one payer to the next, and what each fund pays exactly. A void's row says what the year
stood at; the rest is its claim's, negative.
"""

from typing import Final, NamedTuple


class TraceColumn(NamedTuple):
    """One column of the trace: its name and what it says."""

    name: str
    about: str


TRACE_COLUMNS: Final = (
    TraceColumn("before_pool_paid_fen", "What the pool had paid in the year before."),
    TraceColumn("before_large_paid_fen", "What the large-amount fund had paid."),
    TraceColumn("before_deductible_paid_fen", "What the person had borne as deductibles."),
    TraceColumn("before_admissions", "Settled admissions of the year before."),
    TraceColumn("before_burden_fen", "What the person had borne in scope."),
    TraceColumn("before_catastrophic_paid_fen", "What catastrophic insurance had paid."),
    TraceColumn("before_assistance_paid_fen", "What assistance had paid."),
    TraceColumn("pool_to_fen", "Where on the line of the stay the pool's last whole step ends."),
    TraceColumn(
        "pool_left",
        "What the cap left for the band that it cuts, in fen times 10**8; 0 where it cuts none."
        " The cap is reached pool_left / pool_ratio fen beyond pool_to_fen, exactly.",
    ),
    TraceColumn(
        "large_part",
        "Of a fen the large-amount fund pays large_part / (pool_ratio * 10**4) beside the whole.",
    ),
    TraceColumn(
        "uncovered_from_fen", "From where on no fund pays any more; -1 where there is no such part."
    ),
    TraceColumn(
        "catastrophic_from_fen",
        "Where on the year's burden catastrophic insurance begins to pay; -1 if nowhere.",
    ),
    TraceColumn("catastrophic_to_fen", "Where it ends."),
    TraceColumn("assistance_from_fen", "The same of assistance."),
    TraceColumn("assistance_to_fen", "Where it ends."),
)
"""Columns of `Results.trace`, in int64; amounts are fen."""
BEFORE: Final = 0
"""The first of the accumulators, which stand in the order of `bill.Accumulators`."""
(
    POOL_TO,
    POOL_LEFT,
    LARGE_PART,
    UNCOVERED_FROM,
    CATASTROPHIC_FROM,
    CATASTROPHIC_TO,
    ASSISTANCE_FROM,
    ASSISTANCE_TO,
) = range(7, 15)
"""Places of the other columns."""

MARK_COLUMNS: Final = (
    TraceColumn("admission_number", "Which admission of the year it was taken for."),
    TraceColumn("filing", "How the stay counted as filed: its place in `rules.FILINGS`."),
    TraceColumn("overlay", "The cross-region book's version: its place in the plan; -1 for none."),
    TraceColumn("cell", "Who was treated where: the place in the plan's cells."),
    TraceColumn(
        "deductible_rule",
        "The rule of what was borne first: its place in the plan's rules; -1 if nothing was.",
    ),
    TraceColumn(
        "cut_rule", "The rule that lowered or set the pool's ratio for the filing; -1 for none."
    ),
    TraceColumn("cut_points", "What it took off, in basis points; 0 where it set the ratio."),
    TraceColumn("bands", "How many bands the pool paid in."),
    TraceColumn("first_band", "The first of them: its place in the cell; -1 for none."),
    TraceColumn(
        "pool_ratio",
        "The pool's ratio where the cap is reached, over 10**8; 1 where it is not within a band.",
    ),
    TraceColumn("pool_rest", "The pool pays pool_rest / 10**8 of a fen beside the whole ones."),
    TraceColumn(
        "catastrophic_rest",
        "Catastrophic insurance: ten-thousandths of a fen beside the whole ones.",
    ),
    TraceColumn("assistance_rest", "The same of assistance."),
)
"""Columns of `Results.marks`, in int32: numbers, places of rules, and what is less than a fen."""
(
    ADMISSION_NUMBER,
    FILING,
    OVERLAY,
    CELL,
    DEDUCTIBLE_RULE,
    CUT_RULE,
    CUT_POINTS,
    BANDS,
    FIRST_BAND,
    POOL_RATIO,
    POOL_REST,
    CATASTROPHIC_REST,
    ASSISTANCE_REST,
) = range(13)
"""Places of these columns."""
