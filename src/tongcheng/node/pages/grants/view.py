"""Delegations, emergency access and its reviews, from what was read to HTML."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from litestar import Response

from tongcheng.kernel.access import grants, reasons
from tongcheng.kernel.access import reviews as kernel_reviews
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.grants import DelegationRow
from tongcheng.kernel.access.reviews import EmergencyRow, ReviewRow
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.audit import AuditRow
from tongcheng.kernel.errors import Refused
from tongcheng.node.guard import EMERGENCY_PATH
from tongcheng.node.pages import words
from tongcheng.web import Badge, Page
from tongcheng.web.components import Tone

DELEGATIONS_PATH: Final = "/access/delegations"
REVIEWS_PATH: Final = "/access/reviews"
WEEK: Final = timedelta(days=6)
_TONES: Final[dict[str, Tone]] = {
    "live": "good",
    "later": "waiting",
    "ended": "quiet",
    "over": "quiet",
    "open": "waiting",
    "overdue": "bad",
    "justified": "good",
    "not_justified": "bad",
}


class Lending(msgspec.Struct, frozen=True):
    """What the form can lend: from one role of the reader's, these actions, to these people."""

    roles: tuple[str, ...]
    role: str
    actions: tuple[str, ...]
    colleagues: tuple[StaffRow, ...]


class DelegationsPage(msgspec.Struct, frozen=True):
    """One's delegations on a local day; `staff` by account, `reasons` by delegation."""

    on: date
    given: tuple[DelegationRow, ...]
    received: tuple[DelegationRow, ...]
    staff: Mapping[str, StaffRow]
    reasons: Mapping[str, str]
    lending: Lending


class DelegationCells(msgspec.Struct, frozen=True):
    """One delegation as shown; `can_end` while it lends or will."""

    delegation_id: str
    who: str
    role: str
    actions: str
    span: str
    reason: str
    badge: Badge
    can_end: bool


class Reviewed(msgspec.Struct, frozen=True):
    """One access with its review; `may_decide` tells whether the reader may, `reads` what was."""

    emergency: EmergencyRow
    review: ReviewRow
    reader: StaffRow
    reviewer: str | None
    reason: str
    words: str
    reads: tuple[AuditRow, ...]
    may_decide: bool


class ReviewsPage(msgspec.Struct, frozen=True):
    """The open reviews and the last findings at an instant; `reads` names what was looked at."""

    now_at: int
    overdue: int
    waiting: tuple[Reviewed, ...]
    decided: tuple[Reviewed, ...]
    reads: Mapping[str, str]


# delegations


def delegations(
    page: Page,
    table: AuthorityTable,
    found: DelegationsPage,
    form: Mapping[str, str],
    fault: Refused | None,
    status: int = 200,
) -> Response[str]:
    """Answer with one's delegations; the title says who acts for whom today."""
    lending = found.lending
    values = {
        "headline": _headline(page, found),
        "given": tuple(_cells(page, table, found, row, row.delegate_id) for row in found.given),
        "received": tuple(
            _cells(page, table, found, row, row.delegator_id) for row in found.received
        ),
        "lending": lending,
        "actions": tuple((name, page.t(f"action.{name}")) for name in lending.actions),
        "roles": tuple((role, _role(page, table, role)) for role in lending.roles),
        "form": form,
        "from_on": form.get("from_on", found.on.isoformat()),
        "to_on": form.get("to_on", (found.on + WEEK).isoformat()),
        "last_on": (found.on + timedelta(days=365)).isoformat(),
        "fault": _said(page, fault),
        "days": grants.DAYS_MAX,
        "least": reasons.CHARACTERS_MIN,
        "most": reasons.CHARACTERS_MAX,
        "here": page.href(DELEGATIONS_PATH),
    }
    return page.render("node/grants/delegations.html", values, status=status)


def _headline(page: Page, found: DelegationsPage) -> str:
    """Return who acts for whom today, in one sentence."""
    lent = [found.staff[row.delegator_id] for row in found.received if row.is_live(found.on)]
    given = [found.staff[row.delegate_id] for row in found.given if row.is_live(found.on)]
    for key, people in (("received", lent), ("given", given)):
        if people:
            names = dict.fromkeys(row.display_name for row in people)
            joined = page.t("node.access.list").join(names)
            return page.t(f"node.grants.delegations.{key}", names=joined)
    return page.t("node.grants.delegations.none")


def _cells(
    page: Page, table: AuthorityTable, found: DelegationsPage, row: DelegationRow, other_id: str
) -> DelegationCells:
    begins, ends = (date.fromisoformat(day) for day in (row.from_on, row.to_on))
    state = "ended" if row.ended_at else "over" if ends < found.on else "live"
    state = "later" if state == "live" and begins > found.on else state
    names = (page.t(f"action.{one}") for one in sorted(row.lent))
    return DelegationCells(
        delegation_id=row.delegation_id,
        who=found.staff[other_id].display_name,
        role=_role(page, table, row.role),
        actions=page.t("node.access.list").join(names),
        span=page.t("node.access.span", begins=page.voice.day(begins), ends=page.voice.day(ends)),
        reason=found.reasons[row.delegation_id],
        badge=Badge(page.t(f"node.grants.state.{state}"), _TONES[state]),
        can_end=state in {"live", "later"},
    )


def _role(page: Page, table: AuthorityTable, role_id: str) -> str:
    names = {role.id: page.voice.of(role.name) for role in table.roles}
    return names.get(role_id, role_id)


# emergency access


def emergency(
    page: Page, action: str, subject: str, reason: str, fault: Refused | None, status: int = 200
) -> Response[str]:
    """Answer with the form; its consequences stand before the button."""
    what = page.t(f"action.{action}")
    values = {
        "headline": page.t("node.grants.emergency.title", what=what),
        "action": action,
        "subject": subject,
        "reason": reason,
        "fault": _said(page, fault),
        "minutes": kernel_reviews.OPEN_MS // 60_000,
        "days": kernel_reviews.REVIEW_DAYS,
        "least": reasons.CHARACTERS_MIN,
        "most": reasons.CHARACTERS_MAX,
        "here": page.href(EMERGENCY_PATH),
    }
    return page.render("node/grants/emergency.html", values, status=status)


# reviews


def reviews(
    page: Page,
    found: ReviewsPage,
    fault: Refused | None,
    wrong: tuple[str, str] | None,
    status: int = 200,
) -> Response[str]:
    """Answer with the reviews; `wrong` is the one whose form had a fault, and its words."""
    waiting = len(found.waiting)
    key = "overdue" if found.overdue else "waiting" if waiting else "none"
    count = found.overdue or waiting
    title = f"node.grants.reviews.{key}"
    values = {
        "headline": page.t(title) if key == "none" else page.voice.tn(title, count),
        "is_late": bool(found.overdue),
        "waiting": tuple(_shown(page, found, one) for one in found.waiting),
        "decided": tuple(_shown(page, found, one) for one in found.decided),
        "fault": _said(page, fault),
        "wrong_id": wrong[0] if wrong else "",
        "wrong_words": wrong[1] if wrong else "",
        "days": kernel_reviews.REVIEW_DAYS,
        "least": reasons.CHARACTERS_MIN,
        "most": reasons.CHARACTERS_MAX,
        "here": page.href(REVIEWS_PATH),
    }
    return page.render("node/grants/reviews.html", values, status=status)


def _shown(page: Page, found: ReviewsPage, one: Reviewed) -> dict[str, Any]:
    """Return one review as the template shows it."""
    voice, row = page.voice, one.emergency
    is_late = one.review.state == "open" and found.now_at >= one.review.due_at
    state = "overdue" if is_late else one.review.state
    reads = tuple(
        (voice.moment(each.at), words.action_words(page, found.reads, each.action))
        for each in one.reads
    )
    return {
        "id": row.emergency_id,
        "title": page.t(
            "node.grants.review.title",
            who=one.reader.display_name,
            what=page.t(f"action.{row.action}"),
        ),
        "badge": Badge(page.t(f"node.grants.state.{state}"), _TONES[state]),
        "subject": row.subject,
        "span": page.t(
            "node.grants.review.span",
            begins=voice.moment(row.opened_at),
            ends=voice.time(row.to_at),
        ),
        "due": voice.moment(one.review.due_at),
        "reason": one.reason,
        "words": one.words,
        "reviewer": one.reviewer or "",
        "decided": "" if one.review.decided_at is None else voice.moment(one.review.decided_at),
        "reads": reads,
        "may_decide": one.may_decide,
    }


def _said(page: Page, fault: Refused | None) -> Any:
    return None if fault is None else page.console.errors.render(fault, page.language)
