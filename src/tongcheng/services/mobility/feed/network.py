"""The stops, lines, trips and calls of a feed that can be used together.

Locations, routes, services and trips first; then the calls of trips; then, since how fast vehicles
would have to be tells which stops are misplaced, where the stops lie. What is left is closed: each
call is of a trip that is there, at a platform that is there.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed import calls, days, legs, lines, locations, places
from tongcheng.services.mobility.feed.calls import Calls
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.lines import Routes, Trips
from tongcheng.services.mobility.feed.locations import Locations
from tongcheng.services.mobility.feed.model import NONE, Service
from tongcheng.services.mobility.feed.rows import Table
from tongcheng.services.mobility.numbers import Bool, Float64, Int64

BROKEN_PERCENT_MAX: Final = 20
"""If more than a fifth of the stops, trips or calls had to be left out, what remains is not the
timetable any more."""
BROKEN_ROWS_FREE: Final = 10
"""So few rows are no share of anything: a small feed is reported on, not refused."""
_LOST: Final = ("row_malformed", "row_long")
"""Rows of which nothing is in the table."""


class Network(NamedTuple):
    """What is kept; `lon` and `lat` are the locations', and rows are those of the tables here."""

    locations: Locations
    lon: Float64
    lat: Float64
    routes: Routes
    services: tuple[Service, ...]
    trips: Trips
    calls: Calls


def read_network(tables: Mapping[str, Table], findings: Findings) -> Network:
    """Return what of a feed's tables can be used; refuses FEED_BROKEN and FEED_EMPTY."""
    located = locations.read_locations(tables[locations.FILE], findings)
    routes = lines.read_routes(tables[lines.ROUTES], findings)
    services, service_rows = days.read_services(tables[days.CALENDAR], tables[days.DATES], findings)
    trips = lines.read_trips(tables[lines.TRIPS], routes.row_of, service_rows, findings)
    table = tables[calls.FILE]
    called, usable = calls.read_calls(table, trips.row_of, located, findings)
    modes = routes.mode[trips.route]
    found = places.placed(located, legs.legs_of(called, modes, legs.certain_kmh), findings)
    there = found.kept[called.stop]
    findings.rows("reference_left_out", table, _in_file(table, called, ~there), "stop_id")
    called = called.only(there)
    _note_speed(table, called, modes, found, findings)
    called = _of_two_calls(table, called, findings)
    is_used = np.zeros(trips.table.rows, np.bool_)
    is_used[called.trip] = True
    findings.rows("trip_without_calls", trips.table, ~is_used, "trip_id")
    _note_never(tables, services, trips.only(is_used), findings)
    _assure_whole(findings, locations.FILE, int(found.kept.sum()), tables[locations.FILE].rows)
    _assure_whole(findings, lines.TRIPS, int(is_used.sum()), tables[lines.TRIPS].rows)
    _assure_whole(findings, calls.FILE, len(called.row), usable)
    if not len(called.row):
        raise Refused("FEED_EMPTY", found=findings.told())
    called = called._replace(
        trip=_numbered(is_used)[called.trip], stop=_numbered(found.kept)[called.stop]
    )
    return Network(
        located.only(found.kept),
        found.lon[found.kept],
        found.lat[found.kept],
        routes,
        services,
        trips.only(is_used),
        called,
    )


def _numbered(kept: Bool) -> Int64:
    """Return the new row of each that is kept, and NONE for the others."""
    return np.where(kept, np.cumsum(kept) - 1, NONE)


def _in_file(table: Table, called: Calls, where: Bool) -> Bool:
    """Return calls as rows of their file."""
    found = np.zeros(table.rows, np.bool_)
    found[called.row[where]] = True
    return found


def _note_speed(
    table: Table, called: Calls, modes: Int64, found: places.Places, findings: Findings
) -> None:
    """Warn of calls that no vehicle reaches in time; which of the two is wrong nobody can say.

    Refuses FEED_BROKEN where that is so of too many.
    """
    sure = legs.legs_of(called, modes, legs.certain_kmh)
    slow = ~legs.too_fast(sure, found.lon, found.lat)
    _assure_whole(findings, calls.FILE, int(np.count_nonzero(slow)), len(slow))
    ways = legs.legs_of(called, modes, legs.speed_max_kmh)
    fast = np.zeros(len(called.row), np.bool_)
    fast[ways.call[legs.too_fast(ways, found.lon, found.lat)]] = True
    findings.rows("speed", table, _in_file(table, called, fast), "arrival_time")


def _note_never(
    tables: Mapping[str, Table], services: tuple[Service, ...], trips: Trips, findings: Findings
) -> None:
    """Warn of services by which trips would run, but on no day."""
    never = [
        services[row].id
        for row in np.unique(trips.service).tolist()
        if not days.covered([services[row]]).count
    ]
    for name in (days.CALENDAR, days.DATES):
        is_never = np.isin(tables[name].texts("service_id"), never)
        findings.rows("service_never", tables[name], is_never, "service_id")


def _of_two_calls(table: Table, called: Calls, findings: Findings) -> Calls:
    """Return the calls of trips that have at least two."""
    count = np.bincount(called.trip, minlength=1)
    single = count[called.trip] == 1
    findings.rows("trip_of_one_call", table, _in_file(table, called, single), "trip_id")
    return called.only(~single)


def _assure_whole(findings: Findings, file: str, kept: int, rows: int) -> None:
    """Refuse FEED_BROKEN when more of a file was left out than leaves a timetable."""
    rows += sum(findings.count(code, file) for code in _LOST)
    lost = rows - kept
    if lost > BROKEN_ROWS_FREE and lost * 100 > BROKEN_PERCENT_MAX * rows:
        raise Refused(
            "FEED_BROKEN",
            file=file,
            lost=lost,
            rows=rows,
            most=BROKEN_PERCENT_MAX,
            found=findings.told(),
        )
