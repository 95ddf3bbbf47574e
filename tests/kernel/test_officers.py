"""Officers: cards that prove the key, appointments that last, keys that lie with the person."""

from pathlib import Path

import msgspec
import pytest

from tests import officers as made_up
from tests.kernel.store.stage import Stage
from tests.officers import NAMES, card, key
from tests.toy import NOW_AT
from tongcheng.kernel import audit, journal, keys, officers
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.officers import OfficerCard

ONE, TWO, _ = NAMES
PASSPHRASE = b"two made-up words"


def _appointed(stage: Stage, of: OfficerCard, from_at: int, to_at: int | None) -> str | None:
    """Appoint, and return the code of the refusal, if any."""
    outcome = stage.writer.run([lambda tx: officers.appoint(tx, of, from_at, to_at)])[0]
    if outcome.error is None:
        return None
    assert isinstance(outcome.error, Refused)
    return outcome.error.code


SECOND = [
    (card(ONE), 0, None, "OFFICER_KEY_KNOWN"),
    (card(ONE, of_key="new"), 0, None, "OFFICER_NAME_TAKEN"),
    (card("测 试甲", of_key="new"), 0, None, "OFFICER_NAME_TAKEN"),
    (card(ONE, of_key="new"), 100, None, None),
    (card(ONE, of_key="new"), 99, None, "OFFICER_NAME_TAKEN"),
    (card(TWO), 5, 5, "OFFICER_PERIOD"),
    (card(TWO, "tianjin-hsb"), 0, None, "OFFICER_OTHER_MEMBER"),
    (card(TWO), 0, None, None),
]


@pytest.mark.parametrize(("second", "from_at", "to_at", "code"), SECOND)
def test_second_appointment(
    tmp_path: Path, second: OfficerCard, from_at: int, to_at: int | None, code: str | None
) -> None:
    """After one officer in office until instant 100: one person never has two keys at a time."""
    stage = Stage(tmp_path)
    assert _appointed(stage, card(ONE), 0, 100) is None

    assert _appointed(stage, second, from_at, to_at) == code
    stage.database.close()


def test_appointment_and_dismissal(tmp_path: Path) -> None:
    """Both are journaled and audited; a dismissed key never comes back, and is dismissed once."""
    stage = Stage(tmp_path)
    kid = key(ONE).kid
    _appointed(stage, card(ONE), 0, None)
    stage.writer.run([lambda tx: officers.dismiss(tx, kid)])
    again = stage.writer.run([lambda tx: officers.dismiss(tx, kid)])[0]

    with stage.database.snapshot() as snapshot:
        row = officers.by_kid(snapshot)[kid]
        leaves = [leaf.content_id for leaf in snapshot.select(journal.JOURNAL_LEAVES)]
        noted = [(one.action, one.subject) for one in snapshot.select(audit.AUDIT)]
    assert (row.valid(NOW_AT - 1), row.valid(NOW_AT)) == (True, False)
    assert leaves == [f"{kid}/appointed", f"{kid}/dismissed"]
    assert noted == [("officer.appoint", kid), ("officer.dismiss", kid)]
    assert str(again.error) == f"OFFICER_UNKNOWN (kid=\"'{kid}'\")"
    assert _appointed(stage, card(ONE), 0, None) == "OFFICER_KEY_KNOWN"
    stage.database.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"name": TWO}, "OFFICER_CARD_BROKEN"),
        ({"member_id": "tianjin-hsb"}, "OFFICER_CARD_BROKEN"),
        ({"kid": key(TWO).kid}, "OFFICER_CARD_BROKEN"),
        ({"public": key(TWO).public.hex(), "kid": key(TWO).kid}, "OFFICER_CARD_BROKEN"),
        ({"name": "测试\u202e甲"}, "OFFICER_NAME"),
        ({"name": " 测试甲"}, "OFFICER_NAME"),
        ({"suite": "none"}, "SUITE_UNKNOWN"),
    ],
)
def test_card_is_the_holders_own(changes: dict[str, str], code: str | None) -> None:
    """Nobody passes another's key off as his own, or an own key under another's name."""
    raw = msgspec.structs.replace(card(ONE), **changes).encoded()

    if code is None:
        assert officers.read_card(raw) == card(ONE)
    else:
        with pytest.raises(Refused, match=code):
            officers.read_card(raw)


def test_key_lies_encrypted_in_its_own_file(tmp_path: Path) -> None:
    """Mode 0600, never over another, of no use without the passphrase."""
    path = tmp_path / "officer.key"
    made = made_up.key(ONE)
    keys.save_signing_key(path, made, PASSPHRASE)

    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    assert keys.load_signing_key(path, PASSPHRASE).kid == made.kid
    for passphrase in (b"", b"another"):
        with pytest.raises(Refused, match="KEYS_PASSPHRASE"):
            keys.load_signing_key(path, passphrase)
    with pytest.raises(Refused, match="KEY_FILE_EXISTS"):
        keys.save_signing_key(path, made, PASSPHRASE)
    with pytest.raises(Refused, match="KEYS_PASSPHRASE"):
        keys.save_signing_key(tmp_path / "open.key", made, b"")
    path.chmod(0o644)
    with pytest.raises(Refused, match="KEYS_PERMISSIONS"):
        keys.load_signing_key(path, PASSPHRASE)
