"""What is reached from each origin: within a time, weighed by time, and the time to the k-th."""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures import loops
from tongcheng.services.mobility.measures.decay import UNIT, Decay, weights
from tongcheng.services.mobility.measures.parameters import (
    LONGEST_S,
    TOTAL_MAX,
    ascending,
    counts,
)
from tongcheng.services.mobility.numbers import UNREACHED, Float64, Int64, UInt16

Rows_co = TypeVar("Rows_co", bound=NDArray[Any], covariant=True)


class Measure(Protocol[Rows_co]):
    """A measure of an origin by its own row alone."""

    def of(self, block: UInt16) -> Rows_co:
        """Return the figures of a block's origins, a row each."""
        ...


class Collected(Generic[Rows_co]):
    """Takes block after block, in the order of the origins, and gives the figures of all."""

    def __init__(self, measure: Measure[Rows_co]) -> None:
        self._measure = measure
        self._parts: list[Rows_co] = []

    def add(self, block: UInt16) -> None:
        """Take the rows of the origins that come next."""
        self._parts.append(self._measure.of(block))

    def result(self) -> NDArray[Any]:
        """Return the figures of all origins so far, of at least one block."""
        return np.concatenate(self._parts)


class Within:
    """Opportunities within t, for several t at once (the cumulative measure, in counts).

    Wickstrom (1971), Vickerman (1974), doi:10.1068/a060675. `of` gives int64, origins × t.
    Refuses MOBILITY_COUNTS, MOBILITY_PARAMETER, MOBILITY_ORDER.
    """

    def __init__(self, opportunities: NDArray[np.integer], within_s: Sequence[int]) -> None:
        self.within_s = ascending("within_s", within_s, 0, LONGEST_S)
        self._counts = counts("opportunities", opportunities)
        seconds = np.arange(UNREACHED + 1)
        self._band = np.searchsorted(self.within_s, seconds, side="left").astype(np.uint16)

    def of(self, block: UInt16) -> Int64:
        """Return how many opportunities each origin reaches within each t."""
        _check(block, self._counts)
        out = np.zeros((len(block), len(self.within_s)), np.int64)
        loops.sums_within(block, self._counts, self._band, len(self.within_s), out)
        return out


class Gravity:
    """Opportunities weighed by time: Σ f(t) · opportunities, f as `decay` says.

    `of` gives float64 in opportunities; the sum is exact in thousand millionths and rounded once.
    Refuses MOBILITY_COUNTS and what `decay.weights` does.
    """

    def __init__(self, opportunities: NDArray[np.integer], decay: Decay, horizon_s: int) -> None:
        self._counts = counts("opportunities", opportunities)
        self._weights = weights(decay, horizon_s)

    def exact(self, block: UInt16) -> Int64:
        """Return the same in thousand millionths of an opportunity, whole."""
        _check(block, self._counts)
        out = np.zeros(len(block), np.int64)
        loops.sums_weighted(block, self._counts, self._weights, out)
        return out

    def of(self, block: UInt16) -> Float64:
        """Return what each origin reaches, in opportunities at no distance."""
        return self.exact(block) / UNIT


class TimeToKth:
    """Seconds to the k-th closest opportunity, for several k at once.

    Each destination offers as many as it has. `of` gives uint16, origins × k, UNREACHED where fewer
    are reached. Refuses MOBILITY_COUNTS, MOBILITY_PARAMETER, MOBILITY_ORDER.
    """

    def __init__(self, opportunities: NDArray[np.integer], kth: Sequence[int]) -> None:
        self.kth = ascending("kth", kth, 1, TOTAL_MAX)
        self._counts = counts("opportunities", opportunities)

    def of(self, block: UInt16) -> UInt16:
        """Return each origin's seconds to each k-th closest."""
        _check(block, self._counts)
        out = np.empty((len(block), len(self.kth)), np.uint16)
        loops.seconds_to(block, self._counts, np.array(self.kth, np.int64), out)
        return out


def _check(block: UInt16, opportunities: Int64) -> None:
    assert block.dtype == np.uint16, "seconds in uint16"
    assert block.ndim == 2, "origins × destinations"  # noqa: PLR2004 a table has two
    assert block.shape[1] == len(opportunities), "a count for each destination"
