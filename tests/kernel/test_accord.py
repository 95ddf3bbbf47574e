"""The accord: signed by all, adopted in order, and the only source of keys and permits."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.kernel.store.stage import MEMBER, Stage
from tests.toy import MEMBERS, NOW_AT, ring_of, toy_accord
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, audit, journal
from tongcheng.kernel.accord import Accord, AccordKey, SignedAccord
from tongcheng.kernel.errors import Refused

FIRST, SECOND, THIRD = MEMBERS
Change = Callable[[SignedAccord], SignedAccord]


def _next(before: Accord, who: tuple[str, ...] = MEMBERS[:2], **changes: object) -> Accord:
    """Return the version after `before`, unsigned."""
    accord = toy_accord(who).accord
    follows = {"version": before.version + 1, "previous": before.digest(), **changes}
    return msgspec.structs.replace(accord, **follows)


def _signed(accord: Accord, *members: str) -> SignedAccord:
    document = SignedAccord(accord, [])
    for member in members:
        document = accords.sign(document, member, ring_of(member).signing)
    return document


def _replaced(document: SignedAccord, position: int, **changes: str) -> SignedAccord:
    signatures = list(document.signatures)
    signatures[position] = msgspec.structs.replace(signatures[position], **changes)
    return SignedAccord(document.accord, signatures)


def _resigned_by_a_stranger(document: SignedAccord) -> SignedAccord:
    stranger = ring_of("nanjing-hsb").signing
    signed = stranger.sign(accords.SIGNING_DOMAIN + document.accord.encoded()).hex()
    return _replaced(document, 1, kid=stranger.kid, signature=signed)


def _with_a_third(document: SignedAccord) -> SignedAccord:
    extra = accords.AccordSignature("hebei-hsb", "ed25519:0000000000000000", "00" * 64)
    return SignedAccord(document.accord, [*document.signatures, extra])


def _changed_after(document: SignedAccord) -> SignedAccord:
    changed = msgspec.structs.replace(document.accord, valid_from_at=1)
    return SignedAccord(changed, document.signatures)


FIRST_VERSION: list[tuple[str, Change, str]] = [
    ("one has not signed", lambda d: SignedAccord(d.accord, d.signatures[:1]), "ACCORD_NOT_SIGNED"),
    ("nobody has signed", lambda d: SignedAccord(d.accord, []), "ACCORD_NOT_SIGNED"),
    ("signature of another text", _changed_after, "ACCORD_SIGNATURE_BROKEN"),
    ("damaged", lambda d: _replaced(d, 0, signature="00" * 64), "ACCORD_SIGNATURE_BROKEN"),
    ("not hex", lambda d: _replaced(d, 0, signature="zz"), "ACCORD_SIGNATURE_BROKEN"),
    ("key not listed", _resigned_by_a_stranger, "ACCORD_KEY_NOT_LISTED"),
    ("third party's signature", _with_a_third, "MEMBER_UNKNOWN"),
]


@pytest.mark.parametrize(
    ("change", "code"), [case[1:] for case in FIRST_VERSION], ids=[c[0] for c in FIRST_VERSION]
)
def test_signatures(change: Change, code: str) -> None:
    """Anything less than every member's own signature over these bytes is refused by name."""
    document = toy_accord()
    accords.check_signatures(document, None)

    with pytest.raises(Refused) as refused:
        accords.check_signatures(change(document), None)

    assert refused.value.code == code


def test_one_members_signature_is_no_other_members() -> None:
    """A signature copied under another name does not verify with that member's key."""
    document = toy_accord()
    copied = _replaced(document, 1, signature=document.signatures[0].signature)

    with pytest.raises(Refused) as refused:
        accords.check_signatures(copied, None)

    assert (refused.value.code, refused.value.facts["member"]) == (
        "ACCORD_SIGNATURE_BROKEN",
        document.signatures[1].member_id,
    )


def test_signing() -> None:
    """The order of signing does not matter, and signing twice changes nothing."""
    accord = toy_accord().accord
    one_way, other_way = _signed(accord, FIRST, SECOND), _signed(accord, SECOND, FIRST)

    assert one_way.encoded() == other_way.encoded()
    assert _signed(accord, FIRST, SECOND, FIRST) == one_way
    with pytest.raises(Refused) as stranger:
        _signed(accord, THIRD)
    assert stranger.value.code == "MEMBER_UNKNOWN"
    with pytest.raises(Refused) as other_key:
        accords.sign(one_way, FIRST, ring_of(SECOND).signing)
    assert other_key.value.code == "ACCORD_KEY_NOT_LISTED"


FOLLOWING: list[tuple[str, Callable[[Accord], SignedAccord], str | None]] = [
    ("the next, signed by all", lambda v1: _signed(_next(v1), FIRST, SECOND), None),
    ("a third joins", lambda v1: _signed(_next(v1, MEMBERS), *MEMBERS), None),
    ("a joiner has not signed", lambda v1: _signed(_next(v1, MEMBERS), FIRST, SECOND),
     "ACCORD_NOT_SIGNED"),
    ("one leaves unsigned", lambda v1: _signed(_next(v1, (FIRST,)), FIRST), None),
    ("a version is skipped", lambda v1: _signed(_next(v1, version=3), FIRST, SECOND),
     "ACCORD_OUT_OF_ORDER"),
    ("the same version again", lambda v1: _signed(v1, FIRST, SECOND), "ACCORD_OUT_OF_ORDER"),
    ("of another chain", lambda v1: _signed(_next(v1, previous="00" * 32), FIRST, SECOND),
     "ACCORD_OUT_OF_ORDER"),
    ("a member twice",
     lambda v1: _signed(_next(v1, members=[v1.members[0], v1.members[0]]), FIRST),
     "ACCORD_MEMBER_TWICE"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("following", "code"), [case[1:] for case in FOLLOWING], ids=[c[0] for c in FOLLOWING]
)
def test_adoption(
    tmp_path: Path, following: Callable[[Accord], SignedAccord], code: str | None
) -> None:
    """Versions follow each other; what is adopted is journaled, audited, and in force in time."""
    stage = Stage(tmp_path)
    first = toy_accord()
    stage.writer.run([lambda tx: adoption.adopt(tx, first.encoded())])
    second = following(first.accord)

    outcome = stage.writer.run([lambda tx: adoption.adopt(tx, second.encoded())])[0]

    with stage.database.snapshot() as snapshot:
        found = adoption.in_force(snapshot, NOW_AT)
        leaves = [row.content_id for row in snapshot.select(journal.JOURNAL_LEAVES)]
        noted = [row.subject for row in snapshot.select(audit.AUDIT)]
    stage.database.close()
    versions = ["1"] if code else ["1", "2"]
    assert found == (first.accord if code else second.accord)
    assert (leaves, noted) == (versions, versions)
    if code:
        assert isinstance(outcome.error, Refused)
        assert outcome.error.code == code


def test_accord_of_others_is_not_adopted(tmp_path: Path) -> None:
    """A node adopts only an accord that it is itself a member of."""
    stage = Stage(tmp_path)
    document = toy_accord((SECOND, THIRD))

    outcome = stage.writer.run([lambda tx: adoption.adopt(tx, document.encoded())])[0]

    stage.database.close()
    assert isinstance(outcome.error, Refused)
    assert (outcome.error.code, outcome.error.facts) == ("MEMBER_UNKNOWN", {"member": MEMBER})


def test_accord_for_later_waits(tmp_path: Path) -> None:
    """Between adoption and its first instant the accord before stays in force."""
    stage = Stage(tmp_path)
    first = toy_accord()
    second = _signed(_next(first.accord, valid_from_at=NOW_AT + 10), FIRST, SECOND)
    stage.writer.run([partial(adoption.adopt, raw=first.encoded())])
    stage.writer.run([partial(adoption.adopt, raw=second.encoded())])

    with stage.database.snapshot() as snapshot:
        versions = [adoption.in_force(snapshot, NOW_AT + ms) for ms in (0, 9, 10)]
    stage.database.close()

    assert [one.version for one in versions if one is not None] == [1, 1, 2]


def test_bytes_are_canonical() -> None:
    """The document is read only as it was signed: the same text laid out otherwise is refused."""
    document = toy_accord()

    assert accords.parse(document.encoded()) == document
    with pytest.raises(Refused):
        accords.parse(document.encoded().replace(b":", b": ", 1))


KEY = ring_of(FIRST).signing
TIMES = [
    # from, to, revoked, asked, answer
    (100, None, None, 99, "KEY_NOT_VALID"),
    (100, None, None, 100, None),
    (100, 200, None, 199, None),
    (100, 200, None, 200, "KEY_NOT_VALID"),
    (100, 200, 150, 149, None),
    (100, 200, 150, 150, "KEY_NOT_VALID"),
]


@pytest.mark.parametrize(("from_at", "to_at", "revoked_at", "asked_at", "code"), TIMES)
def test_keys_have_their_time(
    from_at: int, to_at: int | None, revoked_at: int | None, asked_at: int, code: str | None
) -> None:
    """A key counts from its first instant until it ends or is revoked, and not a moment more."""
    listed = AccordKey(
        KEY.kid, "ed25519-sha256-aes256gcm", KEY.public.hex(), from_at, to_at, revoked_at
    )
    accord = toy_accord().accord
    members = [msgspec.structs.replace(accord.members[0], signing_keys=[listed])]
    accord = msgspec.structs.replace(accord, members=[*members, accord.members[1]])

    if code is None:
        assert accord.verify_key(FIRST, KEY.kid, asked_at).public == KEY.public
        return
    with pytest.raises(Refused) as refused:
        accord.verify_key(FIRST, KEY.kid, asked_at)
    assert refused.value.code == code


def test_unknown_keys_and_members() -> None:
    """Strangers, unknown keys and unlisted types are refused or not permitted."""
    accord = toy_accord().accord

    with pytest.raises(Refused) as unknown:
        accord.verify_key(FIRST, ring_of(SECOND).signing.kid, NOW_AT)
    with pytest.raises(Refused) as stranger:
        accord.verify_key(THIRD, KEY.kid, NOW_AT)

    assert unknown.value.code == "KEY_UNKNOWN"
    assert stranger.value.code == "MEMBER_UNKNOWN"
    assert accord.permits_type("toy.ping/1", FIRST, SECOND)
    assert not accord.permits_type("toy.ping/2", FIRST, SECOND)
    assert not accord.permits_type("toy.ping/1", FIRST, THIRD)
    assert accord.peers(FIRST) == [SECOND]
