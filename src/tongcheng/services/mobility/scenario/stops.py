"""Stops that a scenario brings, names as calls, or closes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tongcheng.services.mobility.feed.model import BOARDING_AREA, NONE, PLATFORM, Feed, StopTable
from tongcheng.services.mobility.numbers import Bool
from tongcheng.services.mobility.scenario import naming
from tongcheng.services.mobility.scenario.model import Base, Call, Spot
from tongcheng.services.mobility.scenario.naming import At


def with_stops(feed: Feed, ids: Sequence[str], spots: Sequence[Spot]) -> Feed:
    """Return the feed with platforms behind its own stops."""
    table = feed.stops
    return feed._replace(
        stops=StopTable(
            (*table.ids, *ids),
            (*table.names, *(spot.name for spot in spots)),
            np.concatenate([table.lon, np.array([spot.lon for spot in spots], np.float64)]),
            np.concatenate([table.lat, np.array([spot.lat for spot in spots], np.float64)]),
            np.concatenate([table.kind, np.full(len(spots), PLATFORM, np.int8)]),
            np.concatenate([table.parent, np.full(len(spots), NONE, np.int32)]),
        )
    )


def spot_of(base: Base, call: Call, at: At) -> Spot:
    """Return where a call is: of a station the first of its stops in the order of ids.

    A station of the fact tables that no feed calls at yet is one too. Refuses SCENARIO_UNKNOWN for
    a station that there is nowhere.
    """
    if isinstance(call, Spot):
        return call
    feeds = base.feeds
    planned = _planned(base, call)
    if planned is not None:
        return planned
    found = naming.stations(feeds, call, at)
    named = [
        (feed.stops.ids[row], feed, row)
        for feed, rows in zip(feeds, found, strict=True)
        for row in np.flatnonzero(rows & _boarded(feed)).tolist()
    ]
    if not named:
        raise at.unknown("station", call)
    _, feed, row = min(named, key=lambda each: each[0])
    return Spot(feed.stops.names[row], float(feed.stops.lon[row]), float(feed.stops.lat[row]))


def brought(base: Base, feed: Feed, call: Call) -> Call:
    """Return a call of a feed, as a place where its station is in the fact tables alone."""
    is_own = isinstance(call, str) and naming.has_station((feed,), call)
    planned = None if is_own or isinstance(call, Spot) else _planned(base, call)
    return call if planned is None else planned


def _planned(base: Base, name: str) -> Spot | None:
    """Return a station of the fact tables that no feed knows; None for all others."""
    if base.facts is None or naming.has_station(base.feeds, name):
        return None
    for station in sorted(base.facts.stations, key=lambda each: each.station_id):
        if name in {station.station_id, station.name.zh}:
            return Spot(station.name.zh, station.at.lon, station.at.lat)
    return None


def row_of(feed: Feed, name: str, route: int, at: At) -> int:
    """Return the stop of a feed that a station's name means for a line.

    Of several it is one where the line calls already, else where anything does, else the first, in
    the order of ids. Refuses SCENARIO_UNKNOWN for a station that the feed does not have.
    """
    (found,) = naming.stations((feed,), name, at)
    rows = np.flatnonzero(found & _boarded(feed)).tolist()
    if not rows:
        raise at.unknown("station", name)
    of_line = np.repeat(feed.trips.route == route, np.diff(feed.trips.start))
    line_calls = set(feed.calls.stop[of_line].tolist())
    calls = set(feed.calls.stop.tolist())
    return int(
        min(rows, key=lambda row: (row not in line_calls, row not in calls, feed.stops.ids[row]))
    )


def close_stop(feeds: Sequence[Feed], names: Sequence[str], at: At) -> tuple[Feed, ...]:
    """Return the feeds in which nobody boards or alights at these stations.

    Vehicles pass as before. Refuses SCENARIO_UNKNOWN for a station that no feed has.
    """
    closed = [np.zeros(len(feed.stops.ids), np.bool_) for feed in feeds]
    for name in names:
        for place, rows in enumerate(naming.stations(feeds, name, at)):
            closed[place] |= rows
    return tuple(
        feed._replace(
            calls=feed.calls._replace(
                boards=feed.calls.boards & ~rows[feed.calls.stop],
                alights=feed.calls.alights & ~rows[feed.calls.stop],
            )
        )
        for feed, rows in zip(feeds, closed, strict=True)
    )


def _boarded(feed: Feed) -> Bool:
    return np.isin(feed.stops.kind, (PLATFORM, BOARDING_AREA))
