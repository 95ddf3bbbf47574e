"""A region as its pages hold it: what does not change from question to question, and days of it.

An `Atlas` is the region's tables, its cells and who lives in them. A `Prepared` is one day of it,
as it was or with a scenario, compiled so that it can be asked.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle.eras import common_days, spans
from tongcheng.services.mobility.bundle.inputs import kept_study_inputs, said_of
from tongcheng.services.mobility.bundle.model import Entry, EntryKind
from tongcheng.services.mobility.bundle.records import KeptEntry
from tongcheng.services.mobility.console.gazetteer import Named, named_places
from tongcheng.services.mobility.console.picture import Line
from tongcheng.services.mobility.facts.model import City, County, Facts, Name
from tongcheng.services.mobility.facts.outline import OUTLINE_FILE
from tongcheng.services.mobility.facts.roads import RoadDay
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.isochrones import AssumedCells, Cells, grid_cells
from tongcheng.services.mobility.modes import mode_of
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scenario.applying import applied
from tongcheng.services.mobility.scenario.model import Base, Scenario
from tongcheng.services.mobility.shapes.geometry import MultiPolygon
from tongcheng.services.mobility.study.circle import Areas, areas_of
from tongcheng.services.mobility.study.compare import Side
from tongcheng.services.mobility.study.model import Ready
from tongcheng.services.mobility.study.reach import RoadReady, Spot
from tongcheng.services.mobility.study.region import (
    GEOGRAPHY,
    Region,
    base_of_feeds,
    base_on,
    load,
    ready_of,
    roads_of,
)

Ends = tuple[tuple[float, float], tuple[float, float]]
"""Two points, longitude and latitude each."""
DETOUR: Final = 1.12
SATURDAY: Final = 5
DAYS_LOOKED: Final = 7
CELL_M: Final = 900
"""The hexagon that stands for a cell whose shape nobody knows."""


class Area(NamedTuple):
    """What people are counted by: a county, or whatever a file of places calls its areas.

    `city_id` is "" where the region knows no such county; `at` is a point in it.
    """

    county_id: str
    name: Name
    city_id: str
    at: Spot


class Offer(NamedTuple):
    """Places with people that a node keeps.

    `is_own` are its own, no other member's. `refused` is why nobody can be counted by them, None
    where that is not known of any reason.
    """

    kept: KeptEntry
    is_own: bool
    refused: Refused | None

    @property
    def name(self) -> str:
        """What an address calls them."""
        return f"{self.kept.member_id}/{self.kept.entry.id}"


class Atlas(NamedTuple):
    """A region that can be asked: `counties` in the order of `areas`, those that have places.

    `box` is west, south, east and north of what can be asked about. `counted` is the entry that
    the places came from, None where they are the region's own modelled cells; `offered` are those
    that one can choose beside them. `passed` is why others were not taken that come before these
    where nobody chooses.
    """

    region: Region
    named: tuple[Named, ...]
    outline: tuple[MultiPolygon, ...]
    counties: tuple[Area, ...]
    cities: tuple[City, ...]
    people: Int64
    areas: Areas
    cells: Cells
    box: tuple[float, float, float, float]
    counted: Entry | None = None
    offered: tuple[Offer, ...] = ()
    passed: tuple[Refused, ...] = ()

    @property
    def facts(self) -> Facts:
        """The region's tables."""
        return self.region.facts

    @property
    def places(self) -> Places:
        """Its cells, or the places that stand for them."""
        return self.region.places

    @property
    def is_modelled(self) -> bool:
        """Whether nobody counted its people where they are."""
        return self.counted is None or self.counted.modelled

    @property
    def people_key(self) -> str:
        """What tells one sort of people from another: "" are the region's own cells."""
        return "" if self.counted is None else canonical.digest(canonical.encode(self.counted))


class Prepared(NamedTuple):
    """A day that can be asked: by the day's network, or by car where there are `roads`.

    `years` are those that its timetable's figures speak of, ascending; () of real timetables.
    `credits` say whose feeds are in it, "" where there are none.
    """

    base: Base
    ready: Ready
    roads: RoadReady | None
    lines: tuple[Line, ...]
    years: tuple[int, ...]
    credits: str = ""

    @property
    def is_typical(self) -> bool:
        """Whether its trains are a region's typical figures, no timetable."""
        return bool(self.base.used)

    @property
    def day(self) -> date:
        """The service day."""
        return self.base.day

    @property
    def side(self) -> Side:
        """What is asked."""
        return self.ready if self.roads is None else self.roads


def atlas_of(folder: Path, zone: str) -> Atlas | None:
    """Return the atlas of a region pack, None where it brings no geography.

    Refuses as `study.region.load` does.
    """
    if not (folder / GEOGRAPHY / OUTLINE_FILE).is_file():
        return None
    region = load(folder / GEOGRAPHY, zone)
    places, facts = region.places, region.facts
    assert places.population is not None, "a region's cells have people"
    of_id = {each.county_id: each for each in facts.counties}
    areas = areas_of(places.area_ids, {each: of_id[each].name.zh for each in of_id})
    lon, lat = places.points.lon, places.points.lat
    return Atlas(
        region,
        named_places(facts),
        tuple(MultiPolygon(each.polygons) for each in region.outline.divisions),
        tuple(_area_of(of_id[each]) for each in areas.ids),
        facts.cities,
        places.population,
        areas,
        grid_cells(lon, lat) or AssumedCells(lon, lat, CELL_M),
        (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())),
    )


def _area_of(county: County) -> Area:
    assert county.at is not None, "a county with cells has a point"
    return Area(county.county_id, county.name, county.city_id, Spot(county.at.lon, county.at.lat))


class Kept(NamedTuple):
    """What a node keeps for its own map: the entries of its bundles, and where they lie.

    `digests` tell one state of them from another.
    """

    entries: tuple[KeptEntry, ...]
    home: Home

    @property
    def feeds(self) -> tuple[KeptEntry, ...]:
        """Its feeds."""
        return self._of_kind("feed")

    @property
    def places(self) -> tuple[KeptEntry, ...]:
        """Its places."""
        return self._of_kind("places")

    @property
    def digests(self) -> tuple[str, ...]:
        """What the day's picture depends on: feeds and rule books, how they are read, whose."""
        kinds = {"feed", "processes"}
        entries = (each.entry for each in self.entries if each.entry.kind in kinds)
        return tuple(canonical.digest(canonical.encode(each)) for each in entries)

    def _of_kind(self, kind: EntryKind) -> tuple[KeptEntry, ...]:
        return tuple(each for each in self.entries if each.entry.kind == kind)


def prepared_day(atlas: Atlas, on: date, kept: Kept) -> Prepared:
    """Compile a day as it is; refuses as `base_on` and `ready_of` do, and as `day_of_feeds`."""
    base, entries = _today(atlas, on, kept)
    return _prepared(atlas, base, "transit", entries)


def prepared_roads(atlas: Atlas, on: date) -> Prepared:
    """Make a day's trunk roads ready to be driven; refuses as `base_on` does."""
    return _prepared(atlas, base_on(atlas.region, on), "car", ())


def prepared_scenario(
    atlas: Atlas, scenario: Scenario, on: date, kept: Kept
) -> tuple[Prepared, Prepared]:
    """Compile the day that a scenario changes, and the day as changed.

    `on` is the day of a scenario that names none; it changes what the node keeps, if it keeps
    feeds. Refuses as `applied` does, naming lines.
    """
    base, entries = (
        _today(atlas, on, kept) if scenario.base_on is None else _facts_on(atlas, scenario.base_on)
    )
    after = applied(base, scenario)
    mode = scenario.mode
    return _prepared(atlas, base, mode, entries), _prepared(atlas, after, mode, entries)


def _facts_on(atlas: Atlas, on: date) -> tuple[Base, tuple[Entry, ...]]:
    return base_on(atlas.region, on), ()


def _today(atlas: Atlas, on: date, kept: Kept) -> tuple[Base, tuple[Entry, ...]]:
    if not kept.feeds:
        return _facts_on(atlas, on)
    day = day_of_feeds(kept.feeds, on)
    read = kept_study_inputs(kept.entries, kept.home, day)
    processes = read.processes if read.processes.books else None
    base = base_of_feeds(atlas.region, day, read.feeds, processes)
    return base, read.entries


def day_of_feeds(feeds: Sequence[KeptEntry], on: date) -> date:
    """Return the working day nearest to a day on which all feeds run.

    Refuses BUNDLE_ERAS where there is none: timetables of two eras do not mix in silence.
    """
    common = common_days(each.entry for each in feeds)
    if common is None:
        raise Refused("BUNDLE_ERAS", day=on.isoformat(), spans=spans(feeds))
    first, last = (date.fromisoformat(each) for each in common)
    near = min(max(on, first), last)
    for days in range(DAYS_LOOKED):
        for day in (near - timedelta(days), near + timedelta(days)):
            if first <= day <= last and day.weekday() < SATURDAY:
                return day
    return near


def _prepared(atlas: Atlas, base: Base, mode: str, entries: tuple[Entry, ...]) -> Prepared:
    by_car = mode == "car" and base.roads is not None
    own = () if atlas.counted is None else (atlas.counted,)
    return Prepared(
        base,
        ready_of(atlas.region, base, said=said_of((*entries, *own))),
        roads_of(atlas.region, base, said=said_of(own)) if by_car else None,
        _roads(base.roads)
        if by_car and base.roads is not None
        else tuple(line for feed in base.feeds for line in _lines(feed)),
        # Of trains: of roads nobody says more than by when they were open.
        () if by_car else tuple(sorted({year for used in base.used for year in used.years})),
        dict(said_of(entries)).get("credits", ""),
    )


def _roads(roads: RoadDay) -> tuple[Line, ...]:
    """Return the trunk roads as they are drawn, each stretch once."""
    lon, lat = roads.lon.tolist(), roads.lat.tolist()
    start, to = roads.links.start.tolist(), roads.links.to.tolist()
    return tuple(
        Line("road", ((lon[one], lat[one]), (lon[other], lat[other])))
        for one in range(len(lon))
        for other in to[start[one] : start[one + 1]]
        if one < other
    )


def _lines(feed: Feed) -> list[Line]:
    """Return a feed's lines as they are drawn: a city's by route, railways by stretch.

    Expresses pass most stations, and the straight way of each between two calls would cover a map
    with rays; so of railways those stretches are drawn that no slower train's calls lead along.
    """
    start, stops = feed.trips.start.tolist(), feed.calls.stop.tolist()
    lon, lat = feed.stops.lon.tolist(), feed.stops.lat.tolist()
    trips: dict[int, set[tuple[int, ...]]] = {}
    ways: set[tuple[int, int]] = set()
    for trip, route in enumerate(feed.trips.route.tolist()):
        calls = tuple(stops[start[trip] : start[trip + 1]])
        if mode_of(int(feed.routes.mode[route])) == "rail":
            ways |= {(min(way), max(way)) for way in pairwise(calls)}
        else:
            trips.setdefault(route, set()).add(min(calls, calls[::-1]))
    found = [Line("rail", way) for way in stretches({way: _ends(way, lon, lat) for way in ways})]
    for _, calls_of in sorted(trips.items()):
        seen: list[frozenset[int]] = []
        for calls in sorted(calls_of, key=lambda each: (-len(each), each)):
            if not any(frozenset(calls) <= each for each in seen):
                seen.append(frozenset(calls))
                found.append(Line("metro", tuple((lon[at], lat[at]) for at in calls)))
    return found


def _ends(way: tuple[int, int], lon: list[float], lat: list[float]) -> Ends:
    return (lon[way[0]], lat[way[0]]), (lon[way[1]], lat[way[1]])


def stretches(ways: Mapping[tuple[int, int], Ends]) -> list[Ends]:
    """Return those ways, the shortest first, that shorter ones do not lead along.

    A way is led along where the others get from one end to the other with a detour of at most
    `DETOUR`: a greedy spanner (Althoefer et al. 1993).
    """
    ordered = sorted(ways, key=lambda way: (_apart(*ways[way]), way))
    beside: dict[int, list[tuple[int, float]]] = {}
    kept = []
    for one, other in ordered:
        apart = _apart(*ways[one, other])
        if not _is_led(beside, one, other, DETOUR * apart):
            beside.setdefault(one, []).append((other, apart))
            beside.setdefault(other, []).append((one, apart))
            kept.append(ways[one, other])
    return kept


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    shrink = math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot((one[0] - other[0]) * shrink, one[1] - other[1])


def _is_led(
    beside: Mapping[int, list[tuple[int, float]]], start: int, end: int, most: float
) -> bool:
    waiting, done = [(0.0, start)], set()
    while waiting:
        so_far, at = heapq.heappop(waiting)
        if at == end:
            return True
        if at in done:
            continue
        done.add(at)
        for other, apart in beside.get(at, ()):
            if so_far + apart <= most:
                heapq.heappush(waiting, (so_far + apart, other))
    return False
