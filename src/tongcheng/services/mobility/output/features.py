"""Writes isochrones as GeoJSON, GeoParquet or CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from tongcheng.services.mobility.isochrones import Isochrone
from tongcheng.services.mobility.output.files import write_table
from tongcheng.services.mobility.output.method import Method

SCHEMA: Final = pa.schema(
    [
        pa.field("minutes", pa.int32()),
        pa.field("above_minutes", pa.int32()),
        pa.field("regime", pa.string()),
        pa.field("people", pa.int64()),
        pa.field("cells", pa.int64()),
        pa.field("cell_shape", pa.string()),
    ]
)
"""The properties of a band, as `Isochrone` describes them."""


def write_isochrones(path: Path, bands: Sequence[Isochrone], method: Method) -> None:
    """Write bands, the nearest first; refuses as `open_table`."""
    rows = pa.Table.from_pylist([band.properties() for band in bands], schema=SCHEMA)
    write_table(path, rows, method, [band.shape for band in bands], "MultiPolygon")
