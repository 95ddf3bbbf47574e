"""The ledger's addresses: read a snapshot, fill the view, render it."""

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.ledger import data, purse_data, purse_view, view
from tongcheng.services.settlement.ledger.data import LedgerPage
from tongcheng.services.settlement.ledger.purse_data import FILE_ROWS, PAGE_ROWS, PursePage
from tongcheng.services.settlement.ledger.view import CSV_PATH, LEDGER_PATH
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs

READ = needs("settlement.ledger.read")
PURSE_PATH = LEDGER_PATH + "/{area:str}/{scheme:str}/{fund:str}/{month:str}"
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
TRANSFER = re.compile(r"[0-9a-f]{32}")


def asked_month(request: AnyRequest) -> str | None:
    """Return the month a query asks for; what is none is as if it were not there."""
    given = str(request.query_params.get("month", ""))
    return given if MONTH.fullmatch(given) else None


async def _read(request: AnyRequest) -> LedgerPage:
    node: RunningNode = request.app.state["node"]
    month, now_at = asked_month(request), node.clock.now()
    return await node.read(lambda s: data.ledger_page(s, node.home, month, now_at))


@get(LEDGER_PATH, include_in_schema=False, opt=READ)
async def ledger_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the books of a month beside the mirror."""
    return view.ledger(page, await _read(request), request.app.state["node"].clock.now())


@get(CSV_PATH, include_in_schema=False, opt=READ)
async def ledger_file(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the shown lines as a file."""
    return view.ledger_file(page, await _read(request))


async def _purse(request: AnyRequest, key: tuple[str, str], *, most: int) -> PursePage:
    node: RunningNode = request.app.state["node"]
    given = str(request.query_params.get("before", ""))
    before = bytes.fromhex(given) if TRANSFER.fullmatch(given) else None
    now_at = node.clock.now()
    return await node.read(
        lambda s: purse_data.purse_page(s, node.home, key, before, now_at, most=most)
    )


@get(PURSE_PATH, include_in_schema=False, opt=READ)
async def purse_page(
    page: NamedDependency[Page],
    request: AnyRequest,
    area: FromPath[str],
    scheme: FromPath[str],
    fund: FromPath[str],
    month: FromPath[str],
) -> Response[str]:
    """Serve one purse's month, or with ".csv" after it the same as a file."""
    is_file = month.endswith(".csv")
    key = (f"{area}/{scheme}/{fund}", month.removesuffix(".csv"))
    if is_file:
        return purse_view.purse_file(page, await _purse(request, key, most=FILE_ROWS))
    return purse_view.purse(page, await _purse(request, key, most=PAGE_ROWS))


HANDLERS: tuple[HTTPRouteHandler, ...] = (ledger_page, ledger_file, purse_page)
