"""Whoever waits for an answer may conclude in the commit that takes it."""

import asyncio
from pathlib import Path

import pytest

from tests import toy
from tests.kernel.exchange.test_hostile import TIANJIN, two
from tests.toy import Ping, send_pings
from tests.virtual_time import run
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Transaction

WAIT_MS = 500


def test_what_is_concluded_is_durable_with_the_answer(tmp_path: Path) -> None:
    """The command sees the answer before anybody can read it, and what it writes stands."""

    async def main() -> None:
        async with two(tmp_path) as (_wire, beijing, tianjin):
            [sent] = await send_pings(beijing, TIANJIN, 5)
            read: list[int] = []

            def conclude(tx: Transaction) -> str:
                with beijing.database.snapshot() as snapshot:
                    read.append(len(snapshot.select(TAKEN, reply_to=sent)))
                acts.send(tx, TIANJIN, Reply("toy.ping/1", Ping(6)))
                [taken] = tx.select(TAKEN, reply_to=sent)
                return taken.envelope_id

            concluded = await beijing.exchange.wait_concluded(sent, conclude, WAIT_MS)
            await asyncio.sleep(1)

            with beijing.database.snapshot() as snapshot:
                [taken] = snapshot.select(TAKEN, reply_to=sent)
            assert taken.envelope_id == concluded
            assert read == [0]
            assert toy.noted(tianjin) == [("ping", 5), ("ping", 6)]

    run(main())


@pytest.mark.parametrize("fault", [Refused("OVERLOADED", waiting=1), ValueError()], ids=repr)
def test_a_command_that_fails_holds_up_nothing(tmp_path: Path, fault: Exception) -> None:
    """What it wrote is taken back, its caller is told nothing yet, and the answer is taken."""

    async def main() -> None:
        async with two(tmp_path) as (_wire, beijing, tianjin):
            [sent] = await send_pings(beijing, TIANJIN, 5)

            def fail(tx: Transaction) -> None:
                acts.send(tx, TIANJIN, Reply("toy.ping/1", Ping(6)))
                raise fault

            assert await beijing.exchange.wait_concluded(sent, fail, WAIT_MS) is None
            await asyncio.sleep(1)
            assert toy.noted(beijing) == [("pong", 10)]
            assert toy.noted(tianjin) == [("ping", 5)]

    run(main())


def test_an_answer_that_does_not_come_concludes_nothing(tmp_path: Path) -> None:
    """The time is over: nothing was run, and an answer that comes later finds nobody."""

    async def main() -> None:
        async with two(tmp_path) as (wire, beijing, _tianjin):
            wire.cut = True
            [sent] = await send_pings(beijing, TIANJIN, 5)
            ran: list[Transaction] = []
            assert await beijing.exchange.wait_concluded(sent, ran.append, WAIT_MS) is None
            wire.cut = False
            await asyncio.sleep(60)

            assert toy.noted(beijing) == [("pong", 10)]
            assert ran == []

    run(main())


def test_an_answer_that_comes_again_concludes_nothing(tmp_path: Path) -> None:
    """An earlier commit took it: its waiter could be woken before what this one adds is durable."""

    async def main() -> None:
        async with two(tmp_path) as (_wire, beijing, tianjin):
            posted: list[bytes] = []
            receive = tianjin.exchange.receive

            async def noted(raw: bytes) -> bytes:
                posted.append(raw)
                return await receive(raw)

            tianjin.exchange.receive = noted  # type: ignore[method-assign]
            [sent] = await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(5)
            ran: list[Transaction] = []
            late = asyncio.create_task(beijing.exchange.wait_concluded(sent, ran.append, WAIT_MS))
            await asyncio.sleep(0)
            again = await receive(posted[0])
            await beijing.exchange.receive(again)

            assert await late is None
            assert ran == []

    run(main())
