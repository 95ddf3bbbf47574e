"""A feed as the rest of mobility sees it: columns of numbers, every time filled in, ids namespaced.

Names are GTFS's (https://gtfs.org/documentation/schedule/reference/), with its units: seconds after
noon minus twelve hours of the service day, in the feed's own zone; degrees of WGS-84.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from tongcheng.services.mobility.numbers import Bool, Float64, Int8, Int16, Int32, Int64

PLATFORM: Final = 0
STATION: Final = 1
ENTRANCE: Final = 2
NODE: Final = 3
BOARDING_AREA: Final = 4
"""`location_type` of stops.txt."""

NONE: Final = -1
"""In a column of indices: nothing."""


class StopTable(NamedTuple):
    """stops.txt: platforms, stations, entrances. A stop with no place of its own has its station's.

    `ids` are `feed_id:stop_id`. `parent` is a row of this table, or NONE.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    lon: Float64
    lat: Float64
    kind: Int8
    parent: Int32


class RouteTable(NamedTuple):
    """routes.txt; `mode` is `route_type`, extended types (100 to 1702) as they are."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    mode: Int16


class TripTable(NamedTuple):
    """trips.txt with its calls: those of trip `i` are rows `start[i]` to `start[i + 1]` of calls.

    `route` and `service` are rows of their tables.
    """

    ids: tuple[str, ...]
    route: Int32
    service: Int32
    start: Int64


class CallTable(NamedTuple):
    """stop_times.txt in the order of each trip: no time is blank, and none goes backwards.

    Before the feed's day began is impossible; after it ended is more than 86,400. `boards` and
    `alights` say whether somebody may get in or out here (pickup_type, drop_off_type not 1).
    """

    stop: Int32
    arrival_s: Int32
    departure_s: Int32
    boards: Bool
    alights: Bool


class Service(NamedTuple):
    """A row of calendar.txt with its exceptions of calendar_dates.txt.

    `weekdays` has seven, Monday first. A service of exceptions alone has none of them, and a span
    that ends before it starts.
    """

    id: str
    weekdays: tuple[bool, ...]
    start_on: date
    end_on: date
    added: frozenset[date]
    removed: frozenset[date]

    def runs_on(self, day: date) -> bool:
        """Say whether the service runs on a day."""
        if day in self.removed:
            return False
        spanned = self.start_on <= day <= self.end_on and self.weekdays[day.weekday()]
        return spanned or day in self.added


class FrequencyTable(NamedTuple):
    """frequencies.txt: the trip runs every `headway_s` from `start_s`, the last before `end_s`."""

    trip: Int32
    start_s: Int32
    end_s: Int32
    headway_s: Int32
    exact: Bool


class TransferTable(NamedTuple):
    """transfers.txt between stops: `kind` is transfer_type 0 to 3; `seconds` is NONE if not given.

    Rows that hold for certain trips or routes alone are not here; the report counts them.
    """

    origin: Int32
    to: Int32
    kind: Int8
    seconds: Int32


class PathwayTable(NamedTuple):
    """pathways.txt, each direction a row: what it takes on foot through a station.

    `seconds` is traversal_time; where the feed gives none, it is NONE, and `length_m` may say it
    (NaN if not given either). `mode` is pathway_mode 1 to 7.
    """

    origin: Int32
    to: Int32
    mode: Int8
    seconds: Int32
    length_m: Float64


class Feed(NamedTuple):
    """One feed, whole. `digest` is the hex SHA-256 of the archive's bytes as they came."""

    feed_id: str
    digest: str
    zone: str
    stops: StopTable
    routes: RouteTable
    trips: TripTable
    calls: CallTable
    services: tuple[Service, ...]
    frequencies: FrequencyTable
    transfers: TransferTable
    pathways: PathwayTable
