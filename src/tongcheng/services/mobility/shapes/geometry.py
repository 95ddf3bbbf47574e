"""Points and polygons of WGS-84 in whole micro-degrees, as GeoJSON and as well-known binary.

Six decimals of a degree are 11 cm. Whole numbers have one spelling, so the bytes of a file do not
hang on how a processor rounds. Rings are closed; outer ones run counterclockwise and holes
clockwise, as RFC 7946 (3.1.6) and GeoParquet's `orientation` want them.
"""

import struct
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

MICRO: Final = 1_000_000
"""Units of a degree."""

Position: TypeAlias = tuple[int, int]
"""Longitude and latitude in micro-degrees."""
Ring: TypeAlias = tuple[Position, ...]
Polygon: TypeAlias = tuple[Ring, ...]
"""An outer ring, then its holes."""


class Point(NamedTuple):
    """A place."""

    at: Position


class MultiPolygon(NamedTuple):
    """Polygons whose insides do not meet; at least one."""

    polygons: tuple[Polygon, ...]


Geometry: TypeAlias = Point | MultiPolygon

_LITTLE_ENDIAN: Final = 1
_POINT, _POLYGON, _MULTI_POLYGON = 1, 3, 6


def micro(degrees: float) -> int:
    """Return degrees in whole micro-degrees, the nearest."""
    return round(degrees * MICRO)


def double_area(ring: Ring) -> int:
    """Return twice the area of a ring in square micro-degrees, above 0 if counterclockwise."""
    return sum(one[0] * two[1] - two[0] * one[1] for one, two in pairwise(ring))


def bounds(geometry: Geometry) -> tuple[int, int, int, int]:
    """Return west, south, east and north."""
    if isinstance(geometry, Point):
        return (*geometry.at, *geometry.at)
    outer = [position for polygon in geometry.polygons for position in polygon[0]]
    lons, lats = [lon for lon, _ in outer], [lat for _, lat in outer]
    return min(lons), min(lats), max(lons), max(lats)


def geojson(geometry: Geometry) -> dict[str, object]:
    """Return a geometry object of RFC 7946."""
    if isinstance(geometry, Point):
        return {"type": "Point", "coordinates": _degrees(geometry.at)}
    polygons = [[list(map(_degrees, ring)) for ring in polygon] for polygon in geometry.polygons]
    return {"type": "MultiPolygon", "coordinates": polygons}


def well_known_binary(geometry: Geometry) -> bytes:
    """Return ISO WKB, little-endian, as GeoParquet keeps it (OGC 06-103r4, clause 8)."""
    if isinstance(geometry, Point):
        return struct.pack("<BIdd", _LITTLE_ENDIAN, _POINT, *_degrees(geometry.at))
    written = [struct.pack("<BII", _LITTLE_ENDIAN, _MULTI_POLYGON, len(geometry.polygons))]
    for polygon in geometry.polygons:
        written.append(struct.pack("<BII", _LITTLE_ENDIAN, _POLYGON, len(polygon)))
        for ring in polygon:
            flat = [degrees for position in ring for degrees in _degrees(position)]
            written.append(struct.pack(f"<I{len(flat)}d", len(ring), *flat))
    return b"".join(written)


def _degrees(position: Position) -> tuple[float, float]:
    """Return degrees: the floats nearest to the six decimals, which is also how they are told."""
    return position[0] / MICRO, position[1] / MICRO
