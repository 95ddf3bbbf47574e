"""From a place to the vehicle and back: the street, the door, and what the door takes."""

from datetime import date
from math import nan

import pytest

from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tests.services.mobility.test_nearness import haversine_m, points
from tongcheng.services.mobility.feed.model import ENTRANCE, STATION
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.streets.access import ways_of
from tongcheng.services.mobility.timetable.compiling import Compiled, compiled
from tongcheng.services.mobility.timetable.process_book import Door, Processes
from tongcheng.services.mobility.walking import CrowFly, Walking

CROW = CrowFly(1.0, 1.0)
HOME, WORK, FAR = (117.0, 39.0), (117.003, 39.0), (117.5, 39.0)
ENTER_S, LEAVE_S = 100, 7


def station() -> Compiled:
    """Return a station with two doors of different ways, and a bare stop."""
    stops = [
        Stop("S", 117.001, 39.0, STATION),
        Stop("p", 117.001, 39.0, parent="S"),
        Stop("W", 117.0005, 39.0, ENTRANCE, "S"),
        Stop("E", 117.0025, 39.0, ENTRANCE, "S"),
        Stop("b", 117.004, 39.0),
    ]
    ways = [("W", "p", 1, 500, nan), ("p", "W", 1, 20, nan), ("E", "p", 1, 30, nan)]
    trips = [Trip("t", [("p", "8:00"), ("b", "8:10")])]
    feed = small_feed(stops=stops, trips=trips, pathways=ways)
    processes = Processes(otherwise=Door(ENTER_S, LEAVE_S))
    return compiled([feed], date(2026, 3, 11), processes, Walking(CROW))


def rows(links: Links) -> list[dict[int, int]]:
    """Return each row as seconds by target."""
    return [
        dict(zip(links.to[begin:end].tolist(), links.seconds[begin:end].tolist(), strict=True))
        for begin, end in zip(links.start[:-1], links.start[1:], strict=True)
    ]


def walk_s(one: tuple[float, float], other: tuple[float, float]) -> int:
    """Return the straight way at a metre a second."""
    return int(haversine_m(one, other) + 0.5)


def test_access_and_egress() -> None:
    """The quicker door in, another out, entering and leaving on top; none from far away."""
    ways = ways_of(points([HOME, WORK, FAR]), station(), CROW, 600)
    west, east, bare = (117.0005, 39.0), (117.0025, 39.0), (117.004, 39.0)

    assert rows(ways.access) == [
        {0: walk_s(HOME, east) + 30 + ENTER_S, 1: walk_s(HOME, bare) + ENTER_S},
        {0: walk_s(WORK, east) + 30 + ENTER_S, 1: walk_s(WORK, bare) + ENTER_S},
        {},
    ]
    assert rows(ways.egress) == [
        {0: walk_s(west, HOME) + 20 + LEAVE_S, 1: walk_s(bare, HOME) + LEAVE_S},
        {0: walk_s(west, WORK) + 20 + LEAVE_S, 1: walk_s(bare, WORK) + LEAVE_S},
        {},
    ]


@pytest.mark.parametrize(("limit_s", "met"), [(258, False), (260, True)])
def test_direct_ways_pass_no_door(limit_s: int, met: bool) -> None:  # noqa: FBT001 - a case
    """From place to place one walks, as far as the limit, and everybody is where he is."""
    direct = rows(ways_of(points([HOME, WORK]), station(), CROW, limit_s).direct)

    assert walk_s(HOME, WORK) == 259
    both = {0: 0, 1: 259}, {0: 259, 1: 0}
    assert direct == (list(both) if met else [{0: 0}, {1: 0}])
