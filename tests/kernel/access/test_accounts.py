"""Accounts: each change journaled and audited, nobody's own, and nothing taken back once closed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.access.people import ADMIN, DIGEST, PASSWORD, TABLE, TODAY, Office, term
from tongcheng.kernel import audit, canonical, journal
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import STAFF, NewAccount, StaffRow
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import verify
from tongcheng.kernel.store import Transaction


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An empty node with the shipped table."""
    opened = Office(tmp_path)
    yield opened
    opened.database.close()


def test_each_change_is_a_leaf_and_an_entry(office: Office) -> None:
    """With who did it; the digest of a password is in neither."""
    row = office.hire("li")
    terms = (term("auditor"),)
    office.run(lambda tx: accounts.set_roles(tx, TABLE, ADMIN, row.account_id, terms))
    office.run(lambda tx: accounts.lock(tx, ADMIN, row.account_id))
    office.run(lambda tx: accounts.unlock(tx, ADMIN, row.account_id))
    changed = office.run(lambda tx: _reset(tx, row))
    entries = office.read(lambda snapshot: snapshot.select(audit.AUDIT))
    leaf = office.read(
        lambda snapshot: journal.content(
            snapshot, office.home.ring, "authority", accounts.leaf_id(changed)
        )
    )

    whats = ["add", "roles", "lock", "unlock", "password_reset"]
    assert [(one.actor, one.action, one.subject) for one in entries] == [
        (ADMIN, f"account.{what}", row.account_id) for what in whats
    ]
    said: Any = canonical.decode(leaf)
    assert (said["by"], said["what"], said["account"]["change_no"]) == (ADMIN, whats[-1], 5)
    assert b"argon2" not in leaf


def _reset(tx: Transaction, row: StaffRow) -> StaffRow:
    return accounts.set_password(tx, ADMIN, row.account_id, DIGEST, must_change=True)


OWN: list[tuple[str, Callable[[Transaction, StaffRow], Any]]] = [
    ("roles", lambda tx, row: accounts.set_roles(tx, TABLE, row.actor, row.account_id, ())),
    ("lock", lambda tx, row: accounts.lock(tx, row.actor, row.account_id)),
    ("unlock", lambda tx, row: accounts.unlock(tx, row.actor, row.account_id)),
    ("close", lambda tx, row: accounts.close(tx, row.actor, row.account_id)),
]


@pytest.mark.parametrize(("what", "command"), OWN)
def test_nobody_changes_what_they_may_do(office: Office, what: str, command: Any) -> None:
    """An administrator, too, is given roles by another one."""
    row = office.hire("li", term("administrator"))

    assert office.code(lambda tx: command(tx, row)) == "ACCOUNT_OWN", what


REFUSED = [
    (NewAccount("", "x", (), DIGEST), "ACCOUNT_NAME"),
    (NewAccount("a\nb", "x", (), DIGEST), "ACCOUNT_NAME"),
    (NewAccount("x" * 65, "x", (), DIGEST), "ACCOUNT_NAME"),
    (NewAccount("ok", " x", (), DIGEST), "ACCOUNT_NAME"),
    (NewAccount("li", "x", (), DIGEST), "ACCOUNT_NAME_TAKEN"),
    (NewAccount(" LI", "x", (), DIGEST), "ACCOUNT_NAME_TAKEN"),
    (NewAccount("\uff2c\uff29", "x", (), DIGEST), "ACCOUNT_NAME_TAKEN"),
    (NewAccount("ok", "x", (term("boss"),), DIGEST), "ROLE_UNKNOWN"),
    (NewAccount("ok", "x", (term("visitor"),), DIGEST), "ROLE_UNKNOWN"),
    (NewAccount("ok", "x", (term("clerk", TODAY, TODAY.replace(day=1)),), DIGEST), "ROLE_PERIOD"),
    (NewAccount("ok", "x", (term("clerk"), term("administrator")), DIGEST), "ROLES_APART"),
    (NewAccount("ok", "x", (term("clerk"), term("auditor")), DIGEST), None),
    (NewAccount("李", "x", (), DIGEST), None),
]


@pytest.mark.parametrize(("new", "code"), REFUSED)
def test_who_can_have_an_account(office: Office, new: NewAccount, code: str | None) -> None:
    """After one called li: names are one to a reader, roles are of the table, two kept apart."""
    office.hire("li")

    assert office.code(lambda tx: accounts.add(tx, TABLE, ADMIN, new)) == code


def test_a_closed_account_is_closed_for_ever(office: Office) -> None:
    """And keeps its name, so that what it did stays one person's."""
    row = office.hire("li")
    office.run(lambda tx: accounts.close(tx, ADMIN, row.account_id))

    again = office.code(lambda tx: accounts.unlock(tx, ADMIN, row.account_id))
    reset = office.code(lambda tx: _reset(tx, row))
    unknown = office.code(lambda tx: accounts.close(tx, ADMIN, "nobody"))
    assert (again, reset, unknown) == ("ACCOUNT_CLOSED", "ACCOUNT_CLOSED", "ACCOUNT_UNKNOWN")


def test_verification_finds_roles_that_nobody_gave(office: Office) -> None:
    """Whoever has the node's key and writes a row past the journal is found out."""
    row = office.hire("li")
    good = verify(office.database, office.home)
    raised = accounts.StaffRow(**{**_fields(row), "roles": "[]"})
    office.run(lambda tx: tx.put(STAFF, raised))
    found = verify(office.database, office.home)

    assert good.findings == []
    assert [(one.table, one.key) for one in found.findings] == [("staff", row.account_id)]


def _fields(row: StaffRow) -> dict[str, Any]:
    return {field: getattr(row, field) for field in row.__struct_fields__}


PASSWORDS = [
    (PASSWORD, True),
    ("correct horse", True),
    ("短密码", False),
    ("eleven char", False),
    ("aaaaaaaaaaaaaaaa", False),
    ("abababababababab", False),
    ("my name is li-wei!", False),
    ("x" * 6 + "abcdefgh" * 40, False),
    ("密码可以是几个不相干的词语", True),
]


@pytest.mark.parametrize(("password", "good"), PASSWORDS)
def test_which_password_will_do(password: str, *, good: bool) -> None:
    """Long rather than odd; no sign over and over, and not the name."""
    if good:
        passwords.check(password, "Li-Wei")
        return
    with pytest.raises(Refused, match="PASSWORD_WEAK"):
        passwords.check(password, "Li-Wei")


def test_digests() -> None:
    """Argon2id with the parameters of RFC 9106; composed and decomposed letters are one."""
    assert DIGEST.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_right(DIGEST, PASSWORD)
    assert not passwords.is_right(DIGEST, PASSWORD + "x")
    assert not passwords.is_right("broken", PASSWORD)
    assert not passwords.is_right(None, "a password that nobody has")
    assert not passwords.is_outdated(DIGEST)
    assert passwords.is_outdated(DIGEST.replace("t=3", "t=2"))
    composed = passwords.digest("caf\u00e9 made up words", SeededEntropy("x"))
    assert passwords.is_right(composed, "cafe\u0301 made up words")


def test_one_time_passwords_differ_and_will_do() -> None:
    """Four groups of four, from 80 random bits."""
    entropy = SeededEntropy("one")
    made = [passwords.one_time(entropy) for _ in range(50)]

    assert len(set(made)) == 50
    for each in made:
        passwords.check(each, "li")
        assert [len(group) for group in each.split("-")] == [4, 4, 4, 4]
