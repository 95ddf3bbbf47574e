"""Before and after a scenario: seen from a place, and from many points at once.

Whoever does not take what a scenario adds travels as before; so where it only adds, nobody's
journey is longer, and a pair for which it is shows a fault (`measures.monotone`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from tongcheng.services.mobility.isochrones import MINUTE_S, Cells, Isochrone, isochrones
from tongcheng.services.mobility.measures.areas import Living, mean_of
from tongcheng.services.mobility.measures.figure import Figure
from tongcheng.services.mobility.measures.inequality import Inequality, inequality
from tongcheng.services.mobility.measures.monotone import Comparison, Monotone
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED, Int64, UInt16
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.study.circle import (
    BEST,
    CAR,
    Answer,
    Areas,
    answer_by_car,
    answer_of,
)
from tongcheng.services.mobility.study.model import Ready
from tongcheng.services.mobility.study.reach import (
    RoadReady,
    Spot,
    reach_by_car,
    reach_of,
    rows_by_car,
    rows_of,
)

Side: TypeAlias = Ready | RoadReady
"""What is asked, before or after: a day's network, or its roads."""

SIDES: Final = ("before", "after", "gained", "lost")


class Gain(NamedTuple):
    """People of an area, and by regime and then time those within it: in the order of SIDES."""

    area_id: str
    name: str
    people: int
    within: dict[str, tuple[tuple[int, int, int, int], ...]]


class Change(NamedTuple):
    """By regime, how many people are within the time of each point before and after (int64)."""

    before: dict[str, Int64]
    after: dict[str, Int64]
    monotone: dict[str, Comparison]


class Mean(NamedTuple):
    """Of an area's people, the mean number of people within the time of their point."""

    area_id: str
    name: str
    people: int
    before: Figure
    after: Figure


def ask(side: Side, spot: Spot, question: Question, *, deadlines: bool) -> Answer:
    """Ask one side from a spot; refuses MOBILITY_EXTRA where numba is not installed."""
    if isinstance(side, RoadReady):
        return answer_by_car(reach_by_car(side, spot, question.longest_s, deadlines=deadlines))
    return answer_of(reach_of(side, spot, question, deadlines=deadlines), question)


def gains(
    before: Answer, after: Answer, people: Int64, areas: Areas, within_s: Sequence[int]
) -> list[Gain]:
    """Count by area who is within each time before and after, in every regime.

    Refuses MOBILITY_COUNTS, MOBILITY_PARAMETER and MOBILITY_ORDER.
    """
    living = Living(people, areas.area, len(areas.ids))
    found = {
        regime: living.gain(before.seconds[regime], after.seconds[regime], within_s)
        for regime in before.seconds
    }
    return [
        Gain(
            areas.ids[at],
            areas.names[at],
            int(living.total[at]),
            {
                regime: tuple(
                    (
                        int(gain.before[at, time]),
                        int(gain.after[at, time]),
                        int(gain.gained[at, time]),
                        int(gain.lost[at, time]),
                    )
                    for time in range(len(within_s))
                )
                for regime, gain in found.items()
            },
        )
        for at in range(len(areas.ids))
    ]


def gain_columns(rows: Sequence[Gain], within_s: Sequence[int]) -> dict[str, pa.Array]:
    """Return columns of a table: `p50_gained_3600_s` and the like, a row for each area."""
    columns: dict[str, pa.Array] = {}
    for regime in rows[0].within if rows else ():
        for at, time in enumerate(within_s):
            for place, side in enumerate(SIDES):
                column = [row.within[regime][at][place] for row in rows]
                columns[f"{regime}_{side}_{time}_s"] = pa.array(column, pa.int64())
    return columns


def gain_bands(
    before: Answer, after: Answer, people: Int64, cells: Cells, minutes: Sequence[int]
) -> list[Isochrone]:
    """Return by regime and time three shapes: within before, within after, and gained.

    Their regimes are called `p50 before` and the like. Refuses as `isochrones.isochrones`.
    """
    bands: list[Isochrone] = []
    for regime, old in before.seconds.items():
        new = after.seconds[regime]
        for limit in minutes:
            fresh = np.where(old > limit * MINUTE_S, new, UNREACHED).astype(np.uint16)
            sides = zip(SIDES[:3], (old, new, fresh), strict=True)
            for side, seconds in sides:
                bands += isochrones(seconds, people, cells, [limit], regime=f"{regime} {side}")
    return bands


def compare_points(
    sides: tuple[Side, Side],
    points: Points,
    people: Int64,
    question: Question,
    within_s: int,
    *,
    deadlines: bool,
    threads: int,
    progress: Callable[[int, int], None],
) -> Change:
    """Count from every point, before and after, the people within a time, and compare all pairs.

    `people` live at the places of both sides, which are the same. `progress` is told points done,
    of how many. Refuses MOBILITY_EXTRA where numba is not installed.
    """
    old_rows, new_rows = (
        _rows(side, points, question, deadlines=deadlines, threads=threads) for side in sides
    )
    counted: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
    monotone: dict[str, Monotone] = {}
    done = 0
    for old, new in zip(old_rows, new_rows, strict=True):
        for regime in old:
            monotone.setdefault(regime, Monotone()).add(old[regime], new[regime])
            for into, rows in zip(counted, (old[regime], new[regime]), strict=True):
                into.setdefault(regime, []).extend(_within(rows, people, within_s))
        done += len(next(iter(old.values())))
        progress(done, len(points.lon))
    before, after = (
        {regime: np.array(each, np.int64) for regime, each in found.items()} for found in counted
    )
    return Change(before, after, {name: each.result() for name, each in monotone.items()})


def means(areas: Areas, people: Int64, before: Int64, after: Int64) -> list[Mean]:
    """Return what points have in the mean of their areas' people, before and after."""
    living = Living(people, areas.area, len(areas.ids))
    change = living.change(before, after)
    return [
        Mean(
            areas.ids[at],
            areas.names[at],
            int(change.people[at]),
            mean_of(change.before[at], int(change.people[at])),
            mean_of(change.after[at], int(change.people[at])),
        )
        for at in range(len(areas.ids))
    ]


def unequal(change: Change, people: Int64) -> dict[str, Inequality]:
    """Return by regime and side how unequally the people within the time are spread over points."""
    return {
        f"{regime}_{side}": inequality(found[regime], people)
        for regime in change.before
        for side, found in (("before", change.before), ("after", change.after))
    }


def _rows(
    side: Side, points: Points, question: Question, *, deadlines: bool, threads: int
) -> Iterator[dict[str, UInt16]]:
    """Yield rows of points and columns of places, by regime, in the order of the points."""
    if isinstance(side, RoadReady):
        for row in rows_by_car(side, points, question.longest_s, deadlines=deadlines):
            yield {CAR: row[np.newaxis]}
        return
    names = [f"p{each:02}" for each in question.percentiles]
    for block in rows_of(side, points, question, deadlines=deadlines, threads=threads):
        yield {**dict(zip(names, block.times, strict=True)), BEST: block.least}


def _within(rows: UInt16, people: Int64, within_s: int) -> list[int]:
    return [int(people[row <= within_s].sum()) for row in rows]
