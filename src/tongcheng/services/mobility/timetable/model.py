"""One day as the scans walk it.

A *connection* is a vehicle's way from one call to its next. They are sorted by departure, and
within a trip they keep their order; a change takes at least one second, so of two connections of
one instant neither can be the other's change, and their order among trips decides nothing.

Dibbelt, Pajor, Strasser, Wagner: Connection Scan Algorithm, arXiv:1703.05997.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.numbers import Bool, Float64, Int16, Int32


class Connections(NamedTuple):
    """Columns of one length, sorted by `departure_s`; `origin` and `to` are rows of `Stops`.

    Times are seconds after midnight of the day, and may be below 0 or above 86,400. `boards` says
    whether one may get in at `origin`, `alights` whether one may get out at `to`.
    """

    origin: Int32
    to: Int32
    departure_s: Int32
    arrival_s: Int32
    trip: Int32
    boards: Bool
    alights: Bool


class Stops(NamedTuple):
    """Where vehicles are boarded, one row each; ids are namespaced by their feed.

    `enter_s` passes from the street to the vehicle's door (security check, gates, the way down),
    `leave_s` back to the street; `system` numbers what one pays and is checked for once, so a
    change within it passes neither.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    lon: Float64
    lat: Float64
    system: Int16
    enter_s: Int32
    leave_s: Int32


class Runs(NamedTuple):
    """The trips of the day: a trip of a frequency is one row for every time it runs.

    `ids` are `feed_id:trip_id`; of a repeated trip, and of one of the day before that runs on past
    midnight, with `@` and its first departure in seconds.
    """

    ids: tuple[str, ...]
    route_ids: tuple[str, ...]
    route_names: tuple[str, ...]
    mode: Int16


class Timetable(NamedTuple):
    """One day of feeds whose digests are `feeds`, in order of their ids.

    `changes` are from stop to stop, on foot between doors, everything passed on the way included;
    each takes at least one second, and a stop where one can change has a way to itself.
    """

    day: date
    feeds: tuple[tuple[str, str], ...]
    stops: Stops
    runs: Runs
    connections: Connections
    changes: Links
