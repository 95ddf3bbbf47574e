"""The kernel's memory of a person: what each year stands at, openings and voids."""

from typing import Final, NamedTuple

from tongcheng.kernel.jit import compiled
from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    UNKNOWN_FEN,
    VOID,
    Events,
    Fen,
    Results,
)
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.kernel_checks import (
    ACCUMULATORS_INVALID,
    FIELD_POOL_PAID,
    year_of_day,
)
from tongcheng.services.settlement.batch.kernel_pays import (
    ADMISSIONS,
    BURDEN,
    CATASTROPHIC_PAID,
    DEDUCTIBLE_PAID,
    LARGE_PAID,
    POOL_PAID,
)
from tongcheng.services.settlement.batch.layout import (
    AREA,
    Ints,
    Layout,
)
from tongcheng.services.settlement.batch.plan import DAY_MAX, DAY_MIN
from tongcheng.services.settlement.rules import CATEGORIES
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, COVER_LAYERS

AREA_WITHOUT_RULE_BOOK: Final = CODE_OF["AREA_WITHOUT_RULE_BOOK"]
CLAIM_VOID_UNKNOWN: Final = CODE_OF["CLAIM_VOID_UNKNOWN"]
CLAIM_VOID_TWICE: Final = CODE_OF["CLAIM_VOID_TWICE"]
CLAIM_VOID_REFUSED: Final = CODE_OF["CLAIM_VOID_REFUSED"]
STAY_DATES: Final = CODE_OF["STAY_DATES"]
RULE_BOOK_MISSING: Final = CODE_OF["RULE_BOOK_MISSING"]

YEARS: Final = 10_000
"""More than there are calendar years."""
LAYER_COUNT: Final = len(COVER_LAYERS)
CATEGORY_COUNT: Final = len(CATEGORIES)


class Years(NamedTuple):
    """Room for the years of one person: area and year of each as one number, and what it stands at.

    `totals` has the columns of `arrays.ACCUMULATORS`.
    """

    keys: Ints
    totals: Fen


@compiled
def find_slot(keys: Ints, totals: Fen, used: int, area: int, year: int) -> tuple[int, int]:
    """Return (slot, slots used) of a person's year in an area, all 0 where it is new."""
    key = area * YEARS + year
    for slot in range(used):
        if keys[slot] == key:
            return slot, used
    keys[used] = key
    for column in range(arrays.ACCUMULATOR_COUNT):
        totals[used, column] = 0
    return used, used + 1


@compiled
def void_code(events: Events, results: Results, first: int, row: int) -> int:
    """Return why a void can not take its row back, 0 if it can; `first` is the person's first."""
    original = events.reverses[row]
    if not first <= original < row or events.kind[original] == VOID:
        return CLAIM_VOID_UNKNOWN
    if results.code[original] != 0:
        return CLAIM_VOID_REFUSED
    return CLAIM_VOID_TWICE if results.voided[original] else 0


@compiled
def move(events: Events, results: Results, row: int, totals: Fen, slot: int, sign: int) -> None:
    """Add what a settled row has used of the year, or give it back."""
    totals[slot, POOL_PAID] += sign * results.amounts[row, arrays.POOL_FEN]
    totals[slot, LARGE_PAID] += sign * results.amounts[row, arrays.LARGE_FEN]
    totals[slot, DEDUCTIBLE_PAID] += sign * results.amounts[row, arrays.DEDUCTIBLE_FEN]
    totals[slot, ADMISSIONS] += sign * (events.period_number[row] == 1)
    totals[slot, BURDEN] += sign * results.amounts[row, arrays.BURDEN_FEN]
    totals[slot, CATASTROPHIC_PAID] += sign * results.amounts[row, arrays.CATASTROPHIC_FEN]
    totals[slot, CATASTROPHIC_PAID + 1] += sign * results.amounts[row, arrays.ASSISTANCE_FEN]


@compiled
def open_year(events: Events, row: int, totals: Fen, slot: int, sign: int) -> None:
    """Add what an opening says was used of the year, or give it back."""
    for column in range(arrays.ACCUMULATOR_COUNT):
        totals[slot, column] += sign * events.opening_fen[events.opening[row], column]


@compiled
def note_before(results: Results, row: int, totals: Fen, slot: int) -> None:
    """Write into the trace what the year stood at."""
    if results.trace.shape[1] != 0:
        for column in range(arrays.ACCUMULATOR_COUNT):
            results.trace[row, trace_columns.BEFORE + column] = totals[slot, column]


@compiled
def undo(events: Events, results: Results, row: int, totals: Fen, slot: int) -> None:
    """Take back an earlier row of the person: its exact negative, by what was stored for it."""
    original = events.reverses[row]
    note_before(results, row, totals, slot)
    if events.kind[original] == OPENING:
        open_year(events, original, totals, slot, -1)
    else:
        move(events, results, original, totals, slot, -1)
        for column in range(arrays.AMOUNT_COUNT):
            fen = results.amounts[original, column]
            results.amounts[row, column] = fen if fen == UNKNOWN_FEN else -fen
    results.voided[original] = True
    results.book[row] = results.book[original]
    results.year[row] = results.year[original]


@compiled
def opening_fault(events: Events, row: int) -> int:
    """Return the column of an opening that no year can have, NONE if it may stand."""
    opening = events.opening[row]
    for column in range(arrays.ACCUMULATOR_COUNT):
        if not 0 <= events.opening_fen[opening, column] <= AMOUNT_MAX_FEN:
            return column
    return NONE


@compiled
def other(
    layout: Layout,
    events: Events,
    results: Results,
    row: int,
    first: int,
    slots: tuple[Ints, Fen, int],
) -> tuple[int, int, int]:
    """Take in an opening, or take a row back; return (code, detail, slots used)."""
    keys, totals, used = slots
    if events.kind[row] == VOID:
        code = void_code(events, results, first, row)
        if code != 0:
            return code, NONE, used
        original = events.reverses[row]
        area = layout.places[events.place[original], AREA]
        slot, used = find_slot(keys, totals, used, area, results.year[original])
        undo(events, results, row, totals, slot)
        return 0, NONE, used
    place, day = events.place[row], events.ended_on[row]
    if place < 0:
        return AREA_WITHOUT_RULE_BOOK, NONE, used
    if not DAY_MIN <= day <= DAY_MAX:
        return STAY_DATES, NONE, used
    year = year_of_day(day)
    results.year[row] = year
    fault = opening_fault(events, row)
    if fault != NONE:
        return ACCUMULATORS_INVALID, FIELD_POOL_PAID + fault, used
    slot, used = find_slot(keys, totals, used, layout.places[place, AREA], year)
    note_before(results, row, totals, slot)
    open_year(events, row, totals, slot, 1)
    return 0, NONE, used
