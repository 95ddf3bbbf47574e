"""People by area: inside a circle, and what a scenario gives them or takes.

A place's area is a number from 0, or NOWHERE; people who live nowhere are left out of every sum.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.figure import Figure, Undefined, quotient
from tongcheng.services.mobility.measures.parameters import LONGEST_S, ascending, counts
from tongcheng.services.mobility.numbers import Bool, Int32, Int64, UInt16

NOWHERE: Final = -1
"""The area of a place that lies in none."""


class Circle(NamedTuple):
    """People by area: all of them, and those inside each time (int64, areas × times)."""

    people: Int64
    inside: Int64


class Gain(NamedTuple):
    """People by area and time, before and after: int64, areas × times, but `people`, areas.

    `gained` are inside only after, `lost` only before: before + gained - lost is after.
    """

    people: Int64
    before: Int64
    after: Int64
    gained: Int64
    lost: Int64


class Change(NamedTuple):
    """How a measure of access changed for the people of each area, all int64.

    `before` and `after` are sums over people; their means are `mean_of`.
    """

    people: Int64
    more: Int64
    less: Int64
    before: list[int]
    after: list[int]


class Living:
    """Who lives where: people and areas of places. Refuses MOBILITY_COUNTS."""

    def __init__(self, people: NDArray[np.integer], area: Int32, areas: int) -> None:
        self._people = counts("people", people)
        assert len(area) == len(self._people), "an area for each place"
        assert not len(area) or (area.min() >= NOWHERE and area.max() < areas), "an area is a row"
        self._area, self._areas = area, areas
        self.total = self.of(np.ones(len(area), np.bool_))

    def of(self, chosen: Bool) -> Int64:
        """Return the people of the chosen places, by area."""
        sums = np.zeros(self._areas, np.int64)
        there = chosen & (self._area != NOWHERE)
        np.add.at(sums, self._area[there], self._people[there])
        return sums

    def circle(self, seconds: UInt16, within_s: Sequence[int]) -> Circle:
        """Return who is inside, by each place's seconds to (or from) one place.

        Refuses MOBILITY_PARAMETER and MOBILITY_ORDER.
        """
        times = ascending("within_s", within_s, 0, LONGEST_S)
        return Circle(self.total, _columns([self.of(seconds <= time) for time in times]))

    def gain(self, before: UInt16, after: UInt16, within_s: Sequence[int]) -> Gain:
        """Return who comes inside by a scenario, and who falls out, by each place's seconds.

        Refuses MOBILITY_PARAMETER and MOBILITY_ORDER.
        """
        times = ascending("within_s", within_s, 0, LONGEST_S)
        old, new = [before <= time for time in times], [after <= time for time in times]
        pairs = list(zip(old, new, strict=True))
        return Gain(
            self.total,
            _columns([self.of(one) for one in old]),
            _columns([self.of(one) for one in new]),
            _columns([self.of(two & ~one) for one, two in pairs]),
            _columns([self.of(one & ~two) for one, two in pairs]),
        )

    def change(self, before: Int64, after: Int64) -> Change:
        """Return how a whole measure (opportunities, or thousand millionths) of places changed."""
        return Change(
            self.total,
            self.of(after > before),
            self.of(after < before),
            self._sums(before),
            self._sums(after),
        )

    def _sums(self, values: Int64) -> list[int]:
        """Return Σ people · value by area; in Python's numbers, as it may not fit into 64 bits."""
        sums = [0] * self._areas
        rows = zip(self._area.tolist(), self._people.tolist(), values.tolist(), strict=True)
        for area, people, value in rows:
            if area != NOWHERE:
                sums[area] += people * value
        return sums


def mean_of(total: int, people: int) -> Figure:
    """Return a mean over people; undefined for NOBODY."""
    return quotient(total, people, Undefined.NOBODY)


def _columns(each: Sequence[Int64]) -> Int64:
    return np.stack(each, axis=1)
