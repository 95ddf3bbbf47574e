"""Who is within the hour of a place: people by area and shapes on a map, in two regimes.

*Turn up and go* takes the travel times of all instants of the window, by percentile; *best-timed*
takes the instant that suits best, and says beside it how many departures are worth knowing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from tongcheng.services.mobility.isochrones import Cells, Isochrone, isochrones
from tongcheng.services.mobility.measures.areas import NOWHERE, Living
from tongcheng.services.mobility.numbers import Int32, Int64, UInt16
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.study.reach import Reach

BEST: Final = "best"
CAR: Final = "car"
COUNTED_AS_ONE: Final = "not in the places' file: each of them counts as one"


class Areas(NamedTuple):
    """Areas of places, in order of their ids, and the row of each place's area, or NOWHERE."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    area: Int32


class Answer(NamedTuple):
    """One spot and every place: seconds by regime (`p50`, `best`, `car`), as `Reach` has them.

    `departures` are those worth knowing of each place's best-timed journeys, None by car.
    """

    seconds: dict[str, UInt16]
    departures: UInt16 | None


class Count(NamedTuple):
    """People of an area: all, and by regime and then time those within it.

    `departures` is the median over the people within the longest time by `best`, 0 if nobody is;
    None by car.
    """

    area_id: str
    name: str
    people: int
    within: dict[str, tuple[int, ...]]
    departures: int | None


def areas_of(area_ids: Sequence[str], names: Mapping[str, str]) -> Areas:
    """Return the areas that some places' ids say; an area without a name is called by its id.

    A place whose id is "" lies in none.
    """
    ids = tuple(sorted(set(area_ids) - {""}))
    number = {each: at for at, each in enumerate(ids)} | {"": NOWHERE}
    rows = np.array([number[each] for each in area_ids], np.int32)
    return Areas(ids, tuple(names.get(each) or each for each in ids), rows)


def people_of(places: Places) -> Int64:
    """Return who lives where; in a table without people everybody counts as one place."""
    if places.population is not None:
        return places.population
    return np.ones(len(places.ids), np.int64)


def said_of(places: Places) -> dict[str, str | int]:
    """Say what people are where a file has none."""
    return {} if places.population is not None else {"people": COUNTED_AS_ONE}


def answer_of(reach: Reach, question: Question) -> Answer:
    """Return the regimes of a reach."""
    seconds = {f"p{each:02}": reach.times[at] for at, each in enumerate(question.percentiles)}
    return Answer({**seconds, BEST: reach.least}, reach.usable)


def answer_by_car(seconds: UInt16) -> Answer:
    """Return the one regime of a ride that needs no timetable."""
    return Answer({CAR: seconds}, None)


def circle(answer: Answer, people: Int64, areas: Areas, within_s: Sequence[int]) -> list[Count]:
    """Count the people within each time by area, in every regime.

    Refuses MOBILITY_COUNTS, MOBILITY_PARAMETER and MOBILITY_ORDER.
    """
    living = Living(people, areas.area, len(areas.ids))
    found = {name: living.circle(each, within_s) for name, each in answer.seconds.items()}
    medians: list[int | None] = [None] * len(areas.ids)
    if answer.departures is not None:
        inside = np.flatnonzero(answer.seconds[BEST] <= within_s[-1])
        medians = _medians(answer.departures[inside], people[inside], areas, inside)
    return [
        Count(
            areas.ids[at],
            areas.names[at],
            int(living.total[at]),
            {name: tuple(each.inside[at].tolist()) for name, each in found.items()},
            medians[at],
        )
        for at in range(len(areas.ids))
    ]


def count_table(counts: Sequence[Count], within_s: Sequence[int]) -> pa.Table:
    """Return a row for each area: `p50_within_3600_s` and the like, `best_departures`."""
    columns: dict[str, pa.Array] = {
        "area_id": pa.array([each.area_id for each in counts], pa.string()),
        "name": pa.array([each.name for each in counts], pa.string()),
        "people": pa.array([each.people for each in counts], pa.int64()),
    }
    for regime in counts[0].within if counts else ():
        for at, time in enumerate(within_s):
            column = [each.within[regime][at] for each in counts]
            columns[f"{regime}_within_{time}_s"] = pa.array(column, pa.int64())
    if counts and counts[0].departures is not None:
        columns["best_departures"] = pa.array([each.departures for each in counts], pa.int32())
    return pa.table(columns)


def bands(answer: Answer, people: Int64, cells: Cells, minutes: Sequence[int]) -> list[Isochrone]:
    """Return the cumulative bands of every regime, the nearest first.

    Refuses MOBILITY_PARAMETER, MOBILITY_ORDER, MOBILITY_COUNTS and MOBILITY_POLYGON.
    """
    return [
        band
        for regime, seconds in answer.seconds.items()
        for band in isochrones(seconds, people, cells, minutes, regime=regime)
    ]


def _medians(values: UInt16, people: Int64, areas: Areas, places: Int64) -> list[int | None]:
    """Return by area the value of the person in the middle, the lower of two; 0 of nobody."""
    of_area = areas.area[places]
    order = np.lexsort((values, of_area))
    counted = np.append(0, np.cumsum(people[order]))
    numbers, ordered = np.arange(len(areas.ids)), of_area[order]
    before = counted[np.searchsorted(ordered, numbers, side="left")]
    after = counted[np.searchsorted(ordered, numbers, side="right")]
    somebody = after > before
    middle = np.searchsorted(counted[1:], before + (after - before + 1) // 2)
    found = np.zeros(len(numbers), np.int64)
    found[somebody] = values[order][middle[somebody]]
    return list(found.tolist())
