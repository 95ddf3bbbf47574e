"""calendar.txt and calendar_dates.txt: on which days the services run."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec
import numpy as np

from tongcheng.services.mobility.feed.fields import (
    DAY_FIRST,
    DAY_LAST,
    LEFT_OUT,
    Sieve,
    among,
    day,
    numbers,
)
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.model import Service
from tongcheng.services.mobility.feed.rows import Table, Wanted

CALENDAR: Final = "calendar.txt"
WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CALENDAR_COLUMNS: Final = Wanted(("service_id", *WEEK, "start_date", "end_date"))
DATES: Final = "calendar_dates.txt"
DATE_COLUMNS: Final = Wanted(("service_id", "date", "exception_type"))
_ADDED, _REMOVED = 1, 2
_NO_SPAN: Final = (tuple([False] * 7), DAY_LAST, DAY_FIRST)
"""Of a service of exceptions alone: no weekday, and a span that ends before it starts."""


class Days(msgspec.Struct, frozen=True):
    """The days on which some trip of the feed runs; None and 0 when there is none."""

    first_on: date | None
    last_on: date | None
    count: int


def read_services(
    calendar: Table, dates: Table, findings: Findings
) -> tuple[tuple[Service, ...], dict[str, int]]:
    """Return the services in the order in which they come up, and their rows by service_id."""
    spans, left_out = _spans(calendar, findings)
    added, removed = _exceptions(dates, findings)
    ids = list(dict.fromkeys((*spans, *(key for key in (*added, *removed)))))
    ids = [each for each in ids if each not in left_out]
    services = []
    for each in ids:
        weekdays, start_on, end_on = spans.get(each, _NO_SPAN)
        plus, minus = (frozenset(some.get(each, ())) for some in (added, removed))
        services.append(Service(each, weekdays, start_on, end_on, plus, minus))
    rows = {each: row for row, each in enumerate(ids)}
    return tuple(services), rows | dict.fromkeys(left_out, LEFT_OUT)


Span = tuple[tuple[bool, ...], date, date]


def _spans(table: Table, findings: Findings) -> tuple[dict[str, Span], set[str]]:
    """Return the spans of calendar.txt, and the services whose row was left out."""
    sieve = Sieve(table, findings)
    sieve.unique("service_id")
    week = []
    for name in WEEK:
        flag = numbers(table, name, among(0, 1))
        sieve.needed(name, flag)
        week.append(flag)
    first, last = (numbers(table, name, day) for name in ("start_date", "end_date"))
    sieve.needed("start_date", first)
    sieve.needed("end_date", last)
    sieve.out("span_backwards", first > last, "end_date")
    spans: dict[str, Span] = {}
    ids = table.texts("service_id")
    for row in np.flatnonzero(sieve.kept).tolist():
        weekdays = tuple(bool(flag[row]) for flag in week)
        start_on, end_on = (date.fromordinal(int(each[row])) for each in (first, last))
        spans[ids[row]] = (weekdays, start_on, end_on)
    return spans, {each for each in ids if each} - set(spans)


def _exceptions(
    table: Table, findings: Findings
) -> tuple[dict[str, list[date]], dict[str, list[date]]]:
    """Return the days that calendar_dates.txt adds and removes, by service_id."""
    sieve = Sieve(table, findings)
    sieve.out("value_missing", table.blank("service_id"), "service_id")
    on = numbers(table, "date", day)
    sieve.needed("date", on)
    kind = numbers(table, "exception_type", among(_ADDED, _REMOVED))
    sieve.needed("exception_type", kind)
    ids = table.texts("service_id")
    seen: set[tuple[str, int]] = set()
    twice = np.zeros(table.rows, np.bool_)
    for row in np.flatnonzero(sieve.kept).tolist():
        key = (ids[row], int(on[row]))
        twice[row] = key in seen
        seen.add(key)
    sieve.out("exception_twice", twice, "date")
    added: dict[str, list[date]] = {}
    removed: dict[str, list[date]] = {}
    for row in np.flatnonzero(sieve.kept).tolist():
        into = added if kind[row] == _ADDED else removed
        into.setdefault(ids[row], []).append(date.fromordinal(int(on[row])))
    return added, removed


def covered(services: Sequence[Service]) -> Days:
    """Return the days on which at least one of the services runs."""
    base = DAY_FIRST.toordinal()
    runs = np.zeros(DAY_LAST.toordinal() - base + 1, np.bool_)
    for service in services:
        running = np.zeros(len(runs), np.bool_)
        if any(service.weekdays):
            first, last = service.start_on.toordinal(), service.end_on.toordinal()
            days = np.arange(first, last + 1)
            # The first of January of year 1, whose ordinal is 1, was a Monday.
            running[days - base] = np.array(service.weekdays)[(days - 1) % 7]
        running[[each.toordinal() - base for each in sorted(service.added)]] = True
        running[[each.toordinal() - base for each in sorted(service.removed)]] = False
        runs |= running
    found = np.flatnonzero(runs)
    if not len(found):
        return Days(None, None, 0)
    first_on, last_on = (date.fromordinal(base + int(found[each])) for each in (0, -1))
    return Days(first_on, last_on, len(found))
