"""Queries as the pages see them: made up, in every state, one of them overdue, one undated."""

import hashlib

from tests.services.settlement.samples import HOSPITAL, NOW
from tongcheng.kernel import cases
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.cases import History, LegRow, ReceiptRow
from tongcheng.kernel.cases.handover import HandOver, Undated, applied
from tongcheng.services.settlement.cases_view import CaseItem, CasePage, CasesPage
from tongcheng.services.settlement.line_query import LINE_QUERY

PARTIES = {"person": "person-1", "hospital": "H1200000S001", "agency": "tianjin-hsb"}
WAYS: dict[str, tuple[str, ...]] = {
    "asked": (),
    "withdrawn": ("withdrawn",),
    "explained": ("explained",),
    "corrected": ("corrected",),
    "accepted": ("explained", "accepted"),
    "escalated": ("explained", "escalated"),
    "upheld": ("explained", "escalated", "upheld"),
    "rejected": ("explained", "escalated", "rejected"),
    "lapsed": ("explained", "lapsed"),
}
"""State → the actions that lead to it."""

OPENED_AT = NOW - 20 * DAY_MS
UNDATED = Undated("CALENDAR_UNKNOWN", {"year": 2027})


def history(state: str, case_id: str = "") -> History:
    """Return a query in a state: a step every two days, turns of a week, the agency's undated."""
    case, leg = None, None
    legs: dict[int, LegRow] = {}
    receipts = []
    at, reached = OPENED_AT, ""
    for number, action in enumerate((cases.OPEN, *WAYS[state]), start=1):
        role = "person" if action == cases.OPEN else LINE_QUERY.may[action][0]
        reached = LINE_QUERY.table.get((reached, action), LINE_QUERY.first)
        owner = LINE_QUERY.legs[reached].owner if reached in LINE_QUERY.legs else None
        given = HandOver(
            case_id=case_id or f"case-{state}",
            number=number,
            kind=LINE_QUERY.name,
            action=action,
            role=role,
            party=PARTIES[role],
            at=at,
            state=reached,
            owner=owner,
            owner_party=None if owner is None else PARTIES[owner],
            due_at=None if owner in {None, "agency"} else at + 7 * DAY_MS,
            undated=UNDATED if owner == "agency" else None,
            words="",
            subject="stay-1",
            item="L17",
            parties=PARTIES,
        )
        case, ended, leg = applied(case, leg, given)
        legs |= {one.number: one for one in (ended, leg) if one is not None}
        digest = hashlib.sha256(f"{state} {number}".encode()).digest()
        receipts.append(
            ReceiptRow(given.case_id, number, action, role, given.party, at, digest, 40 + number)
        )
        at += 2 * DAY_MS
    assert case is not None, "the first hand-over opened it"
    return History(case, PARTIES, tuple(legs.values()), tuple(receipts))


def case_page(state: str) -> CasePage:
    """Return one query's page."""
    return CasePage(history(state), HOSPITAL, NOW)


def cases_page(count: int = 3) -> CasesPage:
    """Return a list of open queries, in turn undated, overdue and overdue."""
    states = ("escalated", "asked", "explained")
    items = tuple(
        CaseItem(history(states[n % 3], f"case-{n}").case, HOSPITAL) for n in range(count)
    )
    undated = sum(one.case.due_at is None for one in items)
    more = "1.case-9" if count else None
    return CasesPage(items, count, count - undated, undated, more, NOW)
