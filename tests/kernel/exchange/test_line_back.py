"""A link that is told that its line is back tries at once, and otherwise waits as before."""

import asyncio
from pathlib import Path

from tests import toy
from tests.toy import MEMBERS, NOW_AT
from tests.virtual_time import LoopClock, run
from tongcheng.kernel.exchange.transport import CHECKPOINT_PATH, Unreachable

BEIJING, TIANJIN, _ = MEMBERS


class Dead:
    """A wire that brings nothing anywhere; `posts` are the seconds at which it was tried."""

    def __init__(self) -> None:
        self.posts: dict[str, list[float]] = {}

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Note when, and bring nothing."""
        del body, timeout_ms
        if path != CHECKPOINT_PATH:
            now_s = asyncio.get_running_loop().time()
            self.posts.setdefault(address, []).append(now_s)
        raise Unreachable(address, "no answer")


def test_line_that_is_back_is_tried_at_once(tmp_path: Path) -> None:
    """Long silent, the pauses are near half a minute; the word ends one of them."""

    async def main() -> None:
        wire = Dead()
        clock = LoopClock(NOW_AT)
        node = toy.toy_node(tmp_path, BEIJING, wire, clock, seed="one life")
        node.open()
        node.start()
        try:
            await node.adopt(toy.toy_accord().encoded())
            await asyncio.sleep(600)
            before = {peer: len(times) for peer, times in wire.posts.items()}
            node.exchange.line_is_back(TIANJIN)
            node.exchange.line_is_back("shanxi-hsb")
            await asyncio.sleep(0.1)
            tried = {peer: len(times) - before[peer] for peer, times in wire.posts.items()}

            assert tried == {TIANJIN: 1}
            await asyncio.sleep(10)
            assert len(wire.posts[TIANJIN]) == before[TIANJIN] + 1, "and waits again as before"
        finally:
            await node.stop()

    run(main())
