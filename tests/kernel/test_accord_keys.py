"""Whose key signs the next version of an accord: one that the members knew before."""

import msgspec
import pytest

from tests.toy import MEMBERS, ring_of, toy_accord
from tongcheng.kernel import accord as accords
from tongcheng.kernel.accord import Accord, AccordKey, SignedAccord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey

BEIJING, TIANJIN, _ = MEMBERS
SUITE = "ed25519-sha256-aes256gcm"
OLD = ring_of(TIANJIN).signing
NEW = ring_of(TIANJIN, "another").signing


def _listed(key: SigningKey, revoked_at: int | None = None) -> AccordKey:
    return AccordKey(key.kid, SUITE, key.public.hex(), 0, revoked_at=revoked_at)


def _second(keys: list[AccordKey], signer: SigningKey) -> tuple[SignedAccord, Accord]:
    """Return version 2 with these keys of Tianjin's, signed by `signer` for it, and version 1."""
    first = toy_accord().accord
    members = [
        msgspec.structs.replace(one, signing_keys=keys) if one.member_id == TIANJIN else one
        for one in first.members
    ]
    second = msgspec.structs.replace(first, version=2, previous=first.digest(), members=members)
    document = accords.sign(SignedAccord(second, []), BEIJING, ring_of(BEIJING).signing)
    return accords.sign(document, TIANJIN, signer), first


CASES = [
    ("the old key signs for the new one", [_listed(OLD), _listed(NEW)], OLD, True),
    ("also where it is revoked by this", [_listed(OLD, 1), _listed(NEW)], OLD, True),
    ("the new key cannot introduce itself", [_listed(OLD), _listed(NEW)], NEW, False),
    ("nor alone, in the place of the old", [_listed(NEW)], NEW, False),
]


@pytest.mark.parametrize(("case", "keys", "signer", "good"), CASES)
def test_member_that_stays_signs_with_a_key_known_before(
    case: str, keys: list[AccordKey], signer: SigningKey, *, good: bool
) -> None:
    """Else whoever passes the document round could exchange a member's keys for his own."""
    document, first = _second(keys, signer)
    if good:
        accords.check_signatures(document, first)
        return
    with pytest.raises(Refused) as refused:
        accords.check_signatures(document, first)
    assert refused.value.code == "ACCORD_KEY_NOT_LISTED", case
