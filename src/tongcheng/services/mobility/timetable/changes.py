"""How one changes between stops: what feeds say, ways within stations, ways along the streets.

For two stops of one feed the first that speaks decides:

1. transfers.txt: type 3 forbids; type 2 takes its min_transfer_time; 0, 1 and 2 without a time
   say that there is a change, which takes what is reckoned below, or the crow's flight however far.
   A row about two platforms goes before one about a platform and a station, and that before one
   about two stations. Of rows of one rank, which GTFS does not allow, the last in the file holds.
2. Within a station the pathways; if they touch neither or only one of the two, `same_station_s`,
   or the crow's flight if that takes longer. Pathways that touch both and join them not: none.
3. Along the streets, from door to door, at most `change_s_max`; also between feeds.

To the same stop it takes `same_stop_s`. Between systems the doors are added, whoever said the time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed.model import NONE, Feed
from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.timetable.boarding import Boarding, stations_of
from tongcheng.services.mobility.timetable.doors import Doors, passing_s
from tongcheng.services.mobility.timetable.entrances import Entrances
from tongcheng.services.mobility.timetable.process_book import InForce
from tongcheng.services.mobility.timetable.stations import joined_up, pathways, seconds_from
from tongcheng.services.mobility.walking import Walking

MINIMUM: Final = 2
FORBIDDEN: Final = 3
"""transfer_type of transfers.txt."""

Pair = tuple[int, int]


class _Ways(NamedTuple):
    """Columns of ways between boarding stops."""

    origin: Int64
    to: Int64
    seconds: Int64


def changes(
    feeds: Sequence[Feed], stops: Boarding, ways: Entrances, doors: Doors, rules: InForce,
    walking: Walking,
) -> Links:  # fmt: skip
    """Return the changes between boarding stops; refuses as `doors.passing_s` does."""
    inside: dict[Pair, int] = {}
    stated: dict[Pair, int] = {}
    for place, feed in enumerate(feeds):
        numbers = np.flatnonzero(stops.feed == place).tolist()
        inside |= _inside(feed, stops, numbers, walking)
    for place, feed in enumerate(feeds):
        stated |= _stated(feed, stops, place, inside, walking)
    decided = inside | stated
    for number in range(len(stops.ids)):
        decided.setdefault((number, number), walking.same_stop_s)
    street = _outside(ways, len(stops.ids), decided, walking)
    given = [(*pair, taken_s) for pair, taken_s in decided.items() if taken_s != NONE]
    columns = np.array(given, np.int64).reshape(-1, 3).T
    whole = _Ways(*(np.concatenate(each) for each in zip(columns, street, strict=True)))
    seconds = whole.seconds + passing_s(doors, whole.origin, whole.to, rules)
    return links_of(len(stops.ids), whole.origin, whole.to, np.maximum(seconds, 1))


def _inside(feed: Feed, stops: Boarding, numbers: list[int], walking: Walking) -> dict[Pair, int]:
    """Return the changes between different stops of one station."""
    together: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        together[int(stops.station[number])].append(number)
    paths = pathways(feed, walking)
    touched = joined_up(paths)
    found: dict[Pair, int] = {}
    for members in together.values():
        if len(members) < 2:  # noqa: PLR2004 - nowhere to change to
            continue
        rows = {number: int(stops.row[number]) for number in members}
        for origin in members:
            others = [number for number in members if number != origin]
            known = touched & {rows[number] for number in others}
            along: dict[int, int] = {}
            if rows[origin] in touched and known:
                along = seconds_from(rows[origin], known, paths)
            straight = _straight(stops, origin, others, walking)
            for to, straight_s in zip(others, straight, strict=True):
                if rows[origin] not in touched or rows[to] not in touched:
                    found[origin, to] = max(walking.same_station_s, straight_s)
                elif rows[to] in along:
                    found[origin, to] = max(walking.same_stop_s, along[rows[to]])
                else:
                    found[origin, to] = NONE
    return found


def _straight(stops: Boarding, origin: int, others: list[int], walking: Walking) -> list[int]:
    here = Points(*(np.repeat(column[origin], len(others)) for column in stops.points))
    there = Points(*(column[others] for column in stops.points))
    return [int(taken_s) for taken_s in walking.straight.between(here, there)]


def _stated(
    feed: Feed, stops: Boarding, place: int, inside: dict[Pair, int], walking: Walking
) -> dict[Pair, int]:
    """Return what transfers.txt says of pairs of boarding stops; NONE where it forbids."""
    number = stops.number[place]
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row, root in enumerate(stations_of(feed).tolist()):
        if number[row] != NONE:
            members[root].append(int(number[row]))
            if root != row:
                members[row].append(int(number[row]))
    table = feed.transfers
    rows = list(zip(*(column.tolist() for column in table), strict=True))
    # Rows about boarding stops come last, and so they hold; of one rank, the last in the file.
    rows.sort(key=lambda row: sum(int(number[end] != NONE) for end in row[:2]))
    found: dict[Pair, int] = {}
    for origin, to, kind, seconds in rows:
        for one in members.get(origin, ()):
            for other in members.get(to, ()):
                if kind == FORBIDDEN:
                    found[one, other] = NONE
                elif kind == MINIMUM and seconds != NONE:
                    found[one, other] = seconds
                else:
                    found[one, other] = _reckoned(stops, one, other, inside, walking)
    return found


def _reckoned(
    stops: Boarding, origin: int, to: int, inside: dict[Pair, int], walking: Walking
) -> int:
    """Return what a change takes of which is only said that there is one."""
    if origin == to:
        return walking.same_stop_s
    within_s = inside.get((origin, to), NONE)
    if within_s != NONE:
        return within_s
    return max(walking.same_stop_s, *_straight(stops, origin, [to], walking))


def _outside(ways: Entrances, count: int, decided: dict[Pair, int], walking: Walking) -> _Ways:
    """Return the changes along the streets between stops of which nothing is decided."""
    street = walking.feeder.ways(ways.points, ways.points, walking.change_s_max)
    first = np.repeat(np.arange(street.rows), np.diff(street.start))
    # From a way between doors to all ways between the stops behind them.
    at, origin, out_s = _behind(ways.leaving, first)
    at_also, to, in_s = _behind(ways.entering, street.to[at].astype(np.int64))
    origin = origin[at_also]
    taken_s = out_s[at_also] + street.seconds[at][at_also] + in_s
    known = np.array([one * count + other for one, other in decided], np.int64)
    free = ~np.isin(origin * count + to, known)
    return _Ways(origin[free], to[free], np.maximum(taken_s[free], walking.same_stop_s))


def _behind(links: Links, doors: Int64) -> tuple[Int64, Int64, Int64]:
    """Return, for every stop behind each of these doors: which door's row, the stop, seconds."""
    each = (links.start[1:] - links.start[:-1])[doors]
    row = np.repeat(np.arange(len(doors)), each)
    place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    place += np.repeat(links.start[doors], each)
    return row, links.to[place].astype(np.int64), links.seconds[place].astype(np.int64)
