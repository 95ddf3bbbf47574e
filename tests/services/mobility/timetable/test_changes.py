"""Changes, case by case: what the feed states, what lies within a station, what is walked."""

from datetime import date
from math import nan
from typing import Any

import pytest

from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tests.services.mobility.test_nearness import haversine_m
from tongcheng.services.mobility.feed.model import ENTRANCE, NODE, NONE, STATION, Feed
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.timetable.compiling import compiled, timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES
from tongcheng.services.mobility.walking import CrowFly, Walking

DAY = date(2026, 3, 11)
WALKING = Walking(CrowFly(1.0, 1.3))
FAR = 0.1  # degrees: 11 km, beyond every walk

# Station S with platforms 1 and 2, station T far away with platform 3, stop 4 near T.
STATION_STOPS = [
    Stop("S", 117.0, 39.0, STATION),
    Stop("1", 117.0, 39.0, parent="S"),
    Stop("2", 117.0, 39.0, parent="S"),
    Stop("T", 117.0, 39.0 + FAR, STATION),
    Stop("3", 117.0, 39.0 + FAR, parent="T"),
    Stop("4", 117.001, 39.0 + FAR),
]
NEAR_S = int(haversine_m((117.0, 39.1), (117.001, 39.1)) * 1.3 + 0.5)
ACROSS_S = int(haversine_m((117.0, 39.0), (117.0, 39.1)) * 1.3 + 0.5)


def feed_of(
    stops: list[Stop],
    feed_id: str = "f",
    **tables: Any,  # whatever `small_feed` takes
) -> Feed:
    """Return a feed in which a trip calls at every platform."""
    calls = [(stop.id, "8:00") for stop in stops if stop.kind == 0]
    return small_feed(feed_id, stops=stops, trips=[Trip("t", calls)], **tables)


def changes_of(*feeds: Feed, walking: Walking = WALKING) -> dict[tuple[str, str], int]:
    """Return the seconds of every change by the ends' ids; the only feed's id is left out."""
    made = timetable(feeds, DAY, NO_PROCESSES, walking)
    ids = [each.removeprefix("f:") for each in made.stops.ids]
    return named(made.changes, ids)


def named(
    links: Links, ids: list[str], rows: list[str] | None = None
) -> dict[tuple[str, str], int]:
    """Return links with ids for rows."""
    return {
        ((rows or ids)[row], ids[links.to[at]]): int(links.seconds[at])
        for row in range(links.rows)
        for at in range(links.start[row], links.start[row + 1])
    }


SELF = {(each, each): 60 for each in "1234"}
INSIDE = {("1", "2"): 120, ("2", "1"): 120}
STREET = {("3", "4"): NEAR_S, ("4", "3"): NEAR_S}
PLAIN = SELF | INSIDE | STREET


@pytest.mark.parametrize(
    ("transfers", "expected"),
    [
        pytest.param([], PLAIN, id="nothing stated"),
        pytest.param([("1", "2", 2, 30)], PLAIN | {("1", "2"): 30}, id="a minimum as it is"),
        pytest.param([("1", "2", 2, 0)], PLAIN | {("1", "2"): 1}, id="but takes a second"),
        pytest.param([("1", "1", 2, 200)], PLAIN | {("1", "1"): 200}, id="to the same stop"),
        pytest.param(
            [("1", "2", 3, NONE)], {k: v for k, v in PLAIN.items() if k != ("1", "2")},
            id="forbidden",
        ),
        pytest.param(
            [("3", "3", 3, NONE)], {k: v for k, v in PLAIN.items() if k != ("3", "3")},
            id="forbidden at one stop",
        ),
        pytest.param(
            [("3", "4", 3, 0)], {k: v for k, v in PLAIN.items() if k != ("3", "4")},
            id="forbidden is not walked either",
        ),
        pytest.param([("1", "3", 0, NONE)], PLAIN | {("1", "3"): ACROSS_S}, id="recommended, far"),
        pytest.param([("1", "3", 2, NONE)], PLAIN | {("1", "3"): ACROSS_S}, id="minimum, no time"),
        pytest.param([("1", "2", 1, NONE)], PLAIN, id="timed, as within the station"),
        pytest.param(
            [("S", "T", 2, 900)], PLAIN | {("1", "3"): 900, ("2", "3"): 900}, id="of stations"
        ),
        pytest.param(
            [("1", "3", 2, 700), ("S", "3", 2, 800), ("S", "T", 2, 900)],
            PLAIN | {("1", "3"): 700, ("2", "3"): 800},
            id="the nearer said the more it holds, in whatever order",
        ),
        pytest.param(
            [("1", "3", 3, NONE), ("1", "3", 2, 700), ("1", "3", 2, 500)],
            PLAIN | {("1", "3"): 500}, id="of one pair the last row holds",
        ),
        pytest.param(
            [("S", "3", 2, 800), ("1", "T", 2, 600)],
            PLAIN | {("1", "3"): 600, ("2", "3"): 800}, id="of one rank the last row holds",
        ),
        pytest.param([("S", "S", 2, 77)],
            PLAIN | {(a, b): 77 for a in "12" for b in "12"}, id="a station to itself"),
    ],
)  # fmt: skip
def test_transfers(
    transfers: list[tuple[str, str, int, int]], expected: dict[tuple[str, str], int]
) -> None:
    """Each kind of row, about platforms and about stations."""
    assert changes_of(feed_of(STATION_STOPS, transfers=transfers)) == expected


HALL = [
    Stop("S", 117.0, 39.0, STATION),
    Stop("1", 117.0, 39.0, parent="S"),
    Stop("2", 117.0, 39.0, parent="S"),
    Stop("3", 117.0, 39.0, parent="S"),
    Stop("hall", 117.0, 39.0, NODE, parent="S"),
]
ONLY_SELF = {(each, each): 60 for each in "123"}


@pytest.mark.parametrize(
    ("pathways", "expected"),
    [
        pytest.param(
            [("1", "hall", 1, 40, nan), ("hall", "2", 2, 50, nan), ("1", "2", 1, 200, nan)],
            {("1", "2"): 90, ("1", "3"): 120, ("2", "3"): 120, ("3", "1"): 120, ("3", "2"): 120},
            id="shortest way; the way back is none; who has no pathway takes the default",
        ),
        pytest.param(
            [("1", "hall", 1, NONE, 100.4), ("hall", "2", 5, NONE, nan),
             ("hall", "3", 6, NONE, nan)],
            {("1", "2"): 160, ("1", "3"): 130},
            id="length at walking speed; an elevator; a gate",
        ),
        pytest.param(
            [("1", "2", 1, 5, nan), ("2", "1", 1, 0, nan), ("3", "hall", 1, 1, nan)],
            {("1", "2"): 60, ("2", "1"): 60},
            id="none is quicker than to the same stop",
        ),
    ],
)  # fmt: skip
def test_pathways(
    pathways: list[tuple[str, str, int, int, float]], expected: dict[tuple[str, str], int]
) -> None:
    """Within a station the pathways decide, also that there is no way between two of them."""
    found = changes_of(feed_of(HALL, pathways=pathways))

    touched = {end for row in pathways for end in row[:2]}
    barred = {(a, b): NONE for a in "123" for b in "123" if a != b and {a, b} <= touched}
    assert found == ONLY_SELF | {
        pair: taken_s for pair, taken_s in (barred | expected).items() if taken_s != NONE
    }


def test_far_platforms_take_the_way_there() -> None:
    """Of a station as large as an airport the default is not the whole story."""
    stops = [Stop("S", kind=STATION), Stop("1", parent="S"), Stop("2", 117.01, 39.0, parent="S")]
    way_s = int(haversine_m((117.0, 39.0), (117.01, 39.0)) * 1.3 + 0.5)

    assert changes_of(feed_of(stops))["1", "2"] == way_s > 1_000


def test_walks_join_feeds() -> None:
    """A stop of one feed and one of another, and none beyond the limit."""
    one = feed_of([Stop("x"), Stop("y", 117.0, 39.0 + FAR)], "one")
    other = feed_of([Stop("x", 117.001, 39.0), Stop("z", 117.0, 39.0 - FAR)], "other")
    near_s = int(haversine_m((117.0, 39.0), (117.001, 39.0)) * 1.3 + 0.5)

    found = changes_of(one, other)
    assert {pair: s for pair, s in found.items() if pair[0] != pair[1]} == {
        ("one:x", "other:x"): near_s,
        ("other:x", "one:x"): near_s,
    }
    short = WALKING._replace(change_s_max=near_s - 1)
    assert all(a == b for a, b in changes_of(one, other, walking=short))


def test_walks_go_from_door_to_door() -> None:
    """With entrances one leaves by one, walks, and enters by another; pathways lead to them."""
    stops = [
        Stop("S", kind=STATION),
        Stop("1", parent="S"),
        Stop("E", 117.002, 39.0, ENTRANCE, "S"),
        Stop("W", 116.998, 39.0, ENTRANCE, "S"),
        Stop("9", 117.003, 39.0),
    ]
    pathways = [("E", "1", 1, 100, nan), ("1", "E", 2, 130, nan), ("W", "1", 1, 10, nan)]
    walk_s = int(haversine_m((117.002, 39.0), (117.003, 39.0)) * 1.3 + 0.5)
    feed = feed_of(stops, pathways=pathways)

    found = changes_of(feed)
    assert found["1", "9"] == 130 + walk_s
    assert found["9", "1"] == 100 + walk_s
    ways = compiled([feed], DAY, NO_PROCESSES, WALKING).entrances
    assert ways.points.lon.tolist() == [117.002, 116.998, 117.003]
    doors = ["E", "W", "9"]
    assert named(ways.entering, ["1", "9"], doors) == {
        ("E", "1"): 100,
        ("W", "1"): 10,
        ("9", "9"): 0,
    }
    assert named(ways.leaving, ["1", "9"], doors) == {("E", "1"): 130, ("9", "9"): 0}


def test_entrances_without_pathways_are_walked_straight() -> None:
    """From the street down to the platform it is the crow's flight with its detour."""
    stops = [
        Stop("S", kind=STATION),
        Stop("1", parent="S"),
        Stop("E", 117.002, 39.0, ENTRANCE, "S"),
    ]
    down_s = int(haversine_m((117.002, 39.0), (117.0, 39.0)) * 1.3 + 0.5)
    ways = compiled([feed_of(stops)], DAY, NO_PROCESSES, WALKING).entrances

    assert named(ways.entering, ["1"], ["E"]) == {("E", "1"): down_s}
    assert named(ways.leaving, ["1"], ["E"]) == {("E", "1"): down_s}


def test_streets_are_walked_where_they_are_given() -> None:
    """Another feeder stands in for the crow between stops, and is asked for the limit."""

    class Everywhere:
        """Every way takes the limit."""

        label = "everywhere"

        def ways(self, origins: object, to: object, limit_s: int) -> Links:
            """Return all ways."""
            del to
            far = CrowFly(10.0, 1.0).ways(origins, origins, 86_400)  # type: ignore[arg-type]
            return far._replace(seconds=far.seconds * 0 + limit_s)

    found = changes_of(feed_of(STATION_STOPS), walking=WALKING._replace(streets=Everywhere()))

    assert found["1", "3"] == found["3", "4"] == 600
    assert found["1", "2"] == 120
