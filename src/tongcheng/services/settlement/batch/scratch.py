"""What a file that can not be judged as it lies needs on disk: its rows again, by whole persons.

Everything lies in one directory that only its owner may read, and that is gone afterwards, however
the run ends.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.decoding import Ids

Ints = NDArray[np.int64]

KEYS_AT_ONCE: Final = 2**23
"""So many keys are sorted in memory at a time (128 MB)."""
PARTS_MOST: Final = 256
"""So many files are open at a time."""
_ODD: Final = np.random.Generator(np.random.PCG64(20170101)).integers(
    0, 2**64, 1024, np.uint64
) | np.uint64(1)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def keys_of(ids: Ids) -> Ints:
    """Return a number for each id: itself, or 64 bits of hash of a text; 0 where there is none."""
    values = ids.values
    if ids.are_numbers:
        numbers: Ints = pc.fill_null(values, 0).to_numpy()
        return numbers
    keys = np.zeros(len(values), np.int64)
    there = values.is_valid().to_numpy(zero_copy_only=False)
    kept = values.filter(pa.array(there))  # copied: its bytes begin at 0 and hold nothing else
    if not len(kept):
        return keys
    _, offsets_at, data_at = kept.buffers()
    offsets = np.frombuffer(offsets_at, np.int32)[kept.offset : kept.offset + len(kept) + 1]
    data = np.frombuffer(data_at, np.uint8)[offsets[0] : offsets[-1]]
    starts = (offsets[:-1] - offsets[0]).astype(np.int64)
    at = np.arange(len(data)) - np.repeat(starts, np.diff(offsets))
    spread = (data.astype(np.uint64) + np.uint64(1)) * _ODD[at % len(_ODD)]
    keys[there] = np.add.reduceat(spread, starts).view(np.int64)
    return keys


def divided(keys: Ints, parts: int) -> Ints:
    """Return which of so many parts each key belongs to."""
    mixed = keys.view(np.uint64) * _MIX
    part: Ints = ((mixed >> np.uint64(40)) % np.uint64(parts)).astype(np.int64)
    return part


class Scratch:
    """A directory's files: each appended to, then read as a whole. Readable by the owner only."""

    def __init__(self, folder: Path, name: str, parts: int) -> None:
        self._paths = [folder / f"{name}-{number:04d}" for number in range(parts)]
        self._files = [os.fdopen(_create(path), "wb") for path in self._paths]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()


class Keys(Scratch):
    """Keys of rows; says in which rows a key stands that stood in an earlier row."""

    def __init__(self, folder: Path, name: str, rows: int) -> None:
        parts = min(PARTS_MOST, 1 + rows // KEYS_AT_ONCE)
        super().__init__(folder, name, parts)

    def add(self, keys: Ints, rows: Ints) -> None:
        """Add keys with their rows; rows grow from call to call."""
        pairs = np.stack([keys, rows], axis=1)
        if len(self._files) == 1:
            self._files[0].write(pairs.tobytes())
            return
        part = divided(keys, len(self._files))
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=len(self._files)))
        for file, mine in zip(self._files, np.split(pairs[order], ends[:-1]), strict=True):
            file.write(mine.tobytes())

    def again(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield rows whose key stood before, and the first row of that key."""
        for file, path in zip(self._files, self._paths, strict=True):
            file.close()
            pairs = np.fromfile(path, np.int64).reshape(-1, 2)
            path.unlink()
            order = np.argsort(pairs[:, 0], kind="stable")
            key, row = pairs[order, 0], pairs[order, 1]
            is_first = np.concatenate([[True], key[1:] != key[:-1]])[: len(key)]
            first = row[np.maximum.accumulate(np.where(is_first, np.arange(len(key)), 0))]
            yield row[~is_first], first[~is_first]


class Parts(Scratch):
    """Rows divided by their person; one part fits into memory."""

    def __init__(self, folder: Path, rows: int, rows_at_once: int) -> None:
        super().__init__(folder, "rows", min(PARTS_MOST, 1 + rows // max(1, rows_at_once)))
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def add(self, batch: pa.RecordBatch, keys: Ints) -> None:
        """Add rows, each to the part of its person's key."""
        part = divided(keys, len(self._files))
        order = np.argsort(part, kind="stable")
        moved = batch.take(pa.array(order))
        ends = np.cumsum(np.bincount(part, minlength=len(self._files))).tolist()
        for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if begin < end:
                self._writer(number, batch.schema).write_batch(moved.slice(begin, end - begin))

    def _writer(self, number: int, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if number not in self._writers:
            self._writers[number] = pa.ipc.new_stream(self._files[number], schema)
        return self._writers[number]

    def finish(self) -> list[Path]:
        """Return the files of the parts that have rows, to be read by `rows_in`."""
        for writer in self._writers.values():
            writer.close()
        for file in self._files:
            file.close()
        return [self._paths[number] for number in sorted(self._writers)]


def keep_rows(path: Path, rows: pa.RecordBatch) -> None:
    """Write rows into a new file for `rows_in`."""
    with os.fdopen(_create(path), "wb") as file, pa.ipc.new_stream(file, rows.schema) as writer:
        writer.write_batch(rows)


def rows_in(path: Path) -> pa.RecordBatch:
    """Return the rows of a file as one batch, in the order in which they were added."""
    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        return pa.concat_batches(list(stream))


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
