"""One line of the person's bill, from its view to HTML: what it is, and what was asked about it."""

from typing import Any, Final

import msgspec
from litestar import Response

from tongcheng.kernel import cases
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.cases import CaseRow, ReceiptRow
from tongcheng.services.settlement.bill_page import words
from tongcheng.services.settlement.bill_page.page_whole import cells
from tongcheng.services.settlement.bill_page.views import LinePage, Query
from tongcheng.services.settlement.cases_view import ROLE_KEYS, STATES
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.web import Badge, Page

ACTION_KEYS: Final = {
    "accepted": "settlement.bill.action.accepted",
    "escalated": "settlement.bill.action.escalated",
    "withdrawn": "settlement.bill.action.withdrawn",
}
SAID_KEYS: Final = {
    "person": "settlement.bill.said.person",
    "hospital": "settlement.bill.said.hospital",
    "agency": "settlement.bill.said.agency",
}


class StepWords(msgspec.Struct, frozen=True):
    """One hand-over: who did what when, what was said, and its receipt."""

    title: str
    at: str
    text: str
    number: int
    digest: str
    leaf: int


class ActionWords(msgspec.Struct, frozen=True):
    """One button; `needs_text` when the others must be told why."""

    action: str
    label: str
    needs_text: bool


class QueryWords(msgspec.Struct, frozen=True):
    """One question about the line, in words."""

    case_id: str
    badge: Badge
    turn: str
    due: str
    steps: tuple[StepWords, ...]
    actions: tuple[ActionWords, ...]


def line(page: Page, view: LinePage, token: str, form: str, now_at: int) -> Response[Any]:
    """Answer with one line, the questions about it, and the form for a new one."""
    address = page.href(f"/bill/{token}")
    return page.render(
        "settlement/bill_line.html",
        {
            "address": address,
            "form": form,
            "most": cases.WORDS_CHARACTERS_MAX,
            "hospital": page.voice.of(view.hospital),
            "category": words.category(page.voice, view.line.category),
            "cells": cells(page, view.line, address),
            "original": f"{address}/line/{view.line.refund_of}" if view.line.refund_of else "",
            "queries": tuple(_query(page, each, now_at) for each in reversed(view.queries)),
            "can_ask": view.can_ask,
        },
    )


def _query(page: Page, query: Query, now_at: int) -> QueryWords:
    found = query.history.case
    key, tone = STATES[found.state]
    turn = ""
    if found.owner_role is not None:
        turn = page.t("settlement.bill.turn", who=page.t(ROLE_KEYS[found.owner_role]))
    return QueryWords(
        case_id=found.case_id,
        badge=Badge(page.t(key), tone),
        turn=turn,
        due=_due(page, found, now_at),
        steps=tuple(
            _step(page, receipt, query.said.get(receipt.number, ""))
            for receipt in query.history.receipts
        ),
        actions=tuple(
            ActionWords(
                action,
                page.t(ACTION_KEYS[action]),
                needs_text=action in LINE_QUERY.with_words,
            )
            for action in query.actions
        ),
    )


def _due(page: Page, case: CaseRow, now_at: int) -> str:
    why = cases.undated(case)
    if why is not None:
        return page.t("settlement.bill.due.unknown")
    if case.due_at is None:
        return ""
    last = local_date(case.due_at - 1, page.console.region.zone)
    said = page.t("settlement.bill.due", day=page.voice.day(last))
    if not cases.is_late(case, now_at):
        return said
    days = (local_date(now_at, page.console.region.zone) - last).days
    late = page.voice.tn("settlement.case.late", days)
    return page.t("settlement.bill.due.late", due=said, late=late)


def _step(page: Page, receipt: ReceiptRow, text: str) -> StepWords:
    opened = receipt.action == cases.OPEN
    on = local_date(receipt.at, page.console.region.zone)
    what = page.t("settlement.case.opening" if opened else STATES[receipt.action][0])
    return StepWords(
        title=page.t("settlement.bill.step", who=page.t(SAID_KEYS[receipt.role]), what=what),
        at=f"{page.voice.day(on)} {page.voice.time(receipt.at)}",
        text=text,
        number=receipt.number,
        digest=receipt.digest.hex(),
        leaf=receipt.leaf_index,
    )
