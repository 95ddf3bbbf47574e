"""What every account moved in a month, day by day: kept with each transfer, never summed anew.

A month of twenty thousand stays is read from some rows, and the books of two members are compared
by one number for each purse and month: a digest that does not depend on the order of the transfers.
It is the sum of the SHA-256 of every transfer's subject and amount, modulo 2**256 (an additive
multiset hash: Clarke et al., "Incremental Multiset Hash Functions", ASIACRYPT 2003). It finds what
went wrong; it is no proof against whoever chooses the amounts. Proofs are the journal's.
"""

import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.store import Reading, Records, Transaction

if TYPE_CHECKING:
    from tongcheng.kernel.ledger import TransferRow

DIGEST_BYTES = 32
_MODULUS = 1 << 8 * DIGEST_BYTES
NOTHING_MOVED = bytes(DIGEST_BYTES)


class TotalRow(msgspec.Struct, frozen=True, gc=False):
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
    "ledger_totals",
    TotalRow,
    key=("account_id", "month", "moved_on"),
    indexes=(("month",),),
    kept=True,
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
    return _added(one, int.from_bytes(other, "big"))


@functools.lru_cache(maxsize=64)
def moved_on(at: int, zone: str) -> str:
    """Return the region's day (YYYY-MM-DD) of an instant; a commit has one instant."""
    return local_date(at, zone).isoformat()


def count(tx: Transaction, row: "TransferRow") -> None:
    """Add a transfer to the totals of both its accounts."""
    on = moved_on(row.at, tx.home.region.zone)
    for account_id in (row.debit_account, row.credit_account):
        before = tx.get(TOTALS, account_id, row.month, on)
        after = add(before or blank(account_id, row.month, on), row)
        if after is not None:
            tx.put(TOTALS, after)


def count_many(tx: Transaction, rows: "Sequence[TransferRow]") -> None:
    """Add transfers of one instant to the totals of their accounts, each stored once."""
    on = moved_on(tx.now_at, tx.home.region.zone)
    gathered: dict[tuple[str, str], _Gathered] = {}
    for row in rows:
        assert row.at == tx.now_at, "a commit has one instant"
        if row.kind == "hold" or row.amount_fen == 0:
            continue
        digest = int.from_bytes(leaf_digest(row.subject_id, row.amount_fen), "big")
        debit, credit = (row.debit_account, row.month), (row.credit_account, row.month)
        one = gathered.get(debit) or gathered.setdefault(debit, _Gathered())
        one.debits += 1
        one.debited_fen += row.amount_fen
        one.debit_digest += digest
        one = gathered.get(credit) or gathered.setdefault(credit, _Gathered())
        one.credits += 1
        one.credited_fen += row.amount_fen
        one.credit_digest += digest
    keys = [(account_id, month, on) for account_id, month in gathered]
    stored = tx.get_many(TOTALS, keys)
    after = {
        key: one.after(stored.get(key) or blank(*key))
        for key, one in zip(keys, gathered.values(), strict=True)
    }
    tx.put_many(TOTALS, after)


class _Gathered:
    """What a batch adds to one account's totals of a month; digests are plain sums."""

    __slots__ = (
        "credit_digest", "credited_fen", "credits", "debit_digest", "debited_fen", "debits"
    )  # fmt: skip

    def __init__(self) -> None:
        self.debits = self.credits = 0
        self.debited_fen = self.credited_fen = 0
        self.debit_digest = self.credit_digest = 0

    def after(self, before: TotalRow) -> TotalRow:
        """Return the totals with this added."""
        return TotalRow(
            before.account_id, before.month, before.moved_on,
            before.debits + self.debits, before.credits + self.credits,
            before.debited_fen + self.debited_fen, before.credited_fen + self.credited_fen,
            _added(before.debit_digest, self.debit_digest),
            _added(before.credit_digest, self.credit_digest),
        )  # fmt: skip


def _added(digest: bytes, number: int) -> bytes:
    if number == 0:
        return digest
    return ((int.from_bytes(digest, "big") + number) % _MODULUS).to_bytes(DIGEST_BYTES, "big")


def blank(account_id: str, month: str, on: str) -> TotalRow:
    """Return the totals of an account before its first transfer of a day."""
    return TotalRow(account_id, month, on, 0, 0, 0, 0, NOTHING_MOVED, NOTHING_MOVED)


def add(total: TotalRow, row: "TransferRow") -> TotalRow | None:
    """Return an account's totals with a transfer of its own; None if the transfer moved nothing."""
    if row.kind == "hold" or row.amount_fen == 0:
        return None
    leaf = leaf_digest(row.subject_id, row.amount_fen)
    if total.account_id == row.debit_account:
        return TotalRow(
            total.account_id, total.month, total.moved_on, total.debits + 1, total.credits,
            total.debited_fen + row.amount_fen, total.credited_fen,
            add_digests(total.debit_digest, leaf), total.credit_digest,
        )  # fmt: skip
    return TotalRow(
        total.account_id, total.month, total.moved_on, total.debits, total.credits + 1,
        total.debited_fen, total.credited_fen + row.amount_fen,
        total.debit_digest, add_digests(total.credit_digest, leaf),
    )  # fmt: skip


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
