"""A day of feeds searched instant by instant, ride by ride, with nothing of our code.

Written from docs/mobility.md, to be plain and not quick.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

RADIUS_M: Final = 6_371_008.8
DEGREE_M: Final = 110_000
"""No degree of latitude is shorter."""
Name = TypeVar("Name")
Point = tuple[float, float]
"""Longitude and latitude."""
Stop = tuple[int, str]
"""The number of a feed, and an id."""


class UnknownError(Exception):
    """What this check does not know how to search, or a fault of a feed; a word, and what."""

    def __str__(self) -> str:
        return ": ".join(map(str, self.args))


class Walk(NamedTuple):
    """How one walks, metres a second and whole seconds, as a method says it."""

    detour: float
    speed: float
    walk_s_max: int
    change_s_max: int
    same_stop_s: int
    same_station_s: int

    def seconds(self, one: Point, other: Point) -> int:
        """Return what the crow's flight between two points takes."""
        lon, lat, to_lon, to_lat = map(math.radians, (*one, *other))
        half = (
            math.sin((to_lat - lat) / 2) ** 2
            + math.cos(lat) * math.cos(to_lat) * math.sin((to_lon - lon) / 2) ** 2
        )
        metres = 2 * RADIUS_M * math.asin(math.sqrt(half))
        return math.floor(metres * self.detour / self.speed + 0.5)


class Place(NamedTuple):
    """A place of the matrix."""

    place_id: str
    lon: float
    lat: float


class Call(NamedTuple):
    """A call of a run, seconds after midnight of the day."""

    stop: Stop
    arrival_s: int
    departure_s: int
    boards: bool
    alights: bool


class Near(Generic[Name]):
    """Points by latitude, so that those near another one are soon found."""

    def __init__(self, points: Sequence[tuple[Point, Name]], walk: Walk) -> None:
        self._points = sorted(points, key=lambda each: each[0][1])
        self._lats = [point[1] for point, _ in self._points]
        self._walk = walk

    def within(self, point: Point, limit_s: int) -> Iterator[tuple[Name, int]]:
        """Yield what lies within a walk, and how long that takes."""
        reach = (limit_s + 1) * self._walk.speed / self._walk.detour / DEGREE_M
        for at in range(bisect_left(self._lats, point[1] - reach), len(self._points)):
            other, name = self._points[at]
            if other[1] > point[1] + reach:
                return
            seconds = self._walk.seconds(point, other)
            if seconds <= limit_s:
                yield name, seconds


class City:
    """Runs of a day, changes, and how places hang on stops."""

    def __init__(
        self,
        places: list[Place],
        runs: list[list[Call]],
        changes: dict[Stop, dict[Stop, int]],
        doors: dict[Stop, list[tuple[Point, int]]],
        walk: Walk,
    ) -> None:
        self.places, self.runs, self.changes = places, runs, changes
        self.doors, self.walk = doors, walk
        self.events: defaultdict[Stop, list[tuple[int, int, int]]] = defaultdict(list)
        for number, calls in enumerate(runs):
            for at, call in enumerate(calls[:-1]):
                if call.boards:
                    self.events[call.stop].append((call.departure_s, number, at))
        for events in self.events.values():
            events.sort()

    @cached_property
    def near_doors(self) -> Near[tuple[Stop, int]]:
        """All doors, each with its stop and what lies behind it."""
        every = [
            (point, (stop, inside_s))
            for stop, doors in self.doors.items()
            for point, inside_s in doors
        ]
        return Near(every, self.walk)

    @cached_property
    def near_places(self) -> Near[str]:
        """All places."""
        return Near([((each.lon, each.lat), each.place_id) for each in self.places], self.walk)

    @cached_property
    def egress(self) -> dict[Stop, dict[str, int]]:
        """The ways from stops to places."""
        return {place_stop: self._out(place_stop) for place_stop in self.doors}

    def _out(self, stop: Stop) -> dict[str, int]:
        found: dict[str, int] = {}
        for point, inside_s in self.doors[stop]:
            for name, seconds in self.near_places.within(point, self.walk.walk_s_max):
                best = found.get(name, seconds + inside_s)
                found[name] = min(best, seconds + inside_s)
        return found

    def access_from(self, origin: Place) -> dict[Stop, int]:
        """Return the ways from a place to stops."""
        found: dict[Stop, int] = {}
        near = self.near_doors.within((origin.lon, origin.lat), self.walk.walk_s_max)
        for (stop, inside_s), seconds in near:
            found[stop] = min(found.get(stop, seconds + inside_s), seconds + inside_s)
        return found

    def walks_from(self, origin: Place) -> dict[str, int]:
        """Return the ways from a place to places."""
        near = self.near_places.within((origin.lon, origin.lat), self.walk.walk_s_max)
        return dict(near)


def mirrored(city: City) -> City:
    """Return the city in which time runs backwards: what one searches from is where one arrives."""
    runs = [
        [
            Call(each.stop, -each.departure_s, -each.arrival_s, each.alights, each.boards)
            for each in reversed(calls)
        ]
        for calls in city.runs
    ]
    changes: defaultdict[Stop, dict[Stop, int]] = defaultdict(dict)
    for one, others in city.changes.items():
        for other, seconds in others.items():
            changes[other][one] = seconds
    return City(city.places, runs, dict(changes), city.doors, city.walk)


class Search:
    """The journeys that leave a place at an instant and are over `by_s`, ride by ride."""

    def __init__(self, city: City, access: dict[Stop, int], at_s: int, by_s: int) -> None:
        self.city, self.by_s = city, by_s
        self.ready = {stop: at_s + seconds for stop, seconds in access.items()}
        self.marked = set(self.ready)
        self.alighted: dict[Stop, int] = {}
        self._boarded: dict[int, int] = {}

    def ride(self) -> None:
        """Take every vehicle from where one can board earlier than before, and change once."""
        coming: dict[Stop, int] = {}
        for stop in self.marked:
            events = self.city.events.get(stop, [])
            for departure_s, run, at in events[bisect_left(events, (self.ready[stop], -1, -1)) :]:
                if departure_s > self.by_s:
                    break
                for call in self._calls_after(run, at):
                    for other, seconds in self.city.changes.get(call.stop, {}).items():
                        ready_s = call.arrival_s + seconds
                        if ready_s < min(x.get(other, self.by_s + 1) for x in (self.ready, coming)):
                            coming[other] = ready_s
        self.ready.update(coming)
        self.marked = set(coming)

    def _calls_after(self, run: int, at: int) -> Iterator[Call]:
        """Yield the calls where one alights earlier than ever; none where one was aboard before."""
        calls = self.city.runs[run]
        until = self._boarded.get(run, len(calls) - 1)
        self._boarded[run] = min(until, at)
        for call in calls[at + 1 : until + 1]:
            if call.arrival_s > self.by_s:
                return
            if call.alights and call.arrival_s < self.alighted.get(call.stop, self.by_s + 1):
                self.alighted[call.stop] = call.arrival_s
                yield call


def searched(
    city: City, origin: Place, at_s: int, longest_s: int, rides_max: int | None
) -> dict[str, int]:
    """Return the seconds from an origin to every place within the longest, leaving at `at_s`."""
    search = Search(city, city.access_from(origin), at_s, at_s + longest_s)
    rides = 0
    while search.marked and rides != rides_max:
        rides += 1
        search.ride()
    found = {
        name: seconds for name, seconds in city.walks_from(origin).items() if seconds <= longest_s
    }
    for stop, arrival_s in search.alighted.items():
        for name, seconds in city.egress[stop].items():
            taken_s = arrival_s - at_s + seconds
            if taken_s <= min(longest_s, found.get(name, longest_s)):
                found[name] = taken_s
    return found
