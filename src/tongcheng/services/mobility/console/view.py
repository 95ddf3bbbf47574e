"""The page of a circle: who reaches a place, or what it reaches, in words, map and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.services.mobility.console import method_view, people_view, words
from tongcheng.services.mobility.console.query import (
    CLOCK,
    MINUTES,
    Asked,
    clock,
)
from tongcheng.services.mobility.console.words import name_of, people_said
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.answers import Answer, AreaRow
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.console.gazetteer import Named
    from tongcheng.services.mobility.console.scenario_list import Listed
    from tongcheng.services.mobility.scenario.model import Scenario
    from tongcheng.services.mobility.study.reach import Spot

PATH: Final = "/mobility"
REACH_GEOJSON: Final = "/mobility/reach.geojson"
REACH_CSV: Final = "/mobility/reach.csv"
MEDIAN, BEST = "p50", "best"
"""Regimes as `study.circle` calls them."""
GROUND: Final = "/mobility/ground.geojson"
CLOCK_STEP: Final = 15
MINUTES_STEP: Final = 5
PERCENT: Final = 100
ROWS_MAX: Final = 250
"""Rows of a table: a file of places may name thousands of areas. The download has them all."""
STATES: Final = {
    "absent": "mobility.console.absent",
    "uncompiled": "mobility.console.uncompiled",
    "failed": "mobility.console.failed",
    "preparing": "mobility.console.preparing",
    "new": "mobility.console.preparing",
}
TITLES: Final = {
    True: "mobility.console.title.to",
    False: "mobility.console.title.from",
}


class Bar(msgspec.Struct, frozen=True):
    """A row of a table with a bar: `share` in tenths of a percent of `people`."""

    name: str
    city: str
    people: str
    within: str
    share: int
    percent: str
    fastest: str
    usable: str
    link: str


class Legend(msgspec.Struct, frozen=True):
    """A band as the legend says it."""

    style: str
    text: str
    people: str


def waiting(page: Page, state: str, said: str = "") -> Response[str]:
    """Answer that the region is not there yet, or never will be, with what to do."""
    key = STATES.get(state, STATES["failed"])
    values = {
        "headline": page.t(f"{key}.title"),
        "text": said or page.t(f"{key}.text"),
        "again": state in {"preparing", "new"},
    }
    return page.render("mobility/waiting.html", values)


def circle(
    page: Page,
    atlas: Atlas,
    prepared: Prepared,
    answer: Answer,
    named: Named | None,
    scenario: Scenario | None,
    scenarios: tuple[Listed, ...],
) -> Response[str]:
    """Answer with a circle."""
    asked = answer.asked
    place = spot_said(page, answer.spot, named)
    headline = page.t(
        TITLES[asked.arriving],
        place=place,
        within=words.within_said(page, asked.minutes),
        people=people_said(page, answer.people),
    )
    values: dict[str, Any] = {
        "headline": headline,
        "place": place,
        "spot_name": "" if named is None else name_of(page, named.name),
        "asked": asked,
        "lead": lead(page, atlas, prepared, asked),
        "scenario": None if scenario is None else name_of(page, scenario.title),
        "era": words.era_said(page, prepared),
        "map": picture(page, atlas, prepared, answer, (headline, "" if named is None else place)),
        "legend": legend(page, answer),
        "facts": tuple(_facts(page, answer, prepared)),
        "rows": tuple(_rows(page, atlas, answer)),
        "rest": _rest(page, atlas, answer),
        "modelled": people_view.modelled(page, atlas),
        "table_note": people_view.note(page, atlas),
        "cities": tuple(_cities(page, atlas, answer)),
        "by_car": prepared.roads is not None,
        "typical": prepared.is_typical,
        "credits": prepared.credits,
        "people_credits": people_view.credits_of(atlas),
        "people_passed": people_view.passed(page, atlas),
        "method": method_view.method_view(page, answer.method, scenario, prepared, atlas),
        "form": form(page, atlas, asked, answer.spot, scenarios),
        "links": links(page, asked, answer.spot),
        "port": port_said(page, atlas),
        "compare": ""
        if scenario is None
        else page.href("/mobility/compare")
        + asked._replace(place="", at=(answer.spot.lon, answer.spot.lat)).query(),
    }
    return page.render("mobility/circle.html", values)


def port_said(page: Page, atlas: Atlas) -> str:
    """Return what leads to the region's port, "" where it has none."""
    port = atlas.region.port
    if port is None:
        return ""
    name = port.name.en if page.language == "en" else port.name.zh
    return page.t("mobility.console.port.link", port=name)


def links(page: Page, asked: Asked, spot: Spot) -> dict[str, str]:
    """Return the addresses that belong to an answer: by coordinates, so that they stay true."""
    query = asked._replace(place="", at=(spot.lon, spot.lat)).query()
    turned = asked._replace(arriving=not asked.arriving).query()
    other = asked._replace(best=not asked.best).query()
    return {
        "geojson": page.href(REACH_GEOJSON) + query,
        "csv": page.href(REACH_CSV) + query,
        "ground": page.href(GROUND) + ground_query(asked),
        "turned": page.href(PATH) + turned,
        "other": page.href(PATH) + other,
    }


def ground_query(asked: Asked) -> str:
    """Return the query of what lies under a map: it hangs on the day alone.

    It names the people too, so that the day that was made ready for them is the one shown.
    """
    return Asked(scenario_id=asked.scenario_id, people=asked.people).query()


def spot_said(page: Page, spot: Spot, named: Named | None) -> str:
    """Return the name of a spot, or its coordinates."""
    if named is not None:
        return words.place_said(page, named)
    return page.t("mobility.console.point", lon=f"{spot.lon:.3f}", lat=f"{spot.lat:.3f}")


def picture(
    page: Page, atlas: Atlas, prepared: Prepared, answer: Answer, said: tuple[str, str]
) -> Markup:
    """Return the map of an answer; `said` is its title, and the name of its spot or ""."""
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra
    from tongcheng.services.mobility.console.picture import Band, Label  # noqa: PLC0415 see above

    bands = [
        Band(f"band-{number}", band.shape, each.text)
        for number, (band, each) in enumerate(
            zip(answer.bands, legend(page, answer), strict=True), 1
        )
        if band.shape is not None
    ]
    box = maps.box_of([band.shape for band in answer.bands], answer.spot)
    return maps.map_of(
        page,
        atlas,
        prepared,
        title=said[0],
        bands=bands[::-1],
        spot=Label(said[1], answer.spot.lon, answer.spot.lat, "spot"),
        frame=maps.frame_around(box),
    )


def legend(page: Page, answer: Answer) -> tuple[Legend, ...]:
    """Return what each band is: from how many minutes to how many, and who lives in it."""
    above = 0
    found = []
    for number, band in enumerate(answer.bands, 1):
        text = page.t("mobility.console.band", above=above, minutes=band.minutes)
        people = page.t("mobility.console.people", people=people_said(page, band.people))
        found.append(Legend(f"band-{number}", text, people))
        above = band.minutes
    return tuple(found)


def lead(page: Page, atlas: Atlas, prepared: Prepared, asked: Asked) -> str:
    """Return how one travels, when, by the trains or roads of what day, and whose people count."""
    travelled = _travelled(page, prepared, asked)
    entry = atlas.counted
    if entry is None:
        return travelled
    people = page.t("mobility.console.lead.people", id=entry.id, source=entry.source)
    return page.t("mobility.console.lead.both", travelled=travelled, people=people)


def _travelled(page: Page, prepared: Prepared, asked: Asked) -> str:
    if prepared.roads is not None:
        return page.t("mobility.console.lead.car", day=page.voice.day(prepared.day))
    regime = page.t(
        "mobility.console.regime.best" if asked.best else "mobility.console.regime.usual"
    )
    return page.t(
        "mobility.console.lead",
        window=words.window_said(page, asked),
        regime=regime,
        day=page.voice.day(prepared.day),
    )


def _facts(page: Page, answer: Answer, prepared: Prepared) -> Iterator[tuple[str, str]]:
    def people(many: int) -> str:
        return page.t("mobility.console.people", people=page.voice.number(many))

    if prepared.roads is not None:
        yield page.t("mobility.console.regime.car"), people(answer.people)
        return
    yield page.t("mobility.console.regime.usual.long"), people(answer.people_by(MEDIAN))
    yield page.t("mobility.console.regime.best.long"), people(answer.people_by(BEST))
    departures = [row.counted.departures for row in answer.rows if row.counted.departures]
    if departures:
        told = _span(page, min(departures), max(departures))
        yield page.t("mobility.console.usable"), told


def _span(page: Page, least: int, most: int) -> str:
    number = page.voice.number
    return number(least) if least == most else f"{number(least)}–{number(most)}"


def _rows(page: Page, atlas: Atlas, answer: Answer) -> Iterator[Bar]:
    city_of = {city.city_id: name_of(page, city.name) for city in atlas.cities}
    for row in answer.rows[:ROWS_MAX]:
        county = atlas.counties[row.area]
        there = answer.asked._replace(place="", at=(county.at.lon, county.at.lat))
        yield _bar(
            page,
            row,
            name_of(page, county.name),
            city_of.get(county.city_id, ""),
            page.href(PATH) + there.query(),
        )


def _bar(page: Page, row: AreaRow, name: str, city: str, link: str) -> Bar:
    people = row.counted.people
    tenths = row.within * 10 * PERCENT // people if people else 0
    departures = row.counted.departures
    return Bar(
        name,
        city,
        page.voice.number(people),
        page.voice.number(row.within),
        tenths,
        page.voice.percent(tenths * 10),
        words.minutes_said(page, row.fastest_s),
        "" if departures is None else page.voice.number(departures),
        link,
    )


def _rest(page: Page, atlas: Atlas, answer: Answer) -> str:
    hidden = len(answer.rows) - ROWS_MAX
    if hidden > 0:
        return page.voice.tn("mobility.console.hidden", hidden)
    left = len(atlas.counties) - len(answer.rows)
    return page.voice.tn("mobility.console.rest", left) if left else ""


def _cities(page: Page, atlas: Atlas, answer: Answer) -> Iterator[tuple[str, str, str, int, str]]:
    for city in atlas.cities:
        own = {at for at, each in enumerate(atlas.counties) if each.city_id == city.city_id}
        inside = sum(row.within for row in answer.rows if row.area in own)
        everybody = sum(answer.counts[at].people for at in own)
        if inside:
            points = min(inside * 10_000 // everybody, 10_000)
            yield (
                name_of(page, city.name),
                page.voice.number(everybody),
                page.voice.number(inside),
                points // 10,
                page.voice.percent(points // 10 * 10),
            )


def form(
    page: Page, atlas: Atlas, asked: Asked, spot: Spot, scenarios: tuple[Listed, ...]
) -> dict[str, Any]:
    """Return what the form shows: what was asked, the bounds, the names it offers."""
    offered = dict.fromkeys(
        words.place_said(page, each) for each in atlas.named if each.kind in {"rail", "city"}
    )
    west, south, east, north = atlas.box
    return {
        "action": page.href(PATH),
        "place": asked.place,
        "lon": f"{spot.lon:.5f}" if not asked.place else "",
        "lat": f"{spot.lat:.5f}" if not asked.place else "",
        "at": (f"{spot.lon:.5f}", f"{spot.lat:.5f}"),
        "box": (west, south, east, north),
        "offered": tuple(offered),
        "scenarios": tuple(
            (each.scenario.scenario_id, name_of(page, each.scenario.title)) for each in scenarios
        ),
        "people": tuple(people_view.offered(page, atlas)),
        "required": False,
        "minutes": (*MINUTES, MINUTES_STEP),
        "clock": (*CLOCK, CLOCK_STEP),
        "begin": clock(asked.begin_min),
        "end": clock(asked.end_min),
    }
