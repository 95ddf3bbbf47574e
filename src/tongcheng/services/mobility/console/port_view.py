"""The page of a port's hinterland, in words, map and table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.services.mobility.console import method_view, people_view, words
from tongcheng.services.mobility.console.query import PORT_USUAL
from tongcheng.services.mobility.console.view import Legend
from tongcheng.services.mobility.console.words import name_of, people_said
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.console.port import Hinterland
    from tongcheng.services.mobility.facts.port import Port
    from tongcheng.services.mobility.study.hinterland import Freight, Inland

PATH: Final = "/mobility/port"
GEOJSON: Final = "/mobility/port.geojson"
CSV: Final = "/mobility/port.csv"
OFFERED: Final = (60, 120, 180, 240)
"""Minutes by road that the page offers."""
BASES: Final = {
    "train": "mobility.console.port.train",
    "length": "mobility.console.port.length",
}


class Row(msgspec.Struct, frozen=True):
    """A county: its people, and how long goods take from it by road and by rail."""

    name: str
    city: str
    people: str
    road: str
    rail: str
    basis: str


def hinterland(page: Page, atlas: Atlas, prepared: Prepared, found: Hinterland) -> Response[str]:
    """Answer with a port's hinterland."""
    headline = page.t(
        "mobility.console.port.title",
        port=port_name(page, found.port),
        within=words.within_said(page, found.minutes),
        people=people_said(page, found.people),
    )
    rows = tuple(_rows(page, atlas, found))
    left = len(found.rows) - len(rows)
    values: dict[str, Any] = {
        "headline": headline,
        "lead": page.t("mobility.console.port.lead", day=page.voice.day(prepared.day)),
        "map": _map(page, atlas, prepared, found, headline),
        "legend": tuple(_legend(page, found)),
        "credits": prepared.credits,
        "offered": tuple(
            (words.minutes_said(page, minutes * 60), page.href(PATH) + query_of(minutes))
            for minutes in OFFERED
            if minutes != found.minutes
        ),
        "rows": rows,
        "rest": page.voice.tn("mobility.console.port.rest", left) if left else "",
        "modelled": people_view.modelled(page, atlas),
        "method": method_view.method_view(page, found.method, None, prepared, atlas),
        "geojson": page.href(GEOJSON) + query_of(found.minutes),
        "csv": page.href(CSV) + query_of(found.minutes),
    }
    return page.render("mobility/port.html", values)


def query_of(minutes: int) -> str:
    """Return the query of a port's page, "" of the usual one."""
    return "" if minutes == PORT_USUAL else f"?minutes={minutes}"


def port_name(page: Page, port: Port) -> str:
    """Return what a port is called."""
    return port.name.en if page.language == "en" else port.name.zh


def _map(page: Page, atlas: Atlas, prepared: Prepared, found: Hinterland, headline: str) -> Markup:
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra
    from tongcheng.services.mobility.console.picture import Band, Label  # noqa: PLC0415 see above

    legend = _legend(page, found)
    bands = [
        Band(each.style, band.shape, each.text)
        for band, each in zip(found.bands, legend, strict=True)
        if band.shape is not None
    ]
    box = maps.box_of([band.shape for band in found.bands], found.spot)
    return maps.map_of(
        page,
        atlas,
        prepared,
        title=headline,
        bands=bands[::-1],
        spot=Label(port_name(page, found.port), found.spot.lon, found.spot.lat, "spot"),
        frame=maps.frame_around(box),
    )


def _legend(page: Page, found: Hinterland) -> Iterator[Legend]:
    above = 0
    for number, band in enumerate(found.bands, 1):
        text = page.t("mobility.console.band", above=above, minutes=band.minutes)
        people = page.t("mobility.console.people", people=people_said(page, band.people))
        yield Legend(f"band-{number}", text, people)
        above = band.minutes


def _rows(page: Page, atlas: Atlas, found: Hinterland) -> Iterator[Row]:
    """Yield the counties that are near by road; the file has the others."""
    from tongcheng.services.mobility.console.port import is_inside  # noqa: PLC0415 an extra

    counties = {each.county_id: each for each in atlas.facts.counties}
    cities = {each.city_id: name_of(page, each.name) for each in atlas.cities}
    for row in found.rows:
        if is_inside(row, found.minutes):
            county = counties[row.area_id]
            yield _row(page, row, name_of(page, county.name), cities[county.city_id])


def _row(page: Page, row: Inland, name: str, city: str) -> Row:
    rail = row.rail
    return Row(
        name,
        city,
        page.voice.number(row.people),
        "" if row.road_s is None else words.minutes_said(page, row.road_s),
        "" if rail is None else words.minutes_said(page, rail.seconds),
        "" if rail is None else _basis(page, rail),
    )


def _basis(page: Page, rail: Freight) -> str:
    return page.t(BASES[rail.basis], place=rail.place)
