"""The settlement pages' addresses: read a snapshot, fill the view, render it."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import audit
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement import pages_data, pages_view, stays_data
from tongcheng.services.settlement.pages_view import REFRESH_PATH, STAYS_PATH
from tongcheng.services.settlement.views import STATES, StaysPage
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs

_INSTANT_DIGITS_MAX = 15


async def _list(request: AnyRequest) -> StaysPage:
    """Return the list that a query asks for; what it cannot mean is as if it were not there."""
    node: RunningNode = request.app.state["node"]
    query = request.query_params
    chosen = next((state for state in STATES if state == query.get("state")), None)
    since = str(query.get("older_than", ""))
    is_instant = since.isascii() and since.isdigit() and len(since) <= _INSTANT_DIGITS_MAX
    older_than = int(since) if is_instant else None
    live = query.get("live") != "0" and older_than is None
    return await node.read(
        lambda snapshot: stays_data.stays_page(snapshot, node.home, chosen, older_than, live=live)
    )


@get(STAYS_PATH, include_in_schema=False, opt=needs("settlement.stays.read"))
async def stays_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the list of stays, latest change first."""
    return pages_view.stays(page, await _list(request))


@get(REFRESH_PATH, include_in_schema=False, opt=needs("settlement.stays.read"))
async def stays_rows(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the part of the list that changes."""
    return pages_view.stays_rows(page, await _list(request))


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


HANDLERS: tuple[HTTPRouteHandler, ...] = (stays_page, stays_rows, stay_page)
