"""How other systems round: the exact amounts of our trace, brought to fen in other ways.

The engine rounds each fund's payment once, half up. Seen elsewhere: rounding every band, cutting
off, to the even neighbour, the cap point brought to fen before the next fund goes on, and amounts
in 32-bit binary fractions. The last are reckoned here in whole numbers, bit for bit: no
floating-point number touches an amount.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.audit_model import FUNDS, Figures, figures_of
from tongcheng.services.settlement.audit_variants import Case
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.tables import BASIS, UNIT
from tongcheng.services.settlement.trace import Part, TraceRow

SIGNIFICAND = 1 << 24
"""A 32-bit binary fraction has 24 significant bits."""


def roundings(case: Case, ours: Benefit) -> Iterator[tuple[str, Figures]]:
    """Yield (cause, figures) for every other way of rounding what we computed."""
    rows: dict[Part, list[TraceRow]] = {
        part: [row for row in ours.trace if row.part == part] for part in ("pool", "large")
    }
    exact = {part: [_exact(row) for row in rows[part]] for part in rows}
    sums = {part: sum(exact[part], Fraction(0)) for part in rows}
    yield "rounded_down", _figures(ours, {part: int(sums[part]) for part in rows})
    yield "rounded_up", _figures(ours, {part: -int(-sums[part] // 1) for part in rows})
    yield "rounded_to_even", _figures(ours, {part: round(sums[part]) for part in rows})
    yield (
        "rounded_each_band",
        _figures(ours, {part: sum(_half_up(each) for each in exact[part]) for part in rows}),
    )
    yield (
        "rounded_each_band_down",
        _figures(ours, {part: sum(int(each) for each in exact[part]) for part in rows}),
    )
    large = case.cell.large
    if rows["large"] and large is not None:
        row = rows["large"][0]
        rest = Fraction((row.to_fen - row.from_fen) * large.ratio, BASIS)
        yield "cap_point_rounded", _figures(ours, {"pool": ours.pool_fen, "large": _half_up(rest)})
        left = max(0, case.tables.pool_cap_fen - case.before.pool_paid_fen)
        unlimited = _uncapped(case, ours)
        if unlimited is not None:
            excess = (unlimited - left) * large.ratio / BASIS
            yield "large_on_payment", _figures(ours, {"pool": left, "large": _half_up(excess)})
    binary = {part: _binary(rows[part]) for part in rows}
    yield "float32", _figures(ours, binary)


def _exact(row: TraceRow) -> Fraction:
    return row.amount_fen + Fraction(row.amount_rest, row.amount_over)


def _half_up(amount: Fraction) -> int:
    return round_half_up(amount.numerator, amount.denominator)


def _figures(ours: Benefit, paid: Mapping[Part, int]) -> Figures:
    """Return our figures with other payments of pool and large fund; the person is the rest."""
    figures = figures_of(ours)
    figures.update((str(part), fen) for part, fen in paid.items())
    funds = sum(figures[name] for name in FUNDS)
    figures["person_in_scope"] = ours.in_scope_fen - funds
    if ours.total_fen is not None:
        figures["person_total"] = ours.total_fen - funds
    return figures


def _uncapped(case: Case, ours: Benefit) -> Fraction | None:
    """Return what the pool would pay without a cap; None for a stay whose filing cuts ratios."""
    if case.cut.points or case.bill.filing in case.cell.filing:
        return None
    bands, position, paid = case.cell.bands, ours.deductible_fen, Fraction(0)
    for limit, ratio in zip(bands.to_fen, bands.ratio, strict=True):
        top = min(limit, ours.in_scope_fen)
        if top > position:
            paid += Fraction((top - position) * ratio, UNIT)
            position = top
    return paid


def _binary(rows: list[TraceRow]) -> int:
    """Return what a fund pays when yuan and ratios are 32-bit binary fractions."""
    paid = Fraction(0)
    for row in rows:
        begins, ends = (to_float32(Fraction(each, 100)) for each in (row.from_fen, row.to_fen))
        ratio = to_float32(Fraction(row.ratio, UNIT))
        stretch = to_float32(ends - begins)
        paid = to_float32(paid + to_float32(stretch * ratio))
    return _half_up(paid * 100)


def to_float32(value: Fraction) -> Fraction:
    """Return the 32-bit binary fraction next to a value, the even one where two are as near.

    For the amounts of a bill, which are far from the type's ends.
    """
    if value == 0:
        return value
    scale, magnitude = Fraction(1), abs(value)
    while magnitude * scale < SIGNIFICAND // 2:
        scale *= 2
    while magnitude * scale >= SIGNIFICAND:
        scale /= 2
    nearest = round(magnitude * scale) / scale
    return -nearest if value < 0 else nearest
