"""One day of feeds, compiled for the scans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.timetable.boarding import boarding
from tongcheng.services.mobility.timetable.changes import changes
from tongcheng.services.mobility.timetable.doors import doors
from tongcheng.services.mobility.timetable.entrances import Entrances, entrances
from tongcheng.services.mobility.timetable.model import Stops, Timetable
from tongcheng.services.mobility.timetable.process_book import Processes, in_force
from tongcheng.services.mobility.timetable.service_day import check_day, run_day
from tongcheng.services.mobility.walking import Walking, check_walking


class Compiled(NamedTuple):
    """A timetable, the doors from the street to its stops, and the names of its systems.

    `systems` are what `Stops.system` numbers.
    """

    timetable: Timetable
    entrances: Entrances
    systems: tuple[str, ...]


def timetable(
    feeds: Sequence[Feed], day: date, processes: Processes, walking: Walking
) -> Timetable:
    """Return one day of these feeds; refuses as `compiled` does."""
    return compiled(feeds, day, processes, walking).timetable


def compiled(feeds: Sequence[Feed], day: date, processes: Processes, walking: Walking) -> Compiled:
    """Return one day of these feeds, with what leads to it from the street.

    The feeds are taken in order of their ids, so that the order given decides nothing.

    Raises:
        Refused: TIMETABLE_NO_FEED; TIMETABLE_FEED_TWICE for two feeds of one id; TIMETABLE_ZONES
            for feeds in different zones; TIMETABLE_NO_SERVICE for one without a calendar;
            TIMETABLE_DAY, naming the span, for a day outside a feed's calendar, because a feed
            that is silently empty is a wrong map; TIMETABLE_TOO_LARGE; MOBILITY_PARAMETER;
            MOBILITY_TOO_MANY_WAYS; PROCESS_BOOK, PROCESS_RIVALS, PROCESS_UNKNOWN.
    """
    ordered = sorted(feeds, key=lambda feed: feed.feed_id)
    _check(ordered)
    check_walking(walking)
    for feed in ordered:
        check_day(feed, day)
    rules = in_force(processes, day)
    stops = boarding(ordered)
    found = doors(ordered, stops, rules)
    ways = entrances(ordered, stops, walking)
    runs, connections = run_day(ordered, day, stops)
    made = Timetable(
        day=day,
        feeds=tuple((feed.feed_id, feed.digest) for feed in ordered),
        stops=Stops(
            ids=stops.ids,
            names=stops.names,
            lon=stops.points.lon,
            lat=stops.points.lat,
            system=found.system,
            enter_s=found.enter_s,
            leave_s=found.leave_s,
        ),
        runs=runs,
        connections=connections,
        changes=changes(ordered, stops, ways, found, rules, walking),
    )
    return Compiled(made, ways, found.systems)


def _check(feeds: Sequence[Feed]) -> None:
    if not feeds:
        raise Refused("TIMETABLE_NO_FEED")
    for one, other in pairwise(feeds):
        if one.feed_id == other.feed_id:
            raise Refused("TIMETABLE_FEED_TWICE", feed=one.feed_id)
        if one.zone != other.zone:
            raise Refused(
                "TIMETABLE_ZONES",
                one=one.feed_id,
                zone=one.zone,
                other=other.feed_id,
                other_zone=other.zone,
            )
