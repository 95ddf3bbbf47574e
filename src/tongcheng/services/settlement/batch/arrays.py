"""Events and results in memory: one numpy array a column, as short as its values allow.

A word is its place in the tuple of `rules` (`-1` where it is not known), a day the days since 1970,
an amount fen in int64. The rows of one person are adjacent and in the order in which they happened.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS
from tongcheng.services.settlement.bill import Accumulators

Days = NDArray[np.int32]
Words = NDArray[np.int8]
Fen = NDArray[np.int64]
Flags = NDArray[np.bool_]

SETTLE, VOID, OPENING = range(3)
"""Codes of `columns.EVENTS`."""
NONE: Final = -1
"""A word that is not known, a row or a rule that is not there."""
UNKNOWN_FEN: Final = -(2**63)
"""An amount that is not known. Not -1: a bill of -1 fen is refused, and a void may come to that."""
ACCUMULATORS: Final = Accumulators.__struct_fields__
"""Columns of `Events.opening_fen`."""

(
    DEDUCTIBLE_FEN,
    POOL_FEN,
    POOL_SELF_FEN,
    LARGE_FEN,
    LARGE_SELF_FEN,
    BURDEN_FEN,
    CATASTROPHIC_FEN,
    ASSISTANCE_FEN,
    PERSON_IN_SCOPE_FEN,
    ROUNDING_RESIDUAL_FEN,
    CATASTROPHIC_EXPECTED_FEN,
    ASSISTANCE_EXPECTED_FEN,
) = range(len(RESULT_AMOUNTS))
"""Columns of `Results.amounts`."""
AMOUNT_COUNT: Final = len(RESULT_AMOUNTS)
ACCUMULATOR_COUNT: Final = len(ACCUMULATORS)
TRACE_COUNT: Final = len(TRACE_COLUMNS)
MARK_COUNT: Final = len(MARK_COLUMNS)
"""How many columns there are: a compiled loop of a known length is none."""


class Events(NamedTuple):
    """A batch of events. All arrays have one length; `opening_fen` has a row for each opening.

    `person` is any number that differs from the neighbours' of other persons. `reverses` is the row
    that a void takes back: a claim, or what moved the year as an opening does. `place` and `pair`
    are what `Plan.place_of` and `Plan.pair_of` say of the divisions. `admitted_on` and
    `period_from_on` are never left out: the reader puts `ended_on` and `admitted_on` there.
    `total_fen` is UNKNOWN_FEN where only the policy is asked about. `fault` is the place in
    `codes.CODES` of what the reader found wrong with the row, 0 for nothing; `opening` the row in
    `opening_fen`, whose columns are ACCUMULATORS.
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


def results_to_write(rows: int, *, trace: bool) -> Results:
    """Return results of so many rows in which anything stands, for who writes all of them.

    Memory that this process has used before is not cleared for it.
    """
    blank = blank_results(0, trace=trace)
    parts: tuple[Any, ...] = tuple(np.empty((rows, *each.shape[1:]), each.dtype) for each in blank)
    return Results(*parts)


def first_rows(results: Results, rows: int, *, trace: bool) -> Results:
    """Return the first rows of results that are to be written anew, with their trace or without."""
    assert len(results.code) >= rows, (len(results.code), rows)
    assert not trace or results.trace.shape[1], "these results have no room for a trace"
    parts: tuple[Any, ...] = tuple(array[:rows] for array in results)
    fixed = Results(*parts)
    if trace:
        return fixed
    return fixed._replace(trace=np.zeros((rows, 0), np.int64), marks=np.zeros((rows, 0), np.int32))


def blank_events(rows: int, openings: int = 0) -> Events:
    """Return so many claims of one person and place, at home and without an amount, to fill in."""
    unknown = [np.full(rows, NONE, np.int8) for _ in range(2)]
    words = [np.zeros(rows, np.int8) for _ in range(4)]
    return Events(
        person=np.zeros(rows, np.int64),
        kind=np.zeros(rows, np.int8),
        reverses=np.full(rows, NONE, np.int64),
        place=np.zeros(rows, np.int16),
        pair=np.full(rows, NONE, np.int32),
        admitted_on=np.zeros(rows, np.int32),
        period_from_on=np.zeros(rows, np.int32),
        ended_on=np.zeros(rows, np.int32),
        person_type=words[0],
        tier=unknown[0],
        category=words[1],
        hospital_level=words[2],
        hospital_subtype=unknown[1],
        filing=words[3],
        period_number=np.ones(rows, np.int32),
        in_scope_fen=np.zeros(rows, np.int64),
        total_fen=np.full(rows, UNKNOWN_FEN, np.int64),
        fault=np.zeros(rows, np.int16),
        opening=np.full(rows, NONE, np.int64),
        opening_fen=np.zeros((openings, len(ACCUMULATORS)), np.int64),
    )
