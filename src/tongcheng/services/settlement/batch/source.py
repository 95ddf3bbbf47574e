"""Opens a file of claims, Parquet or CSV, and yields its rows as Arrow batches.

Only the columns of CLAIM_COLUMNS are read. Each batch has the column ROW beside them, the row's
place in the file, and in CSV also BROKEN: whether the line had another number of fields than the
line of names. Such a line stays a row, empty but for that, so that it is not lost.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS
from tongcheng.services.settlement.batch.decoding import BROKEN, ROW, plain

_NAMES: Final = tuple(column.name for column in CLAIM_COLUMNS)
_REQUIRED: Final = tuple(column.name for column in CLAIM_COLUMNS if column.required)
_FEW: Final = frozenset(
    column.name
    for column in CLAIM_COLUMNS
    if column.kind in {"word", "day"} or column.name in {"admdvs", "scheme", "visited_admdvs"}
)
"""Columns that hold few different values: read as numbers of a dictionary."""
_PARQUET_MARK: Final = b"PAR1"
CSV_BLOCK_BYTES: Final = 8 * 2**20
"""A line of CSV must be shorter than this."""
ROWS_A_READ: Final = 262_144
"""Some batches of whole persons: between two reads rows are copied, within one they are not."""

pa.set_memory_pool(pa.system_memory_pool())
# Arrow's own pool gives back to the system what a batch took: the next one's pages are cleared
# anew, a fifth of the time of a whole run.

Span = tuple[int, int]


class Source(Protocol):
    """An open file: which of the columns it has, and its rows."""

    path: Path
    columns: tuple[str, ...]
    id_type: pa.DataType
    starts: tuple[int, ...]
    """The rows at which the file can be entered without reading what comes before."""
    has_spans: bool
    """Whether rows in its midst are read for much less than all that come before them."""

    def batches(
        self, columns: tuple[str, ...] | None = None, span: Span | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the file; refuses CLAIMS_FILE when it breaks off."""
        ...


def open_source(path: Path, *, seen: bool = False) -> Source:
    """Open a file, by what it begins with; `seen`, when somebody has read all of it already.

    Refuses CLAIMS_FILE and CLAIMS_COLUMNS.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(len(_PARQUET_MARK))
        is_parquet = mark == _PARQUET_MARK or path.suffix.lower() == ".parquet"
        return ParquetSource(path) if is_parquet else CsvSource(path, seen=seen)
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as fault:
        raise file_refused(path, fault) from None


def file_refused(path: Path, fault: Exception) -> Refused:
    """Return the refusal of a file that can not be read, with the first line of what is wrong."""
    first = str(fault).partition("\n")[0][:200]
    told = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in first)
    return Refused("CLAIMS_FILE", file=str(path), fault=told)


def _known(path: Path, names: list[str]) -> tuple[str, ...]:
    """Return the columns to read, in the order of CLAIM_COLUMNS; refuses CLAIMS_COLUMNS."""
    missing = [name for name in _REQUIRED if name not in names]
    twice = sorted({name for name in _NAMES if names.count(name) > 1})
    for fault, found in (("missing", missing), ("twice", twice)):
        if found:
            columns = ", ".join(found)
            raise Refused("CLAIMS_COLUMNS", file=str(path), fault=fault, columns=columns)
    return tuple(name for name in _NAMES if name in names)


class ParquetSource:
    """A Parquet file."""

    has_spans = True

    def __init__(self, path: Path) -> None:
        self.path = path
        schema = pq.read_schema(path)
        self.columns = _known(path, list(schema.names))
        few = [
            name
            for name in self.columns
            if name in _FEW and pa.types.is_string(schema.field(name).type)
        ]
        self._file = pq.ParquetFile(path, read_dictionary=few, pre_buffer=False, memory_map=True)
        self.id_type = plain(pa.array([], _undivided(schema.field("claim_id").type))).type
        self.rows: int = self._file.metadata.num_rows
        self.starts = _starts(self._file.metadata)

    def batches(
        self, columns: tuple[str, ...] | None = None, span: Span | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows (of `span`); refuses CLAIMS_FILE when the file breaks off."""
        begin, end = span or (0, self.rows)
        groups, first = self._groups(begin, end)
        try:
            for read in self._file.iter_batches(
                ROWS_A_READ,
                row_groups=groups,
                columns=list(columns or self.columns),
                use_threads=span is None,  # who reads a span is one of several already
            ):
                last = first + read.num_rows
                low, high = max(begin, first), min(end, last)
                if low < high:
                    part = read.slice(low - first, high - low)
                    part = self._plain(part)
                    yield part.append_column(ROW, pa.array(np.arange(low, high)))
                first = last
        except (OSError, pa.ArrowException) as fault:
            raise file_refused(self.path, fault) from None

    def _plain(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return text as the rest reads it, and ids without a dictionary."""
        columns = [
            column.dictionary_decode()
            if name not in _FEW and pa.types.is_dictionary(column.type)
            else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays([*map(plain, columns)], names=batch.schema.names)

    def _groups(self, begin: int, end: int) -> tuple[list[int], int]:
        """Return the row groups that hold the span, and the first row of the first of them."""
        ends = (*self.starts[1:], self.rows)
        groups = [
            number
            for number, (first, last) in enumerate(zip(self.starts, ends, strict=True))
            if first < end and last > begin
        ]
        return groups, self.starts[groups[0]] if groups else 0


def _starts(metadata: pq.FileMetaData) -> tuple[int, ...]:
    """Return the first rows of the row groups."""
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    return tuple(accumulate(rows[:-1], initial=0)) if rows else ()


def _undivided(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class CsvSource:
    """Comma-separated text in UTF-8, with or without a byte order mark; empty means left out."""

    id_type = pa.string()
    starts: tuple[int, ...] = (0,)
    has_spans = False

    def __init__(self, path: Path, *, seen: bool) -> None:
        self.path = path
        if not seen:
            _assure_utf8(path)
        written, self._has_rows = _first_line(path)
        names = [name.strip() for name in written]
        self._written = dict(zip(names, written, strict=True))
        self.columns = _known(path, names)

    def _reader(
        self, columns: tuple[str, ...], broken: list[int]
    ) -> pyarrow.csv.CSVStreamingReader:
        def keep(row: pyarrow.csv.InvalidRow) -> str:
            broken.append(row.number - 2)  # counted from 1, and the line of names is one
            return "skip"

        convert = pyarrow.csv.ConvertOptions(
            strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
        )
        convert.include_columns = [self._written[name] for name in columns]
        convert.column_types = dict.fromkeys(convert.include_columns, pa.string())
        return pyarrow.csv.open_csv(
            self.path,
            # Lines are numbered only where one thread reads.
            read_options=pyarrow.csv.ReadOptions(block_size=CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=keep
            ),
            convert_options=convert,
        )

    def batches(
        self, columns: tuple[str, ...] | None = None, span: Span | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows (of `span`); refuses CLAIMS_FILE for what is no such text."""
        names = columns or self.columns
        broken: list[int] = []
        first = 0
        if not self._has_rows:
            return
        try:
            with self._reader(names, broken) as reader:
                for read in reader:
                    batch, first = _placed(read.rename_columns(list(names)), first, broken)
                    yield from _within(batch, span)
            yield from _within(_lost(names, first, broken), span)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as fault:
            raise file_refused(self.path, fault) from None


def _assure_utf8(path: Path) -> None:
    """Raise UnicodeDecodeError for a file that is no UTF-8: Arrow notices too late to say where."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(CSV_BLOCK_BYTES):
            decoder.decode(block)
    decoder.decode(b"", final=True)


def _first_line(path: Path) -> tuple[list[str], bool]:
    """Return the names of the columns as they are written, and whether anything follows."""
    with path.open("rb") as file:
        block = file.read(CSV_BLOCK_BYTES)
        goes_on = bool(file.read(1))
    lines = io.StringIO(block.decode("utf-8-sig", "ignore"), newline="")
    names = next(csv.reader(lines), [])
    return names, goes_on or bool(lines.read().strip())


def _placed(read: pa.RecordBatch, first: int, broken: list[int]) -> tuple[pa.RecordBatch, int]:
    """Put the broken lines so far back between the rows; return the batch and the next row.

    Lines that come after the batch's rows may be known already; they stay in `broken`.
    """
    skipped = np.array(broken, np.int64)
    rows = np.arange(first, first + read.num_rows + len(skipped))
    rows = rows[~np.isin(rows, skipped)][: read.num_rows]
    end = int(rows[-1]) + 1 if len(rows) else first
    here = [row for row in broken if row < end]
    broken[:] = [row for row in broken if row >= end]
    if not here:
        return _marked(read, rows, np.zeros(read.num_rows, np.bool_)), end
    all_rows = np.concatenate([rows, np.array(here, np.int64)])
    order = np.argsort(all_rows)
    filled = pa.concat_batches([read, _empty(read.schema, len(here))])
    is_broken = np.arange(len(all_rows)) >= read.num_rows
    return _marked(filled.take(pa.array(order)), all_rows[order], is_broken[order]), end


def _lost(names: tuple[str, ...], first: int, broken: list[int]) -> pa.RecordBatch:
    """Return the broken lines after the last row."""
    empty = _empty(pa.schema([(name, pa.string()) for name in names]), len(broken))
    rows = np.arange(first, first + len(broken))
    return _marked(empty, rows, np.ones(len(broken), np.bool_))


def _empty(schema: pa.Schema, rows: int) -> pa.RecordBatch:
    return pa.record_batch([pa.nulls(rows, field.type) for field in schema], schema=schema)


def _marked(
    batch: pa.RecordBatch, rows: NDArray[np.int64], broken: NDArray[np.bool_]
) -> pa.RecordBatch:
    return batch.append_column(ROW, pa.array(rows)).append_column(BROKEN, pa.array(broken))


def _within(batch: pa.RecordBatch, span: Span | None) -> Iterator[pa.RecordBatch]:
    """Yield the part of a batch that lies in a span, and nothing where it is empty."""
    if span is not None and batch.num_rows:
        rows = batch.column(ROW).to_numpy()
        begin, end = np.searchsorted(rows, span)
        batch = batch.slice(begin, end - begin)
    if batch.num_rows:
        yield batch
