"""One purse's month, line by line: what moved it, in the order of time."""

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger import TRANSFERS, TransferRow
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.ledger.data import Line, Side, side_of
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.purse_names import PurseNames
from tongcheng.services.settlement.statements import month_at
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, ClaimRow, DecisionRow

PAGE_ROWS = 50
FILE_ROWS = 10_000


class Movement(msgspec.Struct, frozen=True):
    """One transfer: positive when settled, negative when taken back.

    `stay_id` and `envelope_id` are empty for money that belongs to no settlement.
    """

    transfer_id: str
    at: int
    settlement_id: str
    stay_id: str
    envelope_id: str
    amount_fen: int


class PursePage(msgspec.Struct, frozen=True):
    """A purse's month of one pair; `before` leads to the next page."""

    line: Line
    side: Side
    movements: tuple[Movement, ...]
    before: str | None
    first: bool
    over: bool


def purse_page(
    snapshot: Snapshot,
    home: Home,
    key: tuple[str, str],
    before: bytes | None,
    now_at: int,
    *,
    most: int = PAGE_ROWS,
) -> PursePage:
    """Return a purse's month (`key`), latest first; refuses PURSE_NOT_BOOKED."""
    purse, month = key
    names = PurseNames(home)
    for books in _books(home, names.of(purse).member):
        side = side_of(snapshot, books, month, names)
        line = next((one for one in side.lines if one.name.purse == purse), None)
        if line is not None:
            rows = _rows(snapshot, books, key, before, most + 1)
            shown = rows[:most]
            return PursePage(
                line=line,
                side=side,
                movements=tuple(_movement(snapshot, books, row) for row in shown),
                before=shown[-1].transfer_id.hex() if len(rows) > most else None,
                first=before is None,
                over=month < month_at(now_at, home.region.zone),
            )
    raise Refused("PURSE_NOT_BOOKED", purse=ascii(purse[:80]), month=ascii(month[:16]))


def _books(home: Home, owner: str) -> list[Books]:
    """Return the books a purse may stand in: its owner's due, here or towards each peer."""
    me = home.member_id
    if owner != me:
        return [own.books_of(me, owner, me)] if owner else []
    return [own.books_of(me, peer, peer) for peer in home.accord.peers(me)]


def _rows(
    snapshot: Snapshot, books: Books, key: tuple[str, str], before: bytes | None, most: int
) -> list[TransferRow]:
    table, account = TRANSFERS.c, books.prefix + key[0]
    found = [
        sa.or_(table.debit_account == account, table.credit_account == account),
        table.month == key[1],
        table.kind != "hold",
        table.amount_fen > 0,
    ]
    found += [] if before is None else [table.transfer_id < before]
    query = TRANSFERS.table.select().where(*found).order_by(table.transfer_id.desc())
    return snapshot.fetch(TRANSFERS, query.limit(most))


def _movement(snapshot: Snapshot, books: Books, row: TransferRow) -> Movement:
    line = own.line_of(books, row)
    found: ClaimRow | DecisionRow | None = snapshot.get(CLAIMS, row.subject_id)
    if not books.is_visited:
        found = snapshot.get(DECISIONS, books.visited, row.subject_id)
    stay_id = envelope_id = ""
    if found is not None:
        stay_id = found.stay_id
        envelope_id = found.settle_id if line.amount_fen > 0 else (found.void_id or "")
    return Movement(
        row.transfer_id.hex(), row.at, row.subject_id, stay_id, envelope_id, line.amount_fen
    )
