"""Trunk roads of one day as a graph: door to door by car at design speed, without congestion.

A stretch takes its length at its design speed, rounded once to whole seconds, half a second up.
That is a floor, not a forecast: a picture made of it says so (`LABEL`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import (
    Confidence,
    Figure,
    LeftOut,
    is_open,
    sure_enough,
)
from tongcheng.services.mobility.facts.model import Facts, RoadEdge
from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.numbers import Float64

LABEL: Final = "by car at design speed, without congestion"


class RoadDay(NamedTuple):
    """The trunk roads of a day: nodes in order of their ids, links both ways, in seconds.

    `edge_ids` are the stretches that are in, in order.
    """

    on: date
    node_ids: tuple[str, ...]
    lon: Float64
    lat: Float64
    links: Links
    edge_ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def compile_day(
    facts: Facts,
    on: date,
    confidence_least: Confidence = "low",
    *,
    as_if_open: Collection[str] = (),
) -> RoadDay:
    """Return the roads open on a day whose figures are at least that sure.

    A scenario adds stretches `as_if_open`, by their ids. A node that no open stretch reaches stays
    in: places keep their numbers from one day to another. Refuses FACTS_EMPTY if no stretch is left
    and FACTS_UNKNOWN for an id that none has.
    """
    known = {edge.edge_id for edge in facts.road_edges}
    for edge_id in as_if_open:
        if edge_id not in known:
            raise Refused("FACTS_UNKNOWN", id=edge_id)
    nodes = sorted(facts.road_nodes, key=lambda node: node.node_id)
    place = {node.node_id: number for number, node in enumerate(nodes)}
    origins: list[int] = []
    ends: list[int] = []
    seconds: list[int] = []
    kept: list[str] = []
    left_out: list[LeftOut] = []
    for edge in sorted(facts.road_edges, key=lambda each: each.edge_id):
        reason = _not_open(edge, on) if edge.edge_id not in as_if_open else None
        reason = reason or _not_known(edge, confidence_least)
        if reason is not None:
            left_out.append(LeftOut("road", edge.edge_id, reason))
            continue
        kept.append(edge.edge_id)
        origins += [place[edge.start], place[edge.end]]
        ends += [place[edge.end], place[edge.start]]
        seconds += [edge_s(edge)] * 2
    if not kept:
        raise Refused("FACTS_EMPTY", on=on.isoformat())
    return RoadDay(
        on,
        tuple(place),
        np.array([node.at.lon for node in nodes], np.float64),
        np.array([node.at.lat for node in nodes], np.float64),
        links_of(len(nodes), origins, ends, seconds),
        tuple(kept),
        tuple(left_out),
    )


def edge_s(edge: RoadEdge) -> int:
    """Return the seconds that a stretch of known length and speed takes."""
    assert edge.length_km is not None, "its length is known"
    assert edge.design_kmh is not None, "its speed is known"
    # In thousandths of a kilometre and of a kilometre an hour: whole numbers round alike anywhere.
    length = round(edge.length_km.value * 1000)
    speed = round(edge.design_kmh.value * 1000)
    return (7200 * length + speed) // (2 * speed)


def _not_open(edge: RoadEdge, on: date) -> str | None:
    if edge.opened is None:
        return "opening_unknown"
    return None if is_open(edge.opened, on) else "opens_later"


def _not_known(edge: RoadEdge, least: Confidence) -> str | None:
    if edge.length_km is None:
        return "length_unknown"
    if edge.design_kmh is None:
        return "speed_unknown"
    figures: tuple[Figure[float], ...] = (edge.length_km, edge.design_kmh)
    if not all(sure_enough(figure.by, least) for figure in figures):
        return "not_sure_enough"
    return None
