"""Events and results in memory: one numpy array a column, as short as its values allow.

A word is its place in the tuple of `rules` (`-1` where it is not known), a day the days since 1970,
an amount fen in int64. The rows of one person are adjacent and in the order in which they happened.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS

Days = NDArray[np.int32]
Words = NDArray[np.int8]
Fen = NDArray[np.int64]

SETTLE, VOID, OPENING = range(3)
"""Codes of `columns.EVENTS`."""
NONE: Final = -1
"""A word that is not known, a row or a rule that is not there."""
UNKNOWN_FEN: Final = -(2**63)
"""An amount that is not known. Not -1: a bill of -1 fen is refused, and a void may come to that."""


class Events(NamedTuple):
    """A batch of events. All arrays have one length; `opening_fen` has a row for each opening.

    `person` is any number that differs from the neighbours' of other persons. `reverses` is the row
    of the claim that a void takes back. `place` and `pair` are what `Plan.place_of` and
    `Plan.pair_of` say of the divisions. `admitted_on` and `period_from_on` are never left out: the
    reader puts `ended_on` and `admitted_on` there. `total_fen` is UNKNOWN_FEN where only the policy
    is asked about. `fault` is the place in `codes.CODES` of what the reader found wrong with the
    row, 0 for nothing; `opening` the row in `opening_fen`, whose columns are those of
    `bill.Accumulators` in their order.
    """

    person: NDArray[np.int64]
    kind: Words
    reverses: NDArray[np.int64]
    place: NDArray[np.int16]
    pair: NDArray[np.int32]
    admitted_on: Days
    period_from_on: Days
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
    """What became of each event; rows as in `Events`, and a refused row is 0 in all amounts.

    `code` is 0 or the place of a code in `codes.CODES`; `detail` is what the code is about: for
    RULE_UNKNOWN a rule (its place in the plan's `rules`), for BILL_INVALID and ACCUMULATORS_INVALID
    a field (its place in `codes.FIELDS`), -1 for none. `book` is the version that decided, its
    place in the plan's `versions`, `year` whose accumulators moved; -1 and 0 where it did not come
    so far. `voided` tells whether a later row took this one back. `amounts` has the columns of
    `columns.RESULT_AMOUNTS`; `trace` and `marks` those of `trace_columns.TRACE_COLUMNS` and
    `MARK_COLUMNS`, and no column when no trace was asked for.
    """

    code: NDArray[np.int16]
    detail: NDArray[np.int32]
    book: NDArray[np.int16]
    year: NDArray[np.int16]
    voided: NDArray[np.bool_]
    amounts: Fen
    trace: Fen
    marks: NDArray[np.int32]


def blank_results(rows: int, *, trace: bool) -> Results:
    """Return results of so many rows in which nothing stands yet."""
    return Results(
        code=np.zeros(rows, np.int16),
        detail=np.full(rows, NONE, np.int32),
        book=np.full(rows, NONE, np.int16),
        year=np.zeros(rows, np.int16),
        voided=np.zeros(rows, np.bool_),
        amounts=np.zeros((rows, len(RESULT_AMOUNTS)), np.int64),
        trace=np.zeros((rows, len(TRACE_COLUMNS) if trace else 0), np.int64),
        marks=np.zeros((rows, len(MARK_COLUMNS) if trace else 0), np.int32),
    )
