"""The pages of cases: whose turn it is, until when, and what each hand-over is proved by.

The console has no log-in, so nothing that was said, and nobody's id, is on these pages.
"""

from datetime import date

import msgspec
from litestar import Response

from tongcheng.kernel import cases
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.cases import CaseRow, History, LegRow
from tongcheng.kernel.words import Words
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table, Tone

CASES_PATH = "/settlement/cases"
DIGEST_SHOWN = 16

STATES: dict[str, tuple[str, Tone]] = {
    "asked": ("settlement.case.state.asked", "waiting"),
    "explained": ("settlement.case.state.explained", "waiting"),
    "corrected": ("settlement.case.state.corrected", "waiting"),
    "escalated": ("settlement.case.state.escalated", "waiting"),
    "accepted": ("settlement.case.state.accepted", "good"),
    "upheld": ("settlement.case.state.upheld", "good"),
    "rejected": ("settlement.case.state.rejected", "quiet"),
    "withdrawn": ("settlement.case.state.withdrawn", "quiet"),
    "lapsed": ("settlement.case.state.lapsed", "quiet"),
}
"""State of a query → its words and its tone; a state has the name of the action that led to it."""

ROLE_KEYS: dict[str, str] = {
    "person": "settlement.case.role.person",
    "hospital": "settlement.case.role.hospital",
    "agency": "settlement.case.role.agency",
}


class CaseItem(msgspec.Struct, frozen=True):
    """One case of the list, and the hospital that it is about."""

    case: CaseRow
    hospital: Words


class CasesPage(msgspec.Struct, frozen=True):
    """A page of the open cases at `now_at`, those due first standing first, and the counts."""

    items: tuple[CaseItem, ...]
    open: int
    late: int
    undated: int
    next_after: str | None
    now_at: int


class CasePage(msgspec.Struct, frozen=True):
    """One case with its history at `now_at`."""

    history: History
    hospital: Words
    now_at: int


def cases_list(page: Page, view: CasesPage) -> Response[str]:
    """Answer with the open cases."""
    more = view.next_after
    return page.render(
        "settlement/cases.html",
        {
            "headline": cases_headline(page, view),
            "late": page.voice.tn("settlement.cases.late", view.late) if view.late else "",
            "undated": page.voice.tn("settlement.cases.undated", view.undated)
            if view.undated
            else "",
            "none_late": view.open and not view.late,
            "table": _cases_table(page, view),
            "more": "" if more is None else f"{page.href(CASES_PATH)}?after={more}",
        },
    )


def cases_headline(page: Page, view: CasesPage) -> str:
    """Return the answer of the list in words: how much is open."""
    if view.open == 0:
        return page.t("settlement.cases.none")
    return page.voice.tn("settlement.cases.open", view.open)


def _cases_table(page: Page, view: CasesPage) -> Table:
    return Table(
        caption=page.t("settlement.cases.caption"),
        columns=(
            Column(page.t("settlement.case.line"), main=True),
            Column(page.t("settlement.column.hospital")),
            Column(page.t("settlement.case.owner")),
            Column(page.t("settlement.case.due")),
            Column(page.t("settlement.column.state"), "state"),
        ),
        rows=tuple(
            Row(
                key=item.case.case_id,
                link=page.href(f"{CASES_PATH}/{item.case.case_id}"),
                cells=(
                    Cell(item.case.item, note=item.case.subject),
                    Cell(page.voice.of(item.hospital)),
                    Cell(_role(page, item.case.owner_role)),
                    _due(page, item.case, view.now_at),
                    Cell(badge=_state(page, item.case.state)),
                ),
            )
            for item in view.items
        ),
        empty=Empty(page.t("settlement.cases.empty"), page.t("settlement.cases.empty.text")),
    )


def case(page: Page, view: CasePage) -> Response[str]:
    """Answer with one case: whose turn it is, its legs, its receipts."""
    found = view.history.case
    return page.render(
        "settlement/case.html",
        {
            "headline": page.t(STATES[found.state][0]),
            "badge": _state(page, found.state),
            "late": _late(page, found, view.now_at),
            "facts": _facts(page, view),
            "legs": _legs_table(page, view),
            "receipts": _receipts_table(page, view),
            "list_path": page.href(CASES_PATH),
        },
    )


def _facts(page: Page, view: CasePage) -> tuple[tuple[str, str], ...]:
    found = view.history.case
    facts = [
        (page.t("settlement.case.line"), found.item),
        (page.t("settlement.stay.id"), found.subject),
        (page.t("settlement.stay.hospital"), page.voice.of(view.hospital)),
        (page.t("settlement.case.opened"), page.voice.moment(found.opened_at)),
    ]
    if found.closed_at is None:
        due = _due(page, found, view.now_at)
        facts.append((page.t("settlement.case.owner"), _role(page, found.owner_role)))
        facts.append((page.t("settlement.case.due"), f"{due.text} {due.note}".strip()))
    else:
        facts.append((page.t("settlement.case.closed"), page.voice.moment(found.closed_at)))
    return (*facts, (page.t("settlement.case.id"), found.case_id))


def _legs_table(page: Page, view: CasePage) -> Table:
    voice = page.voice
    rows = tuple(
        Row(
            key=f"leg-{leg.number}",
            cells=(
                Cell(str(leg.number)),
                Cell(_role(page, leg.role)),
                Cell(voice.moment(leg.received_at)),
                _due(page, leg, view.now_at if leg.done_at is None else leg.done_at),
                Cell("" if leg.done_at is None else voice.moment(leg.done_at)),
                Cell(_action(page, leg.action)),
            ),
        )
        for leg in view.history.legs
    )
    return Table(
        caption=page.t("settlement.case.legs"),
        columns=(
            Column(page.t("settlement.case.number"), "number"),
            Column(page.t("settlement.case.owner"), main=True),
            Column(page.t("settlement.case.received"), "code"),
            Column(page.t("settlement.case.due")),
            Column(page.t("settlement.case.done"), "code"),
            Column(page.t("settlement.case.action")),
        ),
        rows=rows,
        empty=Empty(page.t("settlement.cases.empty"), page.t("settlement.cases.empty.text")),
    )


def _receipts_table(page: Page, view: CasePage) -> Table:
    rows = tuple(
        Row(
            key=f"receipt-{one.number}",
            cells=(
                Cell(str(one.number)),
                Cell(_action(page, one.action)),
                Cell(_role(page, one.role)),
                Cell(page.voice.moment(one.at)),
                Cell(str(one.leaf_index)),
                Cell(one.digest.hex()[:DIGEST_SHOWN]),
            ),
        )
        for one in view.history.receipts
    )
    return Table(
        caption=page.t("settlement.case.receipts"),
        columns=(
            Column(page.t("settlement.case.number"), "number"),
            Column(page.t("settlement.case.action"), main=True),
            Column(page.t("settlement.case.by")),
            Column(page.t("settlement.case.at"), "code"),
            Column(page.t("settlement.case.leaf"), "number"),
            Column(page.t("settlement.case.digest"), "code"),
        ),
        rows=rows,
        empty=Empty(page.t("settlement.cases.empty"), page.t("settlement.cases.empty.text")),
    )


def _state(page: Page, state: str) -> Badge:
    key, tone = STATES[state]
    return Badge(page.t(key), tone)


def _role(page: Page, role: str | None) -> str:
    return "" if role is None else page.t(ROLE_KEYS[role])


def _action(page: Page, action: str | None) -> str:
    """Return an action in words: that of the state of its name, or the opening."""
    if action is None:
        return ""
    return page.t("settlement.case.opening" if action == cases.OPEN else STATES[action][0])


def _due(page: Page, turn: CaseRow | LegRow, at: int) -> Cell:
    """Return the last day of a turn, or why there is none; `at` is now, or when the turn ended."""
    why = cases.undated(turn)
    if why is not None:
        reason = page.console.errors.render(why, page.language).what
        return Cell(page.t("settlement.case.due.unknown"), note=reason)
    if turn.due_at is None:
        return Cell()
    return Cell(page.voice.day(_last_day(page, turn.due_at)), note=_late(page, turn, at))


def _last_day(page: Page, due_at: int) -> date:
    return local_date(due_at - 1, page.console.region.zone)


def _late(page: Page, turn: CaseRow | LegRow, at: int) -> str:
    """Return by how many days a turn is overdue, in words; empty when it is not."""
    if turn.due_at is None or at < turn.due_at:
        return ""
    days = (local_date(at, page.console.region.zone) - _last_day(page, turn.due_at)).days
    return page.voice.tn("settlement.case.late", days)
