"""The exchange page: what waits for a peer, what does not move, what is parked."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel.exchange.status import ChannelStatus, channels
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.toolkit import AnyRequest, needs

EXCHANGE_PATH = "/exchange"


@get(EXCHANGE_PATH, include_in_schema=False, opt=needs("exchange.read"))
async def exchange_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the state of every channel: what waits, what does not move, what is parked."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> list[ChannelStatus]:
        return [] if node.home.accord_in_force is None else channels(snapshot, node.home)

    return exchange_view(page, await node.read(question))


def exchange_view(page: Page, found: list[ChannelStatus]) -> Response[str]:
    """Answer with the channels; the title says whether somebody must act."""
    voice = page.voice
    stuck = sum(1 for one in found if one.trouble is not None)
    waiting = sum(one.waiting for one in found)
    headline = page.t("node.exchange.moving")
    if stuck:
        headline = voice.tn("node.exchange.stuck", stuck)
    elif waiting:
        headline = voice.tn("node.exchange.waiting", waiting)
    troubles = [
        page.t(
            "node.exchange.trouble",
            code=one.trouble,
            count=one.trouble_attempts,
            detail=one.trouble_detail,
        )
        for one in found
        if one.trouble is not None
    ]
    values = {"headline": headline, "table": _table(page, found), "troubles": troubles}
    return page.render("node/exchange.html", values)


def _table(page: Page, found: list[ChannelStatus]) -> Table:
    keys = ("sent", "waits", "unanswered", "taken", "parked")
    return Table(
        caption=page.t("node.exchange.caption"),
        columns=(
            Column(page.t("node.exchange.peer"), main=True),
            *(Column(page.t(f"node.exchange.{key}"), "number") for key in keys),
            Column(page.t("node.exchange.state"), "state"),
        ),
        rows=tuple(_row(page, one) for one in found),
        empty=Empty(page.t("node.exchange.empty.title"), page.t("node.exchange.empty.text")),
    )


def _row(page: Page, one: ChannelStatus) -> Row:
    place = page.console.place_of(one.peer)
    counts = (one.sent_seq, one.waiting, one.unanswered, one.taken_seq, one.parked)
    return Row(
        key=f"channel-{one.peer}",
        cells=(
            Cell(page.voice.of(place.short), colour=place.colour),
            *(Cell(page.voice.number(count)) for count in counts),
            Cell(badge=_badge(page, one)),
        ),
    )


def _badge(page: Page, one: ChannelStatus) -> Badge:
    if one.trouble is not None:
        return Badge(page.t("node.exchange.dead"), "bad")
    if one.waiting:
        return Badge(page.t("node.exchange.pending"), "waiting")
    return Badge(page.t("node.exchange.ok"), "good")


HANDLERS: tuple[HTTPRouteHandler, ...] = (exchange_page,)
