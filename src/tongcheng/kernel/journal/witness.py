"""This node as a witness: what it has seen of its peers' journals, and what others say they saw.

A witness co-signs a peer's checkpoint only if it grew from the last one it co-signed. Members also
forward each other's co-signed checkpoints: what another member has seen of a journal must grow
into what this one is shown, or both signed checkpoints are kept as evidence of a split view.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import merkle
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import Growth, Submission, own_name
from tongcheng.kernel.journal.note import Note
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction

HEARD_HEADER = "heard\n\n"
"""How a request begins that forwards others' checkpoints instead of submitting one's own."""


class WitnessedRow(msgspec.Struct, frozen=True):
    """The last checkpoint of a peer that this node has co-signed."""

    member_id: str
    size: int
    root: bytes
    note: str
    at: int


class HeardRow(msgspec.Struct, frozen=True):
    """A peer's checkpoint as another member (`via`) has seen it, and whether it fits ours.

    One that does not fit yet, because the peer has not shown us that size, stays until it does.
    """

    member_id: str
    via: str
    size: int
    root: bytes
    note: str
    at: int
    agreed: bool


class ConflictRow(msgspec.Struct, frozen=True):
    """Two checkpoints that one member signed and that cannot both be true: the first pair found."""

    member_id: str
    code: str
    via: str
    shown: str
    known: str
    at: int


WITNESSED = Records("journal_witnessed", WitnessedRow, key=("member_id",))
HEARD = Records("journal_heard", HeardRow, key=("member_id", "via"))
CONFLICTS = Records("journal_conflicts", ConflictRow, key=("member_id",))


def check_origin(note: Note, accord: Accord, own_id: str, now_at: int) -> str:
    """Return whose checkpoint this is, if a key valid now signed it; else refuse by name."""
    member = notes.member_of(accord, note.checkpoint.origin)
    if member is None or member == own_id:
        raise Refused("MEMBER_UNKNOWN", member=ascii(note.checkpoint.origin[:64]))
    keys = [key for key in accord.member(member).signing_keys if key.valid(now_at)]
    if not notes.signed_by_log(note, keys):
        raise Refused("SIGNATURE_BROKEN", member=member, part="checkpoint")
    return member


def witness(tx: Transaction, member: str, given: Submission) -> str | Refused:
    """Co-sign a peer's checkpoint and return the line, or the decision not to.

    The decision is returned, not raised, where the evidence for it is stored. What a proof is
    missing for is refused by its size, as C2SP `tlog-witness` does.
    """
    checkpoint = given.note.checkpoint
    seen = tx.get(WITNESSED, member)
    facts: dict[str, str | int] = {"member": member, "size": checkpoint.size}
    known = 0 if seen is None else seen.size
    if checkpoint.size < known:
        raise Refused("CHECKPOINT_SHRUNK", **facts, known=known)
    if seen is not None and not _grew(given, seen.size, seen.root):
        return _conflict(tx, given, seen, Refused("CHECKPOINT_FORKED", **facts, known=known))
    for heard in tx.select(HEARD, member_id=member):
        if heard.agreed or heard.size > checkpoint.size:
            continue
        if not _grew(given, heard.size, heard.root):
            refusal = Refused("CHECKPOINT_SPLIT_VIEW", **facts, known=heard.size, via=heard.via)
            return _conflict(tx, given, heard, refusal)
        tx.put(HEARD, msgspec.structs.replace(heard, agreed=True))
    line = notes.cosign(tx.home.ring.signing, own_name(tx.home), checkpoint, tx.now_at)
    if known < checkpoint.size:
        row = WitnessedRow(
            member_id=member,
            size=checkpoint.size,
            root=checkpoint.root,
            note=notes.of_log(given.note).with_line(line).encoded(),
            at=tx.now_at,
        )
        tx.put(WITNESSED, row)
    return line.encoded()


def _grew(given: Submission, old_size: int, old_root: bytes) -> bool:
    """Tell whether the checkpoint given grew from an older one; refuse if no proof says so."""
    checkpoint = given.note.checkpoint
    if old_size == checkpoint.size:
        return old_root == checkpoint.root
    growth = next((one for one in given.growths if one.old_size == old_size), None)
    if growth is None:
        member = checkpoint.origin.rpartition("/")[2]
        raise Refused(
            "CHECKPOINT_PROOF_MISSING", member=member, size=checkpoint.size, known=old_size
        )
    return _proves(growth, given, old_root)


def _proves(growth: Growth, given: Submission, old_root: bytes) -> bool:
    new = given.note.checkpoint
    return merkle.verify_consistency(
        growth.old_size, new.size, growth.proof, old_root, new.root
    )  # fmt: skip


def _conflict(
    tx: Transaction, given: Submission, known: WitnessedRow | HeardRow, refusal: Refused
) -> Refused:
    """Keep the first pair of checkpoints that contradict each other, and return the refusal."""
    if tx.get(CONFLICTS, known.member_id) is None:
        row = ConflictRow(
            member_id=known.member_id,
            code=refusal.code,
            via=known.via if isinstance(known, HeardRow) else tx.home.member_id,
            shown=given.note.encoded(),
            known=known.note,
            at=tx.now_at,
        )
        tx.add(CONFLICTS, row)
    return refusal


# what others have seen


def parse_heard(text: str) -> list[Note]:
    """Read the checkpoints that a member forwards; refuses CHECKPOINT_MALFORMED."""
    parts = text.removeprefix(HEARD_HEADER).split("\n\n")
    if len(parts) % 2:
        notes.malformed("forwarded checkpoints are notes with an empty line between them")
    pairs = zip(parts[::2], parts[1::2], strict=True)
    # The newline that ends a note was taken for a part of the empty line after it.
    return [notes.parse(body + "\n\n" + lines.removesuffix("\n") + "\n") for body, lines in pairs]


def encode_heard(forwarded: Sequence[Note]) -> str:
    """Return the request that forwards these checkpoints."""
    return HEARD_HEADER + "\n".join(note.encoded() for note in forwarded)


def news(reading: Reading, home: Home, member: str, note: Note) -> list[str]:
    """Return the members whose co-signature on the note tells this node something new."""
    found = []
    for via in notes.witnesses(note, [home.accord]):
        before = reading.get(HEARD, member, via)
        is_old = before is not None and (not before.agreed or note.checkpoint.size <= before.size)
        if via != home.member_id and not is_old:
            found.append(via)
    return found


def hear(tx: Transaction, member: str, note: Note) -> Refused | None:
    """Note what other members have seen of a peer's journal; return a contradiction."""
    checkpoint = note.checkpoint
    seen = tx.get(WITNESSED, member)
    same_size = seen is not None and seen.size == checkpoint.size
    agreed = seen is not None and same_size and seen.root == checkpoint.root
    refusal = None
    for via in news(tx, tx.home, member, note):
        row = HeardRow(
            member_id=member,
            via=via,
            size=checkpoint.size,
            root=checkpoint.root,
            note=note.encoded(),
            at=tx.now_at,
            agreed=agreed,
        )
        tx.put(HEARD, row)
        if seen is not None and same_size and not agreed:
            refusal = Refused(
                "CHECKPOINT_SPLIT_VIEW", member=member, size=seen.size, known=seen.size, via=via
            )
            _conflict(tx, Submission([], notes.parse(seen.note)), row, refusal)
    return refusal


def witnessed_of_others(snapshot: Snapshot, peer: str) -> list[WitnessedRow]:
    """Return what this node has co-signed of every member but `peer`, to forward to it."""
    statement = sa.select(WITNESSED.table).where(WITNESSED.c.member_id != peer)
    return snapshot.fetch(WITNESSED, statement.order_by(WITNESSED.c.member_id))
