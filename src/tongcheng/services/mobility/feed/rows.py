"""Reads comma-separated lines into columns, each as numbers of its different values.

A feed says the same few values over and over: each is looked at once, however many rows hold it,
and 400,000 stop times take a few megabytes. The text is RFC 4180's, as GTFS asks for.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.numbers import Bool, Int32

VALUE_CHARACTERS_MAX: Final = 4_096
_ROWS_AT_ONCE: Final = 512
"""As many as stay in the cache of a processor: more are read at half the speed."""


class Column(NamedTuple):
    """Row `i` holds `values[codes[i]]`; values are stripped, so some may stand there twice."""

    values: list[str]
    codes: Int32


class Table(NamedTuple):
    """The rows of one file; `lines` are those on which they begin, counted from 1."""

    file: str
    lines: Int32
    columns: dict[str, Column]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    def text(self, column: str, row: int) -> str:
        """Return a value as it stands there, stripped."""
        found = self.columns[column]
        return found.values[int(found.codes[row])]

    def texts(self, column: str) -> list[str]:
        """Return a column's values, row by row."""
        values, codes = self.columns[column]
        return [values[code] for code in codes.tolist()]

    def blank(self, column: str) -> Bool:
        """Tell in which rows nothing stands in a column."""
        values, codes = self.columns[column]
        return np.array([value == "" for value in values], np.bool_)[codes]

    def only(self, kept: Bool) -> "Table":
        """Return the rows where it is true."""
        if kept.all():
            return self
        columns = {
            name: Column(values, codes[kept]) for name, (values, codes) in self.columns.items()
        }
        return Table(self.file, self.lines[kept], columns)


class Wanted(NamedTuple):
    """What is read of a file: columns it must have, and columns it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*self.required, *self.optional)


def empty_table(file: str, wanted: Wanted) -> Table:
    """Return the table of a file that is not there."""
    none = np.zeros(0, np.int32)
    return Table(file, none, {name: Column([""], none) for name in wanted.all})


def read_table(file: str, lines: Iterator[str], wanted: Wanted, findings: Findings) -> Table:
    """Read a file; a column that it may have and lacks is blank in every row.

    Rows that can not be understood are left out, with a finding. Refuses FEED_COLUMNS, and
    FEED_EMPTY_FILE for a file without a line of names.
    """
    rows = _Rows(file, lines, findings)
    names = rows.names()
    if names is None:
        raise Refused("FEED_EMPTY_FILE", file=file)
    places = _places(file, names, wanted, findings)
    coders = [_Coder() for _ in places]
    starts: list[Int32] = [np.zeros(0, np.int32)]
    for block, begun in rows.blocks(len(names)):
        for coder, place in zip(coders, places.values(), strict=True):
            coder.take([row[place] for row in block])
        starts.append(np.array(begun, np.int32))
    at = np.concatenate(starts)
    columns = {name: coder.column() for name, coder in zip(places, coders, strict=True)}
    for name in wanted.all:
        columns.setdefault(name, Column([""], np.zeros(len(at), np.int32)))
    return _without_long(Table(file, at, columns), findings)


def _places(file: str, names: list[str], wanted: Wanted, findings: Findings) -> dict[str, int]:
    """Return where the columns to read stand; refuses FEED_COLUMNS."""
    missing = [name for name in wanted.required if name not in names]
    twice = [name for name in wanted.all if names.count(name) > 1]
    for fault, found in (("missing", missing), ("twice", twice)):
        if found:
            raise Refused("FEED_COLUMNS", file=file, fault=fault, columns=", ".join(found))
    for name in names:
        if name and name not in wanted.all:
            findings.add("columns_ignored", file, 1, name)
    return {name: names.index(name) for name in wanted.all if name in names}


class _Coder:
    """Numbers the different values of a column in the order in which they come up."""

    def __init__(self) -> None:
        self._codes: defaultdict[str, int] = defaultdict()
        self._codes.default_factory = self._codes.__len__
        self._blocks: list[Int32] = [np.zeros(0, np.int32)]

    def take(self, values: list[str]) -> None:
        codes = map(self._codes.__getitem__, values)
        self._blocks.append(np.fromiter(codes, np.int32, len(values)))

    def column(self) -> Column:
        return Column([value.strip() for value in self._codes], np.concatenate(self._blocks))


class _Rows:
    """Walks the lines of a file as rows of one length, noting what had to be done for that."""

    def __init__(self, file: str, lines: Iterator[str], findings: Findings) -> None:
        self._file, self._findings = file, findings
        self._reader = csv.reader(lines, strict=True)

    def names(self) -> list[str] | None:
        """Return the names of the columns, stripped; None when there is no line.

        Refuses FEED_COLUMNS when that line is malformed.
        """
        try:
            first = next((row for row in self._reader if _says(row)), None)
        except csv.Error as fault:
            told = str(fault)[:80]
            raise Refused(
                "FEED_COLUMNS", file=self._file, fault="malformed", columns=told
            ) from None
        return None if first is None else [name.strip(" \t\r\n\ufeff\u3000") for name in first]

    def blocks(self, length: int) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Yield rows of the length, some thousands at a time, with the lines they begin on."""
        block: list[list[str]] = []
        begun: list[int] = []
        reader = self._reader
        while True:
            line = reader.line_num + 1
            try:
                for row in reader:
                    # Nearly every row passes here, so the rest of the checks lies elsewhere.
                    if len(row) == length and row[0].strip():
                        block.append(row)
                        begun.append(line)
                    elif (fitted := self._fitted(row, line, length)) is not None:
                        block.append(fitted)
                        begun.append(line)
                    if len(block) == _ROWS_AT_ONCE:
                        yield block, begun
                        block, begun = [], []
                    line = reader.line_num + 1
                break
            except csv.Error as fault:
                self._findings.add("row_malformed", self._file, line, str(fault)[:80])
        yield block, begun

    def _fitted(self, row: list[str], line: int, length: int) -> list[str] | None:
        """Return a row as one of the length, where that loses nothing; None where it is left out.

        Spreadsheets leave out blanks at the end of a line, or write more of them than there are
        columns.
        """
        if not _says(row):
            self._findings.add("row_blank", self._file, line, "")
            return None
        if len(row) == length:
            return row
        fields = str(len(row))
        if len(row) < length:
            self._findings.add("row_short", self._file, line, fields)
            return row + [""] * (length - len(row))
        if any(map(str.strip, row[length:])):
            self._findings.add("row_long", self._file, line, fields)
            return None
        self._findings.add("row_trailing", self._file, line, fields)
        return row[:length]


def _says(row: list[str]) -> bool:
    """Tell whether anything stands in a row."""
    return any(map(str.strip, row))


def _without_long(table: Table, findings: Findings) -> Table:
    """Return the rows without a value that is too long to be one."""
    kept = np.ones(table.rows, np.bool_)
    for name, (values, codes) in table.columns.items():
        long = np.array([len(value) > VALUE_CHARACTERS_MAX for value in values], np.bool_)
        if long.any():
            findings.rows("value_long", table, long[codes] & kept, name)
            kept &= ~long[codes]
    return table.only(kept)
