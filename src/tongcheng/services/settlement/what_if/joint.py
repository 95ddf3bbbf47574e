"""One numbering of places for two plans, so that a file is read once and judged twice (pure).

The reader asks for the place of a division and scheme, and for the pair of two divisions. Here it
is given a number of our own, beside which stands what each of the plans says, and which groups the
row belongs to. A place that only one of the plans knows is a fault under the other one.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import RegionPack
from tongcheng.services.settlement.batch.arrays import NONE, VOID, Events
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.rules import LEVELS, PERSON_TYPES
from tongcheng.services.settlement.what_if.loops import mark_persons
from tongcheng.services.settlement.what_if.measures import AGE_FROM, AGE_MAX, age_band
from tongcheng.services.settlement.what_if.sums import Layout

NOT_KNOWN: Final = ""
"""The key of those whose group is not known."""
ELSEWHERE: Final = "elsewhere"
"""The key of hospitals in no area of the region."""


class _Placed(NamedTuple):
    """What a plan says of a place: its number there, or the code of its fault."""

    place: int
    fault: int


class Joint:
    """The places and pairs of two plans; a `Places` for the reader.

    The groups are the same for every part of a file: they follow from the plans and the region.
    """

    def __init__(self, old: Plan, new: Plan, region: RegionPack | None) -> None:
        self.plans = (old, new)
        self._region = region
        decided = [place for plan in self.plans for place in plan.places]
        areas = sorted({place.area_id for place in decided})
        schemes = sorted({place.scheme for place in decided})
        visited = sorted({*areas, *_areas(region)})
        ages = [f"{year}" for year in AGE_FROM]
        keys = (
            ("all",),
            (*areas, NOT_KNOWN),
            (*schemes, NOT_KNOWN),
            (*PERSON_TYPES, NOT_KNOWN),
            (*visited, ELSEWHERE, NOT_KNOWN),
            (*ages, NOT_KNOWN),
            (*map(str, LEVELS), NOT_KNOWN),
        )
        self.layout = Layout(keys)
        self._differs_elsewhere = _elsewhere(old) != _elsewhere(new)
        self._differs: list[bool] = []
        self._decided = {(place.area_id, place.scheme) for place in decided}
        self._places: dict[tuple[str, str], int] = {}
        self._placed: list[tuple[_Placed, _Placed]] = []
        self._groups: list[tuple[int, int]] = []
        self._pairs: dict[tuple[int, int, int], int] = {}
        self._paired: list[tuple[int, int, int]] = []

    def place_of(self, admdvs: str, scheme: str) -> int:
        """Return our number of a place.

        Refuses as `Plan.place_of`, where neither plan knows it.
        """
        area = self._area_of(admdvs)
        if area is None or (area, scheme) not in self._decided:
            return self.plans[0].place_of(admdvs, scheme)  # refuses
        return self._known(area, scheme)

    def _known(self, area: str, scheme: str) -> int:
        found = self._places.get((area, scheme))
        if found is None:
            old, new = (_placed(plan, area, scheme) for plan in self.plans)
            insured, schemes = self.layout.keys[1], self.layout.keys[2]
            found = self._places[area, scheme] = len(self._placed)
            self._placed.append((old, new))
            self._differs.append(
                self._differs_elsewhere or _rules(self.plans[0], old) != _rules(self.plans[1], new)
            )
            self._groups.append((insured.index(area), schemes.index(scheme)))
        return found

    def place_in(self, area_id: str) -> int:
        """Return our number of some place of an area, NONE where there is none.

        Whose year an opening belongs to follows from the area alone.
        """
        for plan in self.plans:
            for place in plan.places:
                if place.area_id == area_id:
                    return self._known(area_id, place.scheme)
        return NONE

    def pair_of(self, insured: str, visited: str | None) -> int:
        """Return our number of a pair of divisions, never less than 1.

        0 is what the reader puts where the division that insures is none.
        """
        old, new = (plan.pair_of(insured, visited) for plan in self.plans)
        return self._pair((old, new, self._visited(visited)))

    def filed_pair_of(self, visited: str) -> int:
        """Return our number of a hospital's division where it is known how the stay was filed."""
        return self._pair((NONE, NONE, self._visited(visited)))

    def _visited(self, admdvs: str | None) -> int:
        keys = self.layout.keys[4]
        area = NOT_KNOWN if admdvs is None else self._area_of(admdvs) or ELSEWHERE
        return keys.index(area if area in keys else ELSEWHERE)

    def _pair(self, key: tuple[int, int, int]) -> int:
        if key not in self._pairs:
            self._paired.append(key)
            self._pairs[key] = len(self._paired)
        return self._pairs[key]

    def _area_of(self, admdvs: str) -> str | None:
        if self._region is None:
            return admdvs
        try:
            return self._region.area_of(admdvs, "settlement").id
        except Refused:
            return None

    def events_of(self, events: Events, side: int) -> Events:
        """Return events as the plan of one side (0 old, 1 new) numbers them."""
        place = np.array([*(each[side].place for each in self._placed), NONE], np.int16)
        fault = np.array([*(each[side].fault for each in self._placed), 0], np.int16)
        pair = np.array([NONE, *(each[side] for each in self._paired)], np.int32)
        told = events.fault
        if fault.any():
            unplaced = (told == 0) & (events.kind != VOID)
            told = np.where(unplaced, fault[events.place], told)
        return events._replace(place=place[events.place], pair=pair[events.pair], fault=told)

    def concerned(self, events: Events) -> NDArray[np.bool_]:
        """Return the rows of persons of whom the two plans may judge a row differently.

        Whom they judge by the same versions on the same days they judge alike, row after row.
        """
        differs = np.array([*self._differs, False])
        found = np.empty(events.place.size, np.bool_)
        mark_persons(events.person, events.place, differs, found)
        return found

    def groups_of(self, events: Events, age: NDArray[np.int16] | None) -> NDArray[np.int16]:
        """Return the group of each row in every dimension, dimensions × rows."""
        keys, starts = self.layout.keys, self.layout.starts
        unknown = [len(each) - 1 for each in keys]
        area = np.array([*(each[0] for each in self._groups), unknown[1]], np.int16)
        scheme = np.array([*(each[1] for each in self._groups), unknown[2]], np.int16)
        visited = np.array([unknown[4], *(each[2] for each in self._paired)], np.int16)
        bands = np.array([age_band(year) for year in (*range(AGE_MAX + 1), NONE)], np.int16)
        found = np.empty((len(keys), events.kind.size), np.int16)
        found[0] = 0
        found[1] = area[events.place]
        found[2] = scheme[events.place]
        found[3] = _words(events.person_type, unknown[3])
        found[4] = visited[events.pair]
        found[5] = unknown[5] if age is None else bands[np.clip(age, NONE, AGE_MAX)]
        found[6] = _words(events.hospital_level, unknown[6])
        found += np.array(starts, np.int16)[:, None]
        return found


def _placed(plan: Plan, area: str, scheme: str) -> _Placed:
    for number, place in enumerate(plan.places):
        if (place.area_id, place.scheme) == (area, scheme):
            return _Placed(number, 0)
    return _Placed(NONE, CODE_OF["AREA_WITHOUT_RULE_BOOK"])


def _rules(plan: Plan, placed: _Placed) -> list[tuple[str, int, int]]:
    """Return by what a place is judged: the digests of its versions, and their days."""
    if placed.place == NONE:
        return []
    place = plan.places[placed.place]
    versions = plan.versions[place.begin : place.end]
    return [(each.tables.digest, each.from_on, each.to_on) for each in versions]


def _elsewhere(plan: Plan) -> tuple[object, ...]:
    """Return by what a stay elsewhere counts as filed, whoever is insured where."""
    versions = [(each.terms, each.from_on, each.to_on) for each in plan.overlays]
    return versions, plan.between


def _areas(region: RegionPack | None) -> list[str]:
    members = () if region is None else region.members
    return [area.id for each in members if "settlement" in each.services for area in each.areas]


def _words(places: NDArray[np.int8], unknown: int) -> NDArray[np.int16]:
    known = (places >= 0) & (places < unknown)
    return np.where(known, places, np.int8(unknown)).astype(np.int16)
