"""What these pages say alike: people as one says them, names, clocks, what is only modelled."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from tongcheng.services.mobility.console.query import Asked, clock
from tongcheng.services.mobility.scenario.era import other_years
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Prepared
    from tongcheng.services.mobility.console.gazetteer import Named
    from tongcheng.services.mobility.facts.model import Name

HOUR_MIN: Final = 60
SAID: Final = {
    "zh": (10_000, Decimal("0.1"), "{} 万"),
    "en": (1_000_000, Decimal("0.01"), "{} million"),
}
WHOLE_FROM: Final = 1_000
"""From this many of the large unit on, one says whole ones."""


def people_said(page: Page, people: int) -> str:
    """Return people as one says them: "606.9 万", "6.07 million"; small numbers exactly."""
    unit, small, pattern = SAID[page.language]
    if people < unit:
        return page.voice.number(people)
    many = Decimal(people) / unit
    rounded = many.quantize(Decimal(1) if many >= WHOLE_FROM else small, ROUND_HALF_UP)
    return pattern.format(f"{rounded:,}")


def within_said(page: Page, minutes: int) -> str:
    """Return "一小时内", "45 分钟内"."""
    if minutes == HOUR_MIN:
        return page.t("mobility.console.hour")
    return page.t("mobility.console.minutes", minutes=minutes)


def name_of(page: Page, name: Name) -> str:
    """Return a name; one that nobody is sure of in English is shown as it is written."""
    return (name.en if page.language == "en" else "") or name.zh


def place_said(page: Page, named: Named) -> str:
    """Return a place's name as a sentence takes it: "天津站", "Tianjin station"."""
    name = name_of(page, named.name)
    if not named.is_station or name.endswith("站"):
        return name
    return page.t("mobility.console.station", name=name)


def window_said(page: Page, asked: Asked) -> str:
    """Return in what hours one sets out, or arrives."""
    key = "arrive" if asked.arriving else "depart"
    begin, end = clock(asked.begin_min), clock(asked.end_min)
    said: str = page.t(WINDOWS[key], begin=begin, end=end)
    return said


def degrees(lon: float, lat: float) -> tuple[str, str]:
    """Return a point to a metre, as texts and addresses write it."""
    return f"{lon:.5f}", f"{lat:.5f}"


def minutes_said(page: Page, seconds: int) -> str:
    """Return whole minutes, rounded up: nobody is there before."""
    return page.t("mobility.console.min", minutes=-(-seconds // 60))


def era_said(page: Page, *days: Prepared) -> str:
    """Return the mark of maps whose figures are not all of their day's year, "" without any.

    Feeds of real timetables have no such figures.
    """
    if not any(other_years(day.day, day.years) for day in days):
        return ""
    years = sorted({year for day in days for year in day.years})
    span = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    said: str = page.t("mobility.console.era", years=span, year=days[0].day.year)
    return said


WINDOWS: Final = {
    "arrive": "mobility.console.window.arrive",
    "depart": "mobility.console.window.depart",
}
