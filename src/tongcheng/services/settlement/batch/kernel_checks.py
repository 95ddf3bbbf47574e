"""The kernel's questions before any amount: which year, which version, which filing, what is wrong.

Compiled twins of `bill.check_case`, `benefit.year_of_stay` and `benefit.filed_between`.
"""

from typing import Final

from tongcheng.kernel.jit import compiled
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATOR_COUNT,
    NONE,
    UNKNOWN_FEN,
    Events,
    Fen,
)
from tongcheng.services.settlement.batch.codes import CODE_OF, FIELDS
from tongcheng.services.settlement.batch.layout import (
    DEEMED,
    FROM_ON,
    PERSONS,
    SUBTYPE_LEVELS,
    TIERED,
    TO_ON,
    YEAR_OF,
    YEAR_OF_WORD,
    Ints,
    Layout,
)
from tongcheng.services.settlement.batch.plan import DAY_MAX, DAY_MIN, SAME_DIVISION
from tongcheng.services.settlement.bill import NUMBER_MAX
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

BILL_INVALID: Final = CODE_OF["BILL_INVALID"]
BILL_TOO_LARGE: Final = CODE_OF["BILL_TOO_LARGE"]
HOSPITAL_SUBTYPE_NEEDED: Final = CODE_OF["HOSPITAL_SUBTYPE_NEEDED"]
PERSON_TIER_NEEDED: Final = CODE_OF["PERSON_TIER_NEEDED"]
ACCUMULATORS_INVALID: Final = CODE_OF["ACCUMULATORS_INVALID"]
PERIOD_CROSSES_YEAR: Final = CODE_OF["PERIOD_CROSSES_YEAR"]
RULE_BOOK_MISSING: Final = CODE_OF["RULE_BOOK_MISSING"]
RULE_UNKNOWN: Final = CODE_OF["RULE_UNKNOWN"]

FIELD_IN_SCOPE: Final = FIELDS.index("in_scope_fen")
FIELD_TOTAL: Final = FIELDS.index("total_fen")
FIELD_NUMBER: Final = FIELDS.index("admission_number")
FIELD_PERIOD: Final = FIELDS.index("period_number")
FIELD_PERSON: Final = FIELDS.index("person_type")
FIELD_LEVEL: Final = FIELDS.index("hospital_level")
FIELD_SUBTYPE: Final = FIELDS.index("hospital_subtype")
FIELD_TIER: Final = FIELDS.index("tier")
FIELD_CATEGORY: Final = FIELDS.index("category")
FIELD_FILING: Final = FIELDS.index("filing")
FIELD_POOL_PAID: Final = FIELDS.index("pool_paid_fen")
"""The first of the accumulators, which follow in the order of `bill.Accumulators`."""

PERSON_TYPE_COUNT: Final = len(PERSON_TYPES)
LEVEL_COUNT: Final = len(LEVELS)
SUBTYPE_COUNT: Final = len(SUBTYPES)
TIER_COUNT: Final = len(TIERS)
CATEGORY_COUNT: Final = len(CATEGORIES)
FILING_COUNT: Final = len(FILINGS)
LOCAL: Final = FILINGS.index("local")
DEEMED_FILING: Final = FILINGS.index("deemed")
BY_DISCHARGE: Final = YEAR_OF.index("discharge")
BY_ADMISSION: Final = YEAR_OF.index("admission")
SPLIT: Final = YEAR_OF.index("split")

SIMPLE_MIN: Final = -25_202
SIMPLE_MAX: Final = 47_481
"""The days from 1901-01-01 to 2099-12-31, in which every fourth year is a leap year."""
CYCLE: Final = 146_097
"""Days of 400 years."""
CYCLE_FROM: Final = 719_162
"""Days from 0001-01-01 to 1970-01-01."""


@compiled
def year_of_day(day: int) -> int:
    """Return the calendar year of a day since 1970."""
    if SIMPLE_MIN <= day <= SIMPLE_MAX:
        # Years begin on days 0, 365, 730 and 1096 of four: 4 * day + 2 passes 1461 there.
        return 1970 + (4 * day + 2) // 1461
    whole, rest = (day + CYCLE_FROM) // CYCLE, (day + CYCLE_FROM) % CYCLE
    hundreds = min(rest // 36_524, 3)
    rest -= hundreds * 36_524
    fours = rest // 1461
    rest -= fours * 1461
    return 400 * whole + 100 * hundreds + 4 * fours + min(rest // 365, 3) + 1


@compiled
def days_stand(events: Events, row: int) -> bool:
    """Whether a stay's days are days, and follow one another."""
    admitted, begins = events.admitted_on[row], events.period_from_on[row]
    ends = events.ended_on[row]
    stand: bool = DAY_MIN <= admitted <= begins <= ends <= DAY_MAX
    return stand


@compiled
def covering(dated: Ints, begin: int, end: int, on: int) -> int:
    """Return which of some versions, oldest first, is in force on a day, or NONE."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if dated[middle, FROM_ON] <= on:
            low = middle + 1
        else:
            high = middle
    low -= 1
    return low if low >= begin and on <= dated[low, TO_ON] else NONE


@compiled
def year_for(layout: Layout, events: Events, row: int, version: int) -> tuple[int, int]:
    """Return (code, year) of the accumulators that a settlement moves, by the book's `year_of`."""
    ends = year_of_day(events.ended_on[row])
    admitted = events.admitted_on[row]
    if ends == year_of_day(admitted):
        return 0, ends
    word = layout.versions[version, YEAR_OF_WORD]
    if word == BY_DISCHARGE:
        return 0, ends
    if word == BY_ADMISSION:
        return 0, year_of_day(admitted)
    if word == SPLIT:
        crosses = year_of_day(events.period_from_on[row]) != ends
        return (PERIOD_CROSSES_YEAR, 0) if crosses else (0, ends)
    return RULE_UNKNOWN, 0


@compiled
def filing_of(layout: Layout, events: Events, row: int, overlay: int) -> int:
    """Return how a stay counts as filed: at home, by agreement, or as its row says."""
    pair = events.pair[row]
    if pair != NONE:
        if pair & SAME_DIVISION:
            return LOCAL
        if overlay != NONE and pair & layout.overlays[overlay, DEEMED]:
            return DEEMED_FILING
    return int(events.filing[row])


@compiled
def is_at_home(filing: int) -> bool:
    """Whether nothing is cut for a way of filing."""
    return filing in (LOCAL, DEEMED_FILING)


@compiled
def overlay_for(layout: Layout, events: Events, row: int) -> tuple[int, int]:
    """Return (code, version) of the cross-region book where the stay needs one.

    As on a node it is asked whenever the hospital's division is known; and else where the claim
    says of itself that it was filed.
    """
    count, pair = layout.overlays.shape[0], events.pair[row]
    if count == 0 or (pair == NONE and is_at_home(events.filing[row])):
        return 0, NONE
    overlay = covering(layout.overlays, 0, count, events.ended_on[row])
    return (RULE_BOOK_MISSING, NONE) if overlay == NONE else (0, overlay)


@compiled
def check_bill(  # noqa: C901, PLR0911, PLR0912 each refusal returns where it is found
    layout: Layout,
    events: Events,
    row: int,
    version: int,
    filing: int,
    number: int,
    totals: Fen,
    slot: int,
) -> tuple[int, int]:
    """Return (code, detail) of what no rule speaks about, as `bill.check_case` in its order."""
    in_scope, total = events.in_scope_fen[row], events.total_fen[row]
    if in_scope < 0:
        return BILL_INVALID, FIELD_IN_SCOPE
    if total != UNKNOWN_FEN and total < in_scope:
        return BILL_INVALID, FIELD_TOTAL
    if (in_scope if total == UNKNOWN_FEN else total) > AMOUNT_MAX_FEN:
        return BILL_TOO_LARGE, NONE
    if number > NUMBER_MAX:
        return BILL_INVALID, FIELD_NUMBER
    if not 1 <= events.period_number[row] <= NUMBER_MAX:
        return BILL_INVALID, FIELD_PERIOD
    person, level = events.person_type[row], events.hospital_level[row]
    subtype, tier = events.hospital_subtype[row], events.tier[row]
    if not 0 <= person < PERSON_TYPE_COUNT or not layout.versions[version, PERSONS] >> person & 1:
        return BILL_INVALID, FIELD_PERSON
    if not 0 <= level < LEVEL_COUNT:
        return BILL_INVALID, FIELD_LEVEL
    if not NONE <= subtype < SUBTYPE_COUNT:
        return BILL_INVALID, FIELD_SUBTYPE
    if not NONE <= tier < TIER_COUNT:
        return BILL_INVALID, FIELD_TIER
    if not 0 <= events.category[row] < CATEGORY_COUNT:
        return BILL_INVALID, FIELD_CATEGORY
    if not 0 <= filing < FILING_COUNT:
        return BILL_INVALID, FIELD_FILING
    if subtype == NONE and layout.versions[version, SUBTYPE_LEVELS] >> level & 1:
        return HOSPITAL_SUBTYPE_NEEDED, NONE
    if tier == NONE and layout.versions[version, TIERED] >> person & 1:
        return PERSON_TIER_NEEDED, NONE
    for column in range(ACCUMULATOR_COUNT):
        if totals[slot, column] > AMOUNT_MAX_FEN:
            return ACCUMULATORS_INVALID, FIELD_POOL_PAID + column
    return 0, NONE
