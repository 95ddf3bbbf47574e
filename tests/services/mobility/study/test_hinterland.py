"""Time to a port: the least over its gates by road, and by rail only what is known."""

from datetime import date

import numpy as np
import pytest

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.services.mobility.facts import port, roads
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.study.hinterland import (
    county_places,
    gate_seconds,
    hinterland,
    inland_table,
)
from tongcheng.services.mobility.study.reach import RoadReady, Spot, reach_by_car, road_ready
from tongcheng.services.mobility.walking import CrowFly

FACTS = facts_of(texts(), "Asia/Shanghai", "00")
ON = date(2020, 1, 1)
UNKNOWN = None


def _told(value: str | None) -> str:
    shown = "null" if value is None else f'"{value}"'
    return f'{{value: {shown}, source: own, year: "2020", confidence: low}}'


def _named(name: str, lat: str) -> str:
    return f"id: {name}, name: {{zh: 名, en: N}}, lon: {_told('117.50')}, lat: {_told(lat)}"


def _way(division: str, place: str, minutes: str | None, km: str | None) -> str:
    return (
        f'  - {{division: "{division}", place: {{zh: {place}, en: P}}, yard: yard,'
        f" running_min: {_told(minutes)}, length_km: {_told(km)}}}"
    )


def _port(opened: str) -> port.Port:
    """Return a port of two gates and a yard; a train of one place is known, a length of one."""
    text = f"""port_id: harbour
name: {{zh: 港, en: Harbour}}
gates:
- {{node: nc, {_named("north", "39.30")}}}
- {{node: nb, {_named("south", "38.95")}}}
rail_yards:
- {{{_named("yard", "39.20")}, opened: {_told(opened)}, branch_km: {_told(UNKNOWN)}}}
rail_freight:
  average_kmh: {_told("50")}
  ways:
{_way("100001", "东", "90", UNKNOWN)}
{_way("100000", "甲", UNKNOWN, "100")}
{_way("200000", "乙", UNKNOWN, UNKNOWN)}
terminal_s: {{road: {_told(UNKNOWN)}, rail: {_told(UNKNOWN)}}}
"""
    return port.read("port.yaml", text, {"na", "nb", "nc"}, {"own", "press"})


def _roads() -> RoadReady:
    return road_ready(county_places(FACTS), roads.compile_day(FACTS, ON), CrowFly(10.0), ())


def test_the_nearest_gate_counts() -> None:
    """Each county's time is the less of those to either gate, asked one by one."""
    ready = _roads()

    found = gate_seconds(ready, _port("2016-06-28"))

    each = [
        reach_by_car(ready, Spot(117.5, lat), UNREACHED - 1, deadlines=True)
        for lat in (39.3, 38.95)
    ]
    assert found.tolist() == [min(pair) for pair in zip(*map(np.ndarray.tolist, each), strict=True)]


def test_rail_is_only_what_is_known() -> None:
    """A county's own train goes before its city's length; where neither is known, none is made."""
    found = hinterland(FACTS, _port("2016-06-28"), gate_seconds(_roads(), _port("2016")), ON)

    east, west, beta = found
    assert east.rail is not None
    assert west.rail is not None
    assert (east.rail.place, east.rail.seconds, east.rail.basis) == ("东", 5_400, "train")
    assert (west.rail.place, west.rail.seconds, west.rail.basis) == ("甲", 7_200, "length")
    assert beta.rail is None
    table = inland_table(found)
    assert table["rail_s"].to_pylist() == [5_400, 7_200, None]
    assert table["people"].to_pylist() == [600, 200, 300]
    assert table["road_s"].to_pylist() == [each.road_s for each in found]


@pytest.mark.parametrize(
    ("opened", "known"),
    [("2020-01-01", 1), ("2020-01-02", 0), ("2020", 0), ("2019-12", 1)],
)
def test_a_yard_counts_from_when_it_was_surely_open(opened: str, known: int) -> None:
    """Of a year or a month alone, from its end on."""
    found = hinterland(FACTS, _port(opened), gate_seconds(_roads(), _port(opened)), ON)

    assert (found[0].rail is not None) == bool(known)
