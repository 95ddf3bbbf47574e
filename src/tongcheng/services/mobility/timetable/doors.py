"""What entering and leaving take at each stop on a day, and what a change between systems adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.numbers import Int16, Int32, Int64
from tongcheng.services.mobility.timetable.boarding import Boarding
from tongcheng.services.mobility.timetable.process_book import (
    InForce,
    ProcessRow,
    SharedCheckRow,
    seconds,
)

SYSTEMS_MAX: Final = 32_767
"""What 16 bits number."""

Figure = Literal["enter_s", "leave_s"]


class Doors(NamedTuple):
    """Columns of the boarding stops: the number of a system in `systems`, and its door's seconds.

    `called` has, for each stop, the ids and names by which a rule may mean it.
    """

    systems: tuple[str, ...]
    system: Int16
    enter_s: Int32
    leave_s: Int32
    called: tuple[frozenset[str], ...]


def doors(feeds: Sequence[Feed], stops: Boarding, rules: InForce) -> Doors:
    """Return the doors of the boarding stops.

    A stop that no row of `systems` fits belongs to `feed_id/mode`. Of the processes that fit a stop
    and say a figure, one that names stations goes before one that names systems, and that before
    one that names modes.

    Raises:
        Refused: PROCESS_RIVALS where two rows say as much about one stop; PROCESS_UNKNOWN where no
            row knows a figure and the caller chose no default; TIMETABLE_TOO_LARGE.
    """
    called = tuple(_called(feeds, stops))
    of_stop = [
        _system(feeds[feed].feed_id, stops, place, rules)
        for place, feed in enumerate(stops.feed.tolist())
    ]
    systems = tuple(sorted(set(of_stop)))
    if len(systems) > SYSTEMS_MAX:
        raise Refused("TIMETABLE_TOO_LARGE", connections=len(systems), most=SYSTEMS_MAX)
    number = {system: place for place, system in enumerate(systems)}
    figures: dict[Figure, Int32] = {
        figure: np.array(
            [_seconds(figure, stops, place, of_stop[place], called[place], rules)
             for place in range(len(of_stop))],
            np.int32,
        )
        for figure in ("enter_s", "leave_s")
    }  # fmt: skip
    system = np.array([number[each] for each in of_stop], np.int16)
    return Doors(systems, system, figures["enter_s"], figures["leave_s"], called)


def passing_s(found: Doors, origin: Int64, to: Int64, rules: InForce) -> Int64:
    """Return what doors take on the way from each origin to the stop of the same row.

    Within a system none is passed. Between two, one leaves the first and enters the second, of
    which a shared check leaves what its row says.

    Raises:
        Refused: PROCESS_UNKNOWN, PROCESS_RIVALS.
    """
    other = found.system[origin] != found.system[to]
    taken_s = np.where(
        other, found.leave_s[origin].astype(np.int64) + found.enter_s[to].astype(np.int64), 0
    )
    number = {system: place for place, system in enumerate(found.systems)}
    waived: dict[int, str] = {}
    for where, row in rules.shared_checks:
        first, second = number.get(row.from_system, -1), number.get(row.to_system, -1)
        fits = (found.system[origin] == first) & (found.system[to] == second) & other
        for place in np.flatnonzero(fits).tolist():
            ends = found.called[origin[place]] | found.called[to[place]]
            if row.stations is not None and ends.isdisjoint(row.stations):
                continue
            if place in waived:
                raise Refused("PROCESS_RIVALS", stop=row.to_system, one=waived[place], other=where)
            waived[place] = where
            taken_s[place] = found.leave_s[origin[place]] + _left(where, row, rules)
    return taken_s


def _left(where: str, row: SharedCheckRow, rules: InForce) -> int:
    left_s = seconds(row.enter_s, where)
    if left_s is None and rules.otherwise is not None:
        left_s = rules.otherwise.enter_s
    if left_s is None:
        raise Refused("PROCESS_UNKNOWN", figure="enter_s", stop=row.to_system, where=where)
    return left_s


def _called(feeds: Sequence[Feed], stops: Boarding) -> list[frozenset[str]]:
    found = []
    for feed, row, station in zip(
        stops.feed.tolist(), stops.row.tolist(), stops.station.tolist(), strict=True
    ):
        table = feeds[feed].stops
        names = (table.ids[row], table.ids[station], table.names[row], table.names[station])
        found.append(frozenset(name for name in names if name))
    return found


def _system(feed_id: str, stops: Boarding, place: int, rules: InForce) -> str:
    mode = stops.mode[place]
    fitting = [
        (where, row.system)
        for where, row in rules.systems
        if (row.feeds is None or feed_id in row.feeds) and (row.modes is None or mode in row.modes)
    ]
    if len({system for _, system in fitting}) > 1:
        raise Refused(
            "PROCESS_RIVALS", stop=stops.ids[place], one=fitting[0][0], other=fitting[-1][0]
        )
    return fitting[0][1] if fitting else f"{feed_id}/{mode}"


def deciding(
    figure: Figure,
    stops: Boarding,
    place: int,
    system: str,
    called: frozenset[str],
    rules: InForce,
) -> tuple[str, ProcessRow] | None:
    """Return the row that says most about a figure of one stop, with its place; None without one.

    Refuses PROCESS_RIVALS.
    """
    ranked = [
        (_says(row), where, row)
        for where, row in rules.processes
        if getattr(row, figure) is not None
        and (row.modes is None or stops.mode[place] in row.modes)
        and (row.systems is None or system in row.systems)
        and (row.stations is None or not called.isdisjoint(row.stations))
    ]
    most = max((rank for rank, _, _ in ranked), default=None)
    first = [(where, row) for rank, where, row in ranked if rank == most]
    if len(first) > 1:
        raise Refused("PROCESS_RIVALS", stop=stops.ids[place], one=first[0][0], other=first[1][0])
    return first[0] if first else None


def _seconds(
    figure: Figure,
    stops: Boarding,
    place: int,
    system: str,
    called: frozenset[str],
    rules: InForce,
) -> int:
    """Return the figure of one stop by the row that says most about it."""
    first = deciding(figure, stops, place, system, called, rules)
    value = None
    where = "-"
    if first is not None:
        where, row = first
        value = seconds(getattr(row, figure), where)
    if value is None and rules.otherwise is not None:
        value = getattr(rules.otherwise, figure)
    if value is None:
        raise Refused("PROCESS_UNKNOWN", figure=figure, stop=stops.ids[place], where=where)
    return value


def _says(row: ProcessRow) -> tuple[bool, bool, bool]:
    return bool(row.stations), bool(row.systems), bool(row.modes)
