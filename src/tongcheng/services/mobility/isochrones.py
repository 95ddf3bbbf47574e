"""Isochrones: from how long each cell takes to shapes on a map.

A cell lies inside t when its seconds are at most t. Bands are *cumulative* (each holds the one
before) or *disjoint* (each holds what the one before does not). Nothing is smoothed: the outline
is that of the cells. Where cells are points without a shape, hexagons stand for them, and every
feature says so.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.parameters import LONGEST_S, ascending, counts
from tongcheng.services.mobility.numbers import Bool, Float64, UInt16
from tongcheng.services.mobility.shapes.geometry import MultiPolygon, micro
from tongcheng.services.mobility.shapes.lattice import Cell, Grid
from tongcheng.services.mobility.shapes.polygons import hexagon, united

MINUTE_S: Final = 60
Nesting: TypeAlias = Literal["cumulative", "disjoint"]


class Cells(Protocol):
    """Cells with shapes: how they unite, and what the shapes are."""

    @property
    def shape(self) -> str:
        """What a cell's shape is: `grid`, `given`, or `assumed hexagon of … m`."""
        ...

    def __len__(self) -> int: ...

    def union(self, chosen: Bool) -> MultiPolygon | None:
        """Return the shape of the chosen cells, None of none."""
        ...


class GridCells:
    """Cells of a regular grid, each once."""

    shape = "grid"

    def __init__(self, grid: Grid, cells: Sequence[Cell]) -> None:
        self._grid, self._cells = grid, cells

    def __len__(self) -> int:
        return len(self._cells)

    def union(self, chosen: Bool) -> MultiPolygon | None:
        """Return the shape of the chosen cells, None of none."""
        return self._grid.union(self._cells[at] for at in np.flatnonzero(chosen).tolist())


def grid_cells(lon: Float64, lat: Float64) -> GridCells | None:
    """Read a regular grid off the middles of its cells; None where they are not of one.

    They are when, in micro-degrees, all lie whole steps apart in both directions, the step is the
    least distance that occurs, no two coincide, and most have a neighbour one step away. Points
    that merely lie somewhere fail the last, whatever step they happen to share.
    """
    places = [(micro(x), micro(y)) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    if len(set(places)) != len(places):
        return None
    width, height = (_step({place[axis] for place in places}) for axis in (0, 1))
    if not width or not height:
        return None
    west, south = (min(place[axis] for place in places) for axis in (0, 1))
    cells = [((x - west) // width, (y - south) // height) for x, y in places]
    there = set(cells)
    beside = sum(bool({(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)} & there) for x, y in cells)
    if 2 * beside <= len(cells):
        return None
    return GridCells(Grid(west - width // 2, south - height // 2, width, height), cells)


def _step(values: set[int]) -> int:
    """Return the least distance of two values if all are whole steps of it apart, else 0."""
    ordered = sorted(values)
    apart = [two - one for one, two in pairwise(ordered)]
    least = min(apart, default=0)
    return least if all(each % least == 0 for each in apart) else 0


class GivenCells:
    """Cells whose polygons are given. Refuses MOBILITY_POLYGON when one crosses itself."""

    shape = "given"

    def __init__(self, polygons: Sequence[MultiPolygon]) -> None:
        self._polygons = polygons

    def __len__(self) -> int:
        return len(self._polygons)

    def union(self, chosen: Bool) -> MultiPolygon | None:
        """Return the shape of the chosen cells, None of none."""
        return united([self._polygons[at] for at in np.flatnonzero(chosen).tolist()])


class AssumedCells(GivenCells):
    """Cells that are points: a hexagon of a size that somebody chose stands for each.

    Refuses MOBILITY_PARAMETER for a radius that is none.
    """

    def __init__(self, lon: Float64, lat: Float64, radius_m: int) -> None:
        pairs = zip(lon.tolist(), lat.tolist(), strict=True)
        super().__init__([hexagon(x, y, radius_m) for x, y in pairs])
        self.shape = f"assumed hexagon of {radius_m} m"


class Isochrone(NamedTuple):
    """One band: cells of more than `above_minutes` (None: from the start) up to `minutes`.

    `shape` is None where no cell lies in it. `cell_shape` says what the outline is made of.
    """

    minutes: int
    above_minutes: int | None
    regime: str
    people: int
    cells: int
    cell_shape: str
    shape: MultiPolygon | None

    def properties(self) -> dict[str, object]:
        """Return everything but the shape, as a GeoJSON feature has it."""
        told: dict[str, object] = self._asdict()
        del told["shape"]
        return told


def isochrones(
    seconds: UInt16,
    people: NDArray[np.integer],
    cells: Cells,
    minutes: Sequence[int],
    *,
    regime: str,
    nesting: Nesting = "cumulative",
) -> list[Isochrone]:
    """Return a band for each number of minutes, the nearest first.

    `seconds` are one place's to (or from) every cell, under one regime of the method. Refuses
    MOBILITY_PARAMETER, MOBILITY_ORDER, MOBILITY_COUNTS and MOBILITY_POLYGON.
    """
    limits = ascending("minutes", minutes, 0, LONGEST_S // MINUTE_S)
    living = counts("people", people)
    assert len(seconds) == len(living) == len(cells), "seconds and people for each cell"
    bands: list[Isochrone] = []
    above: int | None = None
    for limit in limits:
        chosen = seconds <= limit * MINUTE_S
        if nesting == "disjoint" and above is not None:
            chosen &= seconds > above * MINUTE_S
        bands.append(
            Isochrone(
                limit,
                above,
                regime,
                int(living[chosen].sum()),
                int(chosen.sum()),
                cells.shape,
                cells.union(chosen),
            )
        )
        above = limit if nesting == "disjoint" else None
    return bands
