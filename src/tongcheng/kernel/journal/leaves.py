"""Leaves and their contents: the leaf stays for ever, the content can be erased.

A leaf commits to a content through a random salt: SHA-256(0x00 ‖ canonical{digest, id, kind}) with
digest = SHA-256(salt ‖ content). Content and salt lie apart, encrypted, bound to their leaf; when
they are erased after retention the tree still stands, and nobody can guess a short content from
its leaf. Source: RFC 6962 §2.1 for the tree; the salted commitment is ours.
"""

import hashlib

import msgspec

from tongcheng.kernel import canonical, merkle, sealing
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Records, Transaction

SALT_BYTES = 16


class LeafRow(msgspec.Struct, frozen=True):
    """One leaf: what kind of event, which one, and the hash that stands in the tree."""

    leaf_index: int
    kind: str
    content_id: str
    digest: bytes
    leaf_hash: bytes
    at: int


class _LeafInput(msgspec.Struct, frozen=True):
    """What a leaf hash is made over; the digest is hex."""

    digest: str
    id: str
    kind: str


class ContentRow(msgspec.Struct, frozen=True):
    """The content of one leaf: salt ‖ content, sealed with the node's data key."""

    kind: str
    content_id: str
    sealed: bytes


class HeadRow(msgspec.Struct, frozen=True):
    """The tree as a whole: its size, its right edge (one hash per complete subtree), its root."""

    head_id: str
    size: int
    peaks: bytes
    root: bytes


JOURNAL_LEAVES = Records(
    "journal_leaves",
    LeafRow,
    key=("leaf_index",),
    # Ids of contents are mostly of their time: leaves of all kinds are added in one place.
    indexes=(("content_id", "kind"), ("kind",)),
    only_grows=True,
)
JOURNAL_CONTENTS = Records(
    "journal_contents", ContentRow, key=("kind", "content_id"), only_grows=True
)
JOURNAL_HEAD = Records("journal_head", HeadRow, key=("head_id",), kept=True)

_HEAD_ID = "journal"
_NO_ROOT_YET = b""
"""While a batch runs; it is never stored."""


def leaf_input(kind: str, content_id: str, digest: bytes) -> bytes:
    """Return the bytes that the leaf hash is made over (without RFC 6962's 0x00 prefix)."""
    return canonical.encode(_LeafInput(digest.hex(), content_id, kind))


def bound_to(kind: str, content_id: str) -> str:
    """Return what a sealed content is bound to, so that two contents cannot be swapped."""
    return f"journal/{kind}/{content_id}"


def append(
    tx: Transaction, kind: str, content_id: str, body: bytes, *, salt: bytes | None = None
) -> int:
    """Append one leaf for a content that is new, and return its index.

    `salt` is random bytes that the caller has drawn, if what it commits to rests on them.
    """
    salt = tx.home.entropy.bytes(SALT_BYTES) if salt is None else salt
    digest = hashlib.sha256(salt + body).digest()
    leaf_hash = merkle.leaf_hash(leaf_input(kind, content_id, digest))
    before = frontier(tx.get(JOURNAL_HEAD, _HEAD_ID))
    grown = before.append(leaf_hash)
    sealed = sealing.seal(tx.home.ring, salt + body, bound_to(kind, content_id), tx.home.entropy)
    tx.add(JOURNAL_CONTENTS, ContentRow(kind=kind, content_id=content_id, sealed=sealed))
    row = LeafRow(
        leaf_index=before.size,
        kind=kind,
        content_id=content_id,
        digest=digest,
        leaf_hash=leaf_hash,
        at=tx.now_at,
    )
    tx.add(JOURNAL_LEAVES, row)
    head_row = HeadRow(_HEAD_ID, grown.size, b"".join(grown.peaks), _NO_ROOT_YET)
    tx.put(JOURNAL_HEAD, head_row)
    tx.at_end(_complete)
    return before.size


def current(reading: Reading) -> HeadRow | None:
    """Return the head, or None before the first leaf."""
    row = reading.get(JOURNAL_HEAD, _HEAD_ID)
    return row if row is None or row.root else _with_root(row)


def _with_root(row: HeadRow) -> HeadRow:
    return msgspec.structs.replace(row, root=frontier(row).root())


def _complete(tx: Transaction) -> None:
    """Compute the root of the tree that the batch leaves: one for all of its leaves."""
    row = tx.get(JOURNAL_HEAD, _HEAD_ID)
    if row is not None and not row.root:
        tx.put(JOURNAL_HEAD, _with_root(row))


def hashes_of(joined: bytes) -> tuple[bytes, ...]:
    """Split hashes that are stored one after the other."""
    step = merkle.HASH_BYTES
    return tuple(joined[start : start + step] for start in range(0, len(joined), step))


def frontier(row: HeadRow | None) -> merkle.Frontier:
    """Return the tree's right edge, to append to."""
    return merkle.Frontier() if row is None else merkle.Frontier(row.size, hashes_of(row.peaks))


def head(reading: Reading) -> tuple[int, bytes]:
    """Return the tree's size and root."""
    row = current(reading)
    return (0, merkle.EMPTY_ROOT) if row is None else (row.size, row.root)


def content(reading: Reading, ring: KeyRing, kind: str, content_id: str) -> bytes | None:
    """Return a leaf's content in the clear, or None if there is none (any more)."""
    found = salted(reading, ring, kind, content_id)
    return None if found is None else found[1]


def salted(
    reading: Reading, ring: KeyRing, kind: str, content_id: str
) -> tuple[bytes, bytes] | None:  # fmt: skip
    """Return a leaf's salt and content in the clear, or None if there is none (any more)."""
    row = reading.get(JOURNAL_CONTENTS, kind, content_id)
    if row is None:
        return None
    joined = sealing.unseal(ring, row.sealed, bound_to(kind, content_id))
    return joined[:SALT_BYTES], joined[SALT_BYTES:]


def leaf_of(reading: Reading, kind: str, content_id: str) -> LeafRow | None:
    """Return the leaf of a content, or None."""
    rows = reading.select(JOURNAL_LEAVES, kind=kind, content_id=content_id)
    return rows[0] if rows else None
