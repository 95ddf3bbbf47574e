"""Many claims by one compiled pass: the arithmetic of `engine` over arrays, person by person.

Every formula is that of `engine`, `covers` and `bill` in the same order, and so are the bounds that
keep each within int64 (`tables`). `twin` is what this must equal. Nothing is allocated for a row: a
person's years lie in a few rows of `totals`, one for each pooling area and calendar year, and are
forgotten with the person. Rows of two persons never meet, so a batch may be cut between persons.
"""

from typing import Final

from tongcheng.kernel.jit import compiled
from tongcheng.services.settlement.batch import (
    arrays,
    trace_columns,
)
from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    UNKNOWN_FEN,
    VOID,
    Events,
    Fen,
    Flags,
    Results,
)
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.kernel_checks import (
    RULE_UNKNOWN,
    check_bill,
    covering,
    days_stand,
    filing_of,
    overlay_for,
    year_for,
)
from tongcheng.services.settlement.batch.kernel_pays import (
    ADMISSIONS,
    BURDEN,
    CATASTROPHIC_PAID,
    DEDUCTIBLE_PAID,
    LARGE_PAID,
    POOL_PAID,
    cover,
    deductible,
    filing_terms,
    half_up,
    large,
    own_terms,
    pool,
)
from tongcheng.services.settlement.batch.kernel_years import (
    Years,
    find_slot,
    move,
    note_before,
    other,
)
from tongcheng.services.settlement.batch.layout import (
    AREA,
    CELLS_A_VERSION,
    COVER,
    IN_BILL,
    LEVEL_STRIDE,
    PERSON_STRIDE,
    SUBTYPE_STRIDE,
    VERSIONS_BEGIN,
    VERSIONS_END,
    YEAR_OF_RULE,
    Ints,
    Layout,
)
from tongcheng.services.settlement.batch.plan import SAME_DIVISION
from tongcheng.services.settlement.rules import CATEGORIES
from tongcheng.services.settlement.tables import COVER_LAYERS, UNIT

AREA_WITHOUT_RULE_BOOK: Final = CODE_OF["AREA_WITHOUT_RULE_BOOK"]
STAY_DATES: Final = CODE_OF["STAY_DATES"]
RULE_BOOK_MISSING: Final = CODE_OF["RULE_BOOK_MISSING"]
LAYER_COUNT: Final = len(COVER_LAYERS)
CATEGORY_COUNT: Final = len(CATEGORIES)


@compiled
def covers(
    layout: Layout, events: Events, results: Results, row: int, version: int, totals: Fen, slot: int
) -> int:
    """Write what second covers pay on the year's burden; return an unknown rule, or NONE."""
    base, now = totals[slot, BURDEN], results.amounts[row, arrays.BURDEN_FEN]
    traced = results.trace.shape[1] != 0
    for layer in range(LAYER_COUNT):
        used = totals[slot, CATASTROPHIC_PAID + layer]
        column = COVER + layer * CATEGORY_COUNT + events.category[row]
        table = layout.versions[version, column]
        paid, expected, begin, end, rest = 0, UNKNOWN_FEN, NONE, 0, 0
        if table != NONE:
            in_bill = layout.versions[version, IN_BILL + layer] != 0
            unknown, fen, begin, end, rest = cover(
                layout, table, base, base + now, used, int(not in_bill)
            )
            if in_bill:
                if unknown != NONE:
                    return unknown
                paid = fen
            else:
                expected = UNKNOWN_FEN if unknown != NONE else fen
                begin, end, rest = NONE, 0, 0
        now -= paid
        results.amounts[row, arrays.CATASTROPHIC_FEN + layer] = paid
        results.amounts[row, arrays.CATASTROPHIC_EXPECTED_FEN + layer] = expected
        base = max(0, base - used)
        if traced:
            results.trace[row, trace_columns.CATASTROPHIC_FROM + 2 * layer] = begin
            results.trace[row, trace_columns.CATASTROPHIC_TO + 2 * layer] = end
            results.marks[row, trace_columns.CATASTROPHIC_REST + layer] = rest
    results.amounts[row, arrays.PERSON_IN_SCOPE_FEN] = now
    return NONE


@compiled
def note_terms(
    results: Results,
    row: int,
    where: tuple[int, int, int, int],
    rules: tuple[int, int, int, int],
) -> None:
    """Write into the trace which terms spoke: `rules` is (cell, deductible's, cut, its rule)."""
    _, overlay, filing, number = where
    cell, deductible_rule, cut, cut_rule = rules
    results.marks[row, trace_columns.ADMISSION_NUMBER] = number
    results.marks[row, trace_columns.FILING] = filing
    results.marks[row, trace_columns.OVERLAY] = overlay
    results.marks[row, trace_columns.CELL] = cell
    results.marks[row, trace_columns.DEDUCTIBLE_RULE] = deductible_rule
    results.marks[row, trace_columns.CUT_RULE] = cut_rule
    results.marks[row, trace_columns.CUT_POINTS] = cut


@compiled
def note_line(
    results: Results, row: int, reached: tuple[int, int, int, int], bands: tuple[int, int]
) -> None:
    """Write into the trace how far the pool goes: (position, left, ratio, rest) and its bands."""
    position, left, ratio, rest = reached
    results.trace[row, trace_columns.POOL_TO] = position
    results.trace[row, trace_columns.POOL_LEFT] = left
    results.marks[row, trace_columns.POOL_RATIO] = ratio
    results.marks[row, trace_columns.POOL_REST] = rest
    results.marks[row, trace_columns.FIRST_BAND] = bands[0]
    results.marks[row, trace_columns.BANDS] = bands[1]


@compiled
def settle(
    layout: Layout,
    events: Events,
    results: Results,
    row: int,
    where: tuple[int, int, int, int],
    totals: Fen,
    slot: int,
) -> int:
    """Write the amounts of a row and its trace; return an unknown rule, or NONE.

    `where` is (version, cross-region version, filing, admission number).
    """
    version, overlay, filing, number = where
    in_scope = events.in_scope_fen[row]
    cell = layout.cell_of[
        version * CELLS_A_VERSION
        + int(events.hospital_level[row]) * LEVEL_STRIDE
        + (int(events.hospital_subtype[row]) + 1) * SUBTYPE_STRIDE
        + int(events.person_type[row]) * PERSON_STRIDE
        + int(events.tier[row])
        + 1
    ]
    own = own_terms(layout, cell, filing)
    unknown, first, first_rule = deductible(
        layout, events, row, version, cell, own, number, totals[slot, DEDUCTIBLE_PAID]
    )
    if unknown != NONE:
        return unknown
    terms = filing_terms(layout, version, own, overlay, filing)
    unknown, paid, position, left, ratio, first_band, bands = pool(
        layout, version, cell, terms, in_scope, totals[slot, POOL_PAID], first
    )
    if unknown != NONE:
        return unknown
    pool_fen = half_up(paid, UNIT)
    # What the person bears under the pool; where the cap cuts a band, what is paid is whole fen.
    whole = (position - first) * UNIT - paid
    pool_self = whole // UNIT + half_up(left, ratio) if left else half_up(whole, UNIT)
    unknown, large_fen, large_self, part, uncovered = large(
        layout, version, cell, in_scope, totals[slot, LARGE_PAID], position, left, ratio
    )
    if unknown != NONE:
        return unknown
    burden = in_scope - pool_fen - large_fen
    amounts = results.amounts
    amounts[row, arrays.DEDUCTIBLE_FEN] = first
    amounts[row, arrays.POOL_FEN] = pool_fen
    amounts[row, arrays.POOL_SELF_FEN] = pool_self
    amounts[row, arrays.LARGE_FEN] = large_fen
    amounts[row, arrays.LARGE_SELF_FEN] = large_self
    amounts[row, arrays.BURDEN_FEN] = burden
    amounts[row, arrays.ROUNDING_RESIDUAL_FEN] = burden - first - pool_self - large_self
    if results.trace.shape[1] != 0:
        note_before(results, row, totals, slot)
        note_terms(results, row, where, (cell, first_rule, terms[1], terms[2]))
        note_line(results, row, (position, left, ratio, paid % UNIT), (first_band, bands))
        results.trace[row, trace_columns.LARGE_PART] = part
        results.trace[row, trace_columns.UNCOVERED_FROM] = uncovered
    return covers(layout, events, results, row, version, totals, slot)


@compiled
def clear(results: Results, row: int) -> None:
    """Write that nothing was paid in a row: what stood there is of another batch."""
    for column in range(arrays.AMOUNT_COUNT):
        results.amounts[row, column] = 0
    if results.trace.shape[1] != 0:
        for column in range(arrays.TRACE_COUNT):
            results.trace[row, column] = 0
        for column in range(arrays.MARK_COUNT):
            results.marks[row, column] = 0


@compiled
def judge(  # noqa: PLR0911 each refusal returns where it is found
    layout: Layout, events: Events, results: Results, row: int, keys: Ints, totals: Fen, used: int
) -> tuple[int, int, int]:
    """Settle one row; return (code, detail, slots used)."""
    place = events.place[row]
    if place < 0:
        return AREA_WITHOUT_RULE_BOOK, NONE, used
    if not days_stand(events, row):
        return STAY_DATES, NONE, used
    begin, end = layout.places[place, VERSIONS_BEGIN], layout.places[place, VERSIONS_END]
    version = covering(layout.versions, begin, end, events.ended_on[row])
    if version == NONE:
        return RULE_BOOK_MISSING, NONE, used
    results.book[row] = version
    code, year = year_for(layout, events, row, version)
    if code != 0:
        unknown = layout.versions[version, YEAR_OF_RULE] if code == RULE_UNKNOWN else NONE
        return code, unknown, used
    results.year[row] = year
    code, overlay = overlay_for(layout, events, row)
    if code != 0:
        return code, NONE, used
    filing = filing_of(layout, events, row, overlay)
    pair = events.pair[row]
    if pair != NONE and pair & SAME_DIVISION:
        overlay = NONE
    slot, used = find_slot(keys, totals, used, layout.places[place, AREA], year)
    admissions = totals[slot, ADMISSIONS]
    number = admissions + 1 if events.period_number[row] == 1 else max(1, admissions)
    code, detail = check_bill(layout, events, row, version, filing, number, totals, slot)
    if code != 0:
        return code, detail, used
    unknown = settle(layout, events, results, row, (version, overlay, filing, number), totals, slot)
    if unknown != NONE:
        return RULE_UNKNOWN, unknown, used
    move(events, results, row, totals, slot, 1)
    return 0, NONE, used


@compiled
def settle_all(
    layout: Layout,
    events: Events,
    results: Results,
    years: Years,
    only: Flags,
    begin: int,
    end: int,
) -> None:
    """Judge the rows from `begin` to before `end`, which are whole persons.

    `years` has room for the years that a person's rows move. `only` marks persons' rows to be
    judged, the others' results stay as they are; it is empty where all are judged.
    """
    assert begin >= 0, "rows are counted from zero"
    keys, totals = years
    none = 0 * begin  # not the literal, for which everything would be compiled a second time
    used, first = none, begin
    for row in range(begin, end):
        if only.size != 0 and not only[row]:
            continue
        if row == begin or events.person[row] != events.person[row - 1]:
            used, first = none, row
        results.book[row], results.year[row], results.voided[row] = NONE, 0, False
        code, detail = events.fault[row], NONE
        if code != 0:
            clear(results, row)
        elif events.kind[row] == VOID or events.kind[row] == OPENING:
            clear(results, row)
            code, detail, used = other(layout, events, results, row, first, (keys, totals, used))
        else:
            code, detail, used = judge(layout, events, results, row, keys, totals, used)
            if code != 0:
                clear(results, row)
        results.code[row] = code
        results.detail[row] = detail
