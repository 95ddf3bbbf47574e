"""One point for each shape: a point itself, of an area its centroid, or a point inside it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from tongcheng.services.mobility.numbers import Bool, Float64, Int64
from tongcheng.services.mobility.places.findings import Findings
from tongcheng.services.mobility.places.table import check_size
from tongcheng.services.mobility.shapes.meetings import corners_beside, meetings

_DEGREES_MAX: Final = 360.0
_POINT: Final = 0
_AREAS: Final = (3, 6)
"""Shapely's geometry types: polygon and multipolygon."""
CROSSINGS_MAX: Final = 50_000
"""In a file, where borders cross themselves, besides one for four corners: to make so many valid
takes two seconds."""
_SMALL: Final = 1_024
"""Corners of an area that are seen through in milliseconds at the worst."""
MEETINGS_MAX: Final = 1_000_000
"""Pieces of border of such areas that may be looked at, two and two, besides usual ones: to see
whether they cross takes a tenth of a second."""
_MEETINGS_EACH: Final = 16
"""The usual ones of each corner; it is less than 1 of areas that people drew."""
_BESIDE_EACH: Final = 1_000
"""The like of whole rings, as of a lake's islands, by their corners."""


class Shapes(NamedTuple):
    """Longitude and latitude of each shape, which rows have none to use, and the areas.

    These are valid; one without an inside is empty.
    """

    lon: Float64
    lat: Float64
    shapeless: Bool
    areas: NDArray[Any]


def points_of(shapes: NDArray[Any], rows: Int64, findings: Findings) -> Shapes:
    """Return a point for each shape, which rows have no shape to use, and the areas.

    `shapes` has None where a shape could not be read. A centroid that lies outside its area, as
    that of a crescent does, gives way to a point on its surface. An area that crosses itself is
    made valid first (GEOS MakeValid); one that has no inside then is empty, and its point is the
    middle of its border. Refuses PLACES_TOO_LARGE where borders meet themselves so often that
    this would take very long.
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
    whole = shapes[drawn]
    _check_large(whole)
    crossed = ~shapely.is_valid(whole)
    findings.add("geometry_invalid", rows[drawn], crossed)
    _check_crossed(whole[crossed])
    inside = shapely.centroid(whole)
    whole[crossed] = shapely.make_valid(whole[crossed], method="structure", keep_collapsed=False)
    there = crossed & ~shapely.is_empty(whole)
    inside[there] = shapely.centroid(whole[there])
    outside = ~shapely.covers(whole, inside) & ~shapely.is_empty(whole)
    inside[outside] = shapely.point_on_surface(whole[outside])
    lon[drawn], lat[drawn] = shapely.get_x(inside), shapely.get_y(inside)
    valid = np.full(len(shapes), None, object)
    valid[drawn] = whole
    return Shapes(lon, lat, ~areas & ~points, valid)


def _check_large(areas: NDArray[Any]) -> None:
    """Refuse areas of which it would take very long to see whether they are valid.

    A small one takes no long time, whatever it looks like.
    """
    corners = shapely.get_num_coordinates(areas)
    large = areas[corners > _SMALL]
    total = int(corners[corners > _SMALL].sum())
    most = MEETINGS_MAX + _MEETINGS_EACH * total
    check_size("crossings", meetings(large, most, alone=True), most)
    most = _BESIDE_EACH * total
    check_size("corners of rings in rings", corners_beside(large, most, alone=True), most)


def _check_crossed(areas: NDArray[Any]) -> None:
    """Refuse areas that it would take very long to make valid."""
    most = CROSSINGS_MAX + int(shapely.get_num_coordinates(areas).sum()) // 4
    check_size("crossings", meetings(areas, most, alone=True), most)
