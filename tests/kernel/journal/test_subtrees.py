"""The kept roots of complete subtrees give the paths that all leaves give."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.toy import MEMBERS, NOW_AT, Nowhere, toy_node
from tongcheng.kernel import journal, merkle
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES, LeafRow
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


def _leaves(snapshot: Snapshot) -> list[LeafRow]:
    return snapshot.select(JOURNAL_LEAVES)


def _root(leaves: list[LeafRow], size: int) -> bytes:
    return merkle.root([leaf.leaf_hash for leaf in leaves[:size]])


def test_paths_are_those_of_all_leaves(node: Node) -> None:
    """At every edge of a block, in trees of several sizes, as the journal grows and after."""
    kept = Subtrees()
    with node.database.snapshot() as snapshot:
        leaves = _leaves(snapshot)
        for size in (*EDGES, *reversed(EDGES)):
            for index in {0, size // 2, *(edge - 1 for edge in EDGES if edge <= size)}:
                path = kept.path(snapshot, leaves[index], size, _root(leaves, size))

                hashes = [leaf.leaf_hash for leaf in leaves[:size]]
                assert path == merkle.inclusion_proof(hashes, index), (index, size)


def test_old_leaves_are_read_once(node: Node) -> None:
    """After the first proof only the entry's own block and the right edge are read."""
    kept = Subtrees()
    read: list[int] = []
    with node.database.snapshot() as snapshot:
        leaves = _leaves(snapshot)
        root = _root(leaves, SIZE)
        kept.path(snapshot, leaves[0], SIZE, root)
        stream = snapshot.stream

        def counted(statement: str, *values: int) -> Iterator[tuple[Any, ...]]:
            rows = list(stream(statement, *values))
            read.append(len(rows))
            return iter(rows)

        snapshot.stream = counted  # type: ignore[method-assign, assignment]
        kept.path(snapshot, leaves[0], SIZE, root)

    assert 0 < sum(read) <= BLOCK_LEAVES + SIZE % BLOCK_LEAVES


@pytest.fixture
def copy(node: Node, tmp_path: Path) -> Iterator[Node]:
    """The same node on a copy of its store, to be damaged."""
    node.database.writing.execute("VACUUM INTO ?", (str(tmp_path / "node.sqlite"),))
    copied = toy_node(tmp_path, MEMBERS[0], Nowhere(), ManualClock(NOW_AT))
    copied.database.open_writing(NOW_AT)
    yield copied
    copied.database.close()


@pytest.mark.parametrize(
    ("damage", "at"),
    [
        ("UPDATE journal_leaves SET leaf_hash = zeroblob(32) WHERE leaf_index = ?", 300),
        ("UPDATE journal_leaves SET leaf_hash = zeroblob(7) WHERE leaf_index = ?", 300),
        ("DELETE FROM journal_leaves WHERE leaf_index = ?", 300),
        ("DELETE FROM journal_leaves WHERE leaf_index = ?", 3 * BLOCK_LEAVES - 1),
        ("DELETE FROM journal_leaves WHERE leaf_index = ?", SIZE - 1),
    ],
)
def test_damaged_leaf_is_named(node: Node, copy: Node, damage: str, at: int) -> None:
    """No path is made over a hash that is not what the node wrote, nor over a gap."""
    with node.database.snapshot() as snapshot:
        leaves = _leaves(snapshot)

    copy.database.writing.execute(damage, (at,))
    with copy.database.snapshot() as snapshot, pytest.raises(StoredValueDamaged) as damaged:
        Subtrees().path(snapshot, leaves[0], SIZE, _root(leaves, SIZE))

    assert damaged.value.key == (at,)


def test_repaired_leaf_is_read_anew(node: Node, copy: Node) -> None:
    """What was read while a leaf was damaged does not outlive the damage."""
    with node.database.snapshot() as snapshot:
        leaves = _leaves(snapshot)
    root = _root(leaves, SIZE)
    kept = Subtrees()
    write = "UPDATE journal_leaves SET leaf_hash = ? WHERE leaf_index = 300"

    copy.database.writing.execute(write, (bytes(32),))
    with copy.database.snapshot() as snapshot, pytest.raises(StoredValueDamaged):
        kept.path(snapshot, leaves[0], SIZE, root)
    copy.database.writing.execute(write, (leaves[300].leaf_hash,))
    with copy.database.snapshot() as snapshot:
        path = kept.path(snapshot, leaves[0], SIZE, root)

    assert path == merkle.inclusion_proof([leaf.leaf_hash for leaf in leaves], 0)
