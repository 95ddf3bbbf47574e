"""Which trips run on a day, and the connections that they are made of.

A day has its own trips and those of the day before that run on past midnight, 86,400 s earlier by
their own clock. GTFS counts from noon minus twelve hours, so that is exact wherever the clocks do
not change between the two noons; China's do not. The next day's first trips are not there: a
journey that waits for them has no end.

A trip of frequencies.txt runs at `start_s` and every `headway_s` from then on, before `end_s`;
also where exact_times is 0 and nothing but the headway is promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import Feed, Service
from tongcheng.services.mobility.numbers import DAY_S, Bool, Int32, Int64
from tongcheng.services.mobility.timetable.boarding import Boarding, joined
from tongcheng.services.mobility.timetable.model import Connections, Runs

CONNECTIONS_MAX: Final = 20_000_000
"""A day with more is refused: compiling takes some 350 bytes for each (3.2 GB for 9 million), and
a feed of a few lines can ask for any number."""


class _Running(NamedTuple):
    """Runs of one feed: the trip, and by how many seconds its calls are moved.

    A plain one is the trip itself on the day itself; any other is told apart by its departure.
    """

    trip: Int64
    shift_s: Int64
    plain: Bool


def check_day(feed: Feed, day: date) -> None:
    """Refuse TIMETABLE_DAY for a day before or after everything that a feed's calendar says."""
    days = [each for service in feed.services for each in _span(service)]
    first_on, last_on = min(days, default=None), max(days, default=None)
    if first_on is None or last_on is None:
        raise Refused("TIMETABLE_NO_SERVICE", feed=feed.feed_id)
    if not first_on <= day <= last_on:
        raise Refused(
            "TIMETABLE_DAY",
            feed=feed.feed_id,
            day=day.isoformat(),
            first_on=first_on.isoformat(),
            last_on=last_on.isoformat(),
        )


def run_day(feeds: Sequence[Feed], day: date, stops: Boarding) -> tuple[Runs, Connections]:
    """Return the runs of a day, feed after feed, and their connections sorted by departure.

    A run that calls once has no connection, and is none. Refuses TIMETABLE_TOO_LARGE.
    """
    running = [_running(feed, day) for feed in feeds]
    _check_size(sum(_hops(feed, runs) for feed, runs in zip(feeds, running, strict=True)))
    first = np.cumsum([0, *(len(each.trip) for each in running)])
    ways = [
        _connections(feed, runs, stops.number[place], int(first[place]))
        for place, (feed, runs) in enumerate(zip(feeds, running, strict=True))
    ]
    columns = [joined([way[each] for way in ways]) for each in range(len(Connections._fields))]
    whole = Connections(*_typed(columns))
    order = np.argsort(whole.departure_s, kind="stable")
    pairs = list(zip(feeds, running, strict=True))
    runs = Runs(
        ids=tuple(run_id for feed, each in pairs for run_id in _ids(feed, each)),
        route_ids=tuple(name for feed, each in pairs for name in _of_route(feed, each, "ids")),
        route_names=tuple(name for feed, each in pairs for name in _of_route(feed, each, "names")),
        mode=joined([feed.routes.mode[feed.trips.route[each.trip]] for feed, each in pairs]).astype(
            np.int16
        ),
    )
    return runs, Connections(*_typed([column[order] for column in whole]))


def _span(service: Service) -> list[date]:
    spanned = [service.start_on, service.end_on] if service.start_on <= service.end_on else []
    return spanned + sorted(service.added)


def _running(feed: Feed, day: date) -> _Running:
    """Return what runs on the day, in order of the trips and then of their departures."""
    today = _of_day(feed, day)
    before = _of_day(feed, day - timedelta(days=1))
    calls, start = feed.calls, feed.trips.start
    last_s = calls.arrival_s[start[before.trip + 1] - 1] + before.shift_s
    late = last_s > DAY_S
    trip = np.concatenate([today.trip, before.trip[late]])
    shift_s = np.concatenate([today.shift_s, before.shift_s[late] - DAY_S])
    plain = np.concatenate([today.plain, np.zeros(int(late.sum()), np.bool_)])
    order = np.lexsort((shift_s, trip))
    return _Running(trip[order], shift_s[order], plain[order])


def _of_day(feed: Feed, day: date) -> _Running:
    """Return what a service day has: trips as they are, and those that repeat, each time."""
    runs_on = np.array([service.runs_on(day) for service in feed.services], np.bool_)
    runs = runs_on[feed.trips.service] & (np.diff(feed.trips.start) > 1)
    table = feed.frequencies
    repeats = np.zeros(len(runs), np.bool_)
    repeats[table.trip] = True
    once = np.flatnonzero(runs & ~repeats)
    rows = np.flatnonzero(runs[table.trip])
    span_s = table.end_s[rows].astype(np.int64) - table.start_s[rows]
    headway_s = table.headway_s[rows].astype(np.int64)
    assert np.all(headway_s > 0), "a feed's headways are longer than no time"
    times = np.maximum(0, -(-span_s // headway_s))
    # Counted before they are made: a row of a few bytes may ask for a million runs.
    _check_size(int((times * (np.diff(feed.trips.start)[table.trip[rows]] - 1)).sum()))
    turn = np.arange(int(times.sum())) - np.repeat(np.cumsum(times) - times, times)
    begins_s = np.repeat(table.start_s[rows], times) + turn * np.repeat(headway_s, times)
    trip = np.repeat(table.trip[rows], times).astype(np.int64)
    shift_s = begins_s - feed.calls.departure_s[feed.trips.start[trip]]
    return _Running(
        np.concatenate([once, trip]),
        np.concatenate([np.zeros(len(once), np.int64), shift_s]),
        np.concatenate([np.ones(len(once), np.bool_), np.zeros(len(trip), np.bool_)]),
    )


def _hops(feed: Feed, runs: _Running) -> int:
    return int((np.diff(feed.trips.start)[runs.trip] - 1).sum())


def _check_size(size: int) -> None:
    if size > CONNECTIONS_MAX:
        raise Refused("TIMETABLE_TOO_LARGE", connections=size, most=CONNECTIONS_MAX)


def _connections(feed: Feed, runs: _Running, number: Int32, first: int) -> tuple[np.ndarray, ...]:
    """Return the columns of `Connections` of one feed's runs, which are numbered from `first`."""
    calls = feed.calls
    hops = np.diff(feed.trips.start)[runs.trip] - 1
    run = np.repeat(np.arange(len(hops)), hops)
    along = np.arange(len(run)) - np.repeat(np.cumsum(hops) - hops, hops)
    here = feed.trips.start[runs.trip][run] + along
    shift_s = runs.shift_s[run]
    return (
        number[calls.stop[here]],
        number[calls.stop[here + 1]],
        calls.departure_s[here] + shift_s,
        calls.arrival_s[here + 1] + shift_s,
        run + first,
        calls.boards[here],
        calls.alights[here + 1],
    )


def _typed(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    kinds = (np.int32,) * 5 + (np.bool_,) * 2
    return [column.astype(kind) for column, kind in zip(columns, kinds, strict=True)]


def _ids(feed: Feed, runs: _Running) -> list[str]:
    departure_s = feed.calls.departure_s[feed.trips.start[runs.trip]] + runs.shift_s
    names = feed.trips.ids
    return [
        names[trip] if plain else f"{names[trip]}@{begins_s}"
        for trip, begins_s, plain in zip(
            runs.trip.tolist(), departure_s.tolist(), runs.plain.tolist(), strict=True
        )
    ]


def _of_route(feed: Feed, runs: _Running, column: str) -> list[str]:
    names = getattr(feed.routes, column)
    return [names[route] for route in feed.trips.route[runs.trip].tolist()]
