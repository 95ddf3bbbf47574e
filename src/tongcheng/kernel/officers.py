"""Officers: persons who sign for their organisation with keys of their own (经办人员).

An officer's key lies in a file of the officer's, under a passphrase, and never in a node's
directory: whoever runs the node can then not sign in an officer's place. Who is an officer is the
word of whoever operates the node: `appoint` and `dismiss` are journaled and audited, and nothing
stands above them. A key is appointed once; one that was dismissed never comes back.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated

import msgspec

from tongcheng.kernel import audit, canonical, journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey, VerifyKey, suite
from tongcheng.kernel.store import Reading, Records, Transaction

CARD_DOMAIN = b"tongcheng/officer-card/1\n"
AUTHORITY_KIND = "authority"
NAME_CHARACTERS_MAX = 64

Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Hex64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$")]


class OfficerCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an officer hands to the node's operator; signed by the key it names.

    `public` and `signature` are hex. The signature proves that whoever wrote the name holds the
    key; that the name is the holder's, the operator must know.
    """

    member_id: str
    name: str
    suite: str
    kid: str
    public: Hex32
    signature: Hex64 = "0" * 128

    def encoded(self) -> bytes:
        """Return the canonical bytes, for the file."""
        return canonical.encode(self)

    def signed_bytes(self) -> bytes:
        """Return what the signature is over."""
        said = msgspec.structs.asdict(self)
        del said["signature"]
        return CARD_DOMAIN + canonical.encode(said)


class OfficerRow(msgspec.Struct, frozen=True):
    """One appointment: valid from `from_at` until `to_at` or `revoked_at`, UTC ms, exclusive."""

    kid: str
    name: str
    member_id: str
    suite: str
    public: str
    from_at: int
    to_at: int | None
    revoked_at: int | None
    appointed_at: int

    def valid(self, at: int) -> bool:
        """Tell whether what this officer signed counts at an instant."""
        ends = [end for end in (self.to_at, self.revoked_at) if end is not None]
        return self.from_at <= at < min(ends, default=at + 1)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Tell whether the officer's key signed the data."""
        return VerifyKey(self.kid, self.suite, bytes.fromhex(self.public)).verify(data, signature)


OFFICERS = Records("officers", OfficerRow, key=("kid",))


def make_card(key: SigningKey, member_id: str, name: str) -> OfficerCard:
    """Return the card of a key; refuses OFFICER_NAME for one that could not be read back."""
    _check_name(name)
    public = key.public.hex()
    unsigned = OfficerCard(member_id, name, key.suite.name, key.kid, public)
    signature = key.sign(unsigned.signed_bytes()).hex()
    return msgspec.structs.replace(unsigned, signature=signature)


def read_card(raw: bytes) -> OfficerCard:
    """Read a card; refuses what is not canonical, OFFICER_NAME and OFFICER_CARD_BROKEN."""
    card = canonical.decode_as(raw, OfficerCard)
    _check_name(card.name)
    public, signature = bytes.fromhex(card.public), bytes.fromhex(card.signature)
    key = VerifyKey(card.kid, card.suite, public)
    if card.kid != suite(card.suite).kid(public) or not key.verify(card.signed_bytes(), signature):
        raise Refused("OFFICER_CARD_BROKEN", kid=ascii(card.kid[:64]))
    return card


def _check_name(name: str) -> None:
    if not name.isprintable() or not 0 < len(name) <= NAME_CHARACTERS_MAX or name != name.strip():
        raise Refused("OFFICER_NAME", name=ascii(name[:NAME_CHARACTERS_MAX]))


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one to a reader: width, case and spaces make no second person."""
    first, second = (
        "".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other)
    )
    return first == second


def appoint(tx: Transaction, card: OfficerCard, from_at: int, to_at: int | None) -> OfficerRow:
    """Appoint an officer of this node's member for a time (UTC ms, `to_at` exclusive).

    Refuses OFFICER_OTHER_MEMBER, OFFICER_KEY_KNOWN, OFFICER_PERIOD, and OFFICER_NAME_TAKEN while
    a key of the same name is valid: one person with two keys would sign for two.
    """
    if card.member_id != tx.home.member_id:
        raise Refused("OFFICER_OTHER_MEMBER", member=card.member_id, node=tx.home.member_id)
    if tx.get(OFFICERS, card.kid) is not None:
        raise Refused("OFFICER_KEY_KNOWN", kid=card.kid)
    if to_at is not None and to_at <= from_at:
        raise Refused("OFFICER_PERIOD", kid=card.kid)
    row = OfficerRow(
        kid=card.kid,
        name=card.name,
        member_id=card.member_id,
        suite=card.suite,
        public=card.public,
        from_at=from_at,
        to_at=to_at,
        revoked_at=None,
        appointed_at=tx.now_at,
    )
    for other in tx.select(OFFICERS):
        if same_person(other.name, card.name) and _share_a_time(other, row):
            raise Refused("OFFICER_NAME_TAKEN", name=card.name, kid=other.kid)
    tx.add(OFFICERS, row)
    journal.append(tx, AUTHORITY_KIND, appointed_id(row.kid), appointed_content(row))
    audit.note(tx, audit.Entry("officer", "officer.appoint", row.kid))
    return row


def dismiss(tx: Transaction, kid: str) -> OfficerRow:
    """End an appointment now; what was adopted before stands. Refuses OFFICER_UNKNOWN."""
    row = tx.get(OFFICERS, kid)
    if row is None or row.revoked_at is not None:
        raise Refused("OFFICER_UNKNOWN", kid=ascii(kid[:64]))
    ended = msgspec.structs.replace(row, revoked_at=tx.now_at)
    tx.put(OFFICERS, ended)
    journal.append(tx, AUTHORITY_KIND, dismissed_id(kid), dismissed_content(ended))
    audit.note(tx, audit.Entry("officer", "officer.dismiss", kid))
    return ended


def _share_a_time(one: OfficerRow, other: OfficerRow) -> bool:
    """Tell whether two appointments overlap; both share the later one's first instant if so."""
    later = max(one.from_at, other.from_at)
    return one.valid(later) and other.valid(later)


def by_kid(reading: Reading) -> Mapping[str, OfficerRow]:
    """Return every appointment there ever was, by key."""
    return {row.kid: row for row in reading.select(OFFICERS)}


def appointed_id(kid: str) -> str:
    """Return the id of the journal's entry about an appointment."""
    return f"{kid}/appointed"


def dismissed_id(kid: str) -> str:
    """Return the id of the journal's entry about its end."""
    return f"{kid}/dismissed"


def appointed_content(row: OfficerRow) -> bytes:
    """Return what the journal keeps of an appointment."""
    return canonical.encode(msgspec.structs.replace(row, revoked_at=None))


def dismissed_content(row: OfficerRow) -> bytes:
    """Return what the journal keeps of its end."""
    return canonical.encode({"kid": row.kid, "revoked_at": row.revoked_at})
