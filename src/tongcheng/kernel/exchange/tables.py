"""What the exchange stores: channels, what was sent, what was taken and the evidence for it."""

import msgspec

from tongcheng.kernel.store import Records


class ChannelRow(msgspec.Struct, frozen=True):
    """One direction between two members.

    Outgoing: `next_seq` is the number the next act will get, `acknowledged_seq` the highest the
    peer has taken. Incoming: `next_seq` is the only number that will be taken now.
    """

    src: str
    dst: str
    next_seq: int
    acknowledged_seq: int


class SentRow(msgspec.Struct, frozen=True):
    """An act we sent; its bytes are the journal's content `act_sent/{envelope_id}`."""

    dst: str
    seq: int
    envelope_id: str
    type: str
    reply_to: str | None
    case_id: str | None
    digest: str
    made_at: int
    answer_id: str | None


class TakenRow(msgspec.Struct, frozen=True):
    """An act we took, what became of it, and the proof of who sent it.

    `statement` and `signature` are the batch's, `path` the inclusion path (32 bytes a step) from
    the envelope at `batch_index` to the statement's root.
    """

    envelope_id: str
    src: str
    seq: int
    type: str
    reply_to: str | None
    case_id: str | None
    digest: str
    taken_at: int
    outcome: str
    refusal_code: str | None
    answer_id: str | None
    statement: bytes
    signature: bytes
    batch_index: int
    path: bytes


class TroubleRow(msgspec.Struct, frozen=True):
    """Why a channel does not move: the peer's last refusal of our batch, for the dead letters."""

    dst: str
    seq: int
    code: str
    detail: str
    attempts: int
    last_at: int


CHANNELS = Records("exchange_channels", ChannelRow, key=("src", "dst"), kept=True)
SENT = Records(
    "exchange_sent",
    SentRow,
    key=("dst", "seq"),
    # The last one counts what has no answer without reading what has one.
    indexes=(("envelope_id",), ("case_id",), ("reply_to",), ("dst", "answer_id", "reply_to")),
)
TAKEN = Records(
    "exchange_taken",
    TakenRow,
    key=("envelope_id",),
    indexes=(("src", "seq"), ("case_id",), ("outcome", "taken_at"), ("reply_to",)),
)
TROUBLES = Records("exchange_troubles", TroubleRow, key=("dst",))

ACT_SENT = "act_sent"
ACT_TAKEN = "act_taken"

APPLIED = "applied"
REFUSED = "refused"
PARKED = "parked"
