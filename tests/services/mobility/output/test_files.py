"""Result files: the same rows give the same bytes, carry their method, and are there whole."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.services.mobility.output.test_method import METHOD
from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.output import files
from tongcheng.services.mobility.output.files import open_table, write_table
from tongcheng.services.mobility.shapes.geometry import Geometry, MultiPolygon, Point
from tongcheng.services.mobility.shapes.lattice import Grid

GRID = Grid(116_000_000, 39_000_000, 20_000, 15_000)
SHAPES: list[Geometry | None] = [GRID.cell((0, 0)), None, GRID.union([(1, 1), (2, 2)])]
WORD = pa.dictionary(pa.int32(), pa.string())
TABLE = pa.table(
    {
        "id": pa.array(["东城", '=cmd|"x"', None]).dictionary_encode(),
        "name": ["a,b", "-1+1", "plain"],
        "seconds": pa.array([0, None, 65_534], pa.uint16()),
        "people": pa.array([10**12, 5, 0], pa.int64()),
        "share": [0.1, None, 1.0],
    },
    schema=pa.schema(
        [
            pa.field("id", WORD),
            pa.field("name", pa.string()),
            pa.field("seconds", pa.uint16()),
            pa.field("people", pa.int64()),
            pa.field("share", pa.float64()),
        ]
    ),
)


def geo_of(path: Path) -> dict[str, Any]:
    """Return the metadata of GeoParquet, where every program that writes it puts it."""
    geo: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[b"geo"])
    return geo


def written(path: Path, times: int = 1, rows: int = 3) -> bytes:
    """Write the table so often, in pieces of some rows, and return the file's bytes."""
    with open_table(path, TABLE.schema, METHOD, "MultiPolygon") as file:
        for _ in range(times):
            for begin in range(0, 3, rows):
                part = TABLE.slice(begin, rows).to_pylist()
                table = pa.Table.from_pylist(part, schema=TABLE.schema)  # with its own words alone
                file.add(table, SHAPES[begin : begin + rows])
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".geojson", ".PARQUET"])
@pytest.mark.parametrize("group", [2, 3, 4, 262_144])
def test_the_pieces_change_no_byte(
    suffix: str, group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows handed over one by one or all at once, under any name."""
    monkeypatch.setattr(files, "ROWS_A_GROUP", group)
    one = written(tmp_path / f"one{suffix}", times=5, rows=1)

    assert one == written(tmp_path / f"two{suffix}", times=5, rows=3)
    assert not list(tmp_path.glob("*.part"))


def test_parquet_reads_back_with_its_method_and_shapes(tmp_path: Path) -> None:
    """GeoParquet 1.1.0: WKB, the member geo with bounds, the method beside it."""
    path = tmp_path / "areas.parquet"
    written(path)
    read = pq.read_table(path)
    geo = geo_of(path)

    assert read.drop_columns("geometry").replace_schema_metadata(None).equals(TABLE)
    assert canonical.decode(read.schema.metadata[b"tongcheng.method"]) == METHOD.plain()
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"] == {
        "encoding": "WKB",
        "geometry_types": ["MultiPolygon"],
        "edges": "planar",
        "orientation": "counterclockwise",
        "bbox": [116.0, 39.0, 116.06, 39.045],
    }
    shapes = shapely.from_wkb(read.column("geometry").to_pylist())
    assert [None if each is None else each.area for each in shapes] == [
        pytest.approx(0.02 * 0.015), None, pytest.approx(2 * 0.02 * 0.015),
    ]  # fmt: skip


def test_geojson_is_a_collection_with_its_method(tmp_path: Path) -> None:
    """RFC 7946; a row without a shape keeps its properties."""
    path = tmp_path / "areas.geojson"
    read = json.loads(written(path))

    assert read["type"] == "FeatureCollection"
    assert read["method"] == METHOD.plain()
    assert [each["properties"] for each in read["features"]] == TABLE.to_pylist()
    assert read["features"][1]["geometry"] is None
    shapes = [shapely.from_geojson(json.dumps(read["features"][at]["geometry"])) for at in (0, 2)]
    assert [shape.bounds for shape in shapes] == [
        (116.0, 39.0, 116.02, 39.015),
        (116.02, 39.015, 116.06, 39.045),
    ]


def test_csv_has_its_method_beside_it(tmp_path: Path) -> None:
    """With the digest of the very file; no text in it is a formula."""
    path = tmp_path / "areas.csv"
    raw = written(path)
    beside = canonical.decode((tmp_path / "areas.csv.method.json").read_bytes())
    rows = list(csv.DictReader(raw.decode().splitlines()))

    assert beside == {
        "file": "areas.csv",
        "method": METHOD.plain(),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    assert [row["id"] for row in rows] == ["东城", '\'=cmd|"x"', ""]
    assert [row["name"] for row in rows] == ["a,b", "'-1+1", "plain"]
    assert [row["seconds"] for row in rows] == ["0", "", "65534"]
    assert [row["share"] for row in rows] == ["0.1", "", "1"]


def test_points_and_tables_without_shapes(tmp_path: Path) -> None:
    """Cells are points; a table without shapes is plain Parquet."""
    write_table(tmp_path / "a.parquet", TABLE, METHOD, [Point((1, 2))] * 3, "Point")
    write_table(tmp_path / "b.parquet", TABLE, METHOD)
    without = pq.read_schema(tmp_path / "b.parquet")

    assert geo_of(tmp_path / "a.parquet")["columns"]["geometry"]["bbox"] == [
        1e-06, 2e-06, 1e-06, 2e-06,
    ]  # fmt: skip
    assert without.names == TABLE.schema.names
    assert b"geo" not in pq.read_metadata(tmp_path / "b.parquet").metadata


def test_no_rows_are_a_file_too(tmp_path: Path) -> None:
    """Nobody reached is a result; without shapes there are no bounds."""
    for suffix in (".parquet", ".geojson", ".csv"):
        write_table(tmp_path / f"none{suffix}", TABLE.slice(0, 0), METHOD, [], "MultiPolygon")
    read = pq.read_table(tmp_path / "none.parquet")

    assert read.num_rows == 0
    assert "bbox" not in geo_of(tmp_path / "none.parquet")["columns"]["geometry"]
    assert json.loads((tmp_path / "none.geojson").read_bytes())["features"] == []
    assert (tmp_path / "none.csv").read_text("utf-8").count("\n") == 1


@pytest.mark.parametrize(
    ("name", "kind"), [("a.xlsx", "Point"), ("a", "Point"), ("a.geojson", None), ("no/a.csv", None)]
)
def test_a_file_that_can_not_be_written_is_refused(name: str, kind: Any, tmp_path: Path) -> None:
    """By its suffix, for want of shapes, or by the system: and nothing is left."""
    with pytest.raises(Refused, match="MOBILITY_OUT"):
        write_table(tmp_path / name, TABLE, METHOD, [None] * 3 if kind else (), kind)

    assert list(tmp_path.iterdir()) == []


def begun(path: Path) -> None:
    """Write half of a file, and fail."""
    with open_table(path, TABLE.schema, METHOD, "MultiPolygon") as file:
        file.add(TABLE, SHAPES)
        raise ZeroDivisionError


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".geojson"])
def test_a_fault_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    """And its method, if it had one beside it."""
    path = tmp_path / f"areas{suffix}"
    before = written(path)
    names = sorted(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError):
        begun(path)

    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == names


def test_a_shape_of_another_kind_is_our_own_fault(tmp_path: Path) -> None:
    """Metadata that say points must not lie."""
    with pytest.raises(AssertionError, match="one kind"):
        write_table(tmp_path / "a.parquet", TABLE, METHOD, [MultiPolygon(())] * 3, "Point")
