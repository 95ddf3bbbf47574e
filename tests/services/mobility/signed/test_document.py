"""Who signed a document, and over which bytes: one law for every kind."""

import hashlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.signed.kinds import (
    KEY,
    KINDS,
    NEIGHBOUR,
    NEIGHBOURS_KEY,
    OWN,
    STRANGERS_KEY,
    Kind,
)
from tests.toy import NOW_AT, toy_accord
from tongcheng.kernel import canonical
from tongcheng.kernel.accord import AccordKey
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.signed.document import Signed

ACCORD = toy_accord(
    keys={OWN: [AccordKey(KEY.kid, KEY.suite.name, KEY.public.hex(), 0, NOW_AT)]}
).accord
OTHERS = {"bundle": "scenario", "scenario": "bundle"}
TAMPERED: dict[str, tuple[Callable[[Kind], Signed], str]] = {
    "nothing is signed": (lambda it: it.signed(it.version(), signature="00" * 64), "SIGNATURE"),
    "a byte was changed": (
        lambda it: msgspec.structs.replace(
            it.signed(it.version()), **{it.field: it.version(signed_at=1)}
        ),
        "SIGNATURE",
    ),
    "signed for another kind of document": (
        lambda it: it._replace(domain=KINDS[OTHERS[it.noun]].domain).signed(it.version()),
        "SIGNATURE",
    ),
    "another's signature under the name of this key": (
        lambda it: it.signed(it.version(), STRANGERS_KEY, kid=KEY.kid),
        "SIGNATURE",
    ),
    "this key's signature under another name": (
        lambda it: it.signed(it.version(), kid=STRANGERS_KEY.kid),
        "KEY_UNKNOWN",
    ),
    "a neighbour's key for another member": (
        lambda it: it.signed(it.version(), NEIGHBOURS_KEY),
        "KEY_UNKNOWN",
    ),
    "nobody of the accord": (
        lambda it: it.signed(it.version(member_id="stranger"), STRANGERS_KEY),
        "MEMBER_UNKNOWN",
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_signed_over_its_domain_and_bytes(kind: Kind) -> None:
    """The wire has the version by its own name; the digest and the signature are of its bytes."""
    version = kind.version()
    document = kind.signed(version)
    raw = document.encoded()
    said = canonical.decode(raw)

    assert isinstance(said, dict)
    assert said.keys() == {kind.field, "kid", "signature"}
    assert canonical.encode(said[kind.field]) == version.encoded()
    assert version.digest() == hashlib.sha256(version.encoded()).hexdigest()
    assert said["signature"] == KEY.sign(kind.domain + version.encoded()).hex()
    assert kind.history.read(raw) == document
    assert document.said == version


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_good_while_the_accord_calls_the_key_valid(kind: Kind) -> None:
    """By the key itself, and by the accord until the key ends."""
    document = kind.signed(kind.version())

    document.check_signed_with(KEY.verify_key())
    document.check_signature(ACCORD, NOW_AT - 1)
    with pytest.raises(Refused, match="KEY_NOT_VALID"):
        document.check_signature(ACCORD, NOW_AT)
    kind.signed(kind.version(member_id=NEIGHBOUR), NEIGHBOURS_KEY).check_signature(ACCORD, NOW_AT)


@pytest.mark.parametrize("name", TAMPERED)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_refused_by_the_accord_and_by_the_key(kind: Kind, name: str) -> None:
    """Whatever is wrong, the accord refuses it by name, and so does the key that is not its own."""
    make, code = TAMPERED[name]
    document = make(kind)
    refused_by = kind.signature_code if code == "SIGNATURE" else code

    with pytest.raises(Refused, match=refused_by):
        document.check_signature(ACCORD, NOW_AT - 1)
    with pytest.raises(Refused, match=kind.signature_code):
        document.check_signed_with(KEY.verify_key())


@pytest.mark.parametrize(("version", "previous"), [(1, "ab" * 32), (2, None)])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_first_version_alone_follows_none(
    kind: Kind, version: int, previous: str | None
) -> None:
    """A first one that names another, and a later one that names none, is refused."""
    document = kind.signed(kind.version(version=version, previous=previous))

    with pytest.raises(Refused, match=kind.malformed_code):
        kind.history.read(document.encoded())


MISSHAPEN: dict[str, int | str] = {
    "member_id": "Beijing",
    "version": 0,
    "previous": "ab" * 32 + "\n",
    "signed_at": -1,
    "kid": "ed25519:0",
    "signature": "0",
    "more": 1,
}


@pytest.mark.parametrize("field", MISSHAPEN)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_field_that_is_none_is_refused(kind: Kind, field: str) -> None:
    """A value out of its form, and a field that nobody knows."""
    said = canonical.decode(kind.signed(kind.version()).encoded())
    assert isinstance(said, dict)
    version = said[kind.field]
    assert isinstance(version, dict)
    (said if field in {"kid", "signature"} else version)[field] = MISSHAPEN[field]

    with pytest.raises(Refused, match="SCHEMA_MISMATCH"):
        kind.history.read(canonical.encode(said))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(kind: Kind, raw: bytes) -> None:
    """Whatever is no such document is refused, and nothing else is raised."""
    with pytest.raises(Refused):
        kind.history.read(raw)
