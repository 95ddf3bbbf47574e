"""What one traveller does: the legs of the earliest arrival, and all departures worth knowing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.scan import run
from tongcheng.services.mobility.scan.layout import FOREVER, NONE, Trail
from tongcheng.services.mobility.scan.model import Question, Ways, Window
from tongcheng.services.mobility.scan.network import Network

LAYERS: Final = 8
"""Rides up to which the fewest are found; of journeys of more, any that arrives first."""
SECONDS_A_SCAN: Final = 43_200
"""A window is scanned by the second in parts of this, which bounds the memory."""


class Walk(NamedTuple):
    """A way on foot between stops, rows of the timetable, or None for the places themselves."""

    origin: int | None
    to: int | None
    departure_s: int
    arrival_s: int


class Ride(NamedTuple):
    """A ride with a trip, row of `Runs`, from where one boards to where one alights."""

    trip: int
    origin: int
    to: int
    departure_s: int
    arrival_s: int


class Journey(NamedTuple):
    """Legs in order; between them one waits. Seconds after midnight of the timetable's day."""

    departure_s: int
    arrival_s: int
    legs: tuple[Walk | Ride, ...]

    @property
    def rides(self) -> int:
        """How many vehicles it takes."""
        return sum(isinstance(leg, Ride) for leg in self.legs)


class Pair(NamedTuple):
    """The ways of one origin and one destination, for scans that are about nothing else."""

    ways: Ways
    walk_s: int | None


def pair_of(ways: Ways, origin: int, to: int) -> Pair:
    """Return the ways between two places, the way on foot apart."""
    direct = _row(ways.direct, origin)
    walks = direct.seconds[direct.to == to]
    none = Links(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
    access, egress = _row(ways.access, origin), _row(ways.egress, to)
    return Pair(Ways(access, egress, none), int(walks[0]) if len(walks) else None)


def journey(
    network: Network,
    pair: Pair,
    departure_s: int,
    *,
    longest_s: int,
    rides_max: int | None = None,
) -> Journey | None:
    """Return the journey that arrives first, of several that of fewest rides; None if none is.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    assert not network.mirrored, "a journey goes on in time"
    question = Question(Window(departure_s, 1, 1), longest_s, rides_max=rides_max)
    layers, capped = LAYERS if rides_max is None else rides_max, rides_max is not None
    near, trail = run.trail(network, pair.ways, question, layers, capped=capped)
    ends = [
        (int(trail.arrived_s[layer, stop]) + way_s, layer, stop)
        for stop, way_s in _ways(pair.ways.egress)
        for layer in range(layers)
    ]
    arrival_s, layer, stop = min(ends, default=(FOREVER, NONE, NONE))
    if pair.walk_s is not None and pair.walk_s <= min(arrival_s, longest_s):
        whole = Walk(None, None, departure_s, departure_s + pair.walk_s)
        return Journey(departure_s, whole.arrival_s, (whole,))
    if arrival_s > longest_s:
        return None
    legs = _legs(near, trail, (layer, int(trail.arrived_by[layer, stop])))
    legs.append(Walk(stop, None, legs[-1].arrival_s, arrival_s))
    return Journey(
        departure_s, departure_s + arrival_s, tuple(_later(leg, departure_s) for leg in legs)
    )


def departures(network: Network, pair: Pair, question: Question) -> list[Journey]:
    """Return every journey of a window that nobody would rather leave later for.

    Of journeys that arrive at one second the last departure, to the second, whatever the window's
    step; none that is beyond the longest journey, and none than which walking is as quick.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    first_s, end_s = question.window.first_s, question.window.last_s + 1
    found: list[Journey] = []
    best_s = FOREVER
    while end_s > first_s:
        begin_s = max(first_s, end_s - SECONDS_A_SCAN)
        seconds = question._replace(window=Window(begin_s, 1, end_s - begin_s))
        times = run.profile(network, pair.ways, seconds, 0)[0].astype(np.int64)
        arrivals = np.where(times == UNREACHED, FOREVER, times + np.arange(begin_s, end_s))
        last = np.ones(len(times), np.bool_)
        last[:-1] = arrivals[:-1] != arrivals[1:]
        for at in np.flatnonzero(last)[::-1].tolist():
            arrival_s, slow = int(arrivals[at]), pair.walk_s is not None
            if arrival_s >= best_s or (slow and times[at] >= pair.walk_s):
                continue
            best_s = arrival_s
            found.append(_asserted(network, pair, question, (begin_s + at, arrival_s)))
        end_s = begin_s
    return found[::-1]


def _asserted(network: Network, pair: Pair, question: Question, span: tuple[int, int]) -> Journey:
    """Return the journey of a departure; the two kernels must agree when it arrives."""
    one = journey(
        network, pair, span[0], longest_s=question.longest_s, rides_max=question.rides_max
    )
    assert one is not None, "a departure that arrives has a journey"
    assert one.arrival_s == span[1], "the scans of a window and of a departure agree"
    return one


def _legs(near: Network, trail: Trail, last: tuple[int, int]) -> list[Walk | Ride]:
    """Follow the trail back from the ride (layer, connection) that one alights from last."""
    legs: list[Walk | Ride] = []
    layer, at = last
    while True:
        trip = int(near.trip[at])
        begin = int(trail.boarded[layer, trip])
        origin, to = int(near.origin[begin]), int(near.to[at])
        times = int(near.departure_s[begin]), int(near.arrival_s[at])
        legs.append(Ride(trip, origin, to, *times))
        ready_s, came_by = int(trail.ready_s[layer, origin]), int(trail.ready_by[layer, origin])
        if came_by == NONE:
            legs.append(Walk(None, origin, 0, ready_s))
            return legs[::-1]
        layer, at = divmod(came_by, len(near.trip))
        legs.append(Walk(int(near.to[at]), origin, int(near.arrival_s[at]), ready_s))


def _later(leg: Walk | Ride, seconds: int) -> Walk | Ride:
    """Return a leg that begins so much later: the scans count from the departure."""
    return leg._replace(departure_s=leg.departure_s + seconds, arrival_s=leg.arrival_s + seconds)


def _row(links: Links, at: int) -> Links:
    begin, end = links.start[at], links.start[at + 1]
    start = np.array([0, end - begin], np.int64)
    return Links(start, links.to[begin:end], links.seconds[begin:end])


def _ways(links: Links) -> Iterator[tuple[int, int]]:
    return zip(links.to.tolist(), links.seconds.tolist(), strict=True)
