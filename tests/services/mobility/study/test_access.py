"""Measures of all places of a study, as plain loops over its whole table find them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.services.mobility.study.town import BACK, PLACES, QUESTION, SLOW, ready_with
from tongcheng.services.mobility.measures.decay import Steps, within
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.scan.run import forward
from tongcheng.services.mobility.study.access import (
    ByGravity,
    Catchment,
    Measured,
    ToKth,
    WithinTimes,
    access,
)
from tongcheng.services.mobility.study.circle import people_of
from tongcheng.services.mobility.study.model import Ready

PEOPLE = people_of(PLACES)
DOCTORS = np.array([int(number % 9 == 0) * 2 for number in range(len(PEOPLE))], np.int64)
HALVES = Steps((1_800, 3_600), (1_000_000, 500_000))


def _found(ready: Ready, measured: Measured, threads: int = 1) -> dict[str, NDArray[Any]]:
    told: list[tuple[int, int]] = []
    found = access(
        ready,
        QUESTION,
        measured,
        DOCTORS,
        PEOPLE,
        threads=threads,
        progress=lambda *done: told.append(done),
    )
    assert told[-1][0] == told[-1][1], "all are done at the end"
    return found


def _tables(ready: Ready) -> dict[str, list[list[int]]]:
    """Return the whole tables by regime, as lists."""
    made = list(forward(ready.timetable, ready.ways, QUESTION))
    times = np.concatenate([block.times for block in made], axis=1)
    least = np.concatenate([block.least for block in made])
    tables = [*times, least]
    return {name: each.tolist() for name, each in zip(("p50", "p90", "best"), tables, strict=True)}


def _weight(seconds: int) -> float:
    return 1.0 if seconds <= 1_800 else 0.5 if seconds <= 3_600 else 0.0


def test_each_measure_is_what_plain_loops_find(tmp_path: Path) -> None:
    """Within, gravity and the k-th closest of every place, in every regime."""
    ready = ready_with(tmp_path, SLOW, BACK)
    found = (
        _found(ready, WithinTimes((1_800, 3_600)))
        | _found(ready, ByGravity(HALVES))
        | _found(ready, ToKth((1, 3)))
    )

    for regime, table in _tables(ready).items():
        for origin, row in enumerate(table):
            pairs = sorted(zip(row, DOCTORS.tolist(), strict=True))
            for limit in (1_800, 3_600):
                inside = sum(count for seconds, count in pairs if seconds <= limit)
                assert found[f"{regime}_within_{limit}_s"][origin] == inside
            weighed = sum(count * _weight(seconds) for seconds, count in pairs)
            assert found[f"{regime}_gravity"][origin] == weighed
            doctors = [seconds for seconds, count in pairs for _ in range(count)]
            assert found[f"{regime}_kth_1_s"][origin] == doctors[0]
            assert found[f"{regime}_kth_3_s"][origin] == doctors[2]


def test_supply_is_shared_among_those_who_reach_it(tmp_path: Path) -> None:
    """Both steps by plain loops; what people have together is the supply that anybody reaches."""
    ready = ready_with(tmp_path, SLOW, BACK)

    found = _found(ready, Catchment(within(3_600)))

    for regime, table in _tables(ready).items():
        size = range(len(table))
        demand = [
            sum(int(PEOPLE[origin]) for origin in size if table[origin][to] <= 3_600) for to in size
        ]
        own = [
            sum(DOCTORS[to] / demand[to] for to in size if row[to] <= 3_600 and demand[to])
            for row in table
        ]
        assert found[f"{regime}_access"].tolist() == pytest.approx(own)
        assert float(found[f"{regime}_access"] @ PEOPLE) == pytest.approx(DOCTORS.sum())


def test_threads_decide_nothing(tmp_path: Path) -> None:
    """To the last bit; where nothing is reached there is no time."""
    ready = ready_with(tmp_path, SLOW)

    one, three = (_found(ready, ToKth((1, 1_000)), threads) for threads in (1, 3))

    assert all(np.array_equal(one[name], three[name]) for name in one)
    assert (one["best_kth_1000_s"] == UNREACHED).all()
