"""A region pack of two towns and a railway, and a node that serves its pages."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar

from tests import toy
from tests.services.mobility.facts.fact_texts import texts
from tests.toy import MEMBERS, NOW_AT, PACK
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.services import SERVICES

SHARED = ("authority.yaml", "plan.yaml", "story.yaml", "demo.yaml")
PROCESSES = """book_id: small-process
kind: station_process
title: {zh: 进出站, en: Doors}
admdvs: "000000"
scheme: all
effective: {from: "2008-01-01", to: null, source: own, confidence: own}
sources:
  own: {what: this test, where: null}
rules:
  systems:
  - {system: railway, modes: [rail]}
  - {system: metro, modes: [metro]}
  processes:
  - modes: [rail, metro]
    enter_s: {value: "300", source: own, confidence: own}
    leave_s: {value: "60", source: own, confidence: own}
"""
SCENARIO = """scenario_id: later
title: {zh: 新车, en: New trains}
status: {value: proposal}
base: {facts_on: "2021-06-01"}
seen_from:
- {name: {zh: 甲站, en: Alpha station}, lon: "117.00", lat: "39.00"}
changes:
- change: add_line
  from_facts: [ab-later]
limits: {zh: 仅为测试。, en: A test.}
"""

MAIN_STATIONS = """main_stations:
- {place: tianjin, station: a}
"""
_UNKNOWN = '{value: null, source: own, year: "2020", confidence: low}'
PORT = f"""port_id: harbour
name: {{zh: 小港, en: Harbour}}
gates:
- id: north
  name: {{zh: 北, en: North}}
  node: nc
  lon: {{value: "117.50", source: own, year: "2020", confidence: low}}
  lat: {{value: "39.10", source: own, year: "2020", confidence: low}}
rail_yards:
- {{id: yard, name: {{zh: 场, en: Yard}}, lon: {_UNKNOWN}, lat: {_UNKNOWN},
   opened: {{value: "2016-06-28", source: own, year: "2020", confidence: low}},
   branch_km: {_UNKNOWN}}}
rail_freight:
  average_kmh: {_UNKNOWN}
  ways:
  - division: "100001"
    place: {{zh: 甲货场, en: Alpha yard}}
    yard: yard
    running_min: {{value: "90", source: own, year: "2020", confidence: low}}
    length_km: {_UNKNOWN}
terminal_s: {{road: {_UNKNOWN}, rail: {_UNKNOWN}}}
"""


def outline() -> dict[str, Any]:
    """Return two squares side by side, a division each."""

    def square(division: str, west: float, east: float) -> dict[str, Any]:
        ring = [[west, 38.8], [east, 38.8], [east, 39.2], [west, 39.2], [west, 38.8]]
        return {
            "type": "Feature",
            "properties": {"division": division},
            "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
        }

    features = [square("100000", 116.9, 117.25), square("200000", 117.25, 117.6)]
    return {"type": "FeatureCollection", "features": features}


def pack_in(folder: Path, *, geography: bool = True) -> Path:
    """Write the pack into a folder; without geography it has none of mobility's files."""
    folder.mkdir(parents=True)
    for name in SHARED:
        shutil.copyfile(PACKS_DIR / PACK.id / name, folder / name)
    if geography:
        place = folder / "geography"
        (place / "scenarios").mkdir(parents=True)
        for name, text in texts().items():
            (place / name).write_text(text, "utf-8")
        (place / "outline.geojson").write_text(json.dumps(outline()), "utf-8")
        (place / "processes.yaml").write_text(PROCESSES, "utf-8")
        (place / "main_stations.yaml").write_text(MAIN_STATIONS, "utf-8")
        (place / "port.yaml").write_text(PORT, "utf-8")
        (place / "scenarios" / "later.yaml").write_text(SCENARIO, "utf-8")
    return folder


def node_in(folder: Path, member: int = 1) -> Node:
    """Return a node that is not open yet, with all services."""
    clock = ManualClock(NOW_AT)
    node = toy.toy_node(folder, MEMBERS[member], toy.Nowhere(), clock, threaded=True, quiet=True)
    node.services = SERVICES
    return node


@contextmanager
def app_in(folder: Path, *, geography: bool = True) -> Iterator[Litestar]:
    """Give the application of a node whose region is the small one."""
    pack = pack_in(folder / "pack", geography=geography)
    node = node_in(folder / "node")
    yield create_app(node, make_console(node, synthetic=True), pages=True, pack_folder=pack)
