"""The envelopes of one stay in order, each with its evidence in this node's journal."""

import msgspec

from tongcheng.kernel import journal
from tongcheng.kernel.exchange.acts import REFUSED_TYPE
from tongcheng.kernel.exchange.tables import (
    ACT_SENT,
    ACT_TAKEN,
    CHANNELS,
    SENT,
    TAKEN,
    SentRow,
    TakenRow,
)
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.model import SETTLE, SETTLED, VOID, VOIDED
from tongcheng.services.settlement.views import ChainStep, Signature, StepKind

_KINDS: dict[str, StepKind] = {
    SETTLE: "settle",
    SETTLED: "settled",
    VOID: "void",
    VOIDED: "voided",
    REFUSED_TYPE: "refused",
}


def of_case(snapshot: Snapshot, home: Home, case_id: str) -> tuple[ChainStep, ...]:
    """Return the acts sent and taken for one stay, in the order of this node's journal."""
    sent = [_sent(snapshot, home, row) for row in snapshot.select(SENT, case_id=case_id)]
    taken = [_taken(snapshot, home, row) for row in snapshot.select(TAKEN, case_id=case_id)]
    steps = [step for step in (*sent, *taken) if step is not None]
    return tuple(sorted(steps, key=lambda step: -1 if step.leaf is None else step.leaf))


def answer_digest(snapshot: Snapshot, home: Home, settle_id: str) -> tuple[str, bool]:
    """Return the digest of the answer to a settle, and whether both sides have it.

    An answer that came to us was signed by the other side. One that we sent is with the other side
    once its signed acknowledgement covers it.
    """
    for taken in snapshot.select(TAKEN, reply_to=settle_id):
        return taken.digest, True
    for sent in snapshot.select(SENT, reply_to=settle_id):
        channel = snapshot.get(CHANNELS, home.member_id, sent.dst)
        assert channel is not None, "an act was sent on this channel"
        return sent.digest, sent.seq <= channel.acknowledged_seq
    return "", False


def _sent(snapshot: Snapshot, home: Home, row: SentRow) -> ChainStep | None:
    channel = snapshot.get(CHANNELS, home.member_id, row.dst)
    assert channel is not None, "an act was sent on this channel"
    is_taken = row.seq <= channel.acknowledged_seq
    step = _step(snapshot, row, ACT_SENT, (home.member_id, row.dst), row.made_at)
    if step is None:
        return None
    signature: Signature = "own" if is_taken else "waiting"
    return msgspec.structs.replace(step, signature=signature, kid=home.ring.signing.kid)


def _taken(snapshot: Snapshot, home: Home, row: TakenRow) -> ChainStep | None:
    return _step(snapshot, row, ACT_TAKEN, (row.src, home.member_id), row.taken_at)


def _step(
    snapshot: Snapshot, row: SentRow | TakenRow, leaf_kind: str, way: tuple[str, str], at: int
) -> ChainStep | None:
    """Return an act as a step, or None for a type that the page does not tell of."""
    if row.type not in _KINDS:
        return None
    leaf = journal.leaf_of(snapshot, leaf_kind, row.envelope_id)
    sender, receiver = way
    return ChainStep(
        kind=_KINDS[row.type],
        envelope_id=row.envelope_id,
        sender=sender,
        receiver=receiver,
        seq=row.seq,
        digest=row.digest,
        at=at,
        signature="verified",
        leaf=None if leaf is None else leaf.leaf_index,
    )
