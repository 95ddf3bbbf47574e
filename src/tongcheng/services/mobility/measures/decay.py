"""What a journey's length takes away from what lies at its end, as whole thousand millionths.

Weights are exact: computed in decimal arithmetic, whose exponential and logarithm are rounded
correctly by definition, and rounded once more, half to even, to 10⁻⁹. So two nodes weigh alike to
the last bit, whatever their processors' own functions give, and sums of weighed counts are exact.
What the rounding moves is at most half a thousand millionth of all opportunities together.

Hansen (1959), How Accessibility Shapes Land Use, doi:10.1080/01944365908978307; the forms are those
of Kwan (1998), doi:10.1111/j.1538-4632.1998.tb00396.x.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec
import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.measures.parameters import LONGEST_S, ascending, whole
from tongcheng.services.mobility.numbers import UNREACHED, Int64

UNIT: Final = 10**9
"""The weight of what is reached at once."""
HUNDREDTHS_MAX: Final = 2_000
MILLIONTHS: Final = 10**6
_DIGITS: Final = 28


class Exponential(msgspec.Struct, frozen=True, tag="exponential", tag_field="form"):
    """Negative exponential: exp(-t / scale_s). `scale_s` is 1/β, where 0.37 is left."""

    scale_s: int


class InversePower(msgspec.Struct, frozen=True, tag="inverse_power", tag_field="form"):
    """Inverse power: (max(t, least_s) / least_s)^-exponent; 1 up to `least_s`, never infinite.

    It is Hansen's t^-exponent in units of what `least_s` leaves. The exponent is in hundredths.
    """

    least_s: int
    exponent_hundredths: int


class Gaussian(msgspec.Struct, frozen=True, tag="gaussian", tag_field="form"):
    """Gaussian: exp(-t² / (2 · deviation_s²)), not normalised: 1 at t = 0."""

    deviation_s: int


class Steps(msgspec.Struct, frozen=True, tag="steps", tag_field="form"):
    """Weights by zones, each up to and with its `until_s`; nothing beyond the last.

    Luo and Qi (2009) give 1, 0.68, 0.22 (or 1, 0.42, 0.09) to 10, 20 and 30 minutes. One step of
    weight 1 is the plain threshold. Weights are in millionths, and do not grow with time.
    """

    until_s: tuple[int, ...]
    weight_millionths: tuple[int, ...]


Decay: TypeAlias = Exponential | InversePower | Gaussian | Steps


def within(until_s: int) -> Steps:
    """Return the decay of a plain threshold."""
    return Steps((until_s,), (MILLIONTHS,))


@lru_cache(maxsize=64)
def weights(decay: Decay, horizon_s: int) -> Int64:
    """Return 65,536 weights in thousand millionths, by seconds; 0 beyond the horizon.

    A journey longer than `horizon_s` counts for nothing, as does none at all. The array is shared
    and can not be written. Refuses MOBILITY_PARAMETER, MOBILITY_ORDER, MOBILITY_STEPS.
    """
    whole("horizon_s", horizon_s, 0, LONGEST_S)
    made = np.zeros(UNREACHED + 1, np.int64)
    if isinstance(decay, Steps):
        _put_steps(decay, made)
        made[horizon_s + 1 :] = 0
    else:
        _check(decay)
        with localcontext(Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)):
            made[: horizon_s + 1] = [_weight(decay, second) for second in range(horizon_s + 1)]
    made.setflags(write=False)
    return made


def _check(decay: Exponential | InversePower | Gaussian) -> None:
    match decay:
        case Exponential(scale_s):
            whole("scale_s", scale_s, 1, LONGEST_S)
        case InversePower(least_s, exponent):
            whole("least_s", least_s, 1, LONGEST_S)
            whole("exponent_hundredths", exponent, 1, HUNDREDTHS_MAX)
        case Gaussian(deviation_s):
            whole("deviation_s", deviation_s, 1, LONGEST_S)


def _weight(decay: Exponential | InversePower | Gaussian, second: int) -> int:
    return int((_power(decay, second).exp() * UNIT).to_integral_value())


def _power(decay: Exponential | InversePower | Gaussian, second: int) -> Decimal:
    match decay:
        case Exponential(scale_s):
            return Decimal(-second) / scale_s
        case InversePower(least_s, exponent):
            return Decimal(-exponent) / 100 * (Decimal(max(second, least_s)) / least_s).ln()
        case Gaussian(deviation_s):
            return Decimal(-second * second) / (2 * deviation_s * deviation_s)


def _put_steps(steps: Steps, made: Int64) -> None:
    until_s = ascending("until_s", steps.until_s, 0, LONGEST_S)
    given = steps.weight_millionths
    falling = all(one >= later for one, later in pairwise(given))
    if len(given) != len(until_s) or not falling:
        raise Refused("MOBILITY_STEPS", until_s=len(until_s), weights=len(given))
    begin = 0
    for until, weight in zip(until_s, given, strict=True):
        made[begin : until + 1] = whole("weight_millionths", weight, 0, MILLIONTHS) * (
            UNIT // MILLIONTHS
        )
        begin = until + 1
