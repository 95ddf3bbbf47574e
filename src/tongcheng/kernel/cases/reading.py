"""The questions asked of cases: one case with its history, and who must do what until when."""

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import canonical, sealing
from tongcheng.kernel.cases.handover import Undated
from tongcheng.kernel.cases.tables import (
    CASE_LEGS,
    CASE_PARTIES,
    CASE_RECEIPTS,
    CASE_WORDS,
    CASES,
    CaseRow,
    LegRow,
    ReceiptRow,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Snapshot

SALT_BYTES = 16


class History(msgspec.Struct, frozen=True):
    """One case with everything but what was said: parties by role, legs and receipts in order."""

    case: CaseRow
    parties: dict[str, str]
    legs: tuple[LegRow, ...]
    receipts: tuple[ReceiptRow, ...]


class OpenCases(msgspec.Struct, frozen=True):
    """Some open cases, the one due first standing first; `next_after` continues the list.

    Cases whose deadline is not known stand before all others, so that none is forgotten.
    """

    cases: tuple[CaseRow, ...]
    next_after: str | None


def case_of(reading: Reading, case_id: str) -> CaseRow:
    """Return a case; refuses CASE_UNKNOWN."""
    row = reading.get(CASES, case_id)
    if row is None:
        raise Refused("CASE_UNKNOWN", case=case_id)
    return row


def party_of(reading: Reading, case_id: str, role: str) -> str | None:
    """Return who acts in a role of a case, None when the case has no such role."""
    row = reading.get(CASE_PARTIES, case_id, role)
    return None if row is None else row.party


def is_late(case: CaseRow, now_at: int) -> bool:
    """Tell whether the turn of an open case is over; one without a deadline is never late."""
    return case.due_at is not None and now_at >= case.due_at


def undated(case: CaseRow | LegRow) -> Refused | None:
    """Return why a deadline is not known, as the refusal that said so; None when it is known."""
    if not case.undated:
        return None
    why = canonical.decode_as(case.undated, Undated)
    return Refused(why.code, **why.facts)


def history(reading: Reading, case_id: str) -> History:
    """Return one case with its legs and receipts; refuses CASE_UNKNOWN."""
    return History(
        case=case_of(reading, case_id),
        parties={row.role: row.party for row in reading.select(CASE_PARTIES, case_id=case_id)},
        legs=tuple(reading.select(CASE_LEGS, case_id=case_id)),
        receipts=tuple(reading.select(CASE_RECEIPTS, case_id=case_id)),
    )


def words_of(reading: Reading, ring: KeyRing, case_id: str) -> dict[int, str]:
    """Return what was said with each hand-over, by its number; who calls audits the reading."""
    return {
        row.number: salted_words(ring, row.case_id, row.number, row.sealed)[SALT_BYTES:].decode()
        for row in reading.select(CASE_WORDS, case_id=case_id)
    }


def salted_words(ring: KeyRing, case_id: str, number: int, sealed: bytes) -> bytes:
    """Return salt ‖ text of what was said with one hand-over; refuses SEALED_DAMAGED."""
    return sealing.unseal(ring, sealed, words_place(case_id, number))


def words_place(case_id: str, number: int) -> str:
    """Return what sealed words are bound to, so that they cannot be put elsewhere."""
    return f"case_words/{case_id}/{number}"


def open_cases(
    snapshot: Snapshot,
    *,
    role: str | None = None,
    party: str | None = None,
    after: str | None = None,
    limit: int,
) -> OpenCases:
    """Return a page of the open cases in which a party acts in a role; all of them without one.

    `after` is the `next_after` of the page before. What it cannot mean begins the list anew.
    """
    due = sa.func.coalesce(CASES.c.due_at, 0)
    statement = sa.select(CASES.table).where(CASES.c.closed_at.is_(None))
    if role is not None:
        joined = CASES.table.join(CASE_PARTIES.table, CASE_PARTIES.c.case_id == CASES.c.case_id)
        statement = statement.select_from(joined)
        statement = statement.where(CASE_PARTIES.c.role == role, CASE_PARTIES.c.party == party)
    position = _position(after)
    if position is not None:
        statement = statement.where(sa.tuple_(due, CASES.c.case_id) > sa.tuple_(*position))
    rows = snapshot.fetch(CASES, statement.order_by(due, CASES.c.case_id).limit(limit + 1))
    shown = tuple(rows[:limit])
    more = f"{shown[-1].due_at or 0}.{shown[-1].case_id}" if len(rows) > limit else None
    return OpenCases(shown, more)


def _position(after: str | None) -> tuple[int, str] | None:
    due_at, _, case_id = (after or "").partition(".")
    if not (due_at.isascii() and due_at.isdigit() and case_id):
        return None
    return int(due_at[:15]), case_id


def count_open(snapshot: Snapshot, now_at: int) -> tuple[int, int, int]:
    """Return how many cases are open, how many of them late, and how many without a deadline."""
    late = sa.func.coalesce(sa.func.sum(sa.case((CASES.c.due_at <= now_at, 1), else_=0)), 0)
    undated_count = sa.func.coalesce(
        sa.func.sum(sa.case((CASES.c.due_at.is_(None), 1), else_=0)), 0
    )
    statement = sa.select(sa.func.count(), late, undated_count).where(CASES.c.closed_at.is_(None))
    found = snapshot.query(statement)[0]
    return int(found[0]), int(found[1]), int(found[2])


def overdue(snapshot: Snapshot, now_at: int, *, limit: int) -> list[CaseRow]:
    """Return the open cases whose turn is over, the longest overdue first, at most `limit`."""
    statement = (
        sa.select(CASES.table)
        .where(CASES.c.closed_at.is_(None), CASES.c.due_at <= now_at)
        .order_by(CASES.c.due_at, CASES.c.case_id)
        .limit(limit)
    )
    return snapshot.fetch(CASES, statement)
