"""Pairs that a new service made slower are found, whatever the blocks; others are not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.measures.tables import Table, cuts, tables
from tongcheng.services.mobility.measures.monotone import Monotone, Slower
from tongcheng.services.mobility.numbers import UNREACHED


@given(tables(), st.data())
def test_nothing_slower_is_monotone_and_one_slower_pair_is_told(
    table: Table, data: st.DataObject
) -> None:
    """A minimum of two tables slows nobody; a single pair that is slower is told by its rows."""
    better = np.minimum(table.seconds, data.draw(st.integers(0, UNREACHED)))
    fine = Monotone()
    fine.add(table.seconds, better.astype(np.uint16))
    row = data.draw(st.integers(0, len(better) - 1))
    column = data.draw(st.integers(0, better.shape[1] - 1))
    worse = table.seconds.copy()
    worse[row, column] = UNREACHED
    found = Monotone()
    for part in cuts(len(worse), data.draw(st.lists(st.integers(0, 6)))):
        found.add(table.seconds[part], worse[part])

    assert fine.result().is_monotone
    assert fine.result().offending == ()
    before = int(table.seconds[row, column])
    if before == UNREACHED:
        assert found.result().is_monotone
    else:
        assert found.result().offending == (Slower(row, column, before, UNREACHED),)
        assert (found.result().slower, found.result().cut) == (1, 1)


@given(tables(), st.integers(0, 3), st.lists(st.integers(0, 6)))
def test_the_cut_into_blocks_changes_nothing(table: Table, told: int, at: list[int]) -> None:
    """The first offending pairs are the same, and all of them are counted."""
    after = np.roll(table.seconds, 1)
    whole, cut = Monotone(told), Monotone(told)
    whole.add(table.seconds, after)
    for part in cuts(len(after), at):
        cut.add(table.seconds[part], after[part])
    made = whole.result()

    assert cut.result() == made
    assert made.slower == int((after > table.seconds).sum())
    assert len(made.offending) == min(told, made.slower)


def test_every_kind_of_pair_is_counted() -> None:
    """Faster, slower, newly connected, cut off, unchanged; sums only over what has two ends."""
    before = np.array([[100, 100, UNREACHED, 100, 100]], np.uint16)
    after = np.array([[40, 130, 100, UNREACHED, 100]], np.uint16)
    compared = Monotone()
    compared.add(before, after)
    made = compared.result()

    assert made == (5, 2, 2, 1, 1, 60, 30, made.offending)
    assert made.offending == ((0, 1, 100, 130), (0, 3, 100, UNREACHED))
    assert not made.is_monotone
