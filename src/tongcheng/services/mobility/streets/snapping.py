"""Where somebody who stands somewhere gets onto a street: the nearest point of a segment."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.nearness import EARTH_RADIUS_M, Points, near
from tongcheng.services.mobility.numbers import Float64, Int32, Int64
from tongcheng.services.mobility.streets.graph import SEGMENT_M_MAX, Graph

OFF_STREET_M_MAX: Final = 1_000.0
"""Who is farther from every street gets onto none."""

_FIRST_TRY_M: Final = 60.0


class Snapped(NamedTuple):
    """Where points get onto a street.

    `segment` is -1 for a point that gets onto none; `along` how far along the segment, from 0 to 1;
    `off_m` the metres walked there, straight over land.
    """

    segment: Int32
    along: Float64
    off_m: Float64


def snap(points: Points, graph: Graph, limit_m: float = OFF_STREET_M_MAX) -> Snapped:
    """Return where points get onto a street within `limit_m`; of two as near the first segment.

    Segments are looked for around each point, at first nearby: one whose middle lies farther than
    half a segment beyond the nearest found can not be nearer.
    """
    count = len(points.lon)
    found = Snapped(np.full(count, -1, np.int32), np.zeros(count), np.full(count, np.inf))
    middles = Points(*((column[graph.first] + column[graph.second]) / 2 for column in graph.points))
    # A little more, as the middle is that of degrees and the segment may be one of 100 m.
    reach_m = SEGMENT_M_MAX * 0.51
    radius_m = min(_FIRST_TRY_M, limit_m)
    missing = np.arange(count)
    while len(missing):
        _nearest(points, graph, middles, missing, radius_m, reach_m, found)
        missing = missing[found.segment[missing] < 0]
        if radius_m >= limit_m:
            break
        radius_m = min(radius_m * 4, limit_m)
    return found


def _nearest(
    points: Points,
    graph: Graph,
    middles: Points,
    missing: Int64,
    radius_m: float,
    reach_m: float,
    found: Snapped,
) -> None:
    """Fill in what lies within a radius of the points still missing."""
    here = Points(points.lon[missing], points.lat[missing])
    for pairs in near(here, middles, radius_m + reach_m):
        row = missing[pairs.origin]
        along, off_m = _feet(points, graph, row, pairs.to)
        order = np.lexsort((pairs.to, off_m, row))
        order = order[off_m[order] <= radius_m]
        first = np.ones(len(order), np.bool_)
        first[1:] = np.diff(row[order]) != 0
        best = order[first]
        found.segment[row[best]] = pairs.to[best]
        found.along[row[best]] = along[best]
        found.off_m[row[best]] = off_m[best]


def _feet(points: Points, graph: Graph, row: Int64, segment: Int64) -> tuple[Float64, Float64]:
    """Return how far along each segment is nearest to its point, and the metres between.

    On a plane that touches the Earth at the point; within a kilometre it is right to a millimetre.
    """
    narrow = np.cos(np.radians(points.lat[row]))
    x, y = [], []
    for node in (graph.first[segment], graph.second[segment]):
        turn = (graph.points.lon[node] - points.lon[row] + 180) % 360 - 180
        x.append(np.radians(turn) * narrow * EARTH_RADIUS_M)
        y.append(np.radians(graph.points.lat[node] - points.lat[row]) * EARTH_RADIUS_M)
    dx, dy = x[1] - x[0], y[1] - y[0]
    square = dx * dx + dy * dy
    with np.errstate(invalid="ignore", divide="ignore"):
        along = np.where(square > 0, -(x[0] * dx + y[0] * dy) / square, 0.0)
    along = np.clip(along, 0.0, 1.0)
    return along, np.hypot(x[0] + along * dx, y[0] + along * dy)
