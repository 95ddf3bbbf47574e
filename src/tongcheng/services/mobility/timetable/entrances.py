"""Where a stop is entered from the street, and what lies between that door and the vehicle.

A stop of a station with entrances (stops.txt, location_type 2) has those for doors, any other is a
door itself. From an entrance the way is that of the pathways; where they join the stop to none of
them, it is the crow's flight down, with its detour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.model import ENTRANCE, Feed
from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.timetable.boarding import Boarding, stations_of
from tongcheng.services.mobility.timetable.stations import Inside, backward, pathways, seconds_from
from tongcheng.services.mobility.walking import Walking


class Entrances(NamedTuple):
    """Doors to the street, and ways between them and the boarding stops (`Stops` rows).

    Both links go from doors to stops: `entering` takes that long from the street to the stop,
    `leaving` from the stop to the street. Neither has what `Stops.enter_s` and `leave_s` have.
    """

    points: Points
    entering: Links
    leaving: Links


class _Gathered(NamedTuple):
    """Doors and ways as they are found; a way is door, stop, seconds."""

    lon: list[float]
    lat: list[float]
    entering: list[tuple[int, int, int]]
    leaving: list[tuple[int, int, int]]


def entrances(feeds: Sequence[Feed], stops: Boarding, walking: Walking) -> Entrances:
    """Return the doors of the boarding stops: of each feed its entrances, then stops in order."""
    found = _Gathered([], [], [], [])
    for place, feed in enumerate(feeds):
        _gather(feed, stops, np.flatnonzero(stops.feed == place).tolist(), walking, found)
    count = len(found.lon)
    links = [
        links_of(count, *np.array(ways, np.int64).reshape(-1, 3).T)
        for ways in (found.entering, found.leaving)
    ]
    points = Points(np.array(found.lon, np.float64), np.array(found.lat, np.float64))
    return Entrances(points, *links)


def _gather(
    feed: Feed, stops: Boarding, numbers: list[int], walking: Walking, found: _Gathered
) -> None:
    """Find the doors of one feed's stops, which have these numbers."""
    of_station: defaultdict[int, list[int]] = defaultdict(list)
    roots = stations_of(feed)
    for row in np.flatnonzero(feed.stops.kind == ENTRANCE).tolist():
        of_station[int(roots[row])].append(row)
    door: dict[int, int] = {}
    for station in sorted({int(stops.station[number]) for number in numbers}):
        for row in of_station.get(station, ()):
            door[row] = len(found.lon)
            found.lon.append(float(feed.stops.lon[row]))
            found.lat.append(float(feed.stops.lat[row]))
    there = pathways(feed, walking)
    back = backward(there)
    for number in numbers:
        row = int(stops.row[number])
        rows = of_station.get(int(stops.station[number]), [])
        if rows:
            into = _seconds(feed, row, rows, back, walking)
            out = _seconds(feed, row, rows, there, walking)
            found.entering.extend((door[each], number, taken) for each, taken in into.items())
            found.leaving.extend((door[each], number, taken) for each, taken in out.items())
        else:
            found.entering.append((len(found.lon), number, 0))
            found.leaving.append((len(found.lon), number, 0))
            found.lon.append(float(feed.stops.lon[row]))
            found.lat.append(float(feed.stops.lat[row]))


def _seconds(
    feed: Feed, row: int, rows: list[int], inside: Inside, walking: Walking
) -> dict[int, int]:
    """Return the ways between a stop and its entrances, along pathways or straight."""
    along = seconds_from(row, rows, inside)
    if along:
        return along
    places = Points(feed.stops.lon, feed.stops.lat)
    here = Points(*(np.repeat(column[row], len(rows)) for column in places))
    there = Points(*(column[rows] for column in places))
    return dict(zip(rows, walking.straight.between(here, there).tolist(), strict=True))
