"""A file of places as a table, whatever format it came in, and what its columns are called."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.numbers import Bool, Float64, Int64

BYTES_MAX: Final = 1 << 30
PLACES_MAX: Final = 5_000_000
COLUMNS_MAX: Final = 1_000
"""A larger file is refused. All of China in cells of 1.5 km is 4.3 million."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "lon": ("lon", "lng", "long", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "id": ("id", "place_id", "cell_id", "zone_id", "code", "编号", "代码"),
    "name": ("name", "place_name", "title", "名称"),
    "area": ("area_id", "area_code", "county", "county_code", "district", "admdvs", "adcode",
             "区划代码"),
    "population": ("population", "pop", "residents", "人口", "常住人口"),
}  # fmt: skip
"""What a column may be called, the earlier the better, in whatever case. Any other is an
opportunity if it is asked for, or if all of it is numbers."""

Value = str | int | float | None


class Table(NamedTuple):
    """Rows of places before anything is judged.

    `rows` are the rows' numbers in the file, from 1. Coordinates are NaN where none could be read;
    `shapeless` is true where a finding says already that there is no shape to have some.
    `areas` are shapely's polygons in degrees, valid ones, None where a place is a point or nothing;
    None where the file has no shapes.
    """

    rows: Int64
    lon: Float64
    lat: Float64
    shapeless: Bool
    columns: Mapping[str, Sequence[Value]]
    areas: NDArray[Any] | None = None


def column_of(role: str, columns: Sequence[str]) -> str | None:
    """Return which column has this role (a key of NAMES), None if none has."""
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(column.strip().casefold(), column)
    return next((plain[name] for name in NAMES[role] if name in plain), None)


def by_columns(rows: Int64, columns: Mapping[str, Sequence[Value]]) -> Table:
    """Return a table that has its coordinates in columns; refuses PLACES_COLUMN without them."""
    found = []
    for role in ("lon", "lat"):
        column = column_of(role, list(columns))
        if column is None:
            raise Refused("PLACES_COLUMN", column=" / ".join(NAMES[role]))
        found.append(numbers(columns[column]))
    return Table(rows, found[0], found[1], np.zeros(len(rows), np.bool_), columns)


def numbers(values: Sequence[Value]) -> Float64:
    """Return values as numbers, NaN for what is none."""
    return np.array([number(value) for value in values], np.float64)


def number(value: Value) -> float:
    """Return a value as a number, NaN for what is none; a comma groups nothing."""
    if isinstance(value, str):
        if "_" in value:  # Python's own way to write numbers, and nobody else's
            return math.nan
        try:
            return float(value)
        except ValueError:
            return math.nan
    if value is None or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def check_size(what: str, size: int, most: int) -> None:
    """Refuse PLACES_TOO_LARGE where there is more than can be taken."""
    if size > most:
        raise Refused("PLACES_TOO_LARGE", what=what, size=size, most=most)
