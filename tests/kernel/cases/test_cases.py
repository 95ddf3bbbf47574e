"""Cases: what may follow what, whose turn it is, and until when."""

import itertools
from pathlib import Path

import pytest

from tests.kernel.cases.office import FIRST, KIND, PARTIES, Office, at, office
from tongcheng.kernel import cases, journal
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.cases import Actor, CaseKind, Leg, Opening, Term
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot

WAYS: dict[str, list[tuple[str, str]]] = {
    "asked": [],
    "withdrawn": [("withdrawn", "neighbour")],
    "answered": [("answered", "clerk")],
    "accepted": [("answered", "clerk"), ("accepted", "neighbour")],
    "complained": [("answered", "clerk"), ("complained", "neighbour")],
    "upheld": [("answered", "clerk"), ("complained", "neighbour"), ("yes", "judge")],
    "rejected": [("answered", "clerk"), ("complained", "neighbour"), ("no", "judge")],
}
"""State → the actions that lead to it from the opening, each with its role."""

ACTIONS = sorted(KIND.may)
WEEK_MS = 7 * DAY_MS


def _brought_to(desk: Office, state: str, subject: str) -> str:
    case_id = desk.open(subject).case.case_id
    for action, role in WAYS[state]:
        desk.act(case_id, action, role)
    return case_id


def test_every_action_in_every_state(tmp_path: Path) -> None:
    """Each (state, action) leads where the table says, or is refused and changes nothing."""
    with office(tmp_path) as desk:
        for state, action in itertools.product(WAYS, ACTIONS):
            case_id = _brought_to(desk, state, f"{state} {action}")
            if (state, action) in KIND.when_late:
                desk.clock.advance(WEEK_MS)
            role = KIND.may[action][0]
            before = desk.history(case_id)
            after = KIND.table.get((state, action))
            again = bool(WAYS[state]) and WAYS[state][-1] == (action, role)
            if after is None and not again:
                with pytest.raises(Refused, match="CASE_ACTION"):
                    desk.act(case_id, action, role)
                assert desk.history(case_id) == before
            else:
                assert desk.act(case_id, action, role).case.state == (after or state)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", sorted(PARTIES))
def test_an_action_belongs_to_its_roles(tmp_path: Path, action: str, role: str) -> None:
    """Whoever is not named for an action is refused it, though it is possible in the state."""
    state = next(one for one, other in KIND.table if other == action)
    with office(tmp_path) as desk:
        case_id = _brought_to(desk, state, "hedge")
        if (state, action) in KIND.when_late:
            desk.clock.advance(WEEK_MS)
        if role in KIND.may[action]:
            assert desk.act(case_id, action, role).receipt.role == role
        else:
            with pytest.raises(Refused, match="CASE_NOT_YOURS"):
                desk.act(case_id, action, role)


@pytest.mark.parametrize(
    "stranger", [Actor("clerk", "another town"), Actor("neighbour", "town hall"), Actor("king", "")]
)
def test_strangers_take_no_part(tmp_path: Path, stranger: Actor) -> None:
    """A party acts only in the role it has in this very case."""
    with office(tmp_path) as desk:
        case_id = desk.open().case.case_id

        with pytest.raises(Refused, match="CASE_NOT_YOURS"):
            desk.run(lambda tx: cases.act(tx, KIND, case_id, "answered", stranger, "No."))


def test_a_late_move_waits_for_the_deadline(tmp_path: Path) -> None:
    """Passing over the clerk is possible from the first instant after the deadline, not before."""
    with office(tmp_path) as desk:
        opened = desk.open().case
        assert opened.due_at is not None
        desk.clock.advance(opened.due_at - desk.clock.now() - 1)
        with pytest.raises(Refused, match="CASE_NOT_LATE"):
            desk.act(opened.case_id, "complained", "neighbour")
        desk.clock.advance(1)

        assert desk.act(opened.case_id, "complained", "neighbour").case.owner_role == "judge"


def test_the_same_thing_is_asked_once(tmp_path: Path) -> None:
    """An open case is found again; another item, or the same one after the end, is a new case."""
    with office(tmp_path) as desk:
        first = desk.open("hedge", "left")
        again = desk.open("hedge", "left", "Still too high?")
        other = desk.open("hedge", "right")
        desk.act(first.case.case_id, "withdrawn", "neighbour")
        after = desk.open("hedge", "left")

    assert again == first
    assert len({first.case.case_id, other.case.case_id, after.case.case_id}) == 3


def test_a_lost_answer_can_be_asked_for_again(tmp_path: Path) -> None:
    """The same action in the same words gets the same receipt; in other words it is refused."""
    with office(tmp_path) as desk:
        case_id = desk.open().case.case_id
        first = desk.act(case_id, "answered", "clerk", "As high as ever.")

        assert desk.act(case_id, "answered", "clerk", "As high as ever.") == first
        with pytest.raises(Refused, match="CASE_ACTION"):
            desk.act(case_id, "answered", "clerk", "Lower than before.")


@pytest.mark.parametrize("words", ["", " \n", "x" * 501, "\ud800"])
def test_words_that_cannot_be_kept(tmp_path: Path, words: str) -> None:
    """A question needs words, at most 500 characters of text; 500 are kept as they are."""
    longest = "测" * 500
    with office(tmp_path) as desk:
        with pytest.raises(Refused, match="CASE_WORDS"):
            desk.open(words=words)
        case_id = desk.open(words=longest).case.case_id
        with pytest.raises(Refused, match="CASE_WORDS"):
            desk.act(case_id, "answered", "clerk", words)

        ring = desk.node.home.ring
        assert desk.read(lambda s: cases.words_of(s, ring, case_id)) == {1: longest}


def test_unknown_case(tmp_path: Path) -> None:
    """A case that is not there, and one of another kind, are the same to whoever asks."""
    other = CaseKind(
        name="toy_other",
        first="asked",
        opened_by="neighbour",
        table={("asked", "answered"): "answered"},
        legs={"asked": Leg("clerk", Term(1, "calendar"))},
        may={"answered": ("clerk",)},
    )
    with office(tmp_path) as desk:
        opening = Opening("x", "", {"clerk": "town hall", "neighbour": "number 7"})
        strange = desk.run(lambda tx: cases.open_case(tx, other, opening, "?")).case.case_id
        for case_id in ("nothing", strange):
            with pytest.raises(Refused, match="CASE_UNKNOWN"):
                desk.act(case_id, "answered", "clerk")


# the hand-over, local time  | days | the first instant that is too late
DEADLINES = """
2026-11-22 18:00:00 | asked      | 2026-11-25 00:00:00
2026-11-20 23:59:59 | asked      | 2026-11-25 00:00:00
2026-11-27 09:00:00 | asked      | 2026-12-02 00:00:00
2026-09-30 12:00:00 | asked      | 2026-10-10 00:00:00
2026-10-07 12:00:00 | asked      | 2026-10-10 00:00:00
2026-10-08 12:00:00 | asked      | 2026-10-11 00:00:00
2026-09-18 12:00:00 | asked      | 2026-09-22 00:00:00
2026-02-13 12:00:00 | asked      | 2026-02-25 00:00:00
2026-12-29 12:00:00 | asked      | 2027-01-01 00:00:00
2026-12-30 12:00:00 | asked      | CALENDAR_UNKNOWN
2026-09-30 12:00:00 | answered   | 2026-10-11 00:00:00
2026-12-28 12:00:00 | answered   | 2027-01-08 00:00:00
2025-12-20 12:00:00 | answered   | RULE_UNKNOWN
"""


@pytest.mark.parametrize("row", DEADLINES.strip().splitlines())
def test_deadlines(tmp_path: Path, row: str) -> None:
    """Working days skip weekends and holidays and count worked weekends; what is unknown says why.

    The clerk has two working days, the neighbour ten calendar days by a rule that 2025 lacks.
    """
    now, state, expected = (part.strip() for part in row.split("|"))
    with office(tmp_path, at(now)) as desk:
        case_id = _brought_to(desk, state, "hedge")
        case = desk.read(lambda s: cases.case_of(s, case_id))
    why = cases.undated(case)

    if why is not None:
        assert (why.code, case.due_at) == (expected, None)
    else:
        assert case.due_at == at(expected)


def test_a_case_without_a_deadline_goes_on(tmp_path: Path) -> None:
    """It is never late, stands first in the list, and its next leg may have a deadline again."""
    with office(tmp_path, at("2026-12-31 12:00:00")) as desk:
        undated = desk.open().case.case_id
        desk.clock.advance(400 * DAY_MS)
        with pytest.raises(Refused, match="CASE_NOT_LATE"):
            desk.act(undated, "complained", "neighbour")
        counted = desk.read(lambda s: cases.count_open(s, desk.clock.now()))
        answered = desk.act(undated, "answered", "clerk").case

    assert counted == (1, 0, 1)
    assert answered.due_at is not None


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_the_list_is_paged_without_gaps(tmp_path: Path, count: int) -> None:
    """Whatever there is appears once, the first due first; a strange cursor begins anew."""
    with office(tmp_path, at("2026-12-29 12:00:00")) as desk:
        for number in range(count):
            desk.open(f"hedge {number:03d}")
            desk.clock.advance(DAY_MS // 50)
        seen: list[str] = []
        due: list[int] = []
        after: str | None = "nonsense"
        while after is not None:
            page = desk.page(after)
            seen += [row.case_id for row in page.cases]
            due += [row.due_at or 0 for row in page.cases]
            after = page.next_after

    assert len(seen) == len(set(seen)) == count
    assert due == sorted(due)


def test_whose_cases_are_listed(tmp_path: Path) -> None:
    """A party sees the open cases it takes part in; closed ones are not in the list."""

    def mine(snapshot: Snapshot, role: str, party: str) -> int:
        return len(cases.open_cases(snapshot, role=role, party=party, limit=9).cases)

    with office(tmp_path) as desk:
        first = desk.open("hedge").case.case_id
        desk.open("fence")
        desk.act(first, "withdrawn", "neighbour")

        assert desk.read(lambda s: mine(s, "clerk", "town hall")) == 1
        assert desk.read(lambda s: mine(s, "judge", "court")) == 1
        assert desk.read(lambda s: mine(s, "neighbour", "court")) == 0


def test_overdue(tmp_path: Path) -> None:
    """A case is overdue from its first late instant, and no more when its turn has ended."""
    with office(tmp_path) as desk:
        case = desk.open().case
        assert case.due_at is not None
        due_at = case.due_at

        assert desk.read(lambda s: cases.overdue(s, due_at - 1, limit=9)) == []
        assert desk.read(lambda s: cases.overdue(s, due_at, limit=9)) == [case]
        desk.act(case.case_id, "answered", "clerk")
        assert desk.read(lambda s: cases.overdue(s, due_at, limit=9)) == []


def test_a_receipt_names_its_leaf(tmp_path: Path) -> None:
    """Digest and index of every receipt are those of the journal; words are in no clear column."""
    with office(tmp_path) as desk:
        case_id = _brought_to(desk, "upheld", "hedge")
        found = desk.history(case_id)
        leaves = desk.read(lambda s: {r.leaf_index: r for r in s.select(journal.JOURNAL_LEAVES)})
        stored = (tmp_path / FIRST / "node.sqlite-wal").read_bytes()

    assert [one.action for one in found.receipts] == ["open", "answered", "complained", "yes"]
    assert all(leaves[one.leaf_index].digest == one.digest for one in found.receipts)
    assert b"Too high?" not in stored
    assert b"toy_question" in stored


BROKEN = [
    {"first": "nowhere"},
    {"legs": {"asked": KIND.legs["asked"]}},
    {"may": {"answered": ("clerk",)}},
    {"table": {**KIND.table, ("answered", "open"): "asked"}, "may": {**KIND.may, "open": ()}},
    {"when_late": frozenset({("asked", "yes")})},
    {"with_words": frozenset({"shouted"})},
    {"days_of": None},
    {"table": {**KIND.table, ("lost", "yes"): "upheld"}, "legs": {**KIND.legs, "lost": Leg}},
]


@pytest.mark.parametrize("changes", BROKEN)
def test_a_table_that_contradicts_itself(changes: dict[str, object]) -> None:
    """A kind with a state nobody owns, or an action nobody may take, is our own bug."""
    fields = {name: getattr(KIND, name) for name in KIND.__struct_fields__}

    with pytest.raises(AssertionError):
        CaseKind(**{**fields, **changes})
