"""What a map says of figures of other years, and feeds that were never in force together."""

from datetime import date

import pytest

from tests.services.mobility.scenario.bases import facts_base, own_base, scenario
from tests.services.mobility.small_feeds import EVERY_DAY, Stop, Trip, small_feed
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.texts import Texts
from tongcheng.services.mobility.feed.model import Feed, Service
from tongcheng.services.mobility.scenario.applying import applied
from tongcheng.services.mobility.scenario.era import (
    Mark,
    mark_of,
    other_years,
    refuse_mixed,
    words,
)
from tongcheng.services.mobility.service import TEXTS_PATH


def _feed(name: str, *services: Service) -> Feed:
    trips = [Trip("t", [("a", "8:00"), ("b", "8:10")], service=services[0].id)]
    return small_feed(name, stops=[Stop("a"), Stop("b", 117.1)], trips=trips, services=services)


def _service(first: tuple[int, int, int], last: tuple[int, int, int], *added: date) -> Service:
    return Service("all", (True,) * 7, date(*first), date(*last), frozenset(added), frozenset())


@pytest.mark.parametrize(
    ("years", "others"),
    [([], ()), ([2026, 2026], ()), ([2026, 2021, 2016, 2021], (2016, 2021)), ([2027], (2027,))],
)
def test_other_years_than_the_days(years: list[int], others: tuple[int, ...]) -> None:
    """Before or after, in order, each once."""
    assert other_years(date(2026, 3, 11), years) == others


def test_marked_with_the_other_years() -> None:
    """Trains of 2016 and a metro of 2020 stand on a map of 2016: it says which, and how many."""
    mark = mark_of(facts_base())

    assert mark == Mark(2016, (2020,), 1, 3)
    assert words(mark, Texts.load(TEXTS_PATH), "en") == (
        "mixed eras: 1 of 3 services rest on figures of 2020, not all of 2016"
    )
    assert "2020" in words(mark, Texts.load(TEXTS_PATH), "zh")


def test_what_a_scenario_adds_counts_too() -> None:
    """A service of 2021 that is added to 2016 is of another year; one removed is not there."""
    added = applied(facts_base(), scenario("- change: add_line\n  from_facts: [an]\n"))
    removed = applied(facts_base(), scenario("- change: remove_line\n  lines: [loop]\n"))

    assert mark_of(added) == Mark(2016, (2020, 2021), 2, 4)
    assert mark_of(removed) is None


def test_feeds_of_ones_own_have_no_mark() -> None:
    """A timetable is of the days that it says."""
    assert mark_of(own_base()) is None


def test_feeds_without_a_common_day_are_refused() -> None:
    """The one that ends first and the one that begins last are named, with both days."""
    early = _feed("early", _service((2016, 1, 1), (2016, 12, 31)))
    late = _feed("late", _service((2026, 3, 1), (2026, 12, 31)))
    long = _feed("long", _service((2000, 1, 1), (2030, 1, 1)))
    refuse_mixed(())
    refuse_mixed((early, long))
    refuse_mixed((long, late))

    with pytest.raises(Refused, match="TIMETABLE_ERAS") as refused:
        refuse_mixed((late, long, early))

    assert refused.value.facts == {
        "one": "early", "last_on": "2016-12-31", "other": "late", "first_on": "2026-03-01"
    }  # fmt: skip


def test_days_that_are_added_count() -> None:
    """A calendar of exceptions alone spans them; a feed without any day is refused by name."""
    first_on, last_on = (2026, 1, 2), (2026, 1, 1)
    sundays = _feed("sundays", _service(first_on, last_on, date(2025, 6, 1), date(2026, 6, 7)))
    nothing = _feed("nothing", _service(first_on, last_on))
    refuse_mixed((_feed("year", EVERY_DAY), sundays))

    with pytest.raises(Refused, match="TIMETABLE_NO_SERVICE"):
        refuse_mixed((nothing,))
