"""The region's fact tables: every figure has an origin, and none contradicts the map or another.

What a table's form is stands in tests of `services.mobility.facts`; here is what this region's say.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tongcheng.kernel import plain_yaml, region, rulebook
from tongcheng.services.mobility.facts import folder, gtfs, main_stations, port, rail, roads
from tongcheng.services.mobility.facts.model import Facts, Line, Place
from tongcheng.services.mobility.nearness import Points, distances_m
from tongcheng.services.mobility.timetable.process_book import Processes, in_force, read_rules

PACK = region.load("jingjinji")
GEOGRAPHY = region.PACKS_DIR / "jingjinji" / "geography"
PUBLISHED = {"110000": 21_893_095, "120000": 13_866_009}
"""People on 2020-11-01 by the seventh census: its communiqué No. 3, and of Hebei's cities the
provincial communiqué; Hebei's total is 74,610,235."""
HEBEI = {
    "130100": 11_235_086,
    "130200": 7_717_983,
    "130300": 3_136_879,
    "130400": 9_413_990,
    "130500": 7_111_106,
    "130600": 11_544_036,
    "130700": 4_118_908,
    "130800": 3_354_444,
    "130900": 7_300_783,
    "131000": 5_464_087,
    "131100": 4_212_933,
}
DAYS = [date(year, 7, 1) for year in (2010, 2016, 2019, 2022, 2024, 2026)]
STRAIGHT_LINE_KMH_MAX = {"rail": 340, "metro": 130}
"""Faster over the great circle than trains run would be a misplaced station or a wrong minute."""


@pytest.fixture(scope="module", name="facts")
def _facts() -> Facts:
    return folder.load(GEOGRAPHY, PACK.zone)


def _km(places: list[Place]) -> list[float]:
    lon = np.array([place.lon for place in places])
    lat = np.array([place.lat for place in places])
    metres = distances_m(Points(lon[:-1], lat[:-1]), Points(lon[1:], lat[1:]))
    return [each / 1000 for each in metres.tolist()]


def _cells() -> Iterator[tuple[str, str, str]]:
    for path in sorted(GEOGRAPHY.glob("*.csv")):
        lines = [line for line in path.read_text("utf-8").split("\n") if line and line[0] != "#"]
        for row in csv.DictReader(lines):
            for column, value in row.items():
                yield path.name, column, value


def test_every_number_has_an_origin_beside_it() -> None:
    """A column with numbers or dates is a figure with its origin, or one of those named here."""
    plain = {"lon", "lat", "year", "trains", "headway_min", "start", "end", "calls"}
    numeric = {
        (file, column)
        for file, column, value in _cells()
        if value.replace(".", "").replace("-", "").replace(":", "").isdigit()
        and not column.endswith("_id")
    }
    columns = {(file, column) for file, column, _ in _cells()}

    assert {
        (file, column)
        for file, column in numeric
        if column not in plain and (file, f"{column}_by") not in columns
    } == set()


def test_general_knowledge_is_low() -> None:
    """What nobody looked up, and what was reckoned from it, never calls itself more than low."""
    origins = Counter(value for _, column, value in _cells() if column.endswith("_by") and value)

    assert [
        origin for origin in origins if origin[:3] in ("own", "rec") and origin.split()[2] != "low"
    ] == []


def test_sources_are_used(facts: Facts) -> None:
    """A source that no figure names would seem to vouch for some."""
    documents = "".join(path.read_text("utf-8") for path in GEOGRAPHY.rglob("*.yaml"))
    named = {value.split()[0] for _, column, value in _cells() if column.endswith("_by") and value}
    used = {each.source_id for each in facts.sources} & named

    assert [
        source.source_id
        for source in facts.sources
        if source.source_id not in used
        and source.source_id not in documents
        and source.source_id != "natural-earth"
    ] == []


def test_people_add_up(facts: Facts) -> None:
    """Counties and zones come to their cities, and these to the published totals."""
    people = {city.city_id: int(city.population.value) for city in facts.cities}
    counted: Counter[str] = Counter()
    for county in facts.counties:
        counted[county.city_id] += int(county.population.value)

    assert people == PUBLISHED | HEBEI == dict(counted)
    assert sum(HEBEI.values()) == 74_610_235


def test_counties_are_all_there(facts: Facts) -> None:
    """199 divisions with a place and 23 zones without; names in English are told apart by city."""
    placed = [county for county in facts.counties if county.at is not None]

    assert len(placed) == 199
    assert len(facts.counties) - len(placed) == 23
    assert Counter(county.county_id[:2] for county in placed) == {"11": 16, "12": 16, "13": 167}
    assert all(county.city_id[:2] == county.county_id[:2] for county in facts.counties)


def test_stations_lie_in_the_region(facts: Facts) -> None:
    """No coordinate is swapped or shifted by a degree."""
    assert all(
        113.4 < station.at.lon < 120.0 and 36.0 < station.at.lat < 42.7
        for station in facts.stations
    )


def test_lines_are_as_long_as_they_say(facts: Facts) -> None:
    """A published length is at least the great circles between stations, and at most 1.6 of them.

    A published length may go beyond the stations that are listed, or begin after the first; 5 % are
    allowed for that below.
    """
    places = {station.station_id: station.at for station in facts.stations}
    faults = []
    for line in facts.lines:
        straight = sum(_km([places[stop.station_id] for stop in line.stops]))
        length_km = None if line.length_km is None else line.length_km.value
        if length_km is not None and not 0.95 * straight <= length_km <= 1.6 * straight:
            faults.append((line.line_id, straight, length_km))

    assert faults == []


def test_stations_follow_each_other(facts: Facts) -> None:
    """Neighbours of a line are as far apart as stations are; none stands out of its line."""
    places = {station.station_id: station.at for station in facts.stations}
    modes = {system.system_id: system.mode for system in facts.systems}
    farthest = {"rail": 190, "metro": 26}
    faults: list[tuple[str, float]] = []
    for line in facts.lines:
        ways = _km([places[stop.station_id] for stop in line.stops])
        mode = modes[line.system_id]
        faults += [(line.line_id, way) for way in ways if not 0.25 <= way <= farthest[mode]]
        faults += [(f"{line.line_id} {at}", km) for at, km in _turns_back(line, places)]

    assert faults == []


def _turns_back(line: Line, places: dict[str, Place]) -> Iterator[tuple[str, float]]:
    """Yield stations at which a railway line turns back sharply: three in the wrong order."""
    if line.system_id != "railway":
        return
    stops = [stop.station_id for stop in line.stops]
    for first, middle, last in zip(stops, stops[1:], stops[2:], strict=False):
        before, after = _km([places[first], places[middle], places[last]])
        straight = _km([places[first], places[last]])[0]
        if before + after > 1.6 * straight:
            yield middle, straight


def test_runs_are_as_fast_as_trains(facts: Facts) -> None:
    """Between calls no train is faster than its kind runs, nor slower than a bicycle."""
    places = {station.station_id: station.at for station in facts.stations}
    modes = {line.line_id: line.system_id for line in facts.lines}
    kinds = {system.system_id: system.mode for system in facts.systems}
    faults = []
    for run in rail.compile_day(facts, date(2026, 7, 1)).runs:
        ways = _km([places[call.station_id] for call in run.calls])
        most = STRAIGHT_LINE_KMH_MAX[kinds[modes[run.line_id]]]
        for (start, end), km in zip(pairwise(run.calls), ways, strict=True):
            kmh = km * 3600 / (end.arrival_s - start.departure_s)
            if not 12 <= kmh <= most:
                faults.append((run.run_id, start.station_id, end.station_id, round(kmh)))

    assert faults == []


@pytest.mark.parametrize(
    ("start", "end", "trains", "fastest_min"),
    [
        ("beijingnan", "tianjin", 88, 33),
        ("beijingnan", "wuqing", 22, 23),
        ("beijingxi", "baodingdong", 52, 41),
        ("beijingxi", "shijiazhuang", 78, 67),
        ("langfang", "beijingnan", 22, 21),
        ("beijingnan", "binhai", 7, 57),
    ],
)
def test_trains_of_2016(facts: Facts, start: str, end: str, trains: int, fastest_min: int) -> None:
    """As many trains as on 2016-03-09 to a tenth, as fast to two minutes: typical, no timetable."""
    found = 0
    minutes = []
    for run in rail.compile_day(facts, date(2016, 3, 9)).runs:
        calls = {call.station_id: call for call in run.calls}
        if start in calls and end in calls:
            way_s = calls[end].arrival_s - calls[start].departure_s
            if way_s > 0:
                minutes.append(way_s / 60)
                found += sum((each.end_s - each.start_s) // each.headway_s for each in run.repeats)

    assert abs(found - trains) <= max(1, trains // 10)
    assert abs(min(minutes) - fastest_min) <= 2


@pytest.mark.parametrize("on", DAYS)
def test_every_era_compiles(facts: Facts, on: date) -> None:
    """A map of any year has trains and roads; what opened later is listed, not shown."""
    day = rail.compile_day(facts, on)
    first = gtfs.archive(facts, day, gtfs.Publisher("示例", "https://example.org", "zh"))
    second = gtfs.archive(facts, day, gtfs.Publisher("示例", "https://example.org", "zh"))

    assert first == second
    assert day.runs
    assert roads.compile_day(facts, on).edge_ids


def test_the_agreed_projects_are_on_the_map_when_they_opened(facts: Facts) -> None:
    """京滨城际 and the line to the new airport are absent the day before, and there after."""

    def running(on: date) -> set[str]:
        return {run.service_id for run in rail.compile_day(facts, on).runs}

    assert "jingbin" not in running(date(2022, 12, 29))
    assert "jingbin" in running(date(2022, 12, 30))
    assert not any(each.startswith("jinxing") for each in running(date(2023, 12, 17)))
    assert "jinxing-opening-anci" in running(date(2023, 12, 18))
    assert running(date(2024, 7, 1)) >= {"jinxing-anci", "jinxing-yongqing"}


def test_roads_are_as_long_as_they_may_be(facts: Facts) -> None:
    """A stretch is at least the great circle between its ends, and at most 1.6 of it."""
    nodes = {node.node_id: node.at for node in facts.road_nodes}
    faults = []
    for edge in facts.road_edges:
        straight = _km([nodes[edge.start], nodes[edge.end]])[0]
        length_km = None if edge.length_km is None else edge.length_km.value
        # Places are to 0.01 degrees, some 700 m at either end.
        if length_km is not None and not straight - 0.2 <= length_km <= 1.6 * straight + 0.2:
            faults.append((edge.edge_id, round(straight, 1), length_km))

    assert faults == []


def test_roads_hang_together(facts: Facts) -> None:
    """In 2026 every node is reached from every other; every city has one within 15 km."""
    day = roads.compile_day(facts, date(2026, 7, 1))
    reached = {0}
    ahead = [0]
    while ahead:
        node = ahead.pop()
        for to in day.links.to[day.links.start[node] : day.links.start[node + 1]].tolist():
            if to not in reached:
                reached.add(to)
                ahead.append(to)
    nodes = Points(day.lon, day.lat)
    for city in facts.cities:
        at = Points(np.full(len(day.lon), city.at.lon), np.full(len(day.lat), city.at.lat))
        assert distances_m(at, nodes).min() < 15_000, city.name.en

    assert len(reached) == len(day.node_ids)


def test_port(facts: Facts) -> None:
    """The port's gates are on the roads, and a train that ran gives a time to it."""
    found = port.read(
        "port.yaml",
        (GEOGRAPHY / "port.yaml").read_text("utf-8"),
        {node.node_id for node in facts.road_nodes},
        {source.source_id for source in facts.sources},
    )

    assert port.rail_s(found, found.rail_freight.ways[0]) == 270 * 60


def test_every_place_has_a_main_station(facts: Facts) -> None:
    """The places are the pack's own: a misspelt one would have none."""
    text = (GEOGRAPHY / "main_stations.yaml").read_text("utf-8")
    found = main_stations.read("main_stations.yaml", text, facts.stations)

    assert set(found) == {each.id for each in region.load("jingjinji").jurisdictions}
    assert found["tianjin"].name.en == "Tianjin"


def test_processes_are_a_rule_book() -> None:
    """Process times are dated rules with sources, which the timetable's compiler reads."""
    book = rulebook.parse((GEOGRAPHY / "processes.yaml").read_text("utf-8"))
    early = in_force(Processes((book,)), date(2016, 3, 9))
    late = in_force(Processes((book,)), date(2026, 7, 1))

    assert rulebook.check(book) == []
    assert [row.system for row in read_rules(book).systems] == ["railway", "metro"]
    assert (len(early.shared_checks), len(late.shared_checks)) == (0, 2)


@pytest.mark.parametrize("path", sorted((GEOGRAPHY / "scenarios").glob("*.yaml")), ids=str)
def test_scenarios_refer_to_facts(facts: Facts, path: Path) -> None:
    """A scenario names services and roads that the tables have, and what it does not count."""
    document = plain_yaml.parse(path.read_text("utf-8"))
    assert isinstance(document, dict)
    known = {each.service_id for each in facts.services} | {
        each.edge_id for each in facts.road_edges
    }
    changes = document["changes"]
    limits = document["limits"]
    assert isinstance(changes, list)
    assert isinstance(limits, dict)

    assert document["scenario_id"] == path.stem
    assert set(limits) == {"zh", "en"}
    for change in changes:
        assert isinstance(change, dict)
        named = change.get("from_facts", [])
        assert isinstance(named, list)
        assert set(map(str, named)) <= known


def test_scenarios_change_something(facts: Facts) -> None:
    """What a scenario adds to its base day was not there, and is there with it."""
    base = rail.compile_day(facts, date(2022, 12, 29))
    with_it = rail.compile_day(
        facts, date(2022, 12, 29), as_if_open=["jingtang-express", "jingbin"]
    )
    ring = roads.compile_day(facts, date(2016, 7, 1), as_if_open=["g95.caiyu.xiji"])

    assert len(with_it.runs) == len(base.runs) + 4
    assert "g95.caiyu.xiji" not in roads.compile_day(facts, date(2016, 7, 1)).edge_ids
    assert "g95.caiyu.xiji" in ring.edge_ids


def test_outline_is_a_background() -> None:
    """The outline names its source and has the region's three divisions, closed."""
    outline = json.loads((GEOGRAPHY / "outline.geojson").read_text("utf-8"))
    rings = [
        ring
        for feature in outline["features"]
        for polygon in feature["geometry"]["coordinates"]
        for ring in polygon
    ]

    assert "public domain" in outline["source"]
    assert [each["properties"]["division"] for each in outline["features"]] == [
        "110000",
        "120000",
        "130000",
    ]
    assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in rings)
