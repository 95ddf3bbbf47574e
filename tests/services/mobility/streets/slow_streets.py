"""A slow twin of streets: the nearest segment of all, and Dijkstra over a dictionary.

It takes the graph's segments and nothing else of it: rows of arcs, heap, room and limits are what
is tested. A point stands on its segment as a node of its own, between its neighbours there. Which
of two segments as near a point gets onto is decided by the last bit, and so taken from `snap`.
"""

import heapq
import math
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

from tongcheng.services.mobility.nearness import EARTH_RADIUS_M, Points
from tongcheng.services.mobility.streets.graph import Graph
from tongcheng.services.mobility.streets.network import StreetNetwork
from tongcheng.services.mobility.streets.snapping import snap

Node = tuple[str, int]


class Foot(NamedTuple):
    """Where a point gets onto a street."""

    off_m: float
    segment: int
    along: float


def foot(lon: float, lat: float, graph: Graph) -> Foot:
    """Return the nearest point of any segment."""
    return min(_foot(lon, lat, graph, segment) for segment in range(len(graph.cost)))


def _foot(lon: float, lat: float, graph: Graph, segment: int) -> Foot:
    def flat(node: int) -> complex:
        east = math.radians(float(graph.points.lon[node]) - lon) * math.cos(math.radians(lat))
        return complex(east, math.radians(float(graph.points.lat[node]) - lat)) * EARTH_RADIUS_M

    begin, end = flat(graph.first[segment]), flat(graph.second[segment])
    side = end - begin
    along = 0.0
    if side:
        along = min(1.0, max(0.0, -(begin * side.conjugate()).real / abs(side) ** 2))
    return Foot(abs(begin + along * side), segment, along)


def slow_ways(
    network: StreetNetwork, origins: Points, to: Points, limit_s: int
) -> dict[tuple[int, int], int]:
    """Return the seconds of every way within the limit, by origin and target."""
    on_segment: defaultdict[int, list[tuple[int, Node]]] = defaultdict(list)
    off_cost: dict[Node, int] = {}
    for kind, points in (("origin", origins), ("target", to)):
        found = snap(points, network.graph, network.off_street_m_max)
        for number, segment in enumerate(found.segment.tolist()):
            if segment >= 0:
                share = float(found.along[number])
                along = math.floor(int(network.graph.cost[segment]) * share + 0.5)
                on_segment[segment].append((along, (kind, number)))
                off_s = float(found.off_m[number]) / network.speed_m_per_s
                off_cost[kind, number] = math.floor(off_s * network.cost_per_s + 0.5)
    arcs = _arcs(network.graph, on_segment)
    ways = {}
    for number in range(len(origins.lon)):
        for target, cost in _costs(arcs, off_cost, number).items():
            seconds = math.floor(cost / network.cost_per_s + 0.5)
            if seconds <= limit_s:
                ways[number, target] = seconds
    return ways


def _arcs(
    graph: Graph, on_segment: dict[int, list[tuple[int, Node]]]
) -> dict[Node, list[tuple[Node, int]]]:
    """Return the arcs between nodes and points that follow one another on a segment."""
    arcs: defaultdict[Node, list[tuple[Node, int]]] = defaultdict(list)
    for segment in range(len(graph.cost)):
        here = [(0, ("node", int(graph.first[segment]))), *sorted(on_segment.get(segment, []))]
        here.append((int(graph.cost[segment]), ("node", int(graph.second[segment]))))
        for (before, one), (after, other) in pairwise(here):
            if graph.forward[segment]:
                arcs[one].append((other, after - before))
            if graph.backward[segment]:
                arcs[other].append((one, after - before))
            if before == after and "node" not in {one[0], other[0]}:
                arcs[one].append((other, 0))  # at one place, whichever way the street leads
                arcs[other].append((one, 0))
    return arcs


def _costs(
    arcs: dict[Node, list[tuple[Node, int]]], off_cost: dict[Node, int], number: int
) -> dict[int, int]:
    """Return the cost from one origin to each target."""
    origin = ("origin", number)
    if origin not in off_cost:
        return {}
    done: dict[Node, int] = {}
    queue = [(off_cost[origin], origin)]
    while queue:
        cost, here = heapq.heappop(queue)
        if here not in done:
            done[here] = cost
            for other, more in arcs[here]:
                heapq.heappush(queue, (cost + more, other))
    return {
        target: cost + off_cost[kind, target]
        for (kind, target), cost in done.items()
        if kind == "target"
    }
