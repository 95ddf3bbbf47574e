"""Random tables of travel times, and the slow twins of the loops."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tongcheng.services.mobility.numbers import UNREACHED, Int64, UInt16


class Table(NamedTuple):
    """A whole table, with counts at its origins and destinations."""

    seconds: UInt16
    people: Int64
    counts: Int64


@st.composite
def tables(draw: st.DrawFn, size_max: int = 7, count_max: int = 1_000_000) -> Table:
    """Draw small tables where equal times, no journey, and nothing to reach are common."""
    rows, columns = draw(st.integers(1, size_max)), draw(st.integers(1, size_max))
    second = st.one_of(
        st.sampled_from([0, 1, 255, 256, 599, 600, 3_600, 65_279, 65_280, 65_534, UNREACHED]),
        st.integers(0, UNREACHED),
    )
    count = st.one_of(st.just(0), st.integers(0, count_max))
    cells = draw(st.lists(second, min_size=rows * columns, max_size=rows * columns))
    return Table(
        np.array(cells, np.uint16).reshape(rows, columns),
        np.array(draw(st.lists(count, min_size=rows, max_size=rows)), np.int64),
        np.array(draw(st.lists(count, min_size=columns, max_size=columns)), np.int64),
    )


def cuts(rows: int, at: Sequence[int]) -> list[slice]:
    """Return the slices between some rows: another cut of the same table."""
    borders = [0, *sorted({each % rows for each in at} - {0}), rows]
    return [slice(one, two) for one, two in itertools.pairwise(borders)]


def random_table(seed: int, rows: int, columns: int) -> Table:
    """Return a table large enough for a vectorised loop to go wrong in."""
    made = np.random.default_rng(seed)
    seconds = made.integers(0, 9_000, (rows, columns)).astype(np.uint16)
    seconds[made.random((rows, columns)) < 0.1] = UNREACHED
    people, counts = made.integers(0, 5_000, rows), made.integers(0, 300, columns)
    return Table(seconds, people, counts)


def weighted_naively(
    row: UInt16, values: NDArray[np.generic], weights: Int64, zero: float
) -> int | float:
    """Add up values times weights, one after the other, in Python's own numbers."""
    total: int | float = zero
    for second, value in zip(row.tolist(), values.tolist(), strict=True):
        total += int(weights[second]) * value
    return total
