"""A port's hinterland: how long from every place to its gates by road, and by rail as far as known.

By road it is the least time to any gate, at design speed without congestion. By rail it is a
train's time or a length at an average speed (`facts.port`), from the one place of a division that
goods are known to leave from; the way there is not in it. What terminals take is in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from tongcheng.services.mobility.facts.model import County, Facts
from tongcheng.services.mobility.facts.port import FreightWay, Port, Yard, rail_s
from tongcheng.services.mobility.measures.parameters import LONGEST_S
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED, UInt16
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.study.reach import RoadReady, Spot, reach_by_car

TRAIN: Final = "train"
LENGTH: Final = "length"


class Freight(NamedTuple):
    """How goods of a division go by rail: from where, how long, and what that rests on.

    `basis` is TRAIN, a train that ran, or LENGTH, a length at an average speed.
    """

    place: str
    seconds: int
    basis: str


class Inland(NamedTuple):
    """A county's time to the port: from its point by road, None where that is too far."""

    area_id: str
    name: str
    people: int
    road_s: int | None
    rail: Freight | None


def county_places(facts: Facts) -> Places:
    """Return the counties with a point as places, with the people counted there."""
    counties = _placed(facts)
    ids = tuple(each.county_id for each in counties)
    return Places(
        ids,
        tuple(each.name.zh for each in counties),
        Points(
            np.array([each.at.lon for each in counties if each.at], np.float64),
            np.array([each.at.lat for each in counties if each.at], np.float64),
        ),
        ids,
        np.array([int(each.population.value) for each in counties], np.int64),
        (),
    )


def gate_seconds(roads: RoadReady, port: Port, longest_s: int = LONGEST_S) -> UInt16:
    """Return every place's seconds by road to the nearest gate of a port."""
    least = np.full(len(roads.places.ids), UNREACHED, np.uint16)
    for gate in port.gates:
        lon, lat = gate.lon.number(), gate.lat.number()
        if lon is not None and lat is not None:
            spot = Spot(lon, lat)
            least = np.minimum(least, reach_by_car(roads, spot, longest_s, deadlines=True))
    return least


def hinterland(facts: Facts, port: Port, by_road: UInt16, on: date) -> list[Inland]:
    """Return every county's time to the port on a day; `by_road` is of `county_places`."""
    counties = _placed(facts)
    assert len(by_road) == len(counties), "a time for each county's point"
    ways = _freight(port, on)
    return [
        Inland(
            each.county_id,
            each.name.zh,
            int(each.population.value),
            None if seconds == UNREACHED else seconds,
            ways.get(each.county_id) or ways.get(each.city_id),
        )
        for each, seconds in zip(counties, by_road.tolist(), strict=True)
    ]


def inland_table(rows: Sequence[Inland]) -> pa.Table:
    """Return a row for each county; null is not known, or too far."""
    rail = [each.rail for each in rows]
    return pa.table(
        {
            "area_id": pa.array([each.area_id for each in rows], pa.string()),
            "name": pa.array([each.name for each in rows], pa.string()),
            "people": pa.array([each.people for each in rows], pa.int64()),
            "road_s": pa.array([each.road_s for each in rows], pa.int32()),
            "rail_s": pa.array([each.seconds if each else None for each in rail], pa.int32()),
            "rail_from": pa.array([each.place if each else None for each in rail], pa.string()),
            "rail_basis": pa.array([each.basis if each else None for each in rail], pa.string()),
        }
    )


def _placed(facts: Facts) -> list[County]:
    return [each for each in facts.counties if each.at is not None]


def _freight(port: Port, on: date) -> dict[str, Freight]:
    """Return the quickest known way by rail of each division whose yard was open."""
    yards = {yard.id: yard for yard in port.rail_yards}
    found: dict[str, Freight] = {}
    for way in port.rail_freight.ways:
        seconds = rail_s(port, way)
        if seconds is None or not _is_open(yards[way.yard], on):
            continue
        known = found.get(way.division)
        if known is None or seconds < known.seconds:
            found[way.division] = Freight(way.place.zh, seconds, _basis(way))
    return found


def _basis(way: FreightWay) -> str:
    return LENGTH if way.running_min.value is None else TRAIN


def _is_open(yard: Yard, on: date) -> bool:
    """Say whether a yard is known to have been open: of a year or month alone, at its end."""
    opened = yard.opened.value
    if opened is None:
        return False
    day = on.isoformat()
    return day >= opened if len(opened) == len(day) else day[: len(opened)] > opened
