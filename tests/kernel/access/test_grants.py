"""Delegation: only what is one's own, only for days, never on to a third."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.access.people import ADMIN, TABLE, TODAY, Office, term
from tongcheng.kernel import audit, journal
from tongcheng.kernel.access import accounts, allowed, grants
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.grants import DELEGATIONS, DelegationRow, Offer
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.store import Command

REASON = "年假，由同事代办日常结算"
STAY, CASE = "settlement.stay.read", "settlement.case.read"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An open store."""
    office = Office(tmp_path)
    yield office
    office.database.close()


def offer(delegate: StaffRow, **changes: Any) -> Offer:
    """Return an offer of a clerk's reading of stays, from today for a week."""
    given = {
        "delegate_id": delegate.account_id,
        "role": "clerk",
        "actions": {STAY},
        "from_on": TODAY,
        "to_on": TODAY + timedelta(days=6),
        "reason": REASON,
        **changes,
    }
    return Offer(**given)


def give(giver: StaffRow, wanted: Offer) -> Command:
    """Return a command that lends."""
    return lambda tx: grants.give(tx, TABLE, giver, wanted)


def end(who: StaffRow, row: DelegationRow) -> Command:
    """Return a command that ends a delegation."""
    return lambda tx: grants.end(tx, who, row.delegation_id)


def _lent(office: Office, account: StaffRow, days: int = 0) -> set[tuple[str, str]]:
    now_at = office.now_at + days * DAY_MS
    found = office.read(
        lambda s: grants.lent_to(
            s, office.home, TABLE, accounts.need(s, account.account_id), now_at
        )
    )
    return {(one.action, one.delegator_id) for one in found}


def test_what_is_lent_counts_from_its_first_day_through_its_last(office: Office) -> None:
    """Not before, not after, and no more than was chosen."""
    boss, temp = office.hire("boss"), office.hire("temp", term("policy-officer"))
    starts = TODAY + timedelta(days=2)
    wanted = offer(temp, from_on=starts, to_on=starts + timedelta(days=1))
    office.run(give(boss, wanted))

    lent = [_lent(office, temp, days) for days in range(5)]

    mine = {(STAY, boss.account_id)}
    assert lent == [set(), set(), mine, mine, set()]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"from_on": TODAY - timedelta(days=1)}, "DELEGATION_PERIOD"),
        ({"to_on": TODAY - timedelta(days=1)}, "DELEGATION_PERIOD"),
        ({"to_on": TODAY + timedelta(days=30)}, "DELEGATION_PERIOD"),
        ({"to_on": TODAY + timedelta(days=29)}, None),
        ({"role": "auditor"}, "DELEGATION_ROLE"),
        ({"role": "visitor"}, "DELEGATION_ROLE"),
        ({"actions": set()}, "DELEGATION_ACTIONS"),
        ({"actions": {STAY, "audit.read"}}, "DELEGATION_ACTIONS"),
        ({"actions": {"access.delegate"}}, "DELEGATION_ACTIONS"),
        ({"actions": {"access.break_glass"}}, "DELEGATION_ACTIONS"),
        ({"actions": {"account.own"}}, "DELEGATION_ACTIONS"),
        ({"reason": "忙"}, "REASON_WORDS"),
        ({"reason": "x" * 501}, "REASON_WORDS"),
        ({"reason": "a reason that \x1b[2J wipes"}, "REASON_WORDS"),
        ({"delegate_id": "nobody"}, "ACCOUNT_UNKNOWN"),
    ],
)
def test_what_can_be_lent(office: Office, changes: dict[str, Any], code: str | None) -> None:
    """One's own, a month at most, with a reason; nothing of accounts, delegating or reviewing."""
    boss, temp = office.hire("boss"), office.hire("temp")

    found = office.code(give(boss, offer(temp, **changes)))

    assert found == code


def test_who_can_be_lent_to(office: Office) -> None:
    """Neither oneself, nor who manages accounts, nor an account that is not in use."""
    boss, admin = office.hire("boss"), office.hire("admin", term("administrator"))
    locked = office.hire("locked")
    office.run(lambda tx: accounts.lock(tx, ADMIN, locked.account_id))
    late = office.hire("late", term("clerk", TODAY + timedelta(days=1)))

    for delegate in (boss, admin, locked, late):
        assert office.code(give(boss, offer(delegate))) == "DELEGATION_TO_WHOM"


def test_a_reader_cannot_disqualify_the_reviewers(office: Office) -> None:
    """By lending to all of them; nor ahead of a role that begins or ends within the period."""
    reader, boss = office.hire("reader"), office.hire("boss", term("fund-accountant"))
    ledger = {"role": "fund-accountant", "actions": {"settlement.ledger.read"}}
    soon = term("leader", TODAY + timedelta(days=5))
    judges = [
        office.hire("auditor", term("auditor")),
        office.hire("leader", term("leader")),
        office.hire("both", term("policy-officer"), soon),
    ]
    wanted = [offer(judge) for judge in judges]

    assert [office.code(give(reader, one)) for one in wanted] == ["DELEGATION_TO_REVIEWER"] * 3
    assert office.code(give(reader, offer(judges[2], to_on=TODAY))) is None
    assert office.code(give(boss, offer(judges[0], **ledger))) is None


def test_twenty_a_day_also_when_they_are_ended(office: Office) -> None:
    """Else an account could fill what each page of a colleague's has to read."""
    boss, temp = office.hire("boss"), office.hire("temp", term("policy-officer"))
    for _ in range(grants.LIVE_MAX):
        office.run(end(boss, office.run(give(boss, offer(temp)))))

    assert office.code(give(boss, offer(temp))) == "DELEGATIONS_TOO_MANY"
    office.clock.advance(DAY_MS)
    tomorrow = TODAY + timedelta(days=1)
    assert office.code(give(boss, offer(temp, from_on=tomorrow))) is None


def test_what_was_lent_cannot_be_lent_on(office: Office) -> None:
    """The delegate's own roles are all that they can lend."""
    boss, temp = office.hire("boss"), office.hire("temp", term("policy-officer"))
    third = office.hire("third", term("policy-officer"))
    office.run(give(boss, offer(temp)))

    asclerk = office.code(give(temp, offer(third)))
    as_own = office.code(give(temp, offer(third, role="policy-officer")))

    assert (asclerk, as_own) == ("DELEGATION_ROLE", "DELEGATION_ACTIONS")


def test_either_ends_it_and_nobody_else(office: Office) -> None:
    """The end is at once, by either; a stranger is told that there is no such delegation."""
    boss, temp, third = office.hire("boss"), office.hire("temp"), office.hire("third")
    for who in (boss, temp):
        row = office.run(give(boss, offer(temp)))
        strange = office.code(end(third, row))
        before = _lent(office, temp)
        for _again in range(2):
            office.run(end(who, row))

        assert strange == "DELEGATION_UNKNOWN"
        assert before == {(STAY, boss.account_id)}
        assert _lent(office, temp) == set()


def test_journal_and_audit_know_it_without_its_words(office: Office) -> None:
    """Two leaves and two entries for a delegation that was ended; the reason is in neither."""
    boss, temp = office.hire("boss"), office.hire("temp")
    row = office.run(give(boss, offer(temp)))
    office.run(end(temp, row))

    contents = [
        office.read(
            lambda s, n=n: journal.content(
                s, office.home.ring, grants.LEAF_KIND, f"delegation/{row.delegation_id}/{n}"
            )
        )
        for n in (1, 2)
    ]
    entries = office.read(lambda s: s.select(audit.AUDIT))[-2:]

    assert all(REASON.encode() not in content for content in contents)
    assert [(each.actor, each.action) for each in entries] == [
        (boss.actor, "access.delegate"),
        (temp.actor, "access.delegate.end"),
    ]
    assert grants.reason_of(office.home.ring, row) == REASON


ROLES = ("clerk", "auditor", "policy-officer", "administrator", "fund-accountant")
PEOPLE = 3
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("give"),
            st.integers(0, PEOPLE - 1),
            st.integers(0, PEOPLE - 1),
            st.sampled_from(ROLES),
            st.integers(0, 3),
        ),
        st.tuples(st.just("end"), st.integers(0, PEOPLE - 1), st.integers(0, 5)),
        st.tuples(st.just("roles"), st.integers(0, PEOPLE - 1), st.sampled_from(ROLES)),
        st.tuples(st.just("lock"), st.integers(0, PEOPLE - 1)),
        st.tuples(st.just("day"), st.integers(1, 3)),
    ),
    max_size=14,
)


def _take(office: Office, staff: list[str], step: tuple[Any, ...], on: date) -> None:
    """Take one step; whatever is refused changes nothing."""
    what, *rest = step

    def command(tx: Any) -> None:
        if what == "give":
            giver, taker, role, days = rest
            actions = grants.lendable(TABLE, office.home, role, on)
            ends = on + timedelta(days=days)
            wanted = Offer(staff[taker], role, actions, on, ends, REASON)
            grants.give(tx, TABLE, accounts.need(tx, staff[giver]), wanted)
        elif what == "end":
            rows = tx.select(DELEGATIONS)
            if rows:
                who = accounts.need(tx, staff[rest[0]])
                grants.end(tx, who, rows[rest[1] % len(rows)].delegation_id)
        elif what == "roles":
            accounts.set_roles(tx, TABLE, ADMIN, staff[rest[0]], (term(rest[1]),))
        elif what == "lock":
            accounts.lock(tx, ADMIN, staff[rest[0]])

    office.code(command)


def _rightful(
    rows: list[DelegationRow], people: dict[str, StaffRow], who: str, on: date
) -> set[str]:
    """Return what somebody may do by their own roles, or by a live delegation of a live role."""
    own = set().union(
        *(TABLE.actions(role, "beijing-hsb", on) for role in people[who].roles_on(on))
    )
    for row in rows:
        giver = people[row.delegator_id]
        if (
            row.delegate_id == who
            and row.ended_at is None
            and row.from_on <= on.isoformat() <= row.to_on
            and row.role in giver.roles_on(on)
            and giver.state == "open"
        ):
            actions = TABLE.actions(row.role, "beijing-hsb", on)
            own |= {one for one in actions if not one.startswith(("account.", "access."))}
    return own


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_nobody_ever_does_more_than_roles_and_live_delegations_allow(
    steps: list[tuple[Any, ...]],
) -> None:
    """Whatever is lent, ended, changed or locked in whatever order; administrators get nothing."""
    with TemporaryDirectory() as folder:
        office = Office(Path(folder))
        staff = [
            office.hire(f"p{number}", term(role, TODAY)).account_id
            for number, role in enumerate(("clerk", "auditor", "policy-officer"))
        ]
        for step in steps:
            on = TODAY + timedelta(days=(office.clock.now() - office.now_at) // DAY_MS)
            if step[0] == "day":
                office.clock.advance(step[1] * DAY_MS)
            else:
                _take(office, staff, step, on)
            now_at = office.clock.now()
            on = TODAY + timedelta(days=(now_at - office.now_at) // DAY_MS)
            rows = office.read(lambda s: s.select(DELEGATIONS))
            people = {one: office.read(lambda s, one=one: accounts.need(s, one)) for one in staff}
            for who, row in people.items():
                actions = office.read(
                    lambda s, row=row, now_at=now_at: allowed.allowances(
                        s, office.home, TABLE, row, now_at
                    )
                )
                by_role = set().union(
                    *(TABLE.actions(each, "beijing-hsb", on) for each in row.roles_on(on))
                )
                assert actions <= _rightful(rows, people, who, on)
                assert by_role <= actions
                if "administrator" in row.roles_on(on):
                    assert actions == by_role
        office.database.close()
