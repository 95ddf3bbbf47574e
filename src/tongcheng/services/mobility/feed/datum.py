"""Which datum a feed's places are in, WGS-84 as GTFS asks for or GCJ-02, and making them WGS-84.

Coordinates do not tell by themselves: GCJ-02 is WGS-84 moved by some hundred metres. It takes
places known in WGS-84. Each stop that one of them is called like is away from it by some vector;
projected on the vector by which GCJ-02 moves that place it is about 1 of it in GCJ-02, and about 0
in WGS-84. Where a station's point was put scatters in all directions, so the median of a few tells.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from tongcheng.services.mobility.feed import gcj02
from tongcheng.services.mobility.feed.legs import metres
from tongcheng.services.mobility.numbers import Bool, Float64

Datum = Literal["wgs84", "gcj02"]
Asked = Literal["wgs84", "gcj02", "detect"]

MATCHES_LEAST: Final = 5
"""Of fewer stops the median could be the place of somebody's pin."""
MATCH_M: Final = 3_000.0
"""Two stations of one name further apart are two; GCJ-02 moves by less than 800 m."""
NEAR_MOST_M: Final = 400
"""References that lie further off than this either way are of other things of the same name."""
SHARE_GCJ02: Final = 0.75
SHARE_WGS84: Final = 0.25
MAINLAND_ZONES: Final = frozenset(
    ("Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin",
     "Asia/Kashgar", "PRC")
)  # fmt: skip
_DECIMALS: Final = 7
"""A centimetre. Sines differ in their last digit from one machine to another; rounded, places and
all that is computed from them are the same on each."""
_NOISE: Final = str.maketrans("", "", " \u3000()（）·")


class Reference(NamedTuple):
    """A place known in WGS-84, degrees."""

    name: str
    lon: float
    lat: float


class Evidence(msgspec.Struct, frozen=True):
    """What a feed's datum was told by.

    `datum` is what its places were in, None if unknown. `matches` stops were compared; `share` is
    the median part of GCJ-02's offset that they were away by; `raw_m` and `converted_m` are how far
    they were from the references as they came, and taken as GCJ-02 (medians, metres).
    """

    datum: Datum | None
    asked: Asked
    matches: int = 0
    share: float | None = None
    raw_m: int | None = None
    converted_m: int | None = None


def plain_name(name: str) -> str:
    """Return a station's name without what one publisher writes and another does not."""
    short = name.translate(_NOISE).casefold()
    return short.removesuffix("地铁站").removesuffix("火车站").removesuffix("站") or short


def told(
    asked: Asked, names: Sequence[str], lon: Float64, lat: Float64, references: Sequence[Reference]
) -> Evidence:
    """Tell the datum of places; what somebody says by `asked` stands, with the evidence beside."""
    by_name: dict[str, list[Reference]] = {}
    for each in references:
        by_name.setdefault(plain_name(each.name), []).append(each)
    stops, found = _matched(names, lon, lat, by_name)
    if not stops:
        # Where GCJ-02 moves nothing there is nothing to ask.
        unasked: Datum | None = None if gcj02.in_box(lon, lat).any() else "wgs84"
        return Evidence(unasked if asked == "detect" else asked, asked)
    at_lon, at_lat = lon[stops], lat[stops]
    to_lon, to_lat = np.array([each[1:] for each in found], np.float64).T
    straight_lon, straight_lat = gcj02.to_wgs84(at_lon, at_lat)
    share = float(np.median(_share(to_lon, to_lat, at_lon, at_lat)))
    raw_m, converted_m = (
        round(float(np.median(metres(each_lon, each_lat, to_lon, to_lat))))
        for each_lon, each_lat in ((at_lon, at_lat), (straight_lon, straight_lat))
    )
    datum: Datum | None = None if asked == "detect" else asked
    if asked == "detect" and len(stops) >= MATCHES_LEAST and min(raw_m, converted_m) <= NEAR_MOST_M:
        if share >= SHARE_GCJ02:
            datum = "gcj02"
        elif share <= SHARE_WGS84:
            datum = "wgs84"
    return Evidence(datum, asked, len(stops), round(share, 2), raw_m, converted_m)


def _matched(
    names: Sequence[str], lon: Float64, lat: Float64, by_name: dict[str, list[Reference]]
) -> tuple[list[int], list[Reference]]:
    """Return stops inside GCJ-02's box with the one reference near them that is called alike.

    Of several stops of one name the first: a station's platforms are one piece of evidence.
    """
    inside = gcj02.in_box(lon, lat)
    stops: list[int] = []
    found: list[Reference] = []
    seen: set[str] = set()
    for row, name in enumerate(map(plain_name, names)):
        if not inside[row] or name in seen or name not in by_name:
            continue
        near = [each for each in by_name[name] if _apart_m(lon[row], lat[row], each) <= MATCH_M]
        if near:
            seen.add(name)
            stops.append(row)
            found.append(min(near, key=lambda each: _apart_m(lon[row], lat[row], each)))
    return stops, found


def _apart_m(lon: float, lat: float, place: Reference) -> float:
    one, other = np.array([[lon, lat], [place.lon, place.lat]])
    return float(metres(one[:1], one[1:], other[:1], other[1:])[0])


def _share(lon: Float64, lat: Float64, at_lon: Float64, at_lat: Float64) -> Float64:
    """Return which part of GCJ-02's offset at a place lies between it and where it is said to be.

    In degrees shortened to those of latitude, so that both axes count alike.
    """
    moved_lon, moved_lat = gcj02.from_wgs84(lon, lat)
    shorter = np.cos(np.radians(lat))
    east, north = (moved_lon - lon) * shorter, moved_lat - lat
    away_east, away_north = (at_lon - lon) * shorter, at_lat - lat
    return np.asarray((away_east * east + away_north * north) / (east * east + north * north))


def is_doubtful(evidence: Evidence, zone: str, lon: Float64, lat: Float64) -> bool:
    """Tell whether places of an unknown datum could be GCJ-02: in mainland China alone."""
    inside: Bool = gcj02.in_box(lon, lat)
    return evidence.datum is None and zone in MAINLAND_ZONES and bool(inside.any())


def as_wgs84(evidence: Evidence, lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Return places in WGS-84; moved only where they are known to be in GCJ-02."""
    if evidence.datum != "gcj02":
        return lon, lat
    lon, lat = gcj02.to_wgs84(lon, lat)
    return np.round(lon, _DECIMALS), np.round(lat, _DECIMALS)
