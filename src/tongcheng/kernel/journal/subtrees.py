"""The roots of the journal's complete subtrees, kept in memory so that a proof is quick.

A proof of one entry needs one hash a level. Read from the leaves alone, that is the whole journal
each time. Kept here are the roots over 256 leaves and more (32 bytes for every 128 leaves); what
lies below is computed from the entry's own 256 leaves and those at the right edge. The leaves are
read once a process (measured: 2.5 s for 200,000), and after that only what was added.
"""

import threading

import sqlalchemy as sa

from tongcheng.kernel import merkle
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES
from tongcheng.kernel.store import Snapshot

BLOCK_LEVEL = 8
BLOCK_LEAVES = 1 << BLOCK_LEVEL
READ_BLOCKS_MAX = 64
"""How many blocks of leaves lie in memory at once while the roots are caught up."""


class Subtrees:
    """The complete subtrees of one node's journal; asked from any thread."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]
        self._lock = threading.Lock()

    def path(self, snapshot: Snapshot, index: int, size: int) -> list[bytes]:
        """Return the inclusion path of a leaf in the tree of `size` leaves.

        A damaged leaf that is read on the way raises StoredValueDamaged.
        """
        self.catch_up(snapshot, size)
        blocks: dict[int, list[bytes]] = {}

        def subtree(level: int, number: int) -> bytes:
            if level >= BLOCK_LEVEL:
                return self._levels[level - BLOCK_LEVEL][number]
            block = number >> (BLOCK_LEVEL - level)
            if block not in blocks:
                blocks[block] = _leaf_hashes(snapshot, block, block + 1)
            first = (number << level) - (block << BLOCK_LEVEL)
            return merkle.root(blocks[block][first : first + (1 << level)])

        return merkle.inclusion_path(subtree, index, size)

    def catch_up(self, snapshot: Snapshot, size: int) -> None:
        """Take in what the tree of `size` leaves completes and is not kept yet."""
        with self._lock:
            wanted = size >> BLOCK_LEVEL
            while (kept := len(self._levels[0])) < wanted:
                until = min(wanted, kept + READ_BLOCKS_MAX)
                hashes = _leaf_hashes(snapshot, kept, until)
                assert len(hashes) == (until - kept) * BLOCK_LEAVES, "the journal has no gap"
                for first in range(0, len(hashes), BLOCK_LEAVES):
                    self._add(merkle.root(hashes[first : first + BLOCK_LEAVES]))

    def _add(self, root: bytes) -> None:
        """Keep one more block's root, and the roots of what it completes above."""
        self._levels[0].append(root)
        for above, level in enumerate(self._levels, start=1):
            if len(level) % 2:
                return
            if above == len(self._levels):
                self._levels.append([])
            self._levels[above].append(merkle.node_hash(*level[-2:]))


def _leaf_hashes(snapshot: Snapshot, first_block: int, end_block: int) -> list[bytes]:
    """Return the leaf hashes of some blocks, in order; the last one may be cut."""
    index = JOURNAL_LEAVES.c.leaf_index
    within = sa.select(JOURNAL_LEAVES.table).where(
        index >= first_block << BLOCK_LEVEL, index < end_block << BLOCK_LEVEL
    )
    return [row.leaf_hash for row in snapshot.fetch(JOURNAL_LEAVES, within.order_by(index))]
