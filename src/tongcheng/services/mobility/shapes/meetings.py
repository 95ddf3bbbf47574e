"""How often borders cross, counted before anything is computed with them.

What GEOS does with areas (whether they are valid, what makes them so, what they unite to) takes
as long as their borders have crossings, and those can be as many as the square of the corners:
two combs of 2,400 corners each, one across the other, have a million. Here no crossing is
computed, only looked for where boxes meet, and no longer than until there are too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from tongcheng.services.mobility.numbers import Bool, Float64, Int64

BESIDE: Final = 24
"""So many pieces of border may have a box that meets a piece's without crossing it, or count as
crossing too: in a mesh of triangles eleven do, by their shared corners."""
Complex128: TypeAlias = "NDArray[np.complex128]"
_PLANE: Final = np.array([1, 1j])
"""Makes one number of a corner, so that it is compared at once."""
_AT_ONCE: Final = 1 << 20
"""Pairs that are held in memory together, about 50 MB of them."""


def meetings(areas: NDArray[Any], most: int, *, margin: float = 0, alone: bool = False) -> int:
    """Return how many pieces of border cross or touch, two and two; above `most`, any such.

    Those that share a corner do not count. It may be too many by those whose boxes are beside each
    other, as long as that is not above `most`. What comes nearer than `margin`, in the areas'
    unit, touches; `alone` looks at each area by itself.
    """
    rings, of = _rings(areas)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    inner = ring[1:] == ring[:-1]
    one, other = corners[:-1][inner], corners[1:][inner]
    low, high = np.minimum(one, other) - margin, np.maximum(one, other) + margin
    if alone:
        low, high = _apart(low, high, of[ring[:-1][inner]])
    at_most = _at_most(low, high)
    if (bound := int(at_most.sum()) // 2) <= most:
        return bound
    ends = one @ _PLANE, other @ _PLANE
    found = beside = 0
    for left, right in _pairs(low, high, at_most):
        shared = np.zeros(len(left), np.bool_)
        for mine, its in product(ends, ends):
            shared |= mine[left] == its[right]
        left_too, right_too = left[~shared], right[~shared]
        meeting = _touch(ends, left_too, right_too, margin) & _touch(
            ends, right_too, left_too, margin
        )
        found += int(meeting.sum())
        beside += len(left) - int(meeting.sum())
        if found + max(0, beside - BESIDE * len(one)) > most:
            return most + 1
    return found


def corners_beside(areas: NDArray[Any], most: int, *, alone: bool = False) -> int:
    """Return the corners of every two rings whose boxes meet, added up; above `most`, any such.

    That is what it takes to see whether one lies within another. `alone` is as in `meetings`.
    """
    rings, of = _rings(areas)
    corners = shapely.get_num_coordinates(rings)
    box = shapely.bounds(rings)
    low, high = box[:, :2], box[:, 2:]
    if alone:
        low, high = _apart(low, high, of)
    found = 0
    for left, right in _pairs(low, high, _at_most(low, high)):
        found += int(corners[left].sum() + corners[right].sum())
        if found > most:
            break
    return found


def _rings(areas: NDArray[Any]) -> tuple[NDArray[Any], Int64]:
    """Return all rings, and of which area each is."""
    parts, of = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    return rings, of[part]


def _apart(low: Float64, high: Float64, of: Int64) -> tuple[Float64, Float64]:
    """Return boxes with those of each area in a lane of its own, beside the one before."""
    lane = 1 + float(high.max() - low.min()) if len(low) else 0.0
    aside = np.stack([of * lane, np.zeros(len(of))], axis=1)
    return low + aside, high + aside


def _at_most(low: Float64, high: Float64) -> Int64:
    """Return for each box how many others it meets at most, by the better of the two directions."""
    least = np.full(len(low), len(low), np.int64)
    for way in (0, 1):
        begun = np.searchsorted(np.sort(low[:, way]), high[:, way], side="right")
        ended = np.searchsorted(np.sort(high[:, way]), low[:, way], side="left")
        least = np.minimum(least, begun - ended)
    return least - 1


def _touch(ends: tuple[Complex128, Complex128], mine: Int64, its: Int64, margin: float) -> Bool:
    """Return where the line of one piece touches another piece, of two that share no corner."""
    begun, along = ends[0][mine], (ends[1] - ends[0])[mine]
    # Which side of the line each end is on, and how far from it times how long the piece is.
    first, last = ((along.conj() * (each[its] - begun)).imag for each in ends)
    near = margin * np.abs(along)
    touching: Bool = (np.minimum(first, last) <= near) & (np.maximum(first, last) >= -near)
    return touching


def _pairs(low: Float64, high: Float64, at_most: Int64) -> Iterator[tuple[Int64, Int64]]:
    """Yield each two boxes that meet, a good many at once."""
    # A diagonal has the same box, and takes half the memory.
    boxes = shapely.linestrings(np.stack([low, high], axis=1))
    tree = shapely.STRtree(boxes)
    so_far = np.cumsum(at_most + 1)
    steps = np.arange(0, so_far[-1] if len(so_far) else 0, _AT_ONCE)
    cuts = np.unique(np.append(np.searchsorted(so_far, steps), len(boxes)))
    for start, end in pairwise(cuts.tolist()):
        left, right = tree.query(boxes[start:end])
        left += start
        once = left < right
        yield left[once], right[once]
