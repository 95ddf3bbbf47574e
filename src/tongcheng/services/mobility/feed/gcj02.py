"""GCJ-02, the coordinates that maps published in mainland China show, to and from WGS-84.

The transform is the one in public use (its constants are of the Krasovsky 1940 ellipsoid; first
published as `EvilTransform`, 2010, and the same in every library since). It has no closed inverse;
the fixed point of w = g - offset(w) gains more than two digits a step, since the offset changes by
less than one metre in a hundred.
"""

from typing import Final

import numpy as np

from tongcheng.services.mobility.numbers import Bool, Float64

_AXIS_M: Final = 6_378_245.0
_ECCENTRICITY_SQUARED: Final = 0.00669342162296594323
_LON: Final = (72.004, 137.8347)
_LAT: Final = (0.8293, 55.8271)
_STEPS: Final = 8
"""Four are exact to a millimetre anywhere in the box; the rest are for certainty."""


def in_box(lon: Float64, lat: Float64) -> Bool:
    """Tell which places the transform moves; it leaves all outside its box as they are."""
    in_lon = (lon >= _LON[0]) & (lon <= _LON[1])
    in_lat = (lat >= _LAT[0]) & (lat <= _LAT[1])
    return np.asarray(in_lon & in_lat)


def from_wgs84(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Return places of WGS-84 in GCJ-02; degrees."""
    d_lon, d_lat = _offset(lon, lat)
    inside = in_box(lon, lat)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def to_wgs84(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Return places of GCJ-02 in WGS-84; degrees, exact to a millimetre."""
    inside = in_box(lon, lat)
    at_lon, at_lat = lon, lat
    for _ in range(_STEPS):
        d_lon, d_lat = _offset(at_lon, at_lat)
        at_lon, at_lat = lon - d_lon, lat - d_lat
    return np.where(inside, at_lon, lon), np.where(inside, at_lat, lat)


def _offset(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Return by how many degrees GCJ-02 lies east and north of places of WGS-84."""
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    root = np.sqrt(np.abs(x))
    east_m = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
        + (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * 2.0 / 3.0
        + (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * 2.0 / 3.0
    )  # fmt: skip
    north_m = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
        + (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * 2.0 / 3.0
        + (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * 2.0 / 3.0
    )  # fmt: skip
    radians = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    root = np.sqrt(magic)
    north_axis_m = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (magic * root)
    return (
        np.degrees(east_m / (_AXIS_M / root * np.cos(radians))),
        np.degrees(north_m / north_axis_m),
    )
