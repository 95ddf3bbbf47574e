"""Region packs: which jurisdictions neighbour each other, which organisations act for them.

A pack is data (`regions/<name>/pack.yaml`); nothing in the code knows a city. A person or a
hospital is placed by its `admdvs` (医保区划, the six-digit division code of health insurance):
the longest matching prefix names the member that answers for it and the pooling area (统筹区)
whose rule books, accumulators and purses apply. A division that no area covers is refused by
name; it is never given its neighbour's rules.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec

from tongcheng.kernel import yaml_file
from tongcheng.kernel.calendar import WorkingDays
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.words import Words

PACKS_DIR = Path(__file__).parents[1] / "regions"
DIVISIONS_KEPT_MAX = 4_096
"""Who answers for a division is remembered; a country has some three thousand counties."""

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,6}$")]
Colour = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-f]{6}$")]
MARK_UNITS = 64
"""The side of the box in which the region's mark is drawn."""
Coordinate = Annotated[float, msgspec.Meta(ge=0, le=MARK_UNITS)]
Point = tuple[Coordinate, Coordinate]
Outline = Annotated[str, msgspec.Meta(pattern=r"^M[0-9.]+ [0-9. ]+Z$")]
"""One closed outline of straight lines, as SVG writes it: "M23 27 27 21 … 30.5Z"."""


class Jurisdiction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city or province: the place a colour and a short name stand for, on every page.

    `colour` is `#rrggbb`; `shape` is the outline of its part of the mark, drawn in a box of
    64 by 64 units (a sign, not a map: no border may be read off it). `at` is the point in it
    where lines from and to the place end.
    """

    id: Code
    name: Words
    short: Words
    colour: Colour
    shape: Outline
    at: Point

    @property
    def outline(self) -> tuple[tuple[float, float], ...]:
        """Return the corners of its shape, in order."""
        numbers = [float(each) for each in self.shape[1:-1].split()]
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pooling area (统筹区): the people who share one fund and one rule book."""

    id: Code
    name: Words
    prefixes: tuple[Prefix, ...]


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation that runs, or shares, a node: an insurance bureau, a commission."""

    id: Code
    jurisdiction: Code
    name: Words
    services: tuple[Code, ...]
    areas: tuple[Area, ...]


class HolidayYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One year's published days off (放假) and worked weekends (调休上班), with their source."""

    year: int
    holidays: tuple[date, ...]
    working_weekends: tuple[date, ...]
    src: str
    conf: str


class RegionPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Everything the code knows about a region. `zone` is an IANA time zone name."""

    id: Code
    name: Words
    zone: str
    jurisdictions: tuple[Jurisdiction, ...]
    members: tuple[Member, ...]
    calendar: tuple[HolidayYear, ...] = ()

    def member(self, member_id: str) -> Member:
        """Return a member by its code; refuses REGION_UNKNOWN_MEMBER."""
        for member in self.members:
            if member.id == member_id:
                return member
        raise Refused("REGION_UNKNOWN_MEMBER", member=member_id, region=self.id)

    def jurisdiction_of(self, member: Member) -> Jurisdiction:
        """Return the place a member acts for."""
        return next(place for place in self.jurisdictions if place.id == member.jurisdiction)

    def member_of(self, admdvs: str, service: str | None = None) -> Member:
        """Return the member that answers for a division code, by longest prefix.

        `service` chooses between organisations of one place (an insurance bureau runs
        settlement, a health commission recognition). Refuses REGION_UNKNOWN_AREA.
        """
        return self._covering(admdvs, service)[0]

    def area_of(self, admdvs: str, service: str | None = None) -> Area:
        """Return the pooling area of a division code, by longest prefix.

        Refuses REGION_UNKNOWN_AREA: an area that is not listed has no neighbour's rules.
        """
        return self._covering(admdvs, service)[1]

    def owners_of(self, admdvs: str, service: str | None = None) -> list[Member]:
        """Return who decides on the rules of a division: the member that answers for it.

        The rules of a wider division ("130000", or "000000" for the whole region) are decided on
        by every member that has an area in it, by each for itself. `service` chooses as in
        `member_of`.
        """
        try:
            return [self.member_of(admdvs, service)]
        except Refused:
            stem = admdvs
            while stem.endswith("00"):
                stem = stem[:-2]
        return [
            member
            for member in self.members
            if (service is None or service in member.services)
            and any(prefix.startswith(stem) for area in member.areas for prefix in area.prefixes)
        ]

    def area(self, area_id: str) -> Area:
        """Return a pooling area by its code; refuses REGION_UNKNOWN_AREA."""
        for _, area in self._areas(None):
            if area.id == area_id:
                return area
        raise Refused("REGION_UNKNOWN_AREA", admdvs=area_id, region=self.id)

    def working_days(self) -> WorkingDays:
        """Return the region's working days; a year that is not in the pack is refused there."""
        return WorkingDays(
            holidays=frozenset(each for year in self.calendar for each in year.holidays),
            working_weekends=frozenset(
                each for year in self.calendar for each in year.working_weekends
            ),
            known_years=frozenset(year.year for year in self.calendar),
        )

    def _areas(self, service: str | None) -> Iterator[tuple[Member, Area]]:
        for member in self.members:
            if service is None or service in member.services:
                for area in member.areas:
                    yield member, area

    def _covering(self, admdvs: str, service: str | None) -> tuple[Member, Area]:
        found = self._found.get((admdvs, service))
        if found is None:
            if len(self._found) >= DIVISIONS_KEPT_MAX:
                self._found.clear()
            found = self._found[admdvs, service] = self._find(admdvs, service)
        return found

    @cached_property
    def _found(self) -> dict[tuple[str, str | None], tuple[Member, Area]]:
        # A settlement asks ten times for the same two or three divisions.
        return {}

    def _find(self, admdvs: str, service: str | None) -> tuple[Member, Area]:
        best: tuple[int, Member, Area] | None = None
        for member, area in self._areas(service):
            for prefix in area.prefixes:
                if admdvs.startswith(prefix) and (best is None or len(prefix) > best[0]):
                    best = (len(prefix), member, area)
        if best is None:
            raise Refused("REGION_UNKNOWN_AREA", admdvs=admdvs, region=self.id)
        return best[1], best[2]


def load(name_or_path: str | Path) -> RegionPack:
    """Load a region pack by its name ("jingjinji") or from its folder or file.

    Refuses REGION_UNKNOWN when there is no such pack and REGION_MALFORMED when it is not a
    pack, saying where.
    """
    path = _pack_file(name_or_path)
    if not path.is_file():
        raise Refused("REGION_UNKNOWN", region=str(name_or_path))
    try:
        pack = msgspec.convert(yaml_file.load(path), RegionPack, strict=False)
    except (yaml_file.YamlFault, msgspec.ValidationError, UnicodeDecodeError) as fault:
        raise Refused("REGION_MALFORMED", region=str(name_or_path), where=str(fault)) from fault
    fault_found = _fault(pack)
    if fault_found is not None:
        raise Refused("REGION_MALFORMED", region=pack.id, where=fault_found)
    return pack


def _pack_file(name_or_path: str | Path) -> Path:
    if isinstance(name_or_path, str) and "/" not in name_or_path:
        return PACKS_DIR / name_or_path / "pack.yaml"
    path = Path(name_or_path)
    return path / "pack.yaml" if path.is_dir() else path


def _fault(pack: RegionPack) -> str | None:
    """Return what contradicts itself in a pack, or None."""
    places = [place.id for place in pack.jurisdictions]
    for what, ids in (
        ("jurisdiction", places),
        ("member", [member.id for member in pack.members]),
        ("area", [area.id for member in pack.members for area in member.areas]),
    ):
        twice = {each for each in ids if ids.count(each) > 1}
        if twice:
            return f"{what} {min(twice)} is listed twice"
    for place in pack.jurisdictions:
        where = _shape_fault(place)
        if where is not None:
            return f"jurisdiction {place.id}: {where}"
    for member in pack.members:
        if member.jurisdiction not in places:
            return f"member {member.id} is of {member.jurisdiction}, which is not listed"
    return _shared_prefix(pack)


def _shape_fault(place: Jurisdiction) -> str | None:
    try:
        corners = place.outline
    except ValueError:
        return "its shape is not a row of points"
    if any(not 0 <= value <= MARK_UNITS for corner in corners for value in corner):
        return "its shape leaves the box"
    return None if _is_inside(place.at, corners) else "`at` is not in its shape"


def _is_inside(point: tuple[float, float], corners: tuple[tuple[float, float], ...]) -> bool:
    """Tell whether a point lies in an outline: a line from it to the right cuts an odd number."""
    x, y = point
    is_inside = False
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
            is_inside = not is_inside
    return is_inside


def _shared_prefix(pack: RegionPack) -> str | None:
    """Two areas that run the same service may not claim the same prefix: who would answer?"""
    owner: dict[tuple[str, str], str] = {}
    for member in pack.members:
        for service in member.services:
            for area in member.areas:
                for prefix in area.prefixes:
                    first = owner.setdefault((service, prefix), area.id)
                    if first != area.id:
                        return f"prefix {prefix} is claimed by {first} and {area.id}"
    return None
