"""A port's gates and rail yards, for how long it takes from its hinterland by road and rail.

By road a gate is a node of the trunk roads (`roads`). By rail it is the time of a train that ran,
or the length at an average speed; where neither is known there is no time, not a guessed one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import documents
from tongcheng.services.mobility.facts.figures import Confidence

Text = Annotated[str, Meta(min_length=1)]
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")


class Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure with its origin; `value` None is unknown."""

    value: str | None
    source: Text
    year: Annotated[str, Meta(pattern="^[12][0-9]{3}$")]
    confidence: Confidence

    def number(self) -> float | None:
        """Return the value as a number, None if it is not known; must be checked before."""
        return None if self.value is None else float(self.value)


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in the region's language and in English."""

    zh: Text
    en: Text


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where lorries come in; `node` is of the trunk roads."""

    id: Text
    name: Bilingual
    node: Text
    lon: Stated
    lat: Stated


class Yard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where trains are loaded."""

    id: Text
    name: Bilingual
    lon: Stated
    lat: Stated
    opened: Stated
    branch_km: Stated


class FreightWay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From a place inland to a yard of the port along the rails.

    `division` is the city or county that the place is in. `running_min` is of a train that ran.
    """

    division: Text
    place: Bilingual
    yard: Text
    running_min: Stated
    length_km: Stated


class RailFreight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far and how fast goods come by rail: `average_kmh` where no train's time is known."""

    average_kmh: Stated
    ways: tuple[FreightWay, ...]


class Terminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goods take between gate or yard and ship, in seconds."""

    road: Stated
    rail: Stated


class Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port as its document describes it."""

    port_id: Text
    name: Bilingual
    gates: Annotated[tuple[Gate, ...], Meta(min_length=1)]
    rail_yards: tuple[Yard, ...]
    rail_freight: RailFreight
    terminal_s: Terminal


def read(file: str, text: str, nodes: Collection[str], sources: Collection[str]) -> Port:
    """Return the port that a text describes.

    Refuses FACTS_DOCUMENT with the line for what is no port, a value that is no number, a gate at
    no node, a way to no yard, and a source that sources.csv does not have.
    """
    port = documents.read(file, text, Port)
    yards = {yard.id for yard in port.rail_yards}
    for place, gate in enumerate(port.gates):
        if gate.node not in nodes:
            raise _fault(file, text, f".gates[{place}].node", "no node of the roads")
    for place, way in enumerate(port.rail_freight.ways):
        if way.yard not in yards:
            raise _fault(file, text, f".rail_freight.ways[{place}].yard", "no yard of this port")
    for where, stated, kind in _stated(port):
        if stated.source not in sources:
            raise _fault(file, text, where, "a source that is not listed")
        if stated.value is not None and kind == "number" and not _NUMBER.fullmatch(stated.value):
            raise _fault(file, text, where, "no number")
    return port


def rail_s(port: Port, way: FreightWay) -> int | None:
    """Return the seconds on the rails to the yard, terminals apart; None where nobody knows."""
    running_min = way.running_min.number()
    if running_min is not None:
        return int(running_min * 60 + 0.5)
    length_km, speed_kmh = way.length_km.number(), port.rail_freight.average_kmh.number()
    if length_km is None or not speed_kmh:
        return None
    return int(length_km * 3600 / speed_kmh + 0.5)


def _stated(port: Port) -> list[tuple[str, Stated, Literal["number", "day"]]]:
    found: list[tuple[str, Stated, Literal["number", "day"]]] = []
    for place, gate in enumerate(port.gates):
        found += [
            (f".gates[{place}].lon", gate.lon, "number"),
            (f".gates[{place}].lat", gate.lat, "number"),
        ]
    for place, yard in enumerate(port.rail_yards):
        found += [
            (f".rail_yards[{place}].lon", yard.lon, "number"),
            (f".rail_yards[{place}].lat", yard.lat, "number"),
            (f".rail_yards[{place}].opened", yard.opened, "day"),
            (f".rail_yards[{place}].branch_km", yard.branch_km, "number"),
        ]
    found.append((".rail_freight.average_kmh", port.rail_freight.average_kmh, "number"))
    for place, way in enumerate(port.rail_freight.ways):
        found += [
            (f".rail_freight.ways[{place}].running_min", way.running_min, "number"),
            (f".rail_freight.ways[{place}].length_km", way.length_km, "number"),
        ]
    found += [
        (".terminal_s.road", port.terminal_s.road, "number"),
        (".terminal_s.rail", port.terminal_s.rail, "number"),
    ]
    return found


def _fault(file: str, text: str, where: str, fault: str) -> Refused:
    line = documents.line_of(text, where)
    return Refused("FACTS_DOCUMENT", file=file, line=line, fault=f"{fault} ({where[1:]})")
