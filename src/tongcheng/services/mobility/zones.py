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
from tongcheng.services.mobility.shapes.meetings import corners_beside, meetings
from tongcheng.services.mobility.shapes.polygons import DEGREE_M, of_shapely

CORNERS_MAX: Final = {True: 300_000, False: 40_000}
"""Of all areas together, those of a coverage and others; of others, each two pieces of border that
may cross (`meetings`) are a corner more. So many are united within about a second: in measurements
0.2 s for the first, and for the worst others that were found, combs across each other, 0.6 to 1.8 s
(two cores, one of them busy) and 30 MB."""
LOOKED_AT_MAX: Final = 1_000_000
"""Areas with more corners are not looked at: to do so takes 5 s and 700 MB for a million."""
MENDED_MAX: Final = 20_000
"""Meetings of areas that rounding made cross themselves: to mend so many takes a second."""
BESIDE_MAX: Final = 1_000_000
"""Corners of areas whose boxes meet (`corners_beside`), beyond what is usual: to see whether so
many lie within each other takes a third of a second."""
BESIDE_USUAL: Final = 24
"""The like for each corner; it is 7 in districts that were drawn at random."""
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

    `areas` are shapely's, valid and in whole micro-degrees; they `meet` where they are a coverage.
    One that is narrower than that is empty, and drawn as nothing.
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

    So a shape says how wide they are, and no more: of what it covers, the farthest is a square's
    diagonal (1.4 widths) from the point that it stands for, as that may lie in a corner.
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
    """Return areas as cells, their borders as simple as it takes; None where nothing helps.

    Whatever takes longer the more often borders cross is done after that is known to be bounded.
    """
    corners = int(shapely.get_num_coordinates(areas).sum())
    if corners > LOOKED_AT_MAX:
        return None
    whole = shapely.transform(areas, lambda degrees: np.rint(degrees * MICRO))
    if _is_crowded(whole, corners) or (mended := _mended(whole)) is None:
        return None
    meet = bool(shapely.coverage_is_valid(mended))
    if _are_few(mended, meet=meet):
        return ZoneCells(mended, meet=meet)
    simpler = shapely.coverage_simplify if meet else shapely.simplify
    for metres in SIMPLER_M:
        made = _mended(simpler(mended, metres / DEGREE_M * MICRO))
        if made is None:
            return None
        meet = meet and bool(shapely.coverage_is_valid(made))
        if _are_few(made, meet=meet):
            return ZoneCells(made, meet=meet, simpler_m=metres)
    return None


def _is_crowded(whole: NDArray[Any], corners: int) -> bool:
    """Say whether too much meets for areas even to be looked at."""
    most = CORNERS_MAX[False] + corners // 2
    if meetings(whole, most, margin=1) > most:
        return True
    beside = BESIDE_MAX + BESIDE_USUAL * corners
    return corners_beside(whole, beside) > beside


def _mended(whole: NDArray[Any]) -> NDArray[Any] | None:
    """Return areas with none that crosses itself, and some empty; None where too many do."""
    crossed = ~shapely.is_valid(whole)
    if meetings(whole[crossed], MENDED_MAX, alone=True) > MENDED_MAX:
        return None
    made = whole.copy()
    valid = shapely.make_valid(whole[crossed], method="structure", keep_collapsed=False)
    # Where borders crossed there are corners now, anywhere.
    made[crossed] = shapely.set_precision(valid, 1)
    return None if shapely.is_empty(made).all() else made


def _are_few(areas: NDArray[Any], *, meet: bool) -> bool:
    most = CORNERS_MAX[meet] - int(shapely.get_num_coordinates(areas).sum())
    return most >= 0 and (meet or meetings(areas, most, margin=1) <= most)
