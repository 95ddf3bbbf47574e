"""What booking stores: entries of the year with an origin of their own, and one leaf a commit."""

import struct
from typing import Final

import msgspec

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading

HOME: Final = "home"
HOME_VOID: Final = "home_void"
ORIGINS: Final = frozenset({HOME, HOME_VOID})
"""Origins of the entries; their subject is the claim, of a void the claim that it takes back."""

LOT_KIND: Final = "settlement_home_lot"
"""The leaf of one commit. The entries of its claims have no leaves of their own."""


class Lot(msgspec.Struct, frozen=True):
    """The content of a leaf: the claims that one commit booked, column by column.

    All columns have one length. `texts` are ids; `numbers` all else, each column as the hex of its
    64-bit integers, little-endian: the columns of a file of claims under their names (a word as its
    place in `words`, -1 for none; a day as days since 1970), the amounts and the fixed trace row of
    the result, and of the year's entry `year`, `entry_no` and `origin` (its place in `words`).
    `place` is a place in `places`, [pooling area, scheme], and `book` one in `books`, digests of
    rule books. Claims that were booked earlier and are taken back by this commit are not in these
    columns: `taken_back` names their entries.
    """

    books: list[str]
    places: list[list[str]]
    words: dict[str, list[str]]
    texts: dict[str, list[str]]
    numbers: dict[str, str]
    taken_back: list[str]

    def column(self, name: str) -> tuple[int, ...]:
        """Return a column of numbers."""
        raw = bytes.fromhex(self.numbers[name])
        return struct.unpack(f"<{len(raw) // 8}q", raw)

    def origins(self) -> list[str]:
        """Return the column of the entries' origins in words."""
        return [self.words["origin"][place] for place in self.column("origin")]


def subject(claim_id: str) -> str:
    """Return what an entry and the transfers of a booked claim are about."""
    return f"home/{claim_id}"


def lot_of(reading: Reading, ring: KeyRing, lot_id: str) -> Lot | None:
    """Return a commit's claims from the journal, or None when the content is no more."""
    raw = journal.content(reading, ring, LOT_KIND, lot_id)
    return None if raw is None else canonical.decode_as(raw, Lot)
