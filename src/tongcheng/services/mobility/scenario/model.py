"""What a scenario changes (a base), and the scenario: a few changes in order.

Times are seconds after midnight of the service day, places degrees of WGS-84.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from tongcheng.kernel.plain_yaml import Plain
from tongcheng.services.mobility.facts.model import Facts, Name
from tongcheng.services.mobility.modes import Mode

if TYPE_CHECKING:
    # A node keeps scenarios also where the libraries that compute with them are not installed.
    from tongcheng.services.mobility.facts.rail import Used
    from tongcheng.services.mobility.facts.roads import RoadDay
    from tongcheng.services.mobility.feed.model import Feed
    from tongcheng.services.mobility.timetable.process_book import Processes

FACTS_FEED_ID: Final = "facts"
"""Feed id of a feed compiled from a region's fact tables."""
SCENARIO_FEED_ID: Final = "scenario"
"""Feed id of the lines that scenarios add; no feed of a base is called so."""


class Base(NamedTuple):
    """What a scenario changes, and what it makes of it.

    `day` is the service day asked (`Study.day`). `facts` are the tables that the feed FACTS_FEED_ID
    was made of, None without; `used` says on what years that feed rests. `roads` are the trunk
    roads. `scenarios` are the digests of the scenarios applied already, in order: a method that
    names them with the digests of feeds, books and tables says all that a result came from.
    """

    day: date
    feeds: tuple[Feed, ...]
    processes: Processes
    facts: Facts | None = None
    roads: RoadDay | None = None
    used: tuple[Used, ...] = ()
    scenarios: tuple[str, ...] = ()


class Spot(NamedTuple):
    """A place that a scenario brings."""

    name: str
    lon: float
    lat: float


Call: TypeAlias = "str | Spot"
"""Where a line calls: the id or name of a station of the base, or a place."""


class Seen(NamedTuple):
    """A place from which before and after are looked at."""

    name: Name
    lon: float
    lat: float


class Repeats(NamedTuple):
    """A vehicle every `headway_s` from `start_s`, the last before `end_s`."""

    start_s: int
    end_s: int
    headway_s: int


class Step(NamedTuple):
    """A figure in seconds that is `before` in the base, and `after` once it is changed."""

    before: int
    after: int


class Chosen(NamedTuple):
    """Services and lines of the base, by id or name; one of the two at least."""

    services: tuple[str, ...]
    lines: tuple[str, ...]


class AddServices(NamedTuple):
    """add_line: services of the fact tables, as if open."""

    from_facts: tuple[str, ...]


class AddLine(NamedTuple):
    """add_line: a line of its own, both ways alike.

    `arrivals_s` are seconds after the first departure, one a call; None where nobody says, which is
    shared out by distance. `line_id` is its id in the feed SCENARIO_FEED_ID.
    """

    line_id: str
    name: str
    mode: Mode
    calls: tuple[Call, ...]
    arrivals_s: tuple[int | None, ...]
    dwell_s: int
    repeats: Repeats


class RemoveLine(NamedTuple):
    """remove_line: these run no more."""

    chosen: Chosen


class Reroute(NamedTuple):
    """reroute: a service calls elsewhere, as often as before, and leaves its first call as early.

    `arrivals_s` as of AddLine.
    """

    service: str
    calls: tuple[Call, ...]
    arrivals_s: tuple[int | None, ...]


class HeadwayFactor(NamedTuple):
    """headway by a factor of the time between two departures; below 1 there are more."""

    chosen: Chosen
    factor: Fraction


class HeadwaySpan(NamedTuple):
    """headway from one time to another, in place of what departed then."""

    chosen: Chosen
    repeats: Repeats


class Speed(NamedTuple):
    """speed: a factor of the time between calls; below 1 is faster."""

    chosen: Chosen
    factor: Fraction


class Dwell(NamedTuple):
    """dwell: how long a vehicle stands at each call but the first and the last."""

    chosen: Chosen
    dwell_s: int


class CloseStop(NamedTuple):
    """close_stop: nobody boards or alights there; vehicles pass as before."""

    stations: tuple[str, ...]


class Process(NamedTuple):
    """process: what entering or leaving stations takes; () means all modes, all stations."""

    modes: tuple[Mode, ...]
    stations: tuple[str, ...]
    enter_s: Step | None
    leave_s: Step | None


class AddRoads(NamedTuple):
    """add_road: stretches of the fact tables, as if open."""

    from_facts: tuple[str, ...]


class AddRoad(NamedTuple):
    """add_road: a stretch of its own, both ways; an end is the id of a node of the base, or new."""

    start: Call
    end: Call
    length_m: int
    design_m_per_h: int


Change: TypeAlias = (
    AddServices
    | AddLine
    | RemoveLine
    | Reroute
    | HeadwayFactor
    | HeadwaySpan
    | Speed
    | Dwell
    | CloseStop
    | Process
    | AddRoads
    | AddRoad
)


class Status(NamedTuple):
    """How far it is, and who says so; "" where nobody does."""

    value: Literal["opened", "building", "proposal"]
    source: str
    year: str
    confidence: str


class Scenario(NamedTuple):
    """A small difference to a base day.

    `lines` are the lines of `file` at which the changes stand. `document` is what was read, and
    `digest` the hex SHA-256 of its canonical JSON: comments and layout are no part of it.
    """

    scenario_id: str
    title: Name
    project: Name | None
    status: Status
    base_on: date | None
    after_on: date | None
    changes: tuple[Change, ...]
    limits: Name | None
    seen_from: tuple[Seen, ...]
    mode: Literal["transit", "car"]
    digest: str
    document: dict[str, Plain]
    file: str
    lines: tuple[int, ...]

    @property
    def only_adds(self) -> bool:
        """Say whether it makes no journey longer: whatever one could do before is still there.

        Lines and roads are added, or departures put between those that stay (a headway divided by
        a whole number). Anything else may make somebody wait, and an earlier train is one missed.
        """
        return all(_only_adds(change) for change in self.changes)


def _only_adds(change: Change) -> bool:
    if isinstance(change, HeadwayFactor):
        return change.factor.numerator == 1
    if isinstance(change, Process):
        steps = [step for step in (change.enter_s, change.leave_s) if step is not None]
        return all(step.after <= step.before for step in steps)
    return isinstance(change, AddServices | AddLine | AddRoads | AddRoad)
