"""Which names of a coordinate reference system mean longitude and latitude of WGS-84."""

from __future__ import annotations

import re
from typing import Any, Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import printable

_WGS_84: Final = re.compile(
    r"(urn:ogc:def:crs:)?(ogc:(1\.3)?:?crs84|epsg:[0-9.]*:?4326)", re.IGNORECASE
)
_SHOWN_MAX: Final = 60


def check_name(name: str) -> None:
    """Refuse PLACES_CRS for any other than OGC:CRS84 or EPSG:4326, as a name or a URN."""
    if not _WGS_84.fullmatch(name):
        raise Refused("PLACES_CRS", crs=printable(name, _SHOWN_MAX))


def check_projjson(crs: Any) -> None:
    """Refuse PLACES_CRS for PROJJSON (GeoParquet 1.1) that names no such system as its id."""
    if not isinstance(crs, dict):
        raise Refused("PLACES_CRS", crs=printable(str(crs), _SHOWN_MAX))
    given = crs.get("id")
    name = str(crs.get("name"))
    if isinstance(given, dict):
        name = f"{given.get('authority')}:{given.get('code')}"
    check_name(name)
