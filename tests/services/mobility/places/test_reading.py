"""Places from files: the same from every format, faults counted and left out, others refused."""

import hashlib
import json
import sys
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.places import csv_table, parquet_table, reading
from tongcheng.services.mobility.places.reading import Format, read_places

CSV = """id,name,lon,lat,county,population,jobs,remark
a,甲,117.1,39.1,120101,1000,5,x
b,乙,117.2,39.2,120101,2000,6,
c,丙,117.3,39.3,120102,0,0,z
"""
COLUMNS: dict[str, list[Any]] = {
    "id": ["a", "b", "c"],
    "name": ["甲", "乙", "丙"],
    "county": ["120101", "120101", "120102"],
    "population": [1000, 2000, 0],
    "jobs": [5, 6, 0],
    "remark": ["x", None, "z"],
}
LON, LAT = [117.1, 117.2, 117.3], [39.1, 39.2, 39.3]
POINTS = [shapely.Point(*place) for place in zip(LON, LAT, strict=True)]
SQUARES = [shapely.box(x - 0.1, y - 0.1, x + 0.1, y + 0.1) for x, y in zip(LON, LAT, strict=True)]


def geojson(shapes: list[Any], columns: dict[str, list[Any]], **more: Any) -> bytes:
    """Return a feature collection."""
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(shape)) if shape is not None else None,
            "properties": {name: values[row] for name, values in columns.items()},
        }
        for row, shape in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def parquet(columns: dict[str, Any], geo: Any = None) -> bytes:
    """Return a Parquet file, with GeoParquet's metadata if some are given."""
    table = pa.table(columns)
    if geo is not None:
        table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def geo(encoding: str = "WKB", **about: Any) -> dict[str, Any]:
    """Return GeoParquet's metadata for a column `shape`."""
    columns = {"shape": {"encoding": encoding, "geometry_types": [], **about}}
    return {"version": "1.1.0", "primary_column": "shape", "columns": columns}


def wkb(shapes: list[Any]) -> list[bytes]:
    """Return shapes as bytes."""
    return [bytes(each) for each in shapely.to_wkb(np.array(shapes, object))]


def twice() -> bytes:
    """Return a Parquet file with two columns of one name."""
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["lon", "lon"])
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


FILES: dict[str, tuple[bytes, Format]] = {
    "csv": (CSV.encode(), "csv"),
    "csv with a mark": (b"\xef\xbb\xbf" + CSV.encode(), "csv"),
    "csv of Windows": (CSV.replace("\n", "\r\n").encode(), "csv"),
    "geojson": (geojson(POINTS, COLUMNS), "geojson"),
    "geojson of areas": (geojson(SQUARES, COLUMNS), "geojson"),
    "geoparquet": (parquet(COLUMNS | {"shape": wkb(POINTS)}, geo()), "parquet"),
    "geoparquet of areas": (
        parquet(
            COLUMNS | {"shape": wkb(SQUARES)},
            geo(crs={"name": "WGS 84", "id": {"authority": "EPSG", "code": 4326}}),
        ),
        "parquet",
    ),
    "parquet": (parquet(COLUMNS | {"longitude": LON, "latitude": LAT}), "parquet"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_has_the_same_places(name: str) -> None:
    """Columns are found by their names, an area is a point, and other words are not made use of."""
    raw, form = FILES[name]
    places, report, _ = read_places(raw, form)

    assert places.ids == ("a", "b", "c")
    assert places.names == ("甲", "乙", "丙")
    assert places.area_ids == ("120101", "120101", "120102")
    assert places.points.lon.tolist() == pytest.approx(LON)
    assert places.points.lat.tolist() == pytest.approx(LAT)
    assert places.population is not None
    assert places.population.tolist() == [1000, 2000, 0]
    assert [(each, values.tolist()) for each, values in places.opportunities] == [
        ("jobs", [5, 6, 0])
    ]
    assert (report.digest, report.rows, report.places) == (hashlib.sha256(raw).hexdigest(), 3, 3)
    assert [(each.code, each.column) for each in report.findings] == [("column_ignored", "remark")]


def of_csv(*lines: str, heading: str = "id,lon,lat,pop,jobs") -> bytes:
    """Return a table with a sound row before these."""
    return "\n".join([heading, "z,117,39,1,1", *lines]).encode()


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("a,117,39", "row_malformed", ""),
        ("a,117,39,1,1,1", "row_malformed", ""),
        ("a,181,39,1,1", "place_out_of_range", ""),
        ("a,117,-90.1,1,1", "place_out_of_range", ""),
        ("a,nan,39,1,1", "place_out_of_range", ""),
        ("a,inf,39,1,1", "place_out_of_range", ""),
        ("a,,39,1,1", "place_out_of_range", ""),
        ("a,11_7,39,1,1", "place_out_of_range", ""),
        ("a,0,0,1,1", "place_at_zero", ""),
        (",117,39,1,1", "id_missing", "id"),
        ("z,117,39,1,1", "id_twice", "id"),
        ("a,117,39,,1", "value_missing", "pop"),
        ("a,117,39,-1,1", "value_negative", "pop"),
        ("a,117,39,nan,1", "value_wrong", "pop"),
        ("a,117,39,many,1", "value_wrong", "pop"),
        ("a,117,39,-inf,1", "value_wrong", "pop"),
        ("a,117,39,1e300,1", "value_wrong", "pop"),
        ("a,117,39,1,-1", "value_negative", "jobs"),
        ("a,117,39,1,", "value_missing", "jobs"),
    ],
)
def test_a_row_with_a_fault_is_left_out_and_counted(line: str, code: str, column: str) -> None:
    """One finding, of its code and column, with the row's number in the file."""
    places, report, _ = read_places(of_csv(line, "y,118,39,2,2"), "csv", ["jobs"])

    assert places.ids == ("z", "y")
    assert [(each.code, each.column, each.count, each.rows) for each in report.findings] == [
        (code, column, 1, (2,))
    ]
    assert report.findings[0].severity == "error"


def test_fractions_are_rounded_half_up_and_told() -> None:
    """Modelled people come in fractions; they are counted in whole ones."""
    places, report, _ = read_places(of_csv("a,117,39,0.5,1", "b,117,39,2.4,1"), "csv")

    assert places.population is not None
    assert places.population.tolist() == [1, 1, 2]
    assert [(each.code, each.count) for each in report.findings] == [("value_rounded", 2)]


def test_a_column_that_may_go_below_zero_is_no_opportunity_unless_asked_for() -> None:
    """Heights are numbers too; nobody counts them."""
    raw = of_csv("a,117,39,1,-1")

    places, report, _ = read_places(raw, "csv")
    assert (places.ids, places.opportunities) == (("z", "a"), ())
    assert [(each.code, each.column) for each in report.findings] == [("column_ignored", "jobs")]


def test_rows_are_numbered_where_there_is_no_id() -> None:
    """Blank lines count as rows and are nothing else."""
    places, report, _ = read_places(b"lng,LAT\n117,39\n\n118,39\n", "csv")

    assert (places.ids, places.names, places.area_ids) == (("1", "3"), ("", ""), ("", ""))
    assert places.population is None
    assert report.findings == ()


@pytest.mark.parametrize(
    ("raw", "form", "code", "fact"),
    [
        (b"", "csv", "PLACES_BROKEN", "no heading"),
        (b"lon,lat\n\xff", "csv", "PLACES_BROKEN", "byte 8"),
        (b'lon,lat\n"1', "csv", "PLACES_BROKEN", "line 2"),
        (b"lon,lat,lon\n1,2,3", "csv", "PLACES_BROKEN", "'lon' twice"),
        (b"lon,height\n1,2", "csv", "PLACES_COLUMN", "lat / latitude"),
        (b"lon,lat\n", "csv", "PLACES_NONE", "0"),
        (b"lon,lat\n999,999\n", "csv", "PLACES_NONE", "1"),
        (b"", "geojson", "PLACES_BROKEN", "truncated"),
        (b"{}", "geojson", "PLACES_BROKEN", "type"),
        (b'{"type": "Feature"}', "geojson", "PLACES_BROKEN", "Feature"),
        (b"[" * 100_000, "geojson", "PLACES_BROKEN", ""),
        (b'{"type":"FeatureCollection","features":[{"geometry":' + b"[" * 100_000, "geojson",
         "PLACES_BROKEN", "recursion"),
        (geojson(POINTS, {}, crs={"properties": {"name": "EPSG:4490"}}), "geojson",
         "PLACES_CRS", "EPSG:4490"),
        (geojson(POINTS, {}, crs={"type": "link"}), "geojson", "PLACES_CRS", "None"),
        (b"", "parquet", "PLACES_BROKEN", ""),
        (b"PAR1 and more, but not what it should PAR1", "parquet", "PLACES_BROKEN", ""),
        (FILES["geoparquet"][0][:-200], "parquet", "PLACES_BROKEN", ""),
        (parquet(COLUMNS), "parquet", "PLACES_COLUMN", "lon / lng"),
        (twice(), "parquet", "PLACES_BROKEN", "lon"),
        (parquet({"shape": wkb(POINTS)}, geo("point")), "parquet", "PLACES_BROKEN", "point"),
        (parquet({"shape": ["a"]}, geo()), "parquet", "PLACES_BROKEN", "no WKB"),
        (parquet({"other": ["a"]}, geo()), "parquet", "PLACES_BROKEN", "no WKB"),
        (parquet({"shape": wkb(POINTS)}, {"columns": 1}), "parquet", "PLACES_BROKEN", "geo"),
        (parquet({"shape": wkb(POINTS)}, geo(crs=None)), "parquet", "PLACES_CRS", "None"),
        (parquet({"shape": wkb(POINTS)}, geo(crs={"name": "Xi'an 1980"})), "parquet",
         "PLACES_CRS", "Xi'an 1980"),
        (parquet({"shape": wkb(POINTS)},
                 geo(crs={"id": {"authority": "EPSG", "code": 3857}})), "parquet",
         "PLACES_CRS", "EPSG:3857"),
    ],
)  # fmt: skip
def test_a_file_of_no_use_is_refused(raw: bytes, form: Format, code: str, fact: str) -> None:
    """By name, with what is wrong; no file makes the reader fail otherwise."""
    with pytest.raises(Refused) as refusal:
        read_places(raw, form)

    assert refusal.value.code == code
    assert fact in " ".join(map(str, refusal.value.facts.values()))


@pytest.mark.parametrize("wanted", ["nothing", "lon", "pop"])
def test_an_opportunity_that_is_none_is_refused(wanted: str) -> None:
    """A misspelt column is not 0 of everything, and people are no opportunity."""
    with pytest.raises(Refused, match="PLACES_COLUMN"):
        read_places(of_csv(), "csv", [wanted])


@pytest.mark.parametrize(
    ("module", "limit", "what", "name"),
    [
        (reading, "BYTES_MAX", "bytes", "csv"),
        (csv_table, "PLACES_MAX", "rows", "csv"),
        (csv_table, "COLUMNS_MAX", "columns", "csv"),
        (parquet_table, "PLACES_MAX", "rows", "geoparquet"),
        (parquet_table, "COLUMNS_MAX", "columns", "geoparquet"),
        (parquet_table, "BYTES_MAX", "bytes", "geoparquet"),
    ],
)
def test_a_file_too_large_is_refused(
    monkeypatch: pytest.MonkeyPatch, module: Any, limit: str, what: str, name: str
) -> None:
    """Also one that would be too large only once it is unpacked."""
    monkeypatch.setattr(module, limit, 2)
    with pytest.raises(Refused) as refusal:
        read_places(*FILES[name])

    assert (refusal.value.code, refusal.value.facts["what"]) == ("PLACES_TOO_LARGE", what)


CRESCENT = shapely.Polygon(
    [(117, 39), (119, 39), (119, 41), (118.9, 41), (118.9, 39.1), (117, 39.1)]
)
CROSSED = shapely.Polygon([(117, 39), (118, 40), (118, 39), (117, 40)])
TWO = shapely.MultiPolygon([shapely.box(117, 39, 117.5, 39.5), shapely.box(118, 40, 118.1, 40.1)])


@pytest.mark.parametrize("form", ["geojson", "parquet"])
def test_shapes_become_points_inside_them(form: Format) -> None:
    """Crescents, areas in parts or crossing themselves do; lines and nothing are no place."""
    line, nothing = shapely.LineString([(117, 39), (118, 40)]), shapely.Polygon()
    shapes = [CRESCENT, CROSSED, TWO, line, nothing, None]
    if form == "geojson":
        raw = geojson(shapes, {})
    else:
        raw = parquet({"shape": [*wkb(shapes[:-1]), None]}, geo())
    places, report, areas = read_places(raw, form)

    inside = [shapely.Point(*each) for each in zip(*places.points, strict=True)]
    assert places.ids == ("1", "2", "3")
    wanted = [CRESCENT, shapely.make_valid(CROSSED), TWO]
    assert shapely.equals(areas, wanted).all()
    assert all(area.covers(point) for area, point in zip(wanted, inside, strict=True))
    assert [(each.code, each.rows) for each in report.findings] == [
        ("geometry_missing", (5, 6)),
        ("geometry_kind", (4,)),
        ("geometry_invalid", (2,)),
    ]


def test_shapes_that_can_not_be_read_are_missing() -> None:
    """Broken bytes, and coordinates that are none, in one row each."""
    shapes = [wkb(POINTS)[0], b"\x01\x03", b"", wkb([shapely.Point(np.nan, 39)])[0]]
    places, report, _ = read_places(parquet({"shape": shapes}, geo()), "parquet")

    assert places.ids == ("1",)
    assert sum(each.count for each in report.findings) == 3


@pytest.mark.parametrize("name", FILES)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
def test_no_bytes_make_the_reading_fail(
    name: str, changes: list[tuple[float, int]], kept: float
) -> None:
    """A file with bytes changed, or cut, gives places or a refusal, and nothing else."""
    whole, form = FILES[name]
    raw = bytearray(whole)
    for place, byte in changes:
        raw[int(place * (len(raw) - 1))] = byte
    if kept < 0.2:
        raw = raw[: int(kept * 5 * len(raw))]
    with suppress(Refused):
        places, report, _ = read_places(bytes(raw), form)
        assert 0 < report.places == len(places.ids) <= report.rows
        assert np.all(np.abs(places.points.lon) <= 180)


@pytest.mark.parametrize("east", ["1e999", "1e308", "400"])
def test_an_area_beyond_the_map_is_left_out(east: str) -> None:
    """However far it reaches, also beyond all numbers."""
    ring = f"[[[0,1],[{east},1],[0,2],[0,1]]]"
    sound = '{"geometry":{"type":"Point","coordinates":[117,39]}}'
    wide = f'{{"geometry":{{"type":"Polygon","coordinates":{ring}}}}}'
    raw = f'{{"type":"FeatureCollection","features":[{sound},{wide}]}}'.encode()

    assert read_places(raw, "geojson").places.ids == ("1",)


def test_a_features_own_id_is_taken_where_all_have_one() -> None:
    """RFC 7946 has ids beside the properties, words or numbers."""
    made = json.loads(geojson(POINTS, {"open": [True, False, None], "at": [{}, [], 1]}))
    for number, feature in enumerate(made["features"]):
        feature["id"] = number + 7
    places, *_ = read_places(json.dumps(made).encode(), "geojson")

    assert places.ids == ("7", "8", "9")
    assert places.opportunities == ()


def test_without_the_library_the_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who installed no extra is told which one, whatever else the machine can do."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "tongcheng.services.mobility.places.parquet_table")
    with pytest.raises(Refused) as refusal:
        read_places(*FILES["parquet"])

    assert (refusal.value.code, refusal.value.facts) == ("MOBILITY_EXTRA", {"package": "pyarrow"})
    assert read_places(*FILES["csv"]).report.places == 3


@pytest.mark.parametrize("within", ["\u2028", "\u0085", "\f", "\v", "\x1c"])
def test_no_character_but_a_line_end_ends_a_row_of_csv(within: str) -> None:
    """Python's own lines end at U+2028 and form feeds too; those of RFC 4180 do not."""
    raw = f"id,name,lon,lat\na,one{within}two,117.1,39.1\r\nb,x,117.2,39.2\r".encode()

    places, report, _ = read_places(raw, "csv")

    assert (places.ids, places.names) == (("a", "b"), (f"one{within}two", "x"))
    assert report.findings == ()


def test_words_that_parquet_writes_once_are_words() -> None:
    """Columns of categories, as data frames write ids and areas, are read as if written out."""
    once = {name: pa.array(COLUMNS[name]).dictionary_encode() for name in ("id", "county")}
    made = parquet(COLUMNS | once | {"longitude": LON, "latitude": LAT})

    once_read, read = (read_places(*each).places for each in ((made, "parquet"), FILES["parquet"]))
    assert (once_read.ids, once_read.area_ids) == (read.ids, read.area_ids)


def test_a_parquet_of_one_long_word_in_every_row_is_refused() -> None:
    """It is packed once, and would be there as often as there are rows: 2 GB of 60 kB."""
    rows = np.zeros(20_000, np.int32)
    word = pa.DictionaryArray.from_arrays(pa.array(rows), pa.array(["x" * 100_000]))
    raw = parquet({"lon": np.full(20_000, 117.0), "lat": np.full(20_000, 39.0), "name": word})
    assert len(raw) < 300_000

    with pytest.raises(Refused, match="PLACES_TOO_LARGE"):
        read_places(raw, "parquet")


def test_what_a_library_says_of_a_file_is_shown_without_control_characters() -> None:
    """A system of coordinates called so would write to the terminal whatever its author likes."""
    with pytest.raises(Refused) as refusal:
        read_places(parquet({"shape": wkb(POINTS)}, geo(crs={"name": "\x1b[31m"})), "parquet")

    assert "\x1b" not in str(refusal.value.facts["crs"])


def test_opportunities_are_found_by_name() -> None:
    """A measure asks for one, and there may be none."""
    places, *_ = read_places(*FILES["csv"])
    jobs = places.of("jobs")

    assert jobs is not None
    assert jobs.tolist() == [5, 6, 0]
    assert places.of("schools") is None
