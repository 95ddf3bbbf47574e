"""Where the vehicles of a feed would have to be too fast, and which stop is to blame.

Two stops are joined by an edge when a vehicle calls at one after the other. An edge is too fast
when more than half of its trips would be; a single trip with a wrong time accuses no stop. A stop
is to blame when more than half of its edges are too fast.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.calls import Calls
from tongcheng.services.mobility.numbers import Bool, Float64, Int64

EARTH_RADIUS_M: Final = 6_371_008.8
"""The mean radius of WGS-84's ellipsoid, (2a + b) / 3."""
ROUNDING_S: Final = 60
"""Posted times are whole minutes, often one for several stops."""
SLACK_M: Final = 1_000
"""Platforms of one station, and streets that stop places were read off coarsely."""
_KMH: Final = {0: 120, 1: 200, 2: 500, 3: 160, 4: 120, 5: 120, 6: 120, 7: 120, 11: 160, 12: 200}
"""The fastest that runs anywhere, and more: Shanghai's Maglev 431 km/h, a county bus 100."""
_KMH_OTHER: Final = 500
KMH_CERTAIN: Final = 500
"""Nothing on land is faster. What is twice as fast as its kind, or as fast as this, is certainly
wrong; in between a railway may just be called a bus, which is no reason to leave out its stops."""
TRIES_MAX: Final = 8
"""So many stops are looked at for one that is clearly to blame, the gravest first."""
_KMH_EXTENDED: Final = {range(200, 300): 160, range(700, 900): 160, range(1100, 1200): 1_200}


class Legs(NamedTuple):
    """Ways between calls whose times are given; `call` is the second call's row among the calls."""

    origin: Int64
    to: Int64
    most_m: Float64
    call: Int64

    def of(self, some: Bool) -> "Legs":
        """Return the legs where it is true."""
        return Legs(self.origin[some], self.to[some], self.most_m[some], self.call[some])


class Edges(NamedTuple):
    """The pairs of stops that legs join; `of_leg` says which one each leg is of."""

    origin: Int64
    to: Int64
    of_leg: Int64


def metres(lon: Float64, lat: Float64, to_lon: Float64, to_lat: Float64) -> Float64:
    """Return great-circle distances by the haversine; NaN where a place is."""
    east, north = np.radians(to_lon - lon), np.radians(to_lat - lat)
    both = np.cos(np.radians(lat)) * np.cos(np.radians(to_lat))
    chord = np.sin(north / 2) ** 2 + both * np.sin(east / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))))


def speed_max_kmh(route_type: int) -> int:
    """Return what no vehicle of a route_type drives."""
    for types, kmh in _KMH_EXTENDED.items():
        if route_type in types:
            return kmh
    return _KMH.get(route_type, _KMH_OTHER)


def certain_kmh(route_type: int) -> int:
    """Return what vehicles called a route_type certainly do not drive, whatever they are."""
    kmh = speed_max_kmh(route_type)
    return max(kmh, min(2 * kmh, KMH_CERTAIN))


def legs_of(calls: Calls, mode_of_trip: Int64, kmh_of: Callable[[int], int]) -> Legs:
    """Return the legs whose two times are given, with how far their vehicle comes at most."""
    same = (calls.trip[1:] == calls.trip[:-1]) & (calls.stop[1:] != calls.stop[:-1])
    second = np.flatnonzero(same & calls.timed[1:] & calls.timed[:-1]) + 1
    modes, code = np.unique(mode_of_trip[calls.trip[second]], return_inverse=True)
    speed_ms = np.array([kmh_of(int(mode)) / 3.6 for mode in modes], np.float64)[code]
    length_s = calls.arrival_s[second] - calls.departure_s[second - 1]
    most_m = speed_ms * (length_s + ROUNDING_S) + SLACK_M
    return Legs(calls.stop[second - 1], calls.stop[second], most_m, second)


def edges_of(legs: Legs, stops: int) -> Edges:
    """Return the edges, which have no direction."""
    low, high = np.minimum(legs.origin, legs.to), np.maximum(legs.origin, legs.to)
    keys, of_leg = np.unique(low * stops + high, return_inverse=True)
    return Edges(keys // max(stops, 1), keys % max(stops, 1), of_leg)


def edges_at(edges: Edges, stop: int) -> Bool:
    """Tell which edges a stop is an end of."""
    return np.asarray((edges.origin == stop) | (edges.to == stop))


def too_fast(legs: Legs, lon: Float64, lat: Float64) -> Bool:
    """Tell which legs no vehicle makes; where a place is not known, none."""
    there, here = legs.to, legs.origin
    return metres(lon[here], lat[here], lon[there], lat[there]) > legs.most_m


def edges_too_fast(edges: Edges, fast: Bool) -> Bool:
    """Tell on which edges more than half of the legs are too fast."""
    count = len(edges.origin)
    of_fast = np.bincount(edges.of_leg[fast], minlength=count)
    return of_fast * 2 > np.bincount(edges.of_leg, minlength=count)


def accused(edges: Edges, fast: Bool, active: Bool, far_m: Float64) -> int | None:
    """Return the stop that is to blame first for edges that are too fast; None when none is.

    Blamed first is who has most of them, then who has no others, then who lies far: of two stops
    that have only each other the one at least twice as far from the middle of the feed, else none.
    """
    stops = len(far_m)
    wrong, all_edges = (
        np.bincount(edges.origin[some], minlength=stops)
        + np.bincount(edges.to[some], minlength=stops)
        for some in (active & fast, active)
    )
    candidates = np.flatnonzero(wrong * 2 > all_edges)
    if not len(candidates):
        return None
    share = wrong[candidates] / all_edges[candidates]
    order = np.lexsort((candidates, -far_m[candidates], -share, -wrong[candidates]))
    for stop in candidates[order[:TRIES_MAX]].tolist():
        alike = [
            other
            for other in _joined(edges, active & fast, stop)
            if wrong[other] == wrong[stop] and all_edges[other] == all_edges[stop]
        ]
        if all(far_m[stop] >= 2 * far_m[other] for other in alike):
            return int(stop)
    return None


def _joined(edges: Edges, some: Bool, stop: int) -> list[int]:
    """Return the stops that some edges join with a stop."""
    ends = [*edges.to[some & (edges.origin == stop)], *edges.origin[some & (edges.to == stop)]]
    return [int(each) for each in ends]
