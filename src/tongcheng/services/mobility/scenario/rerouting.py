"""reroute: a service calls elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.scenario import naming, trips
from tongcheng.services.mobility.scenario.model import (
    FACTS_FEED_ID,
    SCENARIO_FEED_ID,
    Base,
    Call,
    Chosen,
    Reroute,
    Spot,
)
from tongcheng.services.mobility.scenario.naming import At
from tongcheng.services.mobility.scenario.running_times import Times, back, times_of
from tongcheng.services.mobility.scenario.stops import brought, row_of, with_stops

_BACK = ".1"


def reroute(base: Base, change: Reroute, at: At) -> Base:
    """Return the base in which the trips of one service call elsewhere.

    Each leaves its first call when it left the first one before, and stands between the ends as
    long as it stood at its second call. In the feeds of fact tables and of scenarios what runs back
    calls in the opposite order, and a service in several pieces of open track becomes one.

    Refuses SCENARIO_UNKNOWN for a service, and for a station that its feed does not have.
    """
    chosen = naming.chosen_trips(base, Chosen((change.service,), ()), at)
    feeds = [
        _rerouted(base, feed, np.flatnonzero(rows).tolist(), change, at)
        for feed, rows in zip(base.feeds, chosen, strict=True)
    ]
    return base._replace(feeds=tuple(feeds))


def _rerouted(base: Base, feed: Feed, rows: list[int], change: Reroute, at: At) -> Feed:
    if not rows:
        return feed
    of_facts = feed.feed_id == FACTS_FEED_ID and base.facts is not None
    both_ways = of_facts or feed.feed_id == SCENARIO_FEED_ID
    calls = tuple(brought(base, feed, call) for call in change.calls)
    kept: dict[bool, int] = {}
    for row in rows:
        kept.setdefault(both_ways and feed.trips.ids[row].endswith(_BACK), row)
    feed, stop = _stops(feed, calls, int(feed.trips.route[rows[0]]), at)
    points = Points(feed.stops.lon[stop], feed.stops.lat[stop])
    added = []
    for is_back, row in sorted(kept.items()):
        old = trips.trip_at(feed, row)
        # Of the first call between the ends, where there is one.
        between = (old.departure_s - old.arrival_s)[1:-1].tolist()
        stands_s = between[0] if between else 0
        times = times_of(change.arrivals_s, stands_s, points)
        if is_back:
            times = back(times)
        added.append(_along(old, stop[::-1] if is_back else stop, times))
    gone = np.zeros(len(feed.trips.ids), np.bool_)
    gone[rows] = True
    return trips.with_trips(trips.without(feed, gone), added)


def _stops(feed: Feed, calls: Sequence[Call], route: int, at: At) -> tuple[Feed, Int64]:
    """Return the feed with the places that the change brings, and the rows of its calls."""
    spots = list(dict.fromkeys(call for call in calls if isinstance(call, Spot)))
    first = len(feed.stops.ids)
    taken = sum("/reroute/" in each for each in feed.stops.ids)
    names = [f"{feed.feed_id}:/reroute/{taken + place + 1}" for place in range(len(spots))]
    rows = [
        first + spots.index(call) if isinstance(call, Spot) else row_of(feed, call, route, at)
        for call in calls
    ]
    return with_stops(feed, names, spots), np.array(rows, np.int64)


def _along(old: trips.Trip, stop: Int64, times: Times) -> trips.Trip:
    everybody = np.ones(len(stop), np.bool_)
    first_s = int(old.departure_s[0])
    return old._replace(
        stop=stop,
        arrival_s=times.arrival_s + first_s,
        departure_s=times.departure_s + first_s,
        boards=everybody,
        alights=everybody,
    )
