"""Places from GeoJSON (RFC 7946): a collection of points and areas with their properties."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import shapely

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.places.crs import check_name
from tongcheng.services.mobility.places.findings import Findings
from tongcheng.services.mobility.places.shapes import points_of
from tongcheng.services.mobility.places.table import (
    COLUMNS_MAX,
    PLACES_MAX,
    Table,
    Value,
    check_size,
)


class _Feature(msgspec.Struct):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, Any] | None = None
    id: str | int | float | None = None


class _Collection(msgspec.Struct):
    type: str
    features: list[_Feature] = []
    crs: Any = None


def geojson_table(raw: bytes, findings: Findings) -> Table:
    """Return the features of a collection.

    Raises:
        Refused: PLACES_BROKEN for what is no feature collection; PLACES_CRS for a member `crs`
            (2008's GeoJSON) other than WGS-84; PLACES_TOO_LARGE.
    """
    try:
        made = msgspec.json.decode(raw, type=_Collection)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        what = str(fault) or "nested too deep"
        raise Refused("PLACES_BROKEN", format="geojson", fault=what) from None
    if made.type != "FeatureCollection":
        raise Refused("PLACES_BROKEN", format="geojson", fault=f"type {made.type[:40]!r}")
    _check_crs(made.crs)
    check_size("rows", len(made.features), PLACES_MAX)
    rows = np.arange(1, len(made.features) + 1)
    texts = np.array([bytes(each.geometry) for each in made.features], object)
    with np.errstate(all="ignore"):  # a coordinate beyond all numbers is on no map
        shapes = shapely.from_geojson(texts, on_invalid="ignore")
    columns = _columns(made.features)
    found = points_of(shapes, rows, findings)
    return Table(rows, found.lon, found.lat, found.shapeless, columns, found.areas)


def _columns(features: list[_Feature]) -> dict[str, list[Value]]:
    """Return what the features have as columns; a feature's own id is one if all have it."""
    names = dict.fromkeys(name for each in features for name in each.properties or ())
    check_size("columns", len(names), COLUMNS_MAX)
    columns = {
        name: [_plain((each.properties or {}).get(name)) for each in features] for name in names
    }
    if features and "id" not in columns and all(each.id is not None for each in features):
        columns["id"] = [_plain(each.id) for each in features]
    return columns


def _plain(value: Any) -> Value:
    """Return a property as a value; what is nested or true or false is neither word nor number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value


def _check_crs(crs: Any) -> None:
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    check_name(str(name))
