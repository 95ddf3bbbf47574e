"""What a study is made of, and what it becomes."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.output.method import Source
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.streets.graph import Graph
from tongcheng.services.mobility.timetable.model import Timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes
from tongcheng.services.mobility.walking import CrowFly

WALK_S_MAX: Final = 1_200
"""How far one walks to a stop, or instead of riding, unless it is chosen: twenty minutes."""


class Study(NamedTuple):
    """One day of some feeds, for some places.

    `places_digest` is the hex SHA-256 of the file they came in. Without `streets` one walks as the
    crow flies, by `straight`; with them at its speed. At most `walk_s_max` are walked along the
    streets at either end, and directly from place to place.
    """

    feeds: tuple[Feed, ...]
    day: date
    places: Places
    places_digest: str
    processes: Processes = NO_PROCESSES
    straight: CrowFly = CrowFly()
    streets: Graph | None = None
    walk_s_max: int = WALK_S_MAX


class Ready(NamedTuple):
    """A study that can be asked, with what a method says of where it came from.

    `places` are rows and columns of every answer. `assumed` is what no source says, by name, with
    units in the names.
    """

    places: Places
    timetable: Timetable
    ways: Ways
    sources: tuple[Source, ...]
    assumed: dict[str, str | int]
