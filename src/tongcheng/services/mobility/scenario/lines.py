"""add_line and remove_line: which services there are."""

from __future__ import annotations

from typing import Final

import numpy as np

from tongcheng.services.mobility.facts import rail
from tongcheng.services.mobility.feed.model import (
    CallTable,
    Feed,
    FrequencyTable,
    PathwayTable,
    RouteTable,
    Service,
    StopTable,
    TransferTable,
    TripTable,
)
from tongcheng.services.mobility.modes import Mode
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Bool
from tongcheng.services.mobility.scenario import naming, trips
from tongcheng.services.mobility.scenario.base import feed_of
from tongcheng.services.mobility.scenario.model import (
    FACTS_FEED_ID,
    SCENARIO_FEED_ID,
    AddLine,
    AddServices,
    Base,
    RemoveLine,
    Spot,
)
from tongcheng.services.mobility.scenario.naming import At
from tongcheng.services.mobility.scenario.running_times import back, times_of
from tongcheng.services.mobility.scenario.stops import spot_of, with_stops
from tongcheng.services.mobility.scenario.trips import Trip

ROUTE_TYPES: Final[dict[Mode, int]] = {
    "rail": 2, "metro": 1, "tram": 0, "bus": 3, "ferry": 4, "cable": 6, "air": 1100, "other": 1500,
}  # fmt: skip
"""A route_type of each mode."""


def add_services(base: Base, change: AddServices, at: At) -> Base:
    """Return the base with services of the fact tables in the feed that was made of them.

    They are as `rail.compile_day(as_if_open=…)` has them. What ran of one in part runs whole.

    Refuses SCENARIO_FACTS without such a feed, SCENARIO_UNKNOWN, SCENARIO_LEFT_OUT for a service of
    which nobody knows times or trains, SCENARIO_RUNS for one that runs already just so.
    """
    place = place_of(base, FACTS_FEED_ID)
    if base.facts is None or place is None:
        raise at.refused("SCENARIO_FACTS")
    known = {service.service_id for service in base.facts.services}
    for service_id in change.from_facts:
        if service_id not in known:
            raise at.unknown("service", service_id)
    day = rail.compile_day(base.facts, base.day, as_if_open=change.from_facts)
    used = {each.service_id: each for each in day.used}
    reasons = {each.id: each.reason for each in day.left_out if each.what == "service"}
    for service_id in change.from_facts:
        if service_id not in used:
            raise at.refused("SCENARIO_LEFT_OUT", id=service_id, reason=reasons[service_id])
    whole = feed_of(base.facts, day)
    feed = base.feeds[place]
    for service_id in change.from_facts:
        feed = _with_service(base, feed, whole, service_id, at)
    kept = [each for each in base.used if each.service_id not in change.from_facts]
    added = [used[each] for each in change.from_facts]
    return with_feed(base, place, feed)._replace(used=tuple(sorted([*kept, *added])))


def runs_already(base: Base, change: AddServices) -> bool:
    """Say whether something of these services runs in the base, which would be replaced."""
    ran = {each.service_id for each in base.used}
    return any(service_id in ran for service_id in change.from_facts)


def add_line(base: Base, change: AddLine, at: At) -> Base:
    """Return the base with a line of its own in the feed SCENARIO_FEED_ID.

    It has stops to itself, also where it calls at a station that is there: from one to the other
    one walks. So nothing that was there takes longer.

    Refuses SCENARIO_UNKNOWN for a station that no feed has, SCENARIO_RUNS for a line that an
    earlier scenario added.
    """
    spots = [spot_of(base, call, at) for call in change.calls]
    place = place_of(base, SCENARIO_FEED_ID)
    feed = _empty_feed(base) if place is None else base.feeds[place]
    route_id = f"{SCENARIO_FEED_ID}:{change.line_id}"
    if route_id in feed.routes.ids:
        raise at.refused("SCENARIO_RUNS", id=change.line_id)
    stop = np.arange(len(feed.stops.ids), len(feed.stops.ids) + len(spots))
    feed = with_stops(feed, [f"{route_id}/{each + 1}" for each in range(len(spots))], spots)
    route = len(feed.routes.ids)
    feed = feed._replace(
        routes=RouteTable(
            (*feed.routes.ids, route_id),
            (*feed.routes.names, change.name),
            np.append(feed.routes.mode, np.int16(ROUTE_TYPES[change.mode])),
        )
    )
    points = Points(np.array([each.lon for each in spots]), np.array([each.lat for each in spots]))
    times = times_of(change.arrivals_s, change.dwell_s, points)
    pairs = (("0", stop, times), ("1", stop[::-1], back(times)))
    start_s, end_s, headway_s = change.repeats
    everybody = np.ones(len(spots), np.bool_)
    added = [
        Trip(
            f"{route_id}.{direction}",
            route,
            0,
            calls,
            each.arrival_s + start_s,
            each.departure_s + start_s,
            everybody,
            everybody,
            ((start_s, end_s, headway_s),),
        )
        for direction, calls, each in pairs
    ]
    feed = trips.with_trips(feed, added)
    if place is None:
        return base._replace(feeds=(*base.feeds, feed))
    return with_feed(base, place, feed)


def remove_line(base: Base, change: RemoveLine, at: At) -> Base:
    """Return the base without these services; a feed of scenarios that has none left is gone."""
    gone = naming.chosen_trips(base, change.chosen, at)
    feeds = [trips.without(feed, rows) for feed, rows in zip(base.feeds, gone, strict=True)]
    left: set[str] = set()
    for feed in feeds:
        left.update(naming.trips_of_services(base, feed))
    return base._replace(
        feeds=tuple(each for each in feeds if each.feed_id != SCENARIO_FEED_ID or each.trips.ids),
        used=tuple(each for each in base.used if f"{FACTS_FEED_ID}:{each.service_id}" in left),
    )


def place_of(base: Base, feed_id: str) -> int | None:
    """Return which of the feeds has this id."""
    ids = [feed.feed_id for feed in base.feeds]
    return ids.index(feed_id) if feed_id in ids else None


def with_feed(base: Base, place: int, feed: Feed) -> Base:
    """Return the base with another feed in one's place."""
    return base._replace(feeds=(*base.feeds[:place], feed, *base.feeds[place + 1 :]))


def _with_service(base: Base, feed: Feed, whole: Feed, service_id: str, at: At) -> Feed:
    """Return a feed with the trips that a service has in another feed of the same facts."""
    name = f"{FACTS_FEED_ID}:{service_id}"
    rows = np.flatnonzero(_named(base, whole, name)).tolist()
    stop_row = {each: row for row, each in enumerate(feed.stops.ids)}
    missing = sorted(
        {
            stop
            for row in rows
            for stop in trips.trip_at(whole, row).stop.tolist()
            if whole.stops.ids[stop] not in stop_row
        }
    )
    feed = with_stops(
        feed,
        [whole.stops.ids[row] for row in missing],
        [
            Spot(whole.stops.names[row], float(whole.stops.lon[row]), float(whole.stops.lat[row]))
            for row in missing
        ],
    )
    stop_row = {each: row for row, each in enumerate(feed.stops.ids)}
    there = np.array([stop_row.get(each, -1) for each in whole.stops.ids], np.int64)
    added = []
    for row in rows:
        trip = trips.trip_at(whole, row)
        feed, route = _with_route(feed, whole, trip.route)
        added.append(trip._replace(route=route, service=0, stop=there[trip.stop]))
    before = _named(base, feed, name)
    old = [trips.trip_at(feed, row) for row in np.flatnonzero(before).tolist()]
    if len(old) == len(added) and all(map(_alike, old, added)):
        raise at.refused("SCENARIO_RUNS", id=service_id)
    return trips.with_trips(trips.without(feed, before), added)


def _named(base: Base, feed: Feed, name: str) -> Bool:
    return np.array([each == name for each in naming.trips_of_services(base, feed)], np.bool_)


def _alike(one: Trip, other: Trip) -> bool:
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(np.asarray(mine), np.asarray(theirs)) for mine, theirs in pairs)


def _with_route(feed: Feed, whole: Feed, row: int) -> tuple[Feed, int]:
    """Return a feed with a route of another, and the route's row there."""
    route_id = whole.routes.ids[row]
    if route_id in feed.routes.ids:
        return feed, feed.routes.ids.index(route_id)
    routes = RouteTable(
        (*feed.routes.ids, route_id),
        (*feed.routes.names, whole.routes.names[row]),
        np.append(feed.routes.mode, whole.routes.mode[row]),
    )
    return feed._replace(routes=routes), len(feed.routes.ids)


def _empty_feed(base: Base) -> Feed:
    """Return the feed of scenarios, which runs on the day of the base alone."""
    assert base.feeds, "a base has feeds"
    none, no, text = np.zeros(0, np.int32), np.zeros(0, np.bool_), ()
    small, real = np.zeros(0, np.int8), np.zeros(0, np.float64)
    day = Service("day", (True,) * 7, base.day, base.day, frozenset(), frozenset())
    return Feed(
        SCENARIO_FEED_ID,
        "",
        base.feeds[0].zone,
        StopTable(text, text, real, real, small, none),
        RouteTable(text, text, np.zeros(0, np.int16)),
        TripTable(text, none, none, np.zeros(1, np.int64)),
        CallTable(none, none, none, no, no),
        (day,),
        FrequencyTable(none, none, none, none, no),
        TransferTable(none, none, small, none),
        PathwayTable(none, none, small, none, real),
    )
