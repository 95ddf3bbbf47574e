"""Laws of scenarios: what changes nothing, what takes nothing away, and in which order."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.scenario.bases import (
    book,
    compiled,
    facts_base,
    own_base,
    rides,
    scenario,
)
from tests.services.mobility.scenario.scenario_texts import CHANGES
from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tongcheng.services.mobility.scenario.applying import applied, keeps_all
from tongcheng.services.mobility.scenario.model import Base
from tongcheng.services.mobility.timetable.model import Timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes

FACTS = facts_base()
WITH_DOORS = facts_base(processes=Processes((book(),)))
NAMES = "abcde"
REPEATABLE = sorted(set(CHANGES) - {"from_facts", "process", "remove_line"})
INSTANTS = range(5 * 3_600, 12 * 3_600, 2_900)


@st.composite
def own_bases(draw: st.DrawFn) -> Base:
    """Draw a feed of trips between five stops some kilometres apart, some of which repeat."""
    stops = [Stop(name, 117 + 0.01 * at, 39 + 0.01 * (at % 2)) for at, name in enumerate(NAMES)]
    trips, frequencies = [], []
    for number in range(draw(st.integers(1, 6))):
        calls = draw(st.permutations(NAMES))[: draw(st.integers(2, 4))]
        minute = 6 * 60 + draw(st.integers(0, 240))
        times = []
        for _ in calls:
            stand = draw(st.integers(0, 3))
            times.append((f"{minute // 60}:{minute % 60:02}",
                          f"{(minute + stand) // 60}:{(minute + stand) % 60:02}"))  # fmt: skip
            minute += stand + draw(st.integers(1, 20))
        # Some trips are called alike, so that there are patterns of several.
        line = draw(st.sampled_from("rq"))
        rows = [(stop, *when) for stop, when in zip(calls, times, strict=True)]
        trips.append(Trip(f"t{number}", rows, route=line))
        if draw(st.booleans()):
            frequencies.append((f"t{number}", "7:00", "9:00", draw(st.integers(100, 2_000))))
    feed = small_feed(stops=stops, trips=trips, modes={"r": 3, "q": 2}, frequencies=frequencies)
    return Base(date(2026, 3, 9), (feed,), NO_PROCESSES)


def arrivals(day: Timetable, origin: str, start_s: int) -> dict[str, int]:
    """Return when one is at each stop at the earliest, by going through all rides in order.

    A plain loop: who is at a stop in time boards, who is aboard arrives and walks once.
    """
    ids = day.stops.ids
    at = {ids.index(origin): start_s}
    aboard: set[int] = set()
    start = day.changes.start.tolist()
    to, seconds = day.changes.to.tolist(), day.changes.seconds.tolist()
    ready = dict(at)
    for begin, end, leaves_s, arrives_s, trip, boards, alights in zip(
        *(column.tolist() for column in day.connections), strict=True
    ):
        if boards and ready.get(begin, leaves_s + 1) <= leaves_s:
            aboard.add(trip)
        if trip in aboard and alights:
            at[end] = min(at.get(end, arrives_s), arrives_s)
            for way in range(start[end], start[end + 1]):
                there_s = arrives_s + seconds[way]
                ready[to[way]] = min(ready.get(to[way], there_s), there_s)
    doors = zip(ids, day.stops.enter_s.tolist(), day.stops.leave_s.tolist(), strict=True)
    passed = {stop: leave_s for stop, _, leave_s in doors}
    return {ids[stop]: when + passed[ids[stop]] for stop, when in at.items()}


def assert_none_longer(before: Base, after: Base) -> None:
    """Assert that from every stop, at every instant, no stop is reached later than before."""
    earlier, later = compiled(before), compiled(after)
    for origin in earlier.stops.ids:
        for start_s in INSTANTS:
            reached = arrivals(later, origin, start_s)
            for stop, when in arrivals(earlier, origin, start_s).items():
                assert reached[stop] <= when, (origin, start_s, stop)


def _line(calls: str, minutes: int, headway: int, mode: str) -> str:
    return f"""- change: add_line
  line: x
  mode: {mode}
  calls: [{calls}]
  minutes: ["0", "{minutes}"]
  start: "06:00"
  end: "10:00"
  headway_min: "{headway}"
"""


def _headway(line: str, factor: str) -> str:
    return f'- change: headway\n  lines: [{line}]\n  factor: "{factor}"\n'


ADDING = st.one_of(
    st.builds(
        _line,
        st.permutations(["a", "c", "e", '{name: X, lon: "117.02", lat: "39.02"}']).map(", ".join),
        st.integers(1, 60),
        st.integers(3, 60),
        st.sampled_from(["metro", "rail", "bus"]),
    ),
    st.builds(lambda parts: ("q", f"1/{parts}"), st.integers(1, 7)).map(lambda one: _headway(*one)),
)


@settings(deadline=None, max_examples=25)
@given(own_bases(), ADDING)
def test_adding_makes_no_journey_longer(base: Base, change: str) -> None:
    """A line more, or departures between those that stay: whoever travelled as before may still."""
    if "lines: [q]" in change and "f:q" not in _routes(base):
        change = change.replace("[q]", "[r]")
    what = scenario(change)

    assert keeps_all(base, what)
    assert_none_longer(base, applied(base, what))


def _routes(base: Base) -> set[str]:
    feed = base.feeds[0]
    return {feed.routes.ids[row] for row in feed.trips.route.tolist()}


def test_adding_with_doors_makes_no_journey_longer() -> None:
    """The same where entering takes long, by a book, and for services of the fact tables."""
    for change in (
        CHANGES["add_line"],
        CHANGES["headway_factor"],
        "- change: add_line\n  from_facts: [an]\n",
        CHANGES["process"],
    ):
        assert keeps_all(WITH_DOORS, scenario(change))
        assert_none_longer(WITH_DOORS, applied(WITH_DOORS, scenario(change)))


def test_the_law_can_fail() -> None:
    """An earlier train is one missed: faster is not monotone, and so it is not called so."""
    change = scenario('- change: speed\n  lines: [r]\n  factor: "1/2"\n')
    after = applied(own_base(), change)
    # Who comes to b at 8:14 caught the one of 8:15, which now leaves it at 8:13.
    before_s = arrivals(compiled(own_base()), "f:b", 8 * 3_600 + 840)["f:c"]
    after_s = arrivals(compiled(after), "f:b", 8 * 3_600 + 840)["f:c"]

    assert not keeps_all(own_base(), change)
    assert (before_s, after_s) == (8 * 3_600 + 22 * 60, 8 * 3_600 + 26 * 60 + 30)


@settings(deadline=None, max_examples=40)
@given(own_bases(), st.sampled_from(["headway", "speed"]))
def test_a_factor_of_one_changes_nothing(base: Base, change: str) -> None:
    """Not a time, not an id, and the feed keeps its digest."""
    line = base.feeds[0].routes.ids[int(base.feeds[0].trips.route[0])]
    after = applied(base, scenario(f'- change: {change}\n  lines: ["{line}"]\n  factor: "1"\n'))

    assert after.feeds == base.feeds
    assert after.processes == base.processes


def test_nothing_changes_nothing() -> None:
    """A scenario without changes leaves the very feeds, and is named."""
    empty = scenario(CHANGES["dwell"])._replace(changes=(), lines=())
    after = applied(FACTS, empty)

    assert after.feeds[0] is FACTS.feeds[0]
    assert after == FACTS._replace(scenarios=(empty.digest,))


@settings(deadline=None, max_examples=30)
@given(own_bases(), st.integers(1, 60), st.integers(3, 60))
def test_removing_what_was_added_is_the_base(base: Base, minutes: int, headway: int) -> None:
    """The timetable is the base's, byte for byte: nothing of the line is left."""
    added = _line("a, c", minutes, headway, "metro")
    after = applied(base, scenario(added, "- change: remove_line\n  lines: [x]\n"))

    assert after.feeds == base.feeds


def test_removing_services_of_facts_is_the_base() -> None:
    """The same trips run, though a stop that nobody calls at may be left."""
    change = "- change: add_line\n  from_facts: [an]\n"
    after = applied(FACTS, scenario(change, "- change: remove_line\n  services: [an]\n"))

    assert rides(after) == rides(FACTS)
    assert compiled(after).runs.ids == compiled(FACTS).runs.ids
    assert after.used == FACTS.used


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(REPEATABLE), max_size=4, unique=True))
def test_the_same_changes_make_the_same_base(names: list[str]) -> None:
    """Twice is the same, digests too; and the base itself is never touched."""
    changes = [CHANGES[name] for name in names] or [CHANGES["dwell"]]
    before = facts_base()
    once = applied(before, scenario(*changes))
    again = applied(facts_base(), scenario(*changes))

    assert [feed.digest for feed in once.feeds] == [feed.digest for feed in again.feeds]
    assert rides(once) == rides(again)
    assert rides(before) == rides(facts_base())


@settings(deadline=None, max_examples=30)
@given(own_bases(), st.fractions(min_value="1/20", max_value=20, max_denominator=100))
def test_headways_keep_the_number_of_departures(base: Base, factor: Fraction) -> None:
    """What repeats without end would leave 1/factor as often: to within one departure a row."""
    feed = base.feeds[0]
    route = feed.routes.ids[int(feed.trips.route[0])]
    after = applied(base, scenario(_headway(f'"{route}"', str(factor))))
    table, other = feed.frequencies, after.feeds[0].frequencies
    for trip, start_s, end_s, headway_s in zip(
        table.trip.tolist(), table.start_s.tolist(), table.end_s.tolist(),
        table.headway_s.tolist(), strict=True,
    ):  # fmt: skip
        if feed.routes.ids[int(feed.trips.route[trip])] != route:
            continue
        number = after.feeds[0].trips.ids.index(feed.trips.ids[trip])
        rows = zip(other.trip.tolist(), other.start_s.tolist(), other.end_s.tolist(),
                   other.headway_s.tolist(), strict=True)  # fmt: skip
        leaving = sorted(
            when
            for row, begin, end, step in rows
            if row == number
            for when in range(begin, end, step)
        )
        expected, turn = [], 0
        while (when := start_s + math.floor(headway_s * factor * turn)) < end_s:
            expected.append(when)
            turn += 1
        assert leaving == expected
