"""Process times change where they are meant, by rows of books or by stops."""

import pytest

from tests.services.mobility.scenario.bases import book, compiled, facts_base, own_base, scenario
from tests.services.mobility.scenario.scenario_texts import CHANGES
from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.scenario.applying import applied
from tongcheng.services.mobility.scenario.model import Base
from tongcheng.services.mobility.timetable.process_book import Door, Processes

BASE = facts_base(processes=Processes((book(),)))


def enters(base: Base) -> dict[str, int]:
    """Return what entering each stop takes."""
    day = compiled(base)
    return dict(zip(day.stops.ids, day.stops.enter_s.tolist(), strict=True))


def _process(what: str, modes: str = "null", stations: str = "null") -> str:
    return f"- change: process\n  modes: {modes}\n  stations: {stations}\n  {what}\n"


def test_a_row_that_is_meant_whole_is_changed() -> None:
    """Both rows about railways say 300: the book is another, and holds for lines to come too."""
    after = applied(BASE, scenario(CHANGES["process"]))
    later = applied(after, scenario(CHANGES["trains"]))

    assert {stop: enters(after)[stop] for stop in enters(after)} == {
        stop: 300 if seconds == 900 else seconds for stop, seconds in enters(BASE).items()
    }
    assert [each.book_id for each in after.processes.books] == ["doors"]
    assert after.processes.books[0].digest != BASE.processes.books[0].digest
    assert rulebook.check(after.processes.books[0]) == []
    assert enters(later)["scenario:line-1/1"] == 300
    assert after.feeds == BASE.feeds


def test_stations_that_are_part_of_a_row() -> None:
    """One station alone changes by a book of its own; the row goes on holding for the others."""
    change = _process('enter_s: {from: "900", to: "60"}', stations="[甲站]")
    after = applied(BASE, scenario(change))

    assert enters(after) == enters(BASE) | {"facts:a": 60}
    assert [each.book_id for each in after.processes.books] == ["doors", "scenario"]
    assert rulebook.check(after.processes.books[1]) == []


def test_a_second_change_goes_on_from_the_first() -> None:
    """What one scenario changed by stops, the next may change again, in part."""
    first = scenario(_process('enter_s: {from: "240", to: "60"}', stations="[一站, 二站]"))
    second = scenario(_process('enter_s: {from: "60", to: "30"}', stations="[二站]"))
    after = applied(applied(BASE, first), second)

    assert enters(after) == enters(BASE) | {"facts:m1": 60, "facts:m2": 30}
    with pytest.raises(Refused, match="SCENARIO_PROCESS"):
        applied(after, first)


def test_leaving_too() -> None:
    """Both figures change, of every station where none is named."""
    change = _process('enter_s: {from: "5", to: "4"}\n  leave_s: {from: "3", to: "9"}')
    base = own_base()._replace(processes=Processes(otherwise=Door(5, 3)))
    day = compiled(applied(base, scenario(change)))

    assert set(day.stops.enter_s.tolist()) == {4}
    assert set(day.stops.leave_s.tolist()) == {9}


def test_another_figure_than_said_is_refused() -> None:
    """A scenario that says from what is not applied to something else; the stop is named."""
    change = _process('leave_s: {from: "301", to: "60"}', modes="[rail]")

    with pytest.raises(Refused, match="SCENARIO_PROCESS") as refused:
        applied(BASE, scenario(change))

    facts = refused.value.facts
    assert (facts["figure"], facts["said"], facts["found"]) == ("leave_s", 301, 300)
    assert facts["stop"] in {"facts:a", "facts:b", "facts:m"}


def test_the_digest_of_all_books_changes() -> None:
    """The method of a result names the book that it was made with."""
    changed = applied(BASE, scenario(CHANGES["process"])).processes
    same = applied(BASE, scenario(CHANGES["dwell"])).processes

    assert changed.digest() != BASE.processes.digest()
    assert same.digest() == BASE.processes.digest()
