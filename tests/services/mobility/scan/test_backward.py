"""Arriving is departing in the mirror: both directions know the same journeys."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.scan.worlds import DESTINATIONS, ORIGINS, World, questions, worlds
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.scan import run
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scan.network import ahead, mirrored

EXAMPLES = 100
ALWAYS = Window(-60, 1, 260)
"""Every second in which a drawn world has a ride, and those in which one walks to or from it."""


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), st.one_of(questions(), questions(capped=True)))
def test_the_latest_departure_keeps_the_deadline(world: World, question: Question) -> None:
    """The search of every departure knows which is the latest that is there in time."""
    network, ways, window = mirrored(world.timetable()), world.ways(), question.window

    for to in range(DESTINATIONS):
        table = run.profile(network, ways, question, to)
        for origin in range(ORIGINS):
            for at in range(0, window.instants, 5):
                deadline_s = window.first_s + at * window.step_s
                departures = (deadline_s - seconds for seconds in range(question.longest_s + 1))
                times = (
                    deadline_s - start_s
                    for start_s in departures
                    if world.arrivals(origin, start_s, question.rides_max).get(to, deadline_s + 1)
                    <= deadline_s
                )

                assert table[origin, at] == next(times, UNREACHED)


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), questions(), questions(capped=True))
def test_both_directions_know_the_same_journeys(
    world: World, question: Question, other: Question
) -> None:
    """Who departs at t is there by T, if and only if the latest for T departs at t or later.

    That is so for all t and T that are not farther apart than the longest journey.
    """
    there = question._replace(rides_max=other.rides_max)
    back = there._replace(window=other.window)
    timetable, ways = world.timetable(), world.ways()
    forth = [run.profile(ahead(timetable), ways, there, origin) for origin in range(ORIGINS)]
    turned = [run.profile(mirrored(timetable), ways, back, to) for to in range(DESTINATIONS)]
    starts, deadlines = instants(there.window), instants(back.window)
    apart = deadlines[None, :] - starts[:, None]
    near = (apart >= 0) & (apart <= there.longest_s)

    for origin in range(ORIGINS):
        for to in range(DESTINATIONS):
            arrives = forth[origin][to].astype(np.int64)[:, None] <= apart
            departs = turned[to][origin].astype(np.int64)[None, :] <= apart

            assert np.array_equal(arrives[near], departs[near])


def instants(window: Window) -> np.ndarray:
    """Return the instants of a window."""
    return window.first_s + window.step_s * np.arange(window.instants)


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), questions())
def test_the_best_timed_trip_is_the_same(world: World, question: Question) -> None:
    """Over every second of the day nobody is quicker to a place than from it."""
    always = question._replace(window=ALWAYS)
    timetable, ways = world.timetable(), world.ways()

    (forth,) = run.forward(timetable, ways, always, rows=ORIGINS)
    (back,) = run.backward(timetable, ways, always, rows=DESTINATIONS)

    assert np.array_equal(forth.least, back.least.T)
    walks = np.zeros(forth.usable.shape, np.bool_)
    for origin, to, way_s in world.direct:
        walks[origin, to] |= way_s <= min(always.cut_s, always.longest_s)
    assert np.array_equal(forth.usable[~walks], back.usable.T[~walks])
