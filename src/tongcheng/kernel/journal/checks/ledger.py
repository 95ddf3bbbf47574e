"""The ledger, rebuilt from its transfers in the order of the journal, and compared."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from tongcheng.kernel import ledger, ledger_batch, ledger_totals
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES
from tongcheng.kernel.ledger import (
    ACCOUNTS,
    HOLDS,
    TRANSFER_KIND,
    TRANSFERS,
    AccountRow,
    HoldRow,
    TransferRow,
)
from tongcheng.kernel.ledger_batch import TRANSFERS_KIND
from tongcheng.kernel.ledger_totals import TOTALS, TotalRow
from tongcheng.kernel.service import Finding

_IN_ORDER = "SELECT kind, content_id FROM journal_leaves WHERE kind IN (?, ?) ORDER BY leaf_index"
_ALL = "SELECT transfer_id FROM ledger_transfers ORDER BY transfer_id"


class Books:
    """Accounts, holds and totals as the transfers alone make them."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self.totals: dict[tuple[str, str, str], TotalRow] = {}
        self.accounts: dict[str, AccountRow] = {}
        self.holds: dict[bytes, HoldRow] = {}
        self._held: dict[bytes, TransferRow] = {}

    def post(self, row: TransferRow) -> str | None:
        """Apply one transfer; return what does not follow from those before it, or None."""
        debit = self._account(row.debit_account, row.purse)
        credit = self._account(row.credit_account, row.purse)
        before = (
            row.debit_before_fen, row.debit_version, row.credit_before_fen, row.credit_version
        )  # fmt: skip
        rebuilt = (debit.balance_fen, debit.version, credit.balance_fen, credit.version)
        after_debit, after_credit = ledger.apply(debit, credit, row)
        self.accounts[debit.account_id] = after_debit
        self.accounts[credit.account_id] = after_credit
        self._count(row)
        problem = self._hold(row)
        if before != rebuilt:
            return "the balances or versions before it are not those of the transfers before it"
        if {debit.purse, credit.purse} != {row.purse}:
            return "its accounts are of another purse"
        return problem

    def _account(self, account_id: str, purse: str) -> AccountRow:
        found = self.accounts.get(account_id)
        return found or AccountRow(account_id, purse, 0, 0, 0, 0, 0, None)

    def _count(self, row: TransferRow) -> None:
        on = ledger_totals.moved_on(row.at, self._zone)
        for account_id in (row.debit_account, row.credit_account):
            key = (account_id, row.month, on)
            after = ledger_totals.add(self.totals.get(key) or ledger_totals.blank(*key), row)
            if after is not None:
                self.totals[key] = after

    def _hold(self, row: TransferRow) -> str | None:
        """Follow the chain hold, then post or void."""
        if row.kind == "direct":
            return None if row.hold_id is None and row.held_fen == 0 else "it names a hold"
        if row.kind == "hold":
            self._held[row.transfer_id] = row
            self.holds[row.transfer_id] = HoldRow(row.transfer_id, row.subject_id, None)
            return None
        held = None if row.hold_id is None else self._held.pop(row.hold_id, None)
        if held is None:
            return "the hold it closes is not open"
        closed = HoldRow(held.transfer_id, held.subject_id, row.transfer_id)
        self.holds[held.transfer_id] = closed
        accounts = (row.debit_account, row.credit_account)
        if row.held_fen != held.amount_fen or row.amount_fen > held.amount_fen:
            return "it does not fit the amount of its hold"
        if accounts != (held.debit_account, held.credit_account):
            return "it is between other accounts than its hold"
        return None


class _Leaf(NamedTuple):
    """One transfer in the journal's order, and whether the journal's content is its row."""

    transfer_id: bytes
    fits: Callable[[TransferRow], bool]


def _leaves(view: View) -> Iterator[_Leaf]:
    """Yield the transfers as the journal has them: one a leaf, or a batch."""
    for kind, content_id in view.snapshot.stream(_IN_ORDER, TRANSFER_KIND, TRANSFERS_KIND):
        if kind == TRANSFER_KIND:
            content = view.content(kind, content_id)
            yield _Leaf(bytes.fromhex(content_id), functools.partial(_is_row, content))
            continue
        batch = ledger_batch.batched(view.snapshot, view.home.ring, content_id)
        for transfer_id in () if batch is None else batch.digests:
            assert batch is not None
            yield _Leaf(transfer_id, batch.holds)


def _is_row(content: bytes | None, row: TransferRow) -> bool:
    # A content may be erased after its time; the leaf stands.
    return content is None or content == ledger.content_of(row)


def _look(view: View) -> Iterator[Finding]:
    books = Books(view.home.region.zone)
    total = view.count(TRANSFERS)
    seen: set[bytes] = set()
    for transfer_id, fits in _leaves(view):
        if len(seen) % 1_000 == 0:
            view.progress("ledger", len(seen), total)
        key = transfer_id.hex()
        if transfer_id in seen:
            yield finding(TRANSFERS, key, "stands twice in the journal")
            continue
        seen.add(transfer_id)
        row = view.snapshot.get(TRANSFERS, transfer_id)
        if row is None:
            yield finding(TRANSFERS, key, "is missing; the journal has it")
            continue
        if not fits(row):
            yield of_row(TRANSFERS, row, "differs from what the journal has")
        problem = books.post(row)
        if problem is not None:
            yield of_row(TRANSFERS, row, problem)
    view.figures["transfers"] = len(seen)
    for (transfer_id,) in view.snapshot.stream(_ALL):
        if transfer_id not in seen:
            yield finding(TRANSFERS, transfer_id.hex(), "has no leaf in the journal")
    yield from _accounts(view, books)
    yield from _holds(view, books)
    yield from _totals(view, books)
    yield from _trial_balance(books)


def _accounts(view: View, books: Books) -> Iterator[Finding]:
    missing = dict(books.accounts)
    for row in view.stream(ACCOUNTS):
        blank = AccountRow(row.account_id, row.purse, 0, 0, 0, 0, 0, None)
        rebuilt = missing.pop(row.account_id, blank)
        # The limit is set by an officer, not made by transfers.
        if msgspec.structs.replace(rebuilt, limit_fen=row.limit_fen) != row:
            problem = f"balance {row.balance_fen} fen; its transfers make {rebuilt.balance_fen} fen"
            yield of_row(ACCOUNTS, row, problem)
    for account_id in sorted(missing):
        yield finding(ACCOUNTS, account_id, "is missing; transfers name it")


def _holds(view: View, books: Books) -> Iterator[Finding]:
    missing = dict(books.holds)
    for row in view.stream(HOLDS):
        if missing.pop(row.hold_id, None) != row:
            yield of_row(HOLDS, row, "is not what its transfers make of it")
    for hold_id in sorted(missing):
        yield finding(HOLDS, hold_id.hex(), "is missing; a transfer made it")


def _totals(view: View, books: Books) -> Iterator[Finding]:
    missing = dict(books.totals)
    for row in view.stream(TOTALS):
        if missing.pop((row.account_id, row.month, row.moved_on), None) != row:
            yield of_row(TOTALS, row, "is not what its transfers make of it")
    for key in sorted(missing):
        yield finding(TOTALS, "/".join(key), "is missing; a transfer made it")


def _trial_balance(books: Books) -> Iterator[Finding]:
    sums: Counter[str] = Counter()
    for row in books.accounts.values():
        sums[row.purse] += row.balance_fen
    for purse, balance_fen in sorted(sums.items()):
        if balance_fen != 0:
            yield finding(ACCOUNTS, purse, f"the purse's trial balance is {balance_fen} fen, not 0")


LEDGER = Check(
    "ledger", (ACCOUNTS, HOLDS, TOTALS, TRANSFERS, JOURNAL_CONTENTS, JOURNAL_LEAVES), _look
)
