"""stops.txt: which locations there are and which belongs to which; where they lie is `places`'.

A platform belongs to a station or to none, an entrance or node to a station, a boarding area to a
platform (location_type and parent_station of the reference).
"""

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.fields import (
    BLANK,
    LEFT_OUT,
    WRONG,
    Sieve,
    among,
    numbers,
    row_numbers,
    rows_in,
)
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.model import (
    BOARDING_AREA,
    ENTRANCE,
    NODE,
    NONE,
    PLATFORM,
    STATION,
)
from tongcheng.services.mobility.feed.rows import Table, Wanted
from tongcheng.services.mobility.numbers import Bool, Int8, Int64

FILE: Final = "stops.txt"
COLUMNS: Final = Wanted(
    ("stop_id", "stop_lat", "stop_lon"), ("stop_name", "location_type", "parent_station")
)
_PARENT_KIND: Final = {
    PLATFORM: STATION,
    ENTRANCE: STATION,
    NODE: STATION,
    BOARDING_AREA: PLATFORM,
}


class Locations(NamedTuple):
    """Rows of stops.txt that are kept so far; `parent` is a row or NONE, `row_of` by stop_id."""

    table: Table
    kind: Int8
    parent: Int64
    row_of: dict[str, int]

    def only(self, kept: Bool) -> "Locations":
        """Return the rows where it is true; what belonged to others belongs to none now."""
        numbered = np.append(np.where(kept, np.cumsum(kept) - 1, NONE), NONE)
        rows = {
            stop_id: (int(numbered[row]) if row >= 0 and kept[row] else LEFT_OUT)
            for stop_id, row in self.row_of.items()
        }
        parent = numbered[self.parent[kept]]
        return Locations(self.table.only(kept), self.kind[kept], parent, rows)


def read_locations(table: Table, findings: Findings) -> Locations:
    """Return the locations that can be used as far as their relations go."""
    sieve = Sieve(table, findings)
    sieve.unique("stop_id")
    kind = numbers(table, "location_type", among(0, 1, 2, 3, 4))
    sieve.out("value_wrong", kind == WRONG, "location_type")
    kind = np.where(kind == BLANK, PLATFORM, kind)
    ids = table.texts("stop_id")
    everywhere = np.ones(table.rows, np.bool_)
    parent = _parents(sieve, kind, rows_in(table, "parent_station", _first_rows(ids)))
    # Leaving out an entrance takes nothing from others; leaving out a platform may take its areas.
    for _ in range(2):
        orphan = (parent == NONE) & np.isin(kind, (ENTRANCE, NODE, BOARDING_AREA))
        sieve.out("station_missing", orphan, "parent_station")
        gone = (parent != NONE) & ~sieve.kept[np.maximum(parent, 0)]
        parent = np.where(gone, NONE, parent)
    locations = Locations(table, kind.astype(np.int8), parent, row_numbers(ids, everywhere))
    return locations.only(sieve.kept)._replace(row_of=row_numbers(ids, sieve.kept))


def _first_rows(ids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row, text in enumerate(ids):
        found.setdefault(text, row)
    return found


def _parents(sieve: Sieve, kind: Int64, parent: Int64) -> Int64:
    """Return each row's parent, or NONE where it has none or one that it can not have."""
    sieve.note("parent_unknown", parent == WRONG, "parent_station")
    parent = np.where(parent < 0, NONE, parent)
    looped = _looped(parent)
    sieve.note("parent_loop", looped, "parent_station")
    parent = np.where(looped, NONE, parent)
    allowed = np.array([_PARENT_KIND.get(each, NONE) for each in range(5)])[np.maximum(kind, 0)]
    misplaced = (parent != NONE) & (kind[np.maximum(parent, 0)] != allowed)
    sieve.note("parent_kind", misplaced, "parent_station")
    return np.where(misplaced, NONE, parent)


def _looped(parent: Int64) -> Bool:
    """Tell which rows are their own ancestors."""
    above = parent.tolist()
    seen = [0] * len(above)
    looped = np.zeros(len(above), np.bool_)
    for first in range(len(above)):
        row = first
        while row != NONE and not seen[row]:
            seen[row] = first + 1
            row = above[row]
        if row != NONE and seen[row] == first + 1:
            while not looped[row]:
                looped[row] = True
                row = above[row]
    return looped
