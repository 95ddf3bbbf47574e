"""Reads a file of settlements in batches, and keeps on disk what later rows are held against."""

import csv
import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.audit_model import Row, Unjudged
from tongcheng.services.settlement.audit_rows import BookOf, check_columns, read_row, shown

BATCH_ROWS = 5_000
KEYS_A_QUESTION = 500
PARQUET = ".parquet"

Progress = Callable[[float], None]
"""Told how much of the file has been read, from 0 to 1."""


class Source(Protocol):
    """A file of settlements."""

    def batches(self, book_of: BookOf, progress: Progress) -> Iterator[list[Row | Unjudged]]:
        """Yield its rows in its order, BATCH_ROWS at a time."""
        ...


def source(path: Path) -> Source:
    """Return the reader of a file: Parquet by its suffix, else CSV."""
    return ParquetSource(path) if path.suffix.lower() == PARQUET else CsvSource(path)


class CsvSource:
    """Comma-separated text in UTF-8; the first line names the columns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def batches(self, book_of: BookOf, progress: Progress) -> Iterator[list[Row | Unjudged]]:
        """Yield the rows; refuses AUDIT_COLUMNS and AUDIT_FILE."""
        try:
            with self._path.open("rb") as raw:
                size = max(1, self._path.stat().st_size)
                text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
                batch: list[Row | Unjudged] = []
                for row in _csv_rows(csv.reader(text, strict=True), book_of):
                    batch.append(row)
                    if len(batch) == BATCH_ROWS:
                        yield batch
                        batch = []
                        progress(raw.tell() / size)
                yield batch
        except (OSError, UnicodeDecodeError, csv.Error) as fault:
            raise Refused("AUDIT_FILE", file=str(self._path), fault=str(fault)) from None


def _csv_rows(reader: Iterator[list[str]], book_of: BookOf) -> Iterator[Row | Unjudged]:
    header = [name.strip() for name in next(reader, [])]
    check_columns(header)
    for line, fields in enumerate(reader, start=2):
        if not fields:
            continue
        if len(fields) != len(header):
            facts: dict[str, str | int] = {"column": "*", "value": f"{len(fields)} fields"}
            named = dict(zip(header, fields, strict=False)).get("settlement_id", "")
            yield Unjudged(line=line, settlement_id=shown(named), code="AUDIT_VALUE", facts=facts)
        else:
            yield read_row(line, dict(zip(header, fields, strict=True)), book_of)


class ParquetSource:
    """A Parquet file; needs the optional package polars."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def batches(self, book_of: BookOf, progress: Progress) -> Iterator[list[Row | Unjudged]]:
        """Yield the rows; refuses PARQUET_UNREADABLE, AUDIT_COLUMNS and AUDIT_FILE."""
        try:
            import polars as pl
        except ImportError:
            raise Refused("PARQUET_UNREADABLE", file=str(self._path)) from None
        try:
            table = pl.scan_parquet(self._path, glob=False)
            check_columns(table.collect_schema().names())
            rows = table.select(pl.len()).collect().item()
            for begin in range(0, rows, BATCH_ROWS):
                part = table.slice(begin, BATCH_ROWS).collect()
                records = enumerate(part.iter_rows(named=True), start=begin + 1)
                yield [read_row(line, record, book_of) for line, record in records]
                progress((begin + BATCH_ROWS) / rows)
        except (OSError, pl.exceptions.PolarsError) as fault:
            first = str(fault).partition("\n")[0]
            raise Refused("AUDIT_FILE", file=str(self._path), fault=first) from None


class DiskMemory:
    """Keys and values in a scratch file of SQLite, gone when it is closed.

    So a file of any number of rows is audited in the same room.
    """

    def __init__(self) -> None:
        # An empty name is a temporary file of SQLite's own, deleted when it is closed.
        self._store = sqlite3.connect("", isolation_level=None)
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("CREATE TABLE kept (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()

    def recall(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return what is kept under these keys."""
        found: dict[bytes, bytes] = {}
        wanted = sorted(set(keys))
        for begin in range(0, len(wanted), KEYS_A_QUESTION):
            part = wanted[begin : begin + KEYS_A_QUESTION]
            marks = ",".join("?" * len(part))
            question = f"SELECT key, value FROM kept WHERE key IN ({marks})"  # noqa: S608 marks
            found.update(self._store.execute(question, part))
        return found

    def keep(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values, in place of those kept before."""
        self._store.execute("BEGIN")
        self._store.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", sorted(items.items()))
        self._store.execute("COMMIT")
