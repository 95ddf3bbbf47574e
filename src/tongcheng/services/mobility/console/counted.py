"""The places that a node keeps, as people of its map: a region with them.

They stand for the region's modelled cells altogether: nothing of the two is ever added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle.model import Entry
from tongcheng.services.mobility.bundle.records import KeptEntry
from tongcheng.services.mobility.console.atlas import Area, Atlas, Kept
from tongcheng.services.mobility.console.offers import read_people
from tongcheng.services.mobility.console.query import shown
from tongcheng.services.mobility.facts.model import Facts, Name
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.study.circle import Areas, areas_of
from tongcheng.services.mobility.study.reach import Spot
from tongcheng.services.mobility.zones import cells_of_places


def named(kept: Kept, name: str) -> KeptEntry:
    """Return kept places by `MEMBER/ID`, or by `ID` where that is one file.

    Raises:
        Refused: MOBILITY_PEOPLE_UNKNOWN, with those that there are.
    """
    member, slash, entry_id = name.rpartition("/")
    found = [
        each
        for each in kept.places
        if each.entry.id == entry_id and (not slash or each.member_id == member)
    ]
    if len({(each.entry.sha256, each.entry.form) for each in found}) != 1:
        known = ", ".join(f"{each.member_id}/{each.entry.id}" for each in kept.places) or "–"
        raise Refused("MOBILITY_PEOPLE_UNKNOWN", people=shown(name), known=known)
    return found[0]


def with_people(atlas: Atlas, chosen: KeptEntry, home: Home) -> Atlas:
    """Return a region with the people of kept places.

    Refuses as `offers.read_people` does.
    """
    read, entry = read_people(chosen, home), chosen.entry
    places = read.places
    areas = _areas(atlas.facts, places, entry)
    lon, lat = places.points.lon, places.points.lat
    west, south, east, north = atlas.box
    return atlas._replace(
        region=atlas.region._replace(
            places=places,
            places_digest=entry.sha256,
            places_id=entry.id,
            people_said=_said(entry),
        ),
        counties=tuple(_counties(atlas.facts, places, areas)),
        people=read.people,
        areas=areas,
        cells=cells_of_places(places.points, read.areas),
        box=(
            min(west, float(lon.min())),
            min(south, float(lat.min())),
            max(east, float(lon.max())),
            max(north, float(lat.max())),
        ),
        counted=entry,
    )


def _said(entry: Entry) -> str:
    """Return what a method says of who lives where."""
    how = "modelled by who published it" if entry.modelled else "as counted by who published it"
    return f"{how}: {entry.name}, {entry.attribution or entry.source} ({entry.licence})"


def _areas(facts: Facts, places: Places, entry: Entry) -> Areas:
    """Return the areas that places name; of one that names none, that of the nearest county point.

    Without any county they are all of one area, called as the entry is.
    """
    ids = list(places.area_ids)
    blank = np.array([not each for each in ids], np.bool_)
    if blank.any():
        points = Points(places.points.lon[blank], places.points.lat[blank])
        near = _nearest(facts, points)
        for at, row in enumerate(np.flatnonzero(blank).tolist()):
            ids[row] = near[at] if near else entry.id
    return areas_of(ids, {each.county_id: each.name.zh for each in facts.counties})


def _nearest(facts: Facts, points: Points) -> list[str]:
    """Return the county whose point is the nearest to each point; [] where none has a point."""
    counties = [(each.county_id, each.at) for each in facts.counties if each.at is not None]
    if not counties:
        return []
    shrink = np.cos(np.radians((points.lat.min() + points.lat.max()) / 2))
    least = np.full(len(points.lon), np.inf)
    found = np.zeros(len(points.lon), np.int64)
    for number, (_, at) in enumerate(counties):
        apart = ((points.lon - at.lon) * shrink) ** 2 + (points.lat - at.lat) ** 2
        nearer = apart < least
        found[nearer], least[nearer] = number, apart[nearer]
    return [counties[number][0] for number in found.tolist()]


def _counties(facts: Facts, places: Places, areas: Areas) -> Iterator[Area]:
    """Yield each area as a table names it, with a point of its own or its most peopled place."""
    known = {each.county_id: each for each in facts.counties}
    assert places.population is not None, "people are counted"
    most = _most_peopled(areas, places.population)
    for number, area_id in enumerate(areas.ids):
        county = known.get(area_id)
        name = Name(shown(area_id), "") if county is None else county.name
        city_id = "" if county is None else county.city_id
        if county is not None and county.at is not None:
            at = Spot(county.at.lon, county.at.lat)
        else:
            row = most[number]
            at = Spot(float(places.points.lon[row]), float(places.points.lat[row]))
        yield Area(area_id, name, city_id, at)


def _most_peopled(areas: Areas, people: Int64) -> list[int]:
    """Return for each area the row with the most people, of equals the first."""
    order = np.lexsort((-people, areas.area))
    _, first = np.unique(areas.area[order], return_index=True)
    rows: Iterable[int] = order[first].tolist()
    return list(rows)
