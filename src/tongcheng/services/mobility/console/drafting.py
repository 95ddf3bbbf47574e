"""What somebody who draws a scenario begins with: a head, and a piece for each kind of change.

The pieces name lines and stations of the region itself, so that each can be tried as it stands.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tongcheng.services.mobility.facts.model import Facts, Line

HEAD: Final = """scenario_id: my-scenario
title: {{zh: 我的情景, en: My scenario}}
status: {{value: proposal}}
base: {{facts_on: "{on}"}}
changes:
"""
BETWEEN: Final = 20
"""Minutes between two stations of a line that somebody begins to draw."""


class Piece(NamedTuple):
    """A kind of change and the text that it is written as."""

    kind: str
    text: str


def head(on: date) -> str:
    """Return the beginning of a scenario of a day."""
    return HEAD.format(on=on.isoformat())


def pieces(facts: Facts, enter_s: int) -> tuple[Piece, ...]:
    """Return a piece for each kind of change; none that needs a table which the region lacks.

    `enter_s` is what entering a railway station takes today.
    """
    railway = {each.system_id for each in facts.systems if each.mode == "rail"}
    lines = [line for line in facts.lines if line.system_id in railway and len(line.stops) > 1]
    if not lines:
        return ()
    line = max(lines, key=lambda each: len(each.stops))
    found = [*_of_line(facts, line), _shared_check(enter_s)]
    edge = next((each for each in facts.road_edges if each.length_km is not None), None)
    if edge is not None:
        found.append(
            Piece(
                "add_road",
                "- change: add_road\n"
                f"  start: {edge.start}\n"
                f"  end: {edge.end}\n"
                '  length_km: "30"\n'
                '  design_kmh: "100"\n',
            )
        )
    return tuple(found)


def _of_line(facts: Facts, line: Line) -> list[Piece]:
    names = {each.station_id: each.name.zh for each in facts.stations}
    first, last = names[line.stops[0].station_id], names[line.stops[-1].station_id]
    on_line = (each for each in facts.services if line.line_id in each.line_ids and each.minutes)
    service = next((each.service_id for each in on_line), facts.services[0].service_id)
    return [
        Piece(
            "add_line",
            "- change: add_line\n  name: 新线\n  mode: rail\n"
            f"  calls: [{first}, {last}]\n"
            f'  minutes: ["0", "{BETWEEN}"]\n'
            '  start: "06:00"\n  end: "22:00"\n  headway_min: "15"\n',
        ),
        Piece("remove_line", f"- change: remove_line\n  services: [{service}]\n"),
        Piece(
            "reroute",
            f"- change: reroute\n  service: {service}\n  calls: [{first}, {last}]\n"
            f'  minutes: ["0", "{BETWEEN}"]\n',
        ),
        Piece("headway", f'- change: headway\n  lines: [{line.line_id}]\n  factor: "1/2"\n'),
        Piece("speed", f'- change: speed\n  lines: [{line.line_id}]\n  factor: "4/5"\n'),
        Piece("dwell", f'- change: dwell\n  lines: [{line.line_id}]\n  dwell_s: "45"\n'),
        Piece("close_stop", f"- change: close_stop\n  stations: [{last}]\n"),
    ]


def _shared_check(enter_s: int) -> Piece:
    return Piece(
        "process",
        "- change: process\n  modes: [rail]\n  stations: null\n"
        f'  enter_s: {{from: "{enter_s}", to: "{enter_s // 3}"}}\n',
    )
