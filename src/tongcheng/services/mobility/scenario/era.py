"""Eras on one map: of which years a base's figures are, and feeds that have no day in common.

Fact tables hold figures of several years. A map of one day that rests on others says so on itself;
two timetables that were never in force together are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.texts import Texts
from tongcheng.kernel.words import Language

if TYPE_CHECKING:
    from tongcheng.services.mobility.feed.model import Feed
    from tongcheng.services.mobility.scenario.model import Base


class Mark(NamedTuple):
    """What a map must say of itself: its `year`, and the other years that its figures are of.

    `services` of `of_all` rest on some figure of another year.
    """

    year: int
    others: tuple[int, ...]
    services: int
    of_all: int


def other_years(day: date, years: Iterable[int]) -> tuple[int, ...]:
    """Return which of the years of figures are not the day's, ascending, each once."""
    return tuple(sorted(set(years) - {day.year}))


def mark_of(base: Base) -> Mark | None:
    """Return the mark of a base, None where every figure is of the year of its day."""
    others = other_years(base.day, (year for used in base.used for year in used.years))
    if not others:
        return None
    mixed = sum(bool(other_years(base.day, used.years)) for used in base.used)
    return Mark(base.day.year, others, mixed, len(base.used))


def words(mark: Mark, texts: Texts, language: Language) -> str:
    """Return a mark as one line for a map."""
    return texts.get(
        "mobility.scenario.mark",
        language,
        year=mark.year,
        others=", ".join(map(str, mark.others)),
        services=mark.services,
        of_all=mark.of_all,
    )


def refuse_mixed(feeds: Sequence[Feed]) -> None:
    """Refuse TIMETABLE_ERAS where feeds span no day in common, and name two that do not."""
    spans = [(*_span(feed), feed.feed_id) for feed in feeds]
    if not spans:
        return
    first_on, _, later = max(spans)
    _, last_on, earlier = min(spans, key=lambda each: (each[1], each[2]))
    if first_on > last_on:
        raise Refused(
            "TIMETABLE_ERAS",
            one=earlier,
            last_on=last_on.isoformat(),
            other=later,
            first_on=first_on.isoformat(),
        )


def _span(feed: Feed) -> tuple[date, date]:
    """Return the first and the last day that a feed's calendar speaks of; refuses one without."""
    days = [
        day
        for service in feed.services
        for day in (
            *([service.start_on, service.end_on] if service.start_on <= service.end_on else []),
            *service.added,
        )
    ]
    if not days:
        raise Refused("TIMETABLE_NO_SERVICE", feed=feed.feed_id)
    return min(days), max(days)
