"""The tables of trunk roads: nodes and the stretches between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from tongcheng.services.mobility.facts.model import RoadEdge, RoadNode
from tongcheng.services.mobility.facts.reading import Row, rows
from tongcheng.services.mobility.facts.tables import by_id, known, named, placed

KM_MOST: Final = 1_000
KMH_LEAST: Final = 10
KMH_MOST: Final = 150

_NODE = "node_id,name_zh,name_en,lon,lat,place_by"
_EDGE = "edge_id,road,start,end,length_km,length_km_by,design_kmh,design_kmh_by,opened,opened_by"


def road_nodes(text: str, known_sources: Collection[str]) -> dict[str, RoadNode]:
    """Read road_nodes.csv."""
    found: dict[str, RoadNode] = {}
    for row in rows("road_nodes.csv", text, _NODE.split(","), known_sources):
        by_id(found, row, "node_id", RoadNode(row.id("node_id"), named(row), placed(row)))
    return found


def road_edges(
    text: str, known_sources: Collection[str], nodes: Mapping[str, RoadNode]
) -> dict[str, RoadEdge]:
    """Read road_edges.csv."""
    found: dict[str, RoadEdge] = {}
    for row in rows("road_edges.csv", text, _EDGE.split(","), known_sources):
        by_id(found, row, "edge_id", _edge(row, nodes))
    return found


def _edge(row: Row, nodes: Mapping[str, RoadNode]) -> RoadEdge:
    start, end = known(row, "start", nodes), known(row, "end", nodes)
    if start == end:
        raise row.fault("end", "the node it starts from")
    return RoadEdge(
        row.id("edge_id"),
        row.text("road"),
        start,
        end,
        row.figure("length_km", 0.1, KM_MOST),
        row.figure("design_kmh", KMH_LEAST, KMH_MOST),
        row.day("opened"),
    )
