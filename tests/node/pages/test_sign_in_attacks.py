"""Attacks on the sign-in that were tried and held: what is sent by others, and what overtakes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.access.people import PASSWORD
from tests.node.pages.door import NEW_PASSWORD, Door, opened
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import OPERATOR, StaffRow
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.store import Transaction
from tongcheng.node.app import SIGN_IN_TRIES_MAX


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A node where li may sign in."""
    client, node = opened(tmp_path)
    with client:
        yield Door(client, node)


def test_another_site_uses_up_nobodys_tries(door: Door) -> None:
    """A page of the web that posts by its readers' browsers locks their office out of nothing."""
    for _ in range(SIGN_IN_TRIES_MAX + 1):
        door.post_from({"sec-fetch-site": "cross-site"}, "/zh/sign-in", name="li")

    assert door.sign_in().status_code == 303


def test_options_are_no_fault_of_ours(door: Door) -> None:
    """Litestar answers them by itself and names no action: refused, to everybody."""
    asked = [door.client.options("/zh/audit").status_code]
    door.sign_in()
    asked.append(door.client.options("/zh/settlement/stays").status_code)

    assert asked == [400, 400]


def _new_password(door: Door, row: StaffRow) -> Any:
    def command(tx: Transaction) -> StaffRow:
        digest = passwords.digest(NEW_PASSWORD, SeededEntropy("new"))
        return accounts.set_password(tx, OPERATOR, row.account_id, digest, must_change=False)

    return door.call(door.node.run, command)


@pytest.fixture
def overtaken(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A node on which li gets another password while the old one's hash is computed."""
    real = passwords.is_right

    def slow(stored: str | None, password: str) -> bool:
        found = real(stored, password)
        monkeypatch.setattr(passwords, "is_right", real)
        _new_password(door, door.li)
        return found

    monkeypatch.setattr(passwords, "is_right", slow)
    return door


def test_a_password_that_was_changed_meanwhile_opens_nothing(overtaken: Door) -> None:
    """Whoever stole the old one could else sign in over and over, and outlive its change."""
    assert overtaken.sign_in().status_code == 403
    assert overtaken.sign_in(password=NEW_PASSWORD).status_code == 303


def test_a_password_that_was_reset_meanwhile_is_not_set_back(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the change of a password undo a reset that came before its end."""
    door.sign_in()
    form = {"old": PASSWORD, "new": f"{NEW_PASSWORD} x", "again": f"{NEW_PASSWORD} x"}
    token, real = door.token(), passwords.digest

    def slow(password: str, entropy: Any) -> str:
        monkeypatch.setattr(passwords, "digest", real)
        _new_password(door, door.li)
        return real(password, entropy)

    monkeypatch.setattr(passwords, "digest", slow)
    answer = door.post("/zh/account/password", **form, form_token=token)

    assert answer.status_code == 422
    assert door.sign_in(password=form["new"]).status_code == 403
    assert door.sign_in(password=NEW_PASSWORD).status_code == 303


def test_a_given_password_opens_nothing_but_its_change(door: Door) -> None:
    """Not the account's other pages either; it cannot be kept, and one can leave."""
    door.hire("new", must_change=True)
    door.sign_in("new")
    change = "/zh/account/password"
    for path in ("/zh/account", "/zh/access/delegations", "/zh/sign-in", "/zh/settlement/stays"):
        assert door.get(path).headers["location"] == change
    token = door.token(change)
    assert door.post("/zh/account/sessions", form_token=token).headers["location"] == change
    kept = door.post(change, old=PASSWORD, new=PASSWORD, again=PASSWORD, form_token=token)
    assert (kept.status_code, "新密码与现在的密码相同" in kept.text) == (422, True)
    assert door.post("/zh/sign-out", form_token=token).headers["location"] == "/zh/sign-in"
    assert door.get(change).headers["location"].startswith("/zh/sign-in")


def test_a_role_is_taken_away_once(door: Door) -> None:
    """However often the button is pressed: the form says which by its place among those shown."""
    door.hire("zhao", "administrator")
    door.sign_in("zhao")
    path = f"/zh/accounts/{door.li.account_id}"
    token = door.token(path)
    more = {"role": "auditor", "from": "2026-11-22", "form_token": token}
    assert door.change(path, "roles", **more).status_code == 303
    taken = {"take": "0", "change_no": "2", "form_token": token}
    answers = [door.post(f"{path}/roles", **taken).status_code for _ in range(2)]
    answers.append(door.post(f"{path}/roles", take="0", form_token=token).status_code)
    row = door.call(door.node.read, lambda s: accounts.need(s, door.li.account_id))

    assert answers == [303, 409, 409]
    assert [term.role for term in row.terms] == ["auditor"]
