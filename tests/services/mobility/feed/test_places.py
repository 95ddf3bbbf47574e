"""Where stops lie: what can not be so is set right where that is safe, else left out."""

from pathlib import Path

import pytest

from tests.services.mobility.feeds import Line, Row, Tables, line_tables, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.reading import FeedReading, read_feed

NAMES = [f"S{number}" for number in range(12)]


def _tables() -> Tables:
    """Return a line of twelve stops, each about 3.5 km and five minutes from the next."""
    places = {name: (116.0 + 0.04 * number, 39.5) for number, name in enumerate(NAMES)}
    return line_tables(places, [Line("L", NAMES, ["7:00", "8:00", "9:00"], [300], dwell_s=30)])


def _read(tmp_path: Path, tables: Tables) -> FeedReading:
    return read_feed(write_zip(tmp_path / "feed.zip", tables), "demo")


def _codes(reading: FeedReading) -> dict[str, list[str]]:
    """Return the findings about places: code to the stops' values."""
    return {
        each.code: [example.value for example in each.examples]
        for each in reading.report.findings
        if each.severity != "ignored" and each.code != "datum_unknown"
    }


@pytest.mark.parametrize("stop", [0, 5, 11])
@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        ("0", "0", "stop_at_zero"),
        ("", "", "stop_without_place"),
        ("116.2", "", "value_wrong"),
        ("116,2", "39,5", "value_wrong"),
        ("216.2", "39.5", "stop_out_of_range"),
        ("1162000", "395000", "stop_scale"),
        ("116.2", "395", "stop_scale"),
        ("11.62", "3.95", "stop_scale"),
        ("116.2", "29.5", "stop_speed"),
        ("117.6", "39.5", "stop_speed"),
        ("-116.2", "39.5", "stop_speed"),
    ],
)
def test_a_stop_misplaced(stop: int, lon: str, lat: str, code: str, tmp_path: Path) -> None:
    """The stop is left out with its three calls, wherever on the line it is; nothing else is."""
    tables = _tables()
    tables["stops.txt"][stop].update(stop_lon=lon, stop_lat=lat)

    reading = _read(tmp_path, tables)

    assert set(_codes(reading)) == {code, "reference_left_out"}
    assert f"demo:S{stop}" not in reading.feed.stops.ids
    assert reading.report.counts.stops == 11
    assert reading.report.counts.calls == 33


@pytest.mark.parametrize("stops", [[0], [5], [1, 2, 7], list(range(12))])
def test_swapped(stops: list[int], tmp_path: Path) -> None:
    """Longitude and latitude exchanged, of some stops or all, are set right."""
    tables = _tables()
    for stop in stops:
        row = tables["stops.txt"][stop]
        row["stop_lon"], row["stop_lat"] = row["stop_lat"], row["stop_lon"]

    reading = _read(tmp_path, tables)

    assert list(_codes(reading)) == ["stop_swapped"]
    assert reading.feed.stops.lat.tolist() == [39.5] * 12
    assert reading.report.counts.calls == 36


def test_swapped_within_range(tmp_path: Path) -> None:
    """Where both degrees could be either, the other stops tell which way they belong."""
    places = {name: (13.0 + 0.04 * number, 52.5) for number, name in enumerate(NAMES)}
    places["S4"] = (52.5, 13.16)
    tables = line_tables(places, [Line("L", NAMES, ["7:00"], [300])])

    reading = _read(tmp_path, tables)

    assert list(_codes(reading)) == ["stop_swapped"]
    assert (reading.feed.stops.lon[4], reading.feed.stops.lat[4]) == (13.16, 52.5)


def test_far_and_never_served(tmp_path: Path) -> None:
    """A stop far from all others, where nothing calls, is left out."""
    tables = _tables()
    tables["stops.txt"].append({"stop_id": "X", "stop_lat": 22.5, "stop_lon": 114.0})

    assert _codes(_read(tmp_path, tables)) == {"stop_far": ["X  22.5 114.0"]}


def test_far_but_reached_in_time(tmp_path: Path) -> None:
    """A coach to another province is no fault: it takes its time."""
    places = {name: (116.0 + 0.04 * number, 39.5) for number, name in enumerate(NAMES)}
    places["X"] = (114.0, 22.5)
    lines = [Line("L", NAMES, ["7:00"], [300]), Line("X", ["S0", "X"], ["8:00"], [72_000], mode=3)]

    assert _codes(_read(tmp_path, line_tables(places, lines))) == {}


def test_a_wrong_time_accuses_no_stop(tmp_path: Path) -> None:
    """One trip of three that would fly is warned of; its stops are where the others find them."""
    tables = _tables()
    for number, row in enumerate(tables["stops.txt"]):
        row["stop_lon"] = 116 + 0.12 * number
    for row in tables["stop_times.txt"][6:12]:
        row["arrival_time"] = row["departure_time"] = "07:28:00"

    reading = _read(tmp_path, tables)

    assert list(_codes(reading)) == ["speed"]
    assert reading.report.verdict == "doubtful"
    assert reading.report.counts.calls == 36


def test_two_stops_accuse_each_other(tmp_path: Path) -> None:
    """Of two stops that have only each other, neither is left out for being too far away."""
    places = {"A": (116.0, 39.5), "B": (119.0, 39.5)}
    tables = line_tables(places, [Line("L", ["A", "B"], ["7:00"], [300])])

    assert list(_codes(_read(tmp_path, tables))) == ["speed"]


def test_a_feed_that_flies(tmp_path: Path) -> None:
    """Where nearly no vehicle would come in time, places and times do not belong together."""
    places = {name: (116.0 + 3 * number, 39.5) for number, name in enumerate(NAMES)}
    lines = [Line(f"L{n}", NAMES[n : n + 2], ["7:00"], [300]) for n in range(0, 12, 2)] * 3

    for number, line in enumerate(lines):
        lines[number] = line._replace(name=f"L{number}")
    with pytest.raises(Refused, match="FEED_BROKEN"):
        _read(tmp_path, line_tables(places, lines))


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_a_railway_called_a_bus(mode: int, tmp_path: Path) -> None:
    """What is only too fast for its kind is warned of, and none of its stops is left out."""
    places = {name: (116.0 + 0.35 * number, 39.5) for number, name in enumerate(NAMES)}
    tables = line_tables(places, [Line("L", NAMES, ["7:00"], [360], mode=mode)])

    reading = _read(tmp_path, tables)

    assert list(_codes(reading)) == ([] if mode == 2 else ["speed"])
    assert reading.report.counts.calls == 12


def _station_tables() -> Tables:
    """Return the line with a station G of platforms S0 and S1, and an entrance E of it."""
    tables = _tables()
    station: Row = {"stop_id": "G", "stop_lat": 39.5, "stop_lon": 116.02, "location_type": 1}
    entrance: Row = {"stop_id": "E", "stop_lat": 39.5, "stop_lon": 116.021, "location_type": 2}
    tables["stops.txt"] += [station, entrance | {"parent_station": "G"}]
    for row in tables["stops.txt"][:2]:
        row["parent_station"] = "G"
    return tables


def test_a_platform_has_its_stations_place(tmp_path: Path) -> None:
    """A platform at 0, 0 or misplaced lies where its station does, and keeps its calls."""
    tables = _station_tables()
    tables["stops.txt"][0].update(stop_lon=0, stop_lat=0)
    tables["stops.txt"][1].update(stop_lon=119)

    reading = _read(tmp_path, tables)

    assert _codes(reading) == {"place_of_station": ["S0 S0 0 0", "S1 S1 39.5 119"]}
    assert reading.feed.stops.lon[:2].tolist() == [116.02, 116.02]
    assert reading.report.counts.calls == 36


def test_a_station_lies_amid_its_platforms(tmp_path: Path) -> None:
    """A station without a place has the middle of its platforms'."""
    tables = _station_tables()
    tables["stops.txt"][12].update(stop_lon="", stop_lat="")

    reading = _read(tmp_path, tables)

    assert list(_codes(reading)) == ["place_of_platforms"]
    assert reading.feed.stops.lon[12] == pytest.approx(116.02)


def test_an_entrance_far_away(tmp_path: Path) -> None:
    """An entrance in another city has its station's place; one some streets off is warned of."""
    tables = _station_tables()
    tables["stops.txt"][13].update(stop_lat=31.2)
    other = _station_tables()
    other["stops.txt"][13].update(stop_lat=39.56)

    assert list(_codes(_read(tmp_path, tables))) == ["place_of_station"]
    assert _codes(_read(tmp_path, other)) == {"station_far": ["E"]}


def test_a_node_needs_no_place(tmp_path: Path) -> None:
    """Nodes and boarding areas have the place of what they belong to, which is no finding."""
    tables = _station_tables()
    node: Row = {"stop_id": "N", "location_type": 3, "parent_station": "G"}
    area: Row = {"stop_id": "W", "location_type": 4, "parent_station": "S1"}
    tables["stops.txt"] += [node, area]

    reading = _read(tmp_path, tables)

    assert _codes(reading) == {}
    assert reading.feed.stops.lon[14:].tolist() == [116.02, 116.04]


def test_nothing_lies_anywhere(tmp_path: Path) -> None:
    """A feed without one place that could be is refused."""
    tables = _tables()
    for row in tables["stops.txt"]:
        row["stop_lat"] = 395

    with pytest.raises(Refused, match="FEED_BROKEN"):
        _read(tmp_path, tables)
