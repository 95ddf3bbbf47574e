"""What kind of vehicle a route is, of GTFS's many.

`route_type` and its extension ("Extended GTFS Route Types", Google Transit, after TPEG) in eight
groups, which rule books name.
"""

from __future__ import annotations

from typing import Final, Literal

Mode = Literal["rail", "metro", "tram", "bus", "ferry", "cable", "air", "other"]

MODES: Final[tuple[Mode, ...]] = (
    "rail",
    "metro",
    "tram",
    "bus",
    "ferry",
    "cable",
    "air",
    "other",
)
"""In the order in which a stop that serves several is taken to be of the first."""

_BASIC: Final[dict[int, Mode]] = {
    0: "tram",
    1: "metro",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "tram",
    6: "cable",
    7: "cable",
    11: "bus",
    12: "metro",
}
_HUNDREDS: Final[dict[int, Mode]] = {
    1: "rail",
    2: "bus",
    3: "rail",
    4: "metro",
    5: "metro",
    6: "metro",
    7: "bus",
    8: "bus",
    9: "tram",
    10: "ferry",
    11: "air",
    12: "ferry",
    13: "cable",
    14: "cable",
}


def mode_of(route_type: int) -> Mode:
    """Return the group of a route_type; what nobody has defined is `other`."""
    if route_type in _BASIC:
        return _BASIC[route_type]
    return _HUNDREDS.get(route_type // 100, "other")
