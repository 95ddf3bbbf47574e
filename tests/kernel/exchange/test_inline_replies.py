"""Replies go with the answers to the peer's posts; by the link only where those did not arrive."""

import asyncio
from pathlib import Path

from tests.kernel.exchange.test_laws import (
    BEIJING,
    TIANJIN,
    Wire,
    two_nodes,
    unacknowledged,
)
from tests.toy import send_pings
from tests.virtual_time import run
from tongcheng.kernel.exchange.link import UNACKNOWLEDGED_MS
from tongcheng.kernel.exchange.transport import INBOX_PATH


def test_replies_that_are_on_their_way_are_not_posted_too(tmp_path: Path) -> None:
    """While one act follows another, each acknowledges the replies before: none is brought twice.

    The last reply is, by one post; its answer acknowledges it.
    """

    async def main() -> None:
        wire = Wire()
        async with two_nodes(tmp_path, wire) as (beijing, tianjin):
            await asyncio.sleep(1)
            for number in range(60):
                await send_pings(beijing, TIANJIN, number * 2)
                await asyncio.sleep(UNACKNOWLEDGED_MS / 3_000)
            while_busy = wire.count(BEIJING, INBOX_PATH)
            await asyncio.sleep(2 * UNACKNOWLEDGED_MS / 1_000)

            assert while_busy == 0
            assert wire.count(BEIJING, INBOX_PATH) == 1
            assert not unacknowledged(tianjin)

    run(main())
