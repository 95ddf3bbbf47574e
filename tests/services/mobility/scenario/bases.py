"""Bases for tests: the small region's fact tables, and a feed of somebody's own."""

from __future__ import annotations

from datetime import date

from tests.services.mobility.facts.fact_texts import texts
from tests.services.mobility.scenario.scenario_texts import document
from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tongcheng.kernel import rulebook
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.scenario.base import base_of_facts
from tongcheng.services.mobility.scenario.model import Base, Scenario
from tongcheng.services.mobility.scenario.reading import read_scenario
from tongcheng.services.mobility.timetable.compiling import timetable
from tongcheng.services.mobility.timetable.model import Timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes
from tongcheng.services.mobility.walking import Walking

BOOK = """book_id: doors
kind: station_process
title: {zh: 门, en: Doors}
admdvs: "000000"
scheme: all
effective: {from: "2010-01-01", to: null, source: own, confidence: own}
sources: {own: {what: own, where: null}}
rules:
  systems:
  - {system: railway, modes: [rail]}
  - {system: metro, modes: [metro]}
  processes:
  - modes: [rail]
    enter_s: {value: "900", source: own, confidence: own}
    leave_s: {value: "300", source: own, confidence: own}
  - stations: [乙站]
    enter_s: {value: "900", source: own, confidence: own}
  - modes: [metro]
    enter_s: {value: "240", source: own, confidence: own}
    leave_s: {value: "150", source: own, confidence: own}
"""


def book() -> RuleBook:
    """Return a book of process times that fits the small region."""
    return rulebook.parse(BOOK)


def facts_base(on: date = date(2016, 3, 9), processes: Processes = NO_PROCESSES) -> Base:
    """Return the small region of a day."""
    return base_of_facts(facts_of(texts(), "Asia/Shanghai", "ab" * 32), on, processes)


def own_base() -> Base:
    """Return a feed without fact tables: four trips of line `r`, one that repeats on line `q`."""
    stops = [Stop(name, 117 + 0.01 * at, 39, name=f"{name} Road") for at, name in enumerate("abcd")]
    trips = [
        Trip(f"t{at}", [("a", f"8:{minute:02}"), ("b", f"8:{minute + 4}", f"8:{minute + 5}"),
                        ("c", f"8:{minute + 12}")])
        for at, minute in enumerate((10, 20, 40, 41))
    ]  # fmt: skip
    trips.append(Trip("u", [("c", "6:00"), ("d", "6:05")], route="q"))
    feed = small_feed(
        stops=stops,
        trips=trips,
        modes={"r": 3, "q": 1},
        frequencies=[("u", "6:00", "7:00", 600)],
    )
    return Base(date(2026, 3, 9), (feed,), NO_PROCESSES)


def scenario(*changes: str) -> Scenario:
    """Return a scenario of these changes."""
    return read_scenario("t.yaml", document(*changes))


def compiled(base: Base) -> Timetable:
    """Return the day of a base."""
    return timetable(base.feeds, base.day, base.processes, Walking())


def rides(base: Base) -> list[tuple[str, str, int, int, bool, bool]]:
    """Return every connection of the day by its stops and times, in order, whatever trip it is."""
    day = compiled(base)
    ids = day.stops.ids
    columns = (each.tolist() for each in day.connections)
    return sorted(
        (ids[origin], ids[to], departure_s, arrival_s, boards, alights)
        for origin, to, departure_s, arrival_s, _, boards, alights in zip(*columns, strict=True)
    )


def departures(base: Base, route: str) -> list[int]:
    """Return when the runs of a route leave their first call."""
    day = compiled(base)
    first: dict[int, int] = {}
    for trip, departure_s in zip(
        day.connections.trip.tolist(), day.connections.departure_s.tolist(), strict=True
    ):
        first[trip] = min(first.get(trip, departure_s), departure_s)
    return sorted(when for trip, when in first.items() if day.runs.route_ids[trip] == route)
