"""Places from GeoParquet 1.x (shapes as WKB), or from Parquet with longitude and latitude."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import printable
from tongcheng.services.mobility.places.crs import check_projjson
from tongcheng.services.mobility.places.findings import Findings
from tongcheng.services.mobility.places.shapes import points_of
from tongcheng.services.mobility.places.table import (
    BYTES_MAX,
    COLUMNS_MAX,
    PLACES_MAX,
    Table,
    by_columns,
    check_size,
)

_GEO: Final = b"geo"
_NUMBER_BYTES: Final = 8


def parquet_table(raw: bytes, findings: Findings) -> Table:
    """Return the rows of a file.

    Raises:
        Refused: PLACES_BROKEN for what is no Parquet, or has shapes in another way than WKB;
            PLACES_CRS for a system other than WGS-84; PLACES_COLUMN for one that has neither
            shapes nor longitude and latitude; PLACES_TOO_LARGE, also once unpacked.
    """
    try:
        about = pq.ParquetFile(pa.BufferReader(raw)).metadata
        check_size("rows", about.num_rows, PLACES_MAX)
        check_size("columns", about.num_columns, COLUMNS_MAX)
        unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        check_size("bytes", unpacked, BYTES_MAX)
        shape = _shape_column(about.metadata)
        table = _read(raw, shape)
        columns = {
            name: _values(table.column(name)) for name in table.column_names if name != shape
        }
    except (pa.ArrowException, OSError, ValueError, KeyError) as fault:
        what = (str(fault).splitlines() or ["?"])[0]
        raise Refused("PLACES_BROKEN", format="parquet", fault=printable(what, 200)) from None
    rows = np.arange(1, table.num_rows + 1)
    if shape is None:
        return by_columns(rows, columns)
    if shape not in table.column_names or not _is_binary(_plain_of(table.column(shape).type)):
        fault_of_shape = f"column {shape!r} holds no WKB"
        raise Refused("PLACES_BROKEN", format="parquet", fault=fault_of_shape)
    texts = np.array(_values(table.column(shape)), object)
    with np.errstate(all="ignore"):
        shapes = shapely.from_wkb(texts, on_invalid="ignore")
    found = points_of(shapes, rows, findings)
    return Table(rows, found.lon, found.lat, found.shapeless, columns, found.areas)


def _read(raw: bytes, shape: str | None) -> pa.Table:
    """Return the columns that are of use, words and shapes once each; refuses PLACES_TOO_LARGE.

    A value that stands in all rows is packed once, so what a file unpacks to by its own word does
    not bound what its rows hold.
    """
    schema = pq.ParquetFile(pa.BufferReader(raw)).schema_arrow
    kinds = {each.name: _plain_of(each.type) for each in schema}
    used = [name for name, kind in kinds.items() if name == shape or _is_plain(kind)]
    words = [name for name in used if _is_binary(kinds[name]) or _is_text(kinds[name])]
    file = pq.ParquetFile(pa.BufferReader(raw), read_dictionary=words)
    size = file.metadata.num_rows * _NUMBER_BYTES * (len(used) - len(words))
    check_size("bytes", size, BYTES_MAX)
    table = file.read(columns=used)
    for name in words:
        for chunk in table.column(name).chunks:
            if pa.types.is_dictionary(chunk.type):
                each = pc.binary_length(chunk.dictionary).cast(pa.int64())
                size += pc.sum(each.take(chunk.indices)).as_py() or 0
            else:
                size += chunk.nbytes
    check_size("bytes", size, BYTES_MAX)
    return table


def _shape_column(metadata: dict[bytes, bytes] | None) -> str | None:
    """Return which column has the shapes by the file's own word, None without such a word."""
    if not metadata or _GEO not in metadata:
        return None
    try:
        geo = msgspec.json.decode(metadata[_GEO])
        primary = geo["primary_column"]
        about = geo["columns"][primary]
        encoding = about["encoding"]
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError):
        raise Refused("PLACES_BROKEN", format="parquet", fault="metadata `geo`") from None
    if encoding != "WKB":
        raise Refused(
            "PLACES_BROKEN", format="parquet", fault=f"encoding {printable(str(encoding), 40)}"
        )
    if "crs" in about:  # left out, it is OGC:CRS84; null, it is unknown
        check_projjson(about["crs"])
    return str(primary)


def _plain_of(kind: Any) -> Any:
    """Return the type of what a column holds, also where each value is written once."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_plain(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or _is_text(kind)
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _values(column: Any) -> list[Any]:
    """Return a column's values; a word that is written once is there once."""
    found: list[Any] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            words = [_value(each) for each in chunk.dictionary.to_pylist()]
            found += [None if at is None else words[at] for at in chunk.indices.to_pylist()]
        else:
            found += [_value(each) for each in chunk.to_pylist()]
    return found


def _value(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bytes | int | float) else float(value)
