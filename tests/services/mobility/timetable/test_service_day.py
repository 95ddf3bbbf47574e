"""Which trips run on a day: calendars, midnight, repeats; against a reading trip by trip."""

import tracemalloc
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.feeds import clock
from tests.services.mobility.small_feeds import EVERY_DAY, Stop, Trip, small_feed
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import Feed, Service
from tongcheng.services.mobility.timetable import service_day
from tongcheng.services.mobility.timetable.boarding import boarding
from tongcheng.services.mobility.timetable.model import Connections, Runs
from tongcheng.services.mobility.timetable.service_day import check_day, run_day

DAY = date(2026, 3, 11)  # a Wednesday
STOPS = [Stop(name) for name in "abc"]
WEEKDAYS = (True,) * 5 + (False,) * 2
Row = tuple[str, str, str, int, int]


def ran(feed: Feed, day: date = DAY) -> list[Row]:
    """Return the day's connections in their order: run, origin, to, departure, arrival."""
    return rows(feed, *run_day([feed], day, boarding([feed])))


def rows(feed: Feed, runs: Runs, connections: Connections) -> list[Row]:
    """Return connections with names for numbers."""
    ids = boarding([feed]).ids
    return [
        (runs.ids[trip], ids[origin], ids[to], departure_s, arrival_s)
        for origin, to, departure_s, arrival_s, trip in zip(
            *(column.tolist() for column in connections[:5]), strict=True
        )
    ]


def service(name: str, *, added: Iterable[date] = (), removed: Iterable[date] = ()) -> Service:
    """Return a service of weekdays with exceptions."""
    return Service(
        name, WEEKDAYS, date(2026, 1, 1), date(2026, 12, 31), frozenset(added), frozenset(removed)
    )


@pytest.mark.parametrize(
    ("day", "runs"),
    [
        (date(2026, 3, 11), {"f:work"}),
        (date(2026, 3, 14), set()),
        (date(2026, 3, 15), {"f:extra"}),
        (date(2026, 3, 12), {"f:extra"}),
    ],
)
def test_calendar_and_exceptions(day: date, runs: set[str]) -> None:
    """A day removed has nothing of the service, a day added has it whatever weekday it is."""
    thursday, sunday = date(2026, 3, 12), date(2026, 3, 15)
    never = Service(
        "x", (False,) * 7, date(2000, 1, 2), date(2000, 1, 1), frozenset({thursday, sunday}),
        frozenset(),
    )  # fmt: skip
    feed = small_feed(
        stops=STOPS,
        services=[service("w", removed={thursday}), never],
        trips=[
            Trip("work", [("a", "8:00"), ("b", "8:10")], service="w"),
            Trip("extra", [("a", "9:00"), ("b", "9:10")], service="x"),
        ],
    )

    assert {row[0] for row in ran(feed, day)} == runs


def test_yesterdays_trip_runs_on_past_midnight() -> None:
    """It is there a day earlier by its clock, whole, and beside today's run of the same trip."""
    feed = small_feed(
        stops=STOPS,
        trips=[
            Trip("night", [("a", "23:50"), ("b", "24:10"), ("c", "24:30")]),
            Trip("late", [("a", "23:40"), ("b", "24:00")]),
        ],
    )

    assert ran(feed) == [
        ("f:night@-600", "f:a", "f:b", -600, 600),
        ("f:night@-600", "f:b", "f:c", 600, 1800),
        ("f:late", "f:a", "f:b", 85_200, 86_400),
        ("f:night", "f:a", "f:b", 85_800, 87_000),
        ("f:night", "f:b", "f:c", 87_000, 88_200),
    ]


def test_yesterday_counts_by_its_own_calendar() -> None:
    """On a Saturday the Friday night's trip still arrives; on a Monday no Sunday's does."""
    feed = small_feed(
        stops=STOPS,
        services=[service("w")],
        trips=[Trip("n", [("a", "23:50"), ("b", "24:10")], service="w")],
    )

    assert [row[0] for row in ran(feed, date(2026, 3, 14))] == ["f:n@-600"]
    assert [row[0] for row in ran(feed, date(2026, 3, 9))] == ["f:n"]


def test_a_trip_repeats_from_start_and_before_end() -> None:
    """The trip's own times say how long it rides, and are no run; each run has its departure."""
    feed = small_feed(
        stops=STOPS,
        trips=[Trip("t", [("a", "5:00"), ("b", "5:07")])],
        frequencies=[("t", "8:00", "8:30", 600), ("t", "23:50", "24:30", 1200)],
    )

    assert ran(feed) == [
        ("f:t@600", "f:a", "f:b", 600, 1020),
        *((f"f:t@{at}", "f:a", "f:b", at, at + 420) for at in (28_800, 29_400, 30_000)),
        ("f:t@85800", "f:a", "f:b", 85_800, 86_220),
        ("f:t@87000", "f:a", "f:b", 87_000, 87_420),
    ]


def test_a_trip_keeps_its_order_at_one_instant() -> None:
    """Two stops within the same minute do not change places when connections are sorted."""
    feed = small_feed(
        stops=STOPS, trips=[Trip("t", [("c", "8:00"), ("a", "8:00"), ("b", "8:00"), ("c", "8:01")])]
    )

    assert [row[1] for row in ran(feed)] == ["f:c", "f:a", "f:b"]


def test_boarding_and_alighting_are_of_the_right_call() -> None:
    """One boards where a connection begins, and alights where it ends."""
    feed = small_feed(stops=STOPS, trips=[Trip("t", [("a", "8:00"), ("b", "8:05"), ("c", "8:09")])])
    calls = feed.calls._replace(
        boards=np.array([True, False, True]), alights=np.array([False, True, False])
    )
    feed = feed._replace(calls=calls)
    _, found = run_day([feed], DAY, boarding([feed]))

    assert found.boards.tolist() == [True, False]
    assert found.alights.tolist() == [True, False]


@pytest.mark.parametrize(
    ("services", "code", "facts"),
    [
        ([], "TIMETABLE_NO_SERVICE", {"feed": "f"}),
        (
            [EVERY_DAY],
            "TIMETABLE_DAY",
            {"feed": "f", "day": "2027-01-02", "first_on": "2026-01-01", "last_on": "2026-12-31"},
        ),
    ],
)
def test_a_day_outside_is_refused(
    services: list[Service], code: str, facts: dict[str, str]
) -> None:
    """The span is named, so that one knows which day to ask for."""
    feed = small_feed(stops=STOPS, trips=[])._replace(services=tuple(services))
    with pytest.raises(Refused) as refusal:
        check_day(feed, date(2027, 1, 2))

    assert (refusal.value.code, refusal.value.facts) == (code, facts)


def test_a_day_added_behind_the_span_belongs_to_it() -> None:
    """Exceptions are calendar too."""
    extra = service("w", added={date(2027, 1, 2)})
    check_day(small_feed(stops=STOPS, trips=[], services=[extra]), date(2027, 1, 1))


def test_too_many_runs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A headway of a second is noticed before it fills memory."""
    monkeypatch.setattr(service_day, "CONNECTIONS_MAX", 1_000)
    feed = small_feed(
        stops=STOPS,
        trips=[Trip("t", [("a", "5:00"), ("b", "5:07")])],
        frequencies=[("t", "0:00", "240:00", 1)],
    )
    tracemalloc.start()
    with pytest.raises(Refused, match="TIMETABLE_TOO_LARGE"):
        ran(feed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000, "864,000 runs were made before they were counted"


TRIP = st.tuples(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 4000), st.integers(0, 900)), max_size=4
    ),
    st.integers(0, 90_000),
    st.integers(0, 1),
)
REPEAT = st.tuples(
    st.integers(0, 3), st.integers(0, 90_000), st.integers(0, 20_000), st.integers(600, 9_000)
)


@given(st.lists(TRIP, min_size=4, max_size=4), st.lists(REPEAT, max_size=3), st.integers(0, 6))
def test_equals_reading_trip_by_trip(
    trips: list[tuple[list[tuple[str, int, int]], int, int]],
    repeats: list[tuple[int, int, int, int]],
    weekday: int,
) -> None:
    """Loops over days, trips, repeats and calls find the same connections, and no other."""
    day = DAY + timedelta(days=weekday)
    services = [EVERY_DAY, service("w")]
    calls = {}
    for number, (hops, begins_s, _) in enumerate(trips):
        now_s, its = begins_s, []
        for stop, ride_s, dwell_s in hops:
            its.append((stop, now_s + ride_s, now_s + ride_s + dwell_s))
            now_s = its[-1][2]
        calls[f"t{number}"] = its
    feed = small_feed(
        stops=STOPS,
        services=services,
        trips=[
            Trip(name, [(stop, clock(a), clock(d)) for stop, a, d in its], "r", services[which].id)
            for (name, its), (_, _, which) in zip(calls.items(), trips, strict=True)
        ],
        frequencies=[
            (f"t{n}", clock(at), clock(at + span), every) for n, at, span, every in repeats
        ],
    )
    expected = []
    for back in (0, 1):
        for number, (_, _, which) in enumerate(trips):
            its = calls[f"t{number}"]
            if len(its) < 2 or not services[which].runs_on(day - timedelta(days=back)):
                continue
            own = [each for each in repeats if each[0] == number]
            begins = [at for _, b, span, every in own for at in range(b, b + span, every)]
            for at in begins if own else [its[0][2]]:
                move = at - its[0][2] - back * 86_400
                if back and its[-1][1] + move <= 0:
                    continue
                name = f"f:t{number}" + (f"@{its[0][2] + move}" if own or back else "")
                expected += [
                    (name, f"f:{a[0]}", f"f:{b[0]}", a[2] + move, b[1] + move)
                    for a, b in pairwise(its)
                ]

    assert sorted(ran(feed, day)) == sorted(expected)
    assert [row[3] for row in ran(feed, day)] == sorted(row[3] for row in expected)
