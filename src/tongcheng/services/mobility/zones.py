"""Cells of places that somebody brought: their own areas, or squares where they are points.

A map is asked again and again, so what is slow is done once. Areas that meet without a gap or an
overlap, as statistical zones should, are a *coverage* (OGC 06-103r4 calls it a polygonal one):
their union is what is left of the borders that only one of them has, which takes no geometry at
all. Borders with more corners than a picture of a region can show are made simpler, and the shape
says so; a border that two areas share stays shared (Visvalingam & Whyatt 1993, as GEOS has it).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from tongcheng.services.mobility.isochrones import Cells, grid_cells
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Bool, Float64
from tongcheng.services.mobility.shapes.geometry import MICRO, MultiPolygon
from tongcheng.services.mobility.shapes.lattice import Grid
from tongcheng.services.mobility.shapes.polygons import DEGREE_M, of_shapely

CORNERS_MAX: Final = {True: 300_000, False: 40_000}
"""Of all areas together, those of a coverage and others: so many are united within a second."""
SIMPLER_M: Final = (50, 200)
"""How far a border may be moved, tried in this order until there are few enough corners."""
SQUARE_M: Final = (200, 2_000)
"""How wide a square that stands for a point is, least and at first most."""
SQUARES_MAX: Final = 5_000
"""Squares are made wider until there are no more: a picture has not the room, nor a click the time.
"""
WIDER: Final = 1.5
"""A square's width, in the median distance from a point to the nearest other: most then touch."""


class ZoneCells:
    """Cells whose areas are given; `simpler_m` is how far their borders were moved, 0 not at all.

    `areas` are shapely's, in whole micro-degrees; they `meet` where they are a coverage.
    """

    def __init__(self, areas: NDArray[Any], *, meet: bool, simpler_m: int = 0) -> None:
        self._areas, self._meet = areas, meet
        self.simpler_m = simpler_m
        self.shape = f"given, borders simpler by {simpler_m} m" if simpler_m else "given"

    def __len__(self) -> int:
        return len(self._areas)

    def union(self, chosen: Bool) -> MultiPolygon | None:
        """Return the shape of the chosen cells, None of none."""
        some = self._areas[chosen]
        if self._meet:
            return of_shapely(shapely.coverage_union_all(some))
        return of_shapely(shapely.set_precision(shapely.union_all(some), 1))


class SquareCells:
    """Cells that are points: each fills the square of a lattice that it lies in.

    So a shape is at most half a square away from what it stands for, and says how wide they are.
    """

    def __init__(self, lon: Float64, lat: Float64, width_m: int) -> None:
        high = round(width_m / DEGREE_M * MICRO)
        middle = np.radians((lat.min() + lat.max()) / 2)
        wide = round(high / max(float(np.cos(middle)), 0.1))
        # The lattice begins at 0 degrees, so that the same point always has the same square.
        self._grid = Grid(0, 0, wide, high)
        self._columns = np.floor(lon * MICRO / wide).astype(np.int64)
        self._rows = np.floor(lat * MICRO / high).astype(np.int64)
        self.width_m = width_m
        self.shape = f"assumed squares of {width_m} m"

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def squares(self) -> int:
        """How many squares there are."""
        return len(np.unique(np.stack([self._columns, self._rows], axis=1), axis=0))

    def union(self, chosen: Bool) -> MultiPolygon | None:
        """Return the shape of the chosen cells, None of none."""
        pairs = zip(self._columns[chosen].tolist(), self._rows[chosen].tolist(), strict=True)
        return self._grid.union(set(pairs))


def cells_of_places(points: Points, areas: NDArray[Any] | None) -> Cells:
    """Return the cells that places are drawn as.

    Their areas where all have one, else those of a grid that they are the middles of, else squares
    as wide as the places lie apart. Areas with far too many corners are drawn as points are.
    """
    if areas is not None and not shapely.is_missing(areas).any():
        drawn = _zones(areas)
        if drawn is not None:
            return drawn
    found = grid_cells(points.lon, points.lat)
    if found is not None:
        return found
    width_m = square_m(points)
    while (cells := SquareCells(points.lon, points.lat, width_m)).squares > SQUARES_MAX:
        width_m = -(-width_m * 3 // 200) * 100
    return cells


def square_m(points: Points) -> int:
    """Return how wide the squares of some points are at first, in whole hundreds of metres."""
    least, most = SQUARE_M
    shrink = np.cos(np.radians((points.lat.min() + points.lat.max()) / 2))
    flat = np.unique(np.stack([points.lon * shrink, points.lat], axis=1), axis=0) * DEGREE_M
    if len(flat) < 2:  # noqa: PLR2004 nothing is next to one
        return most
    found = shapely.STRtree(shapely.points(flat))
    _, apart = found.query_nearest(
        found.geometries, exclusive=True, all_matches=False, return_distance=True
    )
    wanted = round(float(np.median(apart)) * WIDER / 100) * 100
    return min(max(wanted, least), most)


def _zones(areas: NDArray[Any]) -> ZoneCells | None:
    """Return areas as cells, their borders as simple as it takes; None where nothing helps."""
    whole = shapely.transform(areas, lambda degrees: np.rint(degrees * MICRO))
    crossed = ~shapely.is_valid(whole)
    whole[crossed] = shapely.make_valid(whole[crossed])
    meet = bool(shapely.coverage_is_valid(whole))
    most = CORNERS_MAX[meet]
    if shapely.get_num_coordinates(whole).sum() <= most:
        return ZoneCells(whole, meet=meet)
    simpler = shapely.coverage_simplify if meet else shapely.simplify
    for metres in SIMPLER_M:
        made = simpler(whole, metres / DEGREE_M * MICRO)
        if shapely.get_num_coordinates(made).sum() <= most:
            return ZoneCells(made, meet=meet, simpler_m=metres)
    return None
