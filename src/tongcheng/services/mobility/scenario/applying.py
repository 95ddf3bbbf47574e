"""Applies a scenario: of a base, the base with its changes, in their order. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongcheng.kernel import canonical
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.scenario import headways, lines, naming, streets, times
from tongcheng.services.mobility.scenario.model import (
    AddLine,
    AddRoad,
    AddRoads,
    AddServices,
    Base,
    CloseStop,
    Dwell,
    HeadwayFactor,
    HeadwaySpan,
    Process,
    RemoveLine,
    Reroute,
    Scenario,
    Speed,
)
from tongcheng.services.mobility.scenario.naming import At
from tongcheng.services.mobility.scenario.processes import process
from tongcheng.services.mobility.scenario.rerouting import reroute
from tongcheng.services.mobility.scenario.stops import close_stop
from tongcheng.services.mobility.scenario.trips import calls_of, same

CALLS_ADDED_MAX: Final = 1_000_000
"""More than eighty lines of thirty stations, each way every five minutes from five to ten."""


def applied(base: Base, scenario: Scenario) -> Base:
    """Return the base with a scenario's changes; the base itself stays as it is.

    A feed that is another for it has a digest of its own, made of its digest before and the
    scenario's: the method of a result names both. A feed that is the same keeps its digest.

    Raises:
        Refused: what each change refuses, with its line: SCENARIO_UNKNOWN, SCENARIO_FACTS,
            SCENARIO_RUNS, SCENARIO_LEFT_OUT, SCENARIO_PROCESS; SCENARIO_TOO_MANY_CALLS for the
            change by which trains call more than CALLS_ADDED_MAX times more often in all; and what
            `timetable.doors` refuses of process books.
    """
    after, most = base, _calls(base) + CALLS_ADDED_MAX
    for place, change in enumerate(scenario.changes):
        line = scenario.lines[place] if place < len(scenario.lines) else 0
        at = At(scenario.file, line)
        after = _ACTS[type(change)](after, change, at)
        _check_calls(_calls(after), most, at)
    before = {feed.feed_id: feed for feed in base.feeds}
    return after._replace(
        feeds=tuple(_named(before.get(feed.feed_id), feed, scenario) for feed in after.feeds),
        scenarios=(*base.scenarios, scenario.digest),
    )


def keeps_all(base: Base, scenario: Scenario) -> bool:
    """Say whether no journey in this base takes longer with the scenario.

    It only adds, and nothing that it adds runs in part already: a line that is longer than before
    leaves at other times.
    """
    return scenario.only_adds and not any(
        lines.runs_already(base, change)
        for change in scenario.changes
        if isinstance(change, AddServices)
    )


def _named(before: Feed | None, feed: Feed, scenario: Scenario) -> Feed:
    """Return the feed under the digest of what made it."""
    if before is feed or (before is not None and same(before, feed)):
        return before
    made_of = None if before is None else before.digest
    made = canonical.encode({"feed": made_of, "scenario": scenario.digest})
    return feed._replace(digest=canonical.digest(made))


def _calls(base: Base) -> int:
    return sum(map(calls_of, base.feeds))


def _check_calls(calls: int, most: int, at: At) -> None:
    if calls > most:
        raise at.refused("SCENARIO_TOO_MANY_CALLS", most=CALLS_ADDED_MAX)


def _headway_factor(base: Base, change: HeadwayFactor, at: At) -> Base:
    chosen = naming.chosen_trips(base, change.chosen, at)
    # Known before it is done: of a short text nobody's memory shall be filled.
    now = sum(map(calls_of, base.feeds, chosen))
    _check_calls(int(now / change.factor), now + CALLS_ADDED_MAX, at)
    return _each(base, lambda place, feed: headways.by_factor(
        feed, chosen[place], base.day, change.factor))  # fmt: skip


def _headway_span(base: Base, change: HeadwaySpan, at: At) -> Base:
    chosen = naming.chosen_trips(base, change.chosen, at)
    return _each(base, lambda place, feed: headways.by_span(
        feed, chosen[place], base.day, change.repeats))  # fmt: skip


def _speed(base: Base, change: Speed, at: At) -> Base:
    chosen = naming.chosen_trips(base, change.chosen, at)
    return _each(base, lambda place, feed: times.by_speed(feed, chosen[place], change.factor))


def _dwell(base: Base, change: Dwell, at: At) -> Base:
    chosen = naming.chosen_trips(base, change.chosen, at)
    return _each(base, lambda place, feed: times.by_dwell(feed, chosen[place], change.dwell_s))


def _close_stop(base: Base, change: CloseStop, at: At) -> Base:
    return base._replace(feeds=close_stop(base.feeds, change.stations, at))


def _each(base: Base, made: Callable[[int, Feed], Feed]) -> Base:
    return base._replace(feeds=tuple(made(place, feed) for place, feed in enumerate(base.feeds)))


_ACTS: Final[dict[type, Callable[[Base, Any, At], Base]]] = {
    AddServices: lines.add_services,
    AddLine: lines.add_line,
    RemoveLine: lines.remove_line,
    Reroute: reroute,
    HeadwayFactor: _headway_factor,
    HeadwaySpan: _headway_span,
    Speed: _speed,
    Dwell: _dwell,
    CloseStop: _close_stop,
    Process: process,
    AddRoads: streets.add_roads,
    AddRoad: streets.add_road,
}
