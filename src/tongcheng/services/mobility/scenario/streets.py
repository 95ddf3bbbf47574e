"""add_road: stretches of trunk road."""

from __future__ import annotations

import numpy as np

from tongcheng.services.mobility.facts import roads
from tongcheng.services.mobility.facts.roads import RoadDay
from tongcheng.services.mobility.links import links_of
from tongcheng.services.mobility.scenario.model import AddRoad, AddRoads, Base, Call, Spot
from tongcheng.services.mobility.scenario.naming import At


def add_roads(base: Base, change: AddRoads, at: At) -> Base:
    """Return the base with stretches of the fact tables, as if open.

    Refuses SCENARIO_FACTS where the base has no roads of fact tables, SCENARIO_UNKNOWN,
    SCENARIO_LEFT_OUT for a stretch of unknown length or speed, SCENARIO_RUNS for one that is open.
    """
    facts, day = base.facts, base.roads
    if facts is None or day is None:
        raise at.refused("SCENARIO_FACTS")
    edges = {edge.edge_id: edge for edge in facts.road_edges}
    for edge_id in change.from_facts:
        edge = edges.get(edge_id)
        if edge is None:
            raise at.unknown("stretch", edge_id)
        if edge_id in day.edge_ids:
            raise at.refused("SCENARIO_RUNS", id=edge_id)
        if edge.length_km is None or edge.design_kmh is None:
            reason = "length_unknown" if edge.length_km is None else "speed_unknown"
            raise at.refused("SCENARIO_LEFT_OUT", id=edge_id, reason=reason)
        ends = _node(day, edge.start), _node(day, edge.end)
        day = _with_edge(day, edge_id, ends, roads.edge_s(edge))
    left_out = tuple(each for each in day.left_out if each.id not in change.from_facts)
    return base._replace(roads=day._replace(left_out=left_out))


def add_road(base: Base, change: AddRoad, at: At) -> Base:
    """Return the base with a stretch of its own; new nodes stand behind those of the base.

    Places of one longitude and latitude are one node. Refuses SCENARIO_FACTS where the base has no
    roads, SCENARIO_UNKNOWN for a node that it does not have.
    """
    if base.roads is None:
        raise at.refused("SCENARIO_FACTS")
    day, start = _end(base, base.roads, change.start, at)
    day, end = _end(base, day, change.end, at)
    speed = change.design_m_per_h
    seconds = (7_200 * change.length_m + speed) // (2 * speed)
    edge_id = f"scenario:{day.node_ids[start]}-{day.node_ids[end]}"
    return base._replace(roads=_with_edge(day, edge_id, (start, end), seconds))


def _end(base: Base, day: RoadDay, end: Call, at: At) -> tuple[RoadDay, int]:
    if isinstance(end, str):
        nodes = () if base.facts is None else base.facts.road_nodes
        named = sorted(each.node_id for each in nodes if end in each.name)
        for node_id in (end, *named):
            if node_id in day.node_ids:
                return day, _node(day, node_id)
        raise at.unknown("node", end)
    node_id = f"{end.lon:.5f},{end.lat:.5f}"
    if node_id in day.node_ids:
        return day, _node(day, node_id)
    return _with_node(day, node_id, end), len(day.node_ids)


def _node(day: RoadDay, node_id: str) -> int:
    return day.node_ids.index(node_id)


def _with_node(day: RoadDay, node_id: str, spot: Spot) -> RoadDay:
    links = day.links
    return day._replace(
        node_ids=(*day.node_ids, node_id),
        lon=np.append(day.lon, spot.lon),
        lat=np.append(day.lat, spot.lat),
        links=links._replace(start=np.append(links.start, links.start[-1])),
    )


def _with_edge(day: RoadDay, edge_id: str, ends: tuple[int, int], seconds: int) -> RoadDay:
    links = day.links
    origin = np.repeat(np.arange(links.rows), np.diff(links.start))
    return day._replace(
        links=links_of(
            links.rows,
            np.append(origin, ends),
            np.append(links.to, ends[::-1]),
            np.append(links.seconds, [seconds, seconds]),
        ),
        edge_ids=tuple(sorted([*day.edge_ids, edge_id])),
    )
