"""Local time and working days. Instants are Unix milliseconds, UTC; a day belongs to a zone.

Which days are worked is data: a government announces next year's holidays, and the weekends worked
in exchange, at the end of this one. A year without data is refused, never assumed.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tongcheng.kernel.errors import Refused

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
"""A day of 24 hours: every day in a zone without summer time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_MILLISECOND = timedelta(milliseconds=1)
_QUARTER_MS = 15 * MINUTE_MS
_LOCAL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_SATURDAY = 5


def local_date(at_ms: int, zone_name: str) -> date:
    """Return the date that a calendar on the wall shows in the zone; refuses ZONE_UNKNOWN."""
    offset_ms = _offset_ms(at_ms // DAY_MS, zone_name)
    if offset_ms is None:
        return _local(at_ms, zone_name).date()
    return date.fromordinal(_EPOCH_ORDINAL + (at_ms + offset_ms) // DAY_MS)


def local_text(at_ms: int, zone_name: str) -> str:
    """Write an instant as local time, "YYYY-MM-DD HH:MM:SS"; parts of a second are cut off."""
    return _local(at_ms, zone_name).isoformat(sep=" ", timespec="seconds")[:19]


def parse_local(text: str, zone_name: str) -> int:
    """Read "YYYY-MM-DD HH:MM:SS" in the zone as Unix ms.

    Refuses LOCAL_TIME_MALFORMED, ZONE_UNKNOWN, and LOCAL_TIME_UNCLEAR for an hour that a change of
    the clocks left out or showed twice (China had summer time from 1986 to 1991).
    """
    zone = _zone(zone_name)
    match = _LOCAL.fullmatch(text)
    if match is None:
        raise Refused("LOCAL_TIME_MALFORMED", given=ascii(text[:40]))
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        raise Refused("LOCAL_TIME_MALFORMED", given=ascii(text)) from None
    early, late = ((local.replace(fold=fold) - _EPOCH) // _MILLISECOND for fold in (0, 1))
    if early != late:
        raise Refused("LOCAL_TIME_UNCLEAR", given=text, zone=zone_name)
    return early


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Monday to Friday without `holidays`, and with `working_weekends` (调休), in `known_years`."""

    holidays: frozenset[date]
    working_weekends: frozenset[date]
    known_years: frozenset[int]

    def __post_init__(self) -> None:
        """Hold the data to what it claims to be."""
        given = self.holidays | self.working_weekends
        assert not self.holidays & self.working_weekends, "a day both free and worked"
        assert all(day.weekday() >= _SATURDAY for day in self.working_weekends), "not a weekend"
        assert {day.year for day in given} <= self.known_years, "a day in an unknown year"

    def is_working(self, day: date) -> bool:
        """Say whether offices work on this day; refuses CALENDAR_UNKNOWN."""
        if day.year not in self.known_years:
            raise Refused("CALENDAR_UNKNOWN", year=day.year)
        if day.weekday() >= _SATURDAY:
            return day in self.working_weekends
        return day not in self.holidays

    def add(self, day: date, n: int) -> date:
        """Return the n-th working day after `day`, which itself does not count; n=0 is `day`.

        Refuses CALENDAR_UNKNOWN when the count runs into a year without data.
        """
        assert n >= 0, n
        while n > 0:
            day += timedelta(days=1)
            n -= self.is_working(day)
        return day


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("ZONE_UNKNOWN", zone=ascii(name[:64])) from None


@functools.lru_cache(maxsize=4_096)
def _offset_ms(utc_day: int, zone_name: str) -> int | None:
    """Return how far the zone's clocks are ahead on a UTC day; None on a day when that changes.

    Bills name the same few days many times; the clocks change at whole quarters of an hour.
    """
    quarters = range(utc_day * DAY_MS, (utc_day + 1) * DAY_MS + 1, _QUARTER_MS)
    offsets = {_local(at, zone_name).utcoffset() for at in quarters}
    if len(offsets) > 1:
        return None
    (offset,) = offsets
    assert offset is not None, "a zone has an offset"
    return offset // _MILLISECOND


def _local(at_ms: int, zone_name: str) -> datetime:
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(_zone(zone_name))
