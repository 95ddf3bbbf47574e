"""What a measure may be asked: whole numbers within bounds, refused by name where they are not."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.numbers import UNREACHED, Int64

LONGEST_S: Final = UNREACHED - 1
"""The longest journey that a table of travel times can tell."""

TOTAL_MAX: Final = (2**63 - 1) // 10**9
"""The most opportunities or people of one table, 9.2 thousand million: weighed in thousand
millionths, their sum is still exact in 64 bits."""


def whole(name: str, given: int, least: int, most: int) -> int:
    """Return a parameter within bounds; refuses MOBILITY_PARAMETER."""
    if type(given) is not int or not least <= given <= most:
        raise Refused("MOBILITY_PARAMETER", name=name, given=str(given), least=least, most=most)
    return given


def ascending(name: str, given: Sequence[int], least: int, most: int) -> tuple[int, ...]:
    """Return parameters within bounds, each above the one before.

    Refuses MOBILITY_PARAMETER, and MOBILITY_ORDER where they do not ascend or there are none.
    """
    checked = tuple(whole(name, each, least, most) for each in given)
    if not checked or any(later <= one for one, later in pairwise(checked)):
        raise Refused("MOBILITY_ORDER", name=name, given=", ".join(map(str, checked)) or "–")
    return checked


def counts(name: str, given: NDArray[np.integer]) -> Int64:
    """Return opportunities or people, one count a place, as int64.

    Refuses MOBILITY_COUNTS for a count below 0, and a total above TOTAL_MAX.
    """
    made = np.ascontiguousarray(given, np.int64)
    assert made.ndim == 1, "one count a place"
    if len(made) and (made.min() < 0 or made.max() > TOTAL_MAX or made.sum() > TOTAL_MAX):
        raise Refused("MOBILITY_COUNTS", name=name, most=TOTAL_MAX)
    return made
