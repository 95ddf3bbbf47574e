"""How unequally access is spread over people: Lorenz, Gini, Palma, Theil, concentration.

Values are what each place has per person, not negative; people are how many live there. A float is
a fraction of whole numbers, so everything but Theil's logarithm is computed in whole numbers and
rounded once: twice the values, or every place twice, give the same bits, as the definitions say.

- Lorenz (1905), doi:10.2307/2276207; Gini in the form of the mean difference, Gini (1912).
- Palma (2011), doi:10.1111/j.1467-7660.2011.01694.x; Cobham and Sumner (2013), CGD paper 343.
- Theil (1967), Economics and Information Theory, T.
- Kakwani, Wagstaff and van Doorslaer (1997), doi:10.1016/S0304-4076(96)01807-6; people of one rank
  share its middle, as in O'Donnell et al. (2008), Analyzing Health Equity, World Bank, chapter 8.
"""

from math import fsum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.figure import Figure, Undefined, quotient
from tongcheng.services.mobility.measures.parameters import counts
from tongcheng.services.mobility.numbers import Float64, Int64

Values = NDArray[np.integer] | NDArray[np.floating]
Whole = NDArray[Any]
"""Whole numbers of Python: they have no bound."""

TENTHS: Final = 10
POOREST_TENTHS: Final = 4
RICHEST_TENTHS: Final = 1
_MANTISSA_BITS: Final = 53
_POWER_MAX: Final = 1_024
"""Above every power of two in a float."""
_LOG_TERMS: Final = 12
"""Terms of the series below: the next is less than 10⁻¹⁹ of the first."""
_LOG_2: Final = 0.6931471805599453


class Inequality(NamedTuple):
    """Every index of one distribution, and what it is over."""

    people: int
    mean: Figure
    gini: Figure
    palma: Figure
    theil: Figure


def inequality(values: Values, people: NDArray[np.integer]) -> Inequality:
    """Return every index that needs no ranking by something else."""
    living = int(counts("people", people).sum())
    return Inequality(
        living, mean(values, people), gini(values, people), palma(values, people),
        theil(values, people),
    )  # fmt: skip


def mean(values: Values, people: NDArray[np.integer]) -> Figure:
    """Return the mean over people; undefined for NOBODY."""
    spread = _spread(values, people)
    below = spread.people << max(0, -spread.scale)
    return quotient(spread.total << max(0, spread.scale), below, Undefined.NOBODY)


def lorenz(values: Values, people: NDArray[np.integer]) -> list[tuple[float, float]]:
    """Return the Lorenz curve: share of people, poorest first, and their share of everything.

    From (0, 0) to (1, 1), a point for each different value. Empty where nobody lives or nobody has
    anything.
    """
    spread = _spread(values, people)
    if not spread.total:
        return []
    order = np.argsort(values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)
    below = np.cumsum(spread.living[order])[last].tolist()
    held = np.cumsum(spread.held[order])[last].tolist()
    points = zip(below, held, strict=True)
    return [(0.0, 0.0), *((x / spread.people, y / spread.total) for x, y in points)]


def gini(values: Values, people: NDArray[np.integer]) -> Figure:
    """Return Gini's coefficient, Σᵢⱼ nᵢ nⱼ |xᵢ - xⱼ| / (2 N Σ n x), by people.

    From 0 to 1 - m/N, where m people live at the least place with any: with one person a place,
    1 - 1/N. Undefined for NOBODY and NOTHING.
    """
    return concentration(values, people, values)


def concentration(values: Values, people: NDArray[np.integer], rank: Values) -> Figure:
    """Return the concentration index of values over people ranked by something else, least first.

    Σ n x (2 C + m - N) / (N Σ n x), where C people rank below and m share the rank: 2/μ times the
    covariance of value and fractional rank. From -1 to 1, below 0 where those ranked low have more.
    Undefined for NOBODY and NOTHING.
    """
    assert len(rank) == len(values), "a rank for each place"
    spread = _spread(values, people)
    if not spread.people:
        return Figure(None, Undefined.NOBODY)
    ranks, place = np.unique(rank, return_inverse=True)
    sharing = np.zeros(len(ranks), np.int64)
    np.add.at(sharing, place, spread.living)
    middle = 2 * np.cumsum(sharing) - sharing - spread.people
    above = int((spread.held * middle.astype(object)[place]).sum())
    return quotient(above, spread.people * spread.total, Undefined.NOTHING)


def palma(values: Values, people: NDArray[np.integer]) -> Figure:
    """Return what the richest tenth has, as a multiple of what the poorest two fifths have.

    A place on a border is divided in proportion. Undefined for NOBODY, NOTHING, POOREST_NOTHING and
    TOO_LARGE.
    """
    spread = _spread(values, people)
    if not spread.people:
        return Figure(None, Undefined.NOBODY)
    if not spread.total:
        return Figure(None, Undefined.NOTHING)
    order = np.argsort(values, kind="stable")
    richest = _held(spread, order[::-1], RICHEST_TENTHS)
    poorest = _held(spread, order, POOREST_TENTHS)
    return quotient(richest, poorest, Undefined.POOREST_NOTHING)


def theil(values: Values, people: NDArray[np.integer]) -> Figure:
    """Return Theil's T, (1/N) Σ n (x/μ) ln(x/μ); who has nothing adds nothing, its limit.

    From 0 to ln N. Undefined for NOBODY and NOTHING.
    """
    spread = _spread(values, people)
    if not spread.people:
        return Figure(None, Undefined.NOBODY)
    if not spread.total:
        return Figure(None, Undefined.NOTHING)
    having = spread.held > 0
    shares = [held / spread.total for held in spread.held[having]]
    whole = spread.values[having].tolist()
    relative = np.array([value * spread.people / spread.total for value in whole], np.float64)
    # So little that its relative value is no number any more has no share of anything either.
    logs = _log(np.maximum(relative, np.finfo(np.float64).tiny)).tolist()
    parts = (share * log for share, log in zip(shares, logs, strict=True))
    return Figure(max(0.0, fsum(parts)))  # The rounding of a sum that is not negative.


class _Spread(NamedTuple):
    """Whole values (a value is its whole one times 2^scale), people, and what they hold.

    `people` and `total` are the sums of `living` and `held`.
    """

    values: Whole
    scale: int
    living: Int64
    held: Whole
    people: int
    total: int


def _spread(values: Values, people: NDArray[np.integer]) -> _Spread:
    living = counts("people", people)
    assert len(living) == len(values), "a value for each place"
    assert not len(values) or values.min() >= 0, "nobody has less than nothing"
    whole, scale = _whole(values)
    held = whole * living.astype(object)
    return _Spread(whole, scale, living, held, int(living.sum()), int(held.sum()))


def _whole(values: Values) -> tuple[Whole, int]:
    """Return whole numbers in the proportion of the values, and the power of 2 that they lack."""
    if values.dtype.kind in "iu":
        return values.astype(object), 0
    assert np.isfinite(values).all(), "a value is a number"
    mantissa, exponent = np.frexp(values.astype(np.float64))
    whole = np.ldexp(mantissa, _MANTISSA_BITS).astype(np.int64)
    powers = exponent.astype(np.int64) - _MANTISSA_BITS
    least = int(powers[whole > 0].min(initial=_POWER_MAX))
    if least == _POWER_MAX:
        return whole.astype(object), 0
    return whole.astype(object) << np.maximum(powers - least, 0).astype(object), least


def _held(spread: _Spread, order: Int64, tenths: int) -> int:
    """Return ten times what the first so many tenths of the people hold, in an order of places."""
    wanted = tenths * spread.people
    living = TENTHS * spread.living[order]
    before = np.cumsum(living) - living
    taken = np.clip(wanted - before, 0, living)
    return int((taken.astype(object) * spread.values[order]).sum())


def _log(values: Float64) -> Float64:
    """Return natural logarithms by the four operations alone, which are the same on every machine.

    ln(m · 2^e) = e · ln 2 + 2 artanh(s), s = (m - 1)/(m + 1), for m from √½ to √2; within 3 units
    in the last place of the larger part.
    """
    mantissa, exponent = np.frexp(values)
    low = mantissa < np.sqrt(0.5)
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), exponent - low
    step = (mantissa - 1) / (mantissa + 1)
    square, series = step * step, np.zeros_like(step)
    for term in range(_LOG_TERMS, -1, -1):
        series = series * square + 1 / (2 * term + 1)
    logs: Float64 = exponent * _LOG_2 + 2 * step * series
    return logs
