"""The page of a comparison: who gains by a scenario, in words, maps and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.services.mobility.console import method_view, people_view, view, words
from tongcheng.services.mobility.console.query import Asked, clock
from tongcheng.services.mobility.console.view import Legend
from tongcheng.services.mobility.console.words import name_of, people_said
from tongcheng.web import Badge, Page
from tongcheng.web.components import Tone

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.answers import Compared
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.console.gazetteer import Named
    from tongcheng.services.mobility.console.scenario_list import Listed
    from tongcheng.services.mobility.scenario.model import Scenario
    from tongcheng.services.mobility.study.reach import Spot

PATH: Final = "/mobility/compare"
GEOJSON: Final = "/mobility/compare.geojson"
CSV: Final = "/mobility/compare.csv"
STATUSES: Final[dict[str, tuple[str, Tone]]] = {
    "opened": ("mobility.console.status.opened", "good"),
    "building": ("mobility.console.status.building", "waiting"),
    "proposal": ("mobility.console.status.proposal", "quiet"),
}


REGIMES: Final = {
    view.MEDIAN: "mobility.console.choice.usual",
    view.BEST: "mobility.console.choice.best",
    "car": "mobility.console.regime.car",
}


class Gained(msgspec.Struct, frozen=True):
    """A row of a table before and after."""

    name: str
    city: str
    people: str
    before: str
    after: str
    gain: str


def comparison(
    page: Page,
    atlas: Atlas,
    sides: tuple[Prepared, Prepared],
    compared: Compared,
    named: Named | None,
    scenario: Scenario,
    scenarios: tuple[Listed, ...],
) -> Response[str]:
    """Answer with a comparison."""
    values = values_of(page, atlas, sides, compared, named, scenario, scenarios)
    return page.render("mobility/compare.html", values)


def values_of(
    page: Page,
    atlas: Atlas,
    sides: tuple[Prepared, Prepared],
    compared: Compared,
    named: Named | None,
    scenario: Scenario,
    scenarios: tuple[Listed, ...],
) -> dict[str, Any]:
    """Return what the page of a comparison shows."""
    asked, before, after = compared.asked, *sides
    place = view.spot_said(page, compared.spot, named)
    headline = _headline(page, compared, scenario, place)
    shown = (headline, "" if named is None else place)
    form = view.form(page, atlas, asked, compared.spot, scenarios)
    return {
        "headline": headline,
        "place": place,
        "spot_name": "" if named is None else name_of(page, named.name),
        "asked": asked,
        "scenario": name_of(page, scenario.title),
        "status": status_badge(page, scenario),
        "lead": view.lead(page, atlas, before, asked),
        "modelled": people_view.modelled(page, atlas),
        "era": words.era_said(page, before, after),
        "by_car": before.roads is not None,
        "typical": before.is_typical,
        "credits": before.credits,
        "people_credits": people_view.credits_of(atlas),
        "people_passed": people_view.passed(page, atlas),
        "map": change_map(page, atlas, after, compared, shown),
        "legend": change_legend(page, compared),
        "before": side_map(page, atlas, before, compared, 0, shown),
        "after": side_map(page, atlas, after, compared, 1, shown),
        "bands": _band_legend(page, asked),
        "facts": tuple(_facts(page, compared)),
        "widened": _widened(page, asked),
        "law": _law(page, compared),
        "captions": tuple(_side_title(page, side, each) for side, each in enumerate(sides)),
        "rows": tuple(_rows(page, atlas, compared)),
        "hidden": _hidden(page, compared),
        "cities": tuple(_cities(page, atlas, compared)),
        "seen_from": tuple(_seen_from(page, asked, scenario)),
        "method": method_view.method_view(page, compared.methods[1], scenario, after, atlas),
        "form": {**form, "action": page.href(PATH), "required": True},
        "links": links(page, asked, compared.spot),
    }


def status_badge(page: Page, scenario: Scenario) -> Badge:
    """Return how far a scenario is, in words."""
    key, tone = STATUSES[scenario.status.value]
    return Badge(page.t(key), tone)


def links(page: Page, asked: Asked, spot: Spot) -> dict[str, str]:
    """Return the addresses that belong to a comparison: whole, so that they show what is shown."""
    query = asked._replace(place="", at=(spot.lon, spot.lat)).query(whole=True)
    return {
        "geojson": page.href(GEOJSON) + query,
        "csv": page.href(CSV) + query,
        "ground": page.href(view.GROUND) + view.ground_query(asked),
        "circle": page.href(view.PATH) + query,
        "turned": page.href(PATH) + asked._replace(arriving=not asked.arriving).query(whole=True),
        "other": page.href(PATH) + asked._replace(best=not asked.best).query(whole=True),
    }


def _headline(page: Page, compared: Compared, scenario: Scenario, place: str) -> str:
    more = compared.after - compared.before
    said = {
        "scenario": name_of(page, scenario.title),
        "place": place,
        "within": words.within_said(page, compared.asked.minutes),
        "people": people_said(page, abs(more)),
    }
    arriving = compared.asked.arriving
    if not more and not compared.gains:
        return page.t("mobility.console.compare.title.same", **said)
    if more < 0:
        return page.t("mobility.console.compare.title.less", **said)
    if arriving:
        return page.t("mobility.console.compare.title.to", **said)
    return page.t("mobility.console.compare.title.from", **said)


def change_map(
    page: Page, atlas: Atlas, after: Prepared, compared: Compared, said: tuple[str, str]
) -> Markup:
    """Return the map of who is within before and after, only after, and only before."""
    from tongcheng.services.mobility.console.picture import Band  # noqa: PLC0415 needs the extra

    shapes = (("same", compared.same), ("gained", compared.gained), ("lost", compared.lost))
    titles = {each.style: each.text for each in change_legend(page, compared)}
    bands = [Band(name, shape, titles[name]) for name, shape in shapes if shape is not None]
    return _map(page, atlas, after, compared, (bands, *said))


def side_map(
    page: Page,
    atlas: Atlas,
    side: Prepared,
    compared: Compared,
    which: int,
    said: tuple[str, str],
) -> Markup:
    """Return the small map of one side, in the frame of both."""
    from tongcheng.services.mobility.console.picture import Band  # noqa: PLC0415 needs the extra

    bands = [
        Band(f"band-{number}", band.shape, "")
        for number, band in enumerate(compared.bands[which], 1)
        if band.shape is not None
    ]
    title = _side_title(page, which, side)
    return _map(page, atlas, side, compared, (bands[::-1], title, said[1]), is_small=True)


def _side_title(page: Page, which: int, side: Prepared) -> str:
    if which:
        return page.t("mobility.console.compare.side.after", day=page.voice.day(side.day))
    return page.t("mobility.console.compare.side.before", day=page.voice.day(side.day))


def _map(
    page: Page,
    atlas: Atlas,
    side: Prepared,
    compared: Compared,
    shown: tuple[Sequence[Any], str, str],
    *,
    is_small: bool = False,
) -> Markup:
    from tongcheng.services.mobility.console import maps  # noqa: PLC0415 needs the extra
    from tongcheng.services.mobility.console.picture import Label  # noqa: PLC0415 see above

    bands, title, name = shown
    box = maps.box_of((compared.same, compared.gained, compared.lost), compared.spot)
    spot = Label(name, compared.spot.lon, compared.spot.lat, "spot")
    frame = maps.frame_around(box)
    return maps.map_of(
        page, atlas, side, title=title, bands=bands, spot=spot, frame=frame, is_small=is_small
    )


def change_legend(page: Page, compared: Compared) -> tuple[Legend, ...]:
    """Return what the shapes of a comparison are."""
    found = [
        Legend("same", page.t("mobility.console.compare.same"), ""),
        Legend("gained", page.t("mobility.console.compare.gained"), ""),
    ]
    if compared.lost is not None:
        found.append(Legend("lost", page.t("mobility.console.compare.lost"), ""))
    return tuple(found)


def _band_legend(page: Page, asked: Asked) -> tuple[Legend, ...]:
    above, found = 0, []
    for number, minutes in enumerate(asked.bands, 1):
        text = page.t("mobility.console.band", above=above, minutes=minutes)
        found.append(Legend(f"band-{number}", text, ""))
        above = minutes
    return tuple(found)


def _facts(page: Page, compared: Compared) -> Iterator[tuple[str, str]]:
    number = page.voice.number

    def people(many: int) -> str:
        return page.t("mobility.console.people", people=number(many))

    for regime, before, after in compared.both:
        told = page.t(
            "mobility.console.compare.from_to", before=number(before), after=people(after)
        )
        yield page.t(REGIMES[regime]), told
    gained = sum(each.within[compared.regime][-1][2] for each in compared.gains)
    lost = sum(each.within[compared.regime][-1][3] for each in compared.gains)
    yield page.t("mobility.console.compare.gained"), people(gained)
    if lost:
        yield page.t("mobility.console.compare.lost"), people(lost)


def _widened(page: Page, asked: Asked) -> str:
    """Say that a longer time or window is shown than anybody asked for, "" where it is not."""
    usual = Asked()
    same = (asked.minutes, asked.begin_min, asked.end_min) == (
        usual.minutes,
        usual.begin_min,
        usual.end_min,
    )
    if same or any(f"{name}=" in page.query for name in ("minutes", "from", "until")):
        return ""
    return page.t(
        "mobility.console.compare.widened",
        minutes=asked.minutes,
        begin=clock(asked.begin_min),
        end=clock(asked.end_min),
    )


def _law(page: Page, compared: Compared) -> tuple[str, bool]:
    """Return what became of every cell's journey, and whether that is as it must be."""
    pairs = compared.pairs
    number = page.voice.number
    told = {
        "pairs": number(pairs.pairs),
        "faster": number(pairs.faster),
        "slower": number(pairs.slower),
        "cut": number(pairs.cut),
    }
    if compared.is_law and pairs.slower:
        return page.t("mobility.console.law.broken", **told), False
    if compared.is_law:
        return page.t("mobility.console.law.kept", **told), True
    return page.t("mobility.console.law.none", **told), True


def _signed(page: Page, value: int) -> str:
    return f"+{page.voice.number(value)}" if value > 0 else page.voice.number(value)


def _rows(page: Page, atlas: Atlas, compared: Compared) -> Iterator[Gained]:
    counties = {each.county_id: each for each in atlas.counties}
    cities = {each.city_id: name_of(page, each.name) for each in atlas.cities}
    for each in compared.gains[: view.ROWS_MAX]:
        before, after, *_ = each.within[compared.regime][-1]
        county = counties[each.area_id]
        yield Gained(
            name_of(page, county.name),
            cities.get(county.city_id, ""),
            page.voice.number(each.people),
            page.voice.number(before),
            page.voice.number(after),
            _signed(page, after - before),
        )


def _hidden(page: Page, compared: Compared) -> str:
    left = len(compared.gains) - view.ROWS_MAX
    return page.voice.tn("mobility.console.hidden", left) if left > 0 else ""


def _cities(page: Page, atlas: Atlas, compared: Compared) -> Iterator[Gained]:
    cities = {each.city_id: each for each in atlas.cities}
    for city_id, people, before, after in compared.cities:
        city = cities[city_id]
        yield Gained(
            name_of(page, city.name),
            "",
            page.voice.number(people),
            page.voice.number(before),
            page.voice.number(after),
            _signed(page, after - before),
        )


def _seen_from(page: Page, asked: Asked, scenario: Scenario) -> Iterator[tuple[str, str]]:
    for seen in scenario.seen_from:
        there = asked._replace(place="", at=(seen.lon, seen.lat))
        yield name_of(page, seen.name), page.href(PATH) + there.query()
