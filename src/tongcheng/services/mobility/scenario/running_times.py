"""When the vehicles of a drawn line call, where somebody said so for some calls alone.

As with the fact tables, what lies between two known times is shared out by distance, each stretch
weighing its great circle and `rail.STOP_WEIGHT_M` more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.facts.rail import STOP_WEIGHT_M
from tongcheng.services.mobility.nearness import Points, distances_m
from tongcheng.services.mobility.numbers import Int64


class Times(NamedTuple):
    """When a trip calls, in seconds after its first departure."""

    arrival_s: Int64
    departure_s: Int64


def times_of(arrivals_s: Sequence[int | None], dwell_s: int, points: Points) -> Times:
    """Return the times of calls at these points; it stands `dwell_s` at each between the ends.

    It does not stand longer than half of what is left until the next call.
    """
    metres = distances_m(
        Points(points.lon[:-1], points.lat[:-1]), Points(points.lon[1:], points.lat[1:])
    )
    weights = [round(each) + STOP_WEIGHT_M for each in metres.tolist()]
    found = [0] * len(arrivals_s)
    known = [place for place, each in enumerate(arrivals_s) if each is not None]
    for start, end in pairwise(known):
        first, last = arrivals_s[start], arrivals_s[end]
        assert first is not None, "known"
        assert last is not None, "known"
        whole = sum(weights[start:end])
        upto = 0
        for place in range(start, end):
            upto += weights[place]
            found[place + 1] = first + ((last - first) * 2 * upto + whole) // (2 * whole)
    arrival_s = np.array(found, np.int64)
    stands_s = np.zeros(len(found), np.int64)
    stands_s[1:-1] = np.minimum(dwell_s, np.diff(arrival_s)[1:] // 2)
    return Times(arrival_s, arrival_s + stands_s)


def back(times: Times) -> Times:
    """Return the times the other way, which takes as long between the same calls."""
    end_s = times.arrival_s[-1]
    return Times((end_s - times.departure_s)[::-1], (end_s - times.arrival_s)[::-1])
