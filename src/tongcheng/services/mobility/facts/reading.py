"""Tables of facts as CSV: every cell is checked, and every fault names its line.

Commas, UTF-8, the first line names the columns, in any order and all of them. Lines that begin with
`#` are comments. A figure takes two columns: `length_km`, and `length_km_by` with its origin, three
words: source, year, confidence ("cr-2023 2023 medium"). Both are blank if it is not known.
"""

from __future__ import annotations

import csv
import math
import re
from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import date
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import CONFIDENCES, Figure, Origin

YEAR_LEAST: Final = 1880
YEAR_MOST: Final = 2100
SHOWN_MAX: Final = 40
"""So many characters of a bad value are shown."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,8})?")
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_CLOCK = re.compile(r"([0-2][0-9]):([0-5][0-9])")
_ORIGIN_WORDS = 3


class Row:
    """One line of a table. `sources` are the ids that an origin may name."""

    def __init__(
        self, file: str, line: int, cells: dict[str, str], sources: Collection[str]
    ) -> None:
        self.file = file
        self.line = line
        self._cells = cells
        self._sources = sources

    def fault(self, column: str, fault: str) -> Refused:
        """Return the refusal FACTS_VALUE of a cell."""
        value = self._cells[column][:SHOWN_MAX]
        return Refused(
            "FACTS_VALUE", file=self.file, line=self.line, column=column, value=value, fault=fault
        )

    def unknown(self, column: str, wanted: str) -> Refused:
        """Return the refusal FACTS_REFERENCE of an id that no table has."""
        return Refused(
            "FACTS_REFERENCE", file=self.file, line=self.line, column=column, id=wanted[:SHOWN_MAX]
        )

    def optional(self, column: str) -> str:
        """Return a cell as it is, "" if blank."""
        return self._cells[column]

    def text(self, column: str) -> str:
        """Return a cell that may not be blank."""
        found = self._cells[column]
        if not found:
            raise self.fault(column, "blank")
        return found

    def id(self, column: str) -> str:
        """Return an id: small letters, digits, dots and dashes."""
        found = self._cells[column]
        if not _ID.fullmatch(found):
            raise self.fault(column, "no id of small letters, digits, dots and dashes")
        return found

    def ids(self, column: str) -> tuple[str, ...]:
        """Return ids with a space between them, at least one."""
        found = tuple(self._cells[column].split(" "))
        if not all(_ID.fullmatch(each) for each in found):
            raise self.fault(column, "no ids with one space between them")
        return found

    def number(self, column: str, least: float, most: float) -> float:
        """Return a decimal number within bounds."""
        found = self._cells[column]
        if not _NUMBER.fullmatch(found):
            raise self.fault(column, "no decimal number")
        value = float(found)
        assert math.isfinite(value), "twenty digits are finite"
        if not least <= value <= most:
            raise self.fault(column, f"not from {least:g} to {most:g}")
        return value

    def whole(self, column: str, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.number(column, least, most)
        if value != int(value):
            raise self.fault(column, "no whole number")
        return int(value)

    def clock_s(self, column: str) -> int:
        """Return a time HH:MM in seconds after midnight; up to 29:59."""
        found = _CLOCK.fullmatch(self._cells[column])
        if found is None:
            raise self.fault(column, "no time HH:MM")
        return int(found[1]) * 3600 + int(found[2]) * 60

    def origin(self, column: str) -> Origin:
        """Return an origin: source, year and confidence."""
        words = self._cells[column].split(" ")
        if len(words) != _ORIGIN_WORDS:
            raise self.fault(column, "not source, year and confidence")
        source_id, year, confidence = words
        if source_id not in self._sources:
            raise self.unknown(column, source_id)
        if not (year.isascii() and year.isdigit() and YEAR_LEAST <= int(year) <= YEAR_MOST):
            raise self.fault(column, "no year in the middle")
        for each in CONFIDENCES:
            if each == confidence:
                return Origin(source_id, int(year), each)
        raise self.fault(column, f"the confidence is none of {', '.join(CONFIDENCES)}")

    def figure(self, column: str, least: float, most: float) -> Figure[float] | None:
        """Return a number with its origin, None if both cells are blank."""
        if self._is_blank(column):
            return None
        return Figure(self.number(column, least, most), self.origin(column + "_by"))

    def day(self, column: str) -> Figure[date] | None:
        """Return a date with its origin, None if both are blank.

        Of a year or a month alone it is the last day: only then is it sure to have been.
        """
        if self._is_blank(column):
            return None
        return Figure(self.plain_day(column), self.origin(column + "_by"))

    def plain_day(self, column: str) -> date:
        """Return YYYY, YYYY-MM or YYYY-MM-DD; of a year or a month alone the last day."""
        found = _DAY.fullmatch(self._cells[column])
        if found is None or not YEAR_LEAST <= int(found[1]) <= YEAR_MOST:
            raise self.fault(column, "no date YYYY, YYYY-MM or YYYY-MM-DD")
        year, month = int(found[1]), int(found[2] or 12)
        try:
            return date(year, month, int(found[3] or monthrange(year, month)[1]))
        except ValueError:
            raise self.fault(column, "no day of the calendar") from None

    def _is_blank(self, column: str) -> bool:
        blank = not self._cells[column]
        if blank != (not self._cells[column + "_by"]):
            raise self.fault(column, "a figure and its origin stand together or not at all")
        return blank


def rows(
    file: str, text: str, columns: Collection[str], sources: Collection[str] = ()
) -> Iterator[Row]:
    """Yield the lines of a table that has exactly these columns.

    Refuses FACTS_COLUMNS, and FACTS_ROW with the line of what is no row of them.
    """
    header: list[str] | None = None
    for line, cells in _lines(file, text):
        if header is None:
            header = cells
            _check_columns(file, header, columns)
            continue
        if len(cells) != len(header):
            fault = f"{len(cells)} cells, not {len(header)}"
            raise Refused("FACTS_ROW", file=file, line=line, fault=fault)
        yield Row(file, line, dict(zip(header, cells, strict=True)), sources)
    if header is None:
        _check_columns(file, [], columns)


def _check_columns(file: str, header: list[str], columns: Collection[str]) -> None:
    if sorted(header) != sorted(columns):
        wrong = sorted(set(header) ^ set(columns)) or ["one stands twice"]
        raise Refused("FACTS_COLUMNS", file=file, columns=", ".join(wrong)[: 4 * SHOWN_MAX])


def _lines(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line that is neither blank nor a comment, with its number.

    A cell does not go on in the next line: each line is read for itself.
    """
    for line, raw in enumerate(text.split("\n"), 1):
        if not raw.strip() or raw.startswith("#"):
            continue
        try:
            cells = next(csv.reader([raw.removesuffix("\r")], strict=True))
        except csv.Error as fault:
            raise Refused("FACTS_ROW", file=file, line=line, fault=str(fault)) from None
        if any(cell != cell.strip() for cell in cells):
            raise Refused("FACTS_ROW", file=file, line=line, fault="blanks around a cell")
        yield line, cells
