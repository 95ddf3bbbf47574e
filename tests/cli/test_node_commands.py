"""From two empty folders to an accord in force, by the commands an operator types."""

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.kernel.authority import identify
from tongcheng.kernel.errors import Refused
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home
from tongcheng.node.offline import read_snapshot

MEMBERS = ("beijing-hsb", "tianjin-hsb")
CARD = "member-card.json"
LATER_AT = 4_000_000_000_000
"""An instant after every one of these tests."""


def _call(*words: str | int | Path, exit_code: int = 0) -> Result:
    """Call `tongcheng …` in English and expect its exit code; a traceback is never an answer."""
    result = CliRunner().invoke(main, [str(word) for word in words], env={"LC_ALL": "C"})

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """Two nodes laid out, and an accord drawn up that nobody has signed."""
    for position, member in enumerate(MEMBERS):
        port = 8_101 + position
        _call("node", "init", "--data", tmp_path / member, "--member", member, "--port", port)
    cards = [word for member in MEMBERS for word in ("--card", tmp_path / member / CARD)]
    _call("accord", "init", *cards, "-o", tmp_path / "accord.json")
    return tmp_path


def test_accord_comes_into_force(region: Path) -> None:
    """Drawn up, signed by each member with its own key, adopted by each node, shown by both."""
    file = region / "accord.json"
    first = _call("accord", "sign", file, "--data", region / MEMBERS[0])
    early = _call("accord", "adopt", file, "--data", region / MEMBERS[0], exit_code=1)
    second = _call("accord", "sign", file, "--data", region / MEMBERS[1])
    _call("accord", "adopt", file, "--data", region)
    again = _call("accord", "adopt", file, "--data", region / MEMBERS[0], exit_code=1)
    shown = _call("accord", "show", "--data", region / MEMBERS[1], "--json")
    document = msgspec.json.decode(shown.output)

    assert "still to sign: tianjin-hsb" in first.output
    assert "[ACCORD_NOT_SIGNED]" in early.output
    assert "signed by every member" in second.output
    assert "[ACCORD_OUT_OF_ORDER]" in again.output
    assert (document["signed_by"], document["not_signed_by"]) == (list(MEMBERS), [])


def test_accord_is_shown_to_people(region: Path) -> None:
    """Members, keys, permits, and who has not signed yet."""
    _call("accord", "sign", region / "accord.json", "--data", region / MEMBERS[0])
    shown = _call("accord", "show", region / "accord.json").output

    assert "Beijing Healthcare Security Bureau: has signed" in shown
    assert "Tianjin Healthcare Security Bureau: has not signed" in shown
    assert "exchange.refused/1: all to all" in shown
    assert "purse 310/" not in shown.split("purses")[0]
    assert "310/pool: gross" in shown
    _call("accord", "show", exit_code=2)


def test_later_version_follows(region: Path) -> None:
    """A second version names the first; it takes effect at its own instant."""
    file, later = region / "accord.json", region / "later.json"
    _call("accord", "sign", file, "--data", region)
    _call("accord", "adopt", file, "--data", region)
    cards = [word for member in MEMBERS for word in ("--card", region / member / CARD)]
    at = "2099-01-01 00:00:00"
    _call("accord", "init", *cards, "-o", later, "--previous", file, "--valid-from", at)
    _call("accord", "sign", later, "--data", region)
    _call("accord", "adopt", later, "--data", region)
    shown = msgspec.json.decode(
        _call("accord", "show", "--data", region / MEMBERS[0], "--json").output
    )
    written = msgspec.json.decode(_call("accord", "show", later, "--json").output)

    # Midnight of the region, which is eight hours ahead of UTC.
    assert written["accord"]["valid_from_at"] == 4_070_908_800_000 - 8 * 3_600_000
    assert written["accord"]["previous"] == shown["digest"]
    assert shown["accord"]["version"] == 1


def test_changed_accord_is_refused(region: Path) -> None:
    """An accord that was altered after it was signed is in nobody's name."""
    file = region / "accord.json"
    _call("accord", "sign", file, "--data", region)
    file.write_bytes(file.read_bytes().replace(b":8101", b":9101"))
    refused = _call("accord", "adopt", file, "--data", region, exit_code=1)

    assert "[ACCORD_SIGNATURE_BROKEN]" in refused.output


def test_credential_is_printed_once_and_ends(region: Path) -> None:
    """The token opens one institution's door; the store holds a digest; revoking ends it."""
    node = region / MEMBERS[1]
    words = ("--data", node, "--institution", "H12010500001")
    token = _call("credential", "issue", *words, "--name", "HIS").output.strip()

    def caller() -> str:
        bearer = f"Bearer {token}"
        found = read_snapshot(node, lambda snapshot, _: identify(snapshot, bearer, LATER_AT))
        return found.institution_id

    assert re.fullmatch(r"tc_[0-9a-f]{64}", token)
    assert caller() == "H12010500001"
    assert token.encode() not in (node / "node.sqlite").read_bytes()
    assert "1 ended" in _call("credential", "revoke", *words).output
    with pytest.raises(Refused) as refused:
        caller()
    assert refused.value.code == "CREDENTIAL_EXPIRED"
    assert "0 ended" in _call("credential", "revoke", *words).output


def test_running_node_is_not_written_to(region: Path) -> None:
    """While a node runs, a command that would write says so; showing is possible all the time."""
    node = region / MEMBERS[0]
    database = open_database(node, open_home(node).ring.mac_key)
    database.open_writing(0)
    try:
        words = ("credential", "issue", "--data", node, "--institution", "X")
        refused = _call(*words, exit_code=1)
        shown = _call("accord", "show", "--data", node, exit_code=1)
    finally:
        database.close()

    assert "[STORE_IN_USE]" in refused.output
    assert "[ACCORD_MISSING]" in shown.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("serve", "--data", "{folder}/nowhere"), "NODE_MISSING"),
        (("serve", "--data", "{folder}"), "NODE_AMBIGUOUS"),
        (("accord", "show", "{folder}/none.json"), "FILE_MISSING"),
        (("accord", "show", "{folder}/tianjin-hsb/node.toml"), "CANONICAL_FORM"),
        (("node", "init", "--data", "{folder}/x", "--member", "gansu"), "REGION_UNKNOWN_MEMBER"),
        (
            ("node", "init", "--data", "{folder}/beijing-hsb", "--member", "beijing-hsb"),
            "NODE_EXISTS",
        ),
    ],
)
def test_mistakes_are_messages(region: Path, words: tuple[str, ...], code: str) -> None:
    """What an operator gets wrong is named, with what to do, and exit code 1."""
    refused = _call(*(word.format(folder=region) for word in words), exit_code=1)

    assert f"[{code}]" in refused.output
    assert len(refused.output.strip().splitlines()) >= 3


def test_malformed_database_is_a_message(region: Path) -> None:
    """A database file that is none ends in a message that names it."""
    (region / MEMBERS[0] / "node.sqlite").write_bytes(
        b"not a database, whatever it was before\n" * 99
    )
    words = ("credential", "issue", "--data", region / MEMBERS[0], "--institution", "X")
    refused = _call(*words, exit_code=1)

    assert "[STORE_" in refused.output
    assert "node.sqlite" in refused.output
