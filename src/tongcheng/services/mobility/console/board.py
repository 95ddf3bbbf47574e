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
    from tongcheng.services.mobility.facts.model import RoadNode, Station


class Board(msgspec.Struct, frozen=True):
    """A map, the stations that a line may call at, and the nodes that a road may lead to.

    Of each a line: longitude, latitude, its id in the region's tables, and what it is called. The
    script makes of them what a browser completes; spelt out, seven hundred are most of a page.
    """

    map: Markup
    stations: str
    nodes: str


def board(page: Page, atlas: Atlas, prepared: Prepared) -> Board:
    """Return the map of the whole region; `prepared` is its day."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    title = page.t("mobility.console.board")
    frame = maps.frame_around(atlas.box)
    drawn = maps.map_of(page, atlas, prepared, title=title, bands=(), spot=None, frame=frame)
    stations = (_line(page, each.station_id, each) for each in atlas.facts.stations)
    nodes = (_line(page, each.node_id, each) for each in atlas.facts.road_nodes)
    return Board(drawn, "\n".join(stations), "\n".join(nodes))


def _line(page: Page, point_id: str, point: Station | RoadNode) -> str:
    at = (each.rstrip("0").rstrip(".") for each in words.degrees(point.at.lon, point.at.lat))
    return " ".join((*at, point_id, name_of(page, point.name)))
