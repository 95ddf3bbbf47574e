"""A base made of a region's fact tables: the trains and the trunk roads of a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from tongcheng.services.mobility.facts import gtfs, rail, roads
from tongcheng.services.mobility.facts.model import Facts
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.reading import read_feed_bytes
from tongcheng.services.mobility.scenario.model import FACTS_FEED_ID, Base
from tongcheng.services.mobility.timetable.process_book import Processes

PUBLISHER: Final = gtfs.Publisher("Tongcheng", "https://tongcheng.invalid/", "zh")
_SATURDAY: Final = 5
_SUNDAY: Final = 6


def base_of_facts(facts: Facts, on: date, processes: Processes) -> Base:
    """Return the trains and roads of a day, as the fact tables know them.

    Tables speak of weekdays: of a weekend's day the base has the openings, and the timetable of the
    weekday beside it. Refuses FACTS_EMPTY as `rail.compile_day` and `roads.compile_day` do.
    """
    day = rail.compile_day(facts, on)
    return Base(
        weekday_by(on),
        (feed_of(facts, day),),
        processes,
        facts,
        roads.compile_day(facts, on),
        day.used,
    )


def feed_of(facts: Facts, day: rail.RailDay) -> Feed:
    """Return a day's trains as the feed FACTS_FEED_ID; its coordinates are WGS-84."""
    raw = gtfs.archive(facts, day, PUBLISHER)
    return read_feed_bytes(raw, FACTS_FEED_ID, asked="wgs84").feed


def weekday_by(on: date) -> date:
    """Return the day, or the weekday nearest to it in its year: Friday or Monday."""
    days = {_SATURDAY: (-1, 2), _SUNDAY: (1, -2)}.get(on.weekday(), (0,))
    found = [on + timedelta(days=each) for each in days]
    return next(day for day in found if day.year == on.year)
