"""Reads a file of claims as batches of events: persons whole, their events in order.

    with open_claims(path) as claims:
        plan = plan_of(books, region)
        for batch in claims.batches(plan):
            results = run(plan, batch.events)

No row is lost: what can not be read is in a batch too, with a fault and the column it is about. A
file in which each person's rows lie together streams through; of any other one the rows are divided
by their person into files beside it, and sorted part by part. Workers share a file by its pieces.
"""

import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch import decoding
from tongcheng.services.settlement.batch.arrays import Events
from tongcheng.services.settlement.batch.decoding import ROW
from tongcheng.services.settlement.batch.events import AGE_UNKNOWN, Ordered, Places, Reader
from tongcheng.services.settlement.batch.persons import (
    arranged,
    changes,
    groups_of,
    order_of,
    reversed_rows,
    runs_of,
)
from tongcheng.services.settlement.batch.scratch import Parts, keep_rows, keys_of, rows_in
from tongcheng.services.settlement.batch.source import Source, Span, open_source
from tongcheng.services.settlement.batch.spelling import Spell, SpeltSource
from tongcheng.services.settlement.batch.survey import Survey, survey

__all__ = [
    "AGE_UNKNOWN",
    "ROWS_AT_ONCE",
    "Batch",
    "Claims",
    "Piece",
    "Places",
    "Survey",
    "open_claims",
]

Piece = Span | Path
"""Rows of a file for one worker: where they lie in it, or a file of our own that holds them."""

ROWS_AT_ONCE: Final = 262_144
"""Rows of a batch. A batch is cut between persons, so one with a very long history is longer."""


class Batch(NamedTuple):
    """Whole persons. All arrays have one length and the order in which the events are judged.

    `row` is the row's place in the input, from 0. `claim_id` is as it stands in the file.
    `column` is the place in CLAIM_COLUMNS of the column that a fault is about, -1 for none.
    `age` is in years, AGE_UNKNOWN where the file does not say. `ids` are further columns of ids
    that were asked for, as they stand in the file.
    """

    events: Events
    row: NDArray[np.int64]
    claim_id: pa.Array
    column: NDArray[np.int8]
    age: NDArray[np.int16]
    ids: dict[str, pa.Array]


class Claims:
    """An open file of claims."""

    def __init__(self, source: Source, found: Survey, scratch: "_Scratch") -> None:
        self._source = source
        self._scratch = scratch
        self.survey = found

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.survey.rows

    @property
    def adjacent(self) -> bool:
        """Whether each person's rows lie together, so that nothing is written to disk."""
        return self.survey.adjacent

    @property
    def id_type(self) -> pa.DataType:
        """The type of claim_id as batches hold it."""
        return self._source.id_type

    def folder(self) -> Path:
        """Return a directory for what does not fit into memory, gone when the file is closed."""
        return self._scratch.folder()

    def batches(
        self,
        plan: Places | Reader,
        rows_at_once: int = ROWS_AT_ONCE,
        piece: Piece | None = None,
        ids: tuple[str, ...] = (),
    ) -> Generator[Batch, None, None]:
        """Yield the rows (those of `piece`), each once; may be called again.

        `ids` names columns of ids that each batch shall hold as well. A reader may be given in
        place of the plan, to keep what it has asked it. Refuses CLAIMS_FILE when the file breaks
        off.
        """
        reader = plan if isinstance(plan, Reader) else Reader(plan)
        for block in self._blocks(rows_at_once, piece):
            yield self._batch(reader, block, ids)

    def pieces(self, rows: int, rows_at_once: int = ROWS_AT_ONCE) -> Sequence[Piece]:
        """Cut the file between persons, about so many rows a piece, for workers that open it too.

        A worker opens the file with this one's `survey`. Where persons do not lie together, or the
        file can be entered only at its beginning, its rows are copied into files of about
        `rows_at_once` rows in `folder`; whoever has what came of one lets it go by `release`.
        """
        if not self.adjacent:
            return self._divided(rows_at_once)
        if self.rows <= rows or self._source.has_spans:
            return self.spans(-(-self.rows // rows))
        kept = []
        for number, block in enumerate(_blocks(self._source, rows_at_once, None)):
            kept.append(self.folder() / f"rows-{number:06d}")
            keep_rows(kept[-1], block)
        return kept

    def release(self, piece: Piece) -> None:
        """Delete what a piece takes on disk, as nobody needs it any more."""
        if isinstance(piece, Path):
            piece.unlink()

    def spans(self, parts: int) -> list[Span]:
        """Cut a file whose persons lie together between them into about so many spans.

        A cut is where the file can be entered, if that is near: nothing is read twice then.
        """
        assert self.adjacent, "only a file whose persons lie together has spans"
        cuts = [0]
        starts = np.array(self._source.starts)
        for part in range(1, parts):
            cut = self.rows * part // parts
            start = int(starts[np.abs(starts - cut).argmin()])
            cut = self._person_after(start if abs(start - cut) * 2 * parts < self.rows else cut)
            if cuts[-1] < cut < self.rows:
                cuts.append(cut)
        return list(zip(cuts, [*cuts[1:], self.rows], strict=True))

    def _person_after(self, row: int) -> int:
        """Return the first row at or after this one at which another person begins."""
        last: pa.Array | None = None
        span = (max(0, row - 1), self.rows)
        for batch in self._source.batches(("person_id",), span):
            values = decoding.ids(batch.column("person_id")).values
            there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            kept = values.take(pa.array(there))
            joined = kept if last is None else pa.concat_arrays([last, kept])
            new = np.flatnonzero(changes(joined))
            if len(new):
                at = there[new[0] + (1 if last is None else 0)]
                return int(batch.column(ROW).to_numpy()[at])
            last = kept.slice(len(kept) - 1) if len(kept) else last
        return self.rows

    def _blocks(self, rows_at_once: int, piece: Piece | None) -> Iterator[pa.RecordBatch]:
        """Yield rows in blocks of whole persons; copies that were made for it are gone then."""
        if isinstance(piece, Path):
            yield rows_in(piece)
        elif self.adjacent:
            yield from _blocks(self._source, rows_at_once, piece)
        else:
            assert piece is None, "only a file whose persons lie together has spans"
            for path in self._divided(rows_at_once):
                yield rows_in(path)
                path.unlink()

    def _divided(self, rows_at_once: int) -> list[Path]:
        """Copy the rows into files, each person's into one of them."""
        with Parts(self.folder(), self.rows, rows_at_once) as parts:
            for batch in self._source.batches():
                parts.add(batch, keys_of(decoding.ids(batch.column("person_id"))))
            return parts.finish()

    def _batch(self, reader: Reader, block: pa.RecordBatch, ids: tuple[str, ...]) -> Batch:
        row = block.column(ROW).to_numpy()
        twice = self.survey.twice
        begin, end = np.searchsorted(twice, (row.min(), row.max() + 1)) if len(twice) else (0, 0)
        is_twice = np.isin(row, twice[begin:end], assume_unique=True) if begin < end else None
        read = reader.read(block, is_twice)
        group = runs_of(read.person) if self.adjacent else groups_of(read.person)
        order = order_of(read, group, adjacent=self.adjacent)
        claim, reverses, claim_id = _found(read), read.reverses, block.column("claim_id")
        column, age = read.column, read.age
        kept = {name: _ids_in(block, name) for name in ids}
        if order is not None:
            places = pa.array(order)
            claim = claim._replace(values=claim.values.take(places))
            if reverses is not None:
                reverses = reverses._replace(values=reverses.values.take(places))
            claim_id = claim_id.take(places)
            kept = {name: values.take(places) for name, values in kept.items()}
            row, column, age, group = row[order], column[order], age[order], group[order]
        events = arranged(read.events, order)._replace(person=group)
        events = events._replace(reverses=reversed_rows(events, claim, reverses))
        return Batch(events, row, claim_id, column, age, kept)


def _found(read: Ordered) -> decoding.Ids:
    """Return the claims that voids may find: of a row without a person nobody knows whose it is."""
    person, claim = read.person.values, read.claim
    if not person.null_count:
        return claim
    nothing = pa.scalar(None, claim.values.type)
    return claim._replace(values=pc.if_else(person.is_valid(), claim.values, nothing))


def _ids_in(block: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column of ids, empty where the file has none."""
    if name not in block.schema.names:
        return pa.nulls(block.num_rows, pa.string())
    return block.column(name)


def _blocks(source: Source, rows_at_once: int, span: Span | None) -> Iterator[pa.RecordBatch]:
    """Yield the rows in blocks of whole persons."""
    pending: list[pa.RecordBatch] = []
    rows = 0
    last: pa.Array | None = None
    for read in source.batches(span=span):
        start = 0
        for begin in range(0, read.num_rows, rows_at_once):
            piece = read.slice(begin, rows_at_once)
            cut, last = _last_person(piece, last)
            end = begin if cut is None else begin + cut
            too_many = rows + begin + piece.num_rows - start > rows_at_once
            if too_many and cut is not None and rows + end > start:
                yield _joined([*pending, read.slice(start, end - start)])
                pending, rows, start = [], 0, end
        pending.append(read.slice(start))
        rows += read.num_rows - start
    if rows:
        yield _joined(pending)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return batches as one, as it lies in memory where there is but one."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _last_person(
    piece: pa.RecordBatch, last: pa.Array | None
) -> tuple[int | None, pa.Array | None]:
    """Return where the last person in a piece begins, None if it is the one before, and its id."""
    values = decoding.ids(piece.column("person_id")).values
    there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    if not len(there):
        return None, last
    kept = values.take(pa.array(there)) if len(there) < len(values) else values
    joined = kept if last is None else pa.concat_arrays([last, kept])
    new = np.flatnonzero(changes(joined))
    own = kept.slice(len(kept) - 1)
    if not len(new):
        return None, own
    return int(there[new[-1] + (1 if last is None else 0)]), own


class _Scratch:
    """A directory for what does not fit into memory, made when it is needed."""

    def __init__(self, parent: Path | None, stack: ExitStack) -> None:
        self._parent, self._stack = parent, stack
        self._folder: Path | None = None

    def folder(self) -> Path:
        """Return the directory; only its owner may read it. Refuses CLAIMS_OUT."""
        if self._folder is None:
            # Whole, as a worker has a directory of its own.
            parent = None if self._parent is None else self._parent.absolute()
            try:
                made = tempfile.TemporaryDirectory(prefix=".tongcheng-claims-", dir=parent)
            except OSError as fault:
                told = fault.strerror or "?"
                raise Refused("CLAIMS_OUT", file=str(parent or "TMPDIR"), fault=told) from None
            self._folder = Path(self._stack.enter_context(made))
        return self._folder


@contextmanager
def open_claims(
    path: Path,
    *,
    scratch: Path | None = None,
    found: Survey | None = None,
    spell: Spell | None = None,
) -> Iterator[Claims]:
    """Open a file of claims; what does not fit into memory goes into a new directory in `scratch`.

    `found` is the survey of the same file by somebody who had it open. `spell` gives the one
    spelling of a person_id where several mean one person. Refuses CLAIMS_FILE for what is neither
    Parquet nor CSV or breaks off, CLAIMS_COLUMNS where one that is needed is missing.
    """
    with ExitStack() as stack:
        folder = _Scratch(scratch, stack)
        source = open_source(path, seen=found is not None)
        if spell is not None:
            source = SpeltSource(source, spell)
        yield Claims(source, found or survey(source, folder.folder), folder)
