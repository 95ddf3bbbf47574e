"""The writer of a busy machine: commands that come together are committed together."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import toy
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.store import Command, Database, Transaction, Writer
from tongcheng.kernel.store.worker import InlineWorker
from tongcheng.kernel.store.writer import Outcome, WriterStopped
from tongcheng.node.core import open_database
from tongcheng.simulation import loop
from tongcheng.simulation.loop import LoopClock
from tongcheng.simulation.region import Plan, simulate
from tongcheng.simulation.writing import GatheringWorker, SimulatedNode


class Silence:
    """A network in which nobody listens."""

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Find nobody."""
        assert path
        assert timeout_ms > 0
        raise Unreachable(address, f"nobody takes {len(body)} bytes")


def _node(folder: Path, gather_s: float) -> SimulatedNode:
    home = toy.toy_node(folder, MEMBERS[0], Silence(), LoopClock(NOW_AT)).home
    database = open_database(folder, home.ring.mac_key, synchronous="OFF")
    node = SimulatedNode(home, database, LoopClock(NOW_AT), Silence(), gather_s=gather_s)
    node.open()
    return node


async def _commits_of_three(node: SimulatedNode, monkeypatch: pytest.MonkeyPatch) -> int:
    commits = 0
    commit = Database.commit

    def counted(self: Database) -> None:
        nonlocal commits
        commits += 1
        commit(self)

    monkeypatch.setattr(Database, "commit", counted)
    loop_now = asyncio.get_running_loop().time

    async def after(seconds: float) -> float:
        await asyncio.sleep(seconds)
        await node.run(lambda _tx: None)
        return loop_now()

    done_at = await asyncio.gather(*(after(seconds) for seconds in (0.0, 0.01, 0.02)))
    await node.stop()
    assert done_at == sorted(done_at)
    return commits


@pytest.mark.parametrize(("gather_s", "commits"), [(0.0, 3), (0.05, 1)])
def test_what_comes_while_a_commit_is_near_is_committed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gather_s: float, commits: int
) -> None:
    """Three commands, 10 ms apart, before a writer that starts 50 ms after the first."""

    async def work() -> int:
        return await _commits_of_three(_node(tmp_path, gather_s), monkeypatch)

    assert loop.run(work()) == commits


def test_one_refusal_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """They share a commit, not a fate."""

    def refuse(_tx: Transaction) -> None:
        raise Refused("OVERLOADED", waiting=0)

    async def work() -> list[object]:
        node = _node(tmp_path, 0.05)
        answers = await asyncio.gather(
            node.run(lambda _tx: "kept"), node.run(refuse), return_exceptions=True
        )
        await node.stop()
        return list(answers)

    kept, refused = loop.run(work())

    assert kept == "kept"
    assert isinstance(refused, Refused)


def test_a_dead_machine_runs_nothing_of_what_waited(tmp_path: Path) -> None:
    """Killed while commands gather: none of them was run, and their callers hear it."""
    ran = False

    def command(_tx: Transaction) -> None:
        nonlocal ran
        ran = True

    async def work() -> None:
        node = _node(tmp_path, 0.05)
        waiting = asyncio.ensure_future(node.run(command))
        await asyncio.sleep(0.01)
        node.worker.stop()
        with pytest.raises(WriterStopped):
            await waiting
        with pytest.raises(WriterStopped):
            await node.run(command)
        await asyncio.sleep(1)
        await node.stop()

    loop.run(work())

    assert not ran


def test_everything_that_writes_gathers(tmp_path: Path) -> None:
    """A part of the node with a worker of its own would commit beside the others, one by one."""

    async def work() -> set[type]:
        node = _node(tmp_path, 0.05)
        parts = [node, *vars(node).values()]
        found = {
            type(value)
            for part in parts
            if hasattr(part, "__dict__")
            for value in vars(part).values()
            if isinstance(value, InlineWorker)
        }
        await node.stop()
        return found

    assert loop.run(work()) == {GatheringWorker}


def test_under_faults_commits_hold_several_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region's commits are shared ones, so a power cut in one takes or keeps several acts."""
    sizes: list[int] = []
    together = Writer.run

    def counted(self: Writer, commands: Sequence[Command]) -> list[Outcome]:
        sizes.append(len(commands))
        return together(self, commands)

    monkeypatch.setattr(Writer, "run", counted)

    found = simulate(Plan(2, 60, "usual"))

    assert found.sound
    assert max(sizes) > 3
