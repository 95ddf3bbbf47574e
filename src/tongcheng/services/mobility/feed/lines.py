"""routes.txt and trips.txt: which lines there are, and which trips run on them, on which days."""

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.fields import (
    LEFT_OUT,
    WRONG,
    Sieve,
    numbers,
    row_numbers,
    rows_in,
    whole,
)
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.rows import Table, Wanted
from tongcheng.services.mobility.numbers import Bool, Int64

ROUTES: Final = "routes.txt"
ROUTE_COLUMNS: Final = Wanted(("route_id", "route_type"), ("route_short_name", "route_long_name"))
TRIPS: Final = "trips.txt"
TRIP_COLUMNS: Final = Wanted(("route_id", "service_id", "trip_id"))

_PLAIN_MODES: Final = frozenset((*range(8), 11, 12))
_EXTENDED_MODES: Final = range(100, 1703)


class Routes(NamedTuple):
    """The routes that are kept."""

    ids: list[str]
    names: list[str]
    mode: Int64
    row_of: dict[str, int]


class Trips(NamedTuple):
    """The trips that are kept so far, with rows of their route and service."""

    table: Table
    route: Int64
    service: Int64
    row_of: dict[str, int]

    def only(self, kept: Bool) -> "Trips":
        """Return the trips where it is true."""
        numbered = np.where(kept, np.cumsum(kept) - 1, LEFT_OUT)
        rows = {
            trip_id: (int(numbered[row]) if row >= 0 else row)
            for trip_id, row in self.row_of.items()
        }
        return Trips(self.table.only(kept), self.route[kept], self.service[kept], rows)


def mode(text: str) -> int:
    """Return a route_type: of the reference, or extended."""
    number = whole(text)
    return number if number < 0 or number in _PLAIN_MODES or number in _EXTENDED_MODES else WRONG


def read_routes(table: Table, findings: Findings) -> Routes:
    """Return the routes; a route is called by its short name, else by its long one."""
    sieve = Sieve(table, findings)
    sieve.unique("route_id")
    modes = numbers(table, "route_type", mode)
    sieve.needed("route_type", modes)
    kept = table.only(sieve.kept)
    short, long = kept.texts("route_short_name"), kept.texts("route_long_name")
    names = [first or second for first, second in zip(short, long, strict=True)]
    rows = row_numbers(table.texts("route_id"), sieve.kept)
    return Routes(kept.texts("route_id"), names, modes[sieve.kept], rows)


def read_trips(
    table: Table, routes: dict[str, int], services: dict[str, int], findings: Findings
) -> Trips:
    """Return the trips whose route and service are known."""
    sieve = Sieve(table, findings)
    sieve.unique("trip_id")
    route, service = rows_in(table, "route_id", routes), rows_in(table, "service_id", services)
    sieve.known("route_id", route)
    sieve.known("service_id", service)
    rows = row_numbers(table.texts("trip_id"), sieve.kept)
    kept = table.only(sieve.kept)
    assert np.all(route[sieve.kept] >= 0), "a trip that is kept has its route"
    return Trips(kept, route[sieve.kept], service[sieve.kept], rows)
