"""The audit page: who read or did what; each entry stands before the answer was given.

Looking at the audit is itself audited: one entry for each page of it that is answered, whatever is
on it, with the filter as its detail. So somebody who goes through the audit to learn whose file
was opened leaves as many traces as they read pages. These entries are not marked as personal
reads: the audit holds numbers of persons and stays, never names, and counting its own readers
among the readers of persons would make the page's title grow by being looked at.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import audit, audit_reading, journal
from tongcheng.kernel.access import reviews
from tongcheng.kernel.audit import AuditRow
from tongcheng.kernel.audit_reading import Wanted
from tongcheng.kernel.calendar import local_date, local_text
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.proof import prove
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.node.pages.audit import view
from tongcheng.node.pages.audit.names import names_of
from tongcheng.node.pages.audit.view import AUDIT_PATH, AuditPage, Seal
from tongcheng.web import Page
from tongcheng.web.csv_file import Value, download
from tongcheng.web.toolkit import AnyRequest, needs

PAGE_ROWS: Final = 50
CSV_ROWS: Final = 10_000
"""Of one download: about a megabyte. The last number of a full file is where the next begins."""
CSV_COLUMNS: Final = ("number", "time", "actor", "action", "subject", "detail", "personal_read")
"""As named in docs/access-emergency.md."""
FILTER_CHARACTERS: Final = 120
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")
_DAY: Final = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


@get(AUDIT_PATH, include_in_schema=False, opt=needs("audit.read"))
async def audit_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the newest entries that a filter leaves, with the day's readers of personal data."""
    node: Node = request.app.state["node"]
    wanted, before = _asked(request)
    reads = node.reads
    zone = node.home.region.zone
    on = wanted.on or local_date(node.clock.now(), zone)

    def question(snapshot: Snapshot) -> AuditPage:
        rows = audit_reading.entries(snapshot, wanted, zone, before=before, limit=PAGE_ROWS + 1)
        readers = audit_reading.readers_of_day(snapshot, reads, on, zone)
        actors = (*(row.actor for row in rows), *(one.actor for one in readers))
        return AuditPage(
            wanted=wanted,
            on=on,
            is_today=on == local_date(node.clock.now(), zone),
            rows=tuple(rows[:PAGE_ROWS]),
            older=rows[PAGE_ROWS - 1].number if len(rows) > PAGE_ROWS else None,
            readers=tuple(readers),
            seal=_seal(snapshot),
            overdue=reviews.overdue(snapshot, node.clock.now()),
            names=names_of(snapshot, actors),
        )

    answer = view.audit_view(page, await node.read(question), reads)
    await _note(node, page, "audit.read", wanted)
    return answer


@get(AUDIT_PATH + "/entries.csv", include_in_schema=False, opt=needs("audit.read"))
async def audit_csv(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve what a filter leaves as a file."""
    node: Node = request.app.state["node"]
    wanted, before = _asked(request)
    zone = node.home.region.zone

    def question(snapshot: Snapshot) -> list[AuditRow]:
        return audit_reading.entries(snapshot, wanted, zone, before=before, limit=CSV_ROWS)

    rows = await node.read(question)
    await _note(node, page, "audit.download", wanted)
    return download("audit.csv", CSV_COLUMNS, (_csv_row(row, node.reads, zone) for row in rows))


@get(AUDIT_PATH + "/seal.json", include_in_schema=False, opt=needs("audit.read"))
async def seal_proof(request: AnyRequest) -> Response[bytes]:
    """Serve the proof of the newest seal, as `tongcheng journal check` reads it, without us."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> dict[str, Any]:
        name = f"{audit.SEAL_KIND}/{audit.head(snapshot).sealed}"
        return prove(snapshot, node.home, name, node.subtrees)

    document = await node.read(question)
    return Response(
        msgspec.json.format(msgspec.json.encode(document), indent=2),
        media_type="application/json",
    )


def _asked(request: AnyRequest) -> tuple[Wanted, int | None]:
    """Return what a query looks for; what it cannot mean is as if it were not there."""
    query: Mapping[str, str] = request.query_params
    actor, action, subject = (
        query.get(field, "").strip()[:FILTER_CHARACTERS] for field in ("actor", "action", "subject")
    )
    before = query.get("before", "")
    wanted = Wanted(actor, action, subject, _day(query.get("on", "")))
    return wanted, int(before) if _NUMBER.fullmatch(before) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _seal(snapshot: Snapshot) -> Seal:
    """Return up to which entry the journal has sealed the audit, and whether that can be proved."""
    head = audit.head(snapshot)
    leaf = journal.leaf_of(snapshot, audit.SEAL_KIND, str(head.sealed))
    if leaf is None:
        return Seal(head.count, head.sealed)
    size = snapshot.query(sa.select(sa.func.max(CHECKPOINTS.c.size)))[0][0] or 0
    return Seal(head.count, head.sealed, leaf.leaf_index, leaf.at, provable=size > leaf.leaf_index)


async def _note(node: Node, page: Page, action: str, wanted: Wanted) -> None:
    """Write the look into the audit; its subject is what was looked for, if it was one thing."""
    asked = {"actor": wanted.actor, "action": wanted.action, "on": str(wanted.on or "")}
    detail = ", ".join(f"{name} {value}" for name, value in asked.items() if value)
    entry = audit.Entry(page.reader.actor, action, wanted.subject or "audit", detail)
    await node.run(lambda tx: audit.note(tx, entry))


def _csv_row(row: AuditRow, reads: Mapping[str, str], zone: str) -> tuple[Value, ...]:
    words = (row.actor, row.action, row.subject, row.detail)
    return (row.number, local_text(row.at, zone), *words, int(row.action in reads))


HANDLERS: tuple[HTTPRouteHandler, ...] = (audit_page, audit_csv, seal_proof)
