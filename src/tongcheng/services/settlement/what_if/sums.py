"""The sums of a what-if over batches of persons: they add up, however the persons are divided.

A batch holds all events of its persons. Everything here is a sum of int64, except the list of
persons, which the deciles need whole: which tenth a person is in depends on all others.
"""

from collections.abc import Iterable
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.what_if import loops
from tongcheng.services.settlement.what_if.measures import (
    BANDS,
    DECILES,
    DIMENSIONS,
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
OLD, DIFFERENCE, FUND, SETTLEMENTS = range(len(PERSON_COLUMNS))


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


class Paired(NamedTuple):
    """A batch judged twice. Rows of a person are adjacent; `codes` is dimensions × rows.

    `standing` are settlements judged under both rules and not taken back, `direct` those of them
    that the new rules change by themselves. `old` and `new` have the columns of RESULT_AMOUNTS,
    `old_code` and `new_code` say why a row was not judged (0: it was).
    """

    person: Table
    standing: NDArray[np.bool_]
    direct: NDArray[np.bool_]
    codes: NDArray[np.int16]
    old: Table
    new: Table
    old_code: NDArray[np.int16]
    new_code: NDArray[np.int16]


class Sums(NamedTuple):
    """Sums of any number of batches.

    `groups` is groups × MEASURES, `bands` persons and fen by difference, `codes` rows by old and
    new code, `persons` has the columns of PERSON_COLUMNS in no order that means anything.
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
        np.zeros((codes, codes), np.int64),
        np.zeros((0, len(PERSON_COLUMNS)), np.int64),
    )


def sums_of(layout: Layout, paired: Paired, codes: int) -> Sums:
    """Return the sums of one batch."""
    empty = nothing(layout, codes)
    rows = paired.person.size
    begins = np.flatnonzero(paired.person[1:] != paired.person[:-1])
    persons = np.zeros((begins.size + 2 if rows else 1, len(PERSON_COLUMNS)), np.int64)
    count = loops.add_rows(
        paired.person,
        paired.standing,
        paired.direct,
        paired.codes,
        paired.old,
        paired.new,
        (empty.groups, empty.bands, persons),
    )
    both = paired.old_code.astype(np.int64) * codes + paired.new_code
    counted = np.bincount(both, minlength=codes * codes).reshape(codes, codes)
    return empty._replace(codes=counted.astype(np.int64), persons=persons[:count])


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
    cuts = decile_cuts(persons[:, OLD])
    at = np.searchsorted(cuts, persons[:, OLD], side="left")
    return np.array([_decile(persons[at == number]) for number in range(DECILES)], np.int64)


def _decile(persons: Table) -> list[int]:
    differences = persons[:, DIFFERENCE]
    gains, losses = differences[differences < 0], differences[differences > 0]
    borne, difference, paid, settlements = (int(each) for each in persons.sum(axis=0))
    return [
        len(persons),
        gains.size,
        -int(gains.sum()),
        losses.size,
        int(losses.sum()),
        settlements,
        borne,
        borne + difference,
        paid,
        paid - difference,
    ]
