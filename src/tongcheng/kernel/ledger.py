"""Money between organisations: double entry, purse by purse, in integer fen (复式记账，专款专用).

One row per transfer holds the amount, both accounts and what each side's balance and version were
before, so that any balance can be recomputed and any missing row is noticed. A `hold` reserves an
amount until a `post` of at most that amount, or a `void`, closes it; a hold between two nodes
never expires. Every account belongs to one purse, and a transfer between two purses is refused by
name: insurance money never meets river money, employee money never resident money.
"""

from typing import Literal

import msgspec

from tongcheng.kernel import canonical, ids, journal, ledger_totals
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import FEN_MAX
from tongcheng.kernel.store import Records, Transaction

TRANSFER_KIND = "transfer"

Kind = Literal["direct", "hold", "post", "void"]


class AccountRow(msgspec.Struct, frozen=True, gc=False):
    """One account: what was debited and credited, what is held either way (all fen, all ≥ 0).

    `limit_fen` bounds debits minus credits, holds included; None is no limit.
    """

    account_id: str
    purse: str
    debited_fen: int
    credited_fen: int
    debit_held_fen: int
    credit_held_fen: int
    version: int
    limit_fen: int | None

    @property
    def balance_fen(self) -> int:
        """Return debits minus credits, without holds."""
        return self.debited_fen - self.credited_fen


class TransferRow(msgspec.Struct, frozen=True, gc=False):
    """One transfer; `transfer_id` orders by time and derives from the envelope and the leg.

    `hold_id` names the hold that a post or void closes, `held_fen` what that hold reserved.
    `subject_id` is the case or settlement it belongs to, `month` (YYYY-MM) its accounting month.
    """

    transfer_id: bytes
    kind: str
    at: int
    month: str
    subject_id: str
    purse: str
    debit_account: str
    credit_account: str
    amount_fen: int
    hold_id: bytes | None
    held_fen: int
    debit_before_fen: int
    debit_version: int
    credit_before_fen: int
    credit_version: int


class HoldRow(msgspec.Struct, frozen=True, gc=False):
    """Whether a hold is still open: `closed_by` is the post or void, None while it is open."""

    hold_id: bytes
    subject_id: str
    closed_by: bytes | None


ACCOUNTS = Records("ledger_accounts", AccountRow, key=("account_id",), clustered=True, kept=True)
TRANSFERS = Records(
    "ledger_transfers",
    TransferRow,
    key=("transfer_id",),
    indexes=(("subject_id",), ("debit_account", "month"), ("credit_account", "month")),
    clustered=True,
    only_grows=True,
)
HOLDS = Records(
    "ledger_holds", HoldRow, key=("hold_id",), indexes=(("subject_id",),), clustered=True
)


class Order(msgspec.Struct, frozen=True, gc=False):
    """A transfer to be made: from which act, which leg of it, and what it moves."""

    act_id: str
    leg: int
    subject_id: str
    month: str
    debit_account: str
    credit_account: str
    amount_fen: int


def open_account(
    tx: Transaction, account_id: str, purse: str, limit_fen: int | None = None
) -> AccountRow:
    """Return the account, opened now if it is new; its purse never changes."""
    row = tx.get(ACCOUNTS, account_id)
    if row is None:
        row = AccountRow(account_id, purse, 0, 0, 0, 0, 0, limit_fen)
        tx.put(ACCOUNTS, row)
    assert row.purse == purse, f"{account_id} is of purse {row.purse}, not {purse}"
    return row


def transfer(tx: Transaction, order: Order) -> TransferRow:
    """Move an amount at once."""
    return _record(tx, order, "direct", None)


def hold(tx: Transaction, order: Order) -> TransferRow:
    """Reserve an amount until `post` or `void`."""
    row = _record(tx, order, "hold", None)
    tx.add(HOLDS, HoldRow(hold_id=row.transfer_id, subject_id=order.subject_id, closed_by=None))
    return row


def post(tx: Transaction, hold_id: bytes, order: Order) -> TransferRow:
    """Close a hold by moving at most what it reserved, between the same accounts."""
    held = _open_hold(tx, hold_id)
    if order.amount_fen > held.amount_fen:
        raise Refused("LEDGER_OVER_HOLD", amount_fen=order.amount_fen, held_fen=held.amount_fen)
    assert (order.debit_account, order.credit_account) == (
        held.debit_account,
        held.credit_account,
    ), "a hold is posted between its own accounts"
    return _close(tx, held, order, "post")


def void(tx: Transaction, hold_id: bytes, *, act_id: str, leg: int) -> TransferRow:
    """Close a hold without moving anything."""
    held = _open_hold(tx, hold_id)
    order = Order(
        act_id=act_id,
        leg=leg,
        subject_id=held.subject_id,
        month=held.month,
        debit_account=held.debit_account,
        credit_account=held.credit_account,
        amount_fen=0,
    )
    return _close(tx, held, order, "void")


def open_holds(tx: Transaction, subject_id: str) -> list[TransferRow]:
    """Return the holds of one subject that nothing has closed yet."""
    rows = tx.select(HOLDS, subject_id=subject_id)
    return [tx.need(TRANSFERS, row.hold_id) for row in rows if row.closed_by is None]


def _open_hold(tx: Transaction, hold_id: bytes) -> TransferRow:
    row = tx.get(HOLDS, hold_id)
    if row is None or row.closed_by is not None:
        raise Refused("LEDGER_HOLD_CLOSED", hold=hold_id.hex())
    return tx.need(TRANSFERS, hold_id)


def _close(tx: Transaction, held: TransferRow, order: Order, kind: Kind) -> TransferRow:
    row = _record(tx, order, kind, held)
    closed = HoldRow(
        hold_id=held.transfer_id, subject_id=held.subject_id, closed_by=row.transfer_id
    )
    tx.put(HOLDS, closed)
    return row


def _record(tx: Transaction, order: Order, kind: Kind, held: TransferRow | None) -> TransferRow:
    """Write one transfer, both accounts and its leaf; refuse what must not be moved."""
    if not 0 <= order.amount_fen <= FEN_MAX:
        raise Refused("LEDGER_AMOUNT", amount_fen=order.amount_fen)
    assert order.debit_account != order.credit_account, "a transfer has two accounts"
    debit = tx.need(ACCOUNTS, order.debit_account)
    credit = tx.need(ACCOUNTS, order.credit_account)
    if debit.purse != credit.purse:
        raise Refused("LEDGER_CROSS_PURSE", debit=debit.purse, credit=credit.purse)
    row = TransferRow(
        transfer_id=ids.transfer_id(order.act_id, order.leg),
        kind=kind,
        at=tx.now_at,
        month=order.month,
        subject_id=order.subject_id,
        purse=debit.purse,
        debit_account=debit.account_id,
        credit_account=credit.account_id,
        amount_fen=order.amount_fen,
        hold_id=None if held is None else held.transfer_id,
        held_fen=0 if held is None else held.amount_fen,
        debit_before_fen=debit.balance_fen,
        debit_version=debit.version,
        credit_before_fen=credit.balance_fen,
        credit_version=credit.version,
    )
    after_debit, after_credit = apply(debit, credit, row)
    _check_limit(after_debit)
    _check_limit(after_credit)
    tx.add(TRANSFERS, row)
    tx.put(ACCOUNTS, after_debit)
    tx.put(ACCOUNTS, after_credit)
    ledger_totals.count(tx, row)
    journal.append(tx, TRANSFER_KIND, row.transfer_id.hex(), content_of(row))
    return row


class TransferContent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A transfer as the journal writes it: TransferRow's columns by name, bytes in hex."""

    amount_fen: int
    at: int
    credit_account: str
    credit_before_fen: int
    credit_version: int
    debit_account: str
    debit_before_fen: int
    debit_version: int
    held_fen: int
    hold_id: str | None
    kind: str
    month: str
    purse: str
    subject_id: str
    transfer_id: str


assert sorted(TransferRow.__struct_fields__) == list(TransferContent.__struct_fields__)
_encode = msgspec.json.Encoder().encode


def content_of(row: TransferRow) -> bytes:
    """Return the transfer as the journal keeps it, in canonical bytes."""
    content = TransferContent(
        row.amount_fen, row.at, row.credit_account, row.credit_before_fen, row.credit_version,
        row.debit_account, row.debit_before_fen, row.debit_version, row.held_fen,
        None if row.hold_id is None else row.hold_id.hex(), row.kind, row.month, row.purse,
        row.subject_id, row.transfer_id.hex(),
    )  # fmt: skip
    try:
        raw = _encode(content)
    except UnicodeEncodeError:
        return canonical.encode(content)
    # What needs a second look is left to the slow way, which refuses it by name.
    most = canonical.INTEGER_MAX
    exact = -most <= row.debit_before_fen <= most and -most <= row.credit_before_fen <= most
    return raw if exact and b"\\u0000" not in raw else canonical.encode(content)


def apply(debit: AccountRow, credit: AccountRow, row: TransferRow) -> tuple[AccountRow, AccountRow]:
    """Return both accounts after the transfer: the one arithmetic, for writing and verifying."""
    moved = 0 if row.kind == "hold" else row.amount_fen
    held = row.amount_fen if row.kind == "hold" else -row.held_fen
    after_debit = AccountRow(
        debit.account_id, debit.purse, debit.debited_fen + moved, debit.credited_fen,
        debit.debit_held_fen + held, debit.credit_held_fen, debit.version + 1, debit.limit_fen,
    )  # fmt: skip
    after_credit = AccountRow(
        credit.account_id, credit.purse, credit.debited_fen, credit.credited_fen + moved,
        credit.debit_held_fen, credit.credit_held_fen + held, credit.version + 1, credit.limit_fen,
    )  # fmt: skip
    return after_debit, after_credit


def _check_limit(row: AccountRow) -> None:
    if row.limit_fen is not None and row.balance_fen + row.debit_held_fen > row.limit_fen:
        raise Refused("LEDGER_LIMIT", account=row.account_id, limit_fen=row.limit_fen)
