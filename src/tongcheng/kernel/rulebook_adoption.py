"""The document by which two officers adopt a rule book (规则册采纳书).

It names one version by its digest, says what is doubtful in it, and carries the signatures of
officers of the member that owns the book. Pure: who is an officer, and what is adopted already,
`rulebook_record` knows.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from tongcheng.kernel import canonical, rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey
from tongcheng.kernel.officers import OfficerRow, same_person
from tongcheng.kernel.region import Code
from tongcheng.kernel.rulebook import RuleBook

SIGNING_DOMAIN = b"tongcheng/rulebook-adoption/1\n"
SIGNERS_MIN = 2
STATEMENT = (
    "自生效之日起，据本规则册核定待遇。Benefits are decided by this rule book from its first day."
)

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Kid = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,16}:[0-9a-f]{16}$")]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Doubts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many figures a book has; of them, how many are doubtful, and why.

    `doubtful` covers `unknown` and `conflicting`, and figures with a weak source.
    """

    figures: Count
    doubtful: Count
    unknown: Count
    conflicting: Count


class Adoption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. `replaces` is the digest of the version that ends the day before."""

    book_id: str
    kind: str
    digest: Digest
    member_id: str
    effective_from: Day
    effective_to: Day | None
    doubts: Doubts
    replaces: Digest | None
    statement: str
    made_at: int

    def encoded(self) -> bytes:
        """Return the canonical bytes that officers sign, after the domain."""
        return canonical.encode(self)


class AdoptionSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature over the adoption's bytes, and the book it was given to."""

    kid: Kid
    member_id: Code
    digest: Digest
    signature: str


class SignedAdoption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document that officers pass round: the adoption and the signatures gathered so far."""

    adoption: Adoption
    signatures: list[AdoptionSignature]

    def encoded(self) -> bytes:
        """Return the canonical bytes, for the file and the journal."""
        return canonical.encode(self)


def doubts_of(book: RuleBook) -> Doubts:
    """Count the figures of a book that an officer should look at before signing."""
    values = [value for _, value in rulebook.rule_values(book)]
    return Doubts(
        figures=len(values),
        doubtful=sum(value.doubtful for value in values),
        unknown=sum(value.value is None for value in values),
        conflicting=sum(bool(value.conflicts) for value in values),
    )


def draw_up(
    book: RuleBook, member_id: str, *, made_at: int, replaces: str | None = None
) -> SignedAdoption:
    """Return the adoption of a book by a member, signed by nobody yet; `made_at` is UTC ms."""
    ends = book.effective_to
    adoption = Adoption(
        book_id=book.book_id,
        kind=book.kind,
        digest=book.digest,
        member_id=member_id,
        effective_from=book.effective_from.isoformat(),
        effective_to=None if ends is None else ends.isoformat(),
        doubts=doubts_of(book),
        replaces=replaces,
        statement=STATEMENT,
        made_at=made_at,
    )
    return SignedAdoption(adoption, [])


def parse(raw: bytes) -> SignedAdoption:
    """Read a document from its canonical bytes, or refuse by name."""
    return canonical.decode_as(raw, SignedAdoption)


def sign(document: SignedAdoption, member_id: str, key: SigningKey) -> SignedAdoption:
    """Return the document with an officer's signature; signing twice changes nothing.

    Refuses ADOPTION_OTHER_MEMBER: an officer signs for the member that adopts, and no other.
    """
    said = document.adoption
    _check_member(said, member_id)
    signature = AdoptionSignature(
        kid=key.kid,
        member_id=member_id,
        digest=said.digest,
        signature=key.sign(SIGNING_DOMAIN + said.encoded()).hex(),
    )
    others = [one for one in document.signatures if one.kid != key.kid]
    gathered = sorted([*others, signature], key=lambda one: one.kid)
    return SignedAdoption(said, gathered)


def check_book(document: SignedAdoption, book: RuleBook) -> None:
    """Refuse ADOPTION_OTHER_BOOK unless the document says of this book what the book says."""
    said = document.adoption
    expected = draw_up(book, said.member_id, made_at=said.made_at, replaces=said.replaces).adoption
    if expected != said:
        raise Refused("ADOPTION_OTHER_BOOK", book=book.book_id, found=book.digest, said=said.digest)


def check_signatures(
    document: SignedAdoption, officers: Mapping[str, OfficerRow], at: int
) -> list[OfficerRow]:
    """Return the two or more officers who signed; every signature must count at the instant.

    Refuses, for the first signature that does not: ADOPTION_OTHER_MEMBER, ADOPTION_OTHER_DIGEST,
    ADOPTION_NOT_OFFICER, ADOPTION_OFFICER_DISMISSED, ADOPTION_OFFICER_NOT_VALID,
    ADOPTION_SIGNATURE_BROKEN, ADOPTION_SAME_OFFICER; and ADOPTION_NOT_SIGNED for fewer than two.
    """
    said = document.adoption
    signers: list[OfficerRow] = []
    for one in document.signatures:
        _check_member(said, one.member_id)
        if one.digest != said.digest:
            raise Refused("ADOPTION_OTHER_DIGEST", kid=one.kid, signed=one.digest)
        officer = _officer(one, officers, at)
        data = SIGNING_DOMAIN + said.encoded()
        if not officer.verify(data, _signature_bytes(one.signature)):
            raise Refused("ADOPTION_SIGNATURE_BROKEN", name=officer.name, kid=officer.kid)
        if any(same_person(officer.name, other.name) for other in signers):
            raise Refused("ADOPTION_SAME_OFFICER", name=officer.name)
        signers.append(officer)
    if len(signers) < SIGNERS_MIN:
        raise Refused("ADOPTION_NOT_SIGNED", found=len(signers))
    return signers


def _check_member(said: Adoption, member_id: str) -> None:
    if member_id != said.member_id:
        raise Refused("ADOPTION_OTHER_MEMBER", member=member_id, owner=said.member_id)


def _officer(one: AdoptionSignature, officers: Mapping[str, OfficerRow], at: int) -> OfficerRow:
    officer = officers.get(one.kid)
    if officer is None or officer.member_id != one.member_id:
        raise Refused("ADOPTION_NOT_OFFICER", kid=one.kid, member=one.member_id)
    if officer.revoked_at is not None and at >= officer.revoked_at:
        raise Refused("ADOPTION_OFFICER_DISMISSED", name=officer.name, kid=officer.kid)
    if not officer.valid(at):
        raise Refused("ADOPTION_OFFICER_NOT_VALID", name=officer.name, kid=officer.kid)
    return officer


def _signature_bytes(text: str) -> bytes:
    """Read hex of one spelling only, so that no byte of a document may be another."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if found.hex() == text else b""
