"""Looks at a file of claims once before it is judged: how long, in what order, which ids twice.

Ids that grow from row to row need no memory. Else the ids' 64-bit keys are sorted, a part at a time
on disk; rows whose keys are alike are then compared as they stand, so that no row is refused for
two texts having one hash.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tongcheng.services.settlement.batch import decoding
from tongcheng.services.settlement.batch.decoding import ROW, Ids
from tongcheng.services.settlement.batch.persons import changes
from tongcheng.services.settlement.batch.scratch import Keys, keys_of
from tongcheng.services.settlement.batch.source import Source

Ints = NDArray[np.int64]
Folder = Callable[[], Path]
"""Gives the directory for what does not fit into memory, made when it is first asked for."""


class Survey(NamedTuple):
    """A file's rows, whether each person's lie together, and the rows whose claim_id is not new."""

    rows: int
    adjacent: bool
    twice: Ints


class _Growing:
    """Watches whether ids grow from value to value; `strictly`, without equal ones."""

    def __init__(self, *, strictly: bool) -> None:
        self._compare = pc.greater if strictly else pc.greater_equal
        self._last: pa.Scalar | None = None
        self.holds = True

    def see(self, ids: Ids) -> None:
        """Look at the next ids."""
        values = ids.values.drop_null() if ids.values.null_count else ids.values
        if not self.holds or not len(values):
            return
        if len(values) > 1:
            grows = self._compare(values.slice(1), values.slice(0, len(values) - 1))
            self.holds = pc.all(grows).as_py()
        if self._last is not None:
            self.holds = self.holds and self._compare(values[0], self._last).as_py()
        self._last = values[-1]


def survey(source: Source, folder: Folder) -> Survey:
    """Look at the whole file; refuses CLAIMS_FILE where it breaks off."""
    rows = 0
    persons, claims = _Growing(strictly=False), _Growing(strictly=True)
    for batch in source.batches(("claim_id", "person_id")):
        rows += batch.num_rows
        claims.see(decoding.ids(batch.column("claim_id")))
        persons.see(decoding.ids(batch.column("person_id")))
    adjacent = persons.holds or _adjacent(source, folder, rows)
    twice = np.zeros(0, np.int64) if claims.holds else _twice(source, folder, rows)
    return Survey(rows, adjacent, twice)


def _adjacent(source: Source, folder: Folder, rows: int) -> bool:
    """Tell whether no person comes back after another one."""
    with Keys(folder(), "persons", rows) as starts:
        last: pa.Array | None = None
        for batch in source.batches(("person_id",)):
            ids = decoding.ids(batch.column("person_id"))
            there = ids.values.is_valid().to_numpy(zero_copy_only=False)
            kept = ids.values.filter(pa.array(there))
            if not len(kept):
                continue
            joined = kept if last is None else pa.concat_arrays([last, kept])
            new = np.concatenate([np.ones(int(last is None), np.bool_), changes(joined)])
            last = kept.slice(len(kept) - 1)
            keys = keys_of(ids._replace(values=kept))
            starts.add(keys[new], batch.column(ROW).to_numpy()[there][new])
        return not any(len(again) for again, _ in starts.again())


def _twice(source: Source, folder: Folder, rows: int) -> Ints:
    """Return the rows whose claim_id stands in an earlier row, in their order."""
    with Keys(folder(), "claims", rows) as keys:
        are_numbers = True
        for batch in source.batches(("claim_id",)):
            ids = decoding.ids(batch.column("claim_id"))
            are_numbers = are_numbers and ids.are_numbers
            there = ids.values.is_valid().to_numpy(zero_copy_only=False)
            keys.add(keys_of(ids)[there], batch.column(ROW).to_numpy()[there])
        found = list(keys.again())
    again = np.sort(np.concatenate([each for each, _ in found]))
    if are_numbers or not len(again):
        return again
    alike = np.union1d(again, np.concatenate([first for _, first in found]))
    return _really_twice(source, alike)


def _really_twice(source: Source, alike: Ints) -> Ints:
    """Return of rows whose keys are alike those whose id stands in an earlier one, compared."""
    texts = [pa.array([], pa.string())]
    for batch in source.batches(("claim_id",)):
        mask = np.isin(batch.column(ROW).to_numpy(), alike, assume_unique=True)
        if mask.any():
            texts.append(decoding.ids(batch.column("claim_id")).values.filter(pa.array(mask)))
    codes = pa.concat_arrays(texts).dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    is_first = np.zeros(len(codes), np.bool_)
    is_first[first] = True
    return alike[~is_first]
