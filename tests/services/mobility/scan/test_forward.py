"""The range scan says what a search of every departure says, and counts as one does by hand."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.scan.worlds import (
    DESTINATIONS,
    ORIGINS,
    Ride,
    World,
    questions,
    worlds,
)
from tongcheng.services.mobility.numbers import UNREACHED, UInt16
from tongcheng.services.mobility.scan import run
from tongcheng.services.mobility.scan.model import Block, Question, Window
from tongcheng.services.mobility.scan.network import ahead

Times = list[int | None]
EXAMPLES = 150
QUESTION = Question(Window(0, 60, 5), 600)


def searched(world: World, question: Question, origin: int) -> list[Times]:
    """Return the times by destination and instant, found by search."""
    window = question.window
    starts = [window.first_s + at * window.step_s for at in range(window.instants)]
    return [
        [world.time(question, origin, to, start_s) for start_s in starts]
        for to in range(DESTINATIONS)
    ]


def told(table: np.ndarray) -> list[Times]:
    """Return a table of times with None where nothing is reached."""
    return [[None if each == UNREACHED else each for each in row] for row in table.tolist()]


@dataclass(frozen=True)
class Counted:
    """A cell of a block, counted without arrays."""

    times: Times
    least: int | None
    within: int
    usable: int


def counted(times: Times, question: Question) -> Counted:
    """Return what a block should say of the times of a pair of places without a way on foot."""
    window = question.window
    long = [math.inf if each is None else each for each in times]
    ranked = [sorted(long)[rank - 1] for rank in question.ranks]
    last: dict[float, float] = {}
    for at, seconds in enumerate(long):
        last[seconds + at * window.step_s] = seconds
    usable = sum(seconds <= question.cut_s for seconds in last.values())
    return Counted(
        [None if each == math.inf else int(each) for each in ranked],
        None if min(long) == math.inf else int(min(long)),
        sum(each <= question.cut_s for each in long),
        usable,
    )


def cell(blocks: list[Block], origin: int, to: int) -> Counted:
    """Return what the blocks say of a pair of places."""
    block = next(each for each in reversed(blocks) if each.first <= origin)
    row = origin - block.first
    times, least = told(block.times[:, row, to, None]), told(block.least[row, to, None, None])
    return Counted(
        [each for (each,) in times],
        least[0][0],
        int(block.within[row, to]),
        int(block.usable[row, to]),
    )


def arrays(block: Block) -> tuple[UInt16, ...]:
    """Return the tables of a block, each with a row for an origin."""
    return (block.times, block.least, block.within, block.usable)


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), st.one_of(questions(), questions(capped=True)))
def test_times_are_those_of_a_search(world: World, question: Question) -> None:
    """At every instant, to every destination, with and without a cap on rides."""
    network, ways = ahead(world.timetable()), world.ways()

    for origin in range(ORIGINS):
        table = run.profile(network, ways, question, origin)

        assert told(table) == searched(world, question, origin)


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), st.one_of(questions(), questions(capped=True)), st.integers(1, 3))
def test_blocks_count_what_a_search_finds(world: World, question: Question, rows: int) -> None:
    """Percentiles, the best-timed trip, instants within the cut and usable departures."""
    blocks = list(run.forward(world.timetable(), world.ways(), question, rows=rows))

    assert [each.first for each in blocks] == list(range(0, ORIGINS, rows))
    for origin in range(ORIGINS):
        for to, times in enumerate(searched(world, question, origin)):
            expected = counted(times, question)
            walks = [way_s for at, end, way_s in world.direct if (at, end) == (origin, to)]
            if walks and min(walks) <= min(question.cut_s, question.longest_s):
                expected = Counted(
                    expected.times, expected.least, expected.within, question.window.instants
                )

            assert cell(blocks, origin, to) == expected


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), questions())
def test_enough_rides_are_any_number(world: World, question: Question) -> None:
    """A cap that no journey needs changes nothing."""
    enough = question._replace(rides_max=sum(len(trip) for trip in world.trips))
    timetable, ways = world.timetable(), world.ways()

    capped = list(run.forward(timetable, ways, enough))
    free = list(run.forward(timetable, ways, question))

    for one, other in zip(capped, free, strict=True):
        for at, array in enumerate(arrays(one)):
            assert np.array_equal(array, arrays(other)[at])


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), questions(), st.integers(1, 3), st.integers(1, 4))
def test_threads_and_blocks_change_nothing(
    world: World, question: Question, rows: int, threads: int
) -> None:
    """The same bytes come in the same order, however they are computed."""
    timetable, ways = world.timetable(), world.ways()

    one = list(run.forward(timetable, ways, question, threads=1, rows=ORIGINS))
    many = list(run.forward(timetable, ways, question, threads=threads, rows=rows))

    for at, whole in enumerate(arrays(one[0])):
        parts = [arrays(each)[at] for each in many]
        assert np.array_equal(np.concatenate(parts, axis=-2), whole)


def test_a_window_may_be_longer_than_any_timetable() -> None:
    """Instants of decades are counted: only those before the one vehicle have a journey."""
    world = World(
        trips=((Ride(0, 1, 40_100, 40_200),),),
        changes=(),
        access=((0, 0, 10),),
        egress=((0, 1, 20),),
        direct=(),
    )
    question = Question(Window(0, 40_000, 40_000), 60_000)

    table = run.profile(ahead(world.timetable()), world.ways(), question, 0)

    assert told(table[:1, :2]) == [[40_220, 220]]
    assert (table[0, 2:] == UNREACHED).all()
    assert (table[1:] == UNREACHED).all()


def test_a_question_is_asked_within_bounds() -> None:
    """Compiled code looks at no bound, so what is beyond them is our bug."""
    world = World((), (), (), (), ())
    for question in (
        QUESTION._replace(longest_s=UNREACHED),
        QUESTION._replace(percentiles=(0,)),
        QUESTION._replace(percentiles=(60, 40)),
        QUESTION._replace(rides_max=-1),
        QUESTION._replace(window=Window(0, 0, 5)),
    ):
        with pytest.raises(AssertionError):
            run.forward(world.timetable(), world.ways(), question)


def test_a_change_of_no_time_is_ours_to_prevent() -> None:
    """Or of two connections of one instant, one could be the other's change."""
    world = World((), ((0, 0, 0),), (), (), ())

    with pytest.raises(AssertionError, match="a change takes a second"):
        run.forward(world.timetable(), world.ways(), QUESTION)


def test_without_numba_it_is_refused() -> None:
    """A node without the extra loads everything, and says by name what is missing."""
    script = textwrap.dedent("""
        import sys
        sys.modules["numba"] = None
        from tongcheng.kernel.errors import Refused
        from tongcheng.services.mobility.scan import run
        try:
            run.warm()
        except Refused as refused:
            print(refused.code, refused.facts["package"])
    """)

    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["MOBILITY_EXTRA", "numba"]
