"""Comparisons as files: people by place and area, shapes of what is gained, figures of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from tongcheng.services.mobility.isochrones import Cells
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.output.features import SCHEMA
from tongcheng.services.mobility.output.files import write_table
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.study.circle import Answer
from tongcheng.services.mobility.study.compare import Change, Gain, gain_bands, gain_columns
from tongcheng.services.mobility.study.reach import Spot

SHAPES: Final = frozenset({".geojson"})
"""Suffixes of files that get shapes; all others get the table of areas."""


class SeenFrom(NamedTuple):
    """A place, what was answered there before and after, and the people by area."""

    name: str
    spot: Spot
    before: Answer
    after: Answer
    rows: list[Gain]


def write_gains(
    path: Path, seen: Sequence[SeenFrom], minutes: Sequence[int], within_s: Sequence[int],
    people: Int64, cells: Callable[[], Cells], method: Method,
) -> None:  # fmt: skip
    """Write what is seen from some places: shapes as GeoJSON, else a row for each place and area.

    `cells` are made where shapes are written. Refuses as `output.files.open_table` and
    `isochrones.isochrones`.
    """
    if path.suffix.lower() not in SHAPES:
        write_table(path, gains_table(seen, within_s), method)
        return
    shapes = cells()
    rows = [
        (each.name, band)
        for each in seen
        for band in gain_bands(each.before, each.after, people, shapes, minutes)
    ]
    schema = SCHEMA.insert(0, pa.field("place", pa.string()))
    table = pa.Table.from_pylist(
        [{"place": name, **band.properties()} for name, band in rows], schema=schema
    )
    write_table(path, table, method, [band.shape for _, band in rows], "MultiPolygon")


def gains_table(seen: Sequence[SeenFrom], within_s: Sequence[int]) -> pa.Table:
    """Return a row for each place and area: `p50_gained_3600_s` and the like."""
    rows = [(each.name, row) for each in seen for row in each.rows]
    return pa.table(
        {
            "place": pa.array([name for name, _ in rows], pa.string()),
            "area_id": pa.array([row.area_id for _, row in rows], pa.string()),
            "name": pa.array([row.name for _, row in rows], pa.string()),
            "people": pa.array([row.people for _, row in rows], pa.int64()),
            **gain_columns([row for _, row in rows], within_s),
        }
    )


def points_table(points: Places, people: Int64, change: Change, within_s: int) -> pa.Table:
    """Return a row for each point: the people within a time of it, before and after."""
    columns = {
        f"{regime}_{side}_{within_s}_s": pa.array(found[regime])
        for regime in change.before
        for side, found in (("before", change.before), ("after", change.after))
    }
    return pa.table(
        {
            "point_id": pa.array(points.ids, pa.string()),
            "name": pa.array(points.names, pa.string()),
            "people": pa.array(people),
            **columns,
        }
    )
