"""The rounds of checkpoints go on after a round that the node's own store kept from working."""

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from tests import toy
from tests.toy import MEMBERS, NOW_AT, Nowhere
from tests.virtual_time import LoopClock, run
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import checkpoint as checkpoints
from tongcheng.kernel.store import StoredValueDamaged


@pytest.mark.parametrize(
    "fault", [Refused("STORE_UNAVAILABLE", detail="full"), StoredValueDamaged("audit", (1,))]
)
def test_a_failed_round_is_counted_and_the_next_one_works(tmp_path: Path, fault: Exception) -> None:
    """A disk that was full for a while must not leave a journal without checkpoints for ever."""

    async def main() -> None:
        node = toy.toy_node(tmp_path / "a", MEMBERS[0], Nowhere(), LoopClock(NOW_AT), quiet=True)
        node.open()
        await node.adopt(toy.toy_accord().encoded())
        rounds = asyncio.create_task(node.checkpoints.run())
        try:
            with patch.object(checkpoints, "make", side_effect=fault):
                await asyncio.sleep(1)
            assert node.checkpoints.faults == 1
            await asyncio.sleep(10)
            assert await node.read(checkpoints.latest) is not None
        finally:
            rounds.cancel()
            await asyncio.gather(rounds, return_exceptions=True)
            await node.stop()

    run(main())
