"""A port's hinterland: how far every cell is by road, and every county by road and by rail."""

from __future__ import annotations

from typing import Final, NamedTuple

from tongcheng.kernel.canonical import Json
from tongcheng.services.mobility.console.answers import DEFINITION, MINUTE_S
from tongcheng.services.mobility.console.atlas import Atlas, Prepared
from tongcheng.services.mobility.facts.port import Port
from tongcheng.services.mobility.isochrones import Isochrone, isochrones
from tongcheng.services.mobility.measures.parameters import LONGEST_S
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.study.hinterland import (
    Inland,
    county_places,
    gate_seconds,
    hinterland,
)
from tongcheng.services.mobility.study.methods import road_method_of
from tongcheng.services.mobility.study.reach import Spot, road_ready
from tongcheng.services.mobility.study.region import DRIVE, sources_of

THIRDS: Final = (1, 2, 3)


class Hinterland(NamedTuple):
    """Who is how near to a port by road: `bands` are disjoint, `rows` of counties, nearest first.

    `spot` is where the port is written on a map.
    """

    port: Port
    minutes: int
    bands: tuple[Isochrone, ...]
    rows: tuple[Inland, ...]
    spot: Spot
    method: Method

    @property
    def people(self) -> int:
        """People of the cells inside."""
        return sum(band.people for band in self.bands)


def hinterland_of(
    atlas: Atlas, prepared: Prepared, port: Port, spot: Spot, minutes: int
) -> Hinterland:
    """Return who reaches a port by road; `prepared` is a day's roads."""
    roads, base = prepared.roads, prepared.base
    assert roads is not None, "roads were prepared"
    assert base.roads is not None, "and are the day's"
    bands = isochrones(
        gate_seconds(roads, port),
        atlas.people,
        atlas.cells,
        [minutes * third // 3 for third in THIRDS],
        regime="road to the port",
        nesting="disjoint",
    )
    points = road_ready(
        county_places(atlas.facts), base.roads, DRIVE, sources_of(atlas.region, base)
    )
    rows = hinterland(atlas.facts, port, gate_seconds(points, port), prepared.day)
    made = road_method_of("hinterland", DEFINITION, roads, LONGEST_S, deadlines=True)
    told: dict[str, Json] = {**made.parameters, "port": port.port_id, "minutes": minutes}
    return Hinterland(
        port,
        minutes,
        tuple(bands),
        tuple(sorted(rows, key=_nearness)),
        spot,
        Method(made.measure, made.definition, told, made.sources, made.kernel),
    )


def is_inside(row: Inland, minutes: int) -> bool:
    """Say whether a county's point is within the minutes by road."""
    return row.road_s is not None and row.road_s <= minutes * MINUTE_S


def _nearness(row: Inland) -> tuple[int, str]:
    return (LONGEST_S + 1 if row.road_s is None else row.road_s, row.area_id)


def spot_of(port: Port) -> Spot | None:
    """Return the first gate whose place is known, None where nobody knows any."""
    for gate in port.gates:
        lon, lat = gate.lon.number(), gate.lat.number()
        if lon is not None and lat is not None:
            return Spot(lon, lat)
    return None
