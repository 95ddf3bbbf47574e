"""Small timetables, and how long anything takes in them by search instead of by scan.

The search knows trips and stops, a heap and dicts. It shares nothing with the kernels: it looks at
every trip from every stop it gets to, one departure at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.scan.model import Question, Ways, Window
from tongcheng.services.mobility.timetable.model import Connections, Runs, Stops, Timetable

STOPS, ORIGINS, DESTINATIONS = 6, 3, 4
Way = tuple[int, int, int]
"""From, to, seconds."""


class Ride(NamedTuple):
    """A connection of a trip, in the words of the search."""

    origin: int
    to: int
    departure_s: int
    arrival_s: int
    boards: bool = True
    alights: bool = True


class World(NamedTuple):
    """Trips as lists of rides, and ways on foot."""

    trips: tuple[tuple[Ride, ...], ...]
    changes: tuple[Way, ...]
    access: tuple[Way, ...]
    egress: tuple[Way, ...]
    direct: tuple[Way, ...]

    def timetable(self) -> Timetable:
        """Return the timetable that the kernels read."""
        rides = [(ride, trip) for trip, calls in enumerate(self.trips) for ride in calls]
        rides.sort(key=lambda each: each[0].departure_s)
        column = np.array([(*ride[:4], trip) for ride, trip in rides], np.int32).reshape(-1, 5)
        flags = np.array([ride[4:] for ride, _ in rides], np.bool_).reshape(-1, 2)
        connections = Connections(*column.T.copy(), *flags.T.copy())
        no, names = np.zeros(STOPS), tuple(f"s{at}" for at in range(STOPS))
        none = np.zeros(STOPS, np.int32)
        stops = Stops(names, names, no, no, none.astype(np.int16), none, none)
        ids = tuple(f"t{at}" for at in range(len(self.trips)))
        runs = Runs(ids, ids, ids, np.zeros(len(ids), np.int16))
        return Timetable(
            date(2026, 1, 5), (), stops, runs, connections, linked(self.changes, STOPS)
        )

    def ways(self) -> Ways:
        """Return the ways that the kernels read."""
        access, direct = linked(self.access, ORIGINS), linked(self.direct, ORIGINS)
        return Ways(access, linked(self.egress, DESTINATIONS), direct)

    def arrivals(self, origin: int, start_s: int, rides_max: int | None = None) -> dict[int, int]:
        """Return when one is at the destinations at the earliest, having left at a second."""
        walks = sorted((way for way in self.direct if way[0] == origin), reverse=True)
        found = {to: start_s + way_s for _, to, way_s in walks}
        best: dict[tuple[int, int], int] = {}
        heap = [(start_s + way_s, 0, stop) for at, stop, way_s in self.access if at == origin]
        heapq.heapify(heap)
        while heap:
            now_s, taken, stop = heapq.heappop(heap)
            if best.get((stop, taken), now_s + 1) <= now_s or taken == rides_max:
                continue
            best[stop, taken] = now_s
            for to, when_s in self._alighted(stop, now_s):
                for place, from_stop, way_s in self.egress:
                    if from_stop == to:
                        found[place] = min(found.get(place, when_s + way_s), when_s + way_s)
                rides = 0 if rides_max is None else taken + 1
                for begin, end, way_s in self.changes:
                    if begin == to:
                        heapq.heappush(heap, (when_s + way_s, rides, end))
        return found

    def _alighted(self, stop: int, now_s: int) -> Iterator[tuple[int, int]]:
        for trip in self.trips:
            aboard = False
            for ride in trip:
                aboard |= ride.boards and ride.origin == stop and ride.departure_s >= now_s
                if aboard and ride.alights:
                    yield ride.to, ride.arrival_s

    def time(self, question: Question, origin: int, to: int, start_s: int) -> int | None:
        """Return how long one travels, None if longer than the longest journey."""
        arrivals = self.arrivals(origin, start_s, question.rides_max)
        seconds = arrivals.get(to, start_s + question.longest_s + 1) - start_s
        return seconds if seconds <= question.longest_s else None


def linked(ways: tuple[Way, ...], rows: int) -> Links:
    """Return ways as links."""
    columns = np.array(ways, np.int64).reshape(-1, 3).T
    return links_of(rows, *columns)


@st.composite
def _trips(draw: st.DrawFn) -> tuple[Ride, ...]:
    """Draw a trip: it may stand still, come by one stop twice, and overtake any other."""
    now_s = draw(st.integers(-5, 40))
    rides, stop = [], draw(st.integers(0, STOPS - 1))
    for _ in range(draw(st.integers(1, 5))):
        departure_s = now_s + draw(st.integers(0, 3))
        arrival_s = departure_s + draw(st.integers(0, 8))
        to = draw(st.integers(0, STOPS - 1))
        boards, alights = draw(st.integers(0, 4)) > 0, draw(st.integers(0, 4)) > 0
        rides.append(Ride(stop, to, departure_s, arrival_s, boards, alights))
        stop, now_s = to, arrival_s
    return tuple(rides)


def _ways(rows: int, columns: int, least_s: int, most: int) -> st.SearchStrategy[tuple[Way, ...]]:
    way = st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1), st.integers(least_s, 9))
    return st.lists(way, max_size=most).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of few seconds, so that equal instants are common."""
    trips = draw(st.lists(_trips(), max_size=14))
    staying = [
        (stop, stop, draw(st.integers(1, 3))) for stop in range(STOPS) if draw(st.booleans())
    ]
    return World(
        trips=tuple(trips),
        changes=(*staying, *draw(_ways(STOPS, STOPS, 1, 8))),
        access=draw(_ways(ORIGINS, STOPS, 0, 6)),
        egress=draw(_ways(DESTINATIONS, STOPS, 0, 8)),
        direct=draw(_ways(ORIGINS, DESTINATIONS, 0, 2).map(_farther)),
    )


def _farther(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    return tuple((origin, to, 4 * way_s) for origin, to, way_s in ways)


@st.composite
def questions(draw: st.DrawFn, *, capped: bool = False) -> Question:
    """Draw a question about such a world."""
    window = Window(draw(st.integers(-6, 30)), draw(st.integers(1, 7)), draw(st.integers(1, 40)))
    percentiles = tuple(sorted(draw(st.lists(st.integers(1, 100), max_size=4))))
    longest_s, cut_s = draw(st.integers(0, 50)), draw(st.integers(0, 50))
    rides_max = draw(st.integers(0, 4)) if capped else None
    return Question(window, longest_s, percentiles, cut_s, rides_max)
