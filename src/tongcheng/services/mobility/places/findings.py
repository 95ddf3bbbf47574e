"""What was found in a file of places: codes with their severity, each counted, with its first rows.

The words of each code are in the service's texts.yaml, under `mobility.places.finding.<code>`.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
import numpy as np

from tongcheng.services.mobility.numbers import Bool, Int64

Severity = Literal["error", "repaired", "ignored"]
"""Error: a row was left out. Repaired: changed where that is safe. Ignored: not made use of."""

SEVERITIES: Final[dict[str, Severity]] = {
    "row_malformed": "error",
    "geometry_missing": "error",
    "geometry_kind": "error",
    "place_out_of_range": "error",
    "place_at_zero": "error",
    "id_missing": "error",
    "id_twice": "error",
    "value_missing": "error",
    "value_wrong": "error",
    "value_negative": "error",
    "geometry_invalid": "repaired",
    "value_rounded": "repaired",
    "column_ignored": "ignored",
}
EXAMPLES_MAX: Final = 5


class Finding(msgspec.Struct, frozen=True):
    """One kind of fault in one column: how often, and the first few rows, counted from 1."""

    code: str
    severity: Severity
    column: str
    count: int
    rows: tuple[int, ...]


class Report(msgspec.Struct, frozen=True):
    """What became of a file: rows in it, rows that became places, and what was found.

    `digest` is the hex SHA-256 of the file's bytes as they came.
    """

    digest: str
    rows: int
    places: int
    findings: tuple[Finding, ...]


class Findings:
    """Collects what is found while places are read."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def add(self, code: str, rows: Int64, where: Bool, column: str = "") -> None:
        """Note the rows where it is true; none is no finding."""
        numbers = rows[where]
        if len(numbers):
            self._note(code, column, len(numbers), tuple(numbers[:EXAMPLES_MAX].tolist()))

    def column(self, code: str, column: str) -> None:
        """Note something about a whole column."""
        self._note(code, column, 1, ())

    def listed(self) -> tuple[Finding, ...]:
        """Return all findings, the gravest first."""
        order = tuple(SEVERITIES)
        return tuple(sorted(self._found, key=lambda each: (order.index(each.code), each.column)))

    def _note(self, code: str, column: str, count: int, rows: tuple[int, ...]) -> None:
        self._found.append(Finding(code, SEVERITIES[code], column, count, rows))


def none_of(count: int) -> Bool:
    """Return so many rows of which nothing is true."""
    return np.zeros(count, np.bool_)
