"""headway: how often services leave.

A factor p/q puts the departures where the line through the old ones has them: between the first and
the last, at every p/q of the way from one to the next. What repeats by frequencies is so exactly;
of single trips those that are left keep their times, and one between two copies the earlier of
them. So with a factor 1/q every old departure stays, and none is later than it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.numbers import Bool
from tongcheng.services.mobility.scenario.model import Repeats
from tongcheng.services.mobility.scenario.trips import (
    Trip,
    moved,
    trip_at,
    with_repeats,
    with_trips,
    without,
)

Row: TypeAlias = "tuple[int, int, int]"
"""A row of frequencies.txt: start_s, end_s, headway_s."""


def by_factor(feed: Feed, chosen: Bool, on: date, factor: Fraction) -> Feed:
    """Return the feed in which these trips leave by another headway on a day."""
    if factor == 1:
        return feed
    rows = running(feed, chosen, on)
    repeating = np.unique(feed.frequencies.trip)
    repeats = {
        row: tuple(each for old in trip_at(feed, row).repeats for each in _scaled(old, factor))
        for row in rows
        if row in repeating
    }
    gone = np.zeros(len(feed.trips.ids), np.bool_)
    added: list[Trip] = []
    for group in patterns(feed, [row for row in rows if row not in repeats]):
        kept = _spread(feed, group, factor, added)
        gone[[row for row in group if row not in kept]] = True
    return without(with_trips(with_repeats(feed, repeats), added), _longer(gone, len(added)))


def by_span(feed: Feed, chosen: Bool, on: date, wanted: Repeats) -> Feed:
    """Return the feed in which each pattern of these trips leaves by a headway from then to then.

    What left in that time is gone; one of the pattern's trips leaves in its place, the first one
    that did so, else the last before, else the first after.
    """
    rows = running(feed, chosen, on)
    repeats: dict[int, tuple[Row, ...]] = {}
    gone = np.zeros(len(feed.trips.ids), np.bool_)
    added: list[Trip] = []
    for group in patterns(feed, rows):
        model = _model(feed, group, wanted)
        for row in group:
            trip = trip_at(feed, row)
            if not trip.repeats:
                gone[row] = wanted.start_s <= trip.departure_s[0] < wanted.end_s
                continue
            repeats[row] = tuple(each for old in trip.repeats for each in _cut(old, wanted))
            gone[row] = not repeats[row]
        trip = trip_at(feed, model)
        span = (wanted.start_s, wanted.end_s, wanted.headway_s)
        if model in repeats:
            repeats[model] += (span,)
            gone[model] = False
        else:
            name = f"{trip.trip_id}~{wanted.start_s}"
            added.append(trip._replace(trip_id=name, repeats=(span,)))
    repeats = {row: each for row, each in repeats.items() if each}
    return without(with_trips(with_repeats(feed, repeats), added), _longer(gone, len(added)))


def running(feed: Feed, chosen: Bool, on: date) -> list[int]:
    """Return the chosen trips that run on a day, in order."""
    runs_on = np.array([service.runs_on(on) for service in feed.services], np.bool_)
    return [int(row) for row in np.flatnonzero(chosen & runs_on[feed.trips.service])]


def patterns(feed: Feed, rows: Sequence[int]) -> Iterator[list[int]]:
    """Yield trips that call alike on one line, in order of their departures."""
    start, calls = feed.trips.start, feed.calls
    found: dict[tuple[int, bytes, bytes, bytes], list[int]] = {}
    for row in rows:
        part = slice(int(start[row]), int(start[row + 1]))
        columns = (calls.stop[part], calls.boards[part], calls.alights[part])
        first, second, third = (column.tobytes() for column in columns)
        found.setdefault((int(feed.trips.route[row]), first, second, third), []).append(row)
    for group in found.values():
        yield sorted(group, key=lambda row: (int(calls.departure_s[start[row]]), row))


def _scaled(row: Row, factor: Fraction) -> tuple[Row, ...]:
    """Return what leaves every `factor` of a row's headway, each departure rounded down."""
    start_s, end_s, headway_s = row
    step = headway_s * factor
    if step.denominator == 1:
        return ((start_s, end_s, int(step)),)
    offsets = sorted({math.floor(turn * step) for turn in range(factor.denominator)})
    period_s = headway_s * factor.numerator
    found = [(start_s + offset, end_s, period_s) for offset in offsets]
    return tuple(each for each in found if each[0] < end_s) or (row,)


def _spread(feed: Feed, group: Sequence[int], factor: Fraction, added: list[Trip]) -> set[int]:
    """Add the trips between those of a group, and return which of these stay."""
    kept: set[int] = set()
    departures = [int(feed.calls.departure_s[feed.trips.start[row]]) for row in group]
    place = Fraction(0)
    seen: set[int] = set()
    while place <= len(group) - 1:
        before = math.floor(place)
        if place == before:
            kept.add(group[before])
        else:
            gap_s = departures[before + 1] - departures[before]
            by_s = math.floor((place - before) * gap_s)
            leaves_s = departures[before] + by_s
            # Between two that leave at one time, or a second apart, there is no room for another.
            if by_s > 0 and leaves_s not in seen:
                trip = trip_at(feed, group[before])
                added.append(moved(trip, by_s, f"{trip.trip_id}~{by_s}"))
                seen.add(leaves_s)
        place += factor
    return kept


def _model(feed: Feed, group: Sequence[int], wanted: Repeats) -> int:
    """Return the trip of a pattern after which others are made."""

    def rank(row: int) -> tuple[int, int, int]:
        trip = trip_at(feed, row)
        leaving = [int(trip.departure_s[0])]
        if trip.repeats:
            leaving = [_first_in(each, wanted) for each in trip.repeats]
        inside = [each for each in leaving if wanted.start_s <= each < wanted.end_s]
        if inside:
            return 0, min(inside), row
        before = [each for each in leaving if each < wanted.start_s]
        return (1, -max(before), row) if before else (2, min(leaving), row)

    return min(group, key=rank)


def _first_in(row: Row, wanted: Repeats) -> int:
    """Return the first departure of a row that is not before a span, or its last."""
    start_s, end_s, headway_s = row
    turns = max(0, -(-(wanted.start_s - start_s) // headway_s))
    last = max(0, -(-(end_s - start_s) // headway_s) - 1)
    return start_s + min(turns, last) * headway_s


def _cut(row: Row, wanted: Repeats) -> Iterator[Row]:
    """Yield what is left of a row without the departures of a span."""
    start_s, end_s, headway_s = row
    if start_s < min(end_s, wanted.start_s):
        yield start_s, min(end_s, wanted.start_s), headway_s
    turns = max(0, -(-(wanted.end_s - start_s) // headway_s))
    after_s = start_s + turns * headway_s
    if after_s < end_s:
        yield after_s, end_s, headway_s


def _longer(gone: Bool, added: int) -> Bool:
    return np.concatenate([gone, np.zeros(added, np.bool_)])
