"""Times along trips: filled in between given ones, rounded once, and never going backwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.feed.fields import BLANK, WRONG, clock, day, decimal, whole
from tongcheng.services.mobility.feed.times import filled, unwound, within_times

NO = float("nan")


def _filled(times: list[int], distance: list[float]) -> list[int]:
    given_s = np.array(times)
    trip = np.zeros(len(times), np.int64)
    arrival_s, departure_s, _ = filled(trip, given_s, given_s, np.array(distance))

    assert arrival_s.tolist() == departure_s.tolist()
    return [int(each) for each in arrival_s]


@pytest.mark.parametrize(
    ("times", "distance", "expected"),
    [
        ([0, BLANK, 10], [NO, NO, NO], [0, 5, 10]),
        ([0, BLANK, BLANK, 10], [NO] * 4, [0, 3, 7, 10]),
        ([0, BLANK, 1], [NO] * 3, [0, 1, 1]),
        ([0, BLANK, BLANK, 100], [5, 6, 14, 15], [0, 10, 90, 100]),
        ([0, BLANK, BLANK, 90], [5, 6, NO, 15], [0, 30, 60, 90]),
        ([0, BLANK, BLANK, 90], [5, 16, 6, 15], [0, 30, 60, 90]),
        ([0, BLANK, BLANK, 90], [5, 5, 5, 5], [0, 30, 60, 90]),
        ([0, BLANK, 10, BLANK, 20], [0, 9, 10, NO, 20], [0, 9, 10, 15, 20]),
        ([7, BLANK, 7], [NO] * 3, [7, 7, 7]),
    ],
)
def test_blank_times(times: list[int], distance: list[float], expected: list[int]) -> None:
    """By the distance where the whole gap has it in order, else evenly; halves are rounded up."""
    assert _filled(times, distance) == expected


def test_from_departure_to_arrival() -> None:
    """A train that waits leaves when it departs; what it waits is no part of the way."""
    trip = np.zeros(3, np.int64)
    arrival_s, departure_s = np.array([0, BLANK, 200]), np.array([100, BLANK, 300])

    arrival_s, departure_s, _ = filled(trip, arrival_s, departure_s, np.full(3, NO))

    assert arrival_s.tolist() == [0, 150, 200]
    assert departure_s.tolist() == [100, 150, 300]


def test_trips_keep_to_themselves() -> None:
    """No time of one trip is told by another's, nor is a call at an end without a time inside."""
    trip = np.array([0, 0, 0, 1, 1, 1, 2])
    timed = np.array([True, False, False, False, True, True, False])

    assert within_times(trip, timed).tolist() == [True, False, False, False, True, True, False]


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 300), st.booleans(), st.floats(0, 1e6)),
        min_size=2,
        max_size=12,
    )
)
def test_filled_never_goes_back(calls: list[tuple[int, int, bool, float]]) -> None:
    """Whatever is blank and whatever distances say, given times stay and all are in order."""
    steps = np.array([[ride, wait] for ride, wait, _, _ in calls]).ravel()
    times = np.cumsum(steps).reshape(-1, 2)
    blank = np.array([is_blank for _, _, is_blank, _ in calls])
    blank[[0, -1]] = False
    arrival_s, departure_s = (np.where(blank, BLANK, times[:, each]) for each in (0, 1))
    distance = np.array([each for *_, each in calls])

    got_arrival, got_departure, _ = filled(
        np.zeros(len(calls), np.int64), arrival_s, departure_s, distance
    )
    both = np.stack([got_arrival, got_departure], axis=1).ravel()

    assert np.all(np.diff(both) >= 0)
    assert np.array_equal(got_arrival[~blank], times[~blank, 0])
    assert np.array_equal(got_departure[~blank], times[~blank, 1])


@pytest.mark.parametrize(
    ("times", "expected", "midnight", "backwards"),
    [
        ([80_000, 100, 5_000], [80_000, 86_500, 91_400], 1, None),
        ([80_000, 100, 80_000, 100], [80_000, 86_500, 166_400, 172_900], 1, None),
        ([80_000, BLANK, 100], [80_000, BLANK, 86_500], 2, None),
        ([80_000, 79_999, 100], [80_000, 79_999, 100], None, 1),
        ([43_201, 0], [43_201, 86_400], 1, None),
        ([43_200, 0], [43_200, 0], None, 1),
        ([86_400, 0], [86_400, 86_400], 1, None),
        ([86_401, 0], [86_401, 0], None, 1),
        ([359_999, 25_200], [359_999, 25_200], None, 1),
        ([1, 1, 2], [1, 1, 2], None, None),
    ],
)
def test_midnight(
    times: list[int], expected: list[int], midnight: int | None, backwards: int | None
) -> None:
    """A fall by more than half a day is midnight, any other a fault; each is told by its call."""
    trip = np.zeros(len(times), np.int64)

    arrival_s, _, passed, wrong = unwound(trip, np.array(times), np.array(times))

    assert arrival_s.tolist() == expected
    assert np.flatnonzero(passed).tolist() == ([] if midnight is None else [midnight])
    assert np.flatnonzero(wrong).tolist() == ([] if backwards is None else [backwards])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0:00:00", 0),
        ("07:05:09", 25_509),
        ("25:00:00", 90_000),
        ("240:00:00", 864_000),
        ("240:00:01", WRONG),
        ("", BLANK),
        ("7:5:09", WRONG),
        ("07:05", WRONG),
        ("-1:00:00", WRONG),
        ("07:60:00", WRONG),
        ("٠٧:٠٠:٠٠", WRONG),
        ("07:00:00\n", WRONG),
    ],
)
def test_clock(text: str, expected: int) -> None:
    """A time is H:MM:SS, of ASCII digits, up to ten days."""
    assert clock(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1), ("1.0", 1), ("007", 7), ("", BLANK), ("1.5", WRONG), ("-1", WRONG), ("１", WRONG)],
)
def test_whole(text: str, expected: int) -> None:
    """A whole number may have a fraction of zeros, as spreadsheets write it."""
    assert whole(text) == expected


@pytest.mark.parametrize("text", ["20260230", "2026-01-01", "19691231", "22000101", "0"])
def test_no_days(text: str) -> None:
    """A day is YYYYMMDD, one of the calendar, within bounds."""
    assert day(text) == WRONG


@pytest.mark.parametrize("text", ["39,9", "nan", "inf", "1e999", "0x10", "", "３９", "1_0"])
def test_no_decimals(text: str) -> None:
    """What Python would take as a number is none by GTFS."""
    assert np.isnan(decimal(text))
