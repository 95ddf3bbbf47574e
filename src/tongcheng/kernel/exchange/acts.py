"""Sending and taking acts, inside the writer's transaction."""

import msgspec

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.envelope import Envelope, Opened, Received, Statement
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import (
    ACT_SENT,
    ACT_TAKEN,
    APPLIED,
    CHANNELS,
    PARKED,
    REFUSED,
    SENT,
    TAKEN,
    ChannelRow,
    SentRow,
    TakenRow,
)
from tongcheng.kernel.service import Act, Registry, Reply
from tongcheng.kernel.store import StoredValueDamaged, Transaction

REFUSED_TYPE = "exchange.refused/1"
PARKED_TYPE = "exchange.parked/1"


class RefusedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision not to do what an act asked: a stable code and the facts it names."""

    code: str
    facts: dict[str, str | int]


class ParkedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The act is kept unread: this node does not know its type yet."""

    type: str


def channel(tx: Transaction, src: str, dst: str) -> ChannelRow:
    """Return the channel's row, or that of a channel not used yet."""
    row = tx.get(CHANNELS, src, dst)
    return row or ChannelRow(src=src, dst=dst, next_seq=1, acknowledged_seq=0)


def send(
    tx: Transaction,
    dst: str,
    reply: Reply,
    *,
    reply_to: str | None = None,
    case: str | None = None,
    not_after: int | None = None,
) -> Envelope:
    """Give an act its number and its place in the journal; the link sends it after the commit."""
    home = tx.home
    accord = home.accord_permitting(reply.type, dst, is_answer=reply_to is not None)
    row = channel(tx, home.member_id, dst)
    envelope = Envelope(
        id=tx.new_id(),
        src=home.member_id,
        dst=dst,
        seq=row.next_seq,
        type=reply.type,
        made_at=tx.now_at,
        accord=accord.digest(),
        body=msgspec.to_builtins(reply.body),
        reply_to=reply_to,
        case=case,
        not_after=not_after,
        rulebooks=list(reply.rulebooks),
    )
    raw = envelope.encoded()
    limit = accord.limits.body_bytes
    if len(raw) > limit:
        raise Refused("ENVELOPE_TOO_LARGE", bytes=len(raw), limit=limit)
    journal.append(tx, ACT_SENT, envelope.id, raw)
    sent = SentRow(
        dst=dst,
        seq=envelope.seq,
        envelope_id=envelope.id,
        type=envelope.type,
        reply_to=reply_to,
        case_id=case,
        digest=canonical.digest(raw),
        made_at=envelope.made_at,
        answer_id=None,
    )
    tx.add(SENT, sent)
    tx.put(CHANNELS, msgspec.structs.replace(row, next_seq=row.next_seq + 1))
    # A reply goes back inline with the answer to the batch; the link posts it only if that fails.
    tx.signal("outbox" if reply_to is None else "reply", dst)
    return envelope


def take(tx: Transaction, registry: Registry, opened: Opened) -> None:
    """Take a verified batch: note what the peer has acknowledged, then each act in order.

    Acts after a gap wait for the missing one. A batch whose first act already leaves a gap is
    refused with the number expected.
    """
    _acknowledge(tx, opened.statement)
    for position, received in enumerate(opened.received):
        envelope = received.envelope
        expected = channel(tx, envelope.src, envelope.dst).next_seq
        if envelope.seq > expected:
            if position == 0:
                raise Refused("EXPECTED_SEQ", expected=expected, found=envelope.seq)
            break
        if not _seen(tx, received, expected):
            _take_one(tx, registry, received, opened)


def _acknowledge(tx: Transaction, statement: Statement) -> None:
    """Note the highest of our acts that the peer has taken."""
    row = channel(tx, statement.dst, statement.src)
    if statement.acknowledged >= row.next_seq:
        raise Refused(
            "ACKNOWLEDGED_UNSENT", acknowledged=statement.acknowledged, sent=row.next_seq - 1
        )
    if statement.acknowledged > row.acknowledged_seq:
        tx.put(CHANNELS, msgspec.structs.replace(row, acknowledged_seq=statement.acknowledged))


def _seen(tx: Transaction, received: Received, expected: int) -> bool:
    """Tell whether this act was taken before; refuse an id or a number used for another."""
    envelope = received.envelope
    before = tx.get(TAKEN, envelope.id)
    if before is not None:
        if before.digest != received.digest or before.src != envelope.src:
            raise Refused("ENVELOPE_ID_REUSED", envelope=envelope.id)
        return True
    # The ids of transfers derive from the envelope's: a peer's must not be one of ours.
    if tx.select(SENT, envelope_id=envelope.id):
        raise Refused("ENVELOPE_ID_REUSED", envelope=envelope.id)
    if envelope.seq < expected:
        raise Refused("SEQ_ALREADY_TAKEN", seq=envelope.seq, expected=expected)
    return False


def _take_one(tx: Transaction, registry: Registry, received: Received, opened: Opened) -> None:
    """Apply one new act and store it with its outcome, its reply and its evidence."""
    envelope = received.envelope
    # Before what it causes: the journal then reads in the order of cause and effect.
    journal.append(tx, ACT_TAKEN, envelope.id, received.raw)
    outcome, code, reply = _apply(tx, registry, envelope)
    answer_id = None
    if reply is not None:
        case = envelope.case
        answer_id = send(tx, envelope.src, reply, reply_to=envelope.id, case=case).id
    row = TakenRow(
        envelope_id=envelope.id,
        src=envelope.src,
        seq=envelope.seq,
        type=envelope.type,
        reply_to=envelope.reply_to,
        case_id=envelope.case,
        digest=received.digest,
        taken_at=tx.now_at,
        outcome=outcome,
        refusal_code=code,
        answer_id=answer_id,
        statement=opened.statement.signed_bytes(),
        signature=bytes.fromhex(opened.signature),
        batch_index=received.index,
        path=b"".join(received.path),
    )
    tx.add(TAKEN, row)
    incoming = channel(tx, envelope.src, envelope.dst)
    tx.put(CHANNELS, msgspec.structs.replace(incoming, next_seq=envelope.seq + 1))
    if envelope.reply_to is not None and envelope.type != PARKED_TYPE:
        _note_answer(tx, envelope)


def unpark(tx: Transaction, registry: Registry) -> int:
    """Apply the acts that were parked before this software knew their type; return how many.

    They take effect now, channel by channel in the order they came, after whatever came since; the
    peer that was told PARKED gets the real answer. Run at every start.
    """
    rows = [row for row in tx.select(TAKEN, outcome=PARKED) if row.type in registry.acts]
    # By number, not by time: a clock that stepped back must not put a void before its settle.
    for row in sorted(rows, key=lambda row: (row.src, row.seq)):
        raw = journal.content(tx, tx.home.ring, ACT_TAKEN, row.envelope_id)
        assert raw is not None, f"the bytes of {row.envelope_id} were kept to be applied later"
        envelope = canonical.decode_as(raw, Envelope)
        outcome, code, reply = _apply(tx, registry, envelope)
        answer_id = row.answer_id
        if reply is not None:
            answer = send(tx, row.src, reply, reply_to=row.envelope_id, case=row.case_id)
            answer_id = answer.id
        applied = msgspec.structs.replace(
            row, outcome=outcome, refusal_code=code, answer_id=answer_id
        )
        tx.put(TAKEN, applied)
        if envelope.reply_to is not None:
            _note_answer(tx, envelope)
    return len(rows)


def _apply(
    tx: Transaction, registry: Registry, envelope: Envelope
) -> tuple[str, str | None, Reply | None]:
    """Run the act's handler: (outcome, refusal code, reply). A refusal changes nothing else."""
    is_answer = envelope.reply_to is not None
    try:
        with tx.all_or_nothing():
            if envelope.type in {REFUSED_TYPE, PARKED_TYPE}:
                _take_intrinsic(tx, registry, envelope)
                return APPLIED, None, None
            act = registry.acts.get(envelope.type)
            if act is None:
                body = ParkedBody(type=envelope.type)
                return PARKED, None, None if is_answer else Reply(PARKED_TYPE, body)
            if envelope.not_after is not None and tx.now_at > envelope.not_after:
                raise Refused("ACT_TOO_LATE", not_after=envelope.not_after, now=tx.now_at)
            reply = _run(tx, act, envelope)
            if is_answer and reply is not None:
                raise Refused("REPLY_TO_UNKNOWN", reply_to=str(envelope.reply_to))
            return APPLIED, None, reply
    except Refused as refusal:
        decision = RefusedBody(code=refusal.code, facts=dict(refusal.facts))
        return REFUSED, refusal.code, None if is_answer else Reply(REFUSED_TYPE, decision)


def _run(tx: Transaction, act: Act, envelope: Envelope) -> Reply | None:
    """Run the handler; a damaged row refuses an act that its sender can see refused.

    So one damaged row holds up what touches it and not the channel. Answers, and acts that cannot
    be refused, wait until the row is repaired: giving them up would leave the two sides apart.
    """
    try:
        return act.take(tx, envelope, canonical.convert(envelope.body, act.body))
    except StoredValueDamaged as damaged:
        if act.refused is None:
            raise
        raise Refused("STORED_VALUE_DAMAGED", table=damaged.table) from damaged


def _take_intrinsic(tx: Transaction, registry: Registry, envelope: Envelope) -> None:
    """Hand a peer's refusal of our act to the service that sent it."""
    original = sent_envelope(tx, envelope.dst, envelope.src, envelope.reply_to)
    if original is None:
        raise Refused("REPLY_TO_UNKNOWN", reply_to=str(envelope.reply_to))
    if envelope.type == PARKED_TYPE:
        return
    body = canonical.convert(envelope.body, RefusedBody)
    act = registry.acts.get(original.type)
    if act is not None and act.refused is not None:
        act.refused(tx, original, Refused(body.code, **body.facts))


def sent_envelope(tx: Transaction, src: str, dst: str, envelope_id: str | None) -> Envelope | None:
    """Return an envelope that we (src) sent to dst, from the journal's content."""
    if envelope_id is None:
        return None
    rows = tx.select(SENT, envelope_id=envelope_id)
    if not rows or rows[0].dst != dst:
        return None
    assert src == tx.home.member_id, "only our own envelopes are kept as sent"
    raw = journal.content(tx, tx.home.ring, ACT_SENT, envelope_id)
    return None if raw is None else canonical.decode_as(raw, Envelope)


def _note_answer(tx: Transaction, envelope: Envelope) -> None:
    """Mark our act as answered and wake whoever waits for it."""
    for row in tx.select(SENT, envelope_id=envelope.reply_to):
        if row.dst == envelope.src and row.answer_id is None:
            tx.put(SENT, msgspec.structs.replace(row, answer_id=envelope.id))
            tx.signal("answered", row.envelope_id)
