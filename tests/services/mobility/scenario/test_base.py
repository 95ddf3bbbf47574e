"""A base of fact tables: a feed that can be compiled, of the day asked, with its roads."""

from datetime import date

import pytest

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.model import Facts
from tongcheng.services.mobility.scenario.base import base_of_facts, weekday_by
from tongcheng.services.mobility.scenario.model import FACTS_FEED_ID
from tongcheng.services.mobility.timetable.compiling import timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES
from tongcheng.services.mobility.walking import Walking


@pytest.fixture(name="facts")
def _facts() -> Facts:
    return facts_of(texts(), "Asia/Shanghai", "ab" * 32)


def test_base_of_facts(facts: Facts) -> None:
    """The trains of the day run in its one feed, and the roads open then are in its graph."""
    base = base_of_facts(facts, date(2016, 3, 9), NO_PROCESSES)

    (feed,) = base.feeds
    assert feed.feed_id == FACTS_FEED_ID
    assert set(feed.trips.ids) == {
        f"facts:{each}"
        for each in ("ab-fast.0", "ab-fast.1", "ab-stops.0", "ab-stops.1", "loop-all.0",
                     "loop-all.1")
    }  # fmt: skip
    assert base.roads is not None
    assert base.roads.edge_ids == ("r1",)
    assert {each.service_id for each in base.used} == {"ab-fast", "ab-stops", "loop-all"}
    ran = timetable(base.feeds, base.day, base.processes, Walking()).runs.ids
    assert sum(run.startswith("facts:ab-fast.0@") for run in ran) == 16


def test_same_facts_make_the_same_feed(facts: Facts) -> None:
    """The digest of the feed is that of its archive's bytes, which are the same everywhere."""
    one = base_of_facts(facts, date(2016, 3, 9), NO_PROCESSES)
    other = base_of_facts(facts, date(2016, 3, 9), NO_PROCESSES)

    assert one.feeds[0].digest == other.feeds[0].digest


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2022, 12, 29), date(2022, 12, 29)),
        (date(2022, 12, 31), date(2022, 12, 30)),
        (date(2023, 12, 17), date(2023, 12, 18)),
        (date(2022, 1, 1), date(2022, 1, 3)),
        (date(2023, 12, 31), date(2023, 12, 29)),
    ],
)
def test_tables_speak_of_weekdays(facts: Facts, on: date, expected: date) -> None:
    """A weekend's day has the timetable of the weekday beside it, in the same year's calendar."""
    assert weekday_by(on) == expected
    base = base_of_facts(facts, on, NO_PROCESSES)
    runs = timetable(base.feeds, base.day, base.processes, Walking()).runs
    assert runs.ids
