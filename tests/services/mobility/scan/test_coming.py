"""Whoever is on the way to a stop stands ready there in time, in whatever order they are noted."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.services.mobility.links import links_of
from tongcheng.services.mobility.scan import kernel
from tongcheng.services.mobility.scan.layout import (
    COMING,
    FOREVER,
    NEXT_S,
    NONE,
    READY,
    Room,
    Terms,
)
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.scan.network import network_of
from tongcheng.services.mobility.scan.room import room_for
from tongcheng.services.mobility.timetable.model import Connections

INSTANTS = 6
TERMS = Terms(step=60, instants=INSTANTS, longest=600, cut=600, layers=1, capped=False)
Step = tuple[int, list[tuple[int, int]]]
"""Seconds that go by, and who is noted then: how many seconds later they come, and who."""
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.lists(st.tuples(st.integers(1, 9), st.integers(0, INSTANTS - 1)), max_size=4),
    ),
    max_size=40,
)


def room() -> Room:
    """Return room with one stop, to which more come than there are instants."""
    many = 3 * INSTANTS
    no, yes = np.zeros(many, np.int32), np.ones(many, np.bool_)
    network = network_of(Connections(no, no, no, no, no, yes, yes), links_of(1, [0], [0], [1]), 1)
    made = room_for(network, np.ones(1, np.bool_), TERMS)
    none = links_of(1, [], [], [])
    kernel.clear(Ways(none, none, none), 0, made)
    return made


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_the_latest_who_came_is_ready(steps: list[Step]) -> None:
    """At every second the stop knows the latest instant of all who were to come by then."""
    made, now_s = room(), 0
    noted: list[tuple[int, int]] = []
    for by, comers in steps:
        now_s += by
        if made.state[NEXT_S] <= now_s:
            kernel.stand_ready(made, 0, now_s, FOREVER, TERMS)

        assert made.state[READY] == max((who for at, who in noted if at <= now_s), default=NONE)

        for after_s, who in comers:
            kernel.come(made, 0, now_s + after_s, who)
            noted.append((now_s + after_s, who))
            assert made.state[COMING] >= who or made.state[READY] >= who
