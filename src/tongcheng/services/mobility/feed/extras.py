"""What a feed may have besides: frequencies.txt, transfers.txt, pathways.txt."""

from typing import Final

import numpy as np

from tongcheng.services.mobility.feed.fields import (
    WRONG,
    Sieve,
    among,
    between,
    clock,
    decimals,
    numbers,
    rows_in,
    whole,
)
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.model import (
    NONE,
    FrequencyTable,
    PathwayTable,
    TransferTable,
)
from tongcheng.services.mobility.feed.rows import Table, Wanted
from tongcheng.services.mobility.numbers import Float64, Int64

FREQUENCIES: Final = "frequencies.txt"
FREQUENCY_COLUMNS: Final = Wanted(
    ("trip_id", "start_time", "end_time", "headway_secs"), ("exact_times",)
)
TRANSFERS: Final = "transfers.txt"
_SPECIAL: Final = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")
TRANSFER_COLUMNS: Final = Wanted(
    ("from_stop_id", "to_stop_id"), ("transfer_type", "min_transfer_time", *_SPECIAL)
)
PATHWAYS: Final = "pathways.txt"
PATHWAY_COLUMNS: Final = Wanted(
    ("pathway_id", "from_stop_id", "to_stop_id", "pathway_mode", "is_bidirectional"),
    ("traversal_time", "length", "stair_count"),
)
STAIR_M: Final = 0.3
"""How far an ordinary step of a public stair leads on, at 0.15 m up."""
_IN_SEAT: Final = (4, 5)
_SECONDS_MAX: Final = 86_400


def read_frequencies(table: Table, trips: dict[str, int], findings: Findings) -> FrequencyTable:
    """Return how often trips repeat, by trip and start."""
    sieve = Sieve(table, findings)
    trip = rows_in(table, "trip_id", trips)
    sieve.known("trip_id", trip)
    start_s, end_s = (numbers(table, name, clock) for name in ("start_time", "end_time"))
    sieve.needed("start_time", start_s)
    sieve.needed("end_time", end_s)
    sieve.out("span_backwards", start_s >= end_s, "end_time")
    headway_s = numbers(table, "headway_secs", between(1, _SECONDS_MAX))
    sieve.needed("headway_secs", headway_s)
    exact = sieve.defaulted("exact_times", numbers(table, "exact_times", among(0, 1)), 0)
    rows = np.flatnonzero(sieve.kept)
    rows = rows[np.lexsort((start_s[rows], trip[rows]))]
    overlaps = np.zeros(table.rows, np.bool_)
    following = rows[1:]
    same = trip[following] == trip[rows[:-1]]
    overlaps[following[same & (start_s[following] < end_s[rows[:-1]])]] = True
    sieve.note("frequency_overlap", overlaps, "trip_id")
    return FrequencyTable(
        trip[rows].astype(np.int32),
        start_s[rows].astype(np.int32),
        end_s[rows].astype(np.int32),
        headway_s[rows].astype(np.int32),
        exact[rows] == 1,
    )


def read_transfers(
    table: Table, stops: dict[str, int], findings: Findings
) -> tuple[TransferTable, int]:
    """Return the transfers between stops, and how many rows hold for certain trips or routes.

    Those, and staying in one's seat (transfer_type 4 and 5), are counted and not used. In GTFS what
    is left is one row for an ordered pair of stops; further ones are kept in their order, and
    noted: the last of them holds.
    """
    sieve = Sieve(table, findings)
    kind = numbers(table, "transfer_type", among(0, 1, 2, 3, *_IN_SEAT))
    special = np.isin(kind, _IN_SEAT)
    for column in _SPECIAL:
        special |= ~table.blank(column)
    sieve.out("transfer_special", special, "from_stop_id")
    origin, to = _ends(sieve, stops)
    sieve.out("value_wrong", kind == WRONG, "transfer_type")
    seconds = numbers(table, "min_transfer_time", between(0, _SECONDS_MAX))
    sieve.out("value_wrong", seconds == WRONG, "min_transfer_time")
    kind, seconds = np.maximum(kind, 0), np.where(seconds < 0, NONE, seconds)
    _note_twice(sieve, origin, to, (kind, seconds))
    kept = sieve.kept
    found = TransferTable(
        origin[kept].astype(np.int32),
        to[kept].astype(np.int32),
        kind[kept].astype(np.int8),
        seconds[kept].astype(np.int32),
    )
    return found, int(np.count_nonzero(special))


def _note_twice(sieve: Sieve, origin: Int64, to: Int64, said: tuple[Int64, ...]) -> None:
    """Note rows of a pair that an earlier row has; leave out those that say what the last one said.

    The reference asks for one row for a pair, and does not say which of several is meant.
    """
    rows = np.flatnonzero(sieve.kept)
    rows = rows[np.lexsort((to[rows], origin[rows]))]
    before, after = rows[:-1], rows[1:]
    again = (origin[before] == origin[after]) & (to[before] == to[after])
    alike = np.all([each[before] == each[after] for each in said], axis=0)
    equal, other = (np.zeros(sieve.table.rows, np.bool_) for _ in range(2))
    equal[after[again & alike]] = True
    other[after[again & ~alike]] = True
    sieve.out("row_twice", equal, "from_stop_id")
    sieve.note("transfer_twice", other, "from_stop_id")


def _ends(sieve: Sieve, stops: dict[str, int]) -> tuple[Int64, Int64]:
    """Return the stops that rows lead from and to; leave out those of stops that are not there."""
    ends = []
    for column in ("from_stop_id", "to_stop_id"):
        rows = rows_in(sieve.table, column, stops)
        sieve.known(column, rows)
        ends.append(rows)
    return ends[0], ends[1]


def read_pathways(table: Table, stops: dict[str, int], findings: Findings) -> PathwayTable:
    """Return the ways within stations, one that is open both ways as two rows, the second turned.

    A way of which only the steps are counted is as long as they are.
    """
    sieve = Sieve(table, findings)
    sieve.unique("pathway_id")
    origin, to = _ends(sieve, stops)
    mode = numbers(table, "pathway_mode", among(*range(1, 8)))
    sieve.needed("pathway_mode", mode)
    both = numbers(table, "is_bidirectional", among(0, 1))
    sieve.needed("is_bidirectional", both)
    seconds = numbers(table, "traversal_time", between(0, _SECONDS_MAX))
    sieve.note("option_wrong", seconds == WRONG, "traversal_time")
    seconds = np.where(seconds < 0, NONE, seconds)
    length_m = _lengths_m(sieve, seconds)
    rows = np.flatnonzero(sieve.kept)
    turned = rows[both[rows] == 1]
    every = np.concatenate([rows, turned])
    return PathwayTable(
        np.concatenate([origin[rows], to[turned]]).astype(np.int32),
        np.concatenate([to[rows], origin[turned]]).astype(np.int32),
        mode[every].astype(np.int8),
        seconds[every].astype(np.int32),
        length_m[every],
    )


def _lengths_m(sieve: Sieve, seconds: Int64) -> Float64:
    """Return the lengths of pathways; NaN where nothing tells."""
    table = sieve.table
    length_m = decimals(table, "length")
    wrong = ~table.blank("length") & ~(length_m >= 0)
    sieve.note("option_wrong", wrong, "length")
    length_m = np.where(wrong, np.nan, length_m)
    stairs = numbers(table, "stair_count", _steps)
    sieve.note("option_wrong", stairs == WRONG, "stair_count")
    by_stairs = np.isnan(length_m) & (seconds == NONE) & (stairs > 0)
    sieve.note("pathway_by_stairs", by_stairs, "stair_count")
    return np.where(by_stairs, stairs * STAIR_M, length_m)


def _steps(text: str) -> int:
    """Return how many steps there are; a minus says that they lead down."""
    return whole(text.removeprefix("-"))
