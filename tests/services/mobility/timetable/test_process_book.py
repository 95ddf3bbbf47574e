"""Rule books of what a station's door takes: their shape, their dates, and whose row holds."""

import hashlib
from collections.abc import Mapping
from datetime import date

import pytest

from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.timetable.compiling import timetable
from tongcheng.services.mobility.timetable.process_book import (
    NO_PROCESSES,
    Door,
    Processes,
    in_force,
)
from tongcheng.services.mobility.walking import CrowFly, Walking

DAY = date(2026, 3, 11)

EXAMPLE = """
book_id: example-station-process
kind: station_process
title: {zh: 示例车站进出站用时, en: Example of what stations' doors take}
admdvs: "110000"
scheme: passengers
effective: {from: "2020-01-01", to: null, source: survey, confidence: low}
sources:
  survey: {what: an invented survey at twelve stations, where: null}
  notice: {what: an invented notice of a shared security check, where: null}
rules:
  systems:
    - {system: rail, modes: [rail]}
    - {system: metro, feeds: [bj], modes: [metro]}
  processes:
    - modes: [rail]
      enter_s: {value: "900", source: survey, confidence: low}
      leave_s: {value: "300", source: survey, confidence: low}
    - stations: [北京南]
      modes: [rail]
      enter_s: {value: "1200", source: survey, confidence: low}
    - systems: [metro]
      enter_s: {value: "120", source: survey, confidence: low}
      leave_s: {value: "60", source: survey, confidence: low}
    - modes: [bus]
      enter_s: {value: "0", source: survey, confidence: low}
      leave_s: {value: null, source: survey, confidence: own}
  shared_checks:
    - from_system: rail
      to_system: metro
      stations: [北京南]
      enter_s: {value: "20", source: notice, confidence: medium}
      valid_from: "2026-03-11"
"""


def book(*changes: tuple[str, str]) -> RuleBook:
    """Return the example with some of its text replaced."""
    text = EXAMPLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return rulebook.parse(text)


def feeds() -> list[Feed]:
    """Return a railway and a metro, each with a station at two places, 100 m from the other's."""
    places = {"北京南": 116.37, "天津": 117.20}
    made = []
    for feed_id, mode, aside in (("cr", 2, 0.0), ("bj", 1, 0.001)):
        stops = [Stop(f"s{lon}", lon + aside, 39.0, name=name) for name, lon in places.items()]
        calls = [(stop.id, f"{8 + at}:00") for at, stop in enumerate(stops)]
        made.append(small_feed(feed_id, stops=stops, trips=[Trip("t", calls)], modes={"r": mode}))
    return made


RAIL_HERE, METRO_HERE, RAIL_THERE, METRO_THERE = (
    "cr:s116.37", "bj:s116.37", "cr:s117.2", "bj:s117.2",
)  # fmt: skip


def figures(processes: Processes, day: date = DAY) -> Mapping[str, tuple[int, int]]:
    """Return entering and leaving of every stop."""
    stops = timetable(feeds(), day, processes, Walking()).stops
    pairs = zip(stops.enter_s.tolist(), stops.leave_s.tolist(), strict=True)
    return dict(zip(stops.ids, pairs, strict=True))


def test_the_example_is_a_rule_book() -> None:
    """Every figure has its source, and the digest is that of canonical bytes."""
    made = book()

    assert rulebook.check(made) == []
    assert made.digest == book(("rules:", "rules:  # a remark")).digest
    assert Processes((made,)).digest() != Processes((made,), Door(0, 0)).digest()


def test_who_says_most_about_a_stop_holds() -> None:
    """A row about the station goes before one about the system or the mode, figure by figure."""
    assert figures(Processes((book(),))) == {
        METRO_HERE: (120, 60),
        METRO_THERE: (120, 60),
        RAIL_HERE: (1200, 300),
        RAIL_THERE: (900, 300),
    }


def test_a_stop_of_no_row_takes_the_callers_default_or_is_refused() -> None:
    """What is not known is not nothing, unless somebody chose so."""
    only_rail = book(("feeds: [bj]", "feeds: [other]"))
    with pytest.raises(Refused) as refusal:
        figures(Processes((only_rail,)))

    assert refusal.value.code == "PROCESS_UNKNOWN"
    assert refusal.value.facts == {"figure": "enter_s", "stop": METRO_HERE, "where": "-"}
    assert figures(Processes((only_rail,), Door(7, 8)))[METRO_HERE] == (7, 8)
    assert set(figures(NO_PROCESSES).values()) == {(0, 0)}


def test_an_unknown_figure_is_refused_by_its_place() -> None:
    """A row that says null says that nobody knows; it does not fall back to a lesser row."""
    unknown = book(('enter_s: {value: "1200"', "enter_s: {value: null"))
    with pytest.raises(Refused) as refusal:
        figures(Processes((unknown,)))

    assert refusal.value.facts == {
        "figure": "enter_s",
        "stop": RAIL_HERE,
        "where": "example-station-process rules.processes[1]",
    }
    assert figures(Processes((unknown,), Door(7, 8)))[RAIL_HERE] == (7, 300)


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ([('from: "2020-01-01"', 'from: "2026-03-12"')], DAY),
        ([("to: null, source", 'to: "2026-03-10", source')], DAY),
        ([("- stations: [北京南]", '- valid_from: "2026-03-12"\n      stations: [北京南]')], DAY),
        ([("- stations: [北京南]", '- valid_to: "2026-03-10"\n      stations: [北京南]')], DAY),
    ],
)
def test_a_row_holds_within_its_dates(changes: list[tuple[str, str]], day: date) -> None:
    """Before and after its days the book, or the row, says nothing."""
    assert figures(Processes((book(*changes),), Door(7, 8)), day)[RAIL_HERE][0] in (7, 900)
    assert figures(Processes((book(),), Door(7, 8)), day)[RAIL_HERE][0] == 1200


def change_s(processes: Processes, origin: str, to: str, day: date = DAY) -> int:
    """Return what a change takes beyond the walk."""
    made = timetable(feeds(), day, processes, Walking(CrowFly(1.0, 1.3), same_stop_s=1))
    bare = timetable(feeds(), day, NO_PROCESSES, Walking(CrowFly(1.0, 1.3), same_stop_s=1))
    row, column = (made.stops.ids.index(each) for each in (origin, to))
    seconds = []
    for links in (made.changes, bare.changes):
        at = slice(links.start[row], links.start[row + 1])
        (place,) = (links.to[at] == column).nonzero()[0]
        seconds.append(int(links.seconds[at][place]))
    return seconds[0] - seconds[1]


@pytest.mark.parametrize(
    ("origin", "to", "day", "expected"),
    [
        (RAIL_HERE, METRO_HERE, DAY, 300 + 20),
        (RAIL_HERE, METRO_HERE, date(2026, 3, 10), 300 + 120),
        (METRO_HERE, RAIL_HERE, DAY, 60 + 1200),
        (RAIL_THERE, METRO_THERE, DAY, 300 + 120),
        (RAIL_HERE, RAIL_HERE, DAY, 0),
    ],
)
def test_a_change_passes_the_doors_of_both_systems(
    origin: str, to: str, day: date, expected: int
) -> None:
    """A shared check waives entering at its stations, in its direction, from its day on."""
    assert change_s(Processes((book(),)), origin, to, day) == expected


def test_one_system_is_checked_once() -> None:
    """Where rail and metro are one system, no door lies between them."""
    one = book(
        ("{system: rail, modes: [rail]}", "{system: rail, modes: [rail, metro]}"),
        ("    - {system: metro, feeds: [bj], modes: [metro]}\n", ""),
        ("systems: [metro]", "modes: [metro]"),
        ("to_system: metro", "to_system: rail"),
    )

    assert change_s(Processes((one,)), RAIL_HERE, METRO_HERE) == 0


@pytest.mark.parametrize(
    ("changes", "path", "fault"),
    [
        ([("kind: station_process", "kind: benefit")], "kind", "not station_process"),
        ([('{value: "900"', '{value: "-1"')], "rules.processes[0]", "'-1' is no whole number"),
        ([('{value: "900"', '{value: "86401"')], "rules.processes[0]", "longer than a day"),
        ([('{value: "900"', '{value: "15 min"')], "rules.processes[0]", "no whole number"),
        ([('{value: "20"', '{value: "٢٠"')], "rules.shared_checks[0]", "no whole number"),
        ([("modes: [bus]", "modes: [coach]")], "rules.processes[3].modes[0]", "Invalid enum"),
        ([("modes: [bus]", "modes: []")], "rules.processes[3].modes", "length"),
        ([("systems: [metro]", "systems: [subway]")], "rules.processes[2]", "a system 'subway'"),
        ([("to_system: metro", "to_system: metre")], "rules.shared_checks[0]", "'metre'"),
        ([('valid_from: "2026-03-11"', 'valid_from: "2026-3-11"')],
         "rules.shared_checks[0]", "no date"),
        ([('valid_from: "2026-03-11"', 'valid_from: "2026-03-11"\n      valid_to: "2026-03-10"')],
         "rules.shared_checks[0]", "before"),
        ([("{system: rail, modes: [rail]}", "{system: rail}")], "rules.systems[0]", "neither"),
        ([("{system: rail,", "{system: cr/rail,")], "rules.systems[0]", "slash"),
        ([("- modes: [rail]\n      enter_s", "- modes: [rail]\n      entering_s")],
         "rules.processes[0]", "entering_s"),
    ],
)  # fmt: skip
def test_a_wrong_book_is_refused_at_its_place(
    changes: list[tuple[str, str]], path: str, fault: str
) -> None:
    """What can not be meant is named by path, also on a day when it would not hold."""
    with pytest.raises(Refused) as refusal:
        in_force(Processes((book(*changes),)), date(1999, 1, 1) if path == "kind" else DAY)

    facts = refusal.value.facts
    assert (refusal.value.code, facts["path"]) == ("PROCESS_BOOK", path)
    assert fault in str(facts["fault"])


def test_a_row_without_a_figure_is_refused() -> None:
    """A row that names stations and says nothing about them was not finished."""
    empty = book(
        ('      enter_s: {value: "1200", source: survey, confidence: low}\n', ""),
    )
    with pytest.raises(Refused, match="neither enter_s nor leave_s"):
        in_force(Processes((empty,)), DAY)


@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        ([("modes: [bus]", "modes: [rail]")], RAIL_THERE),
        ([("systems: [metro]", "modes: [metro]"), ("modes: [bus]", "modes: [metro]")], METRO_HERE),
        ([("feeds: [bj], modes: [metro]", "modes: [metro, rail]")], RAIL_HERE),
    ],
)
def test_rows_that_say_as_much_are_refused(changes: list[tuple[str, str]], stop: str) -> None:
    """Between two rows of one rank nobody chooses, and both are named."""
    with pytest.raises(Refused) as refusal:
        figures(Processes((book(*changes),), Door(0, 0)))

    assert refusal.value.code == "PROCESS_RIVALS"
    assert refusal.value.facts["stop"] == stop
    assert refusal.value.facts["one"] != refusal.value.facts["other"]


def test_two_shared_checks_of_one_change_are_refused() -> None:
    """They can not both be what is left of entering."""
    figure = '{value: "5", source: notice, confidence: own}'
    row = f"{{from_system: rail, to_system: metro, enter_s: {figure}}}"
    both = book(("  shared_checks:\n", f"  shared_checks:\n    - {row}\n"))
    with pytest.raises(Refused, match="PROCESS_RIVALS"):
        timetable(feeds(), DAY, Processes((both,)), Walking())


def test_an_unknown_shared_check_is_refused_or_the_callers() -> None:
    """What is left of entering is unknown as any figure may be."""
    unknown = book(('{value: "20"', "{value: null"))
    with pytest.raises(Refused, match="PROCESS_UNKNOWN"):
        timetable(feeds(), DAY, Processes((unknown,)), Walking())

    assert change_s(Processes((unknown,), Door(7, 8)), RAIL_HERE, METRO_HERE) == 300 + 7


@pytest.mark.parametrize("otherwise", [Door(-1, 0), Door(0, 86_401)])
def test_a_default_is_a_time_of_a_day(otherwise: Door) -> None:
    """A default is judged as a figure of a book is."""
    with pytest.raises(Refused, match="MOBILITY_PARAMETER"):
        in_force(Processes((), otherwise), DAY)


def test_the_order_of_books_decides_nothing() -> None:
    """Two nodes' books are one set of rules, whoever comes first."""
    other = book(("book_id: example", "book_id: further"), ("systems: [metro]", "modes: [tram]"),
                 ("modes: [rail]\n      enter_s", "modes: [ferry]\n      enter_s"),
                 ("- stations: [北京南]", "- stations: [nowhere]"),
                 ("modes: [bus]", "modes: [air]"), ("valid_from", "valid_to"),
                 ('"2026-03-11"', '"2026-03-01"'))  # fmt: skip
    one, turned = Processes((book(), other)), Processes((other, book()))

    assert figures(one) == figures(turned) == figures(Processes((book(),)))
    assert one.digest() == turned.digest()
    assert len(one.digest()) == len(hashlib.sha256().hexdigest())
