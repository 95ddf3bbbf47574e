"""The Merkle tree, against published vectors and the definition of RFC 6962 taken literally."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel import merkle
from tongcheng.kernel.merkle import Frontier

# The eight leaves and roots that the Certificate Transparency reference code is tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]

# leaf, size | the proof, nearest sibling first (from the same source)
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]

# old size, new size | the proof (from the same source)
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

TREES = st.lists(st.binary(max_size=4), max_size=70).map(
    lambda leaves: [merkle.leaf_hash(leaf) for leaf in leaves]
)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def _naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = _split(len(hashes))
    both = _naive_root(hashes[:k]) + _naive_root(hashes[k:])
    return hashlib.sha256(b"\x01" + both).digest()


def _naive_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return [*_naive_path(index, hashes[:k]), _naive_root(hashes[k:])]
    return [*_naive_path(index - k, hashes[k:]), _naive_root(hashes[:k])]


def _naive_subproof(old: int, hashes: list[bytes], *, whole: bool) -> list[bytes]:
    """RFC 6962, section 2.1.2, word for word."""
    if old == len(hashes):
        return [] if whole else [_naive_root(hashes)]
    k = _split(len(hashes))
    if old <= k:
        return [*_naive_subproof(old, hashes[:k], whole=whole), _naive_root(hashes[k:])]
    return [*_naive_subproof(old - k, hashes[k:], whole=False), _naive_root(hashes[:k])]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    """The roots over the first 0 to 8 leaves."""
    assert merkle.root(HASHES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_published_inclusion(index: int, size: int, proof: list[str]) -> None:
    """The published paths are the ones we give, and they lead to the published root."""
    given_proof = merkle.inclusion_proof(HASHES[:size], index)
    expected_root = bytes.fromhex(ROOTS[size])

    assert [one.hex() for one in given_proof] == proof
    assert merkle.verify_inclusion(HASHES[index], index, size, given_proof, expected_root)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_published_consistency(old: int, new: int, proof: list[str]) -> None:
    """The published proofs are the ones we give, and they connect the published roots."""
    given_proof = merkle.consistency_proof(HASHES[:new], old)
    old_root, new_root = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])

    assert [one.hex() for one in given_proof] == proof
    assert merkle.verify_consistency(old, new, given_proof, old_root, new_root)


@given(TREES)
def test_root_is_the_definition(hashes: list[bytes]) -> None:
    """Level by level, leaf by leaf, and by definition: the same root."""
    frontier = Frontier()
    for one in hashes:
        frontier = frontier.append(one)

    assert merkle.root(hashes) == _naive_root(hashes) == frontier.root()
    assert (frontier.size, len(frontier.peaks)) == (len(hashes), len(hashes).bit_count())


@given(TREES.filter(bool), st.data())
def test_inclusion_is_the_definition(hashes: list[bytes], data: st.DataObject) -> None:
    """Every leaf can be shown, and at no other place."""
    size = len(hashes)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size + 1).filter(lambda at: at != index))
    expected_root = merkle.root(hashes)

    proof = merkle.inclusion_proof(hashes, index)

    assert proof == _naive_path(index, hashes)
    assert merkle.verify_inclusion(hashes[index], index, size, proof, expected_root)
    if not 0 <= other < size or hashes[other] != hashes[index]:
        assert not merkle.verify_inclusion(hashes[index], other, size, proof, expected_root)


@given(TREES.filter(bool), st.data())
def test_consistency_is_the_definition(hashes: list[bytes], data: st.DataObject) -> None:
    """Every earlier tree can be shown to be the beginning of the later one."""
    new = len(hashes)
    old = data.draw(st.integers(0, new))
    old_root, new_root = merkle.root(hashes[:old]), merkle.root(hashes)

    proof = merkle.consistency_proof(hashes, old)

    assert proof == (_naive_subproof(old, hashes, whole=True) if old else [])
    assert merkle.verify_consistency(old, new, proof, old_root, new_root)
    assert not merkle.verify_consistency(old, new, [*proof, new_root], old_root, new_root)
    assert not merkle.verify_consistency(old, new, proof, merkle.leaf_hash(b"other"), new_root)


@given(TREES.filter(bool), st.data())
def test_damaged_proofs_prove_nothing(hashes: list[bytes], data: st.DataObject) -> None:
    """One hash changed, dropped or added and the proof fails, without an exception."""
    size = len(hashes)
    index = data.draw(st.integers(0, size - 1))
    expected_root = merkle.root(hashes)
    proof = merkle.inclusion_proof(hashes, index)
    damaged = [
        [*proof, bytes(32)],
        [*proof, b"short"],
        *([*proof[:at], bytes(32), *proof[at + 1 :]] for at in range(len(proof))),
        *([*proof[:at], *proof[at + 1 :]] for at in range(len(proof))),
    ]

    assert not any(
        merkle.verify_inclusion(hashes[index], index, size, one, expected_root) for one in damaged
    )


@given(
    st.integers(-2, 2**70),
    st.integers(-2, 2**70),
    st.lists(st.binary(min_size=31, max_size=32), max_size=80),
)
def test_strangers_proofs_never_raise(one: int, other: int, proof: list[bytes]) -> None:
    """Numbers and hashes from outside are judged, whatever they are."""
    leaf, expected_root = merkle.leaf_hash(b"leaf"), merkle.leaf_hash(b"root")

    assert not merkle.verify_inclusion(leaf, one, other, proof, expected_root)
    assert not merkle.verify_consistency(one, other, proof, leaf, expected_root)


def test_an_inner_node_is_no_leaf() -> None:
    """The prefixes keep a pair of hashes from being shown as the content of a leaf."""
    left, right = HASHES[0], HASHES[1]

    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)


def test_appending_leaves_the_old_frontier_alone() -> None:
    """A batch that is rolled back goes on from the frontier it started with."""
    before = Frontier().append(HASHES[0])
    before.append(HASHES[1])

    assert before == Frontier(1, (HASHES[0],))


@given(TREES)
def test_proofs_of_all_leaves_at_once(hashes: list[bytes]) -> None:
    """Building the tree once gives each leaf the proof it gets alone."""
    expected = [merkle.inclusion_proof(hashes, index) for index in range(len(hashes))]

    assert merkle.inclusion_proofs(hashes) == expected


@given(TREES, st.data())
def test_growth_needs_only_the_peaks(hashes: list[bytes], data: st.DataObject) -> None:
    """The consistency proof from a frontier is the one from all leaves."""
    old_size = data.draw(st.integers(0, len(hashes)))
    old = Frontier()
    for leaf in hashes[:old_size]:
        old = old.append(leaf)

    found = merkle.growth_proof(old, hashes[old_size:])

    assert found == merkle.consistency_proof(hashes, old_size)


@given(st.integers(1, 70), st.data())
def test_path_from_complete_subtrees_is_the_proof(size: int, data: st.DataObject) -> None:
    """Whoever keeps the roots of complete subtrees gives the same proof as all leaves do."""
    index = data.draw(st.integers(0, size - 1))
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]

    def subtree(level: int, number: int) -> bytes:
        first, end = number << level, (number + 1) << level
        assert end <= size, "a subtree that the tree cuts was asked for"
        return merkle.root(leaves[first:end])

    path = merkle.inclusion_path(subtree, index, size)

    assert path == merkle.inclusion_proof(leaves, index)


@given(st.integers(1, 70), st.data())
def test_each_rung_joins_the_one_below_with_its_sibling(size: int, data: st.DataObject) -> None:
    """The ladder that people follow ends at the root, and needs each of its steps."""
    index = data.draw(st.integers(0, size - 1))
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    proof = merkle.inclusion_proof(leaves, index)

    rungs = merkle.climb(leaves[index], index, size, proof)

    assert rungs is not None
    below = leaves[index]
    for rung in rungs:
        pair = (rung.sibling, below) if rung.on_left else (below, rung.sibling)
        assert rung.result == merkle.node_hash(*pair)
        below = rung.result
    assert below == merkle.root(leaves)
    assert merkle.climb(leaves[index], index, size, [*proof, below]) is None
    assert not proof or merkle.climb(leaves[index], index, size, proof[:-1]) is None
