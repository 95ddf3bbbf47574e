"""The laws of the exchange: whatever the wire does, each act takes effect once, and in order.

Time is virtual: a week of outage costs nothing. The wire is told post by post what to do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import toy
from tests.toy import MEMBERS, NOW_AT, Ping, send_pings
from tests.virtual_time import LoopClock, run
from tongcheng.kernel.accord import Limits
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.link import BACK_OFF_FIRST_MS, BACK_OFF_MAX_MS, UNACKNOWLEDGED_MS
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TROUBLES, TroubleRow
from tongcheng.kernel.exchange.transport import (
    ASK_PATH,
    CATCH_UP_PATH,
    CHECKPOINT_PATH,
    INBOX_PATH,
    PeerRefused,
    Unreachable,
)
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node

BEIJING, TIANJIN, _ = MEMBERS
FATES = ("", "request lost", "reply lost", "twice", "late", "busy", "garbled")
QUIET_WITHIN_S = 3_600


class Wire:
    """Brings bytes between nodes; `fates` says what becomes of each post, then all is well."""

    def __init__(self, fates: Iterable[str] = ()) -> None:
        self.nodes: dict[str, Node] = {}
        self.away: set[str] = set()
        self.refuse_with = ""
        self.posts: list[tuple[int, str, str]] = []
        self._fates: Iterator[str] = iter(fates)
        self._late: list[asyncio.Task[Any]] = []

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post as the next fate says; the wire is for the two lanes, not for checkpoints."""
        if path == CHECKPOINT_PATH:
            raise Unreachable(address, "another test's business")
        now_s = asyncio.get_running_loop().time()
        self.posts.append((int(now_s * 1_000), address, path))
        fate = next(self._fates, "")
        if fate == "request lost" or address in self.away:
            await asyncio.sleep(timeout_ms / 1_000 if fate else 0)
            raise Unreachable(address, "no answer")
        if fate == "late":
            self._late.append(asyncio.create_task(self._deliver_late(address, path, body)))
            raise Unreachable(address, "no answer")
        if fate == "busy":
            return 503, b'{"code":"NODE_STOPPING","facts":{}}'
        answer = await self._deliver(address, path, body)
        if fate == "twice":
            answer = await self._deliver(address, path, body)
        if fate == "reply lost":
            raise Unreachable(address, "no answer")
        return (200 if now_s > 1 else 502, b'{"code":"\xff"}') if fate == "garbled" else answer

    async def _deliver_late(self, address: str, path: str, body: bytes) -> None:
        await asyncio.sleep(7)
        await self._deliver(address, path, body)

    async def _deliver(self, address: str, path: str, body: bytes) -> tuple[int, bytes]:
        node = self.nodes[address]
        answers: dict[str, Callable[[bytes], Awaitable[bytes]]] = {
            INBOX_PATH: node.exchange.receive,
            CATCH_UP_PATH: node.exchange.catch_up,
            ASK_PATH: node.exchange.answer_ask,
        }
        if self.refuse_with:
            return 403, msgspec.json.encode({"code": self.refuse_with, "facts": {"why": "test"}})
        try:
            return 200, await answers[path](body)
        except Refused as refusal:
            document = {"code": refusal.code, "facts": refusal.facts}
            return 409, msgspec.json.encode(document)

    def count(self, address: str, path: str) -> int:
        """Return how many posts went to an address and path."""
        return sum(1 for _, to, at in self.posts if (to, at) == (address, path))


@asynccontextmanager
async def two_nodes(
    folder: Path, wire: Wire, limits: Limits | None = None
) -> AsyncIterator[tuple[Node, Node]]:
    """Run Beijing and Tianjin under one accord; stop whoever runs at the end."""
    try:
        for member_id in (BEIJING, TIANJIN):
            await _start_one(folder, wire, member_id)
        for node in wire.nodes.values():
            await node.adopt(toy.toy_accord(limits=limits).encoded())
        yield wire.nodes[BEIJING], wire.nodes[TIANJIN]
    finally:
        for node in wire.nodes.values():
            await node.stop()


async def _start_one(folder: Path, wire: Wire, member_id: str, life: int = 1) -> Node:
    """Open a node on what its directory holds; every life draws other ids."""
    clock = LoopClock(NOW_AT)
    node = toy.toy_node(folder / member_id, member_id, wire, clock, seed=f"life {life}")
    node.open()
    node.start()
    wire.nodes[member_id] = node
    return node


async def _quiet(*nodes: Node) -> None:
    """Wait until everything sent has been acknowledged."""
    for _ in range(QUIET_WITHIN_S):
        await asyncio.sleep(1)
        if not [row for node in nodes for row in unacknowledged(node)]:
            return
    pytest.fail("acts are still not acknowledged")


def unacknowledged(node: Node) -> list[str]:
    """Return the members that have not acknowledged all that a node has sent them."""
    with node.database.snapshot() as snapshot:
        rows = snapshot.select(CHANNELS, src=node.home.member_id)
    return [row.dst for row in rows if row.acknowledged_seq < row.next_seq - 1]


def _trouble(node: Node) -> TroubleRow | None:
    def question(snapshot: Snapshot) -> TroubleRow | None:
        return snapshot.get(TROUBLES, TIANJIN)

    with node.database.snapshot() as snapshot:
        return question(snapshot)


def _of(node: Node, what: str) -> list[int]:
    return [n for kind, n in toy.noted(node) if kind == what]


async def _exchange(folder: Path, fates: Iterable[str]) -> None:
    """Send acts both ways over a faulty wire and hold the stores against the law."""
    wire = Wire(fates)
    async with two_nodes(folder, wire) as (beijing, tianjin):
        await send_pings(beijing, TIANJIN, 0, 1)
        await send_pings(tianjin, BEIJING, 100)
        await asyncio.sleep(0.5)
        await send_pings(beijing, TIANJIN, 2, 3, 4)
        await _quiet(beijing, tianjin)

        # 3 is refused: its own note was taken back, and the sender was told.
        assert _of(tianjin, "ping") == [0, 1, 2, 4]
        assert _of(beijing, "pong") == [0, 2, 4, 8]
        assert _of(beijing, "refused") == [3]
        assert (_of(beijing, "ping"), _of(tianjin, "pong")) == ([100], [200])
        with beijing.database.snapshot() as snapshot:
            answered = [row for row in snapshot.select(SENT) if row.reply_to is None]
        assert all(row.answer_id is not None for row in answered)
        await asyncio.sleep(60)
        assert _of(tianjin, "ping") == [0, 1, 2, 4]


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("fate", FATES)
def test_one_fault_changes_nothing(tmp_path: Path, fate: str, position: int) -> None:
    """Each single fault, on each of the first posts, is invisible in the stores."""
    run(_exchange(tmp_path, [""] * position + [fate]))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(fates=st.lists(st.sampled_from(FATES), max_size=14))
def test_any_faults_change_nothing(fates: list[str]) -> None:
    """Nor do faults in any order: each act takes effect once, in the order it was sent."""
    with TemporaryDirectory() as folder:
        run(_exchange(Path(folder), fates))


def test_reply_comes_inline_and_is_acknowledged_later(tmp_path: Path) -> None:
    """One post brings the act and its reply; a moment later one more brings the receipt."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await asyncio.sleep(1)
            wire.posts.clear()
            [sent] = await send_pings(beijing, TIANJIN, 5)
            in_time = await beijing.exchange.wait_answer(sent, 500)

            assert in_time
            assert _of(beijing, "pong") == [10]
            assert wire.posts[1:] == []
            await _quiet(beijing, tianjin)
            assert [(to, path) for _, to, path in wire.posts] == [
                (TIANJIN, INBOX_PATH),
                (BEIJING, INBOX_PATH),
            ]
            assert wire.posts[1][0] - wire.posts[0][0] >= UNACKNOWLEDGED_MS

    run(main())


def test_reply_is_pushed_when_it_got_lost_inline(tmp_path: Path) -> None:
    """The answer to the post is lost: the peer brings the reply itself, sooner than our retry."""

    async def main() -> None:
        wire = Wire(["", "", "reply lost", *["request lost"] * 3])
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await asyncio.sleep(1)
            await send_pings(beijing, TIANJIN, 5)
            await _quiet(beijing, tianjin)

            assert (_of(tianjin, "ping"), _of(beijing, "pong")) == ([5], [10])
            assert wire.count(BEIJING, INBOX_PATH) >= 1

    run(main())


def test_peer_that_was_away_catches_up(tmp_path: Path) -> None:
    """What was sent during an outage arrives in order, batch by batch."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire, Limits(batch_envelopes=4)) as (beijing, tianjin):
            wire.away = {TIANJIN, BEIJING}
            for n in range(20, 40):
                await send_pings(beijing, TIANJIN, n)
            await asyncio.sleep(3_600)
            assert _of(tianjin, "ping") == []
            wire.away.clear()
            await _quiet(beijing, tianjin)

            assert _of(tianjin, "ping") == list(range(20, 40))
            assert _of(beijing, "pong") == [2 * n for n in range(20, 40)]

    run(main())


def test_restart_goes_on_where_the_store_stands(tmp_path: Path) -> None:
    """A node that was stopped between taking an act and being acknowledged repeats nothing."""

    async def main() -> None:
        wire = Wire(["", "", "reply lost", *["request lost"] * 2])
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await send_pings(beijing, TIANJIN, 5, 6)
            await asyncio.sleep(0.1)
            await tianjin.stop()
            wire.away = {TIANJIN}
            await send_pings(beijing, TIANJIN, 7)
            await asyncio.sleep(20)
            wire.away.clear()
            again = await _start_one(tmp_path, wire, TIANJIN, life=2)
            await _quiet(beijing, again)

            assert _of(again, "ping") == [5, 6, 7]
            assert _of(beijing, "pong") == [10, 12, 14]

    run(main())


def test_start_asks_for_what_was_missed(tmp_path: Path) -> None:
    """A node that comes back with nothing to say is told what waits for it, without delay."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await asyncio.sleep(1)
            await tianjin.stop()
            wire.away = {TIANJIN}
            await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(3_600)
            wire.away.clear()
            again = await _start_one(tmp_path, wire, TIANJIN, life=2)
            await asyncio.sleep(0.1)

            assert _of(again, "ping") == [5]

    run(main())


def test_refused_batch_is_a_dead_letter_until_it_moves(tmp_path: Path) -> None:
    """What the peer refuses is shown with its code and tries, and sent as soon as it is taken."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await asyncio.sleep(1)
            wire.refuse_with = "THEIR_OWN_CODE"
            await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(60)
            stuck = _trouble(beijing)
            wire.refuse_with = ""
            await _quiet(beijing, tianjin)
            moved = _trouble(beijing)

            assert stuck is not None
            assert (stuck.seq, stuck.code, stuck.detail) == (1, "THEIR_OWN_CODE", "why=test")
            assert stuck.attempts > 3
            assert moved is not None
            assert moved.attempts == 0
            assert _of(tianjin, "ping") == [5]

    run(main())


def test_tries_back_off_with_jitter(tmp_path: Path) -> None:
    """The pause doubles from try to try up to its limit, and never is the same for all."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, _):
            await asyncio.sleep(1)
            wire.away = {TIANJIN, BEIJING}
            wire.posts.clear()
            await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(600)
            times = [at for at, to, path in wire.posts if (to, path) == (TIANJIN, INBOX_PATH)]
            pauses = [later - earlier for earlier, later in pairwise(times)]
            longest = [min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (n + 1)) for n in range(99)]

            assert len(pauses) > 20
            for pause, most in zip(pauses, longest, strict=False):
                assert most / 2 - 1 <= pause <= most + 1
            assert len(set(pauses[-10:])) > 5

    run(main())


def test_peer_that_lost_its_store_is_found_out(tmp_path: Path) -> None:
    """A peer that comes back empty is told what it once sent: the channel stands, by name."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await send_pings(beijing, TIANJIN, 5)
            await _quiet(beijing, tianjin)
            await tianjin.stop()
            for file in (tmp_path / TIANJIN).glob("node.sqlite*"):
                file.unlink()
            fresh = await _start_one(tmp_path, wire, TIANJIN, life=2)
            await fresh.adopt(toy.toy_accord().encoded())
            await send_pings(beijing, TIANJIN, 6)
            await asyncio.sleep(60)
            stuck = _trouble(beijing)

            assert stuck is not None
            assert stuck.code == "ACKNOWLEDGED_UNSENT"
            assert _of(fresh, "ping") == []
            assert _of(beijing, "pong") == [10]

    run(main())


def test_ask_is_answered_or_refused_or_given_up(tmp_path: Path) -> None:
    """An ask has three ends: an answer, the peer's refusal as the peer's, or nobody there."""

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, _):
            question = Reply("toy.sum/1", Ping(4))
            answer = await beijing.exchange.ask(TIANJIN, question, deadline_ms=2_000)
            with pytest.raises(PeerRefused) as refused:
                await beijing.exchange.ask(TIANJIN, Reply("toy.sum/1", Ping(3)), deadline_ms=2_000)
            wire.away = {TIANJIN}
            with pytest.raises(Unreachable):
                await beijing.exchange.ask(TIANJIN, question, deadline_ms=2_000)

            assert answer == toy.Pong(5)
            assert (refused.value.peer, refused.value.code) == (TIANJIN, "AMOUNT_MALFORMED")

    run(main())
