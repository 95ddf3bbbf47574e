"""The Merkle tree of RFC 6962 and RFC 9162: roots, proofs, and a frontier to grow by.

Pure functions on SHA-256 hashes of 32 bytes. Leaves and inner nodes are hashed under different
prefixes, so that an inner node can never be passed off as a leaf. Sections cited are RFC 9162's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash the content of a leaf: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier(NamedTuple):
    """A tree of `size` leaves as the roots of its complete subtrees, the largest first.

    All it takes to append and to compute the root: at most 64 hashes however long the journal.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """Return the tree with one more leaf hash at its end."""
        assert len(self.peaks) == self.size.bit_count(), "peaks do not fit the size"
        peaks = self.peaks
        rest = self.size
        while rest & 1:
            leaf = node_hash(peaks[-1], leaf)
            peaks = peaks[:-1]
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        """Return the root hash; that of the empty tree is SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        result = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            result = node_hash(peak, result)
        return result


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over the leaf hashes (2.1.1)."""
    return _levels(leaf_hashes)[-1][0] if leaf_hashes else EMPTY_ROOT


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from the leaf at `index` to the root (2.1.3.1)."""
    assert 0 <= index < len(leaf_hashes), (index, len(leaf_hashes))
    return _path(_levels(leaf_hashes), index)


def inclusion_proofs(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the inclusion proof of every leaf in order, from a tree that is built once."""
    levels = _levels(leaf_hashes)
    return [_path(levels, index) for index in range(len(leaf_hashes))]


def inclusion_path(
    subtree: Callable[[int, int], bytes], index: int, size: int
) -> list[bytes]:  # fmt: skip
    """Return the inclusion proof from the roots of complete subtrees, for whoever keeps those.

    `subtree(level, number)` is the root over the 2**level leaves from number * 2**level on. It is
    asked for at most the square of the tree's height, and never for one that `size` cuts.
    """
    assert 0 <= index < size, (index, size)
    proof = []
    for level in range((size - 1).bit_length()):
        sibling = (index >> level) ^ 1
        # At the right edge there may be none: the subtree is carried up as it is.
        if sibling << level < size:
            proof.append(_root_from(subtree, level, sibling, size))
    return proof


def _root_from(
    subtree: Callable[[int, int], bytes], level: int, number: int, size: int
) -> bytes:  # fmt: skip
    """Return the root over the leaves of one subtree, as far as the tree of `size` has them."""
    start = number << level
    if start + (1 << level) <= size:
        return subtree(level, number)
    peaks = []
    at, rest = start, size - start
    while rest:
        step = rest.bit_length() - 1
        peaks.append(subtree(step, at >> step))
        at += 1 << step
        rest -= 1 << step
    return Frontier(size - start, tuple(peaks)).root()


class Rung(NamedTuple):
    """One step up from a leaf: the sibling, on which side it stands, and the hash of both."""

    sibling: bytes
    on_left: bool
    result: bytes


def climb(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> list[Rung] | None:
    """Follow an inclusion proof upwards (2.1.3.2); None when it is too long or too short."""
    place, last, result = index, size - 1, leaf
    rungs = []
    for sibling in proof:
        if last == 0:
            return None
        on_left = bool(place & 1) or place == last
        result = node_hash(sibling, result) if on_left else node_hash(result, sibling)
        rungs.append(Rung(sibling, on_left, result))
        while on_left and not place & 1 and place:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return rungs if last == 0 else None


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Say whether the leaf hash stands at `index` in the tree of `size` (2.1.3.2).

    The arguments may come from a stranger: anything unfit is False.
    """
    if not 0 <= index < size or not _are_hashes((leaf, expected_root, *proof)):
        return False
    rungs = climb(leaf, index, size, proof)
    if rungs is None:
        return False
    return (rungs[-1].result if rungs else leaf) == expected_root


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the hashes that show the first `old_size` leaves unchanged under all (2.1.4.1).

    Empty when the old tree is empty or the same.
    """
    assert 0 <= old_size <= len(leaf_hashes), (old_size, len(leaf_hashes))
    if old_size in {0, len(leaf_hashes)}:
        return []
    return list(_subproof(leaf_hashes, old_size))


def growth_proof(old: Frontier, added: Sequence[bytes]) -> list[bytes]:
    """Return the consistency proof from the old tree to the one with `added` leaf hashes more.

    What the proof takes from the old tree are its peaks, so the old leaves are not needed.
    """
    if old.size == 0 or not added:
        return []
    beside = []
    peaks = list(old.peaks)
    low, high = 0, old.size + len(added)
    while high != old.size:
        split = low + _split(high - low)
        if old.size <= split:
            beside.append(root(added[split - old.size : high - old.size]))
            high = split
        else:
            beside.append(peaks.pop(0))
            low = split
    assert len(peaks) == 1, "the old tree's smallest peak ends at its edge"
    start = peaks if low else []
    return [*start, *reversed(beside)]


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Say whether the tree of `new_size` begins with that of `old_size` (2.1.4.2).

    The arguments may come from a stranger: anything unfit is False.
    """
    if not 0 <= old_size <= new_size or not _are_hashes((old_root, new_root, *proof)):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    old, new = old_size - 1, new_size - 1
    while old & 1:
        old, new = old >> 1, new >> 1
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            old_result = node_hash(sibling, old_result)
            new_result = node_hash(sibling, new_result)
            while not old & 1 and old:
                old, new = old >> 1, new >> 1
        else:
            new_result = node_hash(new_result, sibling)
        old, new = old >> 1, new >> 1
    return new == 0 and old_result == old_root and new_result == new_root


def _levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the tree from the leaves to the root.

    Pairing from the left and carrying an odd one up gives the tree that the RFC splits into.
    """
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        levels.append(_next_level(levels[-1]))
    return levels


def _path(levels: list[list[bytes]], index: int) -> list[bytes]:
    proof = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        index >>= 1
    return proof


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`: where the RFC splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def _next_level(level: list[bytes]) -> list[bytes]:
    above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _subproof(leaf_hashes: Sequence[bytes], old_size: int) -> Iterator[bytes]:
    """Walk down to the edge of the old tree, then give what lies beside the way up."""
    beside = []
    low, high = 0, len(leaf_hashes)
    whole = True  # the subtree in view is still the old tree's own root
    while high - low != old_size - low:
        split = low + _split(high - low)
        if old_size <= split:
            beside.append(root(leaf_hashes[split:high]))
            high = split
        else:
            beside.append(root(leaf_hashes[low:split]))
            low = split
            whole = False
    if not whole:
        yield root(leaf_hashes[low:high])
    yield from reversed(beside)


def _are_hashes(values: tuple[bytes, ...]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
