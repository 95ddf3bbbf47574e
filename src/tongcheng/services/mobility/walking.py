"""On foot: how fast, how far, and what knows the way.

A *feeder* knows how long the ways on foot are. Without streets it is the crow's flight, lengthened
by a detour factor and labelled so; `streets` has one that walks along OpenStreetMap's.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.nearness import Points, distances_m, near
from tongcheng.services.mobility.numbers import Int64

SPEED_M_PER_S: Final = 1.2
"""Walking speed (4.3 km/h) unless one is chosen: mean of all ages on pavements, between 1.0, by
which signals are timed, and 1.4 of healthy adults (Bohannon, Age and Ageing 26, 1997)."""

SPEED_MIN: Final = 0.1
SPEED_MAX: Final = 10.0
"""Metres a second beyond which nobody walks, and a figure was most likely of another unit."""

DETOUR: Final = 1.3
"""Way on foot over crow's flight unless one is chosen: 1.2 to 1.4 in connected streets (Boscoe,
Henry, Zdeb, Professional Geographer 64, 2012, found 1.4 by car)."""

LINKS_MAX: Final = 200_000_000
"""More ways than this are refused: with their rows they take 8 bytes each."""


class Feeder(Protocol):
    """What knows how long it takes on foot from some points to others."""

    @property
    def label(self) -> str:
        """What a map made of it must say about its ways."""

    def ways(self, origins: Points, to: Points, limit_s: int) -> Links:
        """Return the ways of at most `limit_s` seconds, each rounded once."""


class CrowFly(NamedTuple):
    """Straight ways: metres of the great circle times `detour`, at `speed_m_per_s`."""

    speed_m_per_s: float = SPEED_M_PER_S
    detour: float = DETOUR

    @property
    def label(self) -> str:
        """Say that no street was seen."""
        return f"crow fly x {self.detour:g} at {self.speed_m_per_s:g} m/s"

    def seconds(self, distance_m: np.ndarray) -> Int64:
        """Return what it takes to walk these distances, in whole seconds, half a second up."""
        exact = distance_m * self.detour / self.speed_m_per_s
        return np.asarray(np.floor(exact + 0.5), np.int64)

    def between(self, origins: Points, to: Points) -> Int64:
        """Return the way from each origin to the point of the same row, in seconds."""
        return self.seconds(distances_m(origins, to))

    def ways(self, origins: Points, to: Points, limit_s: int) -> Links:
        """Return the ways of at most `limit_s` seconds; refuses MOBILITY_TOO_MANY_WAYS."""
        limit_m = (limit_s + 0.5) * self.speed_m_per_s / self.detour
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        found = 0
        for pairs in near(origins, to, limit_m):
            seconds = self.seconds(pairs.distance_m)
            kept = seconds <= limit_s
            parts.append(
                (
                    pairs.origin[kept].astype(np.int32),
                    pairs.to[kept].astype(np.int32),
                    seconds[kept].astype(np.int32),
                )
            )
            found += len(parts[-1][0])
            if found > LINKS_MAX:
                raise Refused("MOBILITY_TOO_MANY_WAYS", most=LINKS_MAX, limit_s=limit_s)
        none = np.zeros(0, np.int32)
        columns = [np.concatenate([none, *(part[each] for part in parts)]) for each in range(3)]
        return links_of(len(origins.lon), *columns)


class Assumed(NamedTuple):
    """Straight ways that are not walked: `by` says what is assumed to be ridden or driven."""

    by: str
    straight: CrowFly

    @property
    def label(self) -> str:
        """Say what is assumed, and that no street was seen."""
        return f"{self.by}: {self.straight.label}"

    def ways(self, origins: Points, to: Points, limit_s: int) -> Links:
        """Return the ways of at most `limit_s` seconds; refuses MOBILITY_TOO_MANY_WAYS."""
        return self.straight.ways(origins, to, limit_s)


class Walking(NamedTuple):
    """How people change and get to a stop; every figure is a parameter of what is computed.

    `straight` is the crow's flight, used for what no feeder can know: from an entrance down to a
    platform, and for transfers that a feed recommends without a time. `streets` walks between
    stops; none means the crow's flight there too.

    `same_stop_s` is the least time from one vehicle to the next at one stop (60 s, as R5 has it),
    and no way to another stop that was reckoned here is shorter. `same_station_s` is what a change
    within a station takes where the feed tells neither time nor pathway (120 s, as MOTIS and
    OpenTripPlanner have it), or the way there if that is longer. `change_s_max` is how far one
    walks along the streets between two stops. `pathway_s` is what a pathway takes that has neither
    time nor length, `elevator_s` if it is an elevator.
    """

    straight: CrowFly = CrowFly()
    streets: Feeder | None = None
    same_stop_s: int = 60
    same_station_s: int = 120
    change_s_max: int = 600
    pathway_s: int = 30
    elevator_s: int = 60

    @property
    def feeder(self) -> Feeder:
        """What knows the ways along the streets."""
        return self.straight if self.streets is None else self.streets


def check_walking(walking: Walking) -> None:
    """Refuse MOBILITY_PARAMETER for a speed, detour or time that can not be walked with."""
    straight = walking.straight
    most_s = 86_400
    wanted = {
        "speed_m_per_s": (straight.speed_m_per_s, SPEED_MIN, SPEED_MAX),
        "detour": (straight.detour, 1.0, 10.0),
        "same_stop_s": (walking.same_stop_s, 1, most_s),
        "same_station_s": (walking.same_station_s, 1, most_s),
        "change_s_max": (walking.change_s_max, 0, most_s),
        "pathway_s": (walking.pathway_s, 0, most_s),
        "elevator_s": (walking.elevator_s, 0, most_s),
    }
    for name, (value, least, most) in wanted.items():
        if not least <= value <= most:
            raise Refused(
                "MOBILITY_PARAMETER",
                name=name,
                given=str(value),
                least=str(least),
                most=str(most),
            )
