"""People by area: what is gained and lost accounts for the whole difference."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.measures.areas import NOWHERE, Living, mean_of
from tongcheng.services.mobility.measures.figure import Figure, Undefined
from tongcheng.services.mobility.numbers import UNREACHED, Int32, Int64, UInt16

AREAS = 4
TIMES = [0, 600, 3_600]


class Places(NamedTuple):
    """Places with who lives there, where, and seconds before and after."""

    people: Int64
    area: Int32
    before: UInt16
    after: UInt16


@st.composite
def places(draw: st.DrawFn) -> Places:
    """Draw places, some in no area."""
    size = draw(st.integers(0, 9))

    def column(each: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(each, min_size=size, max_size=size))

    second = st.sampled_from([0, 1, 599, 600, 601, 3_600, UNREACHED])
    return Places(
        np.array(column(st.integers(0, 10**6)), np.int64),
        np.array(column(st.integers(NOWHERE, AREAS - 1)), np.int32),
        np.array(column(second), np.uint16),
        np.array(column(second), np.uint16),
    )


@given(places())
def test_the_circle_is_its_definition_and_grows(given_: Places) -> None:
    """Area by area, place by place; nobody is inside who does not live there."""
    made = Living(given_.people, given_.area, AREAS).circle(given_.before, TIMES)
    rows = list(zip(given_.people, given_.area, given_.before, strict=True))
    expected = [
        [sum(int(n) for n, at, t in rows if at == area and t <= time) for time in TIMES]
        for area in range(AREAS)
    ]

    assert made.inside.tolist() == expected
    assert (np.diff(made.inside, axis=1) >= 0).all()
    assert (made.inside <= made.people[:, None]).all()
    assert made.people.sum() == given_.people[given_.area != NOWHERE].sum()


@given(places())
def test_gain_and_loss_are_the_difference(given_: Places) -> None:
    """Before + gained - lost is after; turned round, they change places."""
    living = Living(given_.people, given_.area, AREAS)
    made = living.gain(given_.before, given_.after, TIMES)
    back = living.gain(given_.after, given_.before, TIMES)

    assert (made.before + made.gained - made.lost == made.after).all()
    assert (made.before == living.circle(given_.before, TIMES).inside).all()
    assert (made.gained == back.lost).all()
    assert (made.lost == back.gained).all()
    assert (made.gained <= made.people[:, None]).all()


def test_two_ways_of_one_county() -> None:
    """One place comes inside while another falls out: the net would hide both."""
    seconds = (np.array([700, 500, 500]), np.array([500, 700, 500]))
    living = Living(np.array([10, 4, 1]), np.zeros(3, np.int32), 1)
    made = living.gain(seconds[0].astype(np.uint16), seconds[1].astype(np.uint16), [600])

    assert [int(each[0, 0]) for each in made[1:]] == [5, 11, 10, 4]


@given(places(), st.lists(st.integers(0, 10**18), min_size=9, max_size=9))
def test_change_counts_people_and_sums_exactly(given_: Places, values: list[int]) -> None:
    """Beyond 64 bits too; the mean is rounded once."""
    before = np.array(values[: len(given_.people)], np.int64)
    after = before[::-1].copy()
    made = Living(given_.people, given_.area, AREAS).change(before, after)
    rows = list(zip(given_.people.tolist(), given_.area, before.tolist(), strict=True))

    assert (made.more + made.less <= made.people).all()
    for area in range(AREAS):
        assert made.before[area] == sum(n * v for n, at, v in rows if at == area)
    assert sum(made.more) == sum(
        n
        for n, at, one, two in zip(given_.people, given_.area, before, after, strict=True)
        if at != NOWHERE and two > one
    )


def test_a_mean_of_nobody_is_none() -> None:
    """An area without people has no mean access."""
    assert mean_of(0, 0) == Figure(None, Undefined.NOBODY)
    assert mean_of(7, 2) == Figure(3.5)
