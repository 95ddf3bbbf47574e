"""A hospital's messages: the same one again gets the same answer, and can be reversed (2601).

Idempotency is (hospital, transaction, msgid). It is backed by the business key, because real
systems retry under a new msgid: the stay that is settled already is answered with its settlement.
A settlement stands as long as one message that was answered with it, or waits for it, stands:
reversing one of two messages of the same settlement takes nothing back, reversing both does.
"""

import hashlib
from collections.abc import Callable

import msgspec

from tongcheng.kernel import sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import visited
from tongcheng.services.settlement.store import CLAIMS, MESSAGES, MessageRow

OPEN = "open"
FINAL = "final"
REVERSED = "reversed"

REST = "REST"
"""Stands in for the transaction's number in messages of the REST interface."""
REVERSIBLE = frozenset({"2304", REST})
"""Transactions that may be reversed here; a list of data, not of code paths."""


class MessageKey(msgspec.Struct, frozen=True):
    """Who sent which transaction under which id."""

    institution_id: str
    infno: str
    msgid: str


def digest_of(content: bytes) -> str:
    """Return the digest that tells a repeated message from another one under its id."""
    return hashlib.sha256(content).hexdigest()


def _bound_to(key: MessageKey) -> str:
    return f"settlement_messages/{key.institution_id}/{key.infno}/{key.msgid}"


def known(reading: Reading, key: MessageKey, digest: str) -> MessageRow | None:
    """Return a message seen before; refuses one reversed, and its id used for another content."""
    row = reading.get(MESSAGES, key.institution_id, key.infno, key.msgid)
    if row is None:
        return None
    if row.state == REVERSED:
        raise Refused("MESSAGE_REVERSED", msgid=key.msgid, infno=key.infno)
    if row.digest != digest:
        raise Refused("MSGID_REUSED", msgid=key.msgid, infno=key.infno)
    return row


def begin(tx: Transaction, key: MessageKey, digest: str, subject_id: str) -> MessageRow:
    """Note a new message as under way, in the commit that does what it asks."""
    row = MessageRow(
        institution_id=key.institution_id,
        infno=key.infno,
        msgid=key.msgid,
        state=OPEN,
        digest=digest,
        subject_id=subject_id,
        answer=b"",
        at=tx.now_at,
    )
    tx.put(MESSAGES, row)
    return row


def finish(
    tx: Transaction, key: MessageKey, digest: str, subject_id: str | None, answer: bytes
) -> bytes:
    """Keep the final answer, or return the one kept before; refuses a message reversed since."""
    row = known(tx, key, digest)
    if row is not None and row.state == FINAL:
        return kept_answer(tx.home, row)
    sealed = sealing.seal(tx.home.ring, answer, _bound_to(key), tx.home.entropy)
    final = MessageRow(
        institution_id=key.institution_id,
        infno=key.infno,
        msgid=key.msgid,
        state=FINAL,
        digest=digest,
        subject_id=subject_id,
        answer=sealed,
        at=tx.now_at,
    )
    tx.put(MESSAGES, final)
    return answer


def once(
    tx: Transaction, key: MessageKey, digest: str, work: Callable[[Transaction], bytes]
) -> bytes:
    """Do what a message asks and keep its answer, in one commit; or return the answer kept.

    A refusal of `work` is no final answer: nothing is kept, and the message may come again.
    """
    row = known(tx, key, digest)
    if row is not None and row.state == FINAL:
        return kept_answer(tx.home, row)
    return finish(tx, key, digest, None, work(tx))


def answered(reading: Reading, home: Home, key: MessageKey, digest: str) -> bytes | None:
    """Return the final answer of a message, None without one; refuses as `known` does."""
    row = known(reading, key, digest)
    return None if row is None or row.state != FINAL else kept_answer(home, row)


def is_later(reading: Reading, key: MessageKey, settlement_id: str) -> bool:
    """Tell whether another message has been answered with this settlement before."""
    rows = reading.select(MESSAGES, subject_id=settlement_id)
    return any(
        row.state == FINAL and (row.infno, row.msgid) != (key.infno, key.msgid) for row in rows
    )


def kept_answer(home: Home, row: MessageRow) -> bytes:
    """Return the bytes that a final message was answered with."""
    assert row.state == FINAL, f"{row.msgid} is {row.state}"
    key = MessageKey(row.institution_id, row.infno, row.msgid)
    return sealing.unseal(home.ring, row.answer, _bound_to(key))


def reverse(tx: Transaction, caller: Caller, infno: str, msgid: str) -> str:
    """Reverse a message (冲正, 2601) and return what that meant.

    `unseen`: it had not come; a tombstone refuses it if it comes. `again`: reversed before.
    `stands`: another message vouches for the settlement. `cancelled`: the settlement is taken back.
    """
    if infno not in REVERSIBLE:
        raise Refused("REVERSAL_NOT_OFFERED", infno=ascii(infno[:6])[1:-1], offered="2304")
    key = MessageKey(caller.institution_id, infno, msgid)
    row = tx.get(MESSAGES, key.institution_id, key.infno, key.msgid)
    if row is None:
        tombstone = MessageRow(
            institution_id=key.institution_id,
            infno=key.infno,
            msgid=key.msgid,
            state=REVERSED,
            digest="",
            subject_id=None,
            answer=b"",
            at=tx.now_at,
        )
        tx.add(MESSAGES, tombstone)
        return "unseen"
    if row.state == REVERSED:
        return "again"
    tx.put(MESSAGES, msgspec.structs.replace(row, state=REVERSED, answer=b"", at=tx.now_at))
    claim = None if row.subject_id is None else tx.get(CLAIMS, row.subject_id)
    if claim is None or claim.state not in {"pending", "settled"}:
        return "cancelled"
    others = tx.select(MESSAGES, subject_id=claim.settlement_id)
    if any(other.state != REVERSED for other in others):
        return "stands"
    visited.cancel(tx, claim, "hospital_reversed")
    return "cancelled"
