"""Sessions: who is signed in, until when, and how long a guesser waits."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.access.people import ADMIN, DIGEST, TABLE, TODAY, Office, term
from tongcheng.kernel import audit
from tongcheng.kernel.access import accounts, allowed, sessions
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.sessions import IDLE_MS, LONGEST_MS, SignedIn
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.store import Transaction

ZONE = "Asia/Shanghai"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An empty node with the shipped table."""
    opened = Office(tmp_path)
    yield opened
    opened.database.close()


def _begin(office: Office, row: StaffRow | None, *, right: bool = True) -> str | None:
    account_id = None if row is None else row.account_id
    secret: str | None = office.run(lambda tx: sessions.begin(tx, account_id, is_right=right))
    return secret


def _signed_in(office: Office, secret: str | None) -> SignedIn | None:
    found: SignedIn | None = office.read(
        lambda snapshot: sessions.find(snapshot, secret, ZONE, office.clock.now())
    )
    return found


def test_a_session_is_a_new_secret_of_which_only_a_digest_is_kept(office: Office) -> None:
    """256 random bits; two sign-ins are two secrets, and the store has neither."""
    row = office.hire("li")
    one, two = _begin(office, row), _begin(office, row)
    office.database.writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = office.database.path.read_bytes()

    assert one is not None
    assert two is not None
    assert one != two
    assert len(bytes.fromhex(one)) == 32
    assert one.encode() not in stored
    assert bytes.fromhex(one) not in stored
    assert sessions.form_token_of(one) not in {one, sessions.form_token_of(two)}
    found = _signed_in(office, one)
    assert found is not None
    assert found.account == row


@pytest.mark.parametrize("secret", [None, "", "x", "0" * 64, "\ud800"])
def test_an_unknown_secret_opens_nothing(office: Office, secret: str | None) -> None:
    """Whatever a cookie says."""
    office.hire("li")

    assert _signed_in(office, secret) is None


ENDS: list[tuple[str, Callable[[Transaction, StaffRow], Any]]] = [
    ("password", lambda tx, row: _password(tx, row, row.actor)),
    ("password reset", lambda tx, row: _password(tx, row, ADMIN)),
    ("roles", lambda tx, row: accounts.set_roles(tx, TABLE, ADMIN, row.account_id, row.terms)),
    ("no roles", lambda tx, row: accounts.set_roles(tx, TABLE, ADMIN, row.account_id, ())),
    ("lock", lambda tx, row: accounts.lock(tx, ADMIN, row.account_id)),
    ("close", lambda tx, row: accounts.close(tx, ADMIN, row.account_id)),
]


def _password(tx: Transaction, row: StaffRow, actor: str) -> StaffRow:
    return accounts.set_password(tx, actor, row.account_id, DIGEST, must_change=False)


@pytest.mark.parametrize(("what", "change"), ENDS)
def test_a_change_of_the_account_ends_its_sessions(office: Office, what: str, change: Any) -> None:
    """All of them, and nobody else's."""
    row, other = office.hire("li"), office.hire("wang")
    secret, kept = _begin(office, row), _begin(office, other)
    office.run(lambda tx: change(tx, row))

    assert _signed_in(office, secret) is None, what
    assert _signed_in(office, kept) is not None


def test_a_session_ends_with_the_last_day_of_its_role(office: Office) -> None:
    """At midnight in the region, not in Greenwich: 18:00 is six hours before."""
    row = office.hire("li", term("clerk", TODAY, TODAY))
    office.clock.advance(5 * 3_600_000)
    secret = _begin(office, row)
    office.clock.advance(3_599_999 - IDLE_MS)
    office.run(lambda tx: sessions.touch(tx, sessions.digest_of(secret or "")))
    office.clock.advance(IDLE_MS - 1)
    assert _signed_in(office, secret) is not None

    office.run(lambda tx: sessions.touch(tx, sessions.digest_of(secret or "")))
    office.clock.advance(2)
    assert _signed_in(office, secret) is None
    assert _begin(office, row) is None


def test_a_role_that_has_not_begun_opens_nothing(office: Office) -> None:
    """Not a day early."""
    row = office.hire("li", term("clerk", TODAY.replace(day=23)))
    assert _begin(office, row) is None

    office.clock.advance(DAY_MS)
    assert _begin(office, row) is not None


def test_idle_and_longest(office: Office) -> None:
    """Half an hour without a page; twelve hours whatever happens."""
    row = office.hire("li")
    idle = _begin(office, row)
    office.clock.advance(IDLE_MS - 1)
    assert _signed_in(office, idle) is not None
    office.clock.advance(1)
    assert _signed_in(office, idle) is None
    office.run(lambda tx: sessions.touch(tx, sessions.digest_of(idle or "")))
    assert _signed_in(office, idle) is None, "an idle session came back"

    busy = _begin(office, row)
    for _ in range(LONGEST_MS // (IDLE_MS - 1)):
        office.clock.advance(IDLE_MS - 1)
        office.run(lambda tx: sessions.touch(tx, sessions.digest_of(busy or "")))
    assert _signed_in(office, busy) is not None
    office.clock.advance(IDLE_MS - 1)
    assert _signed_in(office, busy) is None


def test_sign_out_and_ending_all_others(office: Office) -> None:
    """One, or every other one of the same account."""
    row, other = office.hire("li"), office.hire("wang")
    one, two, three = (_begin(office, row) or "" for _ in range(3))
    theirs = _begin(office, other)
    office.run(lambda tx: sessions.end(tx, one))
    listed = office.read(lambda reading: sessions.of_account(reading, row, office.clock.now(), 20))
    ended = office.run(
        lambda tx: sessions.end_others(tx, row.account_id, sessions.digest_of(three))
    )

    assert (len(listed), ended) == (2, 1)
    assert [_signed_in(office, each) is not None for each in (one, two, three, theirs)] == [
        False,
        False,
        True,
        True,
    ]


def test_the_latest_open_sessions_are_listed(office: Office) -> None:
    """No more than are asked for; none that is idle for too long, or of before a change."""
    row = office.hire("li")
    for _ in range(5):
        _begin(office, row)
        office.clock.advance(sessions.IDLE_MS // 4)

    def listed(limit: int) -> list[int]:
        now_at = office.clock.now()
        account = office.read(lambda s: accounts.need(s, row.account_id))
        found = office.read(lambda s: sessions.of_account(s, account, now_at, limit))
        return [(now_at - one.made_at) * 4 // sessions.IDLE_MS for one in found]

    assert (listed(2), listed(20)) == ([1, 2], [1, 2, 3])
    office.run(lambda tx: accounts.set_roles(tx, TABLE, ADMIN, row.account_id, (term("clerk"),)))
    assert listed(20) == []


WAITS_S = [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    """Four wrong tries are free; the fifth waits."""
    assert [sessions.wait_ms(tries) // 1_000 for tries in range(12)] == WAITS_S
    assert sessions.wait_ms(10**6) == 900_000


def test_an_account_waits_after_wrong_tries(office: Office) -> None:
    """While it waits the right password is refused too, and tries are not counted on."""
    row = office.hire("li")
    for _ in range(5):
        assert _begin(office, row, right=False) is None
    assert _begin(office, row) is None
    _begin(office, row, right=False)
    office.clock.advance(29_999)
    assert _begin(office, row) is None
    office.clock.advance(1)
    assert _begin(office, row) is not None
    for _ in range(4):
        _begin(office, row, right=False)
    assert _begin(office, row) is not None, "a right password did not clear the count"


def test_unlocking_ends_the_wait(office: Office) -> None:
    """And so does a password that an administrator gives."""
    row = office.hire("li")
    for _ in range(5):
        _begin(office, row, right=False)
    office.run(lambda tx: accounts.unlock(tx, ADMIN, row.account_id))

    assert _begin(office, row) is not None


def test_every_outcome_is_one_entry(office: Office) -> None:
    """A stranger's try at a name that nobody has is kept as such, and never the name."""
    row, closed = office.hire("li"), office.hire("wang")
    office.run(lambda tx: accounts.close(tx, ADMIN, closed.account_id))
    before = len(office.read(lambda reading: reading.select(audit.AUDIT)))
    _begin(office, None)
    _begin(office, row, right=False)
    _begin(office, closed)
    _begin(office, row)
    entries = office.read(lambda reading: reading.select(audit.AUDIT))[before:]

    refused = "account.sign_in.refused"
    assert [(one.actor, one.action, one.subject) for one in entries] == [
        ("stranger", refused, "unknown"),
        ("stranger", refused, row.account_id),
        ("stranger", refused, closed.account_id),
        (row.actor, "account.sign_in", row.account_id),
    ]


def test_a_reader_may_what_the_table_says(office: Office) -> None:
    """Several roles together; a password given by somebody else opens its own change alone."""
    both = office.hire("li", term("clerk"), term("fund-accountant"))
    given = office.hire("wang", must_change=True)

    def reader(row: StaffRow) -> Any:
        secret = _begin(office, row) or ""
        signed_in = _signed_in(office, secret)
        assert signed_in is not None
        return office.read(
            lambda reading: allowed.reader(
                reading, office.home, TABLE, signed_in, secret, office.clock.now()
            )
        )

    found, new = reader(both), reader(given)
    member = office.home.member_id
    assert found.actions == TABLE.actions("clerk", member, TODAY) | TABLE.actions(
        "fund-accountant", member, TODAY
    )
    assert (found.actor, found.signed_in) == (both.actor, True)
    assert [words.zh for words in found.roles] == ["经办", "基金财务"]
    assert (new.actions, new.must_change) == (allowed.BEFORE_CHANGE_ACTIONS, True)
    nobody = allowed.visitor(office.home, TABLE, office.clock.now())
    assert (nobody.actor, nobody.signed_in) == ("visitor", False)
    assert nobody.actions == TABLE.actions("visitor", member, TODAY)
