"""speed and dwell: other times along the same calls, from the same first departure."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.numbers import Bool, Int64


def by_speed(feed: Feed, chosen: Bool, factor: Fraction) -> Feed:
    """Return the feed in which these trips take a factor of the time between calls.

    Each way between two calls is rounded by itself, half a second up; they stand as long as before.
    """
    run_s, stand_s, mine = _parts(feed, chosen)
    p, q = factor.numerator, factor.denominator
    scaled_s = (2 * run_s * p + q) // (2 * q)
    return _timed(feed, np.where(mine, scaled_s, run_s), stand_s, mine)


def by_dwell(feed: Feed, chosen: Bool, dwell_s: int) -> Feed:
    """Return the feed in which these trips stand so long at each call but the first and last."""
    run_s, stand_s, mine = _parts(feed, chosen)
    between = mine.copy()
    full = np.diff(feed.trips.start) > 0
    between[feed.trips.start[:-1][full]] = False
    between[feed.trips.start[1:][full] - 1] = False
    return _timed(feed, run_s, np.where(between, dwell_s, stand_s), mine)


def _parts(feed: Feed, chosen: Bool) -> tuple[Int64, Int64, Bool]:
    """Return of each call the way to it and the stand at it, and whether its trip is chosen."""
    arrival_s = feed.calls.arrival_s.astype(np.int64)
    departure_s = feed.calls.departure_s.astype(np.int64)
    run_s = np.zeros(len(arrival_s), np.int64)
    run_s[1:] = arrival_s[1:] - departure_s[:-1]
    run_s[_first(feed)] = 0
    return run_s, departure_s - arrival_s, np.repeat(chosen, np.diff(feed.trips.start))


def _first(feed: Feed) -> Int64:
    return feed.trips.start[:-1][np.diff(feed.trips.start) > 0]


def _timed(feed: Feed, run_s: Int64, stand_s: Int64, mine: Bool) -> Feed:
    """Return the feed with times that these ways and stands add up to, for the trips chosen."""
    first = _first(feed)
    passed_s = np.cumsum(run_s + stand_s)
    lengths = np.diff(feed.trips.start)
    # What had passed when the trip's first call left, and when that was.
    begun_s = np.repeat(feed.calls.departure_s[first] - passed_s[first], lengths[lengths > 0])
    departure_s = passed_s + begun_s
    calls = feed.calls
    return feed._replace(
        calls=calls._replace(
            arrival_s=np.where(mine, departure_s - stand_s, calls.arrival_s).astype(np.int32),
            departure_s=np.where(mine, departure_s, calls.departure_s).astype(np.int32),
        )
    )
