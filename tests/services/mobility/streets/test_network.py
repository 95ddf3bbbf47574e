"""Ways along streets: against a slow twin on random streets, and by hand on small ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.streets.slow_streets import foot, slow_ways
from tests.services.mobility.test_nearness import haversine_m, points
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.streets import network as network_module
from tongcheng.services.mobility.streets.extract import WayTable
from tongcheng.services.mobility.streets.graph import SEGMENT_M_MAX, Graph, graph_of
from tongcheng.services.mobility.streets.network import StreetNetwork
from tongcheng.services.mobility.streets.snapping import snap
from tongcheng.services.mobility.streets.tags import Profile

Way = tuple[list[int], bool, bool, int]
METRE = 1 / 111_195.08  # degrees of latitude, and at the equator of longitude


def way_table(places: list[tuple[float, float]], ways: list[Way]) -> WayTable:
    """Return ways over numbered places, which are metres east and north of 10° E on the equator."""
    nodes = [node for way in ways for node in way[0]]
    return WayTable(
        digest="d",
        start=np.cumsum([0, *(len(way[0]) for way in ways)], dtype=np.int64),
        node=np.array(nodes, np.int64) * 1_000,
        lon=np.array([10 + places[node][0] * METRE for node in nodes], np.float64),
        lat=np.array([places[node][1] * METRE for node in nodes], np.float64),
        forward=np.array([way[1] for way in ways], np.bool_),
        backward=np.array([way[2] for way in ways], np.bool_),
        speed_km_per_h=np.array([way[3] for way in ways], np.int32),
    )


def at(*places: tuple[float, float]) -> Points:
    """Return points so many metres east and north."""
    return points([(10 + east * METRE, north * METRE) for east, north in places])


def as_dict(links: Links) -> dict[tuple[int, int], int]:
    """Return links by their ends."""
    return {
        (row, int(links.to[place])): int(links.seconds[place])
        for row in range(links.rows)
        for place in range(links.start[row], links.start[row + 1])
    }


PLACES = st.lists(
    st.tuples(st.floats(0, 800), st.floats(0, 800)), min_size=2, max_size=9, unique=True
)
POINTS = st.lists(st.tuples(st.floats(-100, 900), st.floats(-100, 900)), max_size=6)
SHAPES = st.lists(
    st.tuples(
        st.lists(st.integers(0, 8), min_size=2, max_size=5),
        st.sampled_from([(True, True), (True, False), (False, True)]),
        st.sampled_from([15, 30, 60]),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)  # the first example compiles
@given(PLACES, SHAPES, POINTS, POINTS, st.integers(0, 900), st.sampled_from(["foot", "car"]),
       st.integers(1, 3))  # fmt: skip
def test_ways_equal_the_slow_twin(
    places: list[tuple[float, float]],
    shapes: list[tuple[list[int], tuple[bool, bool], int]],
    origins: list[tuple[float, float]],
    to: list[tuple[float, float]],
    limit_s: int,
    profile: Profile,
    threads: int,
) -> None:
    """Every way within the limit, to the second, and no other, however many threads look."""
    both = profile == "foot"
    ways = [
        ([node % len(places) for node in nodes], forward or both, backward or both, speed)
        for nodes, (forward, backward), speed in shapes
    ]
    graph = graph_of(way_table(places, ways), profile)
    walker = StreetNetwork(graph, speed_m_per_s=1.0, off_street_m_max=120.0, threads=threads)

    links = walker.ways(at(*origins), at(*to), limit_s)

    assert as_dict(links) == slow_ways(walker, at(*origins), at(*to), limit_s)
    assert all(
        np.all(np.diff(links.to[links.start[row] : links.start[row + 1]]) > 0)
        for row in range(links.rows)
    )


def street(**changes: bool | int) -> Graph:
    """Return one straight street of 250 m to the east, for cars unless it is said otherwise."""
    profile: Profile = "foot" if changes.get("foot") else "car"
    way = ([0, 1], True, bool(changes.get("backward", True)), int(changes.get("speed", 36)))
    return graph_of(way_table([(0, 0), (250, 0)], [way]), profile)


def test_a_long_segment_is_divided_and_costs_the_same() -> None:
    """Three pieces of 250 m, which come to 250,000 mm exactly, or to 25 s at 36 km/h."""
    walked, driven = street(foot=True), street()

    assert len(walked.points.lon) == 4
    length_mm = math.floor(haversine_m((10, 0), (10 + 250 * METRE, 0)) * 1000 + 0.5)
    assert walked.cost.sum() == length_mm == 250_000
    assert driven.cost.sum() == 25_000
    assert np.ptp(walked.cost) <= 1
    assert walked.cost.max() <= SEGMENT_M_MAX * 1_000


def test_walking_to_the_street_counts() -> None:
    """30 m to the street, 100 m along it, 40 m from it, at 2 m/s: 85 s."""
    walker = StreetNetwork(street(foot=True), speed_m_per_s=2.0)

    assert as_dict(walker.ways(at((100, 30)), at((200, -40)), 900)) == {(0, 0): 85}
    assert as_dict(walker.ways(at((100, 30)), at((200, -40)), 84)) == {}


def test_who_is_too_far_from_every_street_has_no_way() -> None:
    """Nor has a place that nobody gets to."""
    walker = StreetNetwork(street(foot=True), off_street_m_max=50)

    assert as_dict(walker.ways(at((0, 51), (0, 49)), at((0, 49), (0, -51)), 900)) == {(1, 0): 82}


def one_way_square() -> Graph:
    """Return a square of 100 m sides, one way round: east, north, west, south."""
    corners: list[tuple[float, float]] = [(0, 0), (100, 0), (100, 100), (0, 100)]
    return graph_of(way_table(corners, [([0, 1, 2, 3, 0], True, False, 36)]), "car")


@pytest.mark.parametrize(
    ("origin", "to", "seconds"),
    [
        ((20, 0), (70, 0), 5),
        ((70, 0), (20, 0), 35),
        ((50, 0), (50, 100), 20),
        ((50, 0), (50, 0), 0),
    ],
)
def test_a_one_way_street_is_not_driven_against(
    origin: tuple[float, float], to: tuple[float, float], seconds: int
) -> None:
    """Also not along one's own segment, for as few metres as it may be."""
    driver = StreetNetwork(one_way_square())

    assert as_dict(driver.ways(at(origin), at(to), 900)) == {(0, 0): seconds}


def test_what_leads_nowhere_is_left_out() -> None:
    """An island of streets, and a one-way street out of the rest, strand nobody."""
    places: list[tuple[float, float]] = [(0, 0), (90, 0), (0, 90), (500, 500), (590, 500), (180, 0)]
    ways: list[Way] = [
        ([0, 1, 2, 0], True, True, 30),
        ([3, 4], True, True, 30),
        ([1, 5], True, False, 30),
    ]
    graph = graph_of(way_table(places, ways), "car")

    # The diagonal of 127 m has a node in its middle.
    assert (len(graph.points.lon), graph.nodes_left_out) == (4, 3)
    assert len(graph.cost) == 4


@given(PLACES, SHAPES, POINTS, st.floats(0, 400))
def test_snapping_finds_the_nearest_of_all(
    places: list[tuple[float, float]],
    shapes: list[tuple[list[int], tuple[bool, bool], int]],
    where: list[tuple[float, float]],
    limit_m: float,
) -> None:
    """Looking around finds what looking everywhere finds, within the limit."""
    ways: list[Way] = [([n % len(places) for n in nodes], True, True, 30) for nodes, _, _ in shapes]
    graph = graph_of(way_table(places, ways), "foot")
    found = snap(at(*where), graph, limit_m)

    for row, (lon, lat) in enumerate(zip(*at(*where), strict=True)):
        nearest = foot(float(lon), float(lat), graph)
        if nearest.off_m < limit_m - 1e-6:
            assert found.off_m[row] == pytest.approx(nearest.off_m, abs=1e-6)
        elif nearest.off_m > limit_m + 1e-6:
            assert found.segment[row] == -1


def test_many_ways_come_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room and small pieces of work change nothing."""
    walker = StreetNetwork(street(foot=True))
    where = at(*((float(metre), 0.0) for metre in range(0, 250, 5)))
    whole = walker.ways(where, where, 100)
    monkeypatch.setattr(network_module, "ROOM", 1)
    monkeypatch.setattr(network_module, "ORIGINS_AT_ONCE", 7)
    small = walker._replace(threads=2).ways(where, where, 100)

    assert len(whole.to) > 1_000
    assert as_dict(whole) == as_dict(small)


def test_too_many_ways_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they fill memory, from whichever thread."""
    monkeypatch.setattr(network_module, "LINKS_MAX", 10)
    where = at(*((float(metre), 0.0) for metre in range(0, 250, 5)))
    for threads in (1, 2):
        with pytest.raises(Refused, match="MOBILITY_TOO_MANY_WAYS"):
            StreetNetwork(street(foot=True), threads=threads).ways(where, where, 100)


@pytest.mark.parametrize("limit_s", [-1, 86_401])
def test_a_limit_is_a_time_of_a_day(limit_s: int) -> None:
    """Lengths are reckoned in numbers that a day's walk fits into."""
    with pytest.raises(Refused, match="MOBILITY_PARAMETER"):
        StreetNetwork(street()).ways(at((0, 0)), at((0, 0)), limit_s)


def test_a_speed_in_another_unit_is_refused() -> None:
    """Kilometres an hour taken for metres a second are noticed."""
    with pytest.raises(Refused, match="speed_m_per_s"):
        StreetNetwork(street(), speed_m_per_s=43.0).ways(at((0, 0)), at((0, 0)), 60)


def test_labels_say_what_is_left_out() -> None:
    """A map by car says that there is no traffic on it."""
    assert StreetNetwork(street(foot=True)).label == "OpenStreetMap on foot at 1.2 m/s"
    assert "without traffic" in StreetNetwork(street()).label
