"""This node's own books of one pair of members: sums from the totals, lines and rows on demand."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import ledger_totals
from tongcheng.kernel.ledger import ACCOUNTS, TRANSFERS, AccountRow, TransferRow
from tongcheng.kernel.ledger_totals import Moved
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import purses, sides
from tongcheng.services.settlement.mirror.model import PurseSum, SideLine, purse_sum
from tongcheng.services.settlement.reconcile import Owed, SideRow
from tongcheng.services.settlement.store import CLAIMS, DECISIONS

OPEN_STATES = ("pending", "cancelling", "voiding")
"""States of a claim whose answer the visited side waits for."""


BOOKED = "booked"
"""The state of money in the ledger that belongs to no settlement: it equals nothing."""


class Books(msgspec.Struct, frozen=True):
    """The books of stays in `visited`'s hospitals of persons whom `insured` insures.

    `is_visited` tells which of the two sides this node is.
    """

    visited: str
    insured: str
    is_visited: bool

    @property
    def peer(self) -> str:
        """The other side."""
        return self.insured if self.is_visited else self.visited

    @property
    def prefix(self) -> str:
        """How the accounts begin in which this side books what is owed."""
        if self.is_visited:
            return purses.due_from(self.insured, "")
        return purses.due_to(self.visited, "")


def books_of(member_id: str, peer: str, visited: str) -> Books:
    """Return the books of `member_id` about the stays in the hospitals of one of the two."""
    assert visited in {member_id, peer}, visited
    is_visited = visited == member_id
    return Books(visited, peer if is_visited else member_id, is_visited=is_visited)


def accounts(snapshot: Snapshot, books: Books) -> list[AccountRow]:
    """Return the accounts of these books, by purse."""
    found = ACCOUNTS.c.account_id.startswith(books.prefix, autoescape=True)
    query = ACCOUNTS.table.select().where(found).order_by(ACCOUNTS.c.account_id)
    return snapshot.fetch(ACCOUNTS, query)


def sums(
    snapshot: Snapshot, books: Books, from_month: str | None = None, to_month: str | None = None
) -> list[PurseSum]:
    """Return every purse's month in the range, latest month first."""
    moved: dict[tuple[str, str], tuple[Moved, Moved]] = {}
    for account in accounts(snapshot, books):
        for row in ledger_totals.of_account(snapshot, account.account_id):
            if (from_month or "") <= row.month <= (to_month or row.month):
                day = (ledger_totals.debited(row), ledger_totals.credited(row))
                settled, voided = day if books.is_visited else day[::-1]
                before = moved.get((row.month, account.purse), (Moved(), Moved()))
                moved[row.month, account.purse] = (before[0] + settled, before[1] + voided)
    by_purse = sorted(moved, key=lambda key: key[1])
    latest_first = sorted(by_purse, key=lambda key: key[0], reverse=True)
    return [purse_sum(purse, month, *moved[month, purse]) for month, purse in latest_first]


def movements(
    snapshot: Snapshot, books: Books, purse: str, month: str, *, after: bytes, most: int
) -> list[TransferRow]:
    """Return what moved a purse's month, in the order of its ids, after one of them."""
    table, account = TRANSFERS.c, books.prefix + purse
    query = (
        TRANSFERS.table.select()
        .where(
            sa.or_(table.debit_account == account, table.credit_account == account),
            table.month == month,
            table.kind != "hold",
            table.amount_fen > 0,
            table.transfer_id > after,
        )
        .order_by(table.transfer_id)
        .limit(most)
    )
    return snapshot.fetch(TRANSFERS, query)


def line_of(books: Books, row: TransferRow) -> SideLine:
    """Return a transfer as the other side is told it."""
    is_debit = row.debit_account.startswith(books.prefix)
    sign = 1 if is_debit == books.is_visited else -1
    return SideLine(row.subject_id, sign * row.amount_fen)


def rows(snapshot: Snapshot, books: Books, settlement_ids: Iterable[str]) -> list[SideRow]:
    """Return the settlements of these that this side has."""
    found = (_row(snapshot, books, settlement_id) for settlement_id in settlement_ids)
    return [row for row in found if row is not None]


def _row(snapshot: Snapshot, books: Books, settlement_id: str) -> SideRow | None:
    owed = sides.owed_for(snapshot, books.prefix, settlement_id, debit_is_more=books.is_visited)
    if books.is_visited:
        claim = snapshot.get(CLAIMS, settlement_id)
        if claim is not None and claim.insured_member == books.insured:
            return sides.claim_row(snapshot, claim, owed)
    else:
        decision = snapshot.get(DECISIONS, books.visited, settlement_id)
        if decision is not None:
            return sides.decision_row(snapshot, decision, owed)
    # Money without a settlement: it has no state that the other side's could be equal to.
    return _booked(settlement_id, owed) if owed else None


def _booked(settlement_id: str, owed: tuple[Owed, ...]) -> SideRow:
    return SideRow(
        settlement_id=settlement_id,
        state=BOOKED,
        decided=True,
        total_fen=0,
        fund_fen=sum(one.amount_fen for one in owed),
        person_fen=0,
        owed=owed,
        since_at=0,
    )


def open_ids(snapshot: Snapshot, books: Books) -> list[str]:
    """Return the settlements whose answer is under way, oldest first; none on the insured side."""
    if not books.is_visited:
        return []
    waiting = [
        row
        for state in OPEN_STATES
        for row in snapshot.select(CLAIMS, state=state)
        if row.insured_member == books.insured
    ]
    return [row.settlement_id for row in sorted(waiting, key=lambda row: row.opened_at)]
