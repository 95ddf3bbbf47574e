"""What a study is made of, and what it becomes."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.output.method import Source
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.scan.network import Network, ahead, mirrored
from tongcheng.services.mobility.streets.graph import Graph
from tongcheng.services.mobility.timetable.compiling import Compiled
from tongcheng.services.mobility.timetable.model import Timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes
from tongcheng.services.mobility.walking import CrowFly, Feeder

WALK_S_MAX: Final = 1_200
"""How far one walks to a stop, or instead of riding, unless it is chosen: twenty minutes."""


class Study(NamedTuple):
    """One day of some feeds, for some places.

    `places_digest` is the hex SHA-256 of the file they came in. Without `streets` one walks as the
    crow flies, by `straight`; with them at its speed. At most `walk_s_max` are walked along the
    streets at either end, and directly from place to place. `feeder`, where it is given, leads
    there instead, and changes are still walked: where cells are larger than a walk. `said` is what
    every method made of it says besides, by name: whose data it is, and what a model made.
    """

    feeds: tuple[Feed, ...]
    day: date
    places: Places
    places_digest: str
    processes: Processes = NO_PROCESSES
    straight: CrowFly = CrowFly()
    streets: Graph | None = None
    walk_s_max: int = WALK_S_MAX
    feeder: Feeder | None = None
    said: tuple[tuple[str, str], ...] = ()


class Networks:
    """A timetable as the scans read it, either way, each made when it is first asked for."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    @cached_property
    def ahead(self) -> Network:
        """The network in which one departs at instants."""
        return ahead(self._timetable)

    @cached_property
    def mirrored(self) -> Network:
        """The network in which one arrives at instants."""
        return mirrored(self._timetable)


class Hanging:
    """How the places hang on the stops, and on one another: the last is found when asked for.

    Of large tables of cells the ways between the places are many; who asks from spots needs none.
    """

    def __init__(
        self, places: Places, access: Links, egress: Links, feeder: Feeder, walk_s_max: int
    ) -> None:
        self.access, self.egress = access, egress
        self.feeder, self.walk_s_max = feeder, walk_s_max
        self._points = places.points

    @cached_property
    def ways(self) -> Ways:
        """All of them; refuses MOBILITY_TOO_MANY_WAYS."""
        direct = self.feeder.ways(self._points, self._points, self.walk_s_max)
        return Ways(self.access, self.egress, direct)


class Ready(NamedTuple):
    """A study that can be asked, with what a method says of where it came from.

    `places` are rows and columns of every answer. `assumed` is what no source says, by name, with
    units in the names. By `day` and `hanging` any further point hangs on the network as the places
    do.
    """

    places: Places
    timetable: Timetable
    hanging: Hanging
    sources: tuple[Source, ...]
    assumed: dict[str, str | int]
    day: Compiled
    networks: Networks

    @property
    def ways(self) -> Ways:
        """Return the ways between all places; refuses MOBILITY_TOO_MANY_WAYS."""
        return self.hanging.ways
