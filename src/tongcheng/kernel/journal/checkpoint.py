"""This node's own checkpoints: made when the journal has grown, kept with every co-signature.

A checkpoint row also keeps the tree's peaks, so that a consistency proof from it needs only the
leaves that came after. Checkpoints are not leaves: they change nothing they speak of.
"""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import merkle
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES, current, hashes_of
from tongcheng.kernel.journal.note import Checkpoint, Note, SignatureLine
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction

PROOF_LINES_MAX = 63
OLD_SIZES_MAX = 16
REQUEST_BYTES_MAX = 65_536


class CheckpointRow(msgspec.Struct, frozen=True):
    """One checkpoint of this node: the tree's size, root and peaks, and the note as gathered."""

    size: int
    root: bytes
    peaks: bytes
    made_at: int
    note: str


CHECKPOINTS = Records("journal_checkpoints", CheckpointRow, key=("size",))


class Growth(msgspec.Struct, frozen=True):
    """A claim that the tree of `old_size` is the beginning of another, and its proof."""

    old_size: int
    proof: list[bytes]


class Submission(msgspec.Struct, frozen=True):
    """What a log sends a witness: proofs from the sizes it knows, and the checkpoint."""

    growths: list[Growth]
    note: Note


def own_name(home: Home) -> str:
    """Return this node's name in notes."""
    return notes.name_of(home.accord.region, home.member_id)


def make(tx: Transaction) -> CheckpointRow | None:
    """Sign the journal's head, or return None if it has not grown since the last time."""
    head = current(tx)
    if head is None or tx.get(CHECKPOINTS, head.size) is not None:
        return None
    checkpoint = Checkpoint(own_name(tx.home), head.size, head.root)
    row = CheckpointRow(
        size=head.size,
        root=head.root,
        peaks=head.peaks,
        made_at=tx.now_at,
        note=notes.sign(tx.home.ring.signing, checkpoint).encoded(),
    )
    tx.add(CHECKPOINTS, row)
    return row


def has_grown(reading: Reading) -> bool:
    """Tell whether `make` would make a checkpoint: asked first, so that nothing is written."""
    head = current(reading)
    return head is not None and reading.get(CHECKPOINTS, head.size) is None


def latest(snapshot: Snapshot) -> CheckpointRow | None:
    """Return the newest checkpoint."""
    statement = sa.select(CHECKPOINTS.table).order_by(CHECKPOINTS.c.size.desc()).limit(1)
    rows = snapshot.fetch(CHECKPOINTS, statement)
    return rows[0] if rows else None


def add_cosignatures(tx: Transaction, size: int, lines: Iterable[SignatureLine]) -> list[str]:
    """Add the witnesses' lines that hold to the checkpoint's note; return who they are of.

    Lines of strangers, of unknown keys and broken ones are left out, as C2SP asks.
    """
    row = tx.need(CHECKPOINTS, size)
    note = notes.parse(row.note)
    added = []
    for line in lines:
        member = notes.member_of(tx.home.accord, line.name)
        if member is None or member == tx.home.member_id:
            continue
        keys = tx.home.accord.member(member).signing_keys
        if notes.cosigned_at(note.checkpoint, line, keys) is not None:
            note = note.with_line(line)
            added.append(member)
    if note.encoded() != row.note:
        tx.put(CHECKPOINTS, msgspec.structs.replace(row, note=note.encoded()))
    return added


# the request to a witness


def submission(snapshot: Snapshot, row: CheckpointRow, old_sizes: Sequence[int]) -> str:
    """Return the request that shows a witness our checkpoint, with a proof from each old size.

    Refuses CHECKPOINT_SHRUNK when the witness knows a size that we never signed: then this node,
    and not the witness, has lost something.
    """
    growths = [_growth(snapshot, row, old_size) for old_size in sorted(set(old_sizes))]
    return encode_submission(Submission(growths, notes.parse(row.note)))


def _growth(snapshot: Snapshot, row: CheckpointRow, old_size: int) -> Growth:
    if old_size in {0, row.size}:
        return Growth(old_size, [])
    old = snapshot.get(CHECKPOINTS, old_size)
    if old is None or old_size > row.size:
        origin = notes.parse(row.note).checkpoint.origin
        raise Refused("CHECKPOINT_SHRUNK", member=origin, size=row.size, known=old_size)
    added = (
        sa.select(JOURNAL_LEAVES.table)
        .where(JOURNAL_LEAVES.c.leaf_index >= old_size, JOURNAL_LEAVES.c.leaf_index < row.size)
        .order_by(JOURNAL_LEAVES.c.leaf_index)
    )
    hashes = [leaf.leaf_hash for leaf in snapshot.fetch(JOURNAL_LEAVES, added)]
    assert len(hashes) == row.size - old_size, f"leaves {old_size} to {row.size} are not all there"
    frontier = merkle.Frontier(old_size, hashes_of(old.peaks))
    return Growth(old_size, merkle.growth_proof(frontier, hashes))


def encode_submission(given: Submission) -> str:
    """Return the body of C2SP `add-checkpoint`; more than one old size is our extension."""
    lines = []
    for growth in given.growths:
        lines.append(f"old {growth.old_size}\n")
        lines.extend(notes.encode_hash(step) + "\n" for step in growth.proof)
    return "".join(lines) + "\n" + given.note.encoded()


def parse_submission(text: str) -> Submission:
    """Read the body of a request to a witness; refuses CHECKPOINT_MALFORMED."""
    head, separator, rest = text.partition("\n\n")
    if not separator:
        notes.malformed("the request has no empty line before the checkpoint")
    growths: list[Growth] = []
    for line in head.split("\n"):
        if line.startswith("old "):
            growths.append(Growth(notes.parse_size(line.removeprefix("old ")), []))
        elif growths and len(growths[-1].proof) < PROOF_LINES_MAX:
            growths[-1].proof.append(notes.parse_hash(line))
        else:
            notes.malformed("a line 'old N' is expected, or the proof is too long")
    note = notes.parse(rest)
    sizes = [growth.old_size for growth in growths]
    if len(set(sizes)) != len(sizes) or len(sizes) > OLD_SIZES_MAX:
        notes.malformed("each old size stands once, and they are few")
    if not sizes or max(sizes) > note.checkpoint.size:
        notes.malformed("an old size is at most the checkpoint's")
    return Submission(growths, note)
