"""Break-glass access (紧急查阅) and its after-review (事后审查).

Somebody on duty who may not see a person's record may open one, of one person, for half an hour,
by saying why. That opens a review, which somebody else decides before a deadline. The review is no
case of `kernel/cases`: a case is handed to a party that is known when it is opened, a review to
anybody who may review and is not the reader.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import audit, canonical, ids, journal
from tongcheng.kernel.access import reasons
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.grants import DELEGATIONS, LEAF_KIND, WORDS_DIGEST
from tongcheng.kernel.audit_reading import day_span
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction

OPEN_MS: Final = 30 * 60_000
"""As long as a session may be idle: time for a telephone call about one record."""
REVIEW_DAYS: Final = 7
"""Calendar days, the day of the access not counted: working days are known only as published."""
EMERGENCIES_A_DAY: Final = 10
"""By one account in 24 hours: whoever needs more needs another role, or is looking around."""
SUBJECT_CHARACTERS_MAX: Final = 160

REVIEW_TRANSITIONS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("open", "justify"): "justified",
        ("open", "object"): "not_justified",
    }
)
"""The life of a review: (state, action) → state. Overdue is an open one after its deadline."""


class EmergencyRow(msgspec.Struct, frozen=True):
    """One access: who, in which roles, what may be done about which subject; from when to when.

    `roles` are ids with spaces between them, as on that day. Instants are UTC ms; `to_at` is the
    first that is too late.
    """

    emergency_id: str
    account_id: str
    roles: str
    action: str
    subject: str
    reason: bytes
    opened_at: int
    to_at: int

    @property
    def actor(self) -> str:
        """How the audit calls whoever reads under it."""
        return f"account/{self.account_id} in emergency/{self.emergency_id}"


class ReviewRow(msgspec.Struct, frozen=True):
    """The review of one access; `due_at` is the first instant that is too late (UTC ms)."""

    emergency_id: str
    state: str
    due_at: int
    reviewer_id: str | None
    decided_at: int | None
    words: bytes


EMERGENCIES = Records(
    "emergencies",
    EmergencyRow,
    key=("emergency_id",),
    indexes=(("account_id", "action", "subject"),),
)
REVIEWS = Records(
    "emergency_reviews", ReviewRow, key=("emergency_id",), indexes=(("state", "due_at"),)
)


class Glass(msgspec.Struct, frozen=True):
    """What somebody wants to open in an emergency, and why."""

    action: str
    subject: str
    reason: str


def break_glass(tx: Transaction, account: StaffRow, glass: Glass) -> EmergencyRow:
    """Open one subject to an account for half an hour, and its review.

    Whoever calls has checked that the table lets the account break glass, and that the action
    shows personal data which it does not let the account see. While the same is open to the same
    account it stays as it is: breaking the glass again makes it no longer.

    Raises:
        Refused: EMERGENCY_SUBJECT, REASON_WORDS, EMERGENCIES_TOO_MANY.
    """
    if not 0 < len(glass.subject) <= SUBJECT_CHARACTERS_MAX or not glass.subject.isprintable():
        raise Refused("EMERGENCY_SUBJECT")
    text = reasons.checked(glass.reason)
    open_now = live(tx, account, glass.action, glass.subject, tx.now_at)
    if open_now is not None:
        return open_now
    mine = tx.select(EMERGENCIES, account_id=account.account_id)
    if sum(1 for row in mine if row.opened_at > tx.now_at - DAY_MS) >= EMERGENCIES_A_DAY:
        raise Refused("EMERGENCIES_TOO_MANY", limit=EMERGENCIES_A_DAY)
    return _open(tx, account, glass, text)


def _open(tx: Transaction, account: StaffRow, glass: Glass, text: str) -> EmergencyRow:
    zone = tx.home.region.zone
    on = local_date(tx.now_at, zone)
    emergency_id = ids.short(tx.new_id())
    reason, digest = reasons.sealed(tx, text, _reason_place(emergency_id))
    row = EmergencyRow(
        emergency_id=emergency_id,
        account_id=account.account_id,
        roles=" ".join(account.roles_on(on)),
        action=glass.action,
        subject=glass.subject,
        reason=reason,
        opened_at=tx.now_at,
        to_at=tx.now_at + OPEN_MS,
    )
    _, due_at = day_span(on + timedelta(days=REVIEW_DAYS), zone)
    tx.add(EMERGENCIES, row)
    tx.add(REVIEWS, ReviewRow(emergency_id, "open", due_at, None, None, b""))
    content = canonical.encode({**kept(row, due_at), WORDS_DIGEST: digest})
    journal.append(tx, LEAF_KIND, f"emergency/{emergency_id}/1", content)
    entry = audit.Entry(account.actor, "access.break_glass", glass.subject, emergency_id)
    audit.note(tx, entry)
    return row


def live(
    reading: Reading, account: StaffRow, action: str, subject: str, now_at: int
) -> EmergencyRow | None:
    """Return the access that lets an account do this about this subject now, or None."""
    rows = reading.select(
        EMERGENCIES, account_id=account.account_id, action=action, subject=subject
    )
    return next((row for row in rows if row.opened_at <= now_at < row.to_at), None)


def may_review(reading: Reading, row: EmergencyRow, reviewer_id: str, zone: str) -> bool:
    """Tell whether an account may decide about an access, as far as it is not its own.

    Neither the reader may, nor who stood in a delegation with the reader that day.
    """
    if reviewer_id == row.account_id:
        return False
    day = local_date(row.opened_at, zone).isoformat()
    stood = [
        each
        for each in (
            *reading.select(DELEGATIONS, delegate_id=row.account_id, delegator_id=reviewer_id),
            *reading.select(DELEGATIONS, delegate_id=reviewer_id, delegator_id=row.account_id),
        )
        if each.from_on <= day <= each.to_on
        and (each.ended_at is None or each.ended_at > row.opened_at)
    ]
    return not stood


def decide(
    tx: Transaction, reviewer: StaffRow, emergency_id: str, action: str, words: str
) -> ReviewRow:  # fmt: skip
    """Decide a review, with words. Whoever calls has checked that the reviewer may review.

    Raises:
        Refused: in this order REVIEW_UNKNOWN, REVIEW_OWN, REVIEW_DECIDED, REVIEW_ACTION,
            REASON_WORDS.
    """
    emergency = tx.get(EMERGENCIES, emergency_id)
    if emergency is None:
        raise Refused("REVIEW_UNKNOWN", review=ascii(emergency_id[:64]))
    if not may_review(tx, emergency, reviewer.account_id, tx.home.region.zone):
        raise Refused("REVIEW_OWN")
    before = tx.need(REVIEWS, emergency_id)
    if before.state != "open":
        raise Refused("REVIEW_DECIDED", state=before.state)
    state = REVIEW_TRANSITIONS.get((before.state, action))
    if state is None:
        raise Refused("REVIEW_ACTION", action=ascii(action[:64]))
    text = reasons.checked(words)
    sealed, digest = reasons.sealed(tx, text, _words_place(emergency_id))
    row = ReviewRow(
        emergency_id, state, before.due_at, reviewer.account_id, tx.now_at, sealed
    )  # fmt: skip
    tx.put(REVIEWS, row)
    content = canonical.encode({**kept_finding(row), WORDS_DIGEST: digest})
    journal.append(tx, LEAF_KIND, f"emergency/{emergency_id}/2", content)
    entry = audit.Entry(reviewer.actor, f"access.review.{state}", emergency.subject, emergency_id)
    audit.note(tx, entry)
    return row


def overdue(snapshot: Snapshot, now_at: int) -> int:
    """Return how many reviews are open after their deadline."""
    late = sa.and_(REVIEWS.c.state == "open", REVIEWS.c.due_at <= now_at)
    counted = snapshot.query(sa.select(sa.func.count()).select_from(REVIEWS.table).where(late))
    return int(counted[0][0])


def waiting(snapshot: Snapshot, limit: int) -> list[ReviewRow]:
    """Return the open reviews, those due first standing first."""
    found = sa.select(REVIEWS.table).where(REVIEWS.c.state == "open")
    return snapshot.fetch(REVIEWS, found.order_by(REVIEWS.c.due_at).limit(limit))


def decided(snapshot: Snapshot, limit: int) -> list[ReviewRow]:
    """Return the reviews that were decided, the latest deadline first."""
    found = sa.select(REVIEWS.table).where(REVIEWS.c.state.in_(("justified", "not_justified")))
    return snapshot.fetch(REVIEWS, found.order_by(REVIEWS.c.due_at.desc()).limit(limit))


def kept(row: EmergencyRow, due_at: int) -> dict[str, Any]:
    """Return what the journal keeps of an access and its deadline: all but the reason."""
    names = (name for name in row.__struct_fields__ if name != "reason")
    return {**{name: getattr(row, name) for name in names}, "due_at": due_at}


def kept_finding(row: ReviewRow) -> dict[str, Any]:
    """Return what the journal keeps of a finding: all but its words."""
    names = (name for name in row.__struct_fields__ if name != "words")
    return {name: getattr(row, name) for name in names}


def reason_of(ring: KeyRing, row: EmergencyRow) -> str:
    """Return why the glass was broken; refuses SEALED_DAMAGED."""
    return reasons.opened(ring, row.reason, _reason_place(row.emergency_id))


def words_of(ring: KeyRing, row: ReviewRow) -> str:
    """Return what was decided in words, or "" before; refuses SEALED_DAMAGED."""
    return reasons.opened(ring, row.words, _words_place(row.emergency_id)) if row.words else ""


def _reason_place(emergency_id: str) -> str:
    return f"emergencies/reason/{emergency_id}"


def _words_place(emergency_id: str) -> str:
    return f"emergency_reviews/words/{emergency_id}"
