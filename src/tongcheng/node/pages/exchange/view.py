"""Nodes and channels as their template shows them."""

import msgspec
from litestar import Response

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.exchange import Line
from tongcheng.kernel.exchange.status import ChannelStatus
from tongcheng.node.pages import words
from tongcheng.node.pages.exchange.pictures import State, lines_map
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Peer(msgspec.Struct, frozen=True):
    """Both directions with one peer, and what is known of the line to it."""

    channel: ChannelStatus
    line: Line

    @property
    def state(self) -> State:
        """Say how the line is drawn: what does not move at all is cut."""
        if self.channel.trouble is not None or self.line.silent_since_at is not None:
            return "cut"
        return "waiting" if self.channel.waiting else "moving"


class Health(msgspec.Struct, frozen=True):
    """This node itself: its software, the accord it goes by, its journal, who writes."""

    software: str
    accord_version: int | None
    entries: int
    writer_epoch: int


class DeadLetter(msgspec.Struct, frozen=True):
    """Why a peer refuses what waits, in the reader's words."""

    peer: str
    code: str
    attempts: str
    what: str
    do: str


def exchange(page: Page, peers: list[Peer], health: Health) -> Response[str]:
    """Answer with every peer; the title says whether somebody must act."""
    states = {page.console.place_of(one.channel.peer).id: one.state for one in peers}
    values = {
        "headline": _headline(page, peers),
        "picture": lines_map(
            page.console.region,
            page.console.place.id,
            page.language,
            page.t("node.exchange.map"),
            states,
        ),
        "keys": [each for each in ("moving", "waiting", "cut") if each in states.values()],
        "table": _table(page, peers),
        "letters": tuple(
            _letter(page, one.channel) for one in peers if one.channel.trouble is not None
        ),
        "health": _health(page, health),
    }
    return page.render("node/exchange.html", values)


def _headline(page: Page, peers: list[Peer]) -> str:
    """Say the gravest thing first: refused, silent, waiting, moving."""
    refused = [one for one in peers if one.channel.trouble is not None]
    if refused:
        return page.voice.tn("node.exchange.stuck", len(refused))
    silent = [
        (one.line.silent_since_at, words.short(page, one.channel.peer))
        for one in peers
        if one.line.silent_since_at is not None
    ]
    if silent:
        since_at = min(at for at, _ in silent)
        names = words.listed(page, [name for _, name in silent])
        return page.t("node.exchange.silent", members=names, since=page.voice.moment(since_at))
    waiting = sum(one.channel.waiting for one in peers)
    if waiting:
        return page.voice.tn("node.exchange.waiting", waiting)
    if not peers:
        return page.t("node.exchange.empty.title")
    return page.t("node.exchange.moving")


def _table(page: Page, peers: list[Peer]) -> Table:
    numbers = ("unanswered", "parked", "sent", "taken")
    return Table(
        caption=page.t("node.exchange.caption"),
        columns=(
            Column(page.t("node.exchange.peer"), main=True),
            Column(page.t("node.exchange.state"), "state"),
            Column(page.t("node.exchange.reached")),
            Column(page.t("node.exchange.waits")),
            *(Column(page.t(f"node.exchange.{key}"), "number") for key in numbers),
        ),
        rows=tuple(_row(page, one) for one in peers),
        empty=Empty(page.t("node.exchange.empty.title"), page.t("node.exchange.empty.text")),
    )


def _row(page: Page, one: Peer) -> Row:
    channel, voice = one.channel, page.voice
    reached = page.t("node.exchange.reached.never")
    if one.line.reached_at is not None:
        reached = voice.moment(one.line.reached_at)
    counts = (channel.unanswered, channel.parked, channel.sent_seq, channel.taken_seq)
    return Row(
        key=f"channel-{channel.peer}",
        cells=(
            Cell(words.short(page, channel.peer), colour=words.colour(page, channel.peer)),
            Cell(badge=_badge(page, one)),
            Cell(reached),
            Cell(voice.number(channel.waiting), note=_age(page, channel.waiting_since_at)),
            *(Cell(voice.number(count)) for count in counts),
        ),
    )


def _badge(page: Page, one: Peer) -> Badge:
    if one.channel.trouble is not None:
        return Badge(page.t("node.exchange.dead"), "bad")
    if one.line.silent_since_at is not None:
        since = page.voice.moment(one.line.silent_since_at)
        return Badge(page.t("node.exchange.away", since=since), "bad")
    if one.channel.waiting:
        return Badge(page.t("node.exchange.pending"), "waiting")
    return Badge(page.t("node.exchange.ok"), "good")


def _age(page: Page, since_at: int | None) -> str:
    """Say how long the oldest act has waited."""
    if since_at is None:
        return ""
    return page.t("node.exchange.age", age=page.voice.age(page.console.now() - since_at))


def _letter(page: Page, channel: ChannelStatus) -> DeadLetter:
    """Put a peer's refusal into words; a code or facts that are a stranger's are shown as such."""
    code = channel.trouble or ""
    what, do = channel.trouble_detail, page.t("node.exchange.letter.do")
    errors = page.console.errors
    if code in errors.codes():
        pairs = (fact.partition("=") for fact in channel.trouble_detail.split(", "))
        facts = {key: value for key, _, value in pairs if key.isidentifier()}
        try:
            said = errors.render(Refused(code, **facts), page.language)
        except AssertionError:
            pass
        else:
            what, do = said.what, said.do
    attempts = page.voice.tn("node.exchange.letter.attempts", channel.trouble_attempts)
    return DeadLetter(words.short(page, channel.peer), code, attempts, what, do)


def _health(page: Page, health: Health) -> list[tuple[str, str]]:
    accord = page.t("node.exchange.accord.none")
    if health.accord_version is not None:
        accord = page.t("node.accord.version", version=health.accord_version)
    return [
        (page.t("node.exchange.software"), f"Tongcheng {health.software}"),
        (page.t("node.accord.nav"), accord),
        (page.t("node.journal.nav"), page.voice.tn("node.journal.size", health.entries)),
        (page.t("node.exchange.writer"), page.t("node.exchange.epoch", epoch=health.writer_epoch)),
    ]
