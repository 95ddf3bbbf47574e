"""The desk's addresses: read a snapshot, fill the view, render it."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.desk_page import data, view
from tongcheng.services.settlement.desk_page.model import DeskPage
from tongcheng.services.settlement.desk_page.view import DESK_PATH, REFRESH_PATH
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs


async def _desk(page: Page, request: AnyRequest) -> DeskPage:
    node: RunningNode = request.app.state["node"]
    now_at = node.clock.now()
    return await node.read(
        lambda snapshot: data.desk_page(
            snapshot,
            node.home,
            page.console.errors,
            page.language,
            now_at,
            with_cases=page.may("settlement.cases.read"),
            live=request.query_params.get("live") != "0",
        )
    )


@get(DESK_PATH, include_in_schema=False, opt=needs("settlement.desk.read"))
async def desk_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the desk: what is open and why, who waits, what was settled today."""
    return view.desk(page, await _desk(page, request))


@get(REFRESH_PATH, include_in_schema=False, opt=needs("settlement.desk.read"))
async def desk_rows(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the part of the desk that changes."""
    return view.desk_rows(page, await _desk(page, request))


HANDLERS: tuple[HTTPRouteHandler, ...] = (desk_page, desk_rows)
