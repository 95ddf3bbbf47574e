"""A scenario as a signed document: who keeps it, in which version, by which key.

As with bundles, each version names the one before. The scenario itself is in it, so who has the
document needs nothing else to compute with it. docs/mobility-scenarios.md has the form.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tongcheng.kernel import canonical
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey, VerifyKey
from tongcheng.services.mobility.scenario.model import Scenario
from tongcheng.services.mobility.scenario.reading import read_scenario
from tongcheng.services.mobility.scenario.shapes import Id
from tongcheng.services.mobility.scenario.writing import text_of

SIGNING_DOMAIN: Final = b"tongcheng/mobility-scenario/1\n"
BYTES_MAX: Final = 1_048_576

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Kid = Annotated[str, Meta(pattern=r"^[a-z0-9]{1,16}:[0-9a-f]{16}\Z")]
Signature = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,128}\Z")]
Count = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a member's scenario.

    `document` is the scenario's, None where it is withdrawn. `previous` is the digest of the
    version before, `signed_at` UTC ms.
    """

    member_id: Code
    scenario_id: Id
    version: Count
    previous: Digest | None
    signed_at: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    document: dict[str, Any] | None

    def encoded(self) -> bytes:
        """Return the canonical bytes that the member signs, after the domain."""
        return canonical.encode(msgspec.to_builtins(self))

    def digest(self) -> str:
        """Return the hex SHA-256 of the canonical bytes."""
        return canonical.digest(self.encoded())


class SignedScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version, and its member's signature (hex) with the key."""

    scenario: Version
    kid: Kid
    signature: Signature

    def encoded(self) -> bytes:
        """Return the canonical bytes, for the file, the store and the journal."""
        return canonical.encode(msgspec.to_builtins(self))


def signed(version: Version, key: SigningKey) -> SignedScenario:
    """Return a version with its member's signature."""
    return SignedScenario(version, key.kid, key.sign(SIGNING_DOMAIN + version.encoded()).hex())


def read(raw: bytes) -> SignedScenario:
    """Read a signed scenario whose signature is still to be checked.

    Raises:
        Refused: SCENARIO_DOCUMENT for what is too long, is no scenario or has another id than the
            version; what is not canonical under its CANONICAL_ code; SCHEMA_MISMATCH.
    """
    return read_whole(raw)[0]


def read_whole(raw: bytes) -> tuple[SignedScenario, Scenario | None]:
    """Read a signed scenario, and what it says, None where it is withdrawn; refuses as `read`."""
    if len(raw) > BYTES_MAX:
        raise Refused("SCENARIO_DOCUMENT", file="-", line=1, fault="too long")
    document = canonical.decode_as(raw, SignedScenario)
    return document, scenario_of(document.scenario)


def scenario_of(version: Version) -> Scenario | None:
    """Return what a version says, None where it is withdrawn; refuses as `read` does."""
    if version.document is None:
        return None
    file = f"{version.scenario_id}.yaml"
    scenario = read_scenario(file, text_of(version.document))
    if scenario.scenario_id != version.scenario_id:
        raise Refused("SCENARIO_DOCUMENT", file=file, line=1, fault="another scenario_id")
    if scenario.document != version.document:
        raise Refused("SCENARIO_DOCUMENT", file=file, line=1, fault="a value that is no text")
    return scenario


def check_signature(document: SignedScenario, accord: Accord, at: int) -> None:
    """Check that the member signed it with a key that the accord calls valid at an instant.

    Refuses MEMBER_UNKNOWN, KEY_UNKNOWN, KEY_NOT_VALID, SCENARIO_SIGNATURE.
    """
    member_id = document.scenario.member_id
    check_signed_with(document, accord.verify_key(member_id, document.kid, at))


def check_signed_with(document: SignedScenario, key: VerifyKey) -> None:
    """Refuse SCENARIO_SIGNATURE unless this key signed the version."""
    raw = SIGNING_DOMAIN + document.scenario.encoded()
    if document.kid != key.kid or not key.verify(raw, bytes.fromhex(document.signature)):
        raise Refused("SCENARIO_SIGNATURE", member=document.scenario.member_id, kid=document.kid)
