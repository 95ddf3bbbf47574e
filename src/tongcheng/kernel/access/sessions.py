"""Sessions (登录会话): a secret in the browser's cookie, and only its digest here.

A session ends when it is idle for half an hour, after twelve hours, at sign-out, and with every
change of its account: another password, other roles, a lock, its close. A sign-in always makes a
new secret, so nobody can plant one beforehand. Every outcome is one durable command with one entry
of the audit, whether the account is there or not.
"""

import hashlib
import hmac
from datetime import date
from typing import Final

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import audit
from tongcheng.kernel.access.accounts import STAFF, STAFF_PASSWORDS, StaffPasswordRow, StaffRow
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction

IDLE_MS: Final = 30 * 60_000
LONGEST_MS: Final = 12 * 3_600_000
SEEN_EVERY_MS: Final = 60_000
"""How exactly the idle time is kept: a page that is read costs a commit once a minute."""

WRONG_TRIES_FREE: Final = 5
WAIT_FIRST_MS: Final = 30_000
WAIT_MS_MAX: Final = 15 * 60_000
SECRET_BYTES: Final = 32


class SessionRow(msgspec.Struct, frozen=True):
    """One sign-in; `change_no` is the account's at that time. Instants are UTC ms."""

    secret_digest: bytes
    account_id: str
    change_no: int
    made_at: int
    seen_at: int
    ended_at: int | None


SESSIONS = Records("staff_sessions", SessionRow, key=("secret_digest",), indexes=(("account_id",),))


class SignedIn(msgspec.Struct, frozen=True):
    """An account with the session by which it is used now."""

    account: StaffRow
    session: SessionRow


def digest_of(secret: str) -> bytes:
    """Return what is stored of a session's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def form_token_of(secret: str) -> str:
    """Return what every form of a session carries: other sites cannot know it (CSRF)."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"tongcheng form", "sha256").hex()


def wait_ms(wrong_tries: int) -> int:
    """Return how long an account waits after so many wrong tries in a row: doubled each time."""
    beyond = wrong_tries - WRONG_TRIES_FREE
    return 0 if beyond < 0 else min(WAIT_MS_MAX, WAIT_FIRST_MS << min(beyond, 16))


def begin(tx: Transaction, account_id: str | None, *, is_right: bool) -> str | None:
    """Answer one try to sign in: the secret of a new session, or None.

    None says the same of an unknown name, a wrong password, an account that waits, is locked or
    closed, or has no role today. `account_id` is None where nobody has the name.
    """
    row = None if account_id is None else tx.get(STAFF, account_id)
    if row is None:
        audit.note(tx, audit.Entry("stranger", "account.sign_in.refused", "unknown"))
        return None
    known = tx.need(STAFF_PASSWORDS, row.account_id)
    waits = tx.now_at < known.waits_until_at
    if not is_right and not waits:
        tx.put(STAFF_PASSWORDS, _one_wrong(known, tx.now_at))
    if waits or not is_right or not _can_work(tx, row):
        audit.note(tx, audit.Entry("stranger", "account.sign_in.refused", row.account_id))
        return None
    tx.put(STAFF_PASSWORDS, msgspec.structs.replace(known, wrong_tries=0, waits_until_at=0))
    return start(tx, row)


def start(tx: Transaction, row: StaffRow) -> str:
    """Start a session of an account that has shown who it is; return the new secret."""
    secret = tx.home.entropy.bytes(SECRET_BYTES).hex()
    session = SessionRow(
        digest_of(secret), row.account_id, row.change_no, tx.now_at, tx.now_at, None
    )
    tx.add(SESSIONS, session)
    audit.note(tx, audit.Entry(row.actor, "account.sign_in", row.account_id))
    return secret


def find(reading: Reading, secret: str | None, zone: str, now_at: int) -> SignedIn | None:
    """Return who has this secret's session, or None: a read of two rows by key."""
    if not secret:
        return None
    session = reading.get(SESSIONS, digest_of(secret))
    if session is None or not is_alive(session, now_at):
        return None
    row = reading.get(STAFF, session.account_id)
    if row is None or row.change_no != session.change_no or row.state != "open":
        return None
    return SignedIn(row, session) if row.roles_on(local_date(now_at, zone)) else None


def is_alive(session: SessionRow, now_at: int) -> bool:
    """Tell whether a session has not ended by itself or by its reader."""
    return (
        session.ended_at is None
        and now_at < session.seen_at + IDLE_MS
        and now_at < session.made_at + LONGEST_MS
    )


def is_due(session: SessionRow, now_at: int) -> bool:
    """Tell whether it should be noted that the session is in use."""
    return now_at >= session.seen_at + SEEN_EVERY_MS


def touch(tx: Transaction, secret_digest: bytes) -> None:
    """Note that a session is in use; one that has ended meanwhile stays so."""
    row = tx.get(SESSIONS, secret_digest)
    if row is not None and is_alive(row, tx.now_at):
        tx.put(SESSIONS, msgspec.structs.replace(row, seen_at=max(row.seen_at, tx.now_at)))


def end(tx: Transaction, secret: str) -> None:
    """End a session now: its secret opens nothing any more."""
    row = tx.get(SESSIONS, digest_of(secret))
    if row is not None and row.ended_at is None:
        tx.put(SESSIONS, msgspec.structs.replace(row, ended_at=tx.now_at))
        audit.note(tx, audit.Entry(f"account/{row.account_id}", "account.sign_out", row.account_id))


def end_others(tx: Transaction, account_id: str, kept: bytes) -> int:
    """End every session of an account but one; return how many."""
    others = [
        row
        for row in tx.select(SESSIONS, account_id=account_id)
        if row.secret_digest != kept and is_alive(row, tx.now_at)
    ]
    for row in others:
        tx.put(SESSIONS, msgspec.structs.replace(row, ended_at=tx.now_at))
    audit.note(tx, audit.Entry(f"account/{account_id}", "account.sessions.end", account_id))
    return len(others)


def of_account(snapshot: Snapshot, row: StaffRow, now_at: int, limit: int) -> list[SessionRow]:
    """Return the latest sessions of an account that are open now, the latest first.

    A session's row is kept for ever, so those that ended are left out before they are read.
    """
    alive = sa.and_(
        SESSIONS.c.account_id == row.account_id,
        SESSIONS.c.change_no == row.change_no,
        SESSIONS.c.ended_at.is_(None),
        SESSIONS.c.seen_at > now_at - IDLE_MS,
        SESSIONS.c.made_at > now_at - LONGEST_MS,
    )
    latest = sa.select(SESSIONS.table).where(alive).order_by(SESSIONS.c.made_at.desc())
    return snapshot.fetch(SESSIONS, latest.limit(limit))


def _can_work(tx: Transaction, row: StaffRow) -> bool:
    on: date = local_date(tx.now_at, tx.home.region.zone)
    return row.state == "open" and bool(row.roles_on(on))


def _one_wrong(row: StaffPasswordRow, now_at: int) -> StaffPasswordRow:
    tries = row.wrong_tries + 1
    return msgspec.structs.replace(row, wrong_tries=tries, waits_until_at=now_at + wait_ms(tries))
