"""One spot and every place: as if the spot were a place, and along roads as plain loops find it."""

from datetime import date
from math import asin, cos, floor, radians, sin, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.services.mobility.facts.roads import RoadDay
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.links import links_of
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scan.run import backward, forward
from tongcheng.services.mobility.study.model import Study
from tongcheng.services.mobility.study.preparing import prepare
from tongcheng.services.mobility.study.reach import (
    ROAD_ACCESS_S_MAX,
    Spot,
    reach_by_car,
    reach_of,
    road_ready,
)
from tongcheng.services.mobility.walking import Assumed, CrowFly

DAY = date(2026, 3, 11)
STOPS = {"W": (117.0, 39.0), "M": (117.15, 39.0), "E": (117.3, 39.0)}
SPOTS = [(117.002, 39.001), (117.151, 39.003), (117.31, 39.0), (117.4, 39.4)]
QUESTION = Question(Window(25_200, 300, 12), 7_200, (25, 50))
DRIVEN = Assumed("ordinary roads", CrowFly(10.0))


def _places(spots: list[tuple[float, float]]) -> Places:
    lon, lat = np.array(spots, np.float64).T
    ids = tuple(f"p{number}" for number in range(len(spots)))
    return Places(ids, ids, Points(lon, lat), (), None, ())


def _feed(folder: Path) -> Feed:
    lines = [
        Line("L", list(STOPS), ["7:10", "7:25", "8:00"], [600, 700]),
        Line("R", list(STOPS)[::-1], ["7:05", "7:40"], [650, 640]),
    ]
    return read_feed(write_zip(folder / "one.zip", line_tables(STOPS, lines)), "one").feed


@pytest.mark.parametrize("deadlines", [False, True])
@pytest.mark.parametrize("feeder", [None, Assumed("bicycle", CrowFly(3.0))])
def test_a_spot_is_answered_like_a_place(
    tmp_path: Path, feeder: Assumed | None, *, deadlines: bool
) -> None:
    """Asked from anywhere, the answer is the row that a place of that point has in the matrix."""
    ready = prepare(Study((_feed(tmp_path),), DAY, _places(SPOTS), "00", feeder=feeder))
    scan = backward if deadlines else forward
    (block,) = scan(ready.timetable, ready.ways, QUESTION)

    for row, spot in enumerate(SPOTS):
        reach = reach_of(ready, Spot(*spot), QUESTION, deadlines=deadlines)

        assert np.array_equal(reach.times, block.times[:, row])
        assert np.array_equal(reach.least, block.least[row])
        assert np.array_equal(reach.within, block.within[row])
        assert np.array_equal(reach.usable, block.usable[row])
    assert (block.least != UNREACHED).sum() > len(SPOTS), "somebody rides"


def test_what_leads_to_the_stops_is_told(tmp_path: Path) -> None:
    """A method names the feeder of the places, and apart from it how one changes."""
    ready = prepare(Study((_feed(tmp_path),), DAY, _places(SPOTS), "00", feeder=DRIVEN))

    assert ready.assumed["walked"] == "ordinary roads: crow fly x 1.3 at 10 m/s"
    assert ready.assumed["walked_between_stops"] == "crow fly x 1.3 at 1.2 m/s"


def _straight_s(one: tuple[float, float], other: tuple[float, float]) -> int:
    """Return seconds at 10 m/s over 1.3 great circles, by the haversine."""
    (x, y), (u, v) = ((radians(a), radians(b)) for a, b in (one, other))
    half = sin((v - y) / 2) ** 2 + cos(y) * cos(v) * sin((u - x) / 2) ** 2
    return floor(2 * 6_371_008.8 * asin(sqrt(half)) * 0.13 + 0.5)


def _slow(
    spot: tuple[float, float], nodes: list[tuple[float, float]], edges: dict[tuple[int, int], int]
) -> list[int]:
    """Return seconds from a spot to all SPOTS, by relaxing every edge as often as there are."""
    onto = [_straight_s(spot, node) for node in nodes]
    least = [each if each <= ROAD_ACCESS_S_MAX else 10**9 for each in onto]
    for _ in nodes:
        for (one, other), seconds in edges.items():
            least[other] = min(least[other], least[one] + seconds)
    found = []
    for place in SPOTS:
        ways = [_straight_s(spot, place)]
        for node, seconds in zip(nodes, least, strict=True):
            last = _straight_s(node, place)
            if last <= ROAD_ACCESS_S_MAX:
                ways.append(seconds + last)
        found.append(min(ways))
    return found


_NODES = st.lists(
    st.tuples(st.integers(11_680, 11_760), st.integers(3_880, 3_960)), min_size=1, max_size=6
)


@given(given_nodes=_NODES, data=st.data(), deadlines=st.booleans())
def test_roads_are_driven_as_plain_loops_find(
    *, given_nodes: list[tuple[int, int]], data: st.DataObject, deadlines: bool
) -> None:
    """From every spot to every place, one-way roads and all, in either direction of asking."""
    nodes = [(lon / 100, lat / 100) for lon, lat in given_nodes]
    number = st.integers(0, len(nodes) - 1)
    edges = data.draw(st.dictionaries(st.tuples(number, number), st.integers(1, 3_000)))
    lon, lat = np.array(nodes, np.float64).T
    origins, ends = [pair[0] for pair in edges], [pair[1] for pair in edges]
    links = links_of(len(nodes), origins, ends, list(edges.values()))
    names = tuple(f"n{each}" for each in range(len(nodes)))
    roads = RoadDay(DAY, names, lon, lat, links, (), ())
    ready = road_ready(_places(SPOTS), roads, DRIVEN, ())

    found = reach_by_car(ready, Spot(*SPOTS[1]), 5_400, deadlines=deadlines).tolist()

    turned = {(two, one): taken for (one, two), taken in edges.items()}
    slow = _slow(SPOTS[1], nodes, turned if deadlines else edges)
    assert found == [each if each <= 5_400 else UNREACHED for each in slow]
