"""The audit page from its view to HTML: the title says who read personal data on the day."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar import Response

from tongcheng.kernel.audit import AuditRow
from tongcheng.kernel.audit_reading import Count, Wanted
from tongcheng.kernel.words import Words
from tongcheng.node.pages.audit.names import who
from tongcheng.node.pages.words import action_words
from tongcheng.web import Page

AUDIT_PATH: Final = "/audit"
READERS_SHOWN: Final = 6


class Seal(msgspec.Struct, frozen=True):
    """How far the journal has sealed the audit: entry `sealed` of `count`, by leaf `leaf_index`."""

    count: int
    sealed: int
    leaf_index: int | None = None
    at: int | None = None
    provable: bool = False


class AuditPage(msgspec.Struct, frozen=True):
    """What the page shows: entries, newest first, the day's readers, and the seal.

    `older` is the last entry shown, where more follow; `overdue` counts reviews of emergency access
    that nobody decided in time. `names` are those of the actors whom this node knows by name.
    """

    wanted: Wanted
    on: date
    is_today: bool
    rows: tuple[AuditRow, ...]
    older: int | None
    readers: tuple[Count, ...]
    seal: Seal
    overdue: int
    names: Mapping[str, Words]


class EntryCells(msgspec.Struct, frozen=True):
    """One entry as the table shows it; the links filter by what they say."""

    number: str
    when: str
    who: str
    who_link: str
    what: str
    code: str
    subject: str
    subject_link: str
    detail: str
    personal: bool
    sealed: bool


class Reader(msgspec.Struct, frozen=True):
    """One who read personal data on the day, how often, and the link to each time."""

    who: str
    count: str
    link: str


def audit_view(page: Page, view: AuditPage, reads: Mapping[str, str]) -> Response[str]:
    """Answer with the page."""
    readers = tuple(
        Reader(
            who(page, one.actor, view.names), page.voice.number(one.count), _link(page, view, one)
        )
        for one in view.readers[:READERS_SHOWN]
    )
    wanted = _fields(view.wanted)
    return page.render(
        "node/audit.html",
        {
            "view": view,
            "wanted": wanted,
            "headline": headline(page, view),
            "overdue": page.voice.tn("node.grants.reviews.overdue", view.overdue)
            if view.overdue
            else "",
            "readers": readers,
            "more_readers": max(0, len(view.readers) - READERS_SHOWN),
            "seal": _seal(page, view.seal),
            "rows": tuple(_cells(page, view, row, reads) for row in view.rows),
            "filtered": bool(wanted),
            "here": page.href(AUDIT_PATH),
            "csv": _address(page, wanted, AUDIT_PATH + "/entries.csv"),
            "older": None
            if view.older is None
            else _address(page, wanted | {"before": str(view.older)}),
            "proof": page.href(AUDIT_PATH + "/seal.json") if view.seal.provable else "",
        },
    )


def headline(page: Page, view: AuditPage) -> str:
    """Return who read personal data on the day, in one sentence."""
    key = "node.audit.today" if view.is_today else "node.audit.day"
    total = sum(one.count for one in view.readers)
    day = page.voice.day(view.on)
    if not total:
        return page.t(f"{key}.nobody", day=day)
    first = view.readers[0]
    if len(view.readers) == 1:
        return page.voice.tn(f"{key}.alone", total, day=day, who=who(page, first.actor, view.names))
    return page.voice.tn(
        key,
        total,
        day=day,
        readers=page.voice.number(len(view.readers)),
        who=who(page, first.actor, view.names),
        most=page.voice.number(first.count),
    )


def _seal(page: Page, seal: Seal) -> str:
    """Return in words how far the audit is sealed."""
    voice = page.voice
    if seal.leaf_index is None or seal.at is None:
        return page.t("node.audit.seal.none", count=voice.number(seal.count))
    key = "node.audit.seal.all" if seal.sealed == seal.count else "node.audit.seal.part"
    return page.t(
        key,
        sealed=voice.number(seal.sealed),
        open=voice.number(seal.count - seal.sealed),
        leaf=voice.number(seal.leaf_index),
        moment=voice.moment(seal.at),
    )


def _cells(page: Page, view: AuditPage, row: AuditRow, reads: Mapping[str, str]) -> EntryCells:
    said = action_words(page, reads, row.action)
    filters = _fields(view.wanted)
    return EntryCells(
        number=page.voice.number(row.number),
        when=page.voice.moment(row.at),
        who=who(page, row.actor, view.names),
        who_link=_address(page, filters | {"actor": row.actor}),
        what=said,
        code="" if said == row.action else row.action,
        subject=row.subject,
        subject_link=_address(page, filters | {"subject": row.subject}),
        detail=row.detail,
        personal=row.action in reads,
        sealed=row.number <= view.seal.sealed,
    )


def _link(page: Page, view: AuditPage, one: Count) -> str:
    return _address(page, {"actor": one.actor, "on": view.on.isoformat()})


def _fields(wanted: Wanted) -> dict[str, str]:
    """Return a filter as the fields of a query; what is not looked for is left out."""
    on = "" if wanted.on is None else wanted.on.isoformat()
    fields = {"actor": wanted.actor, "action": wanted.action, "subject": wanted.subject, "on": on}
    return {name: value for name, value in fields.items() if value}


def _address(page: Page, fields: Mapping[str, str], path: str = AUDIT_PATH) -> str:
    query = urlencode(fields)
    return page.href(path) + (f"?{query}" if query else "")
