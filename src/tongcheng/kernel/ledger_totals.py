"""What every account moved in a month, day by day: kept with each transfer, never summed anew.

A month of twenty thousand stays is read from some rows, and the books of two members are compared
by one number for each purse and month: a digest that does not depend on the order of the transfers.
It is the sum of the SHA-256 of every transfer's subject and amount, modulo 2**256 (an additive
multiset hash: Clarke et al., "Incremental Multiset Hash Functions", ASIACRYPT 2003). It finds what
went wrong; it is no proof against whoever chooses the amounts. Proofs are the journal's.
"""

import hashlib
from typing import TYPE_CHECKING

import msgspec

from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.store import Reading, Records, Transaction

if TYPE_CHECKING:
    from tongcheng.kernel.ledger import TransferRow

DIGEST_BYTES = 32
_MODULUS = 1 << 8 * DIGEST_BYTES
NOTHING_MOVED = bytes(DIGEST_BYTES)


class TotalRow(msgspec.Struct, frozen=True):
    """What one account moved on one day in the books of one month.

    `moved_on` is the region's day (YYYY-MM-DD); a void may be booked in a later month than its day
    is in. `debits` and `credits` count the transfers that moved something; holds are none of them.
    Amounts are fen, gross.
    """

    account_id: str
    month: str
    moved_on: str
    debits: int
    credits: int
    debited_fen: int
    credited_fen: int
    debit_digest: bytes
    credit_digest: bytes


TOTALS = Records(
    "ledger_totals", TotalRow, key=("account_id", "month", "moved_on"), indexes=(("month",),)
)


class Moved(msgspec.Struct, frozen=True):
    """One direction of an account in a month: how many transfers, how much, and their digest."""

    count: int = 0
    amount_fen: int = 0
    digest: bytes = NOTHING_MOVED

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(
            self.count + other.count,
            self.amount_fen + other.amount_fen,
            add_digests(self.digest, other.digest),
        )


def leaf_digest(subject_id: str, amount_fen: int) -> bytes:
    """Return what one transfer adds to the digest: SHA-256 of "SUBJECT AMOUNT" in ASCII."""
    return hashlib.sha256(f"{subject_id} {amount_fen}".encode()).digest()


def add_digests(one: bytes, other: bytes) -> bytes:
    """Return the sum of two digests, read as big-endian numbers, modulo 2**256."""
    total = int.from_bytes(one, "big") + int.from_bytes(other, "big")
    return (total % _MODULUS).to_bytes(DIGEST_BYTES, "big")


def count(tx: Transaction, row: "TransferRow") -> None:
    """Add a transfer to the totals of both its accounts."""
    on = local_date(row.at, tx.home.region.zone).isoformat()
    for account_id in (row.debit_account, row.credit_account):
        before = tx.get(TOTALS, account_id, row.month, on)
        after = add(before or blank(account_id, row.month, on), row)
        if after is not None:
            tx.put(TOTALS, after)


def blank(account_id: str, month: str, on: str) -> TotalRow:
    """Return the totals of an account before its first transfer of a day."""
    return TotalRow(account_id, month, on, 0, 0, 0, 0, NOTHING_MOVED, NOTHING_MOVED)


def add(total: TotalRow, row: "TransferRow") -> TotalRow | None:
    """Return an account's totals with a transfer of its own; None if the transfer moved nothing."""
    if row.kind == "hold" or row.amount_fen == 0:
        return None
    leaf = leaf_digest(row.subject_id, row.amount_fen)
    if total.account_id == row.debit_account:
        return msgspec.structs.replace(
            total,
            debits=total.debits + 1,
            debited_fen=total.debited_fen + row.amount_fen,
            debit_digest=add_digests(total.debit_digest, leaf),
        )
    return msgspec.structs.replace(
        total,
        credits=total.credits + 1,
        credited_fen=total.credited_fen + row.amount_fen,
        credit_digest=add_digests(total.credit_digest, leaf),
    )


def debited(row: TotalRow) -> Moved:
    """Return the debit side of a day."""
    return Moved(row.debits, row.debited_fen, row.debit_digest)


def credited(row: TotalRow) -> Moved:
    """Return the credit side of a day."""
    return Moved(row.credits, row.credited_fen, row.credit_digest)


def of_account(reading: Reading, account_id: str, month: str | None = None) -> list[TotalRow]:
    """Return the days of one account, in all months or in one."""
    if month is None:
        return reading.select(TOTALS, account_id=account_id)
    return reading.select(TOTALS, account_id=account_id, month=month)
