"""Faults that the simulator found, each as small as it can be shown."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import toy
from tests.toy import MEMBERS, NOW_AT, Ping
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.service import Reply
from tongcheng.node.core import Node
from tongcheng.simulation import loop
from tongcheng.simulation.loop import LoopClock

BEIJING, TIANJIN, _ = MEMBERS


class DamagingWire:
    """Brings questions to the peer and a damaged answer back."""

    def __init__(self, damage: Callable[[bytes], bytes]) -> None:
        self.peer: Node | None = None
        self._damage = damage

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Answer with the peer's bytes, damaged."""
        assert timeout_ms > 0, (address, path)
        if self.peer is None:
            raise Unreachable(address, "nothing listens")
        return 200, self._damage(await self.peer.exchange.answer_ask(body))


def _flipped(raw: bytes) -> bytes:
    at = raw.index(b'"signature":"') + 20
    return raw[:at] + (b"0" if raw[at : at + 1] != b"0" else b"1") + raw[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [_flipped, lambda raw: raw[:-1], lambda _raw: b"{}", lambda _raw: b"\xff"],
    ids=["signature", "cut short", "another document", "no text"],
)
def test_an_answer_that_proves_nothing_is_silence(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """A damaged answer had meant *no*, and an insured person was "not found" (seed 1, heavy)."""

    async def ask() -> None:
        wire = DamagingWire(damage)
        nodes = []
        for member_id in (BEIJING, TIANJIN):
            node = toy.toy_node(tmp_path / member_id, member_id, wire, LoopClock(NOW_AT))
            node.open()
            await node.adopt(toy.toy_accord().encoded())
            nodes.append(node)
        asking, wire.peer = nodes
        try:
            with pytest.raises(Unreachable):
                await asking.exchange.ask(TIANJIN, Reply("toy.sum/1", Ping(1)), deadline_ms=2_000)
        finally:
            await asyncio.gather(*(node.stop() for node in nodes))

    loop.run(ask())
