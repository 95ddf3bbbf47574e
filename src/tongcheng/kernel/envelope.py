"""Envelopes and batches: what crosses the border, and the signature that proves it.

One batch is everything a member has to say to another at one moment: the envelopes that wait, in
the order of their `seq`, and the highest `seq` it has taken from the other without a gap. The
Merkle root over the envelopes' bytes is signed, so one signature and one sync serve them all, and
every envelope keeps its inclusion path as evidence. A batch that carries no envelope is an
acknowledgement and a request for what is missing.

The same form serves both ways: the answer to a batch is a batch.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import msgspec

from tongcheng.kernel import canonical, ids, merkle
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey

SIGNING_DOMAIN = b"tongcheng/batch/1\n"
PROTOCOL_VERSION = 1
DETAIL_CHARACTERS_MAX = 200
DIAGNOSED_BYTES_MAX = 65_536
"""A stranger's longer nonsense is refused without naming its fault: finding it takes seconds."""

Name = Annotated[str, msgspec.Meta(max_length=128)]
"""An id, a digest, a type: refusals and logs quote them, so a stranger may not make them long."""


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset that the body speaks of: SHA-256 (hex), bytes, media type."""

    sha256: Name
    size: int
    media_type: Name


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message between two members (信封).

    `seq` numbers the acts of one channel (src, dst) from 1 without gaps; 0 marks an ask or its
    answer. `not_after` is the last instant (UTC ms) at which the act may still take effect.
    `accord` and `rulebooks` are digests of what the sender decided by.
    """

    id: Name
    src: Name
    dst: Name
    seq: int
    type: Name
    made_at: int
    accord: Name
    body: dict[str, Any]
    reply_to: Name | None = None
    case: Name | None = None
    not_after: int | None = None
    rulebooks: list[Name] = []
    attachments: list[Attachment] = []

    def encoded(self) -> bytes:
        """Return the canonical bytes: what is hashed, signed, stored and sent."""
        return canonical.encode(msgspec.to_builtins(self))


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender of a batch signs.

    `root` is the RFC 6962 root (hex) over the envelopes' bytes in order, `acknowledged` the
    highest seq taken without a gap from the other side, `sent_at` the instant of signing.
    """

    version: int
    src: Name
    dst: Name
    kid: Name
    root: Name
    count: int
    acknowledged: int
    sent_at: int

    def signed_bytes(self) -> bytes:
        """Return the domain-separated bytes under the signature."""
        return SIGNING_DOMAIN + canonical.encode(self)


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed batch as it travels; each envelope lies in it as its own canonical bytes."""

    statement: Statement
    signature: str
    envelopes: list[msgspec.Raw]


class Received(msgspec.Struct, frozen=True):
    """One envelope that has passed every check short of storage, with its evidence."""

    envelope: Envelope
    raw: bytes
    digest: str
    index: int
    path: list[bytes]


class Opened(msgspec.Struct, frozen=True):
    """A verified batch: the signed statement and its envelopes in order."""

    statement: Statement
    signature: str
    received: list[Received]


def pack(
    key: SigningKey,
    *,
    src: str,
    dst: str,
    envelopes: Sequence[bytes],
    acknowledged: int,
    sent_at: int,
) -> bytes:
    """Sign and encode one batch of canonical envelopes."""
    root = merkle.root([merkle.leaf_hash(raw) for raw in envelopes])
    statement = Statement(
        version=PROTOCOL_VERSION,
        src=src,
        dst=dst,
        kid=key.kid,
        root=root.hex(),
        count=len(envelopes),
        acknowledged=acknowledged,
        sent_at=sent_at,
    )
    signature = key.sign(statement.signed_bytes()).hex()
    batch = Batch(statement, signature, [msgspec.Raw(raw) for raw in envelopes])
    return msgspec.json.encode(batch)


def open_batch(
    raw: bytes,
    accord: Accord,
    *,
    member_id: str,
    now_at: int,
    lane: str,
    earlier: Sequence[Accord] = (),
) -> Opened:
    """Verify a received batch against the accord, or refuse it whole, by name.

    Checked in this order, so that the first fault names the refusal: size, form, destination,
    membership, root, key and signature, freshness, then each envelope's bytes, addresses, size,
    permission and place in the channel. `lane` is 'act' or 'ask'. Nothing is stored before.
    `earlier` are accords that were in force until lately: what was permitted when it was sent may
    still arrive, or a permit taken away would stop the channel for ever.
    """
    limits = accord.limits
    if len(raw) > limits.batch_bytes:
        raise Refused("BATCH_TOO_LARGE", bytes=len(raw), limit=limits.batch_bytes)
    batch = _decode_batch(raw)
    statement = batch.statement
    if statement.dst != member_id:
        raise Refused("WRONG_DESTINATION", dst=statement.dst, member=member_id)
    if statement.version != PROTOCOL_VERSION:
        raise Refused("PROTOCOL_VERSION", found=statement.version, known=PROTOCOL_VERSION)
    if accord.find(statement.src) is None or statement.src == member_id:
        raise Refused("MEMBER_UNKNOWN", member=statement.src)
    if len(batch.envelopes) > limits.batch_envelopes:
        raise Refused("BATCH_TOO_LONG", count=len(batch.envelopes), limit=limits.batch_envelopes)
    hashes = [merkle.leaf_hash(bytes(envelope)) for envelope in batch.envelopes]
    _check_signature(batch, hashes, accord, now_at)
    skew = abs(now_at - statement.sent_at)
    if skew > limits.clock_skew_ms:
        raise Refused("BATCH_STALE", skew_ms=skew, limit_ms=limits.clock_skew_ms)
    paths = merkle.inclusion_proofs(hashes)
    received = [
        _open_envelope(bytes(envelope), index, paths[index], statement, (accord, *earlier), lane)
        for index, envelope in enumerate(batch.envelopes)
    ]
    if lane == "act":
        _check_order(received)
    return Opened(statement, batch.signature, received)


def _decode_batch(raw: bytes) -> Batch:
    try:
        batch = msgspec.json.decode(raw, type=Batch)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if len(raw) <= DIAGNOSED_BYTES_MAX:
            canonical.diagnose(raw)
        raise Refused("BATCH_MALFORMED", detail=str(error)[:DETAIL_CHARACTERS_MAX]) from None
    if batch.statement.count != len(batch.envelopes):
        raise Refused("BATCH_MALFORMED", detail="count differs from the envelopes given")
    return batch


def _check_signature(batch: Batch, hashes: list[bytes], accord: Accord, now_at: int) -> None:
    statement = batch.statement
    key = accord.verify_key(statement.src, statement.kid, now_at)
    try:
        signature = bytes.fromhex(batch.signature)
    except ValueError:
        signature = b""
    if merkle.root(hashes).hex() != statement.root:
        raise Refused("SIGNATURE_BROKEN", member=statement.src, part="root")
    if not key.verify(statement.signed_bytes(), signature):
        raise Refused("SIGNATURE_BROKEN", member=statement.src, part="statement")


def _open_envelope(
    raw: bytes,
    index: int,
    path: list[bytes],
    statement: Statement,
    accords: Sequence[Accord],
    lane: str,
) -> Received:
    widest = max(accord.limits.body_bytes for accord in accords)
    if len(raw) > widest:
        raise Refused("ENVELOPE_TOO_LARGE", bytes=len(raw), limit=widest)
    envelope = canonical.decode_as(raw, Envelope)
    accord = next((one for one in accords if one.digest() == envelope.accord), accords[0])
    limit = accord.limits.body_bytes
    if len(raw) > limit:
        raise Refused("ENVELOPE_TOO_LARGE", bytes=len(raw), limit=limit)
    ids.parse_uuid7(envelope.id)
    if envelope.src != statement.src:
        raise Refused("ENVELOPE_NOT_OF_SENDER", src=envelope.src, sender=statement.src)
    if envelope.dst != statement.dst:
        raise Refused("WRONG_DESTINATION", dst=envelope.dst, member=statement.dst)
    if not accord.permits_type(envelope.type, envelope.src, envelope.dst):
        raise Refused("TYPE_NOT_PERMITTED", type=envelope.type, member=envelope.src)
    if (envelope.seq > 0) != (lane == "act"):
        raise Refused("WRONG_LANE", type=envelope.type, lane=lane)
    return Received(
        envelope=envelope,
        raw=raw,
        digest=canonical.digest(raw),
        index=index,
        path=path,
    )


def _check_order(received: Sequence[Received]) -> None:
    numbers = [one.envelope.seq for one in received]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise Refused("BATCH_OUT_OF_ORDER", first=numbers[0], count=len(numbers))
