"""Streets as a graph: nodes, and segments of at most 100 m between them.

A segment costs one millimetre a millimetre on foot and milliseconds by car, each rounded once; the
pieces of one that was too long add up to what it would have cost whole. Only the largest part in
which one gets from anywhere to anywhere is kept: what hangs on nothing leads nowhere.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.nearness import Points, distances_m
from tongcheng.services.mobility.numbers import Bool, Float64, Int32, Int64
from tongcheng.services.mobility.streets.extract import WayTable
from tongcheng.services.mobility.streets.kernel import components
from tongcheng.services.mobility.streets.tags import Profile

SEGMENT_M_MAX: Final = 100.0
MM_PER_M: Final = 1_000
MS_PER_S: Final = 1_000
_KM_PER_H_IN_M_PER_S: Final = 3.6


class Graph(NamedTuple):
    """Nodes at `points`; segment `i` joins nodes `first[i]` and `second[i]` at `cost[i]`.

    `forward` and `backward` say which way it may be gone. `arc_start`, `arc_to`, `arc_cost` are the
    same in compressed rows of the nodes. `nodes_left_out` hung on nothing.
    """

    profile: Profile
    digest: str
    points: Points
    first: Int32
    second: Int32
    cost: Int32
    forward: Bool
    backward: Bool
    arc_start: Int64
    arc_to: Int32
    arc_cost: Int32
    nodes_left_out: int


class _Segments(NamedTuple):
    """Columns of segments being made; `length_m` is the great circle's."""

    first: Int64
    second: Int64
    length_m: Float64
    way: Int64


def graph_of(ways: WayTable, profile: Profile) -> Graph:
    """Return the graph of an extract's ways; two ways meet where they share a point."""
    _, row, node = np.unique(ways.node, return_index=True, return_inverse=True)
    points = Points(ways.lon[row], ways.lat[row])
    whole = _segments(ways, node, points)
    points, first, second, piece, pieces = _divided(points, whole)
    at = np.repeat(np.arange(len(pieces)), pieces)
    exact = whole.length_m * MM_PER_M
    if profile == "car":
        exact = exact * _KM_PER_H_IN_M_PER_S / ways.speed_km_per_h[whole.way]
    # Rounded where a piece ends, so that the pieces come to the whole.
    upto = np.floor(exact[at] * (piece + 1) / pieces[at] + 0.5)
    cost = upto - np.floor(exact[at] * piece / pieces[at] + 0.5)
    way = whole.way[at]
    return _largest(
        profile,
        ways.digest,
        points,
        _Sided(first, second, cost.astype(np.int32), ways.forward[way], ways.backward[way]),
    )


class _Sided(NamedTuple):
    """Columns of segments as they stand in the graph."""

    first: Int64
    second: Int64
    cost: Int32
    forward: Bool
    backward: Bool


def _segments(ways: WayTable, node: Int64, points: Points) -> _Segments:
    """Return the segments between points that follow one another in a way."""
    joined = np.ones(max(len(node) - 1, 0), np.bool_)
    joined[ways.start[1:-1] - 1] = False
    here = np.flatnonzero(joined)
    first, second = node[here], node[here + 1]
    way = np.searchsorted(ways.start, here, "right") - 1
    ends = [Points(points.lon[each], points.lat[each]) for each in (first, second)]
    return _Segments(first, second, distances_m(*ends), way)


def _divided(points: Points, whole: _Segments) -> tuple[Points, Int64, Int64, Int64, Int64]:
    """Divide long segments; returns points, ends, the piece's number, and each one's pieces."""
    pieces = np.maximum(1, np.ceil(whole.length_m / SEGMENT_M_MAX)).astype(np.int64)
    at = np.repeat(np.arange(len(pieces)), pieces)
    piece = np.arange(len(at)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins, ends = piece == 0, piece == pieces[at] - 1
    # Every piece but the last ends at a new node.
    made = len(points.lon) + np.cumsum(~ends) - 1
    first = np.where(begins, whole.first[at], np.concatenate([[0], made[:-1]])[: len(at)])
    second = np.where(ends, whole.second[at], made)
    share = (piece[~ends] + 1) / pieces[at[~ends]]
    added = [
        column[whole.first[at[~ends]]] * (1 - share) + column[whole.second[at[~ends]]] * share
        for column in points
    ]
    columns = (np.concatenate([old, new]) for old, new in zip(points, added, strict=True))
    return Points(*columns), first, second, piece, pieces


def _rows(count: int, sided: _Sided) -> tuple[Int64, Int32, Int32]:
    """Return segments as arcs in compressed rows of `count` nodes, in a fixed order."""
    origin = np.concatenate([sided.first[sided.forward], sided.second[sided.backward]])
    to = np.concatenate([sided.second[sided.forward], sided.first[sided.backward]])
    cost = np.concatenate([sided.cost[sided.forward], sided.cost[sided.backward]])
    order = np.lexsort((cost, to, origin))
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(origin, minlength=count), out=start[1:])
    return start, to[order].astype(np.int32), cost[order].astype(np.int32)


def _largest(profile: Profile, digest: str, points: Points, sided: _Sided) -> Graph:
    """Keep the largest component; of equal ones that of the first node."""
    count = len(points.lon)
    start, to, _ = _rows(count, sided)
    component = components(start, to)
    sizes = np.bincount(component, minlength=1)
    kept = component == component[np.flatnonzero(sizes[component] == sizes.max())[0]]
    number = np.cumsum(kept) - 1
    inside = kept[sided.first] & kept[sided.second]
    left = _Sided(
        number[sided.first[inside]],
        number[sided.second[inside]],
        sided.cost[inside],
        sided.forward[inside],
        sided.backward[inside],
    )
    size = int(kept.sum())
    return Graph(
        profile,
        digest,
        Points(points.lon[kept], points.lat[kept]),
        left.first.astype(np.int32),
        left.second.astype(np.int32),
        left.cost,
        left.forward,
        left.backward,
        *_rows(size, left),
        nodes_left_out=count - size,
    )
