"""The addresses of mobility's first page, and what is downloaded from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.mobility.console import view, words
from tongcheng.services.mobility.console.desk import Desk, desk_of
from tongcheng.services.mobility.console.query import (
    REGION_PEOPLE,
    Asked,
    asked_of,
    to_a_metre,
)
from tongcheng.services.mobility.console.scenario_list import listed, named
from tongcheng.web import Page
from tongcheng.web.csv_file import download, saved_as
from tongcheng.web.toolkit import OFFER, AnyRequest, Offer, Toolkit, needs, path_of

if TYPE_CHECKING:
    from tongcheng.services.mobility.bundle.records import KeptEntry
    from tongcheng.services.mobility.console.answers import Answer
    from tongcheng.services.mobility.console.atlas import Atlas, Kept, Prepared
    from tongcheng.services.mobility.console.gazetteer import Named
    from tongcheng.services.mobility.scenario.model import Scenario
    from tongcheng.services.mobility.study.reach import Spot

READ = needs("mobility.read")
GEOJSON: Final = "application/geo+json"
OF_PEOPLE: Final = frozenset(
    {
        "MOBILITY_COUNTS",
        "MOBILITY_PEOPLE_DENSE",
        "MOBILITY_PEOPLE_FILE",
        "MOBILITY_PEOPLE_MANY",
        "MOBILITY_PEOPLE_NONE",
    }
)
"""What is refused because of the places whose people would be counted, and of nothing else."""
T = TypeVar("T")


class Found(NamedTuple):
    """A question's answer with what it was asked of."""

    atlas: Atlas
    prepared: Prepared
    answer: Answer
    named: Named | None
    scenario: Scenario | None


@get(view.PATH, include_in_schema=False, opt=READ)
async def circle_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve a circle: who reaches a place, or what it reaches."""
    asked = asked_of(request.query_params)
    desk = desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return waiting(page, desk)
    node = node_at(request)
    with region_instead(request, asked):
        found = await find(node, desk, atlas, asked)
    scenarios = await listed(node, atlas)
    return view.circle(
        page, found.atlas, found.prepared, found.answer, found.named, found.scenario, scenarios
    )


@get(view.REACH_GEOJSON, include_in_schema=False, opt=READ)
async def reach_geojson(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """Serve a circle as GeoJSON (RFC 7946) with its method."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    found = await _found(request)
    name = "" if found.named is None else words.place_said(page, found.named)
    collection = {
        "type": "FeatureCollection",
        "method": found.answer.method.plain(),
        "features": maps.reach_features(found.answer.bands, found.answer.spot, name),
    }
    return Response(_json(collection), media_type=GEOJSON, headers=saved_as("reach.geojson"))


@get(view.GROUND, include_in_schema=False, opt=READ)
async def ground_geojson(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """Serve what lies under every circle of a day: outline, lines, names."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    asked = asked_of(request.query_params)
    desk = desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        raise Refused("MOBILITY_PREPARING")
    with region_instead(request, asked):
        atlas, asked = await peopled(node_at(request), desk, atlas, asked)
    prepared, _ = await prepared_for(node_at(request), desk, atlas, asked)
    features = maps.ground_features(page, atlas, prepared)
    body = _json({"type": "FeatureCollection", "features": features})
    return Response(body, media_type=GEOJSON)


@get(view.REACH_CSV, include_in_schema=False, opt=READ)
async def reach_csv(request: AnyRequest) -> Response[str]:
    """Serve a circle's counties as a table, and below it how it was made."""
    found = await _found(request)
    atlas, answer = found.atlas, found.answer
    regimes = tuple(answer.found.seconds)
    columns = ["county_id", "name_zh", "name_en", "people"]
    columns += [f"{each}_{minutes}_min" for each in regimes for minutes in answer.asked.bands]
    columns += ["best_departures"]
    rows: list[list[str | int]] = []
    for county, count in zip(atlas.counties, answer.counts, strict=True):
        within = [people for each in regimes for people in count.within[each]]
        departures = "" if count.departures is None else count.departures
        name = county.name
        rows.append([county.county_id, name.zh, name.en, count.people, *within, departures])
    method = canonical.encode(answer.method.plain()).decode()
    rows += [[""] * len(columns), ["method", method, *[""] * (len(columns) - 2)]]
    return download("reach.csv", columns, rows)


def waiting(page: Page, desk: Desk) -> Response[str]:
    """Answer that the region is not there yet, or why it will not be."""
    if desk.refused is not None and desk.state == "refused":
        said = page.console.errors.render(desk.refused, page.language)
        return view.waiting(page, desk.state, f"{said.what} {said.do}")
    return view.waiting(page, desk.state)


def desk_at(request: AnyRequest) -> Desk:
    """Return the desk of the node that answers."""
    folder: Path = request.app.state["pack_folder"]
    return desk_of(node_at(request), folder)


def node_at(request: AnyRequest) -> RunningNode:
    """Return the node that answers."""
    node: RunningNode = request.app.state["node"]
    return node


@contextmanager
def region_instead(request: AnyRequest, asked: Asked) -> Iterator[None]:
    """Offer the region's own cells on the page that refuses the people somebody chose."""
    try:
        yield
    except Refused as refused:
        if refused.code in OF_PEOPLE | {"MOBILITY_PEOPLE_UNKNOWN"}:
            toolkit: Toolkit = request.app.state["toolkit"]
            fields = asked._replace(people=REGION_PEOPLE).fields(whole=True)
            said = {*request.query_params, "people"}
            query = urlencode({name: each for name, each in fields.items() if name in said})
            text = toolkit.page(request).t("mobility.console.people.instead")
            request.scope["state"][OFFER] = Offer(f"{path_of(request)}?{query}", text)
        raise


async def find(node: RunningNode, desk: Desk, atlas: Atlas, asked: Asked) -> Found:
    """Return the answer of a question, from what was prepared and asked before or anew.

    Raises:
        Refused: MOBILITY_PLACE_UNKNOWN, MOBILITY_PLACE_SEVERAL, MOBILITY_OUTSIDE,
            MOBILITY_NO_SCENARIO, MOBILITY_BUSY; and as `peopled`.
    """
    from tongcheng.services.mobility.console.answers import answer_of  # noqa: PLC0415 an extra

    atlas, asked = await peopled(node, desk, atlas, asked)
    prepared, scenario = await prepared_for(node, desk, atlas, asked)
    spot, place = spot_of(node, atlas, asked)
    key = (prepared.ready.sources, prepared.base.day, atlas.people_key, asked, spot)
    answer = await desk.answered(key, partial(answer_of, atlas, prepared, asked, spot))
    return Found(atlas, prepared, answer, place, scenario)


async def peopled(
    node: RunningNode,
    desk: Desk,
    atlas: Atlas,
    asked: Asked,
    scenario: Scenario | None = None,
) -> tuple[Atlas, Asked]:
    """Return the region with the people that a question is about, and the question naming them.

    Where nobody chooses, they are of the first of the kept places that can be counted by; else of
    the region's modelled cells, and where there is no choice nobody is named. The question's day,
    or that of a scenario which is not listed, is ready then: `Atlas.passed` are those it refused.

    Raises:
        Refused: MOBILITY_PEOPLE_UNKNOWN, and OF_PEOPLE, where somebody chose; MOBILITY_BUSY; and
            as `prepared_for`.
    """
    from tongcheng.services.mobility.console import counted, offers  # noqa: PLC0415 an extra

    kept = await kept_at(node)
    if not kept.places and asked.people in {"", REGION_PEOPLE}:
        return atlas, asked._replace(people="")
    files = offers.files(kept)
    offered = await desk.peopled(
        ("offers", kept.places, files), partial(offers.offers, kept, files)
    )
    if not offered and asked.people in {"", REGION_PEOPLE}:
        return atlas, asked._replace(people="")
    atlas = atlas._replace(offered=offered)
    if asked.people == REGION_PEOPLE:
        return atlas, asked
    if asked.people:
        chosen = counted.named(kept, asked.people)
        return await _counting(node, desk, atlas, chosen, (asked, scenario))
    passed: list[Refused] = []
    for each in offered:
        refused = each.refused
        if refused is None:
            try:
                made, named_so = await _counting(node, desk, atlas, each.kept, (asked, scenario))
            except Refused as fault:
                if fault.code not in OF_PEOPLE:
                    raise
                # A fresh one: what was caught holds on to all that was being made.
                refused = Refused(fault.code, **fault.facts)
            else:
                return made._replace(passed=tuple(passed)), named_so
        passed.append(refused)
    return atlas._replace(passed=tuple(passed)), asked._replace(people=REGION_PEOPLE)


async def _counting(
    node: RunningNode,
    desk: Desk,
    atlas: Atlas,
    chosen: KeptEntry,
    question: tuple[Asked, Scenario | None],
) -> tuple[Atlas, Asked]:
    """Return the region with the people of kept places, for which a question's day is ready.

    Refuses OF_PEOPLE, and as `prepared_for`.
    """
    from tongcheng.services.mobility.console import counted, offers  # noqa: PLC0415 an extra

    asked, scenario = question
    make = partial(counted.with_people, atlas, chosen, node.home)
    made = await desk.peopled(("places", chosen.entry), make)
    made = made._replace(offered=atlas.offered)
    try:
        if scenario is None:
            await prepared_for(node, desk, made, asked)
        else:
            await sides_of(node, desk, made, scenario)
    except Refused as refused:
        if refused.code != "MOBILITY_TOO_MANY_WAYS":
            raise
        raise offers.naming(chosen, refused) from None
    return made, asked._replace(people=f"{chosen.member_id}/{chosen.entry.id}")


async def prepared_for(
    node: RunningNode, desk: Desk, atlas: Atlas, asked: Asked
) -> tuple[Prepared, Scenario | None]:
    """Return the day that a question is about, with the scenario that changed it."""
    from tongcheng.services.mobility.console import atlas as days  # noqa: PLC0415 an extra

    on = today(node)
    if not asked.scenario_id:
        kept = await kept_at(node)
        make = partial(days.prepared_day, atlas, on, kept)
        key = ("day", on, kept.digests, atlas.people_key)
        return await _prepared(desk, key, make), None
    found = named(await listed(node, atlas), asked.scenario_id)
    _, after = await sides_of(node, desk, atlas, found.scenario)
    return after, found.scenario


async def sides_of(
    node: RunningNode, desk: Desk, atlas: Atlas, scenario: Scenario
) -> tuple[Prepared, Prepared]:
    """Return the day that a scenario changes, and the day as changed."""
    from tongcheng.services.mobility.console import atlas as days  # noqa: PLC0415 an extra

    on = today(node)
    kept = await kept_at(node)
    make = partial(days.prepared_scenario, atlas, scenario, on, kept)
    key = ("scenario", scenario.digest, on, kept.digests, atlas.people_key)
    return await _prepared(desk, key, make)


async def _prepared(desk: Desk, key: Hashable, make: Callable[[], T]) -> T:
    made = await desk.prepared(key, partial(_or_too_many, make))
    if isinstance(made, Refused):
        raise Refused(made.code, **made.facts)
    return made


def _or_too_many(make: Callable[[], T]) -> T | Refused:
    """Return what is made; or MOBILITY_TOO_MANY_WAYS, kept as an answer is.

    It takes long to find out, and everybody would who opens the page.
    """
    try:
        return make()
    except Refused as refused:
        if refused.code != "MOBILITY_TOO_MANY_WAYS":
            raise
        return Refused(refused.code, **refused.facts)


async def kept_at(node: RunningNode) -> Kept:
    """Return the bundles that the node keeps."""
    from tongcheng.services.mobility.bundle.records import kept_entries  # noqa: PLC0415 an extra
    from tongcheng.services.mobility.console import atlas as days  # noqa: PLC0415 an extra

    return days.Kept(await node.read(kept_entries), node.home)


def spot_of(node: RunningNode, atlas: Atlas, asked: Asked) -> tuple[Spot, Named | None]:
    """Return where a question is about; without a place, the main station of the node's city.

    Where the region names none, that is its first station.
    """
    from tongcheng.services.mobility.console import gazetteer  # noqa: PLC0415 an extra
    from tongcheng.services.mobility.study.reach import Spot  # noqa: PLC0415 an extra

    if asked.at is not None:
        spot = Spot(*asked.at)
        west, south, east, north = atlas.box
        if not (west - 1 <= spot.lon <= east + 1 and south - 1 <= spot.lat <= north + 1):
            raise Refused("MOBILITY_OUTSIDE", lon=f"{spot.lon:.3f}", lat=f"{spot.lat:.3f}")
        return spot, gazetteer.nearest(atlas.named, spot)
    if asked.place:
        place = gazetteer.find(atlas.named, asked.place)
    else:
        place = main_station(node, atlas) or atlas.named[0]
    return Spot(*to_a_metre(*place.spot)), place


def main_station(node: RunningNode, atlas: Atlas) -> Named | None:
    """Return the main station of the node's own city, None where the region names none."""
    region = node.home.region
    own = region.jurisdiction_of(region.member(node.home.member_id))
    station = atlas.region.main_stations.get(own.id)
    if station is None:
        return None
    at = (station.at.lon, station.at.lat)
    return next(each for each in atlas.named if (each.name, each.spot) == (station.name, at))


def today(node: RunningNode) -> date:
    """Return the region's local day."""
    at = datetime.fromtimestamp(node.clock.now() // 1000, UTC)
    return at.astimezone(ZoneInfo(node.home.region.zone)).date()


async def _found(request: AnyRequest) -> Found:
    desk = desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        raise Refused("MOBILITY_PREPARING")
    asked = asked_of(request.query_params)
    with region_instead(request, asked):
        return await find(node_at(request), desk, atlas, asked)


def _json(value: Mapping[str, Any]) -> bytes:

    return msgspec.json.encode(value)


HANDLERS: tuple[HTTPRouteHandler, ...] = (circle_page, reach_geojson, ground_geojson, reach_csv)
