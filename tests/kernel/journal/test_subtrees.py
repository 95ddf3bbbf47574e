"""The kept roots of complete subtrees give the paths that all leaves give."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.toy import MEMBERS, NOW_AT, Nowhere, toy_node
from tongcheng.kernel import journal, merkle
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES
from tongcheng.kernel.journal.subtrees import BLOCK_LEAVES, Subtrees
from tongcheng.kernel.store import Snapshot, StoredValueDamaged, Transaction, Writer
from tongcheng.node.core import Node

SIZE = 3 * BLOCK_LEAVES + 5
EDGES = (1, 2, BLOCK_LEAVES - 1, BLOCK_LEAVES, BLOCK_LEAVES + 1, 2 * BLOCK_LEAVES, SIZE)


def _append(tx: Transaction) -> None:
    for number in range(SIZE):
        journal.append(tx, "note", str(number), b"x")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with three whole blocks of leaves and a part of a fourth."""
    made = toy_node(tmp_path_factory.mktemp("n"), MEMBERS[0], Nowhere(), ManualClock(NOW_AT))
    made.database.open_writing(NOW_AT)
    assert Writer(made.database, made.home, made.clock).run([_append])[0].error is None
    yield made
    made.database.close()


def _leaves(snapshot: Snapshot) -> list[bytes]:
    return [row.leaf_hash for row in snapshot.select(JOURNAL_LEAVES)]


def test_paths_are_those_of_all_leaves(node: Node) -> None:
    """At every edge of a block, in trees of several sizes, as the journal grows and after."""
    kept = Subtrees()
    with node.database.snapshot() as snapshot:
        leaves = _leaves(snapshot)
        for size in (*EDGES, *reversed(EDGES)):
            for index in {0, size // 2, *(edge - 1 for edge in EDGES if edge <= size)}:
                path = kept.path(snapshot, index, size)

                assert path == merkle.inclusion_proof(leaves[:size], index), (index, size)


def test_old_leaves_are_read_once(node: Node) -> None:
    """After the first proof only the entry's own block and the right edge are read."""
    kept = Subtrees()
    read: list[int] = []
    with node.database.snapshot() as snapshot:
        kept.path(snapshot, 0, SIZE)
        fetch = snapshot.fetch

        def counted(records: object, statement: sa.Select[tuple[object]]) -> list[object]:
            rows: list[object] = fetch(records, statement)  # type: ignore[arg-type]
            read.append(len(rows))
            return rows

        snapshot.fetch = counted  # type: ignore[method-assign, assignment]
        kept.path(snapshot, 0, SIZE)

    assert sum(read) <= BLOCK_LEAVES + SIZE % BLOCK_LEAVES


def test_damaged_leaf_is_named(node: Node, tmp_path: Path) -> None:
    """No path is made over a row that is not what the node wrote."""
    writing = node.database.writing
    copy = tmp_path / "node.sqlite"
    writing.execute("VACUUM INTO ?", (str(copy),))
    other = toy_node(tmp_path, MEMBERS[0], Nowhere(), ManualClock(NOW_AT))
    other.database.open_writing(NOW_AT)
    other.database.writing.execute("UPDATE journal_leaves SET at = at + 1 WHERE leaf_index = 300")
    with other.database.snapshot() as snapshot, pytest.raises(StoredValueDamaged) as damaged:
        Subtrees().path(snapshot, 0, SIZE)
    other.database.close()

    assert damaged.value.key == (300,)
