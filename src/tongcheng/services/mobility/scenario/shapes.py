"""The form of a scenario's document, as it is typed: every number is text."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from tongcheng.services.mobility.modes import Mode

CHANGES_MAX: Final = 100
CALLS_MAX: Final = 200
NAMED_MAX: Final = 1_000

_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*\Z"
"""No control characters and none that turn a line round: strangers' words are shown to people."""
_LINES: Final = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*\Z"
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
Long = Annotated[str, Meta(min_length=1, max_length=2_000, pattern=_LINES)]
Id = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}\\Z")]
Names = Annotated[tuple[Text, ...], Meta(min_length=1, max_length=NAMED_MAX)]
Minutes = Annotated[tuple[Text | None, ...], Meta(min_length=2, max_length=CALLS_MAX)]


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class TitleShape(_Shape, frozen=True, kw_only=True):
    """A name in both languages."""

    zh: Text
    en: Text


class LimitsShape(_Shape, frozen=True, kw_only=True):
    """What a scenario does not count, in both languages."""

    zh: Long
    en: Long


class StatusShape(_Shape, frozen=True, kw_only=True):
    """How far it is; who says so, of which year, how sure."""

    value: Literal["opened", "building", "proposal"]
    source: Text | None = None
    year: Annotated[str, Meta(pattern="^[12][0-9]{3}$")] | None = None
    confidence: Literal["high", "medium", "low"] | None = None


class BaseShape(_Shape, frozen=True, kw_only=True):
    """The day of the fact tables that it is compared to."""

    facts_on: Text


class SeenShape(_Shape, frozen=True, kw_only=True):
    """A place to look from."""

    name: TitleShape
    lon: Text
    lat: Text


class SpotShape(_Shape, frozen=True, kw_only=True):
    """A place that the scenario brings."""

    name: Text
    lon: Text
    lat: Text


class StepShape(_Shape, frozen=True, kw_only=True):
    """What a figure is, and what it becomes, in seconds."""

    before: Text = msgspec.field(name="from")
    after: Text = msgspec.field(name="to")


Calls = Annotated[tuple[Text | SpotShape, ...], Meta(min_length=2, max_length=CALLS_MAX)]


class _Tagged(_Shape, frozen=True, kw_only=True, tag_field="change"):
    pass


class AddLineShape(_Tagged, frozen=True, kw_only=True, tag="add_line"):
    """`from_facts`, or all that a line of its own needs."""

    from_facts: Names | None = None
    line: Id | None = None
    name: Text | None = None
    mode: Mode | None = None
    calls: Calls | None = None
    minutes: Minutes | None = None
    dwell_s: Text | None = None
    start: Text | None = None
    end: Text | None = None
    headway_min: Text | None = None
    trains: Text | None = None


class _OfLines(_Tagged, frozen=True, kw_only=True):
    services: Names | None = None
    lines: Names | None = None


class RemoveLineShape(_OfLines, frozen=True, kw_only=True, tag="remove_line"):
    """Services or lines that run no more."""


class RerouteShape(_Tagged, frozen=True, kw_only=True, tag="reroute"):
    """One service, and its calls from then on."""

    service: Text
    calls: Calls
    minutes: Minutes


class HeadwayShape(_OfLines, frozen=True, kw_only=True, tag="headway"):
    """A factor, or so many minutes from one time to another."""

    factor: Text | None = None
    headway_min: Text | None = None
    start: Text | None = None
    end: Text | None = None


class SpeedShape(_OfLines, frozen=True, kw_only=True, tag="speed"):
    """A factor of the time between calls."""

    factor: Text


class DwellShape(_OfLines, frozen=True, kw_only=True, tag="dwell"):
    """Seconds at each call between the ends."""

    dwell_s: Text


class CloseStopShape(_Tagged, frozen=True, kw_only=True, tag="close_stop"):
    """Stations that nobody boards or leaves at."""

    stations: Names


class ProcessShape(_Tagged, frozen=True, kw_only=True, tag="process"):
    """What entering or leaving takes, at all stations of all modes unless some are named."""

    modes: Annotated[tuple[Mode, ...], Meta(min_length=1, max_length=8)] | None = None
    stations: Names | None = None
    enter_s: StepShape | None = None
    leave_s: StepShape | None = None


class AddRoadShape(_Tagged, frozen=True, kw_only=True, tag="add_road"):
    """`from_facts`, or a stretch of its own."""

    from_facts: Names | None = None
    start: Text | SpotShape | None = None
    end: Text | SpotShape | None = None
    length_km: Text | None = None
    design_kmh: Text | None = None


AnyShape = (
    AddLineShape
    | RemoveLineShape
    | RerouteShape
    | HeadwayShape
    | SpeedShape
    | DwellShape
    | CloseStopShape
    | ProcessShape
    | AddRoadShape
)


class ScenarioShape(_Shape, frozen=True, kw_only=True):
    """The document."""

    scenario_id: Id
    title: TitleShape
    project: TitleShape | None = None
    status: StatusShape
    base: BaseShape | None = None
    after_on: Text | None = None
    mode: Literal["transit", "car"] | None = None
    seen_from: Annotated[tuple[SeenShape, ...], Meta(max_length=20)] = ()
    changes: Annotated[tuple[AnyShape, ...], Meta(min_length=1, max_length=CHANGES_MAX)]
    limits: LimitsShape | None = None
