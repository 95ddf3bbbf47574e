"""GCJ-02: the transform and its inverse, and telling by references which datum a feed is in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.feeds import Line, Tables, line_tables, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.datum import Asked, Reference, plain_name
from tongcheng.services.mobility.feed.gcj02 import from_wgs84, in_box, to_wgs84
from tongcheng.services.mobility.feed.legs import metres
from tongcheng.services.mobility.feed.reading import FeedReading, read_feed
from tongcheng.services.mobility.feed.references import read_references

NAMES = [f"第{number}站" for number in range(8)]
TRUE = {name: (116.3 + 0.05 * n, 39.8 + 0.02 * n) for n, name in enumerate(NAMES)}


def _array(value: float) -> np.ndarray:
    return np.array([value], np.float64)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # Published pairs of the 2016 list of railway stations: Beijing, Beijing South.
        ((116.421050, 39.902320), (116.427282, 39.903716)),
        ((116.372874, 39.863497), (116.379092, 39.864881)),
    ],
)
def test_known_places(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    """The transform and its inverse give what is published, to the last digit given."""
    forth = from_wgs84(*map(_array, wgs84))
    back = to_wgs84(*map(_array, gcj02))

    assert [round(float(each[0]), 6) for each in forth] == list(gcj02)
    assert [float(each[0]) for each in back] == pytest.approx(wgs84, abs=1e-6)


@given(st.floats(72.1, 137.8), st.floats(0.9, 55.8))
def test_there_and_back(lon: float, lat: float) -> None:
    """Back from GCJ-02 is within a tenth of a metre of where it was, anywhere in the box."""
    moved = from_wgs84(_array(lon), _array(lat))
    back = to_wgs84(*moved)

    if in_box(*moved).all():
        assert metres(_array(lon), _array(lat), *back)[0] < 0.1


@pytest.mark.parametrize(("lon", "lat"), [(2.35, 48.86), (-46.6, -23.5), (139.7, 35.7)])
def test_elsewhere(lon: float, lat: float) -> None:
    """Outside its box the transform moves nothing."""
    moved = to_wgs84(_array(lon), _array(lat))

    assert [float(each[0]) for each in moved] == [lon, lat]


def _tables(*, moved: bool, scatter: float = 0.0005) -> Tables:
    """Return a line whose stops lie some 50 m from where they are, moved to GCJ-02 or not."""
    places = {}
    for number, (name, (lon, lat)) in enumerate(TRUE.items()):
        there = (_array(lon + scatter * (-1) ** number), _array(lat + scatter * (number % 3 - 1)))
        at = from_wgs84(*there) if moved else there
        places[name] = (float(at[0][0]), float(at[1][0]))
    return line_tables(places, [Line("L", NAMES, ["7:00"], [600])])


def _read(
    tmp_path: Path, tables: Tables, references: list[Reference], asked: Asked = "detect"
) -> FeedReading:
    path = write_zip(tmp_path / "feed.zip", tables)
    return read_feed(path, "demo", asked=asked, references=references)


REFERENCES = [Reference(name.removesuffix("站"), *place) for name, place in TRUE.items()]


@pytest.mark.parametrize("datum", ["gcj02", "wgs84"])
def test_told_by_references(datum: str, tmp_path: Path) -> None:
    """Beside places known in WGS-84 the datum is told, and only GCJ-02 is converted."""
    moved = datum == "gcj02"
    reading = _read(tmp_path, _tables(moved=moved), REFERENCES)
    plain = _read(tmp_path, _tables(moved=False), [])
    codes = {each.code for each in reading.report.findings}

    assert reading.report.datum.datum == datum
    assert reading.report.datum.matches == len(NAMES)
    assert reading.report.datum.share == pytest.approx(1.0 if moved else 0.0, abs=0.15)
    assert ("datum_converted" in codes) == moved
    assert "datum_unknown" not in codes
    assert reading.feed.stops.lon == pytest.approx(plain.feed.stops.lon, abs=1e-6)
    assert reading.feed.stops.lat == pytest.approx(plain.feed.stops.lat, abs=1e-6)


@pytest.mark.parametrize(
    "references",
    [
        [],
        REFERENCES[:4],
        [Reference("elsewhere", *place) for place in TRUE.values()],
        [Reference(name, lon + 0.02, lat) for name, (lon, lat) in TRUE.items()],
        [Reference(name, lon + 1, lat) for name, (lon, lat) in TRUE.items()],
    ],
)
def test_never_converted_silently(references: list[Reference], tmp_path: Path) -> None:
    """Without references, with too few or with others, places stay as they are, with a warning."""
    reading = _read(tmp_path, _tables(moved=True), references)

    assert reading.report.datum.datum is None
    assert "datum_unknown" in {each.code for each in reading.report.findings}
    assert reading.feed.stops.lon[0] == float(str(_tables(moved=True)["stops.txt"][0]["stop_lon"]))


@pytest.mark.parametrize("asked", ["wgs84", "gcj02"])
def test_as_was_said(asked: Asked, tmp_path: Path) -> None:
    """What somebody says stands; nothing is unknown then."""
    reading = _read(tmp_path, _tables(moved=True), [], asked)
    plain = _read(tmp_path, _tables(moved=False), [], "wgs84")
    is_right = np.allclose(reading.feed.stops.lon, plain.feed.stops.lon, atol=1e-6)

    assert is_right == (asked == "gcj02")
    assert reading.report.datum.datum == asked
    assert "datum_unknown" not in {each.code for each in reading.report.findings}


def test_of_another_zone(tmp_path: Path) -> None:
    """Seoul lies in the box, but its maps are not moved: no warning."""
    places = {"A": (126.97, 37.55), "B": (127.02, 37.55)}
    tables = line_tables(places, [Line("L", ["A", "B"], ["7:00"], [300])])
    tables["agency.txt"][0]["agency_timezone"] = "Asia/Seoul"

    reading = _read(tmp_path, tables, [])

    assert reading.report.datum.datum is None
    assert reading.report.verdict == "sound"


@pytest.mark.parametrize(
    ("one", "other"),
    [("北京南站", "北京南"), ("西单 (地铁站)", "西单"), ("Beijing Nan", "beijingnan")],
)
def test_names_alike(one: str, other: str) -> None:
    """What publishers add to a station's name does not make it another."""
    assert plain_name(one) == plain_name(other)


def test_station_is_a_name() -> None:
    """A name of nothing but what is added stays one."""
    assert plain_name("站") == "站"


def test_reference_files(tmp_path: Path) -> None:
    """A file of references has names and places in any order of columns, and others beside."""
    path = tmp_path / "stations.csv"
    path.write_text("id,name,lat,lon\n1,北京南,39.86,116.37\n2,,39,116\n", encoding="utf-8")

    assert read_references(path) == (Reference("北京南", 116.37, 39.86),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name,lon,lat\nA,116,39\nB,x,39\n", "REFERENCE_FILE.*line=3"),
        ("name,lon,lat\nA,39,116\n", "REFERENCE_FILE.*line=2"),
        ("name,lon,lat\nA,116,39,1\n", "REFERENCE_FILE.*line=2"),
        ("name,lon\nA,116\n", "FEED_COLUMNS"),
    ],
)
def test_reference_files_refused(text: str, code: str, tmp_path: Path) -> None:
    """A place that is none is refused with its line: evidence must be sound."""
    path = tmp_path / "stations.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(Refused, match=code):
        read_references(path)
