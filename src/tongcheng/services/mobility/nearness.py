"""Who is near whom: pairs of points within a distance, without looking at all pairs.

Points lie on a sphere of the Earth's mean radius. They are put on a grid of cubes as long as the
distance, so that those near one lie in its cube or in one of the 26 around it; there is no pole
and no date line to mind. The distance is the great circle's, equal to the haversine's to a
micrometre; against the ellipsoid of WGS-84 a sphere errs by up to 0.5 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.numbers import Float64, Int64

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the Earth: IUGG 1980, Moritz, Geodetic Reference System 1980."""

CANDIDATES_MAX: Final = 4_000_000
"""How many pairs are looked at in one go, about 200 MB of them."""

_CUBE_M_MIN: Final = 50.0
"""Cubes are at least that long, so that three of their numbers fit into 63 bits."""


class Points(NamedTuple):
    """Where some things are: degrees of WGS-84, two columns of one length."""

    lon: Float64
    lat: Float64


class Pairs(NamedTuple):
    """Pairs of a point of one sort and one of another, with the metres between them."""

    origin: Int64
    to: Int64
    distance_m: Float64


def distances_m(origins: Points, to: Points) -> Float64:
    """Return the great-circle metres from each origin to the point of the same row."""
    return _arc_m(_on_sphere(origins) - _on_sphere(to))


def near(origins: Points, to: Points, limit_m: float) -> Iterator[Pairs]:
    """Yield the pairs at most `limit_m` apart, in order of their origins, portion by portion.

    Within an origin the pairs have no promised order. A portion looks at about CANDIDATES_MAX
    pairs; one origin's pairs are never divided.
    """
    assert limit_m >= 0, "a distance is not negative"
    if not len(origins.lon) or not len(to.lon):
        return
    cube = max(limit_m, _CUBE_M_MIN) * (1 + 1e-9) / EARTH_RADIUS_M
    side = int(2 / cube) + 4
    there, here = _on_sphere(to), _on_sphere(origins)
    keys = _key(_cubes(there, cube), side)
    order = np.argsort(keys, kind="stable")
    first, count = _runs_around(_cubes(here, cube), keys[order], side)
    upto = np.cumsum(count.sum(axis=1))
    begin = 0
    while begin < len(upto):
        done = upto[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(upto, done + CANDIDATES_MAX, "right")))
        origin, place = _candidates(first[begin:end], count[begin:end])
        target = order[place]
        distance_m = _arc_m(here[begin + origin] - there[target])
        kept = distance_m <= limit_m
        yield Pairs(begin + origin[kept], target[kept], distance_m[kept])
        begin = end


def _on_sphere(points: Points) -> Float64:
    """Return points as rows of x, y, z on a sphere of radius 1."""
    lon, lat = np.radians(points.lon), np.radians(points.lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _arc_m(chords: Float64) -> Float64:
    half = np.sqrt((chords * chords).sum(axis=1)) / 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(half, 1.0)), np.float64)


def _cubes(points: Float64, cube: float) -> Int64:
    """Return the cube of each point, three numbers from 1, so that each has one before it."""
    return np.asarray(np.floor((points + 1) / cube), np.int64) + 1


def _key(cubes: Int64, side: int) -> Int64:
    return np.asarray((cubes[:, 0] * side + cubes[:, 1]) * side + cubes[:, 2], np.int64)


def _runs_around(cubes: Int64, keys: Int64, side: int) -> tuple[Int64, Int64]:
    """Return, for each cube, where the nine columns of cubes around it begin in the sorted keys.

    A column is three cubes one upon the other, whose keys follow one another; with it comes how
    many keys are in it.
    """
    centre = _key(cubes, side)
    steps = [(x * side + y) * side for x in (-1, 0, 1) for y in (-1, 0, 1)]
    low = np.stack([centre + step - 1 for step in steps], axis=1)
    first = np.searchsorted(keys, low, "left")
    return first, np.searchsorted(keys, low + 2, "right") - first


def _candidates(first: Int64, count: Int64) -> tuple[Int64, Int64]:
    """Return the row and the place of everything in these runs, run after run."""
    rows = np.repeat(np.arange(len(count)), count.sum(axis=1))
    flat_first, flat_count = first.ravel(), count.ravel()
    begun = np.cumsum(flat_count) - flat_count
    place = np.arange(len(rows)) + np.repeat(flat_first - begun, flat_count)
    return rows, place
