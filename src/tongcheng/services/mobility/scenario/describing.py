"""What a scenario changes, in words, and in how many trains, stops and stretches of road."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

from tongcheng.kernel.texts import Texts
from tongcheng.kernel.words import Language
from tongcheng.services.mobility.scenario import model
from tongcheng.services.mobility.scenario.model import Base, Call, Change, Repeats, Scenario, Spot
from tongcheng.services.mobility.timetable.boarding import boarding
from tongcheng.services.mobility.timetable.doors import doors
from tongcheng.services.mobility.timetable.process_book import in_force
from tongcheng.services.mobility.timetable.service_day import check_day, run_day

OfServices: TypeAlias = (
    model.AddServices
    | model.AddLine
    | model.RemoveLine
    | model.Reroute
    | model.HeadwayFactor
    | model.HeadwaySpan
    | model.Speed
    | model.Dwell
)
SHOWN_MAX: Final = 6
"""So many names are written out; of more only how many there are."""


class Size(NamedTuple):
    """How much of a day there is: runs, calls of them, and stretches of trunk road."""

    runs: int
    calls: int
    stretches: int


def size_of(base: Base) -> Size:
    """Count a base's day, and look whether its stops' doors are known.

    Refuses TIMETABLE_NO_SERVICE and TIMETABLE_DAY, TIMETABLE_TOO_LARGE, and what
    `timetable.doors` refuses.
    """
    feeds = sorted(base.feeds, key=lambda feed: feed.feed_id)
    for feed in feeds:
        check_day(feed, base.day)
    stops = boarding(feeds)
    doors(feeds, stops, in_force(base.processes, base.day))
    runs, connections = run_day(feeds, base.day, stops)
    stretches = 0 if base.roads is None else len(base.roads.edge_ids)
    return Size(len(runs.ids), len(connections.trip) + len(runs.ids), stretches)


def described(scenario: Scenario, texts: Texts, language: Language) -> tuple[str, ...]:
    """Return each change in words."""
    return tuple(_words(change, texts, language) for change in scenario.changes)


def _words(change: Change, texts: Texts, language: Language) -> str:
    name, facts = _facts(change)
    return texts.get(f"mobility.scenario.change.{name}", language, **facts)


def _facts(change: Change) -> tuple[str, dict[str, str]]:
    """Return the key of a change's words, and what stands in them."""
    if isinstance(change, model.CloseStop):
        return "close_stop", {"names": _names(change.stations)}
    if isinstance(change, model.Process):
        steps = (("enter_s", change.enter_s), ("leave_s", change.leave_s))
        figures = [f"{name} {step.before} → {step.after}" for name, step in steps if step]
        where = _names((*change.modes, *change.stations)) or "*"
        return "process", {"names": where, "figures": ", ".join(figures)}
    if isinstance(change, model.AddRoads):
        return "add_roads", {"names": _names(change.from_facts)}
    if isinstance(change, model.AddRoad):
        return "add_road", {
            "start": _call(change.start),
            "end": _call(change.end),
            "length_km": _number(Fraction(change.length_m, 1_000)),
            "design_kmh": _number(Fraction(change.design_m_per_h, 1_000)),
        }
    return _of_services(change)


def _of_services(change: OfServices) -> tuple[str, dict[str, str]]:  # noqa: PLR0911 - one a kind
    if isinstance(change, model.AddServices):
        return "add_services", {"names": _names(change.from_facts)}
    if isinstance(change, model.AddLine):
        return "add_line", {
            "line": change.name,
            "calls": _calls(change.calls),
            "minutes": _minutes(change.arrivals_s[-1] or 0),
            **_repeats(change.repeats),
        }
    if isinstance(change, model.Reroute):
        return "reroute", {"names": change.service, "calls": _calls(change.calls)}
    names = {"names": _names((*change.chosen.services, *change.chosen.lines))}
    if isinstance(change, model.RemoveLine):
        return "remove_line", names
    if isinstance(change, model.HeadwaySpan):
        return "headway_span", {**names, **_repeats(change.repeats)}
    if isinstance(change, model.Dwell):
        return "dwell", {**names, "dwell_s": str(change.dwell_s)}
    kind = "speed" if isinstance(change, model.Speed) else "headway_factor"
    return kind, {**names, "factor": str(change.factor)}


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:SHOWN_MAX])
    return f"{shown} … ({len(names)})" if len(names) > SHOWN_MAX else shown


def _calls(calls: tuple[Call, ...]) -> str:
    names = [_call(call) for call in calls]
    if len(names) > SHOWN_MAX:
        names = [names[0], f"… ({len(names)})", names[-1]]
    return " – ".join(names)


def _call(call: Call) -> str:
    return call.name if isinstance(call, Spot) else call


def _repeats(repeats: Repeats) -> dict[str, str]:
    return {
        "start": _clock(repeats.start_s),
        "end": _clock(repeats.end_s),
        "headway": _minutes(repeats.headway_s),
    }


def _clock(seconds: int) -> str:
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}"


def _minutes(seconds: int) -> str:
    return _number(Fraction(seconds, 60))


def _number(value: Fraction) -> str:
    """Return a number with at most three decimals, without zeros at its end."""
    return f"{float(value):.3f}".rstrip("0").rstrip(".")
