"""The outline of a region's divisions, as its pack brings it: GeoJSON, a multipolygon for each.

It is a background, rounded and generalised: it tells land from sea, and no border is read off it.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.shapes.geometry import Polygon, Ring, micro

OUTLINE_FILE: Final = "outline.geojson"

_Lon = Annotated[float, Meta(ge=-180, le=180)]
_Lat = Annotated[float, Meta(ge=-90, le=90)]
_Ring = Annotated[tuple[tuple[_Lon, _Lat], ...], Meta(min_length=4)]


class _Properties(msgspec.Struct):
    division: Annotated[str, Meta(pattern="^[0-9]{6}$")]


class _Geometry(msgspec.Struct):
    type: Literal["MultiPolygon"]
    coordinates: tuple[Annotated[tuple[_Ring, ...], Meta(min_length=1)], ...]


class _Feature(msgspec.Struct):
    properties: _Properties
    geometry: _Geometry


class _Collection(msgspec.Struct):
    type: Literal["FeatureCollection"]
    features: Annotated[tuple[_Feature, ...], Meta(min_length=1)]


class Division(NamedTuple):
    """A division of the first rank: its code, and polygons in micro-degrees of WGS-84."""

    division: str
    polygons: tuple[Polygon, ...]


class Outline(NamedTuple):
    """A region's divisions in the file's order. `digest` is the hex SHA-256 of the file."""

    digest: str
    divisions: tuple[Division, ...]


def read_outline(file: str, raw: bytes) -> Outline:
    """Return the outline that a file holds; refuses FACTS_DOCUMENT for what is none."""
    try:
        found = msgspec.json.decode(raw, type=_Collection)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused("FACTS_DOCUMENT", file=file, line=1, fault=str(fault)) from None
    divisions = tuple(
        Division(
            each.properties.division,
            tuple(tuple(map(_whole, rings)) for rings in each.geometry.coordinates),
        )
        for each in found.features
    )
    return Outline(hashlib.sha256(raw).hexdigest(), divisions)


def _whole(ring: tuple[tuple[float, float], ...]) -> Ring:
    return tuple((micro(lon), micro(lat)) for lon, lat in ring)
