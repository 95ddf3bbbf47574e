"""Places from GeoParquet 1.x (shapes as WKB), or from Parquet with longitude and latitude."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.places.crs import check_projjson
from tongcheng.services.mobility.places.findings import Findings
from tongcheng.services.mobility.places.shapes import points_of
from tongcheng.services.mobility.places.table import (
    BYTES_MAX,
    COLUMNS_MAX,
    PLACES_MAX,
    Table,
    Value,
    by_columns,
    check_size,
)

_GEO: Final = b"geo"


def parquet_table(raw: bytes, findings: Findings) -> Table:
    """Return the rows of a file.

    Raises:
        Refused: PLACES_BROKEN for what is no Parquet, or has shapes in another way than WKB;
            PLACES_CRS for a system other than WGS-84; PLACES_COLUMN for one that has neither
            shapes nor longitude and latitude; PLACES_TOO_LARGE, also once unpacked.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        about = file.metadata
        check_size("rows", about.num_rows, PLACES_MAX)
        check_size("columns", about.num_columns, COLUMNS_MAX)
        unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        check_size("bytes", unpacked, BYTES_MAX)
        shape = _shape_column(about.metadata)
        table = file.read()
        columns = {
            name: _values(table.column(name))
            for name in table.column_names
            if name != shape and _is_plain(table.schema.field(name).type)
        }
    except (pa.ArrowException, OSError, ValueError, KeyError) as fault:
        what = (str(fault).splitlines() or ["?"])[0]
        raise Refused("PLACES_BROKEN", format="parquet", fault=what[:200]) from None
    rows = np.arange(1, table.num_rows + 1)
    if shape is None:
        return by_columns(rows, columns)
    if shape not in table.column_names or not _is_binary(table.schema.field(shape).type):
        fault_of_shape = f"column {shape!r} holds no WKB"
        raise Refused("PLACES_BROKEN", format="parquet", fault=fault_of_shape)
    texts = np.array(table.column(shape).to_pylist(), object)
    with np.errstate(all="ignore"):
        shapes = shapely.from_wkb(texts, on_invalid="ignore")
    return Table(rows, *points_of(shapes, rows, findings), columns)


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
        raise Refused("PLACES_BROKEN", format="parquet", fault=f"encoding {str(encoding)[:40]}")
    if "crs" in about:  # left out, it is OGC:CRS84; null, it is unknown
        check_projjson(about["crs"])
    return str(primary)


def _is_plain(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    )


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _values(column: Any) -> list[Value]:
    values: list[Any] = column.to_pylist()
    return [
        value if value is None or isinstance(value, str | int | float) else float(value)
        for value in values
    ]
