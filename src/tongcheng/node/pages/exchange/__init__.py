"""Nodes and channels: who was reached when, what waits and since when, what a peer refuses."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

import tongcheng
from tongcheng.kernel import journal
from tongcheng.kernel.exchange.status import ChannelStatus, channels
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.node.pages.exchange import view
from tongcheng.node.pages.exchange.view import Health, Peer
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs

EXCHANGE_PATH = "/exchange"


@get(EXCHANGE_PATH, include_in_schema=False, opt=needs("exchange.read"))
async def exchange_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the state of every channel, and of this node itself."""
    node: Node = request.app.state["node"]
    accord = node.home.accord_in_force

    def question(snapshot: Snapshot) -> tuple[list[ChannelStatus], int]:
        found = [] if accord is None else channels(snapshot, node.home)
        return found, journal.head(snapshot)[0]

    found, entries = await node.read(question)
    health = Health(
        software=tongcheng.__version__,
        accord_version=None if accord is None else accord.version,
        entries=entries,
        writer_epoch=node.database.epoch,
    )
    peers = [Peer(one, node.exchange.line_to(one.peer)) for one in found]
    return view.exchange(page, peers, health)


HANDLERS: tuple[HTTPRouteHandler, ...] = (exchange_page,)
