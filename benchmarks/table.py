"""The table of all rows: for a terminal, for a page, for a machine."""

import math
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec

from benchmarks.machine import Machine
from benchmarks.row import Row

HEAD = ("area", "what", "figure", "target", "reference", "ratio", "holds", "note")
_MARK = {True: "✓", False: "✗", None: ""}
_SIGN = {"at least": "≥", "at most": "≤"}
_SIDE = {"at least": "short", "at most": "over"}
_RIGHT = (2, 3, 5)
"""Columns of numbers."""
_THOUSAND = 1_000
_TEN = 10
_HUNDRED = 100
_LEAST = 0.1
"""The least per cent that is told in digits."""


class Run(msgspec.Struct, frozen=True):
    """One run of `python -m benchmarks`: the machine, the rows, and whether it was a small one."""

    machine: Machine
    rows: list[Row]
    quick: bool = False

    @property
    def kept(self) -> bool:
        """Whether every promise was measured and kept."""
        return all(row.holds is not False for row in self.rows)


def number(value: float) -> str:
    """Return a figure as people read it: three digits that count, thousands apart."""
    if math.isnan(value):
        return "–"
    size = abs(value)
    if size >= _THOUSAND or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= _HUNDRED else f"{value:.{1 if size >= _TEN else 2}f}"


def cells(row: Row) -> tuple[str, ...]:
    """Return what stands in each column."""
    target = "" if row.target is None else f"{_SIGN[row.direction]} {number(row.target)}"
    reference = row.reference
    if row.reference_figure is not None:
        reference = f"{reference}: {number(row.reference_figure)}"
    ratio = "" if row.ratio is None or math.isnan(row.ratio) else f"× {number(row.ratio)}"
    figure = f"{number(row.figure)} {row.unit}".strip()
    holds = f"{_MARK[row.holds]} {missed(row)}".strip()
    return (row.area, row.what, figure, target, reference, ratio, holds, row.note)


def missed(row: Row) -> str:
    """Say by how much a promise is missed; nothing where it is kept, or was not measured."""
    if row.holds is not False or row.target is None or math.isnan(row.figure):
        return ""
    if row.direction == "at most" and row.missed_by is not None and row.missed_by >= 1:
        return f"{number(1 + row.missed_by)} times the target"
    apart = abs(row.figure - row.target)
    how_much = number(apart) if row.missed_by is None else _percent(row.missed_by)
    return f"{how_much} {_SIDE[row.direction]}"


def text(run: Run) -> str:
    """Return the table for a terminal; notes stand below their rows."""
    written = [cells(row) for row in run.rows]
    widths = [max(map(_width, column)) for column in zip(HEAD, *written, strict=True)]
    lines = [*run.machine.told(), *_small(run), "", _line(HEAD, widths)]
    for each in written:
        lines.append(_line(each, widths))
        if each[-1]:
            lines.append(f"    {each[-1]}")
    return "\n".join([*lines, "", _verdict(run)])


def markdown(run: Run) -> str:
    """Return the table for a page."""
    rule = ["---:" if place in _RIGHT else "---" for place in range(len(HEAD))]
    rows = [HEAD, rule, *(map(_escaped, cells(row)) for row in run.rows)]
    table = [f"| {' | '.join(each)} |" for each in rows]
    return "\n".join([*run.machine.told(), *_small(run), "", *table, "", _verdict(run)])


def encoded(run: Run) -> str:
    """Return everything for a machine; `ratio`, `holds` and `missed_by` are told besides."""
    rows: list[dict[str, Any]] = [
        {**row._asdict(), "ratio": row.ratio, "holds": row.holds, "missed_by": row.missed_by}
        for row in run.rows
    ]
    told = {**msgspec.to_builtins(run), "rows": rows, "kept": run.kept}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def read(raw: bytes) -> Run:
    """Return a run from what `encoded` wrote."""
    told = msgspec.json.decode(raw)
    for row in told["rows"]:
        # JSON has no word for a figure that was not measured.
        row["figure"] = float("nan") if row["figure"] is None else row["figure"]
    rows = [Row(**{name: row[name] for name in Row._fields}) for row in told["rows"]]
    return Run(msgspec.convert(told["machine"], Machine), rows, told["quick"])


def _percent(share: float) -> str:
    """Return a share as people read it; one that would round to nothing is still told."""
    percent = _HUNDRED * share
    if percent < _LEAST:
        return f"less than {_LEAST} %"
    return f"{percent:.{0 if percent >= 1 else 1}f} %"


def _small(run: Run) -> list[str]:
    return ["A quick run: sizes are small, and the figures say no more than that it runs."] * (
        run.quick
    )


def _verdict(run: Run) -> str:
    promised = [row for row in run.rows if row.holds is not None]
    kept = sum(row.holds is True for row in promised)
    return f"{kept} of {len(promised)} promises kept."


def _width(word: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in word)


def _line(words: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for place, (word, width) in enumerate(zip(words[:-1], widths[:-1], strict=True)):
        gap = " " * (width - _width(word))
        padded.append(gap + word if place in _RIGHT else word + gap)
    return "  ".join(padded).rstrip()


def _escaped(word: str) -> str:
    return word.replace("|", "\\|")
