"""Events and results in memory: one numpy array a column, as short as its values allow.

A word is its place in the tuple of `rules` (`-1` where it is not known), a day the days since 1970,
an amount fen in int64. The rows of one person are adjacent and in the order in which they happened.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]
Words = NDArray[np.int8]
Fen = NDArray[np.int64]

SETTLE, VOID, OPENING = range(3)
"""Codes of `columns.EVENTS`."""
NONE: Final = -1
"""A word or an amount that is not known, a row that is not there."""


class Events(NamedTuple):
    """A batch of events. All arrays have one length; `opening_fen` has a row for each opening.

    `person` is any number that differs from the neighbours' of other persons. `reverses` is the row
    of the claim that a void takes back. `place` is the row of the plan's places (a pooling area and
    scheme that has a book), `pair` the row of the plan's pairs of divisions. `fault` is the code of
    what the reader found wrong with the row, 0 for nothing; `opening` the row in `opening_fen`.
    """

    person: NDArray[np.int64]
    kind: Words
    reverses: NDArray[np.int64]
    place: NDArray[np.int16]
    pair: NDArray[np.int32]
    admitted_on: Days
    ended_on: Days
    person_type: Words
    tier: Words
    category: Words
    hospital_level: Words
    hospital_subtype: Words
    filing: Words
    period_number: NDArray[np.int32]
    in_scope_fen: Fen
    total_fen: Fen
    fault: NDArray[np.int16]
    opening: NDArray[np.int64]
    opening_fen: Fen


class Results(NamedTuple):
    """What became of each event; rows as in `Events`.

    `code` is 0 or the place of a code in `codes.CODES`; `detail` is the rule (its place in the
    plan's rules) or the column that the code names, -1 for none. `book` is the version that
    decided, its place in the plan, `year` whose accumulators moved. `amounts` has the columns of
    `columns.RESULT_AMOUNTS`, `trace` those of `trace_columns`, and no column when none was asked.
    """

    code: NDArray[np.int16]
    detail: NDArray[np.int32]
    book: NDArray[np.int16]
    year: NDArray[np.int16]
    amounts: Fen
    trace: Fen
