"""Ways within a station, along its pathways (pathways.txt).

A pathway takes its traversal_time; where the feed gives none, its length at walking speed; and
where it gives no length either, what `Walking` says of an elevator or of anything else. A way is
the quickest one (Dijkstra, Numerische Mathematik 1, 1959), and never leaves the station.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tongcheng.services.mobility.feed.model import NONE, Feed
from tongcheng.services.mobility.walking import Walking

ELEVATOR: Final = 5
"""pathway_mode of an elevator."""

Inside = Mapping[int, tuple[tuple[int, int], ...]]
"""From a stop of a feed: where pathways lead, and their seconds."""


def pathways(feed: Feed, walking: Walking) -> Inside:
    """Return the pathways of a feed by where they begin; a stop without any is not there."""
    table = feed.pathways
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    columns = (table.origin, table.to, table.mode, table.seconds, table.length_m)
    for origin, to, mode, seconds, length_m in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        taken_s = seconds
        if seconds == NONE:
            taken_s = _guessed_s(mode, length_m, walking)
        found[origin].append((to, taken_s))
    return {origin: tuple(ways) for origin, ways in found.items()}


def backward(inside: Inside) -> Inside:
    """Return the same pathways walked against their direction."""
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for origin, ways in inside.items():
        for to, taken_s in ways:
            found[to].append((origin, taken_s))
    return {to: tuple(ways) for to, ways in found.items()}


def joined_up(inside: Inside) -> frozenset[int]:
    """Return the stops at which some pathway begins or ends."""
    ends = {to for ways in inside.values() for to, _ in ways}
    return frozenset(inside.keys() | ends)


def seconds_from(origin: int, wanted: Iterable[int], inside: Inside) -> dict[int, int]:
    """Return what it takes from a stop to each of those wanted that pathways lead to."""
    missing = set(wanted)
    settled: dict[int, int] = {}
    found: dict[int, int] = {}
    queue = [(0, origin)]
    while queue and missing:
        taken_s, here = heapq.heappop(queue)
        if here in settled:
            continue
        settled[here] = taken_s
        if here in missing:
            missing.remove(here)
            found[here] = taken_s
        for to, seconds in inside.get(here, ()):
            if to not in settled:
                heapq.heappush(queue, (taken_s + seconds, to))
    return found


def _guessed_s(mode: int, length_m: float, walking: Walking) -> int:
    if not math.isnan(length_m):
        return math.floor(length_m / walking.straight.speed_m_per_s + 0.5)
    return walking.elevator_s if mode == ELEVATOR else walking.pathway_s
