"""`tongcheng account`: the first people of a node, made at its machine."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import STAFF_PASSWORDS
from tongcheng.node.offline import read_snapshot

PASSWORD = "four made up words"  # noqa: S105 nobody's


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node laid out, without accounts."""
    _call("node", "init", "--data", tmp_path / "n", "--member", "beijing-hsb", "--port", 8_101)
    return tmp_path / "n"


def _call(*words: str | int | Path, exit_code: int = 0, typed: str = "") -> Result:
    result = CliRunner().invoke(
        main, [str(word) for word in words], env={"LC_ALL": "C"}, input=typed or None
    )

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


def _add(node: Path, *words: str, **given: Any) -> Result:
    typed = given.pop("typed", f"{PASSWORD}\n{PASSWORD}\n")
    return _call(
        "account", "add", "Zhao", "--data", node, "--display", "赵某", *words, typed=typed, **given
    )


def test_an_account_from_its_making_to_its_end(node: Path) -> None:
    """Made, given another role and password, locked, unlocked, closed; listed as it is."""
    made = _add(node, "--role", "administrator")
    _call("account", "roles", "zhao", "--data", node, "--role", "clerk", "--to", "2099-12-31")
    file = node.parent / "password"
    file.write_text("another four made up words\n")
    _call("account", "password", "zhao", "--data", node, "--password-file", file)
    _call("account", "lock", "zhao", "--data", node)
    locked = _call("account", "list", "--data", node).output
    _call("account", "unlock", "zhao", "--data", node)
    listed = json.loads(_call("account", "list", "--data", node, "--json").output)
    _call("account", "close", "zhao", "--data", node)
    again = _call("account", "unlock", "zhao", "--data", node, exit_code=1)

    assert PASSWORD not in made.output
    assert "locked, clerk" in locked
    assert [(one["name"], one["state"], one["must_change"]) for one in listed] == [
        ("zhao", "open", True)
    ]
    assert [(role["role"], role["to_on"]) for role in listed[0]["roles"]] == [
        ("clerk", "2099-12-31")
    ]
    assert "[ACCOUNT_CLOSED]" in again.output
    _call("journal", "verify", "--data", node)


def test_the_password_is_kept_as_a_digest(node: Path) -> None:
    """And opens the account, in whatever case its name is typed."""
    _add(node, "--role", "clerk")

    def question(snapshot: Any, _home: Any) -> str:
        row = accounts.by_name(snapshot, "ZHAO")
        assert row is not None
        digest: str = snapshot.get(STAFF_PASSWORDS, row.account_id).digest
        return digest

    assert passwords.is_right(read_snapshot(node, question), PASSWORD)


REFUSED = [
    (("--role", "boss"), PASSWORD, "ROLE_UNKNOWN"),
    (("--role", "visitor"), PASSWORD, "ROLE_UNKNOWN"),
    (("--role", "clerk", "--role", "administrator"), PASSWORD, "ROLES_APART"),
    (("--role", "clerk"), "short", "PASSWORD_WEAK"),
    (("--role", "clerk", "--to", "2020-01-01"), PASSWORD, "ROLE_PERIOD"),
]


@pytest.mark.parametrize(("words", "password", "code"), REFUSED)
def test_what_is_refused(node: Path, words: tuple[str, ...], password: str, code: str) -> None:
    """By its code, and nothing is kept."""
    refused = _add(node, *words, typed=f"{password}\n{password}\n", exit_code=1)

    assert f"[{code}]" in refused.output
    assert json.loads(_call("account", "list", "--data", node, "--json").output) == []


def test_a_name_that_nobody_has(node: Path) -> None:
    """Is said to be unknown, at the machine."""
    refused = _call("account", "lock", "nobody", "--data", node, exit_code=1)

    assert "[ACCOUNT_UNKNOWN]" in refused.output
