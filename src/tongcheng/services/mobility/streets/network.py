"""Ways along the streets from many points to many, as a feeder.

Origins are divided among threads; each has room of its own, as large as the graph and the targets,
and the answer is put together in the origins' order, so that threads decide nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Float64, Int32, Int64
from tongcheng.services.mobility.streets import kernel
from tongcheng.services.mobility.streets.graph import MM_PER_M, MS_PER_S, Graph
from tongcheng.services.mobility.streets.snapping import OFF_STREET_M_MAX, Snapped, snap
from tongcheng.services.mobility.walking import (
    LINKS_MAX,
    SPEED_M_PER_S,
    SPEED_MAX,
    SPEED_MIN,
)

ORIGINS_AT_ONCE: Final = 256
"""So many are one thread's next piece of work."""
ROOM: Final = 1 << 20
"""So many ways are found before they are put away, or as many as there are targets."""
LIMIT_S_MAX: Final = 86_400


class StreetNetwork(NamedTuple):
    """A feeder that walks, or drives, along the streets of a graph.

    On foot `speed_m_per_s` holds everywhere; by car it is how fast one walks to the car. Points
    farther than `off_street_m_max` from every street have no way.
    """

    graph: Graph
    speed_m_per_s: float = SPEED_M_PER_S
    off_street_m_max: float = OFF_STREET_M_MAX
    threads: int = 1

    @property
    def label(self) -> str:
        """Say what the ways are made of, and what they leave out."""
        if self.graph.profile == "foot":
            return f"OpenStreetMap on foot at {self.speed_m_per_s:g} m/s"
        return "OpenStreetMap by car at design speeds, without traffic, lights or turns"

    @property
    def cost_per_s(self) -> float:
        """How much of the graph's cost is a second."""
        return self.speed_m_per_s * MM_PER_M if self.graph.profile == "foot" else MS_PER_S

    def ways(self, origins: Points, to: Points, limit_s: int) -> Links:
        """Return the ways of at most `limit_s` seconds, rounded half up, once.

        Refuses MOBILITY_PARAMETER for a limit beyond a day or a speed that nobody walks at, and
        MOBILITY_TOO_MANY_WAYS.
        """
        assert self.threads >= 1, "somebody does the work"
        wanted = {
            "limit_s": (limit_s, 0, LIMIT_S_MAX),
            "speed_m_per_s": (self.speed_m_per_s, SPEED_MIN, SPEED_MAX),
        }
        for name, (given, least, most) in wanted.items():
            if not least <= given <= most:
                raise Refused(
                    "MOBILITY_PARAMETER",
                    name=name,
                    given=str(given),
                    least=str(least),
                    most=str(most),
                )
        here, there = (_Placed.of(points, self) for points in (origins, to))
        limit = int(np.ceil((limit_s + 0.5) * self.cost_per_s)) - 1
        blocks = _found(self.graph, here, there, limit, limit_s, self.threads)
        counts, targets, costs = (
            np.concatenate([block[each] for block in blocks]) for each in range(3)
        )
        start = np.zeros(len(origins.lon) + 1, np.int64)
        np.cumsum(counts, out=start[1:])
        seconds = np.floor(costs / self.cost_per_s + 0.5).astype(np.int32)
        return Links(start, targets.astype(np.int32), seconds)


class _Placed(NamedTuple):
    """Points on the streets of a graph, in its costs: from the first end, to the second, off it."""

    segment: Int32
    along: Int32
    rest: Int32
    off: Int32

    @classmethod
    def of(cls, points: Points, network: StreetNetwork) -> _Placed:
        """Snap points; what gets onto no street costs nothing and leads nowhere."""
        graph = network.graph
        found: Snapped = snap(points, graph, network.off_street_m_max)
        placed = found.segment >= 0
        cost = np.where(placed, graph.cost[found.segment] if len(graph.cost) else 0, 0)
        along = np.floor(cost * found.along + 0.5).astype(np.int32)
        off_s: Float64 = np.where(placed, found.off_m, 0.0) / network.speed_m_per_s
        off = np.floor(off_s * network.cost_per_s + 0.5).astype(np.int32)
        return cls(found.segment, along, (cost - along).astype(np.int32), off)


def _found(
    graph: Graph, here: _Placed, there: _Placed, limit: int, limit_s: int, threads: int
) -> list[tuple[Int64, Int32, Int64]]:
    """Return counts, targets and costs of every piece of work, in order of the origins."""
    origins, ends, beside = _origins(graph, here), _ends(graph, there), _beside(graph, there)
    arcs = (graph.arc_start, graph.arc_to, graph.arc_cost)
    firsts = range(0, len(here.segment), ORIGINS_AT_ONCE)
    done: list[list[tuple[Int64, Int32, Int64]]] = [[] for _ in firsts]
    found = [0] * threads
    nodes, targets = len(graph.points.lon), len(there.segment)

    def work(thread: int) -> None:
        scratch = _scratch(nodes, targets)
        room = max(ROOM, targets)
        out = (np.empty(ORIGINS_AT_ONCE, np.int64), np.empty(room, np.int32),
               np.empty(room, np.int64))  # fmt: skip
        for piece in range(thread, len(firsts), threads):
            first = firsts[piece]
            last = min(first + ORIGINS_AT_ONCE, len(here.segment))
            while first < last:
                bounds = (first, last, limit)
                upto, size = kernel.many_to_many(arcs, origins, ends, beside, scratch, out, bounds)
                done[piece].append(
                    (out[0][: upto - first].copy(), out[1][:size].copy(), out[2][:size].copy())
                )
                first = upto
                found[thread] += size
            if sum(found) > LINKS_MAX:
                raise Refused("MOBILITY_TOO_MANY_WAYS", most=LINKS_MAX, limit_s=limit_s)

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
    else:
        work(0)
    none = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    return [none, *(part for parts in done for part in parts)]


def _scratch(nodes: int, targets: int) -> kernel.Scratch:
    return (
        np.full(nodes, kernel.NOT_YET, np.int64),
        np.empty(nodes, np.int32),
        np.full(nodes, -1, np.int32),
        np.empty(nodes, np.int32),
        np.full(targets, kernel.NOT_YET, np.int64),
        np.empty(targets, np.int32),
    )


def _origins(graph: Graph, here: _Placed) -> kernel.Origins:
    """Return from where one may set out: to the first end against the segment, else along it."""
    placed = here.segment >= 0
    back, ahead = np.zeros(len(placed), np.bool_), np.zeros(len(placed), np.bool_)
    back[placed] = graph.backward[here.segment[placed]]
    ahead[placed] = graph.forward[here.segment[placed]]
    first, second = (np.full(len(placed), -1, np.int32) for _ in range(2))
    first[back] = graph.first[here.segment[back]]
    second[ahead] = graph.second[here.segment[ahead]]
    return (here.segment, first, second, here.along, here.rest, here.along, here.off)


def _ends(graph: Graph, there: _Placed) -> kernel.Entries:
    """Return the targets by the nodes from which one gets to them."""
    placed = np.flatnonzero(there.segment >= 0)
    ahead = placed[graph.forward[there.segment[placed]]]
    back = placed[graph.backward[there.segment[placed]]]
    node = np.concatenate([graph.first[there.segment[ahead]], graph.second[there.segment[back]]])
    target = np.concatenate([ahead, back])
    cost = np.concatenate([there.along[ahead], there.rest[back]])
    return _entries(len(graph.points.lon), node, target, cost, there.off[target])


def _beside(graph: Graph, there: _Placed) -> kernel.Entries:
    """Return the targets by their segments."""
    placed = np.flatnonzero(there.segment >= 0)
    return _entries(
        len(graph.cost), there.segment[placed], placed, there.along[placed], there.off[placed]
    )


def _entries(rows: int, row: Int32, target: Int64, cost: Int32, off: Int32) -> kernel.Entries:
    order = np.lexsort((target, row))
    start = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=start[1:])
    return start, target[order].astype(np.int32), cost[order], off[order]
