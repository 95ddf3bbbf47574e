"""Rule books of what passing a station's door takes: security check, gates, the way down.

A process time is a policy, not a fact of a timetable: whoever runs the station decides it, from a
day on, and may stop checking twice. So it stands in a dated rule book of kind `station_process`
(`kernel.rulebook`), each figure with its source and confidence:

    systems:          # what one pays and is checked for once; else a feed's vehicles of one mode
      - {system: metro, feeds: [bj], modes: [metro]}
    processes:        # of the rows that fit a stop, the one that says most about it holds
      - modes: [metro]
        enter_s: {value: "120", source: survey, confidence: low}
        leave_s: {value: "60", source: survey, confidence: low}
    shared_checks:    # what entering still takes on the way from one system to another
      - from_system: rail
        to_system: metro
        stations: [北京南]
        enter_s: {value: "20", source: notice, confidence: medium}
        valid_from: "2023-01-01"

Stations are named by the name of a stop or of its station, or by the id with its feed (bj:12). A
row may hold for part of the book's time only.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, RuleValue
from tongcheng.services.mobility.modes import Mode
from tongcheng.services.mobility.numbers import DAY_S

KIND: Final = "station_process"

Name = Annotated[str, Meta(min_length=1)]
Names = Annotated[tuple[Name, ...], Meta(min_length=1)]
Modes = Annotated[tuple[Mode, ...], Meta(min_length=1)]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of a rule book as it is written; dates are local and both inclusive."""

    valid_from: str | None = None
    valid_to: str | None = None


class SystemRow(_Row, frozen=True, kw_only=True):
    """What one pays and is checked for once: these modes of these feeds, left out for all."""

    system: Name
    feeds: Names | None = None
    modes: Modes | None = None


class ProcessRow(_Row, frozen=True, kw_only=True):
    """What entering and leaving take, at stops of these modes, systems and stations."""

    modes: Modes | None = None
    systems: Names | None = None
    stations: Names | None = None
    enter_s: RuleValue | None = None
    leave_s: RuleValue | None = None


class SharedCheckRow(_Row, frozen=True, kw_only=True):
    """What is left of entering a system for who comes from another, at these stations or all."""

    from_system: Name
    to_system: Name
    stations: Names | None = None
    enter_s: RuleValue


class ProcessRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands under `rules` in a book of kind `station_process`."""

    systems: tuple[SystemRow, ...] = ()
    processes: tuple[ProcessRow, ...] = ()
    shared_checks: tuple[SharedCheckRow, ...] = ()


class Door(NamedTuple):
    """What passing a door takes, in whole seconds."""

    enter_s: int
    leave_s: int


class Processes(NamedTuple):
    """The rule books that are known, and what holds where they say nothing or do not know.

    Without `otherwise` a figure that is needed and not known is refused by name.
    """

    books: tuple[RuleBook, ...] = ()
    otherwise: Door | None = None

    def digest(self) -> str:
        """Return the hex SHA-256 of what this is: the books' digests, sorted, and the default."""
        otherwise = None if self.otherwise is None else list(self.otherwise)
        books = sorted(book.digest for book in self.books)
        return canonical.digest(canonical.encode({"books": books, "otherwise": otherwise}))


NO_PROCESSES: Final = Processes(otherwise=Door(0, 0))
"""Doors that stand open: what timetables alone would say."""

_AnyRow = TypeVar("_AnyRow", SystemRow, ProcessRow, SharedCheckRow)


class InForce(NamedTuple):
    """The rows of all books that hold on one day, each with its place."""

    systems: tuple[tuple[str, SystemRow], ...]
    processes: tuple[tuple[str, ProcessRow], ...]
    shared_checks: tuple[tuple[str, SharedCheckRow], ...]
    otherwise: Door | None


def read_rules(book: RuleBook) -> ProcessRules:
    """Read a book's `rules` by the schema; refuses PROCESS_BOOK with the place and the fault."""
    if book.kind != KIND:
        raise Refused("PROCESS_BOOK", book=book.book_id, path="kind", fault=f"not {KIND}")
    try:
        return msgspec.convert(book.document["rules"], ProcessRules)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        path = "rules" + where.strip("`").removeprefix("$")
        raise Refused("PROCESS_BOOK", book=book.book_id, path=path, fault=what) from None


def in_force(processes: Processes, day: date) -> InForce:
    """Return what holds on a day; every row of every book is checked, in force or not.

    Raises:
        Refused: PROCESS_BOOK for a book without its shape, a figure that is no number of seconds
            of a day, a row that says nothing, or a system that no book describes.
    """
    systems: list[tuple[str, SystemRow]] = []
    rows: list[tuple[str, ProcessRow]] = []
    checks: list[tuple[str, SharedCheckRow]] = []
    for book in sorted(processes.books, key=lambda each: (each.book_id, each.digest)):
        rules = read_rules(book)
        covers = book.covers(day)
        systems += _holding(book, "systems", rules.systems, day if covers else None)
        rows += _holding(book, "processes", rules.processes, day if covers else None)
        checks += _holding(book, "shared_checks", rules.shared_checks, day if covers else None)
    _check_names({row.system for _, row in systems}, rows, checks)
    if processes.otherwise is not None:
        for name, value in zip(Door._fields, processes.otherwise, strict=True):
            if not 0 <= value <= DAY_S:
                raise Refused("MOBILITY_PARAMETER", name=name, given=value, least=0, most=DAY_S)
    return InForce(tuple(systems), tuple(rows), tuple(checks), processes.otherwise)


def seconds(value: RuleValue, where: str) -> int | None:
    """Return a figure in seconds, None if it is unknown; refuses PROCESS_BOOK."""
    if value.value is None:
        return None
    text = value.value
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(DAY_S))):
        raise _fault(where, f"{text!r} is no whole number of seconds")
    if int(text) > DAY_S:
        raise _fault(where, f"{text} s is longer than a day")
    return int(text)


def _holding(
    book: RuleBook, section: str, rows: tuple[_AnyRow, ...], day: date | None
) -> list[tuple[str, _AnyRow]]:
    """Check the rows, and return those that hold on the day, with their places."""
    held = []
    for place, row in enumerate(rows):
        where = f"{book.book_id} rules.{section}[{place}]"
        begins, ends = _date(row.valid_from, where), _date(row.valid_to, where)
        if begins is not None and ends is not None and ends < begins:
            raise _fault(where, "valid_to is before valid_from")
        _check_figures(row, where)
        if day is not None and (begins or day) <= day <= (ends or day):
            held.append((where, row))
    return held


def _check_figures(row: SystemRow | ProcessRow | SharedCheckRow, where: str) -> None:
    if isinstance(row, SystemRow):
        if not row.feeds and not row.modes:
            raise _fault(where, "names neither feeds nor modes")
        if "/" in row.system:
            raise _fault(where, f"a system's name has no slash: {row.system!r}")
        return
    values = [row.enter_s]
    if isinstance(row, ProcessRow):
        values.append(row.leave_s)
        if values == [None, None]:
            raise _fault(where, "says neither enter_s nor leave_s")
    for value in values:
        if value is not None:
            seconds(value, where)


def _check_names(
    known: set[str],
    rows: list[tuple[str, ProcessRow]],
    checks: list[tuple[str, SharedCheckRow]],
) -> None:
    """Refuse a system that nobody describes: a misspelt name would do nothing, in silence."""
    named = [(where, name) for where, row in rows for name in row.systems or ()]
    named += [(where, name) for where, row in checks for name in (row.from_system, row.to_system)]
    for where, name in named:
        if name not in known and "/" not in name:
            raise _fault(where, f"no book in force has a system {name!r}")


def _date(text: str | None, where: str) -> date | None:
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise _fault(where, f"{text!r} is no date YYYY-MM-DD")
    return found


def _fault(where: str, fault: str) -> Refused:
    book, _, path = where.partition(" ")
    return Refused("PROCESS_BOOK", book=book, path=path, fault=fault)
