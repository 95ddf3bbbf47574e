"""A person does not recognise a line: who may ask, answer and decide, and until when."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    NOW_AT,
    OTHER_HOSPITAL,
    VISITED,
    Running,
    TwoCities,
    running,
)
from tongcheng.kernel import cases
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.cases import Actor, Handed
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import verify
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.services.settlement import line_query
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.services.settlement.store import STAYS, StayRow

T = TypeVar("T")
QUESTION = "这一天我没有做过这项检查。"
WAYS: dict[str, list[str]] = {
    "asked": [],
    "withdrawn": ["withdrawn"],
    "explained": ["explained"],
    "corrected": ["corrected"],
    "accepted": ["explained", "accepted"],
    "escalated": ["corrected", "escalated"],
    "upheld": ["explained", "escalated", "upheld"],
    "rejected": ["explained", "escalated", "rejected"],
    "lapsed": ["explained", "lapsed"],
}
"""State → the actions that lead to it."""


class Town:
    """One discharged stay at the visited side, and everybody who may say something about it."""

    def __init__(self, at: Running, stay: StayRow) -> None:
        self.at = at
        self.stay = stay
        self.cities: TwoCities = at.cities
        self.node = at.cities.tianjin

    def run(self, command: Callable[[Transaction], T]) -> T:
        """Run one command on the visited node."""

        async def one() -> T:
            answer: T = await self.node.run(command)
            return answer

        return self.at.run(one())

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from the visited node's store."""
        return self.at.run(self.node.read(question))

    def history(self, case_id: str) -> cases.History:
        """Return a case as it stands."""
        return self.read(lambda snapshot: cases.history(snapshot, case_id))

    def ask(self, line_id: str = "L1", text: str = QUESTION) -> Handed:
        """Ask about a line as the person of the stay."""
        person, stay = self.stay.person_id, self.stay.stay_id
        return self.run(lambda tx: line_query.open_query(tx, person, stay, line_id, text))

    def act(self, case_id: str, action: str) -> Handed:
        """Take an action as whoever may take it, with a text, after a year if it must be late."""
        state = self.read(lambda s: cases.case_of(s, case_id)).state
        if (state, action) in LINE_QUERY.when_late:
            self.cities.clock.advance(366 * DAY_MS)
        person, caller, text = self.stay.person_id, self.cities.caller, f"{action}。"
        match action:
            case "explained" | "corrected":
                return self.run(
                    lambda tx: line_query.answer_hospital(tx, caller, case_id, action, text)
                )
            case "accepted" | "escalated" | "withdrawn":
                return self.run(
                    lambda tx: line_query.answer_person(tx, person, case_id, action, text)
                )
            case "upheld" | "rejected" | "lapsed":
                return self.run(lambda tx: line_query.decide(tx, "officer", case_id, action, text))
        raise AssertionError(action)

    def allows(self, case_id: str, role: str, action: str) -> bool:
        """Tell whether a role may take an action now; nothing is changed by asking."""
        party = self.history(case_id).parties[role]

        def trial(tx: Transaction) -> None:
            cases.act(tx, LINE_QUERY, case_id, action, Actor(role, party), f"{action}, once more.")
            raise Refused("ALLOWED")

        with pytest.raises(Refused) as refused:
            self.run(trial)
        return refused.value.code == "ALLOWED"

    def brought_to(self, state: str, line_id: str = "L1") -> str:
        """Return a query in this state."""
        case_id = self.ask(line_id).case.case_id
        for action in WAYS[state]:
            self.act(case_id, action)
        return case_id


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Two cities with one discharged stay."""
    with running(tmp_path) as at:
        stay, _ = at.run(at.cities.discharged())
        yield Town(at, stay)


@pytest.mark.parametrize("state", sorted(WAYS))
def test_every_action_in_every_state(town: Town, state: str) -> None:
    """Each action leads where the table says, or is refused and leaves the case as it was."""
    for action in sorted(LINE_QUERY.may):
        case_id = town.brought_to(state)
        before = town.history(case_id)
        after = LINE_QUERY.table.get((state, action))
        if after is not None:
            assert town.act(case_id, action).case.state == after
        elif not (WAYS[state] and WAYS[state][-1] == action):
            with pytest.raises(Refused, match="CASE_ACTION"):
                town.act(case_id, action)
            assert town.history(case_id) == before
        _closed(town, case_id)


def _closed(town: Town, case_id: str) -> None:
    """End a case, so that the line can be asked about anew."""
    ends = {"asked": "withdrawn", "explained": "accepted", "corrected": "accepted"}
    state = town.read(lambda s: cases.case_of(s, case_id)).state
    if state in LINE_QUERY.legs:
        town.act(case_id, ends.get(state, "withdrawn"))


def test_every_state_is_reached() -> None:
    """The ways above lead to all states of the table, and no other."""
    assert set(WAYS) == {"asked", *LINE_QUERY.table.values()}
    pairs = itertools.product(WAYS, LINE_QUERY.may)
    assert set(LINE_QUERY.table) <= set(pairs)


@pytest.mark.parametrize("state", sorted(WAYS))
def test_what_is_possible_is_what_is_allowed(town: Town, state: str) -> None:
    """The buttons of a role are the actions that are not refused to it, in time and overdue."""
    case_id = town.brought_to(state)
    for _ in ("in time", "overdue"):
        case = town.history(case_id).case
        now_at = town.cities.clock.now()
        for role in (line_query.PERSON, line_query.HOSPITAL, line_query.AGENCY):
            offered = line_query.possible(case, role, now_at)
            allowed = [one for one in LINE_QUERY.may if town.allows(case_id, role, one)]

            assert sorted(offered) == sorted(allowed)
        town.cities.clock.advance(366 * DAY_MS)


def test_asking_twice_is_asking_once(town: Town) -> None:
    """While a query about a line is open, the same one is returned; another line is another."""
    first, again, other = town.ask("L1"), town.ask("L1", "还是不认识。"), town.ask("L2")
    stay_id = town.stay.stay_id
    found = town.read(lambda s: line_query.of_stay(s, stay_id))

    assert again == first
    assert [one.line_id for one in found] == ["L1", "L2"]
    assert [one.history.case for one in found] == [first.case, other.case]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"person": "another"}, "STAY_UNKNOWN"),
        ({"stay": "nothing"}, "STAY_UNKNOWN"),
        ({"line": "L9"}, "LINE_UNKNOWN"),
        ({"text": ""}, "CASE_WORDS"),
        ({"text": "字" * 501}, "CASE_WORDS"),
    ],
)
def test_who_may_ask_about_what(town: Town, changes: dict[str, str], code: str) -> None:
    """Only the person of the stay, about a line of the bill, in at most 500 characters."""
    given = {"person": town.stay.person_id, "stay": town.stay.stay_id, "line": "L1", "text": "?"}
    person, stay, line, text = (given | changes).values()

    with pytest.raises(Refused, match=code):
        town.run(lambda tx: line_query.open_query(tx, person, stay, line, text))


def test_a_revoked_line_cannot_be_asked_about(town: Town) -> None:
    """A line that was taken back counts no more; the query that was open goes on."""
    case_id = town.ask("L4").case.case_id
    town.at.run(town.cities.desk.revoke_lines(town.cities.caller, town.stay.stay_id, "L4"))

    assert town.act(case_id, "corrected").case.state == "corrected"
    town.act(case_id, "accepted")
    with pytest.raises(Refused, match="LINE_UNKNOWN"):
        town.ask("L4")


def test_nobody_acts_for_another(town: Town) -> None:
    """For another hospital, another person and another member the case does not exist."""
    case_id = town.ask().case.case_id
    stranger, text = Caller(OTHER_HOSPITAL, "his"), "no"
    tries: list[Callable[[Transaction], Handed]] = [
        lambda tx: line_query.answer_hospital(tx, stranger, case_id, "explained", text),
        lambda tx: line_query.answer_person(tx, "another", case_id, "withdrawn"),
        lambda tx: line_query.answer_person(tx, FIRST_HOSPITAL, case_id, "withdrawn"),
        lambda tx: line_query.answer_person(tx, town.stay.person_id, "nothing", "withdrawn"),
    ]

    for command in tries:
        with pytest.raises(Refused, match="CASE_UNKNOWN"):
            town.run(command)


def test_turns_and_deadlines(town: Town) -> None:
    """From Sunday 22 November: five working days, thirty days, fifteen working days; all local.

    The third count would run into 2027, whose holidays are not published: it is not guessed.
    """
    asked = town.ask().case
    town.cities.clock.advance(3 * DAY_MS)
    answered = town.act(asked.case_id, "explained").case
    town.cities.clock.advance(25 * DAY_MS)
    escalated = town.act(asked.case_id, "escalated").case
    why = cases.undated(escalated)

    assert asked.opened_at == NOW_AT
    assert [(one.owner_role, one.owner_party) for one in (asked, answered, escalated)] == [
        ("hospital", FIRST_HOSPITAL),
        ("person", town.stay.person_id),
        ("agency", VISITED),
    ]
    due = [local_text(one.due_at or 0, "Asia/Shanghai")[:10] for one in (asked, answered)]
    assert due == ["2026-11-28", "2026-12-26"]
    assert escalated.due_at is None
    assert why is not None
    assert (why.code, why.facts) == ("CALENDAR_UNKNOWN", {"year": 2027})


def test_what_was_said_is_sealed(town: Town, tmp_path: Path) -> None:
    """The words come back to who may read them, and stand nowhere in the clear."""
    case_id = town.brought_to("escalated")
    ring = town.node.home.ring
    said = town.read(lambda s: line_query.said(s, ring, case_id))
    files = [path.read_bytes() for path in (tmp_path / VISITED).glob("node.sqlite*")]

    assert said == {1: QUESTION, 2: "corrected。", 3: "escalated。"}
    assert files
    assert not any(QUESTION.encode() in raw or "corrected。".encode() in raw for raw in files)


def test_a_decision_is_audited_and_everything_verifies(town: Town) -> None:
    """The officer who decided stands in the audit; cases, journal and bill agree."""
    case_id = town.brought_to("upheld")
    entries = town.read(lambda s: [(r.actor, r.action) for r in s.select(AUDIT, subject=case_id)])
    report = verify(town.node.database, town.node.home, town.node.services)

    assert entries == [("officer", "case.upheld")]
    assert (report.findings, report.skipped) == ([], [])


def test_a_query_moves_no_money(town: Town) -> None:
    """Whatever is decided about a line, the stay and its bill stay as they are."""
    town.brought_to("upheld")

    assert town.read(lambda s: s.get(STAYS, town.stay.stay_id)) == town.stay
