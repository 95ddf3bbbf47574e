"""Supply shared among all who reach it: the two-step floating catchment area method.

Step one: each supply's demand is the people who reach it, each weighed by time; its ratio is
supply over demand. Step two: a place's access is the sum of the ratios it reaches, weighed alike.

Luo and Wang (2003), Measures of Spatial Accessibility to Health Care in a GIS Environment,
doi:10.1068/b29120, is one step of weight 1 (`decay.within`); Luo and Qi (2009), An enhanced
two-step floating catchment area method, doi:10.1016/j.healthplace.2009.06.002, is `decay.Steps`.

Step one needs the rows of all origins before step two can begin, so the rows are walked twice.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures import loops
from tongcheng.services.mobility.measures.decay import UNIT, Decay, weights
from tongcheng.services.mobility.measures.parameters import TOTAL_MAX, counts
from tongcheng.services.mobility.numbers import Float64, Int64, UInt16


class Ratios(NamedTuple):
    """What step one gives, one a destination.

    `demand` is people in thousand millionths, exact. `ratio` is supply by these, 0 where nobody
    comes: such supply is `idle`, as no ratio is defined for it, and takes no part in step two.
    """

    demand: Int64
    ratio: Float64
    idle: Int64


class Demand:
    """Step one: takes the rows of origins with their people, in any order and any cut.

    Refuses MOBILITY_COUNTS, and what `decay.weights` does.
    """

    def __init__(self, supply: NDArray[np.integer], decay: Decay, horizon_s: int) -> None:
        self._supply = counts("supply", supply)
        self._weights = weights(decay, horizon_s)
        self._demand = np.zeros(len(self._supply), np.int64)
        self._people = 0

    def add(self, block: UInt16, people: NDArray[np.integer]) -> None:
        """Take some origins' rows, and how many people live at each."""
        assert block.dtype == np.uint16, "seconds in uint16"
        assert block.shape == (len(people), len(self._supply)), "origins × destinations"
        living = counts("people", people)
        self._people += int(living.sum())
        counts("people", np.array([min(self._people, TOTAL_MAX + 1)]))
        loops.demand_weighted(block, living, self._weights, self._demand)

    def ratios(self) -> Ratios:
        """Return each supply over its demand."""
        # Of whole numbers Python's quotient is the nearest float; numpy would round both first.
        pairs = zip(self._supply.tolist(), self._demand.tolist(), strict=True)
        ratio = np.array([supply / demand if demand else 0.0 for supply, demand in pairs])
        idle = np.where(self._demand == 0, self._supply, 0)
        return Ratios(self._demand.copy(), ratio.astype(np.float64), idle)


class Access:
    """Step two: supply for each person of an origin, by the origin's own row.

    `of` gives float64, in supply a person. Under one decay, Σ access · people is the supply that
    anybody reaches: nothing is lost, and nothing is counted twice.
    """

    def __init__(self, ratios: Ratios, decay: Decay, horizon_s: int) -> None:
        self._ratio = ratios.ratio
        self._weights = weights(decay, horizon_s)

    def of(self, block: UInt16) -> Float64:
        """Return each origin's access."""
        assert block.shape[1] == len(self._ratio), "a ratio for each destination"
        out = np.zeros(len(block), np.float64)
        loops.shares_weighted(block, self._ratio, self._weights, out)
        return out


assert UNIT * TOTAL_MAX < 1 << 63, "all people, weighed, fit into 64 bits"
