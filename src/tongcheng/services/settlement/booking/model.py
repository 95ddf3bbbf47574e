"""What booking stores: entries of the year with an origin of their own, and one leaf a commit."""

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

    All lists but `books` have one length. `claims` are the columns of a file of claims under their
    names (a day as days since 1970), `entries` the fields of the years' entries, `results` the
    amounts and the fixed trace row, all as integers or words; a number that may be beyond 2**53 is
    text. `book` is a place in `books`, digests of rule books. Claims that were booked earlier and
    are taken back by this commit are not in these columns: `taken_back` names their entries.
    """

    books: list[str]
    claims: dict[str, list[int | str | None]]
    entries: dict[str, list[int | str]]
    results: dict[str, list[int | str | None]]
    taken_back: list[str]

    def size(self) -> int:
        """Return how many claims were booked."""
        return len(self.entries["entry_no"])


def subject(claim_id: str) -> str:
    """Return what an entry and the transfers of a booked claim are about."""
    return f"home/{claim_id}"


def lot_of(reading: Reading, ring: KeyRing, lot_id: str) -> Lot | None:
    """Return a commit's claims from the journal, or None when the content is no more."""
    raw = journal.content(reading, ring, LOT_KIND, lot_id)
    return None if raw is None else canonical.decode_as(raw, Lot)
