"""The stops of several feeds where vehicles are boarded, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.model import NONE, Feed
from tongcheng.services.mobility.modes import MODES, Mode, mode_of
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Float64, Int32


class Boarding(NamedTuple):
    """Stops that some trip of their feed calls at, on whatever day, feed after feed.

    Row `i` is row `row[i]` of the stops of feed `feed[i]`; `number[f][r]` goes back, NONE where
    nothing is boarded. `station[i]` is the row of the same feed that stands for its station: its
    parent's parent for a boarding area, itself if it has none. `mode` is the first of `MODES` that
    calls.
    """

    feed: Int32
    row: Int32
    station: Int32
    ids: tuple[str, ...]
    names: tuple[str, ...]
    points: Points
    mode: tuple[Mode, ...]
    number: tuple[Int32, ...]


def boarding(feeds: Sequence[Feed]) -> Boarding:
    """Return the boarding stops of these feeds, in the order given."""
    called = [np.unique(feed.calls.stop).astype(np.int32) for feed in feeds]
    number, begun = [], 0
    for feed, rows in zip(feeds, called, strict=True):
        numbers = np.full(len(feed.stops.ids), NONE, np.int32)
        numbers[rows] = begun + np.arange(len(rows))
        number.append(numbers)
        begun += len(rows)
    stations = [stations_of(feed)[rows] for feed, rows in zip(feeds, called, strict=True)]
    modes = [_modes(feed)[rows] for feed, rows in zip(feeds, called, strict=True)]
    pairs = [(feed, row) for feed, rows in zip(feeds, called, strict=True) for row in rows.tolist()]
    return Boarding(
        feed=np.repeat(np.arange(len(feeds), dtype=np.int32), [len(rows) for rows in called]),
        row=joined(called).astype(np.int32),
        station=joined(stations).astype(np.int32),
        ids=tuple(feed.stops.ids[row] for feed, row in pairs),
        names=tuple(feed.stops.names[row] for feed, row in pairs),
        points=Points(
            _floats(feed.stops.lon[rows] for feed, rows in zip(feeds, called, strict=True)),
            _floats(feed.stops.lat[rows] for feed, rows in zip(feeds, called, strict=True)),
        ),
        mode=tuple(MODES[place] for place in joined(modes).tolist()),
        number=tuple(number),
    )


def stations_of(feed: Feed) -> Int32:
    """Return, for each stop of a feed, the row that stands for its station."""
    rows = np.arange(len(feed.stops.ids), dtype=np.int32)
    found = rows.copy()
    for _ in range(2):  # a boarding area has a platform above it, and that a station
        parent = feed.stops.parent[found]
        found = np.where(parent == NONE, found, parent).astype(np.int32)
    return found


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays one behind the other, also if there is none."""
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _floats(parts: object) -> Float64:
    return np.concatenate([np.zeros(0, np.float64), *parts])  # type: ignore[misc]


def _modes(feed: Feed) -> Int32:
    """Return, for each stop, the place in MODES of the first that calls there."""
    of_route = np.array([MODES.index(mode_of(int(mode))) for mode in feed.routes.mode], np.int32)
    of_trip = of_route[feed.trips.route]
    of_call = np.repeat(of_trip, np.diff(feed.trips.start))
    found = np.full(len(feed.stops.ids), len(MODES) - 1, np.int32)
    np.minimum.at(found, feed.calls.stop, of_call)
    return found
