"""The map on which a scenario is drawn: the region whole, and what a click can snap to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from tongcheng.services.mobility.console import words
from tongcheng.services.mobility.console.words import name_of
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared


class Point(msgspec.Struct, frozen=True):
    """A station or a node of the roads: its id in the region's tables, and what it is called."""

    id: str
    name: str
    lon: str
    lat: str


class Board(msgspec.Struct, frozen=True):
    """A map, the stations that a line may call at, and the nodes that a road may lead to."""

    map: Markup
    stations: tuple[Point, ...]
    nodes: tuple[Point, ...]


def board(page: Page, atlas: Atlas, prepared: Prepared) -> Board:
    """Return the map of the whole region; `prepared` is its day."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    title = page.t("mobility.console.board")
    frame = maps.frame_around(atlas.box)
    drawn = maps.map_of(page, atlas, prepared, title=title, bands=(), spot=None, frame=frame)
    stations = tuple(
        Point(
            each.station_id,
            f"{name_of(page, each.name)} · {each.station_id}",
            *words.degrees(each.at.lon, each.at.lat),
        )
        for each in atlas.facts.stations
    )
    nodes = tuple(
        Point(
            each.node_id,
            f"{name_of(page, each.name)} · {each.node_id}",
            *words.degrees(each.at.lon, each.at.lat),
        )
        for each in atlas.facts.road_nodes
    )
    return Board(drawn, stations, nodes)
