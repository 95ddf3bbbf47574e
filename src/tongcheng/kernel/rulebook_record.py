"""Which rule books this node's member has adopted: documents and books, kept and journaled.

An adopted book's document is kept in the store, whether it came with the region pack or not: an
update of the software may bring another version of the file, and what was decided by this one must
still be explained by it.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple, cast

import msgspec

from tongcheng.kernel import audit, canonical, journal, officers, rulebook
from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.kernel.rulebook_adoption import Adoption, SignedAdoption
from tongcheng.kernel.store import Reading, Records, Transaction
from tongcheng.kernel.versions import DAY

ADOPTION_KIND = "rulebook_adoption"


class BookRow(msgspec.Struct, frozen=True):
    """One adopted version: the canonical bytes that its digest is over."""

    digest: str
    book_id: str
    stored_at: int
    document: bytes


class AdoptionRow(msgspec.Struct, frozen=True):
    """One adoption, in the order in which they were made; `document` is the signed one."""

    adoption_no: int
    book_id: str
    digest: str
    adopted_at: int
    document: bytes


RULE_BOOKS = Records("rulebooks", BookRow, key=("digest",))
ADOPTIONS = Records("rulebook_adoptions", AdoptionRow, key=("adoption_no",), indexes=(("digest",),))


class Term(NamedTuple):
    """From when to when an adopted version is in force; both days inclusive."""

    book_id: str
    first: date
    last: date | None

    @property
    def stands(self) -> bool:
        """Tell whether any day is left of it."""
        return self.last is None or self.first <= self.last

    def overlaps(self, other: "Term") -> bool:
        """Tell whether both are versions of one book with a day in common."""
        return (
            self.book_id == other.book_id
            and self.stands
            and other.stands
            and (self.last is None or other.first <= self.last)
            and (other.last is None or self.first <= other.last)
        )


Terms = dict[str, Term]
"""Digest → when the version is in force."""


def follow(terms: Terms, said: Adoption) -> Terms:
    """Return the terms after one more adoption.

    Refuses ADOPTION_REPLACES (the version named is not in force), RULE_BOOK_ADOPTED (this one is),
    RULE_BOOK_OVERLAP with an adopted version that it does not replace.
    """
    first, last = date.fromisoformat(said.effective_from), _day(said.effective_to)
    after = dict(terms)
    if said.replaces is not None:
        before = terms.get(said.replaces)
        if before is None or before.book_id != said.book_id or not before.stands:
            raise Refused("ADOPTION_REPLACES", digest=said.replaces, book=said.book_id)
        ends = [day for day in (before.last, first - DAY) if day is not None]
        after[said.replaces] = before._replace(last=min(ends))
    if said.digest in after and after[said.digest].stands:
        raise Refused("RULE_BOOK_ADOPTED", book=said.book_id, digest=said.digest)
    term = Term(said.book_id, first, last)
    for other in after.values():
        if term.overlaps(other):
            on = max(first, other.first).isoformat()
            raise Refused("RULE_BOOK_OVERLAP", book=said.book_id, on=on)
    after[said.digest] = term
    return after


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def terms_of(documents: Iterable[SignedAdoption]) -> Terms:
    """Return what these adoptions come to, one after the other."""
    terms: Terms = {}
    for document in documents:
        terms = follow(terms, document.adoption)
    return terms


def adopted(reading: Reading) -> list[SignedAdoption]:
    """Return every adoption, oldest first."""
    return [adoptions.parse(row.document) for row in reading.select(ADOPTIONS)]


def shelf_of(reading: Reading, shelf: Shelf) -> Shelf:
    """Return the shelf with the store's books on it, and adopted what is adopted."""
    stored = [book_of(row) for row in reading.select(RULE_BOOKS)]
    terms = terms_of(adopted(reading))
    return shelf.holding(stored, {digest: term.last for digest, term in terms.items()})


def book_of(row: BookRow) -> RuleBook:
    """Read a stored book; the store holds only documents that once were read from a file."""
    return rulebook.from_document(cast("dict[str, Plain]", canonical.decode(row.document)))


def adopt(tx: Transaction, raw: bytes, brought: RuleBook | None = None) -> Adoption:
    """Adopt a rule book by a document that two officers of this node's member have signed.

    The book is `brought`, else one that the node knows. Refuses what `check_signatures` and
    `follow` refuse, and ADOPTION_NOT_OURS, ADOPTION_REPEATED, ADOPTION_BOOK_MISSING,
    ADOPTION_OTHER_BOOK, ADOPTION_NOT_OWNER. It counts from the node's next start on.
    """
    document = adoptions.parse(raw)
    said = document.adoption
    if said.member_id != tx.home.member_id:
        raise Refused("ADOPTION_NOT_OURS", member=said.member_id, node=tx.home.member_id)
    adoptions.check_signatures(document, officers.by_kid(tx), tx.now_at)
    before = adopted(tx)
    if any(one.adoption == said for one in before):
        raise Refused("ADOPTION_REPEATED", book=said.book_id)
    book = brought or known_book(tx, said.digest)
    adoptions.check_book(document, book)
    owners = [member.id for member in tx.home.region.owners_of(book.admdvs)]
    if said.member_id not in owners:
        raise Refused("ADOPTION_NOT_OWNER", member=said.member_id, book=book.book_id)
    follow(terms_of(before), said)
    _store(tx, raw, book, len(before) + 1)
    return said


def content_of(row: AdoptionRow) -> bytes:
    """Return what the journal keeps of an adoption: the signed document, and when it was made."""
    document = canonical.decode(row.document)
    return canonical.encode({"adopted_at": row.adopted_at, "document": document})


def known_book(tx: Transaction, digest: str) -> RuleBook:
    """Return a book that the node keeps or its pack has; refuses ADOPTION_BOOK_MISSING."""
    row = tx.get(RULE_BOOKS, digest)
    found = tx.home.shelf.find(digest) if row is None else book_of(row)
    if found is None:
        raise Refused("ADOPTION_BOOK_MISSING", digest=digest)
    return found


def _store(tx: Transaction, raw: bytes, book: RuleBook, number: int) -> None:
    if tx.get(RULE_BOOKS, book.digest) is None:
        row = BookRow(book.digest, book.book_id, tx.now_at, canonical.encode(book.document))
        tx.add(RULE_BOOKS, row)
    adoption = AdoptionRow(number, book.book_id, book.digest, tx.now_at, raw)
    tx.add(ADOPTIONS, adoption)
    journal.append(tx, ADOPTION_KIND, str(number), content_of(adoption))
    audit.note(tx, audit.Entry("officer", "rulebook.adopt", book.book_id, book.digest))
