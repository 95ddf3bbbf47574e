"""The node's own looking into the mirror: every peer, both directions, again and again.

A peer that was silent is tried every few seconds, so that a channel that recovers is seen at once.
Where something is open, or our books have moved, it looks sooner than where all is at rest.
"""

import asyncio
from functools import partial
from typing import Final

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger import TRANSFERS
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Job
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.services.settlement.mirror import own, store
from tongcheng.services.settlement.mirror.look import look
from tongcheng.services.settlement.mirror.model import SIDED, SIDES
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.store import MIRRORS, MirrorRow

TICK_S: Final = 5.0
SILENT_MS: Final = 10_000
MOVING_MS: Final = 30_000
RESTING_MS: Final = 300_000
"""How long after the last look it looks again: at who is silent, at what moves, at what rests."""

NOT_KNOWN: Final = frozenset({"TYPE_NOT_PERMITTED", "TYPE_UNKNOWN"})


async def look_at_all(node: RunningNode) -> None:
    """Look at every pair that is due."""
    if node.home.accord_in_force is None:
        return
    peers = node.home.accord.peers(node.home.member_id)
    await asyncio.gather(*(_look_at_peer(node, peer) for peer in peers))


async def _look_at_peer(node: RunningNode, peer: str) -> None:
    member_id = node.home.member_id
    for visited in (member_id, peer):
        books = own.books_of(member_id, peer, visited)
        row, mark = await node.read(partial(_before, books=books))
        if is_due(row, mark, node.clock.now()):
            found = await look_once(node, books, row or _never(books), mark)
            await node.run(partial(_keep, row=found))


def _before(snapshot: Snapshot, books: Books) -> tuple[MirrorRow | None, bytes]:
    query = sa.select(sa.func.max(TRANSFERS.c.transfer_id))
    return store.last(snapshot, books), snapshot.query(query)[0][0] or b""


def _keep(tx: Transaction, row: MirrorRow) -> None:
    tx.put(MIRRORS, row)


def _never(books: Books) -> MirrorRow:
    return MirrorRow(books.visited, books.insured, "silent", "", 0, None, None, b"", b"")


def is_due(row: MirrorRow | None, mark: bytes, now_at: int) -> bool:
    """Tell whether to look again."""
    if row is None:
        return True
    seen = store.seen_in(row)
    pause_ms = RESTING_MS
    if row.state == "silent":
        pause_ms = SILENT_MS
    elif seen is not None and (seen.open_count or seen.findings or row.mark != mark):
        pause_ms = MOVING_MS
    return now_at - row.asked_at >= pause_ms


async def look_once(node: RunningNode, books: Books, before: MirrorRow, mark: bytes) -> MirrorRow:
    """Look at one pair and return what to keep of it."""
    now_at = node.clock.now()
    asked = msgspec.structs.replace(before, asked_at=now_at, silent_since_at=None, code="")
    if not permits(node.home, books.peer):
        return msgspec.structs.replace(asked, state="not_permitted")
    try:
        seen = await look(node, books)
    except Unreachable:
        since_at = now_at if before.silent_since_at is None else before.silent_since_at
        return msgspec.structs.replace(asked, state="silent", silent_since_at=since_at)
    except PeerRefused as refusal:
        state = "not_permitted" if refusal.code in NOT_KNOWN else "refused"
        return msgspec.structs.replace(asked, state=state, code=refusal.code[:80])
    return msgspec.structs.replace(
        asked,
        state="seen",
        seen_at=now_at,
        seen=store.packed(seen),
        mark=mark,
    )


def permits(home: Home, peer: str) -> bool:
    """Tell whether the accord in force lets us ask, and the peer answer."""
    try:
        accord = home.accord_permitting(SIDES, peer, is_answer=False)
    except Refused:
        return False
    return accord.permits_type(SIDED, peer, home.member_id)


MIRROR = Job("mirror", TICK_S, look_at_all)
