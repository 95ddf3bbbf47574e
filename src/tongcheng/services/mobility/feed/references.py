"""Reads places known in WGS-84, by which a feed's datum is told: a CSV of name, lon, lat."""

from pathlib import Path
from typing import Final

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.archive import file_lines
from tongcheng.services.mobility.feed.datum import Reference
from tongcheng.services.mobility.feed.fields import decimals
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.rows import Wanted, read_table

COLUMNS: Final = Wanted(("name", "lon", "lat"))


def read_references(path: Path) -> tuple[Reference, ...]:
    """Return the places of a file; other columns are let be, rows without a name are left out.

    Refuses FILE_MISSING, REFERENCE_FILE and, as for a file of a feed, FEED_COLUMNS,
    FEED_EMPTY_FILE, FEED_ENCODING and FEED_NUL.
    """
    findings = Findings()
    table = read_table(path.name, file_lines(path), COLUMNS, findings)
    for each in findings.listed():
        if each.severity == "error":
            raise Refused("REFERENCE_FILE", file=str(path), line=each.line)
    lon, lat = decimals(table, "lon"), decimals(table, "lat")
    inside = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)  # noqa: PLR2004 degrees of the earth
    named = ~table.blank("name")
    if (named & ~inside).any():
        line = int(table.lines[int(np.argmax(named & ~inside))])
        raise Refused("REFERENCE_FILE", file=str(path), line=line)
    names = table.texts("name")
    return tuple(
        Reference(names[row], float(lon[row]), float(lat[row]))
        for row in np.flatnonzero(named).tolist()
    )
