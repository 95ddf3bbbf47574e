"""Writes tables to Parquet, GeoParquet, GeoJSON or CSV by their suffix, with their method.

The same rows give the same bytes however they are handed over: row groups have a fixed size, and
nothing tells of a time or a machine. Parquet names the program that wrote it in its footer, so
files of two versions of Arrow differ there; `tongcheng.writer` says which it was.

- Parquet: the method is in the file's metadata as `tongcheng.method`, canonical JSON.
- GeoParquet 1.1.0: a column `geometry` of WKB, and `geo` in the metadata.
- GeoJSON, RFC 7946: the method is the member `method` of the collection.
- CSV, RFC 4180: shapes are left out; `<name>.method.json` beside it holds method and digest.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.whole_file import open_whole
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.shapes.geometry import (
    MICRO,
    Geometry,
    bounds,
    geojson,
    well_known_binary,
)

PARQUET: Final = ".parquet"
CSV: Final = ".csv"
GEOJSON: Final = ".geojson"
METHOD_SUFFIX: Final = ".method.json"
ROWS_A_GROUP: Final = 262_144
"""Rows of a row group, in any case: a file's bytes follow from its rows alone."""
GEOMETRY: Final = "geometry"
Kind: TypeAlias = Literal["Point", "MultiPolygon"]
Shapes: TypeAlias = Sequence[Geometry | None]
_COMPRESSION: Final = "lz4"
_FORMULA: Final = r"^[=+\-@\t\r]"
"""How a text begins that a spreadsheet takes for a formula."""


class _Format(Protocol):
    """Writes rows, at most ROWS_A_GROUP at a time, and what a file ends with."""

    def rows(self, table: pa.Table, shapes: Shapes) -> None: ...

    def end(self) -> None: ...


class TableFile:
    """A table being written."""

    def __init__(self, written: _Format, schema: pa.Schema, kind: Kind | None) -> None:
        self._format, self._schema, self._kind = written, schema, kind
        self._tables: list[pa.Table] = []
        self._shapes: list[Geometry | None] = []
        self._waiting = 0

    def add(self, table: pa.Table, shapes: Shapes = ()) -> None:
        """Add rows of the file's schema, with a shape (or None) each if the file has shapes."""
        assert table.schema.equals(self._schema), "rows have the file's columns"
        assert len(shapes) == (table.num_rows if self._kind else 0), "a shape for each row"
        assert all(type(each).__name__ in {self._kind, "NoneType"} for each in shapes), "one kind"
        self._tables.append(table)
        self._shapes += shapes
        self._waiting += table.num_rows
        while self._waiting >= ROWS_A_GROUP:
            self._write(ROWS_A_GROUP)

    def finish(self) -> None:
        """Write what is left."""
        if self._waiting:
            self._write(self._waiting)
        self._format.end()

    def _write(self, rows: int) -> None:
        joined = pa.concat_tables(self._tables)
        # In one piece, as pages end where pieces do.
        self._format.rows(_own_words(joined.slice(0, rows).combine_chunks()), self._shapes[:rows])
        self._tables, self._shapes = [joined.slice(rows)], self._shapes[rows:]
        self._waiting -= rows


@contextmanager
def open_table(
    path: Path, schema: pa.Schema, method: Method, kind: Kind | None = None
) -> Iterator[TableFile]:
    """Open a file that takes its name when the block ends without a fault.

    `kind` says what the rows' shapes are, None that they have none. Refuses MOBILITY_OUT for a
    suffix that is none of ours, GeoJSON without shapes, or where the file can not be written.
    """
    suffix = path.suffix.lower()
    if suffix not in {PARQUET, CSV, GEOJSON} or (suffix == GEOJSON and kind is None):
        raise Refused("MOBILITY_OUT", file=path.name, fault=suffix or "–")
    try:
        with open_whole(path, 0o644) as file:
            hashed = _Hashed(file)
            written = _format(hashed, schema, method, kind, suffix)
            table = TableFile(written, schema, kind)
            try:
                yield table
                table.finish()
            except BaseException:
                # Arrow closes it otherwise; that it can not be closed is not what went wrong.
                with suppress(pa.ArrowException, OSError):
                    written.end()
                raise
        if suffix == CSV:
            _write_method(path, hashed.digest, method)
    except OSError as fault:
        raise Refused("MOBILITY_OUT", file=path.name, fault=fault.strerror or "?") from None


def write_table(
    path: Path, table: pa.Table, method: Method, shapes: Shapes = (), kind: Kind | None = None
) -> None:
    """Write a whole table; refuses as `open_table`."""
    with open_table(path, table.schema, method, kind) as file:
        file.add(table, shapes)


def _format(
    file: "_Hashed", schema: pa.Schema, method: Method, kind: Kind | None, suffix: str
) -> _Format:
    if suffix == PARQUET:
        return _Parquet(file, schema, method, kind)
    if suffix == CSV:
        return _Csv(file, schema)
    return _GeoJson(file, method)


def _write_method(path: Path, digest: str, method: Method) -> None:
    """Write the method of a CSV after it; of a CSV that was changed since, the digest is wrong."""
    told = {"file": path.name, "method": method.plain(), "sha256": digest}
    with open_whole(path.with_name(f"{path.name}{METHOD_SUFFIX}")) as file:
        file.write(canonical.encode(told))


class _Hashed:
    """A file that knows the digest of what was written to it; Arrow asks no more of a file."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash = file, hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def write(self, raw: bytes) -> int:
        self._hash.update(raw)
        return self._file.write(raw)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leave it open: who opened it syncs it."""


class _Parquet:
    """Words by their dictionary, whole numbers as differences, shapes as WKB."""

    def __init__(self, file: _Hashed, schema: pa.Schema, method: Method, kind: Kind | None) -> None:
        self._kind, self._bounds = kind, [(180 * MICRO, 90 * MICRO, -180 * MICRO, -90 * MICRO)]
        columns = [schema.field(name) for name in schema.names]
        if kind:
            columns.append(pa.field(GEOMETRY, pa.binary()))
        notes = {
            "tongcheng.method": method.encoded().decode(),
            "tongcheng.writer": f"pyarrow {pa.__version__}",
        }
        self._schema = pa.schema(columns, metadata=notes)
        numbers = [field.name for field in columns if pa.types.is_integer(field.type)]
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression={
                field.name: "none" if field.name in numbers else _COMPRESSION for field in columns
            },
            use_dictionary=[f.name for f in columns if pa.types.is_dictionary(f.type)],
            column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
            write_statistics=False,
            store_schema=True,
        )

    def rows(self, table: pa.Table, shapes: Shapes) -> None:
        if self._kind:
            wkb = [None if each is None else well_known_binary(each) for each in shapes]
            table = table.append_column(GEOMETRY, pa.array(wkb, pa.binary()))
            west, south, east, north = zip(
                *self._bounds, *(bounds(each) for each in shapes if each is not None), strict=True
            )
            self._bounds = [(min(west), min(south), max(east), max(north))]
        self._writer.write_table(
            table.replace_schema_metadata(self._schema.metadata), row_group_size=ROWS_A_GROUP
        )

    def end(self) -> None:
        if self._kind:
            self._writer.add_key_value_metadata({"geo": json.dumps(self._geo(), sort_keys=True)})
        self._writer.close()

    def _geo(self) -> dict[str, Any]:
        """Return the metadata of GeoParquet 1.1.0; without `crs` it is OGC:CRS84, WGS-84."""
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": [self._kind],
            "edges": "planar",
            "orientation": "counterclockwise",
        }
        (west, south, east, north) = self._bounds[0]
        if west <= east:
            column["bbox"] = [each / MICRO for each in (west, south, east, north)]
        return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


class _Csv:
    """CSV in UTF-8 with a line of names; texts that look like formulas begin with a quote."""

    def __init__(self, file: _Hashed, schema: pa.Schema) -> None:
        plain = [pa.field(name, _plain(schema.field(name).type)) for name in schema.names]
        self._schema = pa.schema(plain)
        self._writer = pyarrow.csv.CSVWriter(
            file, self._schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed")
        )

    def rows(self, table: pa.Table, shapes: Shapes) -> None:
        del shapes
        columns = [_quoted(column) for column in table.cast(self._schema).columns]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def end(self) -> None:
        self._writer.close()


class _GeoJson:
    """One feature a line, so that a difference between two files can be read."""

    def __init__(self, file: _Hashed, method: Method) -> None:
        self._file, self._mark = file, ""
        told = _json(method.plain())
        file.write(f'{{"type":"FeatureCollection","method":{told},"features":['.encode())

    def rows(self, table: pa.Table, shapes: Shapes) -> None:
        for row, shape in zip(table.to_pylist(), shapes, strict=True):
            feature = {
                "type": "Feature",
                "geometry": None if shape is None else geojson(shape),
                "properties": row,
            }
            self._file.write(f"{self._mark}\n{_json(feature)}".encode())
            self._mark = ","

    def end(self) -> None:
        self._file.write(b"\n]}\n")


def _own_words(table: pa.Table) -> pa.Table:
    """Return rows with dictionaries of their own words alone, whatever they came with."""
    columns = [
        column.cast(column.type.value_type).dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema).combine_chunks()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    quoted = pc.binary_join_element_wise("'", column, "")
    return pc.if_else(pc.match_substring_regex(column, _FORMULA), quoted, column)
