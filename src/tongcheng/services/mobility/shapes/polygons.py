"""The union of polygons that are given, and hexagons that are assumed where none are.

GEOS (by shapely) unites in whole micro-degrees, so its corners are whole again; rings are then
turned and put in order here, whatever order GEOS gives them in.
"""

from collections.abc import Sequence
from math import cos, pi, radians, sin
from typing import Any, Final

import numpy as np
import shapely

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.shapes.geometry import (
    MICRO,
    MultiPolygon,
    Polygon,
    Position,
    Ring,
    double_area,
    micro,
)

RADIUS_MAX_M: Final = 100_000
DEGREE_M: Final = 111_195
"""Metres of a degree of latitude, on a sphere of 6,371 km."""
LATITUDE_MAX: Final = 85.0
"""Nearer to a pole a hexagon's width in degrees has no meaning."""
_CORNERS: Final = 6


def united(shapes: Sequence[MultiPolygon]) -> MultiPolygon | None:
    """Return what any of the shapes covers, None of none.

    Refuses MOBILITY_POLYGON for one that crosses itself.
    """
    parts = [
        shapely.MultiPolygon([(outer, holes) for outer, *holes in shape.polygons])
        for shape in shapes
    ]
    for at in np.flatnonzero(~shapely.is_valid(parts)).tolist():
        raise Refused("MOBILITY_POLYGON", row=at, fault=shapely.is_valid_reason(parts[at]))
    # Uniting in whole numbers from the start takes forty times as long.
    return of_shapely(shapely.set_precision(shapely.union_all(parts), 1))


def hexagon(lon: float, lat: float, radius_m: int) -> MultiPolygon:
    """Return a hexagon round a point, corners `radius_m` from it, one of them to the north.

    Nobody knows the true shape of a scattered cell: whoever draws this says that it is assumed.
    Refuses MOBILITY_PARAMETER.
    """
    if not 1 <= radius_m <= RADIUS_MAX_M:
        raise Refused(
            "MOBILITY_PARAMETER", name="radius_m", given=str(radius_m), least=1, most=RADIUS_MAX_M
        )
    assert abs(lat) <= LATITUDE_MAX, "a place where people live"
    high = radius_m / DEGREE_M
    wide = high / cos(radians(lat))
    angles = [pi / 2 + at * 2 * pi / _CORNERS for at in range(_CORNERS)]
    corners = [(micro(lon + wide * cos(each)), micro(lat + high * sin(each))) for each in angles]
    return MultiPolygon(((_turned((*corners, corners[0]), is_outer=True),),))


def rounded(shape: Any) -> MultiPolygon | None:
    """Return a shapely (multi)polygon in degrees as ours, corners rounded to micro-degrees.

    None where nothing of it is left. Rounding never makes it cross itself (GEOS reduces precision).
    """
    scaled = shapely.transform(shape, lambda degrees: degrees * MICRO)
    return of_shapely(shapely.set_precision(scaled, 1))


def of_shapely(shape: Any) -> MultiPolygon | None:
    """Return a shape of whole coordinates in our order; lines and points left over are no area."""
    parts = [
        each
        for each in shapely.get_parts(shape).tolist()
        if each.geom_type == "Polygon" and not each.is_empty
    ]
    polygons: list[Polygon] = []
    for part in parts:
        outer = _turned(_positions(part.exterior), is_outer=True)
        holes = sorted(_turned(_positions(each), is_outer=False) for each in part.interiors)
        polygons.append((outer, *holes))
    return MultiPolygon(tuple(sorted(polygons))) if polygons else None


def _positions(ring: Any) -> Ring:
    return tuple((round(lon), round(lat)) for lon, lat in ring.coords)


def _turned(ring: Ring, *, is_outer: bool) -> Ring:
    """Return a closed ring that runs the right way round and begins at its least corner."""
    corners: list[Position] = list(ring[:-1])
    if (double_area(ring) > 0) != is_outer:
        corners.reverse()
    least = corners.index(min(corners))
    return (*corners[least:], *corners[:least], corners[least])


assert MICRO * 360 < 1 << 53, "whole micro-degrees are exact in floats"
