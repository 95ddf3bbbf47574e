"""From the store to the views of the journal's pages."""

from typing import Any

import msgspec

from tongcheng.kernel import adoption, canonical, journal, merkle
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import ACT_SENT, ACT_TAKEN, SENT, TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import checkpoint as checkpoints
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal import proof as proofs
from tongcheng.kernel.journal import reading
from tongcheng.kernel.journal.checkpoint import CheckpointRow
from tongcheng.kernel.journal.leaves import LeafRow, leaf_input
from tongcheng.kernel.journal.note import Note
from tongcheng.kernel.journal.reading import Cosigned, Signer
from tongcheng.kernel.journal.subtrees import Subtrees
from tongcheng.kernel.journal.witness import CONFLICTS, ConflictRow
from tongcheng.kernel.ledger import TRANSFER_KIND, TransferContent, content_of
from tongcheng.kernel.merkle import Rung
from tongcheng.kernel.store import Snapshot
from tongcheng.node.pages import words

ENTRIES_SHOWN = 50
NUMBER_DIGITS_MAX = 15


class Overview(msgspec.Struct, frozen=True):
    """The journal as a whole, and one page of its entries, latest first.

    `checkpoint` is the largest that a peer has co-signed, else our newest; `older` is the index
    below which the next page begins.
    """

    size: int
    cosigned: tuple[Cosigned, ...]
    checkpoint: CheckpointRow | None
    signers: tuple[Signer, ...]
    conflicts: tuple[ConflictRow, ...]
    entries: tuple[LeafRow, ...]
    types: dict[str, str]
    kinds: tuple[str, ...]
    kind: str | None
    before: int | None
    older: int | None

    @property
    def covered(self) -> int:
        """Tell how many entries at least one peer vouches for."""
        return max((one.size for one in self.cosigned), default=0)


class Ladder(msgspec.Struct, frozen=True):
    """The way from a leaf to the root of the checkpoint that it is proved by."""

    note: Note
    leaf_hash: str
    rungs: tuple[Rung, ...]
    signers: tuple[Signer, ...]


class EntryPage(msgspec.Struct, frozen=True):
    """One entry with its content and, as soon as a checkpoint covers it, its proof.

    `name` is `kind/id`; of a transfer that was made together with others `body` is its own content,
    and `leaf` the one that lists them all. `document` is the proof as it is handed out; `versions`
    are the accords it is checked with.
    """

    name: str
    leaf: LeafRow
    body: bytes
    transfer: TransferContent | None
    envelope: Envelope | None
    document: dict[str, Any] | None
    ladder: Ladder | None
    versions: tuple[int, ...]

    @property
    def kind(self) -> str:
        """Return what it is, which its leaf need not be."""
        return self.name.partition("/")[0]

    @property
    def content_id(self) -> str:
        """Return its id, which is its own within its kind."""
        return self.name.partition("/")[2]

    @property
    def is_among_many(self) -> bool:
        """Tell whether it is one transfer of a leaf that lists several."""
        return self.kind != self.leaf.kind

    @property
    def case_id(self) -> str | None:
        """Return the stay or other case that an envelope speaks of."""
        return None if self.envelope is None else self.envelope.case


def overview(snapshot: Snapshot, home: Home, kind: str | None, before: int | None) -> Overview:
    """Return the journal's state and one page of its entries."""
    cosigned = reading.cosigned_by_peers(snapshot, home)
    newest = reading.latest_cosigned(snapshot, cosigned) or checkpoints.latest(snapshot)
    rows = reading.entries(snapshot, before=before, kind=kind, count=ENTRIES_SHOWN + 1)
    shown = tuple(rows[:ENTRIES_SHOWN])
    return Overview(
        size=journal.head(snapshot)[0],
        cosigned=cosigned,
        checkpoint=newest,
        signers=()
        if newest is None
        else reading.signers(notes.parse(newest.note), adoption.adopted(snapshot)),
        conflicts=tuple(snapshot.select(CONFLICTS)),
        entries=shown,
        types=_types(snapshot, shown),
        kinds=reading.kinds(snapshot),
        kind=kind,
        before=before,
        older=shown[-1].leaf_index if len(rows) > ENTRIES_SHOWN else None,
    )


def _types(snapshot: Snapshot, rows: tuple[LeafRow, ...]) -> dict[str, str]:
    """Return the envelope types of the acts among these entries, by envelope id."""
    found = {}
    for row in rows:
        if row.kind == ACT_TAKEN:
            taken = snapshot.get(TAKEN, row.content_id)
            found[row.content_id] = "" if taken is None else taken.type
        elif row.kind == ACT_SENT:
            sent = snapshot.select(SENT, envelope_id=row.content_id)
            found[row.content_id] = sent[0].type if sent else ""
    return found


def name_of(snapshot: Snapshot, home: Home, given: str) -> str:
    """Return `kind/id` of an entry by that name, by an envelope's id, or by its number.

    Refuses PROOF_NOT_FOUND.
    """
    if given.isascii() and given.isdecimal() and len(given) < NUMBER_DIGITS_MAX:
        row = snapshot.get(journal.JOURNAL_LEAVES, int(given))
        if row is None:
            raise Refused("PROOF_NOT_FOUND", id=given)
        return proofs.Found(row).name
    return proofs.find(snapshot, home, given).name


def entry(snapshot: Snapshot, home: Home, subtrees: Subtrees, name: str) -> EntryPage:
    """Return one entry by `kind/id`; refuses PROOF_NOT_FOUND."""
    leaf, transfer = proofs.find(snapshot, home, name)
    body = journal.content(snapshot, home.ring, leaf.kind, leaf.content_id)
    if transfer is not None:
        body = content_of(transfer)
    if body is None:
        raise Refused("PROOF_NOT_FOUND", id=name)
    accords = adoption.adopted(snapshot)
    document = None
    try:
        document = proofs.prove(snapshot, home, name, subtrees)
    except Refused as refusal:
        # What was written a moment ago is shown all the same; only its proof has to wait.
        if refusal.code not in {"PROOF_TOO_EARLY", "ACCORD_MISSING"}:
            raise
    is_transfer = transfer is not None or leaf.kind == TRANSFER_KIND
    ladder = None
    if document is not None:
        note = notes.parse(document["checkpoint"])
        ladder = _ladder(leaf, note, document["path"], reading.signers(note, accords))
    return EntryPage(
        name=name,
        leaf=leaf,
        body=body,
        transfer=canonical.decode_as(body, TransferContent) if is_transfer else None,
        envelope=canonical.decode_as(body, Envelope) if words.is_act(leaf.kind) else None,
        document=document,
        ladder=ladder,
        versions=tuple(one.version for one in accords),
    )


def _ladder(leaf: LeafRow, note: Note, path: list[str], signers: tuple[Signer, ...]) -> Ladder:
    """Return the way up, computed again from the leaf's own kind, id and digest."""
    start = merkle.leaf_hash(leaf_input(leaf.kind, leaf.content_id, leaf.digest))
    steps = [bytes.fromhex(step) for step in path]
    rungs = merkle.climb(start, leaf.leaf_index, note.checkpoint.size, steps)
    assert rungs is not None, f"the path of leaf {leaf.leaf_index} is as long as its tree is high"
    return Ladder(note, start.hex(), tuple(rungs), signers)
