"""The kernel's amounts: compiled twins of the functions of the same names in `engine` and `covers`.

Each keeps the engine's decomposition, because that is what stays within int64 (`test_int64`).
"""

from typing import Final

from tongcheng.kernel.jit import compiled
from tongcheng.services.settlement.batch.arrays import NONE, Events
from tongcheng.services.settlement.batch.kernel_checks import is_at_home
from tongcheng.services.settlement.batch.layout import (
    ANNUAL,
    BANDS_BEGIN,
    BANDS_END,
    BASIS_RULE,
    CAP,
    CAP_RULE,
    CUT,
    DEDUCTIBLE,
    DEDUCTIBLE_RULE,
    FILING_RULE,
    FIRST,
    FIRST_RULE,
    FLOOR,
    FURTHER,
    FURTHER_RULE,
    FURTHER_WORD,
    HAS_LARGE,
    LARGE,
    LARGE_CAP,
    LARGE_CAP_RULE,
    LARGE_RATIO,
    LARGE_RATIO_RULE,
    LARGE_RULE,
    LATER,
    LATER_RULE,
    MINUS,
    MINUS_FLOOR,
    NOT_SET,
    OWN,
    OWN_CUT,
    OWN_CUT_RULE,
    OWN_DEDUCTIBLE,
    OWN_DEDUCTIBLE_RULE,
    OWN_RATIO,
    OWN_RATIO_RULE,
    POOL_CAP,
    POOL_CAP_RULE,
    RATIO,
    RULE,
    STEP,
    STEPS_BEGIN,
    STEPS_END,
    TO,
    Layout,
)
from tongcheng.services.settlement.tables import BASIS, NO_LIMIT, UNIT, UNKNOWN

FURTHER_NONE: Final = FURTHER.index("none")
(
    POOL_PAID,
    LARGE_PAID,
    DEDUCTIBLE_PAID,
    ADMISSIONS,
    BURDEN,
    CATASTROPHIC_PAID,
    ASSISTANCE_PAID,
) = range(7)
"""Columns of `totals`: the fields of `bill.Accumulators`."""


@compiled
def half_up(numerator: int, denominator: int) -> int:
    """Round a fraction that is not negative: `money.round_half_up`."""
    return (2 * numerator + denominator) // (2 * denominator)


@compiled
def of_admission(layout: Layout, cell: int, number: int) -> int:
    """Return the fen of the n-th admission of the year, or UNKNOWN: as `DeductibleCell` does."""
    amount = layout.cells[cell, FIRST]
    if number > 1:
        amount = layout.cells[cell, LATER]
        if amount != UNKNOWN:
            lower = amount - layout.cells[cell, STEP] * (number - 2)
            amount = max(lower, layout.cells[cell, FLOOR])
    minus, floor = layout.cells[cell, MINUS], layout.cells[cell, MINUS_FLOOR]
    if UNKNOWN in (amount, minus, floor):
        return UNKNOWN
    left: int = min(amount, max(amount - minus, floor))
    return left


@compiled
def deductible(
    layout: Layout,
    events: Events,
    row: int,
    version: int,
    cell: int,
    own: int,
    number: int,
    paid_before: int,
) -> tuple[int, int, int]:
    """Return (unknown, fen, rule) of what the person bears before any fund pays."""
    in_scope = events.in_scope_fen[row]
    if in_scope == 0:
        return NONE, 0, NONE
    if events.period_number[row] > 1:
        further = layout.versions[version, FURTHER_WORD]
        if further == UNKNOWN:
            return layout.versions[version, FURTHER_RULE], 0, NONE
        if further == FURTHER_NONE:
            return NONE, 0, NONE
        number = max(2, number)
    amount = of_admission(layout, cell, number)
    rule = layout.cells[cell, FIRST_RULE if number == 1 else LATER_RULE]
    if own != NONE and layout.own[own, OWN_DEDUCTIBLE] != NOT_SET:
        amount, rule = layout.own[own, OWN_DEDUCTIBLE], layout.own[own, OWN_DEDUCTIBLE_RULE]
    if amount == UNKNOWN:
        return rule, 0, NONE
    annual = layout.versions[version, ANNUAL]
    if annual == UNKNOWN and amount != 0 and paid_before != 0:
        return layout.versions[version, BASIS_RULE], 0, NONE
    if annual == 1:
        amount = max(0, amount - paid_before)
    amount = min(amount, in_scope)
    return NONE, amount, rule if amount != 0 else NONE


@compiled
def own_terms(layout: Layout, cell: int, filing: int) -> int:
    """Return the place's own terms for a way of filing, NONE where there are none."""
    terms: int = layout.cells[cell, OWN + filing]
    return terms


@compiled
def filing_terms(
    layout: Layout, version: int, own: int, overlay: int, filing: int
) -> tuple[int, int, int]:
    """Return (fixed ratio or NOT_SET, cut in basis points, rule) that a stay's filing leads to."""
    if is_at_home(filing):
        return NOT_SET, 0, NONE
    if own != NONE and layout.own[own, OWN_RATIO] != NOT_SET:
        return layout.own[own, OWN_RATIO], 0, layout.own[own, OWN_RATIO_RULE]
    if own != NONE and layout.own[own, OWN_CUT] != NOT_SET:
        return NOT_SET, layout.own[own, OWN_CUT], layout.own[own, OWN_CUT_RULE]
    if overlay != NONE:
        column = CUT + 2 * filing
        return NOT_SET, layout.overlays[overlay, column], layout.overlays[overlay, column + 1]
    return NOT_SET, UNKNOWN, layout.versions[version, FILING_RULE] + filing


@compiled
def band_ratio(layout: Layout, band: int, fixed: int, cut: int, cut_rule: int) -> tuple[int, int]:
    """Return (unknown, ratio) of a band as the stay's filing leaves it."""
    if fixed != NOT_SET:
        return cut_rule if fixed == UNKNOWN else NONE, fixed
    if cut == UNKNOWN:
        return cut_rule, UNKNOWN
    ratio = layout.bands[band, RATIO]
    if ratio == UNKNOWN:
        return layout.bands[band, RULE], UNKNOWN
    return NONE, max(0, ratio - cut * BASIS)


@compiled
def pool(
    layout: Layout,
    version: int,
    cell: int,
    terms: tuple[int, int, int],
    in_scope: int,
    paid_before: int,
    position: int,
) -> tuple[int, int, int, int, int, int, int]:
    """Walk the bands from the deductible to the end of the stay or to the pool's yearly cap.

    Returns (unknown, paid over UNIT, position, left, ratio, first band, bands): the cap is reached
    `left / ratio` fen beyond `position`, exactly.
    """
    first, count = NONE, 0
    if position == in_scope:
        return NONE, 0, position, 0, 1, first, count
    cap = layout.versions[version, POOL_CAP]
    if cap == UNKNOWN:
        return layout.versions[version, POOL_CAP_RULE], 0, position, 0, 1, first, count
    fixed, cut, cut_rule = terms
    remaining = max(0, cap - paid_before) * UNIT
    paid = 0
    for band in range(layout.cells[cell, BANDS_BEGIN], layout.cells[cell, BANDS_END]):
        limit = layout.bands[band, TO]
        if limit <= position:
            continue
        if paid == remaining:
            break
        unknown, ratio = band_ratio(layout, band, fixed, cut, cut_rule)
        if unknown != NONE:
            return unknown, 0, position, 0, 1, first, count
        if count == 0:
            first = band - layout.cells[cell, BANDS_BEGIN]
        count += 1
        top = min(limit, in_scope)
        amount = (top - position) * ratio
        left = remaining - paid
        if amount > left:
            return NONE, remaining, position, left, ratio, first, count
        paid += amount
        position = top
        if position == in_scope:
            break
    return NONE, paid, position, 0, 1, first, count


@compiled
def reach(left: int, pool_ratio: int, remaining: int, ratio: int) -> int:
    """Return how far beyond the pool's last whole step the large-amount fund's cap is reached."""
    whole, odd = left // pool_ratio, left % pool_ratio
    more, rest = remaining * BASIS // ratio, remaining * BASIS % ratio
    return whole + more + half_up(odd * ratio + rest * pool_ratio, pool_ratio * ratio)


@compiled
def large(
    layout: Layout,
    version: int,
    cell: int,
    in_scope: int,
    paid_before: int,
    position: int,
    left: int,
    pool_ratio: int,
) -> tuple[int, int, int, int, int]:
    """Return (unknown, fund's fen, person's fen, part, uncovered from) beyond the cap point.

    `part` over `pool_ratio * BASIS` is what the fund pays exactly beside whole fen.
    """
    rest = (in_scope - position) * pool_ratio - left
    if rest == 0:
        return NONE, 0, 0, 0, NONE
    if layout.cells[cell, LARGE] == 0:
        if layout.versions[version, HAS_LARGE]:
            return layout.versions[version, LARGE_RULE], 0, 0, 0, NONE
        return NONE, 0, half_up(rest, pool_ratio), 0, position + half_up(left, pool_ratio)
    ratio, cap = layout.cells[cell, LARGE_RATIO], layout.cells[cell, LARGE_CAP]
    if ratio == UNKNOWN:
        return layout.cells[cell, LARGE_RATIO_RULE], 0, 0, 0, NONE
    if cap == UNKNOWN:
        return layout.cells[cell, LARGE_CAP_RULE], 0, 0, 0, NONE
    over = pool_ratio * BASIS
    whole, odd = rest // pool_ratio, rest % pool_ratio
    fen, part = whole * ratio // BASIS, whole * ratio % BASIS
    exact = part * pool_ratio + odd * ratio
    fen, part = fen + exact // over, exact % over
    remaining = max(0, cap - paid_before)
    uncovered = NONE
    if fen > remaining or (fen == remaining and part > 0):
        fen, part = remaining, 0
        uncovered = position + reach(left, pool_ratio, remaining, ratio)
    borne = odd * BASIS - part
    person = whole - fen + borne // over + half_up(borne % over, over)
    return NONE, fen + half_up(part, over), person, part, uncovered


@compiled
def cover(  # noqa: C901 as plain as `covers.cover`
    layout: Layout, table: int, before: int, now: int, used: int, lenient: int
) -> tuple[int, int, int, int, int]:
    """Return (unknown, fen, from, to, rest over BASIS) that a second cover pays, NONE for no from.

    `lenient` 1 takes an unknown cap for none.
    """
    if now <= before:
        return NONE, 0, NONE, 0, 0
    begin = layout.covers[table, DEDUCTIBLE]
    if begin == UNKNOWN:
        return layout.covers[table, DEDUCTIBLE_RULE], 0, NONE, 0, 0
    position = max(before, begin)
    if now <= position:
        return NONE, 0, NONE, 0, 0
    cap = layout.covers[table, CAP]
    if cap == UNKNOWN and lenient == 0:
        return layout.covers[table, CAP_RULE], 0, NONE, 0, 0
    left = NO_LIMIT * BASIS if cap == UNKNOWN else max(0, cap - used) * BASIS
    start, paid = NONE, 0
    for step in range(layout.covers[table, STEPS_BEGIN], layout.covers[table, STEPS_END]):
        if left == 0:
            break
        limit = layout.steps[step, TO]
        if limit <= position:
            continue
        ratio = layout.steps[step, RATIO]
        if ratio == UNKNOWN:
            return layout.steps[step, RULE], 0, NONE, 0, 0
        if start == NONE:
            start = position
        top = min(limit, now)
        amount = min((top - position) * ratio, left)
        left -= amount
        paid += amount
        position = top
        if position == now:
            break
    return NONE, half_up(paid, BASIS), start, position if start != NONE else 0, paid % BASIS
