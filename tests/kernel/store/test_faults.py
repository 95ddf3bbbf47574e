"""What goes wrong around a commit: before it nothing stays, after it nothing runs again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import toy
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction, Writer, database, worker
from tongcheng.kernel.store.records import DECLARED
from tongcheng.kernel.store.worker import ThreadedWorker
from tongcheng.node.core import Node


def _node(folder: Path) -> Node:
    return toy.toy_node(folder, MEMBERS[0], toy.Nowhere(), ManualClock(NOW_AT))


def test_node_killed_while_its_tables_are_made_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables come in one transaction: half of them would pass for a whole database."""
    node = _node(tmp_path)
    statements = list(database.schema_statements())

    def cut_short() -> Iterator[str]:
        yield from statements[: len(statements) // 2]
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "schema_statements", cut_short)
    with pytest.raises(KeyboardInterrupt):
        node.database.open_writing(NOW_AT)
    monkeypatch.setattr(database, "schema_statements", lambda: iter(statements))
    node.database.open_writing(NOW_AT)

    tables = [row[0] for row in node.database.writing.execute("SELECT name FROM sqlite_master")]
    assert set(DECLARED) <= set(tables)
    node.database.close()


def test_fault_after_the_commit_runs_nothing_again(tmp_path: Path) -> None:
    """A loop that is gone cannot be told; the batch is durable and must not be done twice."""
    node = _node(tmp_path)
    node.database.open_writing(NOW_AT)
    writer = Writer(node.database, node.home, node.clock)
    runs: list[int] = []

    def deaf(_signals: object) -> None:
        message = "Event loop is closed"
        raise RuntimeError(message)

    def command(tx: Transaction) -> None:
        runs.append(1)
        tx.signal("outbox", MEMBERS[1])

    writer.on_commit = deaf
    with pytest.raises(RuntimeError):
        writer.run([command, command])

    assert len(runs) == 2
    node.database.close()


def test_full_queue_is_a_refusal_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overload is no end of the node: a link that took it for one would stop for ever."""
    monkeypatch.setattr(worker, "QUEUE_COMMANDS_MAX", -1)

    async def main() -> None:
        node = _node(tmp_path)
        node.database.open_writing(NOW_AT)
        writer = Writer(node.database, node.home, node.clock)
        threaded = ThreadedWorker(node.database, writer)
        try:
            with pytest.raises(Refused) as refused:
                await threaded.run(lambda _tx: None)
        finally:
            await asyncio.to_thread(threaded.stop)
            node.database.close()
        assert refused.value.code == "OVERLOADED"

    asyncio.run(main())
