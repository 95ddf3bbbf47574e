"""A hand-over: what the journal keeps of it, and what it does to a case. Nothing here is stored.

The writer and `journal verify` use the same `applied`: a case is what its hand-overs make of it.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.calendar import local_date, parse_local
from tongcheng.kernel.cases.tables import CaseRow, LegRow
from tongcheng.kernel.errors import Refused

if TYPE_CHECKING:
    from tongcheng.kernel.cases.kind import CaseKind, Term
    from tongcheng.kernel.home import Home

HANDOVER_KIND: Final = "case"
"""The kind of the journal's leaves that are hand-overs."""


class Undated(msgspec.Struct, frozen=True):
    """Why a deadline is not known: the refusal of whoever was asked for it."""

    code: str
    facts: dict[str, str | int]


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-over as the journal holds it; `number` counts from 1 within the case.

    `parties` (role → party) stand in the first one, `subject` and `item` too. `owner` is the role
    whose turn it is afterwards, None when the case is closed by it. `words` is the hex SHA-256 of
    salt ‖ text, empty when nothing was said.
    """

    case_id: str
    number: int
    kind: str
    action: str
    role: str
    party: str
    at: int
    state: str
    owner: str | None
    owner_party: str | None
    due_at: int | None
    undated: Undated | None
    words: str
    subject: str = ""
    item: str = ""
    parties: dict[str, str] = {}


def content_id(case_id: str, number: int) -> str:
    """Return the id of a hand-over's content in the journal."""
    return f"{case_id}/{number}"


def words_digest(salted: bytes) -> str:
    """Return what a hand-over holds of what was said with it."""
    return hashlib.sha256(salted).hexdigest()


def due(home: Home, kind: CaseKind, state: str, at: int) -> tuple[int | None, Undated | None]:
    """Return the first instant that is too late for the leg of a state that begins now.

    A deadline ends with its last day. One that needs a year whose holidays are not published, or
    a rule value that no book in force gives, is not guessed: it is None, with the reason. The
    case is handed over all the same, because nobody's question waits for our data.
    """
    zone = home.region.zone
    try:
        last = _last_day(home, kind, kind.legs[state].term, local_date(at, zone))
        return parse_local(f"{last + timedelta(days=1)} 00:00:00", zone), None
    except Refused as why:
        return None, Undated(why.code, dict(why.facts))


def _last_day(home: Home, kind: CaseKind, term: Term, on: date) -> date:
    count = term.count
    if isinstance(count, str):
        assert kind.days_of is not None, "a kind with ruled terms knows its rules"
        count = kind.days_of(home, count, on)
    if term.days == "calendar":
        return on + timedelta(days=count)
    return home.region.working_days().add(on, count)


def applied(
    before: CaseRow | None, leg: LegRow | None, given: HandOver
) -> tuple[CaseRow, LegRow | None, LegRow | None]:
    """Return the case after a hand-over, the leg it ended, and the leg it opened.

    `before` and `leg` are the case and its open leg, None for the first hand-over.
    """
    undated = b"" if given.undated is None else canonical.encode(given.undated)
    case = CaseRow(
        case_id=given.case_id,
        kind=given.kind,
        subject=given.subject if before is None else before.subject,
        item=given.item if before is None else before.item,
        state=given.state,
        opened_at=given.at if before is None else before.opened_at,
        closed_at=given.at if given.owner is None else None,
        owner_role=given.owner,
        owner_party=given.owner_party,
        due_at=given.due_at,
        undated=undated,
        handed=given.number,
    )
    ended = None
    if leg is not None:
        ended = msgspec.structs.replace(leg, done_at=given.at, action=given.action)
    if given.owner is None or given.owner_party is None:
        return case, ended, None
    opened = LegRow(
        case_id=given.case_id,
        number=given.number,
        state=given.state,
        role=given.owner,
        party=given.owner_party,
        received_at=given.at,
        due_at=given.due_at,
        undated=undated,
        done_at=None,
        action=None,
    )
    return case, ended, opened
