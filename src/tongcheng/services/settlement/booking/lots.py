"""Which rows are booked in one commit: whole persons, about a thousand rows (pure).

A void of a claim that is booked already gives the year back before what follows it: it is the first
row of its person in a commit, and what the person had before it is in an earlier one.
"""

import numpy as np
from numpy.typing import NDArray

ROWS_MOST = 1_000
"""Rows of a commit, unless one person alone has more."""


def cut(person: NDArray[np.int64], is_apart: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of rows that are booked together, in order; all rows are in one.

    `is_apart` marks the rows that begin a commit for their person.
    """
    rows = len(person)
    if rows == 0:
        return []
    is_new = np.empty(rows, np.bool_)
    is_new[0] = True
    np.not_equal(person[1:], person[:-1], out=is_new[1:])
    starts = np.flatnonzero(is_new | is_apart).tolist()
    must = (is_apart & ~is_new)[starts].tolist()
    lots, begin = [], 0
    for at, must_begin, end in zip(starts, must, [*starts[1:], rows], strict=True):
        if at > begin and (must_begin or end - begin > ROWS_MOST):
            lots.append((begin, at))
            begin = at
    return [*lots, (begin, rows)]
