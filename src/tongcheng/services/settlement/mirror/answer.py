"""Answering a peer that compares its books with ours: from a read connection, bounded."""

from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.model import (
    LINES_MAX,
    ROWS_MAX,
    SIDED,
    SUMS_MAX,
    LinesOf,
    PurseSum,
    SidedBody,
    SidesAsk,
    held_row,
)
from tongcheng.services.settlement.mirror.own import Books


def answer_sides(snapshot: Snapshot, home: Home, asked: Envelope, body: SidesAsk) -> Reply:
    """Tell what our books say of the stays between the asking member and us.

    Refuses SIDES_PAIR for hospitals of a third member: what they are owed is not the asker's.
    """
    if body.visited not in {asked.src, home.member_id}:
        raise Refused("SIDES_PAIR", visited=body.visited, asked_by=asked.src)
    books = own.books_of(home.member_id, asked.src, body.visited)
    if body.lines is not None:
        return Reply(SIDED, _lines(snapshot, books, body.lines))
    if body.settlements:
        rows = own.rows(snapshot, books, body.settlements)
        return Reply(SIDED, SidedBody(visited=books.visited, rows=[held_row(row) for row in rows]))
    return Reply(SIDED, _sums(snapshot, books, body))


def _sums(snapshot: Snapshot, books: Books, body: SidesAsk) -> SidedBody:
    shown, earlier = cut(own.sums(snapshot, books, body.from_month, body.to_month))
    waiting = own.open_ids(snapshot, books)
    return SidedBody(
        visited=books.visited,
        sums=shown,
        earlier=earlier,
        rows=[held_row(row) for row in own.rows(snapshot, books, waiting[:ROWS_MAX])],
        open_count=len(waiting),
    )


def cut(sums: list[PurseSum], most: int = SUMS_MAX) -> tuple[list[PurseSum], str | None]:
    """Return the latest whole months that fit, and the month to go on with.

    A month is never split: an accord names fewer purses than fit into one answer.
    """
    if len(sums) <= most:
        return sums, None
    earlier = sums[most].month
    return [one for one in sums[:most] if one.month > earlier], earlier


def _lines(snapshot: Snapshot, books: Books, asked: LinesOf) -> SidedBody:
    after = b"" if asked.after is None else bytes.fromhex(asked.after)
    found = own.movements(
        snapshot, books, asked.purse, asked.month, after=after, most=LINES_MAX + 1
    )
    shown = found[:LINES_MAX]
    return SidedBody(
        visited=books.visited,
        lines=[own.line_of(books, row) for row in shown],
        next_after=shown[-1].transfer_id.hex() if len(found) > LINES_MAX else None,
    )
