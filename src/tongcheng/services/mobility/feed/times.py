"""Times along trips: none goes backwards, and blank ones are filled in between those given.

All arrays are of calls sorted by trip and, within it, by their order; times are seconds, BLANK
where none was given. Blank timepoints stand for estimates that the reader makes
(https://gtfs.org/documentation/schedule/reference/#stop_timestxt, arrival_time): by the distance
along the trip where the feed gives it, else the same time for each way between two calls.
"""

from typing import Final

import numpy as np

from tongcheng.services.mobility.feed.fields import BLANK
from tongcheng.services.mobility.numbers import DAY_S, Bool, Float64, Int64

MIDNIGHT_DROP_S: Final = DAY_S // 2
"""A time that falls by more than half a day, and by a day at most, has passed midnight and begun at
0:00 again; one that falls otherwise is wrong, and nobody can say how."""


def starts_of(trip: Int64) -> Bool:
    """Tell which calls are the first of their trip."""
    first = np.ones(len(trip), np.bool_)
    first[1:] = trip[1:] != trip[:-1]
    return first


def within_times(trip: Int64, timed: Bool) -> Bool:
    """Tell which calls have a given time at or before them, and one at or after, in their trip."""
    before, after = _anchors(trip, timed)
    return (before >= 0) & (after < len(trip))


def _anchors(trip: Int64, timed: Bool) -> tuple[Int64, Int64]:
    """Return the timed calls of the trip next before and after each call; -1 and n for none."""
    count = len(trip)
    places = np.arange(count)
    start = np.maximum.accumulate(np.where(starts_of(trip), places, 0))
    before = np.maximum.accumulate(np.where(timed, places, -1))
    last = starts_of(trip[::-1])[::-1]
    end = np.minimum.accumulate(np.where(last, places, count)[::-1])[::-1]
    after = np.minimum.accumulate(np.where(timed, places, count)[::-1])[::-1]
    return np.where(before >= start, before, -1), np.where(after <= end, after, count)


def unwound(trip: Int64, arrival_s: Int64, departure_s: Int64) -> tuple[Int64, Int64, Bool, Bool]:
    """Return times that never go backwards; calls from which midnight was passed; calls that do.

    Days are added from where a trip's times start again at midnight. Of a trip whose times go
    backwards otherwise, the call where they do is told, and its times are as they were.
    """
    arrival_s, departure_s = arrival_s.copy(), departure_s.copy()
    midnight, backwards = (np.zeros(len(trip), np.bool_) for _ in range(2))
    timed = np.flatnonzero(arrival_s != BLANK)
    same = np.append(trip[timed][1:] == trip[timed][:-1], False)
    following = np.append(arrival_s[timed][1:], 0)
    falls = (departure_s[timed] < arrival_s[timed]) | (same & (following < departure_s[timed]))
    suspects = np.unique(trip[timed][falls])
    first = np.searchsorted(trip[timed], suspects, "left").tolist()
    last = np.searchsorted(trip[timed], suspects, "right").tolist()
    for begin, end in zip(first, last, strict=True):
        calls = timed[begin:end]
        given = np.stack([arrival_s[calls], departure_s[calls]], axis=1).ravel()
        steps = np.diff(given)
        # By more than a whole day no clock falls, and a day more would not set it right.
        wrong = (steps < 0) & ((steps >= -MIDNIGHT_DROP_S) | (steps < -DAY_S))
        if wrong.any():
            backwards[calls[(int(np.flatnonzero(wrong)[0]) + 1) // 2]] = True
            continue
        days = np.concatenate([[0], np.cumsum(steps < 0)])
        whole = given + days * DAY_S
        arrival_s[calls], departure_s[calls] = whole[::2], whole[1::2]
        midnight[calls[(int(np.flatnonzero(steps < 0)[0]) + 1) // 2]] = True
    return arrival_s, departure_s, midnight, backwards


def filled(
    trip: Int64, arrival_s: Int64, departure_s: Int64, distance: Float64
) -> tuple[Int64, Int64, Bool]:
    """Return times with none blank, and the calls whose distance was of no use.

    `distance` is shape_dist_traveled, NaN where not given. Rounded once, to the nearest second.
    """
    timed = arrival_s != BLANK
    assert within_times(trip, timed).all(), "a blank time lies between two that are given"
    before, after = _anchors(trip, timed)
    falls = np.zeros(len(trip), np.bool_)
    falls[1:] = distance[1:] < distance[:-1]
    # Of the calls after the one before, up to the one after: how many have no distance to go by.
    gaps = np.cumsum(np.isnan(distance) | falls)
    at = np.flatnonzero(~timed)
    low, high = before[at], after[at]
    length = distance[high] - distance[low]
    by_distance = (gaps[high] == gaps[low]) & ~np.isnan(distance[low]) & (length > 0)
    evenly = (at - low) / (high - low)
    along = (distance[at] - distance[low]) / np.where(by_distance, length, 1.0)
    share = np.where(by_distance, along, evenly)
    span_s = arrival_s[high] - departure_s[low]
    time_s = departure_s[low] + np.floor(share * span_s + 0.5).astype(np.int64)
    arrival_s, departure_s = arrival_s.copy(), departure_s.copy()
    arrival_s[at] = departure_s[at] = time_s
    doubtful = np.zeros(len(trip), np.bool_)
    doubtful[at] = ~by_distance & ~np.isnan(distance[at] + distance[low] + distance[high])
    return arrival_s, departure_s, doubtful
