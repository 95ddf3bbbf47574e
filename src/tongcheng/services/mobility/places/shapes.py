"""One point for each shape: a point itself, of an area its centroid, or a point inside it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from tongcheng.services.mobility.numbers import Bool, Float64, Int64
from tongcheng.services.mobility.places.findings import Findings

_DEGREES_MAX: Final = 360.0
_POINT: Final = 0
_AREAS: Final = (3, 6)
"""Shapely's geometry types: polygon and multipolygon."""


class Shapes(NamedTuple):
    """Longitude and latitude of each shape, which rows have none to use, and the valid areas."""

    lon: Float64
    lat: Float64
    shapeless: Bool
    areas: NDArray[Any]


def points_of(shapes: NDArray[Any], rows: Int64, findings: Findings) -> Shapes:
    """Return a point for each shape, which rows have no shape to use, and the areas.

    `shapes` has None where a shape could not be read. A centroid that lies outside its area, as
    that of a crescent does, gives way to a point on its surface. An area that crosses itself is
    made valid first (GEOS MakeValid).
    """
    kinds = shapely.get_type_id(shapes)
    missing = (kinds == -1) | shapely.is_empty(shapes)
    areas = np.isin(kinds, _AREAS) & ~missing
    points = (kinds == _POINT) & ~missing
    findings.add("geometry_missing", rows, missing)
    findings.add("geometry_kind", rows, ~missing & ~areas & ~points)
    lon, lat = np.full(len(shapes), np.nan), np.full(len(shapes), np.nan)
    lon[points], lat[points] = shapely.get_x(shapes[points]), shapely.get_y(shapes[points])
    # What reaches beyond the map is left to whoever checks coordinates: NaN.
    with np.errstate(invalid="ignore"):
        drawn = areas & (np.abs(shapely.bounds(shapes)) <= _DEGREES_MAX).all(axis=1)
    crossed = drawn & ~shapely.is_valid(shapes)
    findings.add("geometry_invalid", rows, crossed)
    whole = shapes[drawn]
    whole[crossed[drawn]] = shapely.make_valid(whole[crossed[drawn]])
    inside = shapely.centroid(whole)
    outside = ~shapely.covers(whole, inside)
    inside[outside] = shapely.point_on_surface(whole[outside])
    lon[drawn], lat[drawn] = shapely.get_x(inside), shapely.get_y(inside)
    valid = np.full(len(shapes), None, object)
    valid[drawn] = whole
    return Shapes(lon, lat, ~areas & ~points, valid)
