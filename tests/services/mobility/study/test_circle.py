"""People within the hour of a place by area, in both regimes, as plain loops count them."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.study.town import BACK, PLACES, QUESTION, SLOW, STOPS, ready_with
from tongcheng.services.mobility.isochrones import grid_cells
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.study.circle import (
    Answer,
    answer_of,
    areas_of,
    bands,
    circle,
    count_table,
    people_of,
)
from tongcheng.services.mobility.study.reach import Spot, reach_of

NAMES = {"west": "西区"}
PEOPLE = people_of(PLACES)
AREAS = areas_of(PLACES.area_ids, NAMES)
WITHIN_S = (1_200, 2_400)


def _answer(folder: Path) -> Answer:
    ready = ready_with(folder, SLOW, BACK)
    return answer_of(reach_of(ready, Spot(*STOPS["W"]), QUESTION, deadlines=False), QUESTION)


def _median(pairs: list[tuple[int, int]]) -> int:
    """Return the middle of values, each as often as it has people."""
    values = sorted(value for value, people in pairs for _ in range(people))
    return values[(len(values) - 1) // 2] if values else 0


def test_people_are_counted_as_plain_loops_count(tmp_path: Path) -> None:
    """By area, regime and time; and how often the person in the middle can leave."""
    answer = _answer(tmp_path)

    counts = circle(answer, PEOPLE, AREAS, WITHIN_S)

    assert [each.area_id for each in counts] == ["east", "west"]
    assert [each.name for each in counts] == ["east", "西区"]
    assert list(answer.seconds) == ["p50", "p90", "best"]
    for count in counts:
        own = [at for at, area in enumerate(PLACES.area_ids) if area == count.area_id]
        assert count.people == sum(int(PEOPLE[at]) for at in own)
        for regime, seconds in answer.seconds.items():
            assert count.within[regime] == tuple(
                sum(int(PEOPLE[at]) for at in own if seconds[at] <= limit) for limit in WITHIN_S
            )
        assert answer.departures is not None
        inside = [at for at in own if answer.seconds["best"][at] <= WITHIN_S[-1]]
        leaving = [(int(answer.departures[at]), int(PEOPLE[at])) for at in inside]
        assert count.departures == _median(leaving)
    east, west = counts
    assert east.within["p50"][1] < east.within["best"][1], "a timed journey is shorter"
    assert west.departures == QUESTION.window.instants, "who walks may leave whenever they like"


def test_a_table_has_the_same(tmp_path: Path) -> None:
    """A column for each regime and time, named by both."""
    counts = circle(_answer(tmp_path), PEOPLE, AREAS, WITHIN_S)

    table = count_table(counts, WITHIN_S)

    assert table.column_names == [
        "area_id",
        "name",
        "people",
        *(f"{regime}_within_{time}_s" for regime in ("p50", "p90", "best") for time in WITHIN_S),
        "best_departures",
    ]
    assert table["best_within_2400_s"].to_pylist() == [each.within["best"][1] for each in counts]


def test_bands_hold_the_same_people(tmp_path: Path) -> None:
    """What is drawn is what is counted, in every regime."""
    answer = _answer(tmp_path)
    cells = grid_cells(*PLACES.points)
    assert cells is not None

    found = bands(answer, PEOPLE, cells, [20, 40])

    assert [(each.regime, each.minutes) for each in found] == [
        (regime, minutes) for regime in ("p50", "p90", "best") for minutes in (20, 40)
    ]
    counts = circle(answer, PEOPLE, AREAS, WITHIN_S)
    assert [each.people for each in found] == [
        sum(count.within[regime][at] for count in counts)
        for regime in ("p50", "p90", "best")
        for at in (0, 1)
    ]


def test_nobody_within_is_no_departure() -> None:
    """An area that nobody reaches has nobody in the middle, and a place in no area is in none."""
    nowhere = np.full(3, UNREACHED, np.uint16)
    areas = areas_of(("a", "", "b"), {})

    counts = circle(
        Answer({"best": nowhere}, nowhere), np.array([1, 2, 3], np.int64), areas, (3_600,)
    )

    assert [(each.area_id, each.people, each.departures) for each in counts] == [
        ("a", 1, 0),
        ("b", 3, 0),
    ]


@given(st.integers(0, 2**32))
def test_the_person_in_the_middle_is_the_same_as_in_a_plain_list(seed: int) -> None:
    """Of many areas at once, some of them with nobody, or nobody within."""
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 60))
    areas = areas_of([f"{number or ''}" for number in random.integers(0, 12, count)], {})
    people = random.integers(0, 4, count)
    seconds = random.choice(np.array([60, 600, 900, UNREACHED], np.uint16), count)
    departures = random.integers(0, 9, count).astype(np.uint16)

    counts = circle(Answer({"best": seconds}, departures), people, areas, (300, 600))

    for number, each in enumerate(counts):
        inside = np.flatnonzero((areas.area == number) & (seconds <= 600)).tolist()
        leaving = [(int(departures[at]), int(people[at])) for at in inside]
        assert each.departures == _median(leaving)
