"""A toy kind of case and a database to try it on: nothing here knows about insurance.

A neighbour asks, the clerk answers, the neighbour is content or complains to the judge, who says
yes or no. The clerk has two working days, the neighbour as many calendar days as a rule says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from tests.toy import MEMBERS, NOW_AT, TOY, Nowhere, toy_node
from tongcheng.kernel import cases
from tongcheng.kernel.calendar import parse_local
from tongcheng.kernel.cases import Actor, CaseKind, Handed, Leg, Opening, Term
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction, Writer
from tongcheng.node.core import Node

T = TypeVar("T")

FIRST = MEMBERS[0]
ZONE = "Asia/Shanghai"
DAYS = {"days.neighbour": 10}


def days_of(_home: Home, rule: str, on: date) -> int:
    """Return a rule's number of days; nothing is known of 2025."""
    if on.year < NOW_YEAR:
        raise Refused("RULE_UNKNOWN", rule=rule, book="toy")
    return DAYS[rule]


NOW_YEAR = 2026

KIND = CaseKind(
    name="toy_question",
    first="asked",
    opened_by="neighbour",
    table=MappingProxyType(
        {
            ("asked", "answered"): "answered",
            ("asked", "complained"): "complained",
            ("asked", "withdrawn"): "withdrawn",
            ("answered", "accepted"): "accepted",
            ("answered", "complained"): "complained",
            ("complained", "yes"): "upheld",
            ("complained", "no"): "rejected",
        }
    ),
    legs=MappingProxyType(
        {
            "asked": Leg("clerk", Term(2, "working")),
            "answered": Leg("neighbour", Term("days.neighbour", "calendar")),
            "complained": Leg("judge", Term(3, "working")),
        }
    ),
    may=MappingProxyType(
        {
            "answered": ("clerk",),
            "accepted": ("neighbour",),
            "complained": ("neighbour",),
            "withdrawn": ("neighbour",),
            "yes": ("judge",),
            "no": ("judge",),
        }
    ),
    when_late=frozenset({("asked", "complained")}),
    with_words=frozenset({cases.OPEN, "answered"}),
    days_of=days_of,
)

PARTIES = {"clerk": "town hall", "judge": "court", "neighbour": "number 7"}
SERVICE = type(TOY)(name="toy", tables=TOY.tables, cases=(KIND,))


def actor(role: str) -> Actor:
    """Return the party that acts in a role of every case here."""
    return Actor(role, PARTIES[role])


def at(text: str) -> int:
    """Return the instant of a local time."""
    return parse_local(text, ZONE)


class Office:
    """A node that is not running, its writer, and a clock that is moved by hand."""

    def __init__(self, node: Node, clock: ManualClock) -> None:
        self.node = node
        self.clock = clock
        self._writer = Writer(node.database, node.home, clock)

    def run(self, command: Callable[[Transaction], T]) -> T:
        """Run one command durably; raise what it raises."""
        outcome = self._writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        answer: T = outcome.answer
        return answer

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from what is committed."""
        with self.node.database.snapshot() as snapshot:
            return question(snapshot)

    def history(self, case_id: str) -> cases.History:
        """Return a case as it stands."""
        return self.read(lambda snapshot: cases.history(snapshot, case_id))

    def page(self, after: str | None) -> cases.OpenCases:
        """Return a page of a hundred open cases."""
        return self.read(lambda snapshot: cases.open_cases(snapshot, after=after, limit=100))

    def open(self, subject: str = "hedge", item: str = "", words: str = "Too high?") -> Handed:
        """Open a toy case."""
        opening = Opening(subject, item, PARTIES)
        return self.run(lambda tx: cases.open_case(tx, KIND, opening, words))

    def act(self, case_id: str, action: str, role: str, words: str = "It is so.") -> Handed:
        """Take an action in a role, by the party that has it."""
        return self.run(lambda tx: cases.act(tx, KIND, case_id, action, actor(role), words))


@contextmanager
def office(folder: Path, now: int = NOW_AT, **options: Any) -> Iterator[Office]:
    """Open an office with its database in the folder of the first member."""
    clock = ManualClock(now)
    node = toy_node(folder / FIRST, FIRST, Nowhere(), clock, **options)
    node.database.open_writing(clock.now())
    try:
        yield Office(node, clock)
    finally:
        node.database.close()
