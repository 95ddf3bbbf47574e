"""What an operator must see of the exchange: what waits, what does not move, what is parked."""

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.exchange.tables import CHANNELS, PARKED, SENT, TAKEN, TROUBLES
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot


class ChannelStatus(msgspec.Struct, frozen=True):
    """Both directions with one peer.

    `waiting` acts are not acknowledged, the oldest since `waiting_since_at`; `unanswered` ones are
    acknowledged or not, but no answer has come. `trouble` is the peer's last refusal of our batch
    while it lasts: the act at `acknowledged_seq + 1` and all after it are then dead letters.
    `parked` acts of the peer's wait for software that knows their type.
    """

    peer: str
    sent_seq: int
    acknowledged_seq: int
    taken_seq: int
    waiting: int
    waiting_since_at: int | None
    unanswered: int
    parked: int
    trouble: str | None
    trouble_detail: str
    trouble_attempts: int


def channels(snapshot: Snapshot, home: Home) -> list[ChannelStatus]:
    """Return the state of the exchange with every peer of the accord in force."""
    parked = _parked(snapshot)
    return [
        _channel(snapshot, home, peer, parked.get(peer, 0))
        for peer in home.accord.peers(home.member_id)
    ]


def _parked(snapshot: Snapshot) -> dict[str, int]:
    """Return how many acts are parked, by peer: few are, so all are counted at once."""
    parked = sa.select(TAKEN.c.src, sa.func.count()).where(TAKEN.c.outcome == PARKED)
    return dict(snapshot.query(parked.group_by(TAKEN.c.src)))


def _channel(snapshot: Snapshot, home: Home, peer: str, parked: int) -> ChannelStatus:
    outgoing = snapshot.get(CHANNELS, home.member_id, peer)
    incoming = snapshot.get(CHANNELS, peer, home.member_id)
    sent_seq = 0 if outgoing is None else outgoing.next_seq - 1
    acknowledged = 0 if outgoing is None else outgoing.acknowledged_seq
    oldest = snapshot.get(SENT, peer, acknowledged + 1)
    trouble = snapshot.get(TROUBLES, peer)
    lasting = trouble if trouble is not None and trouble.attempts > 0 else None
    unanswered = sa.select(sa.func.count()).where(
        SENT.c.dst == peer, SENT.c.reply_to.is_(None), SENT.c.answer_id.is_(None)
    )
    return ChannelStatus(
        peer=peer,
        sent_seq=sent_seq,
        acknowledged_seq=acknowledged,
        taken_seq=0 if incoming is None else incoming.next_seq - 1,
        waiting=sent_seq - acknowledged,
        waiting_since_at=None if oldest is None else oldest.made_at,
        unanswered=snapshot.query(unanswered)[0][0],
        parked=parked,
        trouble=None if lasting is None else lasting.code,
        trouble_detail="" if lasting is None else lasting.detail,
        trouble_attempts=0 if lasting is None else lasting.attempts,
    )
