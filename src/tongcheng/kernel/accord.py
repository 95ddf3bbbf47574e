"""The accord: who takes part, with which keys, and what each may send to whom (区域协同协议).

An accord is a document, not a service. Each version names the digest of the one before; it is in
force on a node when every remaining and every joining member has signed exactly these bytes and
the node's own officer has adopted it. A signature on an envelope must verify with a key that the
accord calls valid at the instant of receipt.
"""

from functools import cached_property

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey, VerifyKey

SIGNING_DOMAIN = b"tongcheng/accord/1\n"


class AccordKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key and when it may be used; instants are UTC ms, `public` is hex."""

    kid: str
    suite: str
    public: str
    from_at: int
    to_at: int | None = None
    revoked_at: int | None = None

    def valid(self, at: int) -> bool:
        """Tell whether a signature received at this instant may rest on the key."""
        if at < self.from_at or (self.to_at is not None and at >= self.to_at):
            return False
        return self.revoked_at is None or at < self.revoked_at


class AccordMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organisation: where it answers and with which keys it speaks."""

    member_id: str
    name_zh: str
    name_en: str
    admdvs_prefixes: list[str]
    address: str
    signing_keys: list[AccordKey]
    encryption_keys: list[AccordKey]


class Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which members may send one type of envelope to which others."""

    type: str
    src: list[str]
    dst: list[str]


class PurseTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one kind of purse is cleared: `net` allows offsetting both directions (default gross)."""

    scheme: str
    fund: str
    net: bool = False


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a node accepts from a peer: bytes, envelopes a batch, milliseconds of clock skew."""

    body_bytes: int = 262_144
    batch_bytes: int = 8_388_608
    batch_envelopes: int = 256
    clock_skew_ms: int = 300_000


class Accord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One version of the agreement; its digest is over its canonical bytes."""

    region: str
    version: int
    previous: str | None
    valid_from_at: int
    members: list[AccordMember]
    permits: list[Permit]
    purses: list[PurseTerms]
    limits: Limits

    def encoded(self) -> bytes:
        """Return the canonical bytes that members sign."""
        return canonical.encode(msgspec.to_builtins(self))

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes, as hex."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        # Every envelope names it; the lists of a frozen accord are never changed.
        return canonical.digest(self.encoded())

    def find(self, member_id: str) -> AccordMember | None:
        """Return the member, or None for a stranger."""
        return self._by_id.get(member_id)

    @cached_property
    def _by_id(self) -> dict[str, AccordMember]:
        # The first one counts, should an id stand twice: adoption refuses that.
        return {one.member_id: one for one in reversed(self.members)}

    def member(self, member_id: str) -> AccordMember:
        """Return the member, or refuse a stranger by name."""
        found = self.find(member_id)
        if found is None:
            raise Refused("MEMBER_UNKNOWN", member=member_id)
        return found

    def peers(self, member_id: str) -> list[str]:
        """Return the other members, in the accord's order."""
        return [one.member_id for one in self.members if one.member_id != member_id]

    def permits_type(self, envelope_type: str, src: str, dst: str) -> bool:
        """Tell whether src may send this type to dst."""
        return (envelope_type, src, dst) in self._permitted

    @cached_property
    def _permitted(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(
            (permit.type, src, dst)
            for permit in self.permits
            for src in permit.src
            for dst in permit.dst
        )

    def verify_key(self, member_id: str, kid: str, at: int) -> VerifyKey:
        """Return the member's signing key if it is valid at this instant, else refuse."""
        for key in self.member(member_id).signing_keys:
            if key.kid == kid:
                if not key.valid(at):
                    raise Refused("KEY_NOT_VALID", member=member_id, kid=kid)
                return VerifyKey(key.kid, key.suite, bytes.fromhex(key.public))
        raise Refused("KEY_UNKNOWN", member=member_id, kid=kid)

    def encryption_key(self, member_id: str, at: int) -> bytes:
        """Return the raw public key to seal for this member with, now."""
        for key in self.member(member_id).encryption_keys:
            if key.valid(at):
                return bytes.fromhex(key.public)
        raise Refused("KEY_UNKNOWN", member=member_id, kid="encryption")


class AccordSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member's signature over the accord's canonical bytes; `signature` is hex."""

    member_id: str
    kid: str
    signature: str


class SignedAccord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document that members pass round: the accord and the signatures gathered so far."""

    accord: Accord
    signatures: list[AccordSignature]

    def encoded(self) -> bytes:
        """Return the canonical bytes, for the file and the journal."""
        return canonical.encode(msgspec.to_builtins(self))


def sign(document: SignedAccord, member_id: str, key: SigningKey) -> SignedAccord:
    """Return the document with this member's signature; signing twice changes nothing."""
    listed = [entry.kid for entry in document.accord.member(member_id).signing_keys]
    if key.kid not in listed:
        raise Refused("ACCORD_KEY_NOT_LISTED", member=member_id, kid=key.kid)
    signature = AccordSignature(
        member_id=member_id,
        kid=key.kid,
        signature=key.sign(SIGNING_DOMAIN + document.accord.encoded()).hex(),
    )
    others = [one for one in document.signatures if one.member_id != member_id]
    gathered = sorted([*others, signature], key=lambda one: one.member_id)
    return SignedAccord(accord=document.accord, signatures=gathered)


def check_signatures(document: SignedAccord, previous: Accord | None) -> None:
    """Refuse unless every remaining and joining member has signed, and the chain holds.

    A member that leaves need not sign. A key must be listed in the accord it signs; that of a
    member that stays, in the version before as well. Else whoever passes the document round could
    put keys of his own in a member's place and sign for it. So keys overlap by a version: the old
    one signs for the new one.
    """
    accord = document.accord
    _check_chain(accord, previous)
    signed: set[str] = set()
    for one in document.signatures:
        member = accord.member(one.member_id)
        listed = {entry.kid: entry for entry in member.signing_keys}
        entry = listed.get(one.kid)
        if entry is None or not _known_before(entry, one.member_id, previous):
            raise Refused("ACCORD_KEY_NOT_LISTED", member=one.member_id, kid=one.kid)
        verify = VerifyKey(entry.kid, entry.suite, bytes.fromhex(entry.public))
        try:
            signature = bytes.fromhex(one.signature)
        except ValueError:
            signature = b""
        if not verify.verify(SIGNING_DOMAIN + accord.encoded(), signature):
            raise Refused("ACCORD_SIGNATURE_BROKEN", member=one.member_id)
        signed.add(one.member_id)
    missing = [one.member_id for one in accord.members if one.member_id not in signed]
    if missing:
        raise Refused("ACCORD_NOT_SIGNED", members=", ".join(missing))


def _known_before(entry: AccordKey, member_id: str, previous: Accord | None) -> bool:
    """Tell whether the version before lists the key for this member, or not yet the member."""
    before = None if previous is None else previous.find(member_id)
    if before is None:
        return True
    return any((old.kid, old.public) == (entry.kid, entry.public) for old in before.signing_keys)


def _check_chain(accord: Accord, previous: Accord | None) -> None:
    """Refuse a version that does not follow the one in force."""
    expected_version = 1 if previous is None else previous.version + 1
    expected_digest = None if previous is None else previous.digest()
    if accord.version != expected_version or accord.previous != expected_digest:
        raise Refused("ACCORD_OUT_OF_ORDER", found=accord.version, expected=expected_version)
    identities = [one.member_id for one in accord.members]
    if len(set(identities)) != len(identities):
        raise Refused("ACCORD_MEMBER_TWICE", members=", ".join(identities))


def parse(raw: bytes) -> SignedAccord:
    """Read a signed accord from its canonical bytes, or refuse by name."""
    return canonical.decode_as(raw, SignedAccord)
