"""Nodes and channels: the title says the gravest thing, each line is drawn by its state."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.kernel.region_of_nodes import Region, play
from tests.node.pages import region
from tests.node.pages.region import FIRST, SECOND, THIRD
from tests.toy import NOW_AT, Ping
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.exchange import Line
from tongcheng.kernel.exchange.status import ChannelStatus
from tongcheng.kernel.service import Reply
from tongcheng.node.app import template_folders
from tongcheng.node.console import make_console
from tongcheng.node.pages.exchange import view
from tongcheng.node.pages.exchange.view import Health, Peer
from tongcheng.web import Language, Page, Toolkit

HEALTH = Health(software="1", accord_version=3, entries=12, writer_epoch=2)
MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Toolkit:
    """The first node's templates and words."""
    node = region.node_of(tmp_path_factory.mktemp("n"), FIRST)
    return Toolkit(make_console(node, nav=()), template_folders(node))


def _channel(peer: str, **changes: object) -> ChannelStatus:
    fields: dict[str, object] = {
        "peer": peer,
        "sent_seq": 9,
        "acknowledged_seq": 9,
        "taken_seq": 4,
        "waiting": 0,
        "waiting_since_at": None,
        "unanswered": 0,
        "parked": 0,
        "trouble": None,
        "trouble_detail": "",
        "trouble_attempts": 0,
    }
    return ChannelStatus(**(fields | changes))  # type: ignore[arg-type]


def _page(toolkit: Toolkit, peers: list[Peer], language: Language = "en") -> str:
    page = Page(toolkit, language, f"/{language}/exchange")
    return str(view.exchange(page, peers, HEALTH).content)


REACHED = Line(NOW_AT, None)
MOVING = Peer(_channel(SECOND), REACHED)
WAITING = Peer(_channel(SECOND, waiting=2, waiting_since_at=NOW_AT), REACHED)
SILENT = Peer(
    _channel(SECOND, waiting=1, waiting_since_at=NOW_AT), Line(NOW_AT, NOW_AT + MINUTE_MS)
)
REFUSED = Peer(
    _channel(
        SECOND,
        waiting=1,
        trouble="KEY_UNKNOWN",
        trouble_detail=f"member={FIRST}, kid=ed25519:0",
        trouble_attempts=3,
    ),
    REACHED,
)
OTHER = Peer(_channel(THIRD), REACHED)


@pytest.mark.parametrize(
    ("peer", "title", "drawn"),
    [
        (MOVING, "Every channel moves", "line-moving"),
        (WAITING, "2 acts wait for a peer to take them", "line-waiting"),
        (SILENT, "Tianjin has not answered since 22 Nov 18:01:00", "line-cut"),
        (REFUSED, "1 channel does not move: somebody must act", "line-cut"),
    ],
)
def test_the_gravest_state_is_the_title(
    toolkit: Toolkit, peer: Peer, title: str, drawn: str
) -> None:
    """One peer in each state beside one that moves: title and picture say the same."""
    text = _page(toolkit, [peer, OTHER])

    assert re.findall("<h1>(.*?)</h1>", text) == [title]
    assert text.count(f'class="line {drawn}"') == (2 if drawn == "line-moving" else 1)
    assert ("line-cross" in text) == (drawn == "line-cut")


def test_a_refusal_is_put_into_words(toolkit: Toolkit) -> None:
    """What the peer's code means and what to do, with the facts that came with it."""
    text = _page(toolkit, [REFUSED])

    assert "KEY_UNKNOWN" in text
    assert "tried 3 times" in text
    assert "ed25519:0" in text


@pytest.mark.parametrize(
    ("code", "detail"),
    [("THEIR_OWN", "x=<b>1</b>"), ("KEY_UNKNOWN", "no facts"), ("KEY_UNKNOWN", "{0.__class__}=1")],
)
def test_a_strangers_words_are_shown_as_they_came(toolkit: Toolkit, code: str, detail: str) -> None:
    """A code of later software, or facts that its words do not know, break no page."""
    channel = _channel(SECOND, trouble=code, trouble_detail=detail, trouble_attempts=1)

    text = _page(toolkit, [Peer(channel, REACHED)], "zh")

    assert code in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("age_ms", "said"),
    [
        (1_000, "the oldest for 1 second"),
        (59_000, "the oldest for 59 seconds"),
        (MINUTE_MS, "the oldest for 1 minute"),
        (26 * 60 * MINUTE_MS, "the oldest for 1 day"),
        (-5_000, "the oldest for 0 seconds"),
    ],
)
def test_what_waits_shows_its_age(toolkit: Toolkit, age_ms: int, said: str) -> None:
    """In the largest whole unit; a clock that stepped back makes no negative age."""
    since_at = region.LATER_AT - age_ms
    channel = _channel(SECOND, waiting=1, waiting_since_at=since_at)

    assert said in _page(toolkit, [Peer(channel, REACHED)])


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never was")


def test_a_line_is_silent_from_the_first_post_without_answer(tmp_path: Path) -> None:
    """The exchange notes since when, keeps that instant, and forgets it when the peer answers."""
    nodes = Region(tmp_path)

    async def scenario(_region: Region) -> None:
        exchange = nodes.wire.nodes[FIRST].exchange
        assert exchange.line_to(SECOND) == Line(None, None)

        exchange.start()
        await _until(lambda: exchange.line_to(SECOND).reached_at == NOW_AT)
        nodes.clock.advance(1_000)
        nodes.wire.cut = {SECOND}
        reply = Reply("toy.ping/1", Ping(n=1))
        await nodes.run(FIRST, partial(acts.send, dst=SECOND, reply=reply, case="case"))
        await _until(lambda: exchange.line_to(SECOND).silent_since_at is not None)
        nodes.clock.advance(1_000)
        posts = len(nodes.wire.posts)
        exchange.line_is_back(SECOND)
        await _until(lambda: len(nodes.wire.posts) > posts)
        await asyncio.sleep(0.05)
        assert exchange.line_to(SECOND) == Line(NOW_AT, NOW_AT + 1_000)

        nodes.wire.cut = set()
        exchange.line_is_back(SECOND)
        await _until(lambda: exchange.line_to(SECOND).silent_since_at is None)
        assert exchange.line_to(SECOND).reached_at == NOW_AT + 2_000
        assert exchange.line_to(THIRD).silent_since_at is None

    play(nodes, scenario)
