"""What booking stores: entries of the year with an origin of their own, and one leaf a commit."""

import struct
from typing import Final

import msgspec

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement.batch.columns import EVENTS
from tongcheng.services.settlement.rules import CATEGORIES, FILINGS, PERSON_TYPES, SUBTYPES, TIERS

HOME: Final = "home"
HOME_VOID: Final = "home_void"
ORIGINS: Final = frozenset({HOME, HOME_VOID})
"""Origins of the entries; their subject is the claim, of a void the claim that it takes back."""

LOT_KIND: Final = "settlement_home_lot"
"""The leaf of one commit. The entries of its claims have no leaves of their own."""

WORDS: Final = {
    "event": EVENTS,
    "person_type": PERSON_TYPES,
    "tier": TIERS,
    "category": CATEGORIES,
    "hospital_subtype": SUBTYPES,
    "filing": FILINGS,
}
NUMBERS: Final = (
    "admitted_on",
    "period_from_on",
    "ended_on",
    "hospital_level",
    "period_number",
    "in_scope_fen",
    "total_fen",
)
"""Columns of a file of claims that a leaf tells: words by their places, and numbers."""


_INTEGERS: Final = {0: "b", 1: "b", 2: "h", 4: "i", 8: "q"}
"""By how many bytes an integer has: what `struct` calls it."""


class Lot(msgspec.Struct, frozen=True):
    """The content of a leaf: the claims that one commit booked, column by column.

    All columns have one length. `texts` are ids; `numbers` all else, each column as the hex of its
    integers, little-endian, of as few bytes as hold them (1, 2, 4 or 8): the columns of a file of
    claims under their names (a word as its place in `words`, -1 for none; a day as days since
    1970), the amounts and the fixed trace row of the result, and of the year's entry `year`,
    `entry_no` and `origin` (its place in `words`). `place` is a place in `places`, [pooling area,
    scheme], and `book` one in `books`, digests of rule books. Claims that were booked earlier and
    are taken back by this commit are not in these columns: `taken_back` names their entries, and
    `taken_back_by` the claim_id of each void and of its claim.
    """

    books: list[str]
    places: list[list[str]]
    words: dict[str, list[str]]
    texts: dict[str, list[str]]
    numbers: dict[str, str]
    taken_back: list[str]
    taken_back_by: list[tuple[str, str]] = []

    def column(self, name: str) -> tuple[int, ...]:
        """Return a column of numbers."""
        raw = bytes.fromhex(self.numbers[name])
        rows = len(self.texts["claim_id"])
        return struct.unpack(f"<{rows}{_INTEGERS[len(raw) // max(rows, 1)]}", raw)

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
