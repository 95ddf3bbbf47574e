"""What is not closed, the oldest first, and why: how far its envelope and the answer have come."""

from typing import NamedTuple

import sqlalchemy as sa

from tongcheng.kernel.exchange.tables import (
    CHANNELS,
    REFUSED,
    SENT,
    TAKEN,
    TROUBLES,
)
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.desk_page.model import Waiting, Why
from tongcheng.services.settlement.stays_data import hospital_of
from tongcheng.services.settlement.store import CLAIMS, ClaimRow

WAITING_STATES = ("pending", "cancelling", "voiding")
SENDING_MS = 10_000
"""So long an envelope may be on its way before the peer is called silent: several attempts."""

HELD = sa.case((CLAIMS.c.state == "voiding", CLAIMS.c.fund_fen), else_=CLAIMS.c.in_scope_fen)


class Line(NamedTuple):
    """The way to one peer: what it has taken, since when the rest waits, why it refuses it."""

    acknowledged_seq: int
    silent_since: int | None
    trouble: str


class _Reason(NamedTuple):
    why: Why
    since: int | None = None
    code: str = ""


def rows(snapshot: Snapshot, home: Home, now_at: int, limit: int) -> tuple[Waiting, ...]:
    """Return what waits longest, at most `limit`."""
    statement = sa.select(CLAIMS.table).where(CLAIMS.c.state.in_(WAITING_STATES))
    ordered = statement.order_by(CLAIMS.c.changed_at, CLAIMS.c.settlement_id).limit(limit)
    claims = snapshot.fetch(CLAIMS, ordered)
    peers = {claim.insured_member for claim in claims}
    lines = {peer: _line(snapshot, home, peer) for peer in peers}
    return tuple(
        _waiting(snapshot, home, claim, lines[claim.insured_member], now_at) for claim in claims
    )


def _line(snapshot: Snapshot, home: Home, peer: str) -> Line:
    channel = snapshot.get(CHANNELS, home.member_id, peer)
    acknowledged = 0 if channel is None else channel.acknowledged_seq
    oldest = snapshot.get(SENT, peer, acknowledged + 1)
    trouble = snapshot.get(TROUBLES, peer)
    lasts = trouble is not None and trouble.attempts > 0
    return Line(
        acknowledged_seq=acknowledged,
        silent_since=None if oldest is None else oldest.made_at,
        trouble=trouble.code if trouble is not None and lasts else "",
    )


def _waiting(snapshot: Snapshot, home: Home, claim: ClaimRow, line: Line, now_at: int) -> Waiting:
    reason = _reason(snapshot, claim.void_id or claim.settle_id, line, now_at)
    return Waiting(
        stay_id=claim.stay_id,
        settlement_id=claim.settlement_id,
        kind="settle" if claim.state == "pending" else "void",
        since_at=claim.changed_at,
        hospital=hospital_of(snapshot, claim.institution_id),
        insured_member=claim.insured_member,
        insured_area=home.region.area_of(claim.admdvs, "settlement").name,
        held_fen=claim.fund_fen if claim.state == "voiding" else claim.in_scope_fen,
        why=reason.why,
        why_since=reason.since,
        code=reason.code,
    )


def _reason(snapshot: Snapshot, envelope_id: str, line: Line, now_at: int) -> _Reason:
    sent = snapshot.select(SENT, envelope_id=envelope_id)
    if sent and sent[0].seq > line.acknowledged_seq:
        if line.trouble:
            return _Reason("dead", line.silent_since, line.trouble)
        is_new = line.silent_since is None or now_at - line.silent_since < SENDING_MS
        return _Reason("sending" if is_new else "silent", line.silent_since)
    for answer in snapshot.select(TAKEN, reply_to=envelope_id):
        if answer.outcome == REFUSED:
            return _Reason("rejected", answer.taken_at, answer.refusal_code or "")
    return _Reason("deciding")
