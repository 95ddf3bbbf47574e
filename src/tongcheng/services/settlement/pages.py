"""The settlement pages' addresses: read a snapshot, fill the view, render it."""

from functools import partial

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from tongcheng.kernel import audit
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import (
    pages_data,
    pages_view,
    stays_csv,
    stays_data,
    stays_query,
    stays_view,
)
from tongcheng.services.settlement.stays_view import CSV_PATH, REFRESH_PATH, STAYS_PATH
from tongcheng.services.settlement.views import StayRow, StaysPage
from tongcheng.web import Page, csv_file
from tongcheng.web.toolkit import AnyRequest, needs


async def _list(page: Page, request: AnyRequest) -> StaysPage:
    """Return the list that a query asks for; naming a patient's stay is noted in the audit."""
    node: RunningNode = request.app.state["node"]
    query = stays_query.read(request.query_params)
    now_at = node.clock.now()
    view = await node.read(
        lambda snapshot: stays_data.stays_page(snapshot, node.home, query, now_at)
    )
    if query.found and view.rows:
        await node.run(partial(_note_found, actor=page.reader.actor, rows=view.rows))
    return view


def _note_found(tx: Transaction, *, actor: str, rows: tuple[StayRow, ...]) -> None:
    for row in rows:
        audit.note(tx, audit.Entry(actor, "stay.read", row.stay_id, "found by its number"))


@get(STAYS_PATH, include_in_schema=False, opt=needs("settlement.stays.read"))
async def stays_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the list of stays, latest change first."""
    return stays_view.stays(page, await _list(page, request))


@get(REFRESH_PATH, include_in_schema=False, opt=needs("settlement.stays.read"))
async def stays_rows(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the part of the list that changes."""
    return stays_view.stays_rows(page, await _list(page, request))


@get(CSV_PATH, include_in_schema=False, opt=needs("settlement.stays.read"))
async def stays_file(page: NamedDependency[Page], request: AnyRequest) -> Stream:
    """Serve the shown list as a file, without the search for one patient's stay."""
    node: RunningNode = request.app.state["node"]
    query = msgspec.structs.replace(stays_query.read(request.query_params), found="")
    name = f"stays-{node.home.member_id}.csv"
    lines = stays_csv.lines(page, node, query)
    return Stream(lines, media_type=csv_file.MEDIA_TYPE, headers=csv_file.saved_as(name))


@get(
    STAYS_PATH + "/{stay_id:str}",
    include_in_schema=False,
    opt=needs("settlement.stay.read"),
)
async def stay_page(
    page: NamedDependency[Page], request: AnyRequest, stay_id: FromPath[str]
) -> Response[str]:
    """Serve one stay with both sides' records and its envelopes."""
    node: RunningNode = request.app.state["node"]
    errors = page.console.errors
    view = await node.read(
        lambda snapshot: pages_data.stay_page(snapshot, node.home, errors, stay_id, page.language)
    )
    entry = audit.Entry(page.reader.actor, "stay.read", stay_id)
    await node.run(lambda tx: audit.note(tx, entry))
    return pages_view.stay(page, view)


HANDLERS: tuple[HTTPRouteHandler, ...] = (stays_page, stays_rows, stays_file, stay_page)
