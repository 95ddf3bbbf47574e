"""Many transfers at once: what they mean one after another, computed as one set.

Accounts are read once, balances and versions are carried from one transfer to the next, the totals
of a day are added up before they are stored. Refusals, rows, versions and totals are those of
`ledger.transfer`, `hold`, `post` and `void` in the same order; a refused batch changes nothing.

Only the journal differs: a batch is one leaf of kind `transfers`. Its content lists every transfer
with a salted digest of its own, so that one can be shown to somebody without the others:
docs/protocol/04-journal-checkpoints-proofs.md.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tongcheng.kernel import canonical, ids, journal, ledger_totals
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import LeafRow
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.ledger import (
    ACCOUNTS,
    HOLDS,
    TRANSFER_KIND,
    TRANSFERS,
    AccountRow,
    HoldRow,
    Kind,
    Order,
    TransferRow,
    content_of,
)
from tongcheng.kernel.money import FEN_MAX
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.kernel.store.writer import Command, JointCommand, Outcome

TRANSFERS_KIND = "transfers"
SALT_BYTES = 16
_ENTRY_BYTES = 16 + 32
"""Of a transfer's id and its digest."""
_ENTRIES = re.compile(rf"(?:[0-9a-f]{{{2 * _ENTRY_BYTES}}})*")
_SEED_DOMAIN = b"tongcheng transfers\0"


class Move(NamedTuple):
    """One transfer of a batch: an order, and the hold that a post or void closes.

    A void takes everything but its act and leg from the hold: see `voiding`.
    """

    order: Order
    kind: Kind = "direct"
    hold_id: bytes | None = None


def voiding(hold_id: bytes, act_id: str, leg: int) -> Move:
    """Return the move that closes a hold without moving anything."""
    return Move(Order(act_id, leg, "", "", "", "", 0), "void", hold_id)


def transfer_many(tx: Transaction, orders: Sequence[Order]) -> list[TransferRow]:
    """Move all these amounts at once, or refuse as the first that `ledger.transfer` would."""
    return record_many(tx, [Move(order) for order in orders])


def record_many(tx: Transaction, moves: Sequence[Move]) -> list[TransferRow]:
    """Make transfers, holds, posts and voids in this order, all of them or none."""
    batch = _Batch(tx, moves)
    rows = batch.add(moves)
    batch.write()
    return rows


class Posting(JointCommand):
    """A command of the writer that only moves money; those that wait together are one batch.

    Each is all or nothing by itself: a refused one changes nothing and holds up no other.
    """

    __slots__ = ("moves",)

    def __init__(self, moves: Sequence[Move]) -> None:
        self.moves = moves

    def __call__(self, transaction: Transaction) -> list[TransferRow]:
        """Make the moves alone."""
        return record_many(transaction, self.moves)

    @staticmethod
    def together(transaction: Transaction, commands: Sequence[Command]) -> list[Outcome]:
        """Run several of these commands in order, under one leaf."""
        asked = [command.moves for command in commands if isinstance(command, Posting)]
        assert len(asked) == len(commands), "a lane is of one kind of command"
        batch = _Batch(transaction, [move for moves in asked for move in moves])
        outcomes = []
        for moves in asked:
            try:
                outcomes.append(Outcome(answer=batch.add(moves)))
            except Refused as refusal:
                outcomes.append(Outcome(error=refusal))
        batch.write(early=True)
        return outcomes


class _Account:
    """An account while the batch runs: AccountRow's fields, changed in place."""

    __slots__ = ("credit_held", "credited", "debit_held", "debited", "limit", "purse", "version")

    def __init__(self, row: AccountRow) -> None:
        self.purse = row.purse
        self.debited = row.debited_fen
        self.credited = row.credited_fen
        self.debit_held = row.debit_held_fen
        self.credit_held = row.credit_held_fen
        self.version = row.version
        self.limit = row.limit_fen

    def row(self, account_id: str) -> AccountRow:
        """Return the account as it is stored."""
        return AccountRow(
            account_id, self.purse, self.debited, self.credited, self.debit_held, self.credit_held,
            self.version, self.limit,
        )  # fmt: skip


class _Batch:
    """The moves of one batch: what is read for them, what they change, and where it is put."""

    def __init__(self, tx: Transaction, moves: Sequence[Move]) -> None:
        self._tx = tx
        self._rows: list[TransferRow] = []
        self._acts: dict[str, bytes] = {}
        self._held = self._read_holds(moves)
        self._closed_by: dict[bytes, bytes | None] = {}
        self._accounts = self._read_accounts(moves)

    def _read_holds(self, moves: Sequence[Move]) -> dict[bytes, TransferRow]:
        """Return the holds that these moves name and that nothing had closed before."""
        named = [(move.hold_id,) for move in moves if move.hold_id is not None]
        if not named:
            return {}
        holds = self._tx.get_many(HOLDS, named)
        open_ids = [key for key, row in holds.items() if row.closed_by is None]
        held = self._tx.get_many(TRANSFERS, open_ids)
        assert len(held) == len(open_ids), "a hold is a transfer"
        return {row.transfer_id: row for row in held.values()}

    def _read_accounts(self, moves: Sequence[Move]) -> dict[str, _Account]:
        named = {move.order.debit_account for move in moves}
        named.update(move.order.credit_account for move in moves)
        for row in self._held.values():
            named.update((row.debit_account, row.credit_account))
        named.discard("")  # of voids
        found = self._tx.get_many(ACCOUNTS, [(account_id,) for account_id in sorted(named)])
        assert len(found) == len(named), "an account is opened before it is used"
        return {row.account_id: _Account(row) for row in found.values()}

    # computing

    def add(self, moves: Sequence[Move]) -> list[TransferRow]:
        """Make these moves, or take all of them back and refuse."""
        rows: list[TransferRow] = []
        try:
            for move in moves:
                rows.append(self._one(move))  # noqa: PERF401 what was made before a refusal counts
        except Refused:
            for row in reversed(rows):
                self._take_back(row)
            raise
        self._rows.extend(rows)
        return rows

    def _one(self, move: Move) -> TransferRow:
        order, kind, hold_id = move
        held_fen = 0
        if hold_id is not None:
            order, held_fen = self._closing(order, kind, hold_id)
        act_id, leg, subject_id, month, debit_account, credit_account, amount_fen = (
            order.act_id, order.leg, order.subject_id, order.month,
            order.debit_account, order.credit_account, order.amount_fen,
        )  # fmt: skip
        if not 0 <= amount_fen <= FEN_MAX:
            raise Refused("LEDGER_AMOUNT", amount_fen=amount_fen)
        assert debit_account != credit_account, "a transfer has two accounts"
        debit, credit = self._accounts[debit_account], self._accounts[credit_account]
        if debit.purse != credit.purse:
            raise Refused("LEDGER_CROSS_PURSE", debit=debit.purse, credit=credit.purse)
        moved, held = (0, amount_fen) if kind == "hold" else (amount_fen, -held_fen)
        debit_fen = debit.debited - debit.credited
        credit_fen = credit.debited - credit.credited
        if debit.limit is not None and debit_fen + moved + debit.debit_held + held > debit.limit:
            raise Refused("LEDGER_LIMIT", account=debit_account, limit_fen=debit.limit)
        if credit.limit is not None and credit_fen - moved + credit.debit_held > credit.limit:
            raise Refused("LEDGER_LIMIT", account=credit_account, limit_fen=credit.limit)
        row = TransferRow(
            self._transfer_id(act_id, leg), kind, self._tx.now_at, month, subject_id,
            debit.purse, debit_account, credit_account, amount_fen, hold_id, held_fen,
            debit_fen, debit.version, credit_fen, credit.version,
        )  # fmt: skip
        debit.debited += moved
        debit.debit_held += held
        debit.version += 1
        credit.credited += moved
        credit.credit_held += held
        credit.version += 1
        if kind != "direct":
            self._follow(row)
        return row

    def _transfer_id(self, act_id: str, leg: int) -> bytes:
        act = self._acts.get(act_id)
        if act is None:
            act = self._acts[act_id] = ids.uuid7_bytes(act_id)
        return ids.leg_id(act, leg)

    def _closing(self, order: Order, kind: Kind, hold_id: bytes) -> tuple[Order, int]:
        """Return the order that closes a hold, and what the hold reserved."""
        held = self._held.get(hold_id)
        if held is None or self._closed_by.get(hold_id) is not None:
            raise Refused("LEDGER_HOLD_CLOSED", hold=hold_id.hex())
        accounts = held.debit_account, held.credit_account
        if kind == "void":
            order = Order(order.act_id, order.leg, held.subject_id, held.month, *accounts, 0)
        elif order.amount_fen > held.amount_fen:
            facts = {"amount_fen": order.amount_fen, "held_fen": held.amount_fen}
            raise Refused("LEDGER_OVER_HOLD", **facts)
        assert (order.debit_account, order.credit_account) == accounts, (
            "a hold is posted between its own accounts"
        )
        return order, held.amount_fen

    def _follow(self, row: TransferRow) -> None:
        """Note a new hold, or that one is closed."""
        if row.hold_id is None:
            self._held[row.transfer_id] = row
            self._closed_by[row.transfer_id] = None
        else:
            self._closed_by[row.hold_id] = row.transfer_id

    def _take_back(self, row: TransferRow) -> None:
        """Undo one row of a refused command; those after it are undone already."""
        is_hold = row.kind == "hold"
        moved, held = (0, row.amount_fen) if is_hold else (row.amount_fen, -row.held_fen)
        debit, credit = self._accounts[row.debit_account], self._accounts[row.credit_account]
        debit.debited -= moved
        debit.debit_held -= held
        debit.version -= 1
        credit.credited -= moved
        credit.credit_held -= held
        credit.version -= 1
        if is_hold:
            del self._held[row.transfer_id], self._closed_by[row.transfer_id]
        elif row.hold_id is not None:
            self._closed_by[row.hold_id] = None

    # storing

    def write(self, *, early: bool = False) -> None:
        """Put everything that the batch changes; a batch of nothing changes nothing.

        `early`: nobody refuses any more, so that the store may begin before all is summed up.
        """
        rows, tx = self._rows, self._tx
        if not rows:
            return
        transfers = {(row.transfer_id,): row for row in rows}
        assert len(transfers) == len(rows), "a leg of an act is posted once"
        tx.add_many(TRANSFERS, transfers)
        if early:
            tx.write_early(TRANSFERS, transfers)
        touched = {row.debit_account for row in rows} | {row.credit_account for row in rows}
        accounts = {(name,): self._accounts[name].row(name) for name in sorted(touched)}
        tx.put_many(ACCOUNTS, accounts)
        if self._closed_by:
            self._write_holds()
        ledger_totals.count_many(tx, rows)
        _append(tx, rows)

    def _write_holds(self) -> None:
        holds = {
            (hold_id,): HoldRow(hold_id, self._held[hold_id].subject_id, closed_by)
            for hold_id, closed_by in self._closed_by.items()
        }
        self._tx.put_many(HOLDS, holds)


# the journal


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a leaf: `entries` is, in hex, each transfer's id and its salted digest."""

    count: int
    entries: str


class Opening(NamedTuple):
    """What shows one transfer of a leaf to somebody: its salt and its content."""

    salt: bytes
    content: bytes


def _append(tx: Transaction, rows: Sequence[TransferRow]) -> None:
    """Append one leaf for all these transfers."""
    leaf_salt = tx.home.entropy.bytes(journal.SALT_BYTES)
    seed = _seed(tx.home.ring, leaf_salt)
    sha256 = hashlib.sha256
    entries = []
    for row in rows:
        salt = sha256(seed + row.transfer_id).digest()[:SALT_BYTES]
        entries.append(row.transfer_id + sha256(salt + content_of(row)).digest())
    listed = Listed(len(rows), b"".join(entries).hex())
    content_id = rows[0].transfer_id.hex()
    journal.append(tx, TRANSFERS_KIND, content_id, canonical.encode(listed), salt=leaf_salt)


def _seed(ring: KeyRing, leaf_salt: bytes) -> bytes:
    # From the node's key, so that who is shown the leaf cannot make the others' salts; from the
    # leaf's salt, so that when that is erased nobody can.
    return hmac.digest(ring.mac_key, _SEED_DOMAIN + leaf_salt, "sha256")


def digests_of(body: bytes) -> dict[bytes, bytes]:
    """Return each transfer's salted digest by its id, from the content of a leaf.

    Refuses SCHEMA_MISMATCH for what is no such content, and what `canonical.decode` refuses.
    """
    listed = canonical.decode_as(body, Listed)
    if _ENTRIES.fullmatch(listed.entries) is None:
        raise Refused("SCHEMA_MISMATCH", where="$.entries", what="ids and digests in hex")
    raw = bytes.fromhex(listed.entries)
    entries = [raw[at : at + _ENTRY_BYTES] for at in range(0, len(raw), _ENTRY_BYTES)]
    digests = {entry[:16]: entry[16:] for entry in entries}
    if not len(entries) == len(digests) == listed.count:
        raise Refused("SCHEMA_MISMATCH", where="$.count", what="the number of different ids")
    return digests


class Batched:
    """A leaf of kind `transfers`, read back."""

    def __init__(self, ring: KeyRing, leaf_salt: bytes, body: bytes) -> None:
        self._seed = _seed(ring, leaf_salt)
        self.digests = digests_of(body)
        """Every transfer's salted digest by its id, in the order in which they were made."""

    def opening(self, row: TransferRow) -> Opening:
        """Return what shows one transfer: SHA-256(salt ‖ content) is its digest in the leaf."""
        salt = hashlib.sha256(self._seed + row.transfer_id).digest()[:SALT_BYTES]
        return Opening(salt, content_of(row))

    def holds(self, row: TransferRow) -> bool:
        """Say whether the leaf has this transfer, to the last column."""
        digest = self.digests.get(row.transfer_id)
        return digest is not None and shows(self.opening(row), digest)


def shows(opening: Opening, digest: bytes) -> bool:
    """Say whether the opening is what the digest in a leaf's content commits to."""
    return hashlib.sha256(opening.salt + opening.content).digest() == digest


def batched(reading: Reading, ring: KeyRing, content_id: str) -> Batched | None:
    """Return a leaf of kind `transfers`, or None when its content is no more."""
    found = journal.salted(reading, ring, TRANSFERS_KIND, content_id)
    return None if found is None else Batched(ring, *found)


def leaf_of_transfer(reading: Reading, ring: KeyRing, row: TransferRow) -> LeafRow | None:
    """Return the leaf that has this transfer, its own or its batch's; None if there is none."""
    own = journal.leaf_of(reading, TRANSFER_KIND, row.transfer_id.hex())
    if own is not None:
        return own
    # A leaf is of the commit's instant, as its transfers are; few commits share one.
    for leaf in reading.select(journal.JOURNAL_LEAVES, kind=TRANSFERS_KIND, at=row.at):
        batch = batched(reading, ring, leaf.content_id)
        if batch is not None and row.transfer_id in batch.digests:
            return leaf
    return None
