"""Places from comma-separated text (RFC 4180) in UTF-8, with or without a byte order mark."""

from __future__ import annotations

import csv
import re
from typing import Final

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.places.findings import Findings
from tongcheng.services.mobility.places.table import (
    COLUMNS_MAX,
    PLACES_MAX,
    Table,
    Value,
    by_columns,
    check_size,
)

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
"""Lines end as csv counts them, not where str.splitlines sees an end (U+2028, form feed)."""


def csv_table(raw: bytes, findings: Findings) -> Table:
    """Return the rows of a file; one with more or fewer cells than the heading is left out.

    Raises:
        Refused: PLACES_BROKEN for what is not UTF-8, has no heading, or a heading twice;
            PLACES_COLUMN without longitude and latitude; PLACES_TOO_LARGE.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Refused("PLACES_BROKEN", format="csv", fault=f"byte {fault.start}") from None
    reader = csv.reader((found[0] for found in _LINE.finditer(text)), strict=True)
    rows: list[list[str]] = []
    try:
        heading = next(reader, None)
        for row in reader:
            rows.append(row)
            if len(rows) > PLACES_MAX:
                check_size("rows", len(rows), PLACES_MAX)
    except csv.Error as fault:
        line = reader.line_num
        raise Refused("PLACES_BROKEN", format="csv", fault=f"line {line}: {fault}") from None
    if not heading:
        raise Refused("PLACES_BROKEN", format="csv", fault="no heading")
    check_size("columns", len(heading), COLUMNS_MAX)
    if len(set(heading)) != len(heading):
        twice = next(name for name in heading if heading.count(name) > 1)
        raise Refused("PLACES_BROKEN", format="csv", fault=f"column {twice!r} twice")
    numbers = np.arange(1, len(rows) + 1)
    sound = np.array([len(row) == len(heading) for row in rows], np.bool_)
    blank = np.array([not row for row in rows], np.bool_)
    findings.add("row_malformed", numbers, ~sound & ~blank)
    kept = [row for row, fits in zip(rows, sound.tolist(), strict=True) if fits]
    columns: dict[str, list[Value]] = {
        name: [row[at] for row in kept] for at, name in enumerate(heading)
    }
    return by_columns(numbers[sound], columns)
