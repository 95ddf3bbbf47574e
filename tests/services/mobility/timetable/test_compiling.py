"""A day of several feeds: one answer whatever their order, and clear refusals."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from tests.services.mobility.small_feeds import Stop, Trip, small_feed
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import NODE, STATION, Feed
from tongcheng.services.mobility.modes import MODES, mode_of
from tongcheng.services.mobility.timetable.compiling import compiled, timetable
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES
from tongcheng.services.mobility.walking import CrowFly, Walking

DAY = date(2026, 3, 11)


def feed_of(feed_id: str, aside: float = 0.0, mode: int = 1) -> Feed:
    """Return a line of three stops, of which one has nothing to board, and a station."""
    stops = [
        Stop("S", 117 + aside, 39.0, STATION, name="站"),
        Stop("b", 117 + aside, 39.0, parent="S", name="站台"),
        Stop("a", 117.002 + aside, 39.0),
        Stop("unused", 117.004 + aside, 39.0),
        Stop("n", 117 + aside, 39.0, NODE, parent="S"),
    ]
    trips = [Trip("t", [("a", "8:00"), ("b", "8:10")]), Trip("u", [("b", "8:00"), ("a", "8:10")])]
    return small_feed(feed_id, stops=stops, trips=trips, modes={"r": mode})


def test_stops_are_those_that_are_boarded() -> None:
    """Neither stations nor nodes nor platforms that nothing calls at are rows."""
    made = timetable([feed_of("f")], DAY, NO_PROCESSES, Walking())

    assert made.stops.ids == ("f:b", "f:a")
    assert made.stops.names == ("站台", "a")
    assert made.stops.lon.tolist() == [117, 117.002]
    assert made.runs.ids == ("f:t", "f:u")
    assert made.runs.route_ids == ("f:r", "f:r")
    assert made.runs.route_names == ("line r", "line r")
    assert made.runs.mode.tolist() == [1, 1]
    assert made.feeds == (("f", "f" * 8),)
    assert made.connections.origin.tolist() == [1, 0]


def test_the_order_of_feeds_decides_nothing() -> None:
    """A neighbour who lists them otherwise computes the same bytes."""
    feeds = [feed_of("b", 0.001), feed_of("a", mode=3), feed_of("c", 0.002, 2)]
    one = compiled(feeds, DAY, NO_PROCESSES, Walking())
    other = compiled(feeds[::-1], DAY, NO_PROCESSES, Walking())

    assert [feed for feed, _ in one.timetable.feeds] == ["a", "b", "c"]
    assert one.systems == ("a/bus", "b/metro", "c/rail")
    assert one.timetable.stops.system.tolist() == [0, 0, 1, 1, 2, 2]
    assert flat(one) == flat(other)


def flat(value: object) -> object:
    """Return nested named tuples with bytes for arrays."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    return [flat(each) for each in value] if isinstance(value, tuple) else value


def test_columns_have_the_types_of_the_model() -> None:
    """What the kernels are compiled for."""
    made = timetable([feed_of("f")], DAY, NO_PROCESSES, Walking())

    assert [column.dtype.str for column in made.connections] == ["<i4"] * 5 + ["|b1"] * 2
    stops = made.stops
    assert [c.dtype.str for c in (stops.system, stops.enter_s, stops.leave_s)] == [
        "<i2",
        "<i4",
        "<i4",
    ]
    assert made.runs.mode.dtype == np.int16


def test_a_feed_without_trips_on_the_day_is_a_day_without_connections() -> None:
    """A holiday on which nothing runs is an answer; a day outside the calendar is not."""
    feed = feed_of("f")
    idle = feed._replace(services=(feed.services[0]._replace(removed=frozenset({DAY})),))
    made = timetable([idle], DAY, NO_PROCESSES, Walking())

    assert (len(made.connections.trip), made.runs.ids, len(made.stops.ids)) == (0, (), 2)


@pytest.mark.parametrize(
    ("code", "feeds", "walking"),
    [
        ("TIMETABLE_NO_FEED", list, Walking()),
        ("TIMETABLE_FEED_TWICE", lambda: [feed_of("f"), feed_of("g"), feed_of("f")], Walking()),
        (
            "TIMETABLE_ZONES",
            lambda: [feed_of("f"), feed_of("g")._replace(zone="Asia/Tokyo")],
            Walking(),
        ),
        ("TIMETABLE_NO_SERVICE", lambda: [feed_of("f")._replace(services=())], Walking()),
        ("MOBILITY_PARAMETER", lambda: [feed_of("f")], Walking(CrowFly(0.0))),
    ],
)
def test_what_can_not_be_compiled_is_refused(
    code: str, feeds: Callable[[], list[Feed]], walking: Walking
) -> None:
    """By name, before anything is computed."""
    with pytest.raises(Refused) as refusal:
        timetable(feeds(), DAY, NO_PROCESSES, walking)

    assert refusal.value.code == code


def test_one_feed_out_of_its_calendar_is_refused_among_others() -> None:
    """Timetables of different times do not mix in silence."""
    old = feed_of("old")
    span = old.services[0]._replace(start_on=date(2016, 1, 1), end_on=date(2016, 3, 29))
    with pytest.raises(Refused) as refusal:
        timetable([feed_of("f"), old._replace(services=(span,))], DAY, NO_PROCESSES, Walking())

    assert refusal.value.facts == {
        "feed": "old",
        "day": "2026-03-11",
        "first_on": "2016-01-01",
        "last_on": "2016-03-29",
    }


@pytest.mark.parametrize(
    ("route_type", "mode"),
    [
        (0, "tram"), (1, "metro"), (2, "rail"), (3, "bus"), (4, "ferry"), (6, "cable"),
        (11, "bus"), (12, "metro"), (101, "rail"), (204, "bus"), (401, "metro"), (715, "bus"),
        (800, "bus"), (900, "tram"), (1000, "ferry"), (1100, "air"), (1300, "cable"),
        (1501, "other"), (99, "other"),
    ],
)  # fmt: skip
def test_modes(route_type: int, mode: str) -> None:
    """GTFS's types and their extension."""
    assert mode_of(route_type) == mode
    assert mode in MODES
