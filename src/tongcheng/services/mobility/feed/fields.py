"""Turns what stands in a column into numbers: each different value once, then whole columns.

What is no value of its kind is WRONG, and what is not there BLANK; in coordinates and distances
they are NaN, and `wrong` tells the two apart. Kinds are those of
https://gtfs.org/documentation/schedule/reference/#field-types.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np

from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.rows import Table
from tongcheng.services.mobility.numbers import Bool, Float64, Int64

BLANK: Final = -1
WRONG: Final = -2
LEFT_OUT: Final = -3
"""In a column of rows of another table: it was there, and has been left out."""
HOURS_MAX: Final = 240
"""Ten days after the day began: no train is under way so long."""
DAY_FIRST: Final = date(1970, 1, 1)
DAY_LAST: Final = date(2199, 12, 31)

_WHOLE = re.compile(r"([0-9]{1,9})(?:\.0{1,6})?", re.ASCII)
"""Software that keeps columns with blanks as floating point writes 1 as 1.0."""
_TIME = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
)
_DAY = re.compile(r"[0-9]{8}", re.ASCII)


def whole(text: str) -> int:
    """Return a whole number from 0 to 999,999,999."""
    found = _WHOLE.fullmatch(text)
    return int(found[1]) if found else BLANK if text == "" else WRONG


def clock(text: str) -> int:
    """Return a time `H:MM:SS` in seconds, up to HOURS_MAX."""
    found = _TIME.fullmatch(text)
    if found is None:
        return BLANK if text == "" else WRONG
    hours, minutes, seconds = map(int, found.groups())
    total_s = hours * 3600 + minutes * 60 + seconds
    return total_s if total_s <= HOURS_MAX * 3600 else WRONG


def day(text: str) -> int:
    """Return a day `YYYYMMDD` from DAY_FIRST to DAY_LAST as its ordinal."""
    if text == "":
        return BLANK
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    return found.toordinal() if found and DAY_FIRST <= found <= DAY_LAST else WRONG


def among(*allowed: int) -> Callable[[str], int]:
    """Return what reads a whole number that must be one of the allowed."""

    def read(text: str) -> int:
        number = whole(text)
        return number if number in allowed or number < 0 else WRONG

    return read


def between(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""

    def read(text: str) -> int:
        number = whole(text)
        return number if least <= number <= most or number < 0 else WRONG

    return read


def decimal(text: str) -> float:
    """Return a number; NaN for what is none."""
    return float(text) if _DECIMAL.fullmatch(text) else np.nan


def numbers(table: Table, column: str, read: Callable[[str], int]) -> Int64:
    """Return a column as `read` reads it: numbers, BLANK or WRONG."""
    values, codes = table.columns[column]
    return np.array([read(value) for value in values], np.int64)[codes]


def decimals(table: Table, column: str) -> Float64:
    """Return a column of decimal numbers; NaN where none stands."""
    values, codes = table.columns[column]
    return np.array([decimal(value) for value in values], np.float64)[codes]


def rows_in(table: Table, column: str, row_of: dict[str, int]) -> Int64:
    """Return a column of ids as rows of another table: BLANK, and WRONG for ids it has not."""
    values, codes = table.columns[column]
    found = [BLANK if value == "" else row_of.get(value, WRONG) for value in values]
    return np.array(found, np.int64)[codes]


def row_numbers(ids: list[str], kept: Bool) -> dict[str, int]:
    """Return where each id stands among the rows that are kept, LEFT_OUT for the others."""
    places = np.where(kept, np.cumsum(kept) - 1, LEFT_OUT).tolist()
    found: dict[str, int] = {}
    for text, place in zip(ids, places, strict=True):
        if place >= 0 or text not in found:
            found[text] = place
    return found


class Sieve:
    """The rows of a table that are kept, while one check after the other leaves some out.

    A row is reported by the first check that it fails.
    """

    def __init__(self, table: Table, findings: Findings) -> None:
        self.table, self.findings = table, findings
        self.kept: Bool = np.ones(table.rows, np.bool_)

    def out(self, code: str, where: Bool, column: str) -> None:
        """Leave out rows that are still there, and note them."""
        self.findings.rows(code, self.table, where & self.kept, column)
        self.kept &= ~where

    def note(self, code: str, where: Bool, column: str) -> None:
        """Note rows that are still there, and keep them."""
        self.findings.rows(code, self.table, where & self.kept, column)

    def drop(self, where: Bool) -> None:
        """Leave out rows of which something else has been noted already."""
        self.kept &= ~where

    def needed(self, column: str, values: Int64) -> None:
        """Leave out rows where a column that is needed is blank or wrong."""
        self.out("value_missing", values == BLANK, column)
        self.out("value_wrong", values == WRONG, column)

    def defaulted(self, column: str, values: Int64, default: int) -> Int64:
        """Return a column with a default in place of what is blank, or wrong and noted."""
        self.note("option_wrong", values == WRONG, column)
        return np.where(values < 0, default, values)

    def known(self, column: str, rows: Int64) -> None:
        """Leave out rows that name nothing, or something that its own file does not have."""
        self.out("value_missing", rows == BLANK, column)
        self.out("reference_unknown", rows == WRONG, column)
        self.out("reference_left_out", rows == LEFT_OUT, column)

    def unique(self, column: str) -> None:
        """Leave out rows without an id, or with one that an earlier row has.

        A row that says again all that the earlier one said takes nothing away.
        """
        self.out("value_missing", self.table.blank(column), column)
        first: dict[str, int] = {}
        equal, other = (np.zeros(self.table.rows, np.bool_) for _ in range(2))
        for row, text in enumerate(self.table.texts(column)):
            earlier = first.setdefault(text, row)
            if earlier != row:
                names = self.table.columns
                same = all(self.table.text(n, row) == self.table.text(n, earlier) for n in names)
                (equal if same else other)[row] = True
        self.out("row_twice", equal, column)
        self.out("id_twice", other, column)
