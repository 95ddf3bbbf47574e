"""Makes `Feed` values from compact tables, without any file, for tests of what reads a feed.

    feed = small_feed(stops=[Stop("a", 117.0, 39.0), Stop("b", 117.1, 39.0)],
                      trips=[Trip("t", [("a", "8:00"), ("b", "8:10")])])

Ids are namespaced, as a read feed's are; there is one route `r` unless a trip names another.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import nan
from typing import NamedTuple

import numpy as np

from tests.services.mobility.feeds import seconds
from tongcheng.services.mobility.feed import model
from tongcheng.services.mobility.feed.model import NONE, Feed, Service
from tongcheng.services.mobility.numbers import Int32

EVERY_DAY = Service(
    "all", (True,) * 7, date(2026, 1, 1), date(2026, 12, 31), frozenset(), frozenset()
)


class Stop(NamedTuple):
    """A row of stops.txt; `parent` is an id."""

    id: str
    lon: float = 117.0
    lat: float = 39.0
    kind: int = model.PLATFORM
    parent: str = ""
    name: str = ""


class Trip(NamedTuple):
    """A trip with its calls, (stop, departure) or (stop, arrival, departure), times `H:MM[:SS]`."""

    id: str
    calls: Sequence[tuple[str, ...]]
    route: str = "r"
    service: str = "all"


def small_feed(  # noqa: PLR0913 - a feed has that many tables
    feed_id: str = "f",
    *,
    stops: Sequence[Stop],
    trips: Sequence[Trip],
    modes: Mapping[str, int] | None = None,
    services: Sequence[Service] = (EVERY_DAY,),
    frequencies: Sequence[tuple[str, str, str, int]] = (),
    transfers: Sequence[tuple[str, str, int, int]] = (),
    pathways: Sequence[tuple[str, str, int, int, float]] = (),
    zone: str = "Asia/Shanghai",
) -> Feed:
    """Return a feed of these tables.

    `frequencies` are trip, start, end, headway; `transfers` from, to, kind, seconds; `pathways`
    from, to, mode, seconds (or NONE), metres (or nan), one row a direction.
    """
    routes = modes or {"r": 1}
    stop_row = {stop.id: row for row, stop in enumerate(stops)}
    trip_row = {trip.id: row for row, trip in enumerate(trips)}
    service_row = {service.id: row for row, service in enumerate(services)}
    return Feed(
        feed_id=feed_id,
        digest=feed_id * 8,
        zone=zone,
        stops=_stops(feed_id, stops),
        routes=model.RouteTable(
            ids=_named(feed_id, routes),
            names=tuple(f"line {name}" for name in routes),
            mode=np.array(list(routes.values()), np.int16),
        ),
        trips=model.TripTable(
            ids=_named(feed_id, [trip.id for trip in trips]),
            route=int32([list(routes).index(trip.route) for trip in trips]),
            service=int32([service_row[trip.service] for trip in trips]),
            start=np.cumsum([0, *(len(trip.calls) for trip in trips)], dtype=np.int64),
        ),
        calls=_calls(trips, stop_row),
        services=tuple(services),
        frequencies=model.FrequencyTable(
            trip=int32([trip_row[row[0]] for row in frequencies]),
            start_s=int32([seconds(row[1]) for row in frequencies]),
            end_s=int32([seconds(row[2]) for row in frequencies]),
            headway_s=int32([row[3] for row in frequencies]),
            exact=np.zeros(len(frequencies), np.bool_),
        ),
        transfers=model.TransferTable(
            origin=int32([stop_row[row[0]] for row in transfers]),
            to=int32([stop_row[row[1]] for row in transfers]),
            kind=np.array([row[2] for row in transfers], np.int8),
            seconds=int32([row[3] for row in transfers]),
        ),
        pathways=model.PathwayTable(
            origin=int32([stop_row[row[0]] for row in pathways]),
            to=int32([stop_row[row[1]] for row in pathways]),
            mode=np.array([row[2] for row in pathways], np.int8),
            seconds=int32([row[3] for row in pathways]),
            length_m=np.array([row[4] for row in pathways] or [nan][:0], np.float64),
        ),
    )


def _named(feed_id: str, ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{feed_id}:{each}" for each in ids)


def _stops(feed_id: str, stops: Sequence[Stop]) -> model.StopTable:
    row = {stop.id: row for row, stop in enumerate(stops)}
    return model.StopTable(
        ids=_named(feed_id, row),
        names=tuple(stop.name or stop.id for stop in stops),
        lon=np.array([stop.lon for stop in stops], np.float64),
        lat=np.array([stop.lat for stop in stops], np.float64),
        kind=np.array([stop.kind for stop in stops], np.int8),
        parent=int32([row.get(stop.parent, NONE) for stop in stops]),
    )


def _calls(trips: Sequence[Trip], stop_row: Mapping[str, int]) -> model.CallTable:
    calls = [call for trip in trips for call in trip.calls]
    return model.CallTable(
        stop=int32([stop_row[call[0]] for call in calls]),
        arrival_s=int32([seconds(call[1]) for call in calls]),
        departure_s=int32([seconds(call[-1]) for call in calls]),
        boards=np.ones(len(calls), np.bool_),
        alights=np.ones(len(calls), np.bool_),
    )


def int32(values: Sequence[int]) -> Int32:
    """Return a column of indices or seconds."""
    return np.array(values, np.int32)
