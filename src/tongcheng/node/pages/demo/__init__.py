"""The demonstration's page: cut a line, heal it, forge a record; only on nodes made for it."""

from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from tongcheng.kernel.errors import Refused
from tongcheng.node.core import Node
from tongcheng.node.forgery import TARGETS
from tongcheng.node.pages.demo import view
from tongcheng.node.pages.demo.desk import DemoDesk
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

DEMO_PATH: Final = "/demo"
NOW_PATH: Final = "/demo/now"
FORGED_PATH: Final = "/demo/forged"
FORGE_WAIT_S: Final = 2.0
"""A small store is verified by then; of a large one the page shows how far it is."""


async def _now(request: AnyRequest) -> view.Now:
    node: Node = request.app.state["node"]
    now_at = node.clock.now()
    return await node.read(lambda snapshot: view.read(snapshot, node.home, now_at))


@get(DEMO_PATH, include_in_schema=False, opt=needs("demo.run"))
async def demo_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the tour: what runs, what is cut, what waits, what was forged and found."""
    desk: DemoDesk = request.app.state["demo"]
    shown = {**view.values(page, desk, await _now(request)), **view.forging(page, desk)}
    return page.render("node/demo/page.html", {**shown, "live": True})


@get(NOW_PATH, include_in_schema=False, opt=needs("demo.run"))
async def demo_now(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the part of the tour that changes by itself."""
    desk: DemoDesk = request.app.state["demo"]
    return page.render("node/demo/now.html", view.values(page, desk, await _now(request)))


@get(FORGED_PATH, include_in_schema=False, opt=needs("demo.run"), sync_to_thread=False)
def demo_forged(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve what has become of the forgery."""
    desk: DemoDesk = request.app.state["demo"]
    return page.render("node/demo/forged.html", view.forging(page, desk))


@post("/demo/cut", include_in_schema=False, opt=needs("demo.run"))
async def cut(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    """Cut every line of the place that the demonstration cuts off."""
    await read_form(request)
    desk: DemoDesk = request.app.state["demo"]
    desk.cut.cut(desk.lines)
    return see_other(page, f"{DEMO_PATH}#cut")


@post("/demo/heal", include_in_schema=False, opt=needs("demo.run"))
async def heal(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    """Put every line together again."""
    await read_form(request)
    desk: DemoDesk = request.app.state["demo"]
    desk.cut.heal(desk.cut.all())
    return see_other(page, f"{DEMO_PATH}#heal")


@post("/demo/forge", include_in_schema=False, opt=needs("demo.run"))
async def forge(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    """Forge one record in a copy of this node's store, and verify the copy."""
    form = await read_form(request)
    desk: DemoDesk = request.app.state["demo"]
    chosen = [target for target in TARGETS if target == form.get("target")]
    if not chosen:
        raise Refused("FORM_MALFORMED")
    with_keys = form.get("with_keys") == "1"
    await desk.forge(chosen[0], with_keys=with_keys, wait_s=FORGE_WAIT_S)
    return see_other(page, f"{DEMO_PATH}#forge")


HANDLERS: tuple[HTTPRouteHandler, ...] = (demo_page, demo_now, demo_forged, cut, heal, forge)
"""Routes of a demonstration's node; any other has no such address."""
