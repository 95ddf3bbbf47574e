"""What OpenStreetMap's tags say of a way: may one walk or drive along it, which way, how fast.

After Key:highway and OSM tags for routing/Access restrictions in the wiki of OpenStreetMap.
Speeds are design speeds, without traffic, lights or turns: the least that a ride takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

Profile = Literal["foot", "car"]

FOOT: Final = frozenset({
    "footway", "path", "pedestrian", "steps", "corridor", "platform", "living_street",
    "residential", "service", "unclassified", "road", "track", "cycleway", "bridleway",
    "tertiary", "tertiary_link", "secondary", "secondary_link", "primary", "primary_link",
})  # fmt: skip
"""highway=* that one may walk along unless another tag forbids it."""
FOOT_IF_SAID: Final = frozenset({"trunk", "trunk_link", "motorway", "motorway_link", "busway"})
"""highway=* that one may walk along only where foot=* or sidewalk=* says so."""

CAR_KM_PER_H: Final[Mapping[str, int]] = {
    "motorway": 100,
    "trunk": 80,
    "primary": 60,
    "secondary": 50,
    "tertiary": 40,
    "unclassified": 30,
    "residential": 30,
    "road": 30,
    "motorway_link": 40,
    "trunk_link": 40,
    "primary_link": 30,
    "secondary_link": 30,
    "tertiary_link": 30,
    "service": 20,
    "living_street": 15,
}
"""Design speed by highway=* where maxspeed=* says none: of highways within JTG B01-2014 (120, 100,
80, 60), of a city's roads within CJJ 37-2012 (expressways 60 to 100, arterials 40 to 60, secondary
30 to 50, branch roads 20 to 40)."""

SPEED_KM_PER_H_MAX: Final = 130
_YES: Final = frozenset({"yes", "designated", "permissive", "public", "official", "destination",
                         "customers", "permit"})  # fmt: skip
_NO: Final = frozenset({"no", "private", "agricultural", "forestry", "military", "emergency",
                        "delivery", "use_sidepath"})  # fmt: skip
_SIDEWALK: Final = frozenset({"yes", "both", "left", "right"})
_MAXSPEED: Final = re.compile(r"([0-9]{1,3})( ?(km/h|mph))?")
_KM_PER_MILE: Final = 1.609344

Tags = Callable[[str], str | None]


class Passable(NamedTuple):
    """That one may go along a way, in its direction and against it; `speed_km_per_h` 0 on foot."""

    forward: bool
    backward: bool
    speed_km_per_h: int


def passable(tags: Tags, profile: Profile) -> Passable | None:
    """Return how one may go along a way, None if one may not."""
    return _on_foot(tags) if profile == "foot" else _by_car(tags)


def _on_foot(tags: Tags) -> Passable | None:
    """Return where one may walk: in both directions, whatever holds for vehicles."""
    highway, foot = tags("highway"), tags("foot")
    said = foot in _YES or (foot is None and tags("sidewalk") in _SIDEWALK)
    if highway not in FOOT and not (highway in FOOT_IF_SAID and said):
        return None
    if foot in _NO or (tags("access") in _NO and not said):
        return None
    return Passable(forward=True, backward=True, speed_km_per_h=0)


def _by_car(tags: Tags) -> Passable | None:
    highway = tags("highway") or ""
    design = CAR_KM_PER_H.get(highway)
    if design is None or tags("area") == "yes":
        return None
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        allowed = tags(key)
        if allowed in _YES:
            break
        if allowed in _NO or (allowed is not None and key == "access" and allowed == "bus"):
            return None
    oneway = tags("oneway")
    if oneway is None and (highway == "motorway" or tags("junction") in ("roundabout", "circular")):
        oneway = "yes"
    speed = _speed(tags("maxspeed")) or design
    against = oneway in ("-1", "reverse")
    along = oneway in ("yes", "true", "1")
    return Passable(forward=not against, backward=not along, speed_km_per_h=speed)


def _speed(maxspeed: str | None) -> int:
    """Return a speed limit in km/h, 0 where none can be read."""
    found = _MAXSPEED.fullmatch(maxspeed or "")
    if found is None:
        return 0
    speed = int(found[1])
    if found[3] == "mph":
        speed = round(speed * _KM_PER_MILE)
    return min(speed, SPEED_KM_PER_H_MAX)
