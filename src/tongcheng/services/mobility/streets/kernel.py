"""The loops over streets, compiled: what hangs together, and the shortest ways within a limit.

All compiled functions are in this file, because numba notices changes of the file of the one it
keeps, and of no other.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from tongcheng.kernel.jit import kept_alone
from tongcheng.services.mobility.numbers import Int32, Int64

Origins: TypeAlias = tuple[Int32, Int32, Int32, Int32, Int32, Int32, Int32]
"""Of each origin its segment (-1 for none), the segment's first and second end (-1 where one may
not go there), the cost to each, the cost from the first end to it, and the cost off the street."""
Entries: TypeAlias = tuple[Int64, Int32, Int32, Int32]
"""Targets in compressed rows: start, target, cost along the street, cost off it."""
Scratch: TypeAlias = tuple[Int64, Int32, Int32, Int32, Int64, Int32]
"""Of each node length (NOT_YET), heap, place in it (-1), touched; of each target best (NOT_YET),
met."""

NOT_YET: Final = 1 << 40
"""Longer than every way."""


@kept_alone
def _next(node: int, start: Int64, to: Int32, at: Int64, component: Int32, order: Int64,
          low: Int64) -> int:  # fmt: skip
    """Follow a node's arcs to one that nobody has seen, and return it; -1 when there is none."""
    while at[node] < start[node + 1]:
        target = to[at[node]]
        at[node] += 1
        if order[target] < 0:
            return int(target)
        if component[target] < 0:
            low[node] = min(low[node], order[target])
    return -1


@kept_alone
def _close(node: int, waiting: Int64, size: int, component: Int32, found: int) -> int:
    """Give all that waits from a node on its component; returns how much waits still."""
    member = -1
    while member != node:
        size -= 1
        member = waiting[size]
        component[member] = found
    return size


@kept_alone
def components(start: Int64, to: Int32) -> Int32:
    """Return for each node the number of its strongly connected component.

    Tarjan, Depth-first search and linear graph algorithms, SIAM Journal on Computing 1 (1972), with
    a stack of its own. Where every arc has one back, they are what hangs together.
    """
    count = len(start) - 1
    component, order = np.full(count, -1, np.int32), np.full(count, -1, np.int64)
    low, at = np.zeros(count, np.int64), start[:-1].copy()
    path, waiting = np.empty(count, np.int64), np.empty(count, np.int64)
    seen = found = size = 0
    for root in range(count):
        depth = 0
        if order[root] < 0:
            path[0] = root
            depth = 1
        while depth:
            node = path[depth - 1]
            if order[node] < 0:
                order[node] = low[node] = seen
                waiting[size] = node
                seen, size = seen + 1, size + 1
            target = _next(node, start, to, at, component, order, low)
            if target >= 0:
                path[depth] = target
                depth += 1
                continue
            depth -= 1
            if depth:
                low[path[depth - 1]] = min(low[path[depth - 1]], low[node])
            if low[node] == order[node]:
                size = _close(node, waiting, size, component, found)
                found += 1
    return component


@kept_alone
def _rise(heap: Int32, place: Int32, length: Int64, at: int) -> None:
    """Bring the entry at a place of the heap up to where it belongs."""
    node = heap[at]
    while at:
        parent = (at - 1) >> 1
        if length[heap[parent]] <= length[node]:
            break
        heap[at] = heap[parent]
        place[heap[at]] = at
        at = parent
    heap[at] = node
    place[node] = at


@kept_alone
def _sink(heap: Int32, place: Int32, length: Int64, size: int) -> None:
    """Bring the first entry of the heap down to where it belongs."""
    node = heap[0]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and length[heap[child + 1]] < length[heap[child]]:
            child += 1
        if length[heap[child]] >= length[node]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = node
    place[node] = at


@kept_alone
def settle(arcs: tuple[Int64, Int32, Int32], limit: int, scratch: Scratch, size: int) -> int:
    """Find the shortest ways of at most `limit` from the nodes that lie in the heap.

    Dijkstra, Numerische Mathematik 1 (1959), with a binary heap in which a node stands once. Those
    nodes are `touched[:size]`, with their lengths. Returns how many nodes were touched; of those
    whose length is within the limit it is the shortest.
    """
    start, to, cost = arcs
    length, heap, place, touched, _, _ = scratch
    count = size
    while size:
        node = heap[0]
        size -= 1
        place[node] = -1
        if size:
            heap[0] = heap[size]
            _sink(heap, place, length, size)
        if length[node] > limit:
            break
        for arc in range(start[node], start[node + 1]):
            target = to[arc]
            total = length[node] + cost[arc]
            if total > limit or total >= length[target]:
                continue
            if length[target] == NOT_YET:
                touched[count] = target
                count += 1
                place[target] = size
                heap[size] = target
                size += 1
            length[target] = total
            _rise(heap, place, length, place[target])
    return count


@kept_alone
def _begin(node: int, total: int, length: Int64, heap: Int32, place: Int32, touched: Int32,
           size: int) -> int:  # fmt: skip
    """Put a node into the heap with what it takes to get to it; returns the heap's size."""
    if total >= length[node]:
        return size
    if length[node] == NOT_YET:
        heap[size] = node
        place[node] = size
        touched[size] = node
        size += 1
    length[node] = total
    _rise(heap, place, length, place[node])
    return size


@kept_alone
def _meet(target: int, total: int, best: Int64, met: Int32, reached: int) -> int:
    """Note a way to a target; returns how many targets are met."""
    if total < best[target]:
        if best[target] == NOT_YET:
            met[reached] = target
            reached += 1
        best[target] = total
    return reached


@kept_alone
def _meet_all(
    origin: int, origins: Origins, ends: Entries, beside: Entries, scratch: Scratch, count: int,
    limit: int,
) -> int:  # fmt: skip
    """Note the ways to targets at touched nodes and along the origin's own segment."""
    length, _, _, touched, best, met = scratch
    segment, first_end, second_end, _, _, along, off = origins
    reached = 0
    for at in range(count):
        node = touched[at]
        if length[node] > limit:
            continue
        for entry in range(ends[0][node], ends[0][node + 1]):
            total = length[node] + ends[2][entry] + ends[3][entry]
            if total <= limit:
                reached = _meet(ends[1][entry], total, best, met, reached)
    here = segment[origin]
    if here < 0:
        return reached
    for entry in range(beside[0][here], beside[0][here + 1]):
        ahead = np.int64(beside[2][entry]) - along[origin]
        if (ahead > 0 and second_end[origin] < 0) or (ahead < 0 and first_end[origin] < 0):
            continue
        total = abs(ahead) + off[origin] + beside[3][entry]
        if total <= limit:
            reached = _meet(beside[1][entry], total, best, met, reached)
    return reached


@kept_alone
def many_to_many(
    arcs: tuple[Int64, Int32, Int32],
    origins: Origins,
    ends: Entries,
    beside: Entries,
    scratch: Scratch,
    out: tuple[Int64, Int32, Int64],
    bounds: tuple[int, int, int],
) -> tuple[int, int]:
    """Find the ways from some origins, as many of them as surely fit into `out`.

    Args:
        arcs: start, to, cost of the graph in compressed rows.
        origins: as `Origins` says.
        ends: targets by the node next to them.
        beside: targets by their segment.
        scratch: as `Scratch` says; it is left as it was found.
        out: how many ways each origin has, then target and cost of each way.
        bounds: the first origin, the one behind the last, and the longest way.

    Returns:
        The origin behind the last one done, and how many ways there are.
    """
    length, heap, place, touched, best, met = scratch
    counts, targets, costs = out
    first, last, limit = bounds
    filled = 0
    for origin in range(first, last):
        if len(targets) - filled < len(best):
            return origin, filled
        size = 0
        for side in range(2):
            node = origins[1 + side][origin]
            if node >= 0:
                total = np.int64(origins[3 + side][origin]) + origins[6][origin]
                size = _begin(node, total, length, heap, place, touched, size)
        count = settle(arcs, limit, scratch, size)
        reached = _meet_all(origin, origins, ends, beside, scratch, count, limit)
        for at in range(count):
            length[touched[at]] = NOT_YET
            place[touched[at]] = -1
        counts[origin - first] = reached
        met[:reached].sort()
        for at in range(reached):
            targets[filled] = met[at]
            costs[filled] = best[met[at]]
            best[met[at]] = NOT_YET
            filled += 1
    return last, filled
