"""Adds up what became of a file of claims, and checks a sample of it against the twin (pure)."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch import twin
from tongcheng.services.settlement.batch.arrays import NONE, Events, Results
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import EVENTS, RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.reading import Batch

SUMS: Final = (
    "deductible_fen",
    "pool_fen",
    "large_fen",
    "catastrophic_fen",
    "assistance_fen",
    "person_in_scope_fen",
)
LISTED_MOST: Final = 20
Key = TypeVar("Key", int, str)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Tally(msgspec.Struct):
    """Sums over a file: rows by event and by code, fen by fund, rows by version of a book."""

    rows: int = 0
    judged: int = 0
    events: dict[str, int] = {}
    codes: dict[str, int] = {}
    sums: dict[str, int] = {}
    versions: dict[int, int] = {}

    def add(self, batch: Batch, results: Results) -> None:
        """Count a batch; voids take back from the sums what their claims gave."""
        judged = results.code == 0
        self.rows += len(judged)
        self.judged += int(judged.sum())
        for word, count in zip(EVENTS, np.bincount(batch.events.kind, minlength=3), strict=True):
            self.events[word] = self.events.get(word, 0) + int(count)
        if not judged.all():
            for code in np.unique(results.code[~judged]).tolist():
                count = int((results.code == code).sum())
                self.codes[CODES[code]] = self.codes.get(CODES[code], 0) + count
        for name in SUMS:
            fen = int(results.amounts[:, RESULT_AMOUNTS.index(name)].sum())
            self.sums[name] = self.sums.get(name, 0) + fen
        counts = np.bincount(results.book[judged] + 1)
        for book, count in enumerate(counts.tolist(), start=-1):
            if book != NONE and count:
                self.versions[book] = self.versions.get(book, 0) + count

    def merge(self, other: "Tally") -> None:
        """Count what somebody else has counted of other rows."""
        self.rows += other.rows
        self.judged += other.judged
        _add(self.events, other.events)
        _add(self.codes, other.codes)
        _add(self.sums, other.sums)
        _add(self.versions, other.versions)


def _add(counts: dict[Key, int], more: dict[Key, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


class Difference(NamedTuple):
    """A value of a row that the twin computes otherwise."""

    row: int
    column: str
    ours: int
    twin: int


class Checked(msgspec.Struct):
    """How many rows were computed anew, how many differ, and the first of those."""

    rows: int = 0
    differing: int = 0
    listed: list[Difference] = []

    def merge(self, other: "Checked") -> None:
        """Add what was found in other rows; those that come first in the file stay listed."""
        self.rows += other.rows
        self.differing += other.differing
        listed = sorted([*self.listed, *other.listed], key=lambda each: each.row)
        self.listed = listed[:LISTED_MOST]


class Sample:
    """Recomputes whole persons with the twin: so many that about `rows` of `of` rows are checked.

    Which ones follows from the row in which a person begins, so any division into batches checks
    the same.
    """

    def __init__(self, plan: Plan, rows: int, of: int) -> None:
        self._plan = plan
        # A twentieth more, because whole persons are drawn: seldom fewer rows than were asked for.
        rows += rows // 20
        self._all = rows >= of
        self._below = np.uint64(0 if self._all else rows * 2**64 // of)
        self.found = Checked()

    def check(self, batch: Batch, results: Results) -> None:
        """Compare the sample's part of a batch, every column of it."""
        chosen = self._chosen(batch)
        if not len(chosen):
            return
        ours: list[NDArray[Any]] = [column[chosen] for column in results]
        is_traced = results.trace.shape[1] > 0
        again = twin.run(self._plan, part_of(batch.events, chosen), trace=is_traced)
        theirs: list[NDArray[Any]] = [*again]
        differs = np.zeros(len(chosen), np.bool_)
        for left, right in zip(ours, theirs, strict=True):
            differs |= (left != right).reshape(len(chosen), -1).any(axis=1)
        places = np.flatnonzero(differs)
        rows = batch.row[chosen[places]]
        first = np.argsort(rows)[:LISTED_MOST]
        listed = [
            difference
            for row, place in zip(rows[first].tolist(), places[first].tolist(), strict=True)
            for difference in _differences(
                row, [each[place] for each in ours], [each[place] for each in theirs]
            )
        ]
        self.found.merge(Checked(len(chosen), len(places), listed))

    def _chosen(self, batch: Batch) -> NDArray[np.int64]:
        person = batch.events.person
        if self._all:
            return np.arange(len(person))
        begins = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]])[: len(person)])
        mixed = (batch.row[begins].astype(np.uint64) + np.uint64(1)) * _MIX
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MIX
        counts = np.diff([*begins, len(person)])
        return np.flatnonzero(np.repeat(mixed < self._below, counts))


def _differences(row: int, ours: list[Any], theirs: list[Any]) -> Iterator[Difference]:
    """Yield the values in which a row differs, in the order of its columns."""
    for name, left, right in zip(Results._fields, ours, theirs, strict=True):
        for at in np.argwhere(left != right).tolist():
            column = f"{name}[{at[0]}]" if at else name
            yield Difference(row, column, int(left[*at]), int(right[*at]))


def part_of(events: Events, rows: NDArray[np.int64]) -> Events:
    """Return the events of some whole persons, by their rows."""
    place = np.full(len(events.person) + 1, NONE, np.int64)
    place[rows] = np.arange(len(rows))
    columns: list[NDArray[Any]] = [*events]
    part = Events._make([*(column[rows] for column in columns[:-1]), events.opening_fen])
    return part._replace(reverses=place[part.reverses])
