"""What booked claims must agree on, for `journal verify`: entries, the journal and the ledger."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa

from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import JOURNAL_LEAVES
from tongcheng.kernel.ledger import TRANSFERS
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.store.records import show_key
from tongcheng.services.settlement import accumulators
from tongcheng.services.settlement.booking.model import (
    HOME,
    HOME_VOID,
    LOT_KIND,
    ORIGINS,
    Lot,
    lot_of,
    subject,
)
from tongcheng.services.settlement.store import ENTRIES, EntryRow

_AMOUNTS = (
    "pool_fen",
    "large_fen",
    "deductible_fen",
    "burden_fen",
    "catastrophic_fen",
    "assistance_fen",
)
_FUNDS = ("pool_fen", "large_fen", "catastrophic_fen", "assistance_fen")


class _Told(NamedTuple):
    """What a leaf says of an entry; of an earlier claim taken back only that it was."""

    origin: str
    subject_id: str | None
    amounts: tuple[int, ...] | None


def home_claims(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare what was booked in bulk with its leaves, entry by entry, and with the ledger."""
    kept = {
        accumulators.content_id(entry): entry
        for entry in snapshot.select(ENTRIES)
        if entry.origin in ORIGINS
    }
    told: dict[str, _Told] = {}
    is_whole = True
    column, in_order = JOURNAL_LEAVES.c.content_id, JOURNAL_LEAVES.c.leaf_index
    asked = sa.select(column).where(JOURNAL_LEAVES.c.kind == LOT_KIND).order_by(in_order)
    for (lot_id,) in snapshot.query(asked):
        lot = lot_of(snapshot, home.ring, lot_id)
        if lot is None:
            # A content may be erased after retention; its leaf never is.
            is_whole = False
        else:
            told.update(_told(lot))
    for content_id in sorted(told.keys() - kept.keys()):
        yield Finding(ENTRIES.name, content_id, "the journal knows an entry that is not here")
    for content_id, entry in sorted(kept.items()):
        if content_id in told:
            if not _is(entry, told[content_id]):
                yield _finding(entry, "the entry differs from the journal")
        elif is_whole:
            yield _finding(entry, "the entry has no leaf in the journal")
    yield from _money(snapshot, kept.values())


def _told(lot: Lot) -> Iterator[tuple[str, _Told]]:
    amounts = zip(*(lot.column(name) for name in _AMOUNTS), strict=True)
    ids = zip(lot.texts["claim_id"], lot.texts["reverses"], strict=True)
    places = zip(
        lot.texts["person_key"],
        (lot.places[place][0] for place in lot.column("place")),
        lot.column("year"),
        lot.column("entry_no"),
        strict=True,
    )
    for place, (claim_id, reverses), origin, fen in zip(
        places, ids, lot.origins(), amounts, strict=True
    ):
        about = subject(claim_id if origin == HOME else reverses)
        yield "/".join(map(str, place)), _Told(origin, about, fen)
    for content_id in lot.taken_back:
        yield content_id, _Told(HOME_VOID, None, None)


def _is(entry: EntryRow, told: _Told) -> bool:
    if told.amounts is None:
        return entry.origin == told.origin
    amounts = tuple(getattr(entry, name) for name in _AMOUNTS)
    return (entry.origin, entry.subject_id, amounts) == told


def _money(snapshot: Snapshot, entries: Iterable[EntryRow]) -> Iterator[Finding]:
    """Compare what funds paid of a claim, and took back, with the ledger."""
    paid: dict[str, int] = {}
    first: dict[str, EntryRow] = {}
    for entry in entries:
        first.setdefault(entry.subject_id, entry)
        fen = sum(getattr(entry, name) for name in _FUNDS)
        paid[entry.subject_id] = paid.get(entry.subject_id, 0) + fen
    for about, fen in sorted(paid.items()):
        moved = 0
        for row in snapshot.select(TRANSFERS, subject_id=about):
            moved += row.amount_fen * (1 if row.debit_account.startswith("benefit/") else -1)
        if moved != fen:
            yield _finding(first[about], "the ledger does not owe what the funds pay")


def _finding(entry: EntryRow, problem: str) -> Finding:
    return Finding(ENTRIES.name, show_key(ENTRIES.key_of(entry)), problem)
