"""process: what entering or leaving stations takes, as other rule books.

Where all stops that a row of a book decides are meant, the row itself changes, and so it holds for
stops that come later too. Else the stops are named, in a book of their own (`BOOK_ID`) whose rows
go before all others.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from tongcheng.kernel import rulebook
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.scenario import naming
from tongcheng.services.mobility.scenario.model import Base, Process, Step
from tongcheng.services.mobility.scenario.naming import At
from tongcheng.services.mobility.timetable.boarding import Boarding, boarding
from tongcheng.services.mobility.timetable.doors import Doors, Figure, deciding, doors
from tongcheng.services.mobility.timetable.process_book import (
    KIND,
    InForce,
    Processes,
    in_force,
)

BOOK_ID: Final = "scenario"
SOURCE: Final = "scenario"
_WHERE: Final = re.compile(r"(.+) rules\.processes\[([0-9]+)\]")


class _Stops(NamedTuple):
    """The boarding stops of a base, their doors, and which of them are meant."""

    boarded: Boarding
    doors: Doors
    rules: InForce
    meant: tuple[int, ...]


def process(base: Base, change: Process, at: At) -> Base:
    """Return the base with other process times.

    Refuses SCENARIO_UNKNOWN for a station that no feed has, or where no stop is of these modes;
    SCENARIO_PROCESS where the base has another figure than the change says; and what
    `timetable.doors` refuses, PROCESS_RIVALS too where a book's row names stations, systems and
    modes at once.
    """
    steps: tuple[tuple[Figure, Step | None], ...] = (
        ("enter_s", change.enter_s),
        ("leave_s", change.leave_s),
    )
    for figure, step in steps:
        if step is not None:
            base = _changed(base, change, figure, step, at)
    return base


def _changed(base: Base, change: Process, figure: Figure, step: Step, at: At) -> Base:
    stops = _stops(base, change, at)
    column = getattr(stops.doors, figure)
    for place in stops.meant:
        if int(column[place]) != step.before:
            raise at.refused(
                "SCENARIO_PROCESS",
                stop=stops.boarded.ids[place],
                figure=figure,
                said=step.before,
                found=int(column[place]),
            )
    whole, others = _rows(stops, figure)
    books = tuple(_with_rows(book, base, whole, figure, step) for book in base.processes.books)
    if others:
        books = _with_stops(books, base, stops, others, figure, step)
    after = base._replace(processes=Processes(books, base.processes.otherwise))
    found = getattr(_stops(after, change, at).doors, figure)
    wanted = column.copy()
    wanted[list(stops.meant)] = step.after
    assert np.array_equal(found, wanted), "only what is meant has changed"
    return after


def _stops(base: Base, change: Process, at: At) -> _Stops:
    feeds = sorted(base.feeds, key=lambda feed: feed.feed_id)
    boarded = boarding(feeds)
    rules = in_force(base.processes, base.day)
    found = doors(feeds, boarded, rules)
    named = _named(feeds, boarded, change.stations, at)
    meant = tuple(
        place
        for place, mode in enumerate(boarded.mode)
        if (not change.modes or mode in change.modes) and (named is None or place in named)
    )
    if not meant:
        raise at.unknown("station", ", ".join([*change.stations, *change.modes]) or "*")
    return _Stops(boarded, found, rules, meant)


def _named(
    feeds: Sequence[Feed], boarded: Boarding, names: Iterable[str], at: At
) -> frozenset[int] | None:
    """Return the boarding stops that these stations have, None for no names: all of them."""
    if not names:
        return None
    found: set[int] = set()
    for name in names:
        rows = naming.stations(feeds, name, at)
        pairs = zip(boarded.feed.tolist(), boarded.row.tolist(), strict=True)
        found.update(place for place, (feed, row) in enumerate(pairs) if rows[feed][row])
    return frozenset(found)


def _rows(stops: _Stops, figure: Figure) -> tuple[set[str], list[int]]:
    """Return the rows that decide meant stops alone, and the meant stops of no such row."""
    decides: dict[str, list[int]] = {}
    undecided: list[int] = []
    for place in range(len(stops.boarded.ids)):
        system = stops.doors.systems[stops.doors.system[place]]
        row = deciding(figure, stops.boarded, place, system, stops.doors.called[place], stops.rules)
        if row is None:
            undecided.append(place)
        else:
            decides.setdefault(row[0], []).append(place)
    meant = set(stops.meant)
    whole = {
        where
        for where, places in decides.items()
        if meant.issuperset(places) and not where.startswith(BOOK_ID + " ")
    }
    others = [place for where in sorted(decides.keys() - whole) for place in decides[where]]
    return whole, sorted(meant.intersection(others + undecided))


def _with_rows(book: RuleBook, base: Base, whole: set[str], figure: Figure, step: Step) -> RuleBook:
    """Return a book with another figure in the rows at these places."""
    places = [_WHERE.fullmatch(where) for where in sorted(whole)]
    mine = [int(found[2]) for found in places if found and found[1] == book.book_id]
    if not mine or not book.covers(base.day):
        return book
    document: dict[str, Any] = copy.deepcopy(book.document)
    for place in mine:
        document["rules"]["processes"][place][figure] = _value(step)
    document["sources"][SOURCE] = _source()
    return rulebook.from_document(document)


def _with_stops(
    books: tuple[RuleBook, ...],
    base: Base,
    stops: _Stops,
    places: list[int],
    figure: Figure,
    step: Step,
) -> tuple[RuleBook, ...]:
    """Return books with one more, or another, that names these stops."""
    own = [book for book in books if book.book_id == BOOK_ID]
    document: dict[str, Any] = copy.deepcopy(own[0].document) if own else _book(base)
    ids = {stops.boarded.ids[place] for place in places}
    rows = []
    for row in document["rules"]["processes"]:
        if figure in row:
            row["stations"] = [each for each in row["stations"] if each not in ids]
        if row["stations"]:
            rows.append(row)
    groups: dict[tuple[str, str], list[str]] = {}
    for place in places:
        system = stops.doors.systems[stops.doors.system[place]]
        key = (system, str(stops.boarded.mode[place]))
        groups.setdefault(key, []).append(stops.boarded.ids[place])
    for (system, mode), named in sorted(groups.items()):
        named_once: list[Plain] = [*sorted(set(named))]
        rows.append(
            {"modes": [mode], "systems": [system], "stations": named_once, figure: _value(step)}
        )
    document["rules"]["processes"] = rows
    made = rulebook.from_document(document)
    return (*(book for book in books if book.book_id != BOOK_ID), made)


def _value(step: Step) -> dict[str, Plain]:
    return {"value": str(step.after), "source": SOURCE, "confidence": "own"}


def _source() -> dict[str, Plain]:
    return {"what": "a scenario's assumption", "where": None}


def _book(base: Base) -> dict[str, Any]:
    """Return the document of a book without rows, for the day of the base."""
    on = base.day.isoformat()
    return {
        "book_id": BOOK_ID,
        "kind": KIND,
        "title": {"zh": "方案的假定", "en": "What scenarios assume"},
        "admdvs": "000000",
        "scheme": "all",
        "effective": {"from": on, "to": on, "source": SOURCE, "confidence": "own"},
        "sources": {SOURCE: _source()},
        "rules": {"processes": []},
    }
