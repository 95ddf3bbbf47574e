"""The node's HTTP application: the exchange for peers, interfaces for hospitals, pages for people.

A service brings `routes` and `pages`; its handlers find the node at `request.app.state.node` and
what pages need at `request.app.state.console`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import journal
from tongcheng.kernel.access import Action, allowed
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.errors import ErrorEntry, Refused
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.node import metrics as figures
from tongcheng.node.authority import load_table
from tongcheng.node.core import Node
from tongcheng.node.errors_http import Faults
from tongcheng.node.figures import LiveFigures
from tongcheng.node.files import is_loopback
from tongcheng.node.guard import SessionCookie, check_handlers, guard
from tongcheng.node.hashing import Hashing
from tongcheng.node.lanes import LANES
from tongcheng.node.limits import (
    BODY_BYTES_MAX,
    BoundedRequest,
    DownloadLimiter,
    RefusalLimiter,
    remote_address,
    was_forwarded,
)
from tongcheng.node.openapi import openapi_config
from tongcheng.node.pages import HANDLERS as NODE_PAGES
from tongcheng.node.pages import demo
from tongcheng.node.pages.demo.desk import DemoDesk
from tongcheng.node.pages.grants.emergency import openable
from tongcheng.services.mobility.console.figures import Figures as MobilityFigures
from tongcheng.services.plan.model import load as load_plan
from tongcheng.services.plan.story import load as load_story
from tongcheng.web.console import Console
from tongcheng.web.security import secure
from tongcheng.web.toolkit import VISITOR, AnyConnection, Toolkit

AnyRequest = Request[Any, Any, State]

SIGN_IN_TRIES_MAX: Final = 20
"""Wrong passwords a minute from one address: a whole office may sit behind it."""

METRICS = Literal["loopback", "open", "closed"]


class Health(msgspec.Struct, frozen=True):
    """Whether the node works: `accord_version` is None until an accord is in force."""

    status: str
    member_id: str
    accord_version: int | None


def create_app(
    node: Node,
    console: Console,
    *,
    pages: bool = False,
    bill_pages: bool = True,
    metrics: METRICS = "loopback",
    run_node: bool = True,
    local_names_only: bool = False,
    pack_folder: Path | None = None,
) -> Litestar:
    """Return the application of one node.

    `pages` serves the console, each page to whom the table of authority lets. `bill_pages`
    serves what persons open by a link of their own, with the console or without it. With
    `run_node` the application opens the node when it starts and stops it at its end; without,
    whoever made the node does. `pack_folder` holds the region pack's plan and its table of
    authority.

    `local_names_only` answers nobody who calls this machine by another name than its own or that
    of the console's https address: a page somewhere on the web can point its own name here, and
    would read the console as if it were it.
    """
    folder = pack_folder or PACKS_DIR / node.home.region.id
    table = load_table(folder, node.home.region, actions_of(node)) if pages else None
    visitor = allowed.visitor(node.home, table, node.clock.now()) if table else VISITOR
    toolkit = Toolkit(console, template_folders(node), visitor=visitor)
    faults = Faults(console.errors, node.home.entropy, toolkit if pages else None)
    handlers: list[Any] = [*LANES, live, ready, metrics_page, error_entry]
    handlers += [route for service in node.services for route in service.routes]
    handlers += _pages(node, toolkit, console=pages, bills=bill_pages)
    home, mobility = _home_page(node, console, folder, pages=pages)
    state = {
        "node": node,
        "console": console,
        "pack_folder": folder,
        "toolkit": toolkit,
        "bill_pages": bill_pages,
        "metrics": metrics,
        **_brakes(node),
        "authority": table,
        "openable": openable(_console_pages(node), actions_of(node)),
        "session_cookie": SessionCookie.of(node.home.member_id, console.address),
        **home,
        "demo": DemoDesk(node, folder) if console.demo else None,
    }
    return Litestar(
        route_handlers=handlers,
        guards=[_check_name] if local_names_only else [],
        before_send=[secure],
        exception_handlers={Exception: faults},
        lifespan=[*([_life_of(node)] if run_node else []), mobility.life],
        logging_config=None,
        openapi_config=openapi_config(),
        request_class=BoundedRequest,
        request_max_body_size=BODY_BYTES_MAX,
        state=State(state),
    )


def _home_page(
    node: Node, console: Console, folder: Path, *, pages: bool
) -> tuple[dict[str, Any], MobilityFigures]:
    """Return what the home page shows, and what computes a part of it."""
    plan = load_plan(folder / "plan.yaml") if pages else None
    story = load_story(folder / "story.yaml") if pages and console.synthetic else None
    wanted = () if plan is None else [key for each in plan.commitments for key in each.keys]
    mobility = MobilityFigures(node, folder, wanted)
    figures = LiveFigures(node, synthetic=console.synthetic, story=story, mobility=mobility.now)
    home = {"plan": plan, "story": story, "figures": figures, "mobility_figures": mobility}
    return home, mobility


def _brakes(node: Node) -> dict[str, Any]:
    """Return what slows down whoever is refused too often."""
    return {
        "refusals": RefusalLimiter(node.clock),
        # Apart: a stranger in a hospital's own network must not lock out the hospital's systems.
        "bill_tries": RefusalLimiter(node.clock),
        "sign_in_tries": RefusalLimiter(node.clock, SIGN_IN_TRIES_MAX),
        "downloads": DownloadLimiter(node.clock),
        "hashing": Hashing(),
    }


def actions_of(node: Node) -> tuple[Action, ...]:
    """Return everything that people can do on the pages of a node."""
    return (*KERNEL_ACTIONS, *(each for service in node.services for each in service.actions))


def _console_pages(node: Node) -> list[HTTPRouteHandler]:
    """Return the handlers of every page that a console has."""
    return [*NODE_PAGES, *(page for service in node.services for page in service.pages)]


def _pages(node: Node, toolkit: Toolkit, *, console: bool, bills: bool) -> list[Any]:
    """Return the routes of the pages that are served, with their style sheets."""
    routes: list[Any] = [toolkit.assets.handler()] if console or bills else []
    if console:
        handlers = _console_pages(node)
        handlers += demo.HANDLERS if toolkit.console.demo else ()
        check_handlers(handlers, (action.name for action in actions_of(node)))
        routes += toolkit.routes(handlers, guards=[guard])
    if bills:
        faults = Faults(toolkit.console.errors, node.home.entropy, toolkit, to_person=True)
        routes += toolkit.person_routes(faults, *(each.person_pages for each in node.services))
    return routes


async def _check_name(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """Refuse a request to a name that is not this node's own (DNS rebinding)."""
    host = connection.headers.get("host", "")
    address: str = connection.app.state["console"].address
    # Only with TLS: there is a proxy with a certificate of that name between.
    if address.startswith("https://") and host.lower() == urlsplit(address).netloc.lower():
        return
    name, _, port = host.rpartition(":")
    if not is_loopback(name if port.isdecimal() else f"{name}:{port}".strip(":")):
        raise Refused("HOST_NOT_LOCAL")


def template_folders(node: Node) -> dict[str, Path]:
    """Return the services' templates: a folder `templates` beside a service's texts.yaml."""
    beside = {service.name: [file.parent for file in service.texts] for service in node.services}
    of_services = {
        name: folder / "templates"
        for name, folders in beside.items()
        for folder in folders
        if (folder / "templates").is_dir()
    }
    return {"node": Path(__file__).parent / "templates", **of_services}


def _life_of(node: Node) -> Callable[[Litestar], Any]:
    @asynccontextmanager
    async def life(_app: Litestar) -> AsyncIterator[None]:
        node.open()
        node.start()
        try:
            yield
        finally:
            await node.stop()

    return life


@get("/health/live", tags=["health"], sync_to_thread=False)
def live(request: AnyRequest) -> Health:
    """Tell that the process answers; a supervisor restarts it when it does not."""
    return _health(request.app.state.node, "live")


@get("/health/ready", tags=["health"])
async def ready(request: AnyRequest) -> Health:
    """Tell that the store can be written and read, and all is warm; 503 when it is not."""
    node: Node = request.app.state.node
    if not node.is_warm:
        raise Refused("NODE_WARMING")
    await node.run(lambda tx: tx.now_at)
    await node.read(journal.head)
    return _health(node, "ready")


def _health(node: Node, status: str) -> Health:
    accord = node.home.accord_in_force
    version = accord.version if accord is not None else None
    return Health(status=status, member_id=node.home.member_id, accord_version=version)


@get("/metrics", include_in_schema=False)
async def metrics_page(request: AnyRequest) -> Response[bytes]:
    """Show the node's figures to a monitoring system on this machine, or to whom settings allow."""
    setting: METRICS = request.app.state.metrics
    near = is_loopback(remote_address(request)) and not was_forwarded(request)
    if setting == "closed" or (setting == "loopback" and not near):
        raise Refused("METRICS_CLOSED", setting=setting)
    body = await figures.exposition(request.app.state.node)
    return Response(body, media_type=figures.CONTENT_TYPE_LATEST)


@get("/api/errors/{code:str}", tags=["errors"], sync_to_thread=False)
def error_entry(request: AnyRequest, code: FromPath[str]) -> ErrorEntry:
    """Show one entry of the error catalogue: what, why and what to do, in zh and en."""
    console: Console = request.app.state.console
    if code not in console.errors.codes():
        raise Refused("ERROR_CODE_UNKNOWN", code=ascii(code[:80]))
    return console.errors.entry(code)
