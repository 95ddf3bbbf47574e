"""What was found in a feed: codes with their severity, each counted, with its first examples.

A finding is of one code, file and column. The words of each code are in the service's texts.yaml,
under `mobility.feed.finding.<code>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
import numpy as np

if TYPE_CHECKING:
    from tongcheng.services.mobility.feed.rows import Table
    from tongcheng.services.mobility.numbers import Bool

Severity = Literal["error", "warning", "repaired", "ignored"]
"""Error: something was left out. Warning: used, but doubtful. Repaired: changed where that is safe.
Ignored: mobility has no use for it."""

SEVERITIES: Final[dict[str, Severity]] = {
    "row_malformed": "error",
    "row_long": "error",
    "value_long": "error",
    "value_missing": "error",
    "value_wrong": "error",
    "id_twice": "error",
    "stop_without_place": "error",
    "stop_at_zero": "error",
    "stop_out_of_range": "error",
    "stop_scale": "error",
    "stop_far": "error",
    "stop_speed": "error",
    "station_missing": "error",
    "reference_unknown": "error",
    "reference_left_out": "error",
    "call_not_at_platform": "error",
    "call_without_time": "error",
    "sequence_twice": "error",
    "time_backwards": "error",
    "trip_of_one_call": "error",
    "span_backwards": "error",
    "exception_twice": "error",
    "parent_unknown": "warning",
    "parent_loop": "warning",
    "parent_kind": "warning",
    "station_far": "warning",
    "speed": "warning",
    "distance_wrong": "warning",
    "trip_without_calls": "warning",
    "service_never": "warning",
    "frequency_overlap": "warning",
    "transfer_twice": "warning",
    "datum_unknown": "warning",
    "option_wrong": "warning",
    "folder": "repaired",
    "row_short": "repaired",
    "row_twice": "repaired",
    "row_trailing": "repaired",
    "stop_swapped": "repaired",
    "place_of_station": "repaired",
    "place_of_platforms": "repaired",
    "call_twice": "repaired",
    "time_midnight": "repaired",
    "time_single": "repaired",
    "datum_converted": "repaired",
    "pathway_by_stairs": "repaired",
    "file_ignored": "ignored",
    "columns_ignored": "ignored",
    "row_blank": "ignored",
    "call_flexible": "ignored",
    "call_on_request": "ignored",
    "transfer_special": "ignored",
}
EXAMPLES_MAX: Final = 5
_FOLLOWING: Final = frozenset({"reference_left_out", "trip_of_one_call"})
"""Errors of what was left out because something else had been."""
_ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "repaired", "ignored")


class Example(msgspec.Struct, frozen=True):
    """Where something was found: the line in its file (0: of the file as a whole), and what.

    The value is cut to a length, and does nothing to a terminal.
    """

    line: int
    value: str


class Finding(msgspec.Struct, frozen=True):
    """One kind of fault in one file: how often, and the first few; `line` is the first one's."""

    code: str
    severity: Severity
    file: str
    column: str
    line: int
    count: int
    examples: tuple[Example, ...]


def printable(text: str, most: int = 80) -> str:
    """Return text of a stranger's as it may be shown on a terminal, cut to a length."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cut)


class Findings:
    """Collects what is found while a feed is read."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._examples: dict[tuple[str, str, str], list[Example]] = {}

    def add(self, code: str, file: str, line: int, value: str, column: str = "") -> None:
        """Note one thing."""
        assert code in SEVERITIES, code
        key = (code, file, column)
        self._counts[key] = self._counts.get(key, 0) + 1
        examples = self._examples.setdefault(key, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(Example(line, printable(value)))

    def rows(
        self, code: str, table: Table, where: Bool, column: str, shown: tuple[str, ...] = ()
    ) -> None:
        """Note rows of a table, those where it is true; examples show `shown`, else the column."""
        assert code in SEVERITIES, code
        count = int(np.count_nonzero(where))
        if not count:
            return
        key = (code, table.file, column)
        self._counts[key] = self._counts.get(key, 0) + count
        examples = self._examples.setdefault(key, [])
        for row in np.flatnonzero(where)[: EXAMPLES_MAX - len(examples)].tolist():
            value = " ".join(table.text(each, row) for each in shown or (column,))
            examples.append(Example(int(table.lines[row]), printable(value.strip())))

    def count(self, code: str, file: str) -> int:
        """Return how often a code was found in a file, in whatever column."""
        return sum(
            count for key, count in self._counts.items() if key[0] == code and key[1] == file
        )

    def listed(self) -> tuple[Finding, ...]:
        """Return all findings, the gravest first, then by file and code."""
        found = [
            Finding(code, SEVERITIES[code], file, column, examples[0].line, count, tuple(examples))
            for (code, file, column), count in self._counts.items()
            for examples in [self._examples[code, file, column]]
        ]
        return tuple(
            sorted(found, key=lambda e: (_ORDER.index(e.severity), e.file, e.code, e.column))
        )

    def told(self) -> str:
        """Return what left out most, for who refuses the rest: a file, its line, a code, how often.

        What follows from something else is told where there is nothing else; "–" of nothing.
        """
        errors = [each for each in self.listed() if each.severity == "error"]
        causes = [each for each in errors if each.code not in _FOLLOWING] or errors
        if not causes:
            return "–"
        most = max(causes, key=lambda each: each.count)
        return f"{most.file}:{most.line} {most.code} × {most.count}"
