"""The last look into the mirror, kept, so that a page tells at once what it showed and when."""

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.store import Reading, Records
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.seen import Seen


class MirrorRow(msgspec.Struct, frozen=True):
    """The last answer of a peer about the stays in `visited_member`'s hospitals.

    `state` is `seen`, `silent` (no answer since `silent_since_at`), `not_permitted` (the accord or
    the peer's software does not know the question) or `refused` (under `code`). `seen` is the
    canonical Seen of `seen_at`, empty before the first; it stays while the peer is silent.
    `mark` is the last transfer of our ledger then: what came after it is not in it.
    """

    visited_member: str
    insured_member: str
    state: str
    code: str
    asked_at: int
    silent_since_at: int | None
    seen_at: int | None
    seen: bytes
    mark: bytes


MIRRORS = Records("settlement_mirrors", MirrorRow, key=("visited_member", "insured_member"))


def last(reading: Reading, books: Books) -> MirrorRow | None:
    """Return the last look at a pair, None before the first."""
    return reading.get(MIRRORS, books.visited, books.insured)


def seen_in(row: MirrorRow | None) -> Seen | None:
    """Return what the last answer showed, None while there was none."""
    if row is None or row.seen_at is None:
        return None
    return canonical.decode_as(row.seen, Seen)


def packed(seen: Seen) -> bytes:
    """Return what is kept of an answer."""
    return canonical.encode(msgspec.to_builtins(seen))
