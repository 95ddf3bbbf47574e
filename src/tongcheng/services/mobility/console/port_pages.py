"""The addresses of a port's hinterland, and what is downloaded from it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.mobility.console import pages, port_view
from tongcheng.services.mobility.console.desk import Desk
from tongcheng.services.mobility.console.query import port_minutes
from tongcheng.web import Page
from tongcheng.web.csv_file import download, saved_as
from tongcheng.web.toolkit import AnyRequest

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.console.port import Hinterland

COLUMNS: Final = (
    "county_id",
    "name_zh",
    "name_en",
    "people",
    "road_s",
    "rail_s",
    "rail_from",
    "rail_basis",
)


class Found(NamedTuple):
    """A port's hinterland with what it was computed from."""

    atlas: Atlas
    prepared: Prepared
    hinterland: Hinterland


@get(port_view.PATH, include_in_schema=False, opt=pages.READ)
async def port_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve who is how near to the region's port by road, and by rail as far as known."""
    minutes = port_minutes(request.query_params)
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    found = await find(pages.node_at(request), desk, atlas, minutes)
    return port_view.hinterland(page, found.atlas, found.prepared, found.hinterland)


@get(port_view.GEOJSON, include_in_schema=False, opt=pages.READ)
async def port_geojson(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """Serve the hinterland by road as GeoJSON (RFC 7946) with its method."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    found = (await _found(request)).hinterland
    name = port_view.port_name(page, found.port)
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "method": found.method.plain(),
        "features": maps.reach_features(found.bands, found.spot, name),
    }
    body = msgspec.json.encode(collection)
    return Response(body, media_type=pages.GEOJSON, headers=saved_as("port.geojson"))


@get(port_view.CSV, include_in_schema=False, opt=pages.READ)
async def port_csv(request: AnyRequest) -> Response[str]:
    """Serve every county's time by road and by rail, and below it how it was made."""
    found = await _found(request)
    names = {each.county_id: each.name for each in found.atlas.facts.counties}
    rows: list[list[str | int]] = []
    for row in found.hinterland.rows:
        name, rail = names[row.area_id], row.rail
        by_rail = ("", "", "") if rail is None else (rail.seconds, rail.place, rail.basis)
        road_s = "" if row.road_s is None else row.road_s
        rows.append([row.area_id, name.zh, name.en, row.people, road_s, *by_rail])
    method = canonical.encode(found.hinterland.method.plain()).decode()
    rows += [[""] * len(COLUMNS), ["method", method, *[""] * (len(COLUMNS) - 2)]]
    return download("port.csv", COLUMNS, rows)


async def find(node: RunningNode, desk: Desk, atlas: Atlas, minutes: int) -> Found:
    """Return the hinterland of the region's port.

    Raises:
        Refused: MOBILITY_NO_PORT, MOBILITY_BUSY.
    """
    from tongcheng.services.mobility.console import atlas as days  # noqa: PLC0415 an extra
    from tongcheng.services.mobility.console.port import hinterland_of, spot_of  # noqa: PLC0415 see

    port, on = atlas.region.port, pages.today(node)
    spot = None if port is None else spot_of(port)
    if port is None or spot is None:
        raise Refused("MOBILITY_NO_PORT")
    prepared = await desk.prepared(("roads", on), partial(days.prepared_roads, atlas, on))
    make = partial(hinterland_of, atlas, prepared, port, spot, minutes)
    return Found(atlas, prepared, await desk.answered(("port", on, minutes), make))


async def _found(request: AnyRequest) -> Found:
    minutes = port_minutes(request.query_params)
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        raise Refused("MOBILITY_PREPARING")
    return await find(pages.node_at(request), desk, atlas, minutes)


HANDLERS: tuple[HTTPRouteHandler, ...] = (port_page, port_geojson, port_csv)
