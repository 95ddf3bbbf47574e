"""What to send: the next batch for a peer, and the batch that answers a peer's batch."""

from collections.abc import Iterable
from typing import NamedTuple

from tongcheng.kernel import envelope as envelopes
from tongcheng.kernel import journal
from tongcheng.kernel.envelope import Opened, Received
from tongcheng.kernel.exchange.tables import ACT_SENT, CHANNELS, SENT, TAKEN, SentRow
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot


def waiting(
    snapshot: Snapshot, home: Home, peer: str, *, after: int | None = None
) -> list[SentRow]:
    """Return the acts that the peer has not acknowledged, at most one batch of them, in order."""
    row = snapshot.get(CHANNELS, home.member_id, peer)
    if row is None:
        return []
    start = row.acknowledged_seq if after is None else min(after, row.acknowledged_seq)
    end = min(row.next_seq, start + 1 + home.accord.limits.batch_envelopes)
    numbered = (snapshot.get(SENT, peer, seq) for seq in range(start + 1, end))
    return [row for row in numbered if row is not None]


def newest_seq(snapshot: Snapshot, home: Home, peer: str) -> int:
    """Return the number of the last act for a peer, 0 before the first."""
    row = snapshot.get(CHANNELS, home.member_id, peer)
    return 0 if row is None else row.next_seq - 1


class NextBatch(NamedTuple):
    """A signed batch, and the number of the first act in it."""

    first_seq: int
    raw: bytes


def next_batch(
    snapshot: Snapshot,
    home: Home,
    peer: str,
    *,
    now_at: int,
    overdue_seq: int,
    after: int | None = None,
) -> NextBatch | None:
    """Return the batch of what waits for a peer, or None.

    Replies after `overdue_seq` are on their way, with the answers to the peer's own posts: where
    nothing else waits, posting them too would bring each twice.
    """
    rows = waiting(snapshot, home, peer, after=after)
    if all(row.reply_to is not None and row.seq > overdue_seq for row in rows):
        return None
    return NextBatch(rows[0].seq, _pack(snapshot, home, peer, rows, now_at))


def acknowledgement(snapshot: Snapshot, home: Home, peer: str, *, now_at: int) -> bytes:
    """Return a batch without acts: it says what we have, so the answer brings what we have not."""
    return _pack(snapshot, home, peer, (), now_at)


def answer_batch(snapshot: Snapshot, home: Home, opened: Opened, *, now_at: int) -> bytes:
    """Return the batch that answers a peer's: what this batch does not acknowledge, in order.

    A peer that was restored from a backup acknowledges less than it once did, and is sent again
    what it lost. The stored replies to acts that came again are added, although they were
    acknowledged once: whoever asks the same again is told the same again.
    """
    peer = opened.statement.src
    acknowledged = opened.statement.acknowledged
    rows = {row.seq: row for row in waiting(snapshot, home, peer, after=acknowledged)}
    replied = {row.reply_to for row in rows.values()}
    again = [each for each in opened.received if each.envelope.id not in replied]
    for row in _replies(snapshot, peer, again):
        rows.setdefault(row.seq, row)
    limit = home.accord.limits.batch_envelopes
    chosen = [rows[seq] for seq in sorted(rows)][:limit]
    return _pack(snapshot, home, peer, chosen, now_at)


def _replies(snapshot: Snapshot, peer: str, came_again: Iterable[Received]) -> Iterable[SentRow]:
    for received in came_again:
        taken = snapshot.get(TAKEN, received.envelope.id)
        if taken is not None and taken.answer_id is not None:
            sent = snapshot.select(SENT, envelope_id=taken.answer_id)
            assert len(sent) == 1, f"the answer {taken.answer_id} was sent to {peer}"
            yield sent[0]


def _pack(snapshot: Snapshot, home: Home, peer: str, rows: Iterable[SentRow], now_at: int) -> bytes:
    incoming = snapshot.get(CHANNELS, peer, home.member_id)
    chosen: list[bytes] = []
    room = home.accord.limits.batch_bytes // 2
    for row in rows:
        raw = journal.content(snapshot, home.ring, ACT_SENT, row.envelope_id)
        assert raw is not None, f"the bytes of {row.envelope_id} are kept until acknowledged"
        room -= len(raw)
        if chosen and room < 0:
            break
        chosen.append(raw)
    return envelopes.pack(
        home.ring.signing,
        src=home.member_id,
        dst=peer,
        envelopes=chosen,
        acknowledged=0 if incoming is None else incoming.next_seq - 1,
        sent_at=now_at,
    )
