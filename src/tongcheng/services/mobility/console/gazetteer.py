"""The names by which a region's places are asked for, and the name of a point that was clicked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.console.query import shown
from tongcheng.services.mobility.facts.model import Facts, Name
from tongcheng.services.mobility.nearness import Points, distances_m
from tongcheng.services.mobility.study.reach import Spot

NEAR_M: Final = 800
"""A point is called by a station's name as far as people would: ten minutes on foot."""
OFFERED_MAX: Final = 6
"""Names that a refusal offers instead."""
Kind = Literal["rail", "metro", "city", "county"]
ENDINGS: Final = ("火车站", "高铁站", "地铁站", "站", " railway station", " station")


class Named(NamedTuple):
    """A place with a name: a station, a city's seat, a point in a county."""

    kind: Kind
    name: Name
    spot: Spot

    @property
    def is_station(self) -> bool:
        """Whether it is one; its name is then said with the word."""
        return self.kind in {"rail", "metro"}


def named_places(facts: Facts) -> tuple[Named, ...]:
    """Return every place with a name: railway stations first, then the others."""
    return tuple(_all(facts))


def _all(facts: Facts) -> Iterator[Named]:
    modes = {system.system_id: system.mode for system in facts.systems}
    for mode in ("rail", "metro"):
        for station in facts.stations:
            if modes[station.system_id] == mode:
                yield Named(mode, station.name, Spot(station.at.lon, station.at.lat))
    for city in facts.cities:
        yield Named("city", city.name, Spot(city.at.lon, city.at.lat))
    for county in facts.counties:
        if county.at is not None:
            yield Named("county", county.name, Spot(county.at.lon, county.at.lat))


def find(places: tuple[Named, ...], text: str) -> Named:
    """Return the place of a name, as people write it: with or without "站", in either language.

    A name that several have is the railway station's before the metro's, and that before a town's.

    Raises:
        Refused: MOBILITY_PLACE_UNKNOWN, MOBILITY_PLACE_SEVERAL.
    """
    asked = text.casefold().strip()
    bare = _bare(asked)
    for each in places:
        if {asked, bare} & _spellings(each):
            return each
    parts = [each for each in places if bare and any(bare in name for name in _spellings(each))]
    if not parts:
        raise Refused("MOBILITY_PLACE_UNKNOWN", place=shown(text))
    if len({each.name for each in parts}) > 1:
        offered = list(dict.fromkeys(each.name.zh for each in parts))[:OFFERED_MAX]
        raise Refused("MOBILITY_PLACE_SEVERAL", place=shown(text), names=", ".join(offered))
    return parts[0]


def nearest(places: tuple[Named, ...], spot: Spot) -> Named | None:
    """Return the station at a spot, None where none is near."""
    stations = [each for each in places if each.is_station]
    if not stations:
        return None
    lon = np.array([each.spot.lon for each in stations], np.float64)
    lat = np.array([each.spot.lat for each in stations], np.float64)
    here = Points(np.full(len(lon), spot.lon), np.full(len(lat), spot.lat))
    metres = distances_m(here, Points(lon, lat))
    least = int(np.argmin(metres))
    return stations[least] if metres[least] <= NEAR_M else None


def _spellings(named: Named) -> set[str]:
    names = {named.name.zh.casefold(), named.name.en.casefold()} - {""}
    return names | {_bare(name) for name in names} if named.is_station else names


def _bare(name: str) -> str:
    for ending in ENDINGS:
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name
