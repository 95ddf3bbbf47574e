"""Breaking the glass: one record, half an hour, and somebody else judges it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.access.people import TODAY, Office, term
from tests.kernel.access.test_grants import end, give, offer
from tongcheng.kernel import audit, journal
from tongcheng.kernel.access import grants, reviews
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.reviews import REVIEWS, EmergencyRow, Glass
from tongcheng.kernel.calendar import local_date

REASON = "患者昏迷，急诊需要核对过敏史"
WORDS = "情况属实，当晚急诊记录可以证明"
STAY, CASE = "settlement.stay.read", "settlement.case.read"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An open store."""
    office = Office(tmp_path)
    yield office
    office.database.close()


def _break(office: Office, who: StaffRow, subject: str = "s1", action: str = STAY) -> EmergencyRow:
    glass = Glass(action, subject, REASON)
    row: EmergencyRow = office.run(lambda tx: reviews.break_glass(tx, who, glass))
    return row


def _live(office: Office, who: StaffRow, subject: str, action: str = STAY) -> bool:
    now_at = office.clock.now()
    return office.read(lambda s: reviews.live(s, who, action, subject, now_at)) is not None


@settings(max_examples=40, deadline=None)
@given(
    moves=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(("s1", "s2")),
            st.sampled_from((STAY, CASE)),
            st.integers(0, 40 * 60_000),
        ),
        max_size=10,
    )
)
def test_it_opens_one_subject_to_one_account_for_half_an_hour(
    moves: list[tuple[int, str, str, int]],
) -> None:
    """Nothing else, nobody else and no longer, however often and in whatever order it is broken."""
    with TemporaryDirectory() as folder:
        office = Office(Path(folder))
        people = [office.hire(f"p{n}", term("duty-operator")) for n in range(2)]
        opened: dict[tuple[int, str, str], int] = {}
        for who, subject, action, step in moves:
            now_at, key = office.clock.now(), (who, subject, action)
            _break(office, people[who], subject, action)
            if now_at >= opened.get(key, 0) + 30 * 60_000:
                opened[key] = now_at
            office.clock.advance(step)
            now_at = office.clock.now()
            for number, person in enumerate(people):
                for one in ("s1", "s2", "s3"):
                    for act in (STAY, CASE):
                        since = opened.get((number, one, act))
                        expected = since is not None and now_at < since + 30 * 60_000
                        assert _live(office, person, one, act) == expected
        office.database.close()


def test_it_opens_a_review_with_a_week(office: Office) -> None:
    """Due when the seventh day after the access is over; overdue from then on."""
    who = office.hire("duty", term("duty-operator"))
    _break(office, who)
    row = office.read(lambda s: s.select(REVIEWS))[0]
    before = office.read(lambda s: reviews.overdue(s, row.due_at - 1))
    after = office.read(lambda s: reviews.overdue(s, row.due_at))

    assert row.state == "open"
    assert local_date(row.due_at, "Asia/Shanghai") == TODAY + timedelta(days=8)
    assert (before, after) == (0, 1)


def test_the_reader_never_decides(office: Office) -> None:
    """Not the reader, not who lent to or borrowed from the reader that day; anybody else may."""
    reader = office.hire("reader", term("clerk"))
    lender, borrower, other = (office.hire(name) for name in ("lender", "borrower", "other"))
    office.run(give(lender, offer(reader)))
    office.run(give(reader, offer(borrower)))
    row = _break(office, reader)

    def decide(who: StaffRow) -> str | None:
        return office.code(
            lambda tx: reviews.decide(tx, who, row.emergency_id, "justify", WORDS)
        )  # fmt: skip

    refused = [decide(who) for who in (reader, lender, borrower)]

    assert refused == ["REVIEW_OWN"] * 3
    assert decide(other) is None
    assert decide(other) == "REVIEW_DECIDED"


def test_a_delegation_that_was_over_disqualifies_nobody(office: Office) -> None:
    """Ended before the access, it is past; ended after it, it stood."""
    reader, early, late = (office.hire(name) for name in ("reader", "early", "late"))
    rows = [office.run(give(who, offer(reader))) for who in (early, late)]
    office.run(end(early, rows[0]))
    office.clock.advance(1_000)
    emergency = _break(office, reader)
    office.clock.advance(1_000)
    office.run(end(late, rows[1]))

    zone = office.home.region.zone
    may = [
        office.read(
            lambda s, who=who: reviews.may_review(s, emergency, who.account_id, zone)
        )
        for who in (early, late)
    ]  # fmt: skip

    assert may == [True, False]


@pytest.mark.parametrize(
    ("action", "words", "state"),
    [("justify", WORDS, "justified"), ("object", WORDS, "not_justified")],
)
def test_a_finding_is_kept(office: Office, action: str, words: str, state: str) -> None:
    """With its words, sealed; the journal has a leaf for the access and one for the finding."""
    reader, judge = office.hire("reader"), office.hire("judge", term("auditor"))
    row = _break(office, reader)
    found = office.run(
        lambda tx: reviews.decide(tx, judge, row.emergency_id, action, words)
    )  # fmt: skip
    leaves = [
        office.read(
            lambda s, n=n: journal.content(
                s, office.home.ring, grants.LEAF_KIND, f"emergency/{row.emergency_id}/{n}"
            )
        )
        for n in (1, 2)
    ]
    entries = office.read(lambda s: s.select(audit.AUDIT))[-2:]

    assert found.state == state
    assert reviews.words_of(office.home.ring, found) == words
    assert reviews.reason_of(office.home.ring, row) == REASON
    assert all(text.encode() not in leaf for leaf in leaves for text in (words, REASON))
    assert [(one.action, one.subject) for one in entries] == [
        ("access.break_glass", "s1"),
        (f"access.review.{state}", "s1"),
    ]


@pytest.mark.parametrize(
    ("glass", "code"),
    [
        (Glass(STAY, "", REASON), "EMERGENCY_SUBJECT"),
        (Glass(STAY, "s" * 161, REASON), "EMERGENCY_SUBJECT"),
        (Glass(STAY, "s\n1", REASON), "EMERGENCY_SUBJECT"),
        (Glass(STAY, "s1", " 急 "), "REASON_WORDS"),
    ],
)
def test_what_is_no_emergency(office: Office, glass: Glass, code: str) -> None:
    """One subject that can be named, and a reason that can be judged."""
    who = office.hire("duty")

    assert office.code(lambda tx: reviews.break_glass(tx, who, glass)) == code


def test_ten_a_day(office: Office) -> None:
    """The eleventh within a day is refused; a day later there are ten again."""
    who = office.hire("duty")
    for number in range(reviews.EMERGENCIES_A_DAY):
        _break(office, who, f"s{number}")

    def code() -> Any:
        return office.code(lambda tx: reviews.break_glass(tx, who, Glass(STAY, "more", REASON)))

    assert code() == "EMERGENCIES_TOO_MANY"
    office.clock.advance(86_400_000)
    assert code() is None


@pytest.mark.parametrize(
    ("review", "action", "words", "code"),
    [
        ("nothing", "justify", WORDS, "REVIEW_UNKNOWN"),
        ("it", "forgive", WORDS, "REVIEW_ACTION"),
        ("it", "justify", "好", "REASON_WORDS"),
    ],
)
def test_what_is_no_finding(
    office: Office, review: str, action: str, words: str, code: str
) -> None:
    """A review that there is, one of the two findings, and words."""
    row = _break(office, office.hire("reader"))
    other = office.hire("judge", term("auditor"))
    name = row.emergency_id if review == "it" else review

    assert office.code(lambda tx: reviews.decide(tx, other, name, action, words)) == code
