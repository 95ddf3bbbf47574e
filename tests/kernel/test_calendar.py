"""Local time and working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tongcheng.kernel import calendar
from tongcheng.kernel.calendar import WorkingDays
from tongcheng.kernel.errors import Refused

ZONE = "Asia/Shanghai"

# From 1992 on China has no summer time; to the end of 2100.
INSTANTS = st.integers(min_value=694_224_000_000, max_value=4_133_980_800_000)

# Synthetic: a short year's worth of free days and one worked Saturday, not a published calendar.
DAYS = WorkingDays(
    holidays=frozenset({date(2030, 1, 1), date(2030, 5, 1), date(2030, 5, 2), date(2030, 5, 3)}),
    working_weekends=frozenset({date(2030, 4, 27)}),
    known_years=frozenset({2030}),
)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01 08:00:00"),
        (1_795_363_199_999, "2026-11-22 23:59:59"),
        (1_795_363_200_000, "2026-11-23 00:00:00"),
        (-1, "1970-01-01 07:59:59"),
    ],
)
def test_local(at: int, text: str) -> None:
    """A day ends at local midnight, eight hours before UTC's."""
    assert calendar.local_text(at, ZONE) == text
    assert calendar.local_date(at, ZONE).isoformat() == text[:10]


ZONES = ("Asia/Shanghai", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "UTC")


@given(at=st.integers(-3_000_000_000_000, 4_102_444_800_000), zone=st.sampled_from(ZONES))
@example(at=515_520_000_000, zone="Asia/Shanghai")
@example(at=515_527_200_000, zone="Asia/Shanghai")
def test_the_date_is_that_of_the_wall(at: int, zone: str) -> None:
    """Also where the clocks change on the day, and before the zone had whole quarters."""
    wall = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)

    assert calendar.local_date(at, zone) == wall.astimezone(ZoneInfo(zone)).date()


@given(INSTANTS)
def test_local_time_is_read_back(at: int) -> None:
    """To the second."""
    whole = at // 1000 * 1000

    assert calendar.parse_local(calendar.local_text(at, ZONE), ZONE) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T18:00:00",
        "2026-11-22 18:00",
        "2026-11-22 18:00:00 ",
        "2026-11-22 24:00:00",
        "2026-02-29 18:00:00",
        "0000-01-01 00:00:00",
        "２０２６-11-22 18:00:00",
        "1" * 100_000,
    ],
)
def test_malformed_local_time(text: str) -> None:
    """One spelling, and only dates that exist."""
    with pytest.raises(Refused, match="LOCAL_TIME_MALFORMED") as caught:
        calendar.parse_local(text, ZONE)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["1990-04-15 02:30:00", "1990-09-16 01:30:00"])
def test_unclear_local_time(text: str) -> None:
    """An hour that summer time left out or showed twice is refused, not guessed."""
    with pytest.raises(Refused, match="LOCAL_TIME_UNCLEAR"):
        calendar.parse_local(text, ZONE)


@pytest.mark.parametrize("zone", ["", "Peking", "../../etc/passwd", "a\0b", "北京"])
def test_unknown_zone(zone: str) -> None:
    """Zones come from the IANA data base."""
    with pytest.raises(Refused, match="ZONE_UNKNOWN"):
        calendar.local_date(0, zone)


# day        | n | the n-th working day after it
ADDED = """
2030-01-01   | 0 | 2030-01-01
2030-01-01   | 1 | 2030-01-02
2030-01-04   | 1 | 2030-01-07
2030-04-26   | 1 | 2030-04-27
2030-04-26   | 2 | 2030-04-29
2030-04-30   | 1 | 2030-05-06
2030-04-26   | 5 | 2030-05-07
"""


@pytest.mark.parametrize("row", ADDED.strip().splitlines())
def test_add_working_days(row: str) -> None:
    """Holidays do not count, a Saturday worked in exchange does."""
    day, n, expected = (part.strip() for part in row.split("|"))

    assert DAYS.add(date.fromisoformat(day), int(n)) == date.fromisoformat(expected)


def test_unknown_year() -> None:
    """A term that runs into a year whose holidays are not published has no end yet."""
    with pytest.raises(Refused, match="CALENDAR_UNKNOWN") as caught:
        DAYS.add(date(2030, 12, 31), 1)

    assert caught.value.facts == {"year": 2031}
    with pytest.raises(Refused, match="CALENDAR_UNKNOWN"):
        DAYS.is_working(date(2029, 6, 1))


@pytest.mark.parametrize(
    ("holidays", "working", "years"),
    [
        ({date(2030, 1, 5)}, {date(2030, 1, 5)}, {2030}),
        (set[date](), {date(2030, 1, 1)}, {2030}),
        ({date(2031, 1, 1)}, set[date](), {2030}),
    ],
    ids=["both", "a Tuesday", "unknown year"],
)
def test_contradictory_data(holidays: set[date], working: set[date], years: set[int]) -> None:
    """A region pack that contradicts itself does not load."""
    with pytest.raises(AssertionError):
        WorkingDays(frozenset(holidays), frozenset(working), frozenset(years))
