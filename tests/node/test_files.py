"""A node's directory: what is laid out, who may read it, and what is refused by name."""

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import tidy
from tests.toy import NOW_AT
from tongcheng.kernel import accord as accords
from tongcheng.kernel import canonical
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.node import files
from tongcheng.node.files import Settings

GOOD: dict[str, Any] = {
    "member_id": "tianjin-hsb",
    "region": "jingjinji",
    "address": "https://tianjin.example",
}


def _create(folder: Path, **changes: Any) -> Any:
    settings = Settings(**(GOOD | changes))
    return files.create(folder, settings, SeededEntropy(1), None, ManualClock(NOW_AT))


def test_node_is_laid_out(tmp_path: Path) -> None:
    """Settings, card, keys and store; only the card is for others to read."""
    folder = tmp_path / "tianjin"
    _create(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes["keys"] == 0o700
    assert modes["node.toml"] == modes["node.sqlite"] == 0o600
    assert modes["member-card.json"] == 0o644


def test_settings_come_back_as_written(tmp_path: Path) -> None:
    """What was decided is what is read, whatever characters it holds."""
    settings = Settings(**GOOD, port=8102, allow_draft_rulebooks=True, log_format="json")
    files.create(tmp_path, settings, SeededEntropy(1), None, ManualClock(NOW_AT))

    assert files.read_settings(tmp_path) == settings


def test_home_opens_as_it_was_made(tmp_path: Path) -> None:
    """The same member and keys, with the region's rule books and catalogues on the shelf."""
    made = _create(tmp_path)
    home = files.open_home(tmp_path)

    assert (home.member_id, home.ring.signing.kid) == ("tianjin-hsb", made.ring.signing.kid)
    assert "beijing-employee-inpatient" in {book.book_id for book in home.shelf}
    assert all(isinstance(raw, bytes) for raw in home.datasets.values())
    assert home.allow_draft_rulebooks is False


def test_card_is_public_and_fits_an_accord(tmp_path: Path) -> None:
    """The card holds public halves only, valid from the day it was made."""
    home = _create(tmp_path)
    card = files.read_card(tmp_path / "member-card.json")
    raw = (tmp_path / "member-card.json").read_bytes()

    assert card.member.admdvs_prefixes == ["12"]
    assert card.member.signing_keys[0].public == home.ring.signing.public.hex()
    assert card.member.encryption_keys[0].public == home.ring.encryption_public.hex()
    assert card.member.signing_keys[0].valid(NOW_AT)
    assert home.ring.signing.private.hex().encode() not in raw
    assert canonical.encode(card) + b"\n" == raw
    assert accords.AccordMember is type(card.member)


def test_keys_may_have_a_passphrase(tmp_path: Path) -> None:
    """Without it the node does not open; the file may end in a newline."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"two words\n")
    passphrase = files.read_passphrase(secret)
    settings = Settings(**GOOD)
    files.create(tmp_path / "n", settings, SeededEntropy(1), passphrase, ManualClock(NOW_AT))

    assert files.open_home(tmp_path / "n", passphrase=b"two words").member_id == "tianjin-hsb"
    with pytest.raises(Refused) as refused:
        files.open_home(tmp_path / "n")
    assert refused.value.code == "KEYS_PASSPHRASE"


def test_passphrase_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file the service manager's credential is used, without either there is none."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert files.read_passphrase(None) is None
    (tmp_path / "tongcheng-passphrase").write_bytes(b"secret")
    assert files.read_passphrase(None) == b"secret"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("colour = 1", "SETTINGS_MALFORMED"),
        ("port = 0", "SETTINGS_MALFORMED"),
        ("port = 'x'", "SETTINGS_MALFORMED"),
        ("console = 'ajar'", "SETTINGS_MALFORMED"),
        ("port = ", "SETTINGS_MALFORMED"),
        ("console = 'open'\nhost = '0.0.0.0'", "CONSOLE_NOT_LOOPBACK"),
        ("console = 'open'\nhost = '::'", "CONSOLE_NOT_LOOPBACK"),
        ("console = 'open'\nhost = 'node.example'", "CONSOLE_NOT_LOOPBACK"),
        ("demo = true", "DEMO_NOT_SYNTHETIC"),
        ("demo = true\nsynthetic = true\nhost = '0.0.0.0'", "DEMO_NOT_LOOPBACK"),
    ],
)
def test_faulty_settings_are_refused(tmp_path: Path, line: str, code: str) -> None:
    """A misspelt or dangerous setting stops the node at the start, not later."""
    text = 'member_id = "a"\nregion = "b"\naddress = "http://h:1"\n' + line
    (tmp_path / "node.toml").write_text(text)

    with pytest.raises(Refused) as refused:
        files.read_settings(tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("http://127.0.0.1:8101", True),
        ("https://[::1]:8101", True),
        ("https://node.example", True),
        ("https://node.example/", False),
        ("ftp://node.example", False),
        ("node.example", False),
        ("https://node.example?a", False),
    ],
)
def test_address_has_no_path(tmp_path: Path, address: str, fits: bool) -> None:  # noqa: FBT001
    """Peers append the exchange's paths, so an address ends with its host or port."""
    _create(tmp_path)
    text = (tmp_path / "node.toml").read_text().replace(GOOD["address"], address)
    (tmp_path / "node.toml").write_text(text)

    if fits:
        assert files.read_settings(tmp_path).address == address
    else:
        with pytest.raises(Refused):
            files.read_settings(tmp_path)


@pytest.mark.parametrize(
    ("host", "is_near"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 a case, not a binding
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, is_near: bool) -> None:  # noqa: FBT001
    """Only addresses that never leave the machine count; an unknown name is far."""
    assert files.is_loopback(host) is is_near


def test_node_is_never_written_over(tmp_path: Path) -> None:
    """Keys and records survive a second init; so do keys whose settings were lost."""
    _create(tmp_path)
    with pytest.raises(Refused) as settings_there:
        _create(tmp_path)
    (tmp_path / "node.toml").unlink()
    with pytest.raises(Refused) as keys_there:
        _create(tmp_path)

    assert (settings_there.value.code, keys_there.value.code) == ("NODE_EXISTS", "KEYS_EXIST")


def test_unknown_member_gets_no_directory(tmp_path: Path) -> None:
    """A member that the region pack does not list is refused before anything is made."""
    with pytest.raises(Refused) as refused:
        _create(tmp_path / "n", member_id="shanxi-hsb")

    assert refused.value.code == "REGION_UNKNOWN_MEMBER"
    assert not (tmp_path / "n").exists()


def test_nodes_are_found(tmp_path: Path) -> None:
    """A directory is a node, holds nodes, or is refused with what to do."""
    _create(tmp_path / "tianjin")
    _create(tmp_path / "beijing", member_id="beijing-hsb")

    assert files.node_directories(tmp_path / "tianjin") == [tmp_path / "tianjin"]
    assert [each.name for each in files.node_directories(tmp_path)] == ["beijing", "tianjin"]
    with pytest.raises(Refused) as several:
        files.node_directory(tmp_path)
    with pytest.raises(Refused) as none:
        files.node_directories(tmp_path / "nowhere")
    assert (several.value.code, none.value.code) == ("NODE_AMBIGUOUS", "NODE_MISSING")


def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A reader sees the old or the new accord; a part left by a crash does not stand in the way."""
    path = tmp_path / "accord.json"
    (tmp_path / ".accord.json.part").write_bytes(b"half")
    files.write_file(path, b"one")
    files.write_file(path, b"two")

    assert path.read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["accord.json"]


def test_every_setting_is_documented() -> None:
    """docs/settings.md has one section per field of Settings, in its order, naming its default."""
    text = (tidy.ROOT / "docs" / "settings.md").read_text("utf-8")
    sections = {each.split("\n")[0]: each for each in text.split("\n## ")[1:]}

    assert list(sections) == list(Settings.__struct_fields__)
    for field in msgspec.structs.fields(Settings):
        if field.default is not msgspec.NODEFAULT:
            written = msgspec.json.encode(field.default).decode()
            assert f"`{written}`" in sections[field.name], field.name
