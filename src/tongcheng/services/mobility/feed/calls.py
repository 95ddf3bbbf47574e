"""stop_times.txt: the calls of each trip in order, all times filled in, none going backwards."""

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.fields import (
    BLANK,
    WRONG,
    Sieve,
    among,
    clock,
    decimals,
    numbers,
    rows_in,
    whole,
)
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.locations import Locations
from tongcheng.services.mobility.feed.model import PLATFORM
from tongcheng.services.mobility.feed.rows import Table, Wanted
from tongcheng.services.mobility.feed.times import filled, starts_of, unwound, within_times
from tongcheng.services.mobility.numbers import Bool, Int64

FILE: Final = "stop_times.txt"
_FLEXIBLE: Final = (
    "location_group_id",
    "location_id",
    "start_pickup_drop_off_window",
    "end_pickup_drop_off_window",
)
COLUMNS: Final = Wanted(
    ("trip_id", "stop_id", "stop_sequence"),
    (
        "arrival_time",
        "departure_time",
        "pickup_type",
        "drop_off_type",
        "shape_dist_traveled",
        *_FLEXIBLE,
    ),
)
_NOT_AVAILABLE: Final = 1


class Calls(NamedTuple):
    """Calls sorted by trip and, within it, by their order.

    `row` is theirs in the file; `timed` says whether a time was given there.
    """

    row: Int64
    trip: Int64
    stop: Int64
    arrival_s: Int64
    departure_s: Int64
    timed: Bool
    boards: Bool
    alights: Bool

    def only(self, kept: "Bool | Int64") -> "Calls":
        """Return the calls where it is true, or those of these rows in their order."""
        return Calls(
            self.row[kept],
            self.trip[kept],
            self.stop[kept],
            self.arrival_s[kept],
            self.departure_s[kept],
            self.timed[kept],
            self.boards[kept],
            self.alights[kept],
        )


def read_calls(
    table: Table, trips: dict[str, int], locations: Locations, findings: Findings
) -> tuple[Calls, int]:
    """Return the calls that can be used, and out of how many; a trip that goes back has none.

    Calls by which no timetable is meant (GTFS-Flex), and those that only repeat another, do not
    count among them.
    """
    sieve = Sieve(table, findings)
    flexible = np.zeros(table.rows, np.bool_)
    for column in _FLEXIBLE:
        flexible |= ~table.blank(column)
    sieve.out("call_flexible", flexible, "trip_id")
    trip, stop = _references(sieve, trips, locations)
    sequence = numbers(table, "stop_sequence", whole)
    sieve.needed("stop_sequence", sequence)
    arrival_s, departure_s = _given(sieve)
    boards, alights = (_available(sieve, each) for each in ("pickup_type", "drop_off_type"))
    timed = arrival_s != BLANK
    every = np.arange(table.rows)
    calls = Calls(every, trip, stop, arrival_s, departure_s, timed, boards, alights)
    row = np.flatnonzero(sieve.kept)
    row = row[np.lexsort((sequence[row], trip[row]))]
    calls = calls.only(row)
    calls, repeated = _without_twice(calls, sequence[row], table, findings)
    calls = _forward(calls, table, findings)
    distance = decimals(table, "shape_dist_traveled")[calls.row]
    arrival_s, departure_s, doubtful = filled(
        calls.trip, calls.arrival_s, calls.departure_s, distance
    )
    findings.rows("distance_wrong", table, _at(table, calls, doubtful), "shape_dist_traveled")
    usable = table.rows - int(np.count_nonzero(flexible)) - repeated
    return calls._replace(arrival_s=arrival_s, departure_s=departure_s), usable


def _references(sieve: Sieve, trips: dict[str, int], locations: Locations) -> tuple[Int64, Int64]:
    """Return the rows of trips and stops; leave out calls that have none, or not at a platform."""
    trip = rows_in(sieve.table, "trip_id", trips)
    sieve.known("trip_id", trip)
    stop = rows_in(sieve.table, "stop_id", locations.row_of)
    sieve.known("stop_id", stop)
    is_platform = np.append(locations.kind == PLATFORM, [False])  # -1 finds the last
    sieve.out("call_not_at_platform", ~is_platform[np.maximum(stop, -1)], "stop_id")
    return trip, stop


def _given(sieve: Sieve) -> tuple[Int64, Int64]:
    """Return arrivals and departures as given; where only one is, it is both."""
    arrival_s = numbers(sieve.table, "arrival_time", clock)
    departure_s = numbers(sieve.table, "departure_time", clock)
    sieve.out("value_wrong", arrival_s == WRONG, "arrival_time")
    sieve.out("value_wrong", departure_s == WRONG, "departure_time")
    sieve.note("time_single", (arrival_s == BLANK) != (departure_s == BLANK), "trip_id")
    return (
        np.where(arrival_s == BLANK, departure_s, arrival_s),
        np.where(departure_s == BLANK, arrival_s, departure_s),
    )


def _available(sieve: Sieve, column: str) -> Bool:
    """Tell where somebody may get in (or out); by telephone or the driver's leave counts as may."""
    kind = sieve.defaulted(column, numbers(sieve.table, column, among(0, 1, 2, 3)), 0)
    sieve.note("call_on_request", kind > _NOT_AVAILABLE, column)
    return np.asarray(kind != _NOT_AVAILABLE)


def _at(table: Table, calls: Calls, where: Bool) -> Bool:
    """Return calls as rows of their file."""
    found = np.zeros(table.rows, np.bool_)
    found[calls.row[where]] = True
    return found


def _without_twice(
    calls: Calls, sequence: Int64, table: Table, findings: Findings
) -> tuple[Calls, int]:
    """Return trips whose calls have an order, and how many calls were there a second time.

    A place in the order that two different calls claim leaves out the trip: which comes first is
    anybody's guess.
    """
    if not len(calls.trip):
        return calls, 0
    same = ~starts_of(calls.trip)
    same[1:] &= sequence[1:] == sequence[:-1]
    equal = same.copy()
    for column in (calls.stop, calls.arrival_s, calls.departure_s):
        equal[1:] &= column[1:] == column[:-1]
    findings.rows("call_twice", table, _at(table, calls, equal), "stop_sequence")
    torn = same & ~equal
    findings.rows("sequence_twice", table, _at(table, calls, torn), "stop_sequence")
    kept = ~equal & ~np.isin(calls.trip, calls.trip[torn])
    return calls.only(kept), int(np.count_nonzero(equal))


def _forward(calls: Calls, table: Table, findings: Findings) -> Calls:
    """Return the calls whose times are known or lie between known ones, none going backwards."""
    inside = within_times(calls.trip, calls.timed)
    findings.rows("call_without_time", table, _at(table, calls, ~inside), "trip_id")
    calls = calls.only(inside)
    arrival_s, departure_s, midnight, backwards = unwound(
        calls.trip, calls.arrival_s, calls.departure_s
    )
    findings.rows("time_midnight", table, _at(table, calls, midnight), "arrival_time")
    findings.rows("time_backwards", table, _at(table, calls, backwards), "arrival_time")
    kept = ~np.isin(calls.trip, calls.trip[backwards])
    return calls._replace(arrival_s=arrival_s, departure_s=departure_s).only(kept)
