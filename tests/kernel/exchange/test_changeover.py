"""A new accord takes a permit away: what was sent before still arrives, what is new may not go."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import toy
from tests.kernel.exchange.test_hostile import Wire
from tests.toy import MEMBERS, NOW_AT, TYPES, Ping
from tests.virtual_time import LoopClock, run
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption
from tongcheng.kernel.accord import Permit, SignedAccord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.service import Reply
from tongcheng.node.core import Node

BOTH = list(MEMBERS[:2])
BEIJING, TIANJIN = BOTH


def _second(valid_from_at: int) -> SignedAccord:
    """Return version 2, signed by both: nobody may send pings, or their answers, any more."""
    first = toy.toy_accord().accord
    kept = [each for each in TYPES if each not in {"toy.ping/1", "toy.pong/1"}]
    changed = msgspec.structs.replace(
        first,
        version=2,
        previous=first.digest(),
        valid_from_at=valid_from_at,
        permits=[Permit(each, BOTH, BOTH) for each in kept],
    )
    document = SignedAccord(changed, [])
    for member_id in BOTH:
        document = accords.sign(document, member_id, toy.ring_of(member_id).signing)
    return document


async def _start(folder: Path, wire: Wire) -> tuple[Node, Node]:
    for member_id in BOTH:
        node = toy.toy_node(folder / member_id, member_id, wire, LoopClock(NOW_AT))
        node.open()
        wire.nodes[member_id] = node
        await node.adopt(toy.toy_accord().encoded())
    await asyncio.sleep(1)
    return wire.nodes[BEIJING], wire.nodes[TIANJIN]


def _send_ping(tx: Any) -> None:
    acts.send(tx, TIANJIN, Reply("toy.ping/1", Ping(4)))


def test_what_waits_when_a_permit_is_taken_away_still_arrives(tmp_path: Path) -> None:
    """Otherwise one act that waited would stop its channel, and all behind it, for ever."""

    async def main() -> None:
        wire = Wire()
        beijing, tianjin = await _start(tmp_path, wire)
        try:
            wire.cut = True
            await beijing.run(_send_ping)
            for node in (beijing, tianjin):
                await node.adopt(_second(NOW_AT).encoded())
            wire.cut = False
            await asyncio.sleep(120)

            assert toy.noted(tianjin) == [("ping", 4)]
            assert toy.noted(beijing) == [("pong", 8)]
            with pytest.raises(Refused) as refused:
                await beijing.run(_send_ping)
            assert refused.value.code == "TYPE_NOT_PERMITTED"
        finally:
            for node in (beijing, tianjin):
                await node.stop()

    run(main())


def test_an_earlier_accord_counts_for_a_while_and_not_for_ever(tmp_path: Path) -> None:
    """The days run from the instant at which the next version came into force."""

    async def main() -> None:
        beijing, tianjin = await _start(tmp_path, Wire())
        try:
            await beijing.run(lambda tx: adoption.adopt(tx, _second(NOW_AT + 1_000).encoded()))

            def versions(at: int) -> list[int]:
                with beijing.database.snapshot() as snapshot:
                    return [one.version for one in adoption.lately(snapshot, at)]

            begins = NOW_AT + 1_000
            assert versions(begins - 1) == []
            assert versions(begins) == [1]
            assert versions(begins + adoption.CHANGEOVER_MS - 1) == [1]
            assert versions(begins + adoption.CHANGEOVER_MS) == []
        finally:
            for node in (beijing, tianjin):
                await node.stop()

    run(main())
