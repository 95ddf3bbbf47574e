"""How places hang on a timetable's stops, and on one another, on foot."""

from __future__ import annotations

import numpy as np

from tongcheng.services.mobility.links import Links, links_of, turned
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Int32
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.timetable.compiling import Compiled
from tongcheng.services.mobility.walking import Feeder


def ways_of(places: Points, compiled: Compiled, feeder: Feeder, limit_s: int) -> Ways:
    """Return the ways from places to stops, from stops to places, and between places.

    One walks at most `limit_s` along the streets, to a stop's door or to another place; what lies
    behind the door, and entering or leaving, comes on top. A way on foot is as long back.
    """
    access, egress = hung(places, compiled, feeder, limit_s)
    return Ways(access, egress, feeder.ways(places, places, limit_s))


def hung(places: Points, compiled: Compiled, feeder: Feeder, limit_s: int) -> tuple[Links, Links]:
    """Return the ways from places to stops and back, both in rows of places, as `ways_of` does."""
    stops = compiled.timetable.stops
    street = feeder.ways(compiled.entrances.points, places, limit_s)
    access, egress = (
        turned(_through(street, inside, passing_s), len(places.lon))
        for inside, passing_s in (
            (compiled.entrances.entering, stops.enter_s),
            (compiled.entrances.leaving, stops.leave_s),
        )
    )
    return access, egress


def _through(street: Links, inside: Links, passing_s: Int32) -> Links:
    """Return from doors' ways to places and to stops the shortest ways of stops to places."""
    door = np.repeat(np.arange(inside.rows), np.diff(inside.start))
    each = np.diff(street.start)[door]
    row = np.repeat(np.arange(len(door)), each)
    at = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    at += np.repeat(street.start[door], each)
    stop = inside.to[row]
    seconds = street.seconds[at].astype(np.int64) + inside.seconds[row] + passing_s[stop]
    return links_of(len(passing_s), stop, street.to[at], seconds)
