"""The roots of the journal's complete subtrees, kept in memory so that a proof is quick.

A proof of one entry needs one hash a level. Read from the leaves alone, that is the whole journal
each time. Kept here are the roots over 256 leaves and more (32 bytes for every 128 leaves); what
lies below is computed from the entry's own 256 leaves and those at the right edge. The hashes of
the leaves are read once a process, and after that only what was added.

They are read as they are stored, without the code of each row: a path is held against the root that
it must lead to before anybody gets it, and only where it does not the damaged row is looked for.
"""

import threading

import sqlalchemy as sa

from tongcheng.kernel import merkle
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES, LeafRow
from tongcheng.kernel.store import Snapshot, StoredValueDamaged

BLOCK_LEVEL = 8
BLOCK_LEAVES = 1 << BLOCK_LEVEL
READ_BLOCKS_MAX = 64
"""How many blocks of leaves lie in memory at once while the roots are caught up."""


class Subtrees:
    """The complete subtrees of one node's journal; asked from any thread."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]
        self._lock = threading.Lock()

    def path(self, snapshot: Snapshot, leaf: LeafRow, size: int, root: bytes) -> list[bytes]:
        """Return the inclusion path of a leaf in the tree of `size` leaves that has this root.

        A damaged leaf on the way raises StoredValueDamaged.
        """
        levels = self.catch_up(snapshot, size)
        blocks: dict[int, list[bytes]] = {}

        def subtree(level: int, number: int) -> bytes:
            if level >= BLOCK_LEVEL:
                return levels[level - BLOCK_LEVEL][number]
            block = number >> (BLOCK_LEVEL - level)
            if block not in blocks:
                first = block << BLOCK_LEVEL
                blocks[block] = _leaf_hashes(snapshot, first, min(first + BLOCK_LEAVES, size))
            first = (number << level) - (block << BLOCK_LEVEL)
            return merkle.root(blocks[block][first : first + (1 << level)])

        path = merkle.inclusion_path(subtree, leaf.leaf_index, size)
        leads = merkle.verify_inclusion(leaf.leaf_hash, leaf.leaf_index, size, path, root)
        if not leads:
            self._forget()
            _find_damage(snapshot, size)
        assert leads, "whole leaves lead to the root that was signed over them"
        return path

    def catch_up(self, snapshot: Snapshot, size: int) -> list[list[bytes]]:
        """Take in what the tree of `size` leaves completes and is not kept yet; return all kept.

        A leaf that is missing, or is no hash, raises StoredValueDamaged.
        """
        with self._lock:
            wanted = size >> BLOCK_LEVEL
            while (kept := len(self._levels[0])) < wanted:
                until = min(wanted, kept + READ_BLOCKS_MAX)
                hashes = _leaf_hashes(snapshot, kept << BLOCK_LEVEL, until << BLOCK_LEVEL)
                for first in range(0, len(hashes), BLOCK_LEAVES):
                    self._add(merkle.root(hashes[first : first + BLOCK_LEAVES]))
            return self._levels

    def _forget(self) -> None:
        """Read all leaves anew the next time: what was read may be repaired by then."""
        with self._lock:
            self._levels = [[]]

    def _add(self, root: bytes) -> None:
        """Keep one more block's root, and the roots of what it completes above."""
        self._levels[0].append(root)
        for above, level in enumerate(self._levels, start=1):
            if len(level) % 2:
                return
            if above == len(self._levels):
                self._levels.append([])
            self._levels[above].append(merkle.node_hash(*level[-2:]))


_LEAF_HASHES = (
    "SELECT leaf_index, leaf_hash FROM journal_leaves"
    " WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index"
)


def _leaf_hashes(snapshot: Snapshot, first: int, end: int) -> list[bytes]:
    """Return the hashes of the leaves from `first` to before `end`, in order."""
    found: list[bytes] = []
    for index, leaf_hash in snapshot.stream(_LEAF_HASHES, first, end):
        # Damage may be of any type; what is not where it should be is found missing below.
        if index != first + len(found) or not isinstance(leaf_hash, bytes):
            break
        found.append(leaf_hash)
    if len(found) < end - first:
        raise StoredValueDamaged(JOURNAL_LEAVES.name, (first + len(found),))
    return found


def _find_damage(snapshot: Snapshot, size: int) -> None:
    """Read every leaf with its code: the first damaged one raises StoredValueDamaged."""
    index = JOURNAL_LEAVES.c.leaf_index
    for first in range(0, size, BLOCK_LEAVES):
        within = sa.select(JOURNAL_LEAVES.table).where(index >= first, index < first + BLOCK_LEAVES)
        snapshot.fetch(JOURNAL_LEAVES, within.order_by(index))
