"""The union of cells of a regular grid, by walking their borders: exact, and without a library.

Every border between a chosen cell and one that is not is a directed step with the chosen cell on
its left; steps joined end to end are rings, outer ones counterclockwise and holes clockwise by
themselves. Where two chosen cells meet in a corner only, a walk stays with its own cell, so cells
that touch like this are two polygons; a walk that comes by a corner twice is cut there into rings
that touch.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from tongcheng.services.mobility.shapes.geometry import (
    MultiPolygon,
    Polygon,
    Ring,
    double_area,
)

Cell: TypeAlias = tuple[int, int]
"""Column from the west, row from the south."""
Corner: TypeAlias = tuple[int, int]
Step: TypeAlias = tuple[Corner, Cell]
"""Where a border begins, and the chosen cell on its left."""

_SIDES = (
    ((0, -1), (0, 0), (1, 0)),
    ((1, 0), (1, 0), (1, 1)),
    ((0, 1), (1, 1), (0, 1)),
    ((-1, 0), (0, 1), (0, 0)),
)
"""For each side of a cell its neighbour, and the corners where the side begins and ends."""


class Grid(NamedTuple):
    """A regular grid in micro-degrees: the corner of cell (0, 0), and how large a cell is."""

    west: int
    south: int
    width: int
    height: int

    def union(self, cells: Iterable[Cell]) -> MultiPolygon | None:
        """Return the shape of some cells, None of none; the same for any order of them."""
        chosen = set(cells)
        polygons: list[Polygon] = []
        label = _labels(chosen)
        outer: dict[int, Ring] = {}
        holes: dict[int, list[Ring]] = {}
        for cell, corners in _rings(chosen):
            ring = self._ring(corners)
            if double_area(ring) > 0:
                assert label[cell] not in outer, "cells that hang together have one outer ring"
                outer[label[cell]] = ring
            else:
                holes.setdefault(label[cell], []).append(ring)
        for at, ring in outer.items():
            polygons.append((ring, *sorted(holes.get(at, []))))
        return MultiPolygon(tuple(sorted(polygons))) if polygons else None

    def cell(self, cell: Cell) -> MultiPolygon:
        """Return the shape of one cell."""
        made = self.union([cell])
        assert made is not None, "a cell has a shape"
        return made

    def _ring(self, corners: list[Corner]) -> Ring:
        """Return a closed ring that begins at its least corner, without corners on a straight."""
        count = len(corners)
        bends = [
            corner
            for at, corner in enumerate(corners)
            if not _straight(corners[at - 1], corner, corners[(at + 1) % count])
        ]
        least = bends.index(min(bends))
        turned = [*bends[least:], *bends[:least], bends[least]]
        return tuple(
            (self.west + column * self.width, self.south + row * self.height)
            for column, row in turned
        )


def _straight(one: Corner, two: Corner, three: Corner) -> bool:
    return one[0] == two[0] == three[0] or one[1] == two[1] == three[1]


def _labels(chosen: set[Cell]) -> dict[Cell, int]:
    """Number the groups of cells that hang together by their sides."""
    label: dict[Cell, int] = {}
    for first in sorted(chosen):
        if first in label:
            continue
        number, waiting = len(label), [first]
        label[first] = number
        while waiting:
            column, row = waiting.pop()
            for (east, north), _, _ in _SIDES:
                near = (column + east, row + north)
                if near in chosen and near not in label:
                    label[near] = number
                    waiting.append(near)
    return label


def _rings(chosen: set[Cell]) -> list[tuple[Cell, list[Corner]]]:
    """Return every ring as its corners, with a cell beside it; no corner comes twice in one."""
    after: dict[Corner, dict[Cell, Corner]] = {}
    for column, row in sorted(chosen):
        for (east, north), begin, end in _SIDES:
            if (column + east, row + north) not in chosen:
                corner = (column + begin[0], row + begin[1])
                after.setdefault(corner, {})[column, row] = (column + end[0], row + end[1])
    found: list[tuple[Cell, list[Corner]]] = []
    for corner, steps in after.items():
        while steps:
            found += _walk(after, corner, next(iter(steps)))
    return found


def _walk(
    after: dict[Corner, dict[Cell, Corner]], corner: Corner, cell: Cell
) -> list[tuple[Cell, list[Corner]]]:
    """Walk from a corner until nothing leads on, taking out each ring that closes on the way."""
    found: list[tuple[Cell, list[Corner]]] = []
    path: list[Step] = []
    place: dict[Corner, int] = {}
    while True:
        if corner in place:
            begin = place[corner]
            ring = path[begin:]
            found.append((ring[0][1], [at for at, _ in ring]))
            for at, _ in ring:
                del place[at]
            del path[begin:]
            if not path and not after[corner]:
                return found
        steps = after[corner]
        if cell not in steps:
            # Only its own cell's border leads on at a corner that two cells share; elsewhere the
            # border goes on along the one other cell there is.
            cell = next(iter(steps))
        place[corner] = len(path)
        path.append((corner, cell))
        corner = steps.pop(cell)
