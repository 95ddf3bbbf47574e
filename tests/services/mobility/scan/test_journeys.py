"""A journey can be made as it is told, arrives first, and takes no ride too many."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.scan import worlds as worlds_of
from tests.services.mobility.scan.worlds import STOPS, Way, World, questions, worlds
from tongcheng.services.mobility.scan import journeys
from tongcheng.services.mobility.scan.journeys import Journey, Ride, Walk, pair_of
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scan.network import ahead

EXAMPLES = 200
HERE, THERE = 0, 0


def shortest(ways: tuple[Way, ...], origin: int, to: int) -> int | None:
    """Return the seconds of the shortest of the ways between two."""
    return min((way[2] for way in ways if way[:2] == (origin, to)), default=None)


def expect_rideable(world: World, ride: Ride) -> None:
    """Expect a trip that lets one in and out where and when the ride says."""
    trip = world.trips[ride.trip]
    boarding = [
        at
        for at, each in enumerate(trip)
        if each.boards and (each.origin, each.departure_s) == (ride.origin, ride.departure_s)
    ]
    alighting = [
        at
        for at, each in enumerate(trip)
        if each.alights and (each.to, each.arrival_s) == (ride.to, ride.arrival_s)
    ]

    assert boarding
    assert alighting
    assert min(boarding) <= max(alighting)


def expect_walkable(world: World, walk: Walk) -> None:
    """Expect that a way on foot is as long as the ways between its ends."""
    ways = {
        (True, True): (world.direct, HERE, THERE),
        (True, False): (world.access, HERE, walk.to),
        (False, True): (world.egress, THERE, walk.origin),
        (False, False): (world.changes, walk.origin, walk.to),
    }
    known, origin, to = ways[walk.origin is None, walk.to is None]
    assert origin is not None
    assert to is not None

    assert walk.arrival_s - walk.departure_s == shortest(known, origin, to)


def expect_possible(world: World, journey: Journey) -> None:
    """Expect legs that follow one another, from the departure to the arrival."""
    now_s, stop = journey.departure_s, None
    for leg in journey.legs:
        assert leg.origin == stop
        assert leg.departure_s >= now_s
        if isinstance(leg, Ride):
            expect_rideable(world, leg)
        else:
            assert leg.departure_s == now_s
            expect_walkable(world, leg)
        now_s, stop = leg.arrival_s, leg.to

    assert (now_s, stop) == (journey.arrival_s, None)


def fewest(world: World, start_s: int, arrival_s: int) -> int:
    """Return with how few rides one arrives by a second, found by search."""
    most = STOPS * len(world.trips) + 1
    return next(
        rides
        for rides in range(most)
        if world.arrivals(HERE, start_s, rides).get(THERE, arrival_s + 1) <= arrival_s
    )


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), st.one_of(questions(), questions(capped=True)))
def test_a_journey_arrives_first_with_fewest_rides(world: World, question: Question) -> None:
    """It exists if the search finds one, and is as quick and as simple as can be."""
    start_s = question.window.first_s

    found = journeys.journey(
        ahead(world.timetable()),
        pair_of(world.ways(), HERE, THERE),
        start_s,
        longest_s=question.longest_s,
        rides_max=question.rides_max,
    )

    seconds = world.time(question, HERE, THERE, start_s)
    if found is None:
        assert seconds is None
        return
    assert found.arrival_s - start_s == seconds
    assert found.rides == fewest(world, start_s, found.arrival_s)
    expect_possible(world, found)


@settings(deadline=None, max_examples=EXAMPLES)
@given(worlds(), st.one_of(questions(), questions(capped=True)))
def test_departures_are_those_worth_knowing(world: World, question: Question) -> None:
    """For every second of the window the next departure told is the one that arrives first."""
    question = question._replace(window=Window(question.window.first_s, 7, 9))
    network, pair = ahead(world.timetable()), pair_of(world.ways(), HERE, THERE)
    walk_s = shortest(world.direct, HERE, THERE)
    last_s = question.window.last_s

    found = journeys.departures(network, pair, question)

    expected, best_s = [], last_s + question.longest_s + 1
    riding = world._replace(direct=())
    for start_s in range(last_s, question.window.first_s - 1, -1):
        seconds = riding.time(question, HERE, THERE, start_s)
        if seconds is None or start_s + seconds >= best_s:
            continue
        if walk_s is None or seconds < walk_s:
            best_s = start_s + seconds
            expected.append((start_s, best_s))
    assert [(each.departure_s, each.arrival_s) for each in found] == expected[::-1]
    for each in found:
        expect_possible(world, each)


def test_a_long_window_is_scanned_in_parts() -> None:
    """A later part that arrives sooner leaves nothing of an earlier part that arrives later."""
    day_s = journeys.SECONDS_A_SCAN
    spans = ((1_000, 2_000), (day_s - 500, day_s + 1_600), (day_s + 1_000, day_s + 1_500))
    trips = tuple((worlds_of.Ride(0, 1, *span),) for span in spans)
    world = World(trips, (), ((0, 0, 60),), ((0, 1, 30),), ())
    question = Question(Window(0, 60, 2 * day_s // 60), 65_000)

    found = journeys.departures(ahead(world.timetable()), pair_of(world.ways(), 0, 0), question)

    assert [(each.departure_s, each.arrival_s) for each in found] == [
        (940, 2_030),
        (day_s + 940, day_s + 1_530),
    ]
