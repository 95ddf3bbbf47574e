"""The sums of a what-if over batches of persons: they add up, however the persons are divided.

A batch holds all events of its persons. Everything here is a sum of int64, except the list of
persons, which the deciles need whole: which tenth a person is in depends on all others.
"""

from collections.abc import Iterable
from itertools import accumulate
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.columns import EVENTS, RESULT_AMOUNTS
from tongcheng.services.settlement.what_if import loops
from tongcheng.services.settlement.what_if.measures import (
    BANDS,
    DECILES,
    DIMENSIONS,
    HALF,
    MEASURES,
    PERSON_COLUMNS,
)

Table = NDArray[np.int64]
DECILE_COLUMNS: Final = (
    "persons",
    "gaining",
    "gained_fen",
    "losing",
    "lost_fen",
    "settlements",
    "old_person_fen",
    "new_person_fen",
    "old_fund_fen",
    "new_fund_fen",
)
OLD: Final = PERSON_COLUMNS.index("old_person_fen")
DIFFERENCE: Final = PERSON_COLUMNS.index("difference_fen")


class Layout(NamedTuple):
    """Which groups there are: for each of DIMENSIONS its keys in order, the last for not known."""

    keys: tuple[tuple[str, ...], ...]

    @property
    def starts(self) -> tuple[int, ...]:
        """The row of each dimension's first group."""
        return tuple(accumulate((len(keys) for keys in self.keys[:-1]), initial=0))

    @property
    def size(self) -> int:
        """How many groups there are in all."""
        return sum(len(keys) for keys in self.keys)

    @property
    def halves(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many groups the dimensions have that are added up together."""
        sizes = tuple(len(keys) for keys in self.keys)
        return sizes[:HALF], sizes[HALF:]

    def steps(self) -> tuple[Table, Table]:
        """The steps between cells by dimension, and where the cells of both halves begin."""
        steps = [prod(half[at + 1 :]) for half in self.halves for at in range(len(half))]
        before = [start * step for start, step in zip(self.starts, steps, strict=True)]
        begins = [-sum(before[:HALF]), prod(self.halves[0]) - sum(before[HALF:])]
        return np.array(steps, np.int64), np.array(begins, np.int64)


class Paired(NamedTuple):
    """A batch judged twice. Rows of a person are adjacent; `codes` is dimensions × rows.

    `standing` are settlements judged under both rules and not taken back, `direct` those of them
    that the new rules change by themselves. `old` and `new` have the columns of RESULT_AMOUNTS;
    rows that are not `concerned` are judged alike, and `new` says nothing of them. `old_code` and
    `new_code` say why a row was not judged (0: it was).
    """

    person: Table
    kind: NDArray[np.int8]
    standing: NDArray[np.bool_]
    direct: NDArray[np.bool_]
    concerned: NDArray[np.bool_]
    codes: NDArray[np.int16]
    old: Table
    new: Table
    old_code: NDArray[np.int16]
    new_code: NDArray[np.int16]


class Sums(NamedTuple):
    """Sums of any number of batches.

    `groups` is groups × MEASURES, `bands` persons and fen by difference, `codes` rows by kind
    of event, old and new code, `persons` has the columns of PERSON_COLUMNS in no
    order that means anything.
    """

    groups: Table
    bands: Table
    codes: Table
    persons: Table


def nothing(layout: Layout, codes: int) -> Sums:
    """Return the sums of no batch; `codes` is how many codes there are, 0 included."""
    assert len(layout.keys) == len(DIMENSIONS), "a dimension without keys"
    return Sums(
        np.zeros((layout.size, len(MEASURES)), np.int64),
        np.zeros((BANDS, 2), np.int64),
        np.zeros((len(EVENTS), codes, codes), np.int64),
        np.zeros((0, len(PERSON_COLUMNS)), np.int64),
    )


def sums_of(layout: Layout, paired: Paired, codes: int) -> Sums:
    """Return the sums of one batch."""
    empty = nothing(layout, codes)
    rows = paired.person.size
    begins = np.flatnonzero(paired.person[1:] != paired.person[:-1])
    persons = np.zeros((begins.size + 2 if rows else 1, len(PERSON_COLUMNS)), np.int64)
    cells = np.zeros((sum(prod(shape) for shape in layout.halves), len(MEASURES)), np.int64)
    count = loops.add_rows(
        paired.person,
        (paired.standing, paired.direct, paired.concerned),
        paired.codes,
        (paired.old, paired.new),
        layout.steps(),
        (cells, empty.groups, empty.bands, persons),
        np.zeros((layout.size, 2), np.int64),
    )
    for old, new in loops.SIDES:
        cells[:, new] += cells[:, old]
    _add_cells(layout, cells, empty.groups)
    both = (paired.kind * np.int64(codes) + paired.old_code) * codes + paired.new_code
    counted = np.bincount(both, minlength=empty.codes.size).reshape(empty.codes.shape)
    return empty._replace(codes=counted.astype(np.int64), persons=persons[:count])


def _add_cells(layout: Layout, cells: Table, groups: Table) -> None:
    """Add up cells of several dimensions for the groups of each."""
    begins, dimension = 0, 0
    for shape in layout.halves:
        size = prod(shape)
        cube = cells[begins : begins + size].reshape(*shape, len(MEASURES))
        axes = range(len(shape))
        for axis in axes:
            start = layout.starts[dimension]
            summed = cube.sum(axis=tuple(each for each in axes if each != axis))
            groups[start : start + shape[axis]] += summed
            dimension += 1
        begins += size


def warm() -> None:
    """Compile the loops, or take them from the cache, before they are needed."""
    layout = Layout((("all",),) * len(DIMENSIONS))
    empty = np.zeros(0, np.int64)
    few = np.zeros(0, np.int16)
    amounts = np.zeros((0, len(RESULT_AMOUNTS)), np.int64)
    nobody = Paired(
        person=empty,
        kind=np.zeros(0, np.int8),
        standing=np.zeros(0, np.bool_),
        direct=np.zeros(0, np.bool_),
        concerned=np.zeros(0, np.bool_),
        codes=np.zeros((len(DIMENSIONS), 0), np.int16),
        old=amounts,
        new=amounts,
        old_code=few,
        new_code=few,
    )
    deciles(sums_of(layout, nobody, 1).persons)


def total(parts: Iterable[Sums]) -> Sums:
    """Add up the sums of batches; there is at least one."""
    each = list(parts)
    return Sums(
        np.sum([one.groups for one in each], axis=0),
        np.sum([one.bands for one in each], axis=0),
        np.sum([one.codes for one in each], axis=0),
        np.concatenate([one.persons for one in each]),
    )


def decile_cuts(borne_fen: Table) -> Table:
    """Return the largest amount of each decile but the last.

    Of n persons in the order of what they bore, the d-th decile ends with number ceil(d * n / 10).
    Who bore as much as that person is in the same decile: equal persons are never parted.
    """
    if not borne_fen.size:
        return np.zeros(0, np.int64)
    ends = [-(-number * borne_fen.size // DECILES) - 1 for number in range(1, DECILES)]
    return np.partition(borne_fen, ends)[ends]


def deciles(persons: Table) -> Table:
    """Return DECILES × DECILE_COLUMNS: persons by what they bore under the old rules."""
    found = np.zeros((DECILES, len(DECILE_COLUMNS)), np.int64)
    loops.add_persons(persons, decile_cuts(persons[:, OLD]), found)
    return found
