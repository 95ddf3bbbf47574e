"""The made-up city of buses: the same by its seed, and read by our readers as records are."""

import math
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import bus_city, mobility_worlds
from benchmarks.bus_city import APART_M, LIKE_PORTO_ALEGRE, MIDDLE, SMALL, BusCity, hexagons
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.streets.extract import read_ways
from tongcheng.services.mobility.streets.graph import graph_of


@pytest.fixture(scope="module")
def city() -> BusCity:
    """Return a small one."""
    return bus_city.bus_city(SMALL)


def test_a_seed_makes_a_city(city: BusCity, tmp_path: Path) -> None:
    """Made again it is the same, and so are its files."""
    again = bus_city.bus_city(SMALL)

    assert again == city
    for each, made in (("one", city), ("other", again)):
        bus_city.write_streets(tmp_path / f"{each}.osm.pbf", made)
    one, other = (read_ways(tmp_path / f"{each}.osm.pbf", "foot") for each in ("one", "other"))
    assert one.digest == other.digest


def test_hexagons_lie_as_far_apart_as_those_of_resolution_9() -> None:
    """Each but those of the rim has six others at 350 m, and none is nearer."""
    places = hexagons(LIKE_PORTO_ALEGRE.places)
    near = [sum(math.dist(one, other) < APART_M + 1 for other in places) - 1 for one in places]

    assert len(set(places)) == 1_227
    assert max(near) == 6
    assert near.count(6) > 1_000
    assert max(math.hypot(*each) for each in places) < LIKE_PORTO_ALEGRE.radius_m + APART_M
    assert 6_000 < LIKE_PORTO_ALEGRE.radius_m < 7_000


def test_the_feed_reads_without_errors(city: BusCity, tmp_path: Path) -> None:
    """Each line both ways is a route; only where China's feeds have their datum from is asked."""
    read = read_feed(mobility_worlds.write(tmp_path / "buses.zip", city.network), "buses")
    report = read.report

    assert {each.code for each in report.findings} == {"datum_unknown", "columns_ignored"}
    assert {each.severity for each in report.findings} == {"warning", "ignored"}
    assert report.counts.stops == len(city.network.stops)
    assert report.counts.routes == 2 * SMALL.lines
    assert report.counts.trips == len(city.network.trips)
    assert report.days.first_on == report.days.last_on == mobility_worlds.DAY


def test_streets_read_and_hang_together(city: BusCity, tmp_path: Path) -> None:
    """One walks along every street, and nearly every crossing is reached from every other."""
    ways = read_ways(bus_city.write_streets(tmp_path / "s.osm.pbf", city), "foot")
    graph = graph_of(ways, "foot")

    assert len(ways.start) - 1 == len(city.streets)
    assert ways.forward.all()
    assert ways.backward.all()
    assert graph.nodes_left_out < len(city.crossings) / 100
    assert abs(float(graph.points.lon.mean()) - MIDDLE[0]) < 0.001
    assert abs(float(graph.points.lat.mean()) - MIDDLE[1]) < 0.001


def test_trips_of_a_line_call_alike_and_never_overtake(city: BusCity) -> None:
    """A peer that takes the first trip's stops for all of a route's is told nothing false."""
    trips: dict[str, list[mobility_worlds.Trip]] = {}
    for line, trip in zip(city.network.lines, city.network.trips, strict=True):
        trips.setdefault(line, []).append(trip)

    for each in trips.values():
        stops, since_s = zip(*((stop, at - each[0][0][1]) for stop, at, _ in each[0]), strict=True)
        assert len(set(stops)) == len(stops)
        assert all(later > earlier for earlier, later in pairwise(since_s))
        for trip in each:
            assert tuple(stop for stop, *_ in trip) == stops
            assert tuple(at - trip[0][1] for _, at, _ in trip) == since_s


def test_lines_are_denser_in_the_middle() -> None:
    """Of the stops nearer the middle more lines call at one, in a city of some size."""
    city = bus_city.bus_city(bus_city.Size(300, 30))
    lines: dict[str, set[str]] = {each: set() for each in city.network.stops}
    for line, trip in zip(city.network.lines, city.network.trips, strict=True):
        for stop, *_ in trip:
            lines[stop].add(line)
    nearest = sorted(lines, key=lambda each: math.dist(MIDDLE, city.network.stops[each]))
    inner, outer = nearest[: len(nearest) // 4], nearest[-len(nearest) // 4 :]

    assert sum(len(lines[each]) for each in inner) > 2 * sum(len(lines[each]) for each in outer)
