"""Feeds with trips taken away, added or with other times: new tables, the old ones untouched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.model import CallTable, Feed, FrequencyTable, TripTable
from tongcheng.services.mobility.numbers import Bool, Int64


class Trip(NamedTuple):
    """A trip to be added: `route` and `service` are rows of the feed's tables, `stop` too.

    `repeats` are rows of frequencies.txt, (start_s, end_s, headway_s); () for a trip that runs
    once.
    """

    trip_id: str
    route: int
    service: int
    stop: Int64
    arrival_s: Int64
    departure_s: Int64
    boards: Bool
    alights: Bool
    repeats: tuple[tuple[int, int, int], ...] = ()


def trip_at(feed: Feed, row: int) -> Trip:
    """Return a trip of a feed as it is."""
    calls = slice(int(feed.trips.start[row]), int(feed.trips.start[row + 1]))
    table = feed.frequencies
    rows = np.flatnonzero(table.trip == row)
    return Trip(
        feed.trips.ids[row],
        int(feed.trips.route[row]),
        int(feed.trips.service[row]),
        feed.calls.stop[calls].astype(np.int64),
        feed.calls.arrival_s[calls].astype(np.int64),
        feed.calls.departure_s[calls].astype(np.int64),
        feed.calls.boards[calls],
        feed.calls.alights[calls],
        tuple(
            zip(
                table.start_s[rows].tolist(),
                table.end_s[rows].tolist(),
                table.headway_s[rows].tolist(),
                strict=True,
            )
        ),
    )


def calls_of(feed: Feed, chosen: Bool | None = None) -> int:
    """Return how often trains call by a feed, or by these trips of it: however often each repeats.

    Of all services, whichever run on a day.
    """
    table = feed.frequencies
    turns = np.maximum(-(-(table.end_s.astype(np.int64) - table.start_s) // table.headway_s), 0)
    runs = np.zeros(len(feed.trips.ids), np.int64)
    np.add.at(runs, table.trip, turns)
    runs[np.setdiff1d(np.arange(len(runs)), table.trip)] = 1
    calls = runs * np.diff(feed.trips.start)
    return int(calls.sum() if chosen is None else calls[chosen].sum())


def moved(trip: Trip, by_s: int, trip_id: str) -> Trip:
    """Return a trip that runs later by so many seconds, under another id."""
    return trip._replace(
        trip_id=trip_id, arrival_s=trip.arrival_s + by_s, departure_s=trip.departure_s + by_s
    )


def without(feed: Feed, gone: Bool) -> Feed:
    """Return the feed without these trips."""
    if not gone.any():
        return feed
    keep = ~gone
    calls = np.diff(feed.trips.start)
    kept_calls = np.repeat(keep, calls)
    number = np.cumsum(keep) - 1
    table = feed.frequencies
    rows = keep[table.trip]
    return feed._replace(
        trips=TripTable(
            tuple(each for each, kept in zip(feed.trips.ids, keep.tolist(), strict=True) if kept),
            feed.trips.route[keep],
            feed.trips.service[keep],
            np.concatenate([np.zeros(1, np.int64), np.cumsum(calls[keep])]),
        ),
        calls=CallTable._make(column[kept_calls] for column in feed.calls),
        frequencies=FrequencyTable._make(
            [number[table.trip[rows]].astype(np.int32), *(column[rows] for column in table[1:])]
        ),
    )


def with_trips(feed: Feed, added: Sequence[Trip]) -> Feed:
    """Return the feed with more trips behind its own."""
    if not added:
        return feed
    lengths = np.cumsum([len(trip.stop) for trip in added]) + feed.trips.start[-1]
    calls = (
        (feed.calls.stop, [trip.stop for trip in added]),
        (feed.calls.arrival_s, [trip.arrival_s for trip in added]),
        (feed.calls.departure_s, [trip.departure_s for trip in added]),
        (feed.calls.boards, [trip.boards for trip in added]),
        (feed.calls.alights, [trip.alights for trip in added]),
    )
    first = len(feed.trips.ids)
    with_ids = feed._replace(
        trips=TripTable(
            feed.trips.ids + tuple(trip.trip_id for trip in added),
            _behind(feed.trips.route, [trip.route for trip in added]),
            _behind(feed.trips.service, [trip.service for trip in added]),
            np.concatenate([feed.trips.start, lengths]),
        ),
        calls=CallTable._make(np.concatenate([own, *new]).astype(own.dtype) for own, new in calls),
    )
    repeats = {first + place: trip.repeats for place, trip in enumerate(added) if trip.repeats}
    return with_repeats(with_ids, repeats)


def with_repeats(feed: Feed, repeats: dict[int, tuple[tuple[int, int, int], ...]]) -> Feed:
    """Return the feed in which these trips repeat so, in place of how they did."""
    table = feed.frequencies
    keep = ~np.isin(table.trip, list(repeats))
    rows = [(trip, *row, False) for trip, of_trip in repeats.items() for row in of_trip]
    columns = list(zip(*rows, strict=True)) or [()] * len(table)
    return feed._replace(
        frequencies=FrequencyTable(
            *(
                np.concatenate([own[keep], np.array(new, own.dtype)])
                for own, new in zip(table, columns, strict=True)
            )
        )
    )


def same(one: Feed, other: Feed) -> bool:
    """Say whether two feeds are the same but for their digests."""
    return all(_same(mine, theirs) for mine, theirs in zip(one[2:], other[2:], strict=True))


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if hasattr(one, "_fields"):
        assert isinstance(one, tuple), "a table"
        assert isinstance(other, tuple), "the same table"
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _behind(own: np.ndarray, new: Sequence[int]) -> np.ndarray:
    return np.concatenate([own, np.array(new, own.dtype)])
