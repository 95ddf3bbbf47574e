"""A document that a member signs in versions, each naming the digest of the one before.

Bundles and scenarios are such documents. What a version says besides, and how much it may, is
their own; who signed it, and over which bytes, is decided here.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from tongcheng.kernel import canonical
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey, VerifyKey

DIGEST_PATTERN: Final = r"^[0-9a-f]{64}$(?!\n)"
"""No `\\Z`: the description of the interface has it too, and not everybody reads it by Python."""
Digest = Annotated[str, Meta(pattern=DIGEST_PATTERN)]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)")]
Kid = Annotated[str, Meta(pattern=r"^[a-z0-9]{1,16}:[0-9a-f]{16}$(?!\n)")]
Signature = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,128}$(?!\n)")]
Count = Annotated[int, Meta(ge=1, le=canonical.INTEGER_MAX)]
Instant = Annotated[int, Meta(ge=0, le=canonical.INTEGER_MAX)]


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of what a member says.

    `previous` is the digest of the version before, `signed_at` UTC ms.
    """

    member_id: Code
    version: Count
    previous: Digest | None
    signed_at: Instant

    def encoded(self) -> bytes:
        """Return the canonical bytes that the member signs, after the domain."""
        return canonical.encode(self)

    def digest(self) -> str:
        """Return the hex SHA-256 of the canonical bytes."""
        return canonical.digest(self.encoded())

    def is_first_or_follows(self) -> bool:
        """Say whether the first version, and it alone, names none before it."""
        return (self.version == 1) == (self.previous is None)


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept and passed on: a version, and its member's signature (hex) with the key.

    A kind of document has the version as a field of its own name. `domain` stands before the bytes
    that are signed, so that no signature serves for another kind; `signature_code` refuses.
    """

    domain: ClassVar[bytes]
    signature_code: ClassVar[str]

    kid: Kid
    signature: Signature

    @property
    def said(self) -> Version:
        """The version, whatever its field is called."""
        raise NotImplementedError

    def encoded(self) -> bytes:
        """Return the canonical bytes, for the file, the store and the journal."""
        return canonical.encode(self)

    def check_signature(self, accord: Accord, at: int) -> None:
        """Check that the member signed it with a key that the accord calls valid at an instant.

        Refuses MEMBER_UNKNOWN, KEY_UNKNOWN, KEY_NOT_VALID, and as `check_signed_with` does.
        """
        self.check_signed_with(accord.verify_key(self.said.member_id, self.kid, at))

    def check_signed_with(self, key: VerifyKey) -> None:
        """Refuse, by the code of its kind, unless it names this key and this key signed it."""
        raw = self.domain + self.said.encoded()
        if self.kid != key.kid or not key.verify(raw, bytes.fromhex(self.signature)):
            raise Refused(self.signature_code, member=self.said.member_id, kid=self.kid)


def signature_of(version: Version, domain: bytes, key: SigningKey) -> str:
    """Return a member's signature of a version, in hex."""
    return key.sign(domain + version.encoded()).hex()
