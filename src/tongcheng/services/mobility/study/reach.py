"""One place and every cell: what somebody sees who clicks on a map."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.facts.roads import LABEL, RoadDay
from tongcheng.services.mobility.links import Links, turned
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import NEVER, UNREACHED, Int64, UInt16
from tongcheng.services.mobility.output.method import Source
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Block, Question, Ways
from tongcheng.services.mobility.scan.run import blocks
from tongcheng.services.mobility.streets.access import hung
from tongcheng.services.mobility.study.model import Ready
from tongcheng.services.mobility.walking import Feeder

ROAD_ACCESS_S_MAX: Final = 3_600
"""How far one drives at most to a trunk road's junction; further, one drives straight there."""


class Spot(NamedTuple):
    """A point that somebody asks about, degrees of WGS-84."""

    lon: float
    lat: float

    @property
    def points(self) -> Points:
        """The spot as the one of some points."""
        return Points(np.array([self.lon], np.float64), np.array([self.lat], np.float64))


class Reach(NamedTuple):
    """One spot and every place of a study, in the order of its places.

    `times` are percentile × place, `least` of the best-timed instant, in seconds door to door;
    UNREACHED beyond the longest journey. `within` and `usable` count instants and departures as
    those of `scan.model.Block` do.
    """

    times: UInt16
    least: UInt16
    within: UInt16
    usable: UInt16


def reach_of(ready: Ready, spot: Spot, question: Question, *, deadlines: bool) -> Reach:
    """Return how long it takes from a spot to every place; for deadlines, from them to the spot.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    (block,) = rows_of(ready, spot.points, question, deadlines=deadlines, threads=1)
    return Reach(block.times[:, 0], block.least[0], block.within[0], block.usable[0])


def rows_of(
    ready: Ready, points: Points, question: Question, *, deadlines: bool, threads: int
) -> Iterator[Block]:
    """Return the same for many spots, a row each, in blocks; threads decide nothing.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    places, hanging = ready.places.points, ready.hanging
    access, egress = hung(points, ready.day, hanging.feeder, hanging.walk_s_max)
    direct = hanging.feeder.ways(points, places, hanging.walk_s_max)
    if deadlines:
        # The places are origins and the spots destinations, until the mirror turns it.
        ways = Ways(hanging.access, egress, turned(direct, len(places.lon)))
        return blocks(ready.networks.mirrored, ways, question, threads=threads)
    ways = Ways(access, hanging.egress, direct)
    return blocks(ready.networks.ahead, ways, question, threads=threads)


class RoadReady(NamedTuple):
    """Trunk roads that can be asked: `ways` lead from their nodes to places, by `feeder`.

    `sources` and `assumed` are what a method says, as those of `study.model.Ready`.
    """

    places: Places
    roads: RoadDay
    ways: Links
    feeder: Feeder
    sources: tuple[Source, ...]
    assumed: dict[str, str | int]


def road_ready(
    places: Places, roads: RoadDay, feeder: Feeder, sources: tuple[Source, ...]
) -> RoadReady:
    """Hang places on the roads of a day; refuses MOBILITY_TOO_MANY_WAYS."""
    ways = feeder.ways(Points(roads.lon, roads.lat), places.points, ROAD_ACCESS_S_MAX)
    assumed: dict[str, str | int] = {
        "day": roads.on.isoformat(),
        "roads": LABEL,
        "beside_roads": feeder.label,
        "road_access_s_max": ROAD_ACCESS_S_MAX,
    }
    return RoadReady(places, roads, ways, feeder, sources, assumed)


def reach_by_car(roads: RoadReady, spot: Spot, longest_s: int, *, deadlines: bool) -> UInt16:
    """Return the seconds by car from a spot to every place; for deadlines, from them to the spot.

    One drives straight to a node of the roads, along them, and straight on from another; or
    straight all the way where that is shorter. UNREACHED beyond `longest_s`.
    """
    (row,) = rows_by_car(roads, spot.points, longest_s, deadlines=deadlines)
    return row


def rows_by_car(
    roads: RoadReady, points: Points, longest_s: int, *, deadlines: bool
) -> Iterator[UInt16]:
    """Yield the same for many spots, one after the other."""
    assert 0 <= longest_s < UNREACHED, "seconds of a ride have 16 bits"
    links = roads.roads.links
    if deadlines:
        links = turned(links, links.rows)
    nodes = Points(roads.roads.lon, roads.roads.lat)
    onto = roads.feeder.ways(points, nodes, ROAD_ACCESS_S_MAX)
    direct = roads.feeder.ways(points, roads.places.points, longest_s)
    each = np.diff(roads.ways.start)
    for row in range(len(points.lon)):
        there = np.repeat(_along(links, _row(onto, row)), each)
        taken = np.full(len(roads.places.ids), NEVER, np.int64)
        np.minimum.at(taken, roads.ways.to, there + roads.ways.seconds)
        straight = _row(direct, row)
        taken[straight.to] = np.minimum(taken[straight.to], straight.seconds)
        yield np.where(taken <= longest_s, taken, UNREACHED).astype(np.uint16)


def _row(links: Links, row: int) -> Links:
    begin, end = links.start[row : row + 2].tolist()
    return Links(np.array([0, end - begin]), links.to[begin:end], links.seconds[begin:end])


def _along(links: Links, onto: Links) -> Int64:
    """Return the least seconds to each node from one row of ways onto them (Dijkstra 1959)."""
    least = [NEVER] * links.rows
    start, to, seconds = links.start.tolist(), links.to.tolist(), links.seconds.tolist()
    waiting = list(zip(onto.seconds.tolist(), onto.to.tolist(), strict=True))
    heapq.heapify(waiting)
    while waiting:
        now_s, node = heapq.heappop(waiting)
        if now_s >= least[node]:
            continue
        least[node] = now_s
        for way in range(start[node], start[node + 1]):
            if now_s + seconds[way] < least[to[way]]:
                heapq.heappush(waiting, (now_s + seconds[way], to[way]))
    return np.array(least, np.int64)
