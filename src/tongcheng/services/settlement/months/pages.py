"""The months' addresses: read a snapshot, fill the view, render it."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.ledger.pages import MONTH
from tongcheng.services.settlement.months import data, view
from tongcheng.services.settlement.months.data import MonthLine
from tongcheng.services.settlement.months.view import MONTHS_PATH
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs

READ = needs("settlement.month.read")


async def _lines(request: AnyRequest) -> list[MonthLine]:
    node: RunningNode = request.app.state["node"]
    now_at = node.clock.now()
    return await node.read(lambda snapshot: data.month_lines(snapshot, node.home, now_at))


@get(MONTHS_PATH, include_in_schema=False, opt=READ)
async def months_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve every month, latest first."""
    return view.months(page, await _lines(request))


@get(MONTHS_PATH + ".csv", include_in_schema=False, opt=READ)
async def months_file(request: AnyRequest) -> Response[str]:
    """Serve the months as a file."""
    return view.months_file(await _lines(request))


@get(MONTHS_PATH + "/{month:str}", include_in_schema=False, opt=READ)
async def month_page(
    page: NamedDependency[Page], request: AnyRequest, month: FromPath[str]
) -> Response[str]:
    """Serve one month, or with ".csv" after it the same as a file; refuses MONTH_UNKNOWN."""
    node: RunningNode = request.app.state["node"]
    asked, now_at = month.removesuffix(".csv"), node.clock.now()
    if not MONTH.fullmatch(asked) or asked < "2000-01":
        raise Refused("MONTH_UNKNOWN", month=ascii(month[:16]))
    found = await node.read(lambda snapshot: data.month_page(snapshot, node.home, asked, now_at))
    return view.month_file(found) if month != asked else view.month(page, found)


HANDLERS: tuple[HTTPRouteHandler, ...] = (months_page, months_file, month_page)
