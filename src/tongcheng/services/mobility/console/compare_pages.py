"""The addresses of a comparison: before and after a scenario, and what is downloaded from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.mobility.console import compare_view, pages, words
from tongcheng.services.mobility.console.desk import Desk
from tongcheng.services.mobility.console.query import Asked, asked_of, to_a_metre
from tongcheng.services.mobility.console.scenario_list import Listed, listed, named
from tongcheng.web import Page
from tongcheng.web.csv_file import download, saved_as
from tongcheng.web.toolkit import AnyRequest

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.answers import Compared
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.console.gazetteer import Named
    from tongcheng.services.mobility.scenario.model import Scenario
    from tongcheng.services.mobility.study.reach import Spot


SAID: Final = frozenset({"regime", "minutes", "from", "until"})
"""What of a question somebody may have said, and is then left as it is."""
LONGER: Final = (90, 120)
"""Minutes that a comparison is looked at by, where nothing changes within the hour."""
PLACES_LOOKED: Final = 4
"""Of a scenario's places those that are tried: of one that changes nothing, all ways are looked."""
DAY: Final = (360, 1_320)
"""Minutes after midnight between which trains run that are few."""
Sight: TypeAlias = "tuple[tuple[Prepared, Prepared], Compared, Named | None]"
"""Both days, what changes from one to the other, and the place it is seen from."""


class Found(NamedTuple):
    """A comparison with what it was made of."""

    atlas: Atlas
    sides: tuple[Prepared, Prepared]
    compared: Compared
    place: Named | None
    scenario: Scenario
    scenarios: tuple[Listed, ...]


@get(compare_view.PATH, include_in_schema=False, opt=pages.READ)
async def compare_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve who gains by a scenario, seen from a place."""
    asked = asked_of(request.query_params)
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    found = await find(request, desk, atlas, asked)
    return compare_view.comparison(
        page, found.atlas, found.sides, found.compared, found.place, found.scenario, found.scenarios
    )


@get(compare_view.GEOJSON, include_in_schema=False, opt=pages.READ)
async def compare_geojson(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """Serve who is within before and after, only after and only before, as GeoJSON."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra

    found = await _found(request)
    compared = found.compared
    name = "" if found.place is None else words.place_said(page, found.place)
    shapes = {"same": compared.same, "gained": compared.gained, "lost": compared.lost}
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "method": {
            "before": compared.methods[0].plain(),
            "after": compared.methods[1].plain(),
        },
        "features": maps.change_features(shapes, compared.spot, name),
    }
    body = msgspec.json.encode(collection)
    return Response(body, media_type=pages.GEOJSON, headers=saved_as("compare.geojson"))


@get(compare_view.CSV, include_in_schema=False, opt=pages.READ)
async def compare_csv(request: AnyRequest) -> Response[str]:
    """Serve the counties in which somebody gains or loses, and below them how it was made."""
    found = await _found(request)
    names = {each.county_id: each.name for each in found.atlas.counties}
    columns = ["county_id", "name_zh", "name_en", "people", "before", "after", "gained", "lost"]
    rows: list[list[str | int]] = [
        [
            each.area_id,
            names[each.area_id].zh,
            names[each.area_id].en,
            each.people,
            *each.within[found.compared.regime][-1],
        ]
        for each in found.compared.gains
    ]
    rows.append([""] * len(columns))
    for side, method in zip(("before", "after"), found.compared.methods, strict=True):
        told = canonical.encode(method.plain()).decode()
        rows.append([f"method {side}", told, *[""] * (len(columns) - 2)])
    return download("compare.csv", columns, rows)


async def find(request: AnyRequest, desk: Desk, atlas: Atlas, asked: Asked) -> Found:
    """Return a comparison; without a scenario that of the first, as the form then shows.

    Refuses as `pages.find`.
    """
    node = pages.node_at(request)
    scenarios = await listed(node, atlas)
    if not asked.scenario_id:
        if not scenarios:
            raise Refused("MOBILITY_NO_SCENARIO", scenario="–")
        asked = asked._replace(scenario_id=scenarios[0].scenario.scenario_id)
    scenario = named(scenarios, asked.scenario_id).scenario
    with pages.region_instead(request, asked):
        atlas, asked = await pages.peopled(node, desk, atlas, asked)
    said = SAID & set(request.query_params)
    question = (scenario, asked)
    sides, compared, place = await look(node, desk, atlas, question, said)
    return Found(atlas, sides, compared, place, scenario, scenarios)


async def look(
    node: RunningNode,
    desk: Desk,
    atlas: Atlas,
    question: tuple[Scenario, Asked],
    said: Collection[str] = (),
) -> Sight:
    """Compare as asked, or the first way of looking that shows a change (see `_looks`)."""
    scenario, asked = question
    sights: list[Sight] = []
    for each in _looks(scenario, asked, said):
        sights.append(await compare(node, desk, atlas, (scenario, each)))
        if sights[-1][1].gains:
            return sights[-1]
    return sights[0]


def _looks(scenario: Scenario, asked: Asked, said: Collection[str]) -> Iterator[Asked]:
    """Yield how a comparison may be looked at, as far as nobody said how.

    Few trains a day move no median, and change nothing around most places. So where a regime, a
    place or a time is not asked for, the first of those that show a change is taken: the page says
    which.
    """
    places = [asked]
    if not asked.place and asked.at is None and scenario.seen_from:
        seen = scenario.seen_from[:PLACES_LOOKED]
        places = [asked._replace(at=to_a_metre(each.lon, each.lat)) for each in seen]
    own = (asked.minutes, asked.begin_min, asked.end_min)
    begin, end = own[1:] if {"from", "until"} & set(said) else DAY
    spans = [own, (asked.minutes, begin, end)]
    if "minutes" not in said:
        spans += [(minutes, begin, end) for minutes in LONGER]
    if scenario.mode == "car":
        spans = [(minutes, *own[1:]) for minutes, _, _ in spans]
    for minutes, first, last in dict.fromkeys(spans):
        for place in places:
            there = place._replace(minutes=minutes, begin_min=first, end_min=last)
            yield there
            if "regime" not in said and scenario.mode == "transit":
                yield there._replace(best=True)


async def compare(
    node: RunningNode, desk: Desk, atlas: Atlas, question: tuple[Scenario, Asked]
) -> Sight:
    """Return both days, what changes from one to the other, and the place it is seen from."""
    from tongcheng.services.mobility.console.answers import compared  # noqa: PLC0415 an extra

    scenario, asked = question
    sides = await pages.sides_of(node, desk, atlas, scenario)
    spot, place = _seen_from(node, atlas, scenario, asked)
    sources = (sides[0].ready.sources, sides[1].ready.sources)
    key = ("compare", sources, sides[0].day, atlas.people_key, scenario.digest, asked, spot)
    make = partial(compared, atlas, sides, scenario, asked, spot)
    return sides, await desk.answered(key, make), place


def _seen_from(
    node: RunningNode, atlas: Atlas, scenario: Scenario, asked: Asked
) -> tuple[Spot, Named | None]:
    """Return where a comparison is seen from: as asked, else as the scenario says."""
    from tongcheng.services.mobility.console import gazetteer  # noqa: PLC0415 an extra

    spot, place = pages.spot_of(node, atlas, asked)
    for seen in scenario.seen_from:
        if place is None and to_a_metre(seen.lon, seen.lat) == (spot.lon, spot.lat):
            return spot, gazetteer.Named("county", seen.name, spot)
    return spot, place


async def _found(request: AnyRequest) -> Found:
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        raise Refused("MOBILITY_PREPARING")
    return await find(request, desk, atlas, asked_of(request.query_params))


HANDLERS: tuple[HTTPRouteHandler, ...] = (compare_page, compare_geojson, compare_csv)
