"""A proof of one entry of the journal, whole in one document, for somebody without the database.

The document holds the entry's content and salt, its leaf, the path from the leaf to a checkpoint,
and that checkpoint with its signatures. Of an act that was taken it also holds the batch: the path
from its bytes to the root that the sender signed. Of one transfer among the many of a leaf it holds
the salt and the content, and nothing of the others. `check_proof` needs the accord and no more.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import canonical, journal, ledger_batch, merkle
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.envelope import SIGNING_DOMAIN, Envelope, Statement
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import ACT_SENT, ACT_TAKEN, TAKEN, TakenRow
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS, CheckpointRow
from tongcheng.kernel.journal.leaves import (
    LeafRow,
    hashes_of,
    leaf_input,
)
from tongcheng.kernel.journal.subtrees import Subtrees
from tongcheng.kernel.ledger import TRANSFER_KIND, TRANSFERS, TransferContent, TransferRow
from tongcheng.kernel.ledger_batch import TRANSFERS_KIND, Batched, Opening
from tongcheng.kernel.store import Snapshot

FORMAT = "tongcheng/proof/1"

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_TRANSFER_ID = re.compile(r"[0-9a-f]{32}")


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The leaf as it stands in the tree; `digest` is hex."""

    index: int
    kind: str
    id: str
    digest: str


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the leaf commits to: salt (hex) and content (base64)."""

    salt: str
    body: str


class BatchEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who sent a taken act: the signed statement, and the path (hex) from the act's bytes to it."""

    statement: Statement
    signature: str
    index: int
    path: list[str]


class TransferEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One transfer of a leaf that lists many: its id and salt (hex), its content (base64)."""

    id: str
    salt: str
    body: str


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document; `path` is hex, `checkpoint` a signed note."""

    format: str
    leaf: Leaf
    content: Content
    path: list[str]
    checkpoint: str
    batch: BatchEvidence | None = None
    transfer: TransferEvidence | None = None


class Proved(msgspec.Struct, frozen=True):
    """What a proof shows: whose journal has the entry, who vouches for it, who sent the act.

    `transfer` is the one transfer that it shows, if the entry is one or the document opens one.
    """

    member_id: str
    witnesses: list[str]
    sender_id: str | None
    transfer: TransferContent | None = None


class Found(NamedTuple):
    """An entry, and `transfer` if one alone of the many in its leaf is meant."""

    leaf: LeafRow
    transfer: TransferRow | None = None

    @property
    def name(self) -> str:
        """Return `kind/id` of what is meant."""
        if self.transfer is not None:
            return f"{TRANSFER_KIND}/{self.transfer.transfer_id.hex()}"
        return f"{self.leaf.kind}/{self.leaf.content_id}"


# making


def prove(
    snapshot: Snapshot, home: Home, name: str, subtrees: Subtrees | None = None
) -> dict[str, Any]:  # fmt: skip
    """Return the proof of an envelope (by its id) or of any entry (by `kind/id`).

    A transfer that was made together with others is shown alone. `subtrees` are what a running node
    keeps; without them every leaf up to the checkpoint is read, some ten seconds a million. Refuses
    PROOF_NOT_FOUND, and PROOF_TOO_EARLY when no checkpoint covers the entry yet.
    """
    leaf, transfer = find(snapshot, home, name)
    row = _checkpoint(snapshot, leaf, home.accord)
    if row is None:
        raise Refused("PROOF_TOO_EARLY", id=name)
    salted = journal.salted(snapshot, home.ring, leaf.kind, leaf.content_id)
    if salted is None:
        raise Refused("PROOF_NOT_FOUND", id=name)
    salt, body = salted
    taken = snapshot.get(TAKEN, leaf.content_id) if leaf.kind == ACT_TAKEN else None
    kept = Subtrees() if subtrees is None else subtrees
    proof = Proof(
        format=FORMAT,
        leaf=Leaf(leaf.leaf_index, leaf.kind, leaf.content_id, leaf.digest.hex()),
        content=Content(salt.hex(), base64.b64encode(body).decode()),
        path=[step.hex() for step in kept.path(snapshot, leaf, row.size, row.root)],
        checkpoint=row.note,
        batch=None if taken is None else _evidence(taken),
        transfer=None if transfer is None else _shown(Batched(home.ring, salt, body), transfer),
    )
    built: dict[str, Any] = msgspec.to_builtins(proof)
    return built


def find(snapshot: Snapshot, home: Home, name: str) -> Found:
    """Return the entry `kind/id`, or an envelope by its id alone, taken before sent.

    A transfer is found in a leaf of its own or among the many of one. Refuses PROOF_NOT_FOUND.
    """
    kind, separator, content_id = name.partition("/")
    wanted = [(kind, content_id)] if separator else [(ACT_TAKEN, name), (ACT_SENT, name)]
    for one in wanted:
        leaf = journal.leaf_of(snapshot, *one)
        if leaf is not None:
            return Found(leaf)
    if kind == TRANSFER_KIND and _TRANSFER_ID.fullmatch(content_id):
        row = snapshot.get(TRANSFERS, bytes.fromhex(content_id))
        leaf = None if row is None else ledger_batch.leaf_of_transfer(snapshot, home.ring, row)
        if leaf is not None:
            return Found(leaf, row)
    raise Refused("PROOF_NOT_FOUND", id=ascii(name[:120]))


def _checkpoint(snapshot: Snapshot, leaf: LeafRow, accord: Accord) -> CheckpointRow | None:
    """Return the newest checkpoint over the leaf that a peer has co-signed, else the newest."""
    over = sa.select(CHECKPOINTS.table).where(CHECKPOINTS.c.size > leaf.leaf_index)
    newest: CheckpointRow | None = None
    # A handful back at most: peers co-sign in the round in which a checkpoint is made.
    for row in snapshot.fetch(CHECKPOINTS, over.order_by(CHECKPOINTS.c.size.desc()).limit(100)):
        newest = newest or row
        if notes.witnesses(notes.parse(row.note), [accord]):
            return row
    return newest


def _evidence(row: TakenRow) -> BatchEvidence:
    signed = row.statement.removeprefix(SIGNING_DOMAIN)
    return BatchEvidence(
        statement=canonical.decode_as(signed, Statement),
        signature=row.signature.hex(),
        index=row.batch_index,
        path=[step.hex() for step in hashes_of(row.path)],
    )


def _shown(batch: Batched, row: TransferRow) -> TransferEvidence:
    salt, content = batch.opening(row)
    return TransferEvidence(row.transfer_id.hex(), salt.hex(), base64.b64encode(content).decode())


# checking


def check_proof(document: object, accords: Sequence[Accord]) -> Proved:
    """Return what the document proves under these versions of the accord, or refuse PROOF_BROKEN.

    Pure: no database, no clock, no key. A co-signature counts at the time it names; the log's own
    and the sender's keys must have been valid at some instant, resp. when the batch was signed.
    """
    try:
        proof = msgspec.convert(document, Proof, strict=True)
    except msgspec.ValidationError as fault:
        raise Refused("PROOF_BROKEN", part=f"form: {fault}") from None
    if proof.format != FORMAT:
        raise Refused("PROOF_BROKEN", part="format")
    body = _check_content(proof)
    note = notes.parse(proof.checkpoint)
    _check_inclusion(proof, note.checkpoint)
    member, witnesses = _check_note(note, accords)
    transfer = _check_transfer(proof, body)
    sender = _check_act(proof, body, member, accords)
    return Proved(member_id=member, witnesses=witnesses, sender_id=sender, transfer=transfer)


def _check_content(proof: Proof) -> bytes:
    """Return the content that the leaf's digest commits to."""
    body = _base64(proof.content.body, "content")
    salted = _hex([proof.content.salt], "content")[0] + body
    if hashlib.sha256(salted).hexdigest() != proof.leaf.digest:
        raise Refused("PROOF_BROKEN", part="content")
    return body


def _check_inclusion(proof: Proof, checkpoint: notes.Checkpoint) -> None:
    digest, *path = _hex([proof.leaf.digest, *proof.path], "path")
    data = leaf_input(proof.leaf.kind, proof.leaf.id, digest)
    if not merkle.verify_inclusion(
        merkle.leaf_hash(data), proof.leaf.index, checkpoint.size, path, checkpoint.root
    ):
        raise Refused("PROOF_BROKEN", part="path")


def _check_note(note: notes.Note, accords: Sequence[Accord]) -> tuple[str, list[str]]:
    """Return whose checkpoint it is and which other members co-signed it."""
    for accord in accords:
        member = notes.member_of(accord, note.checkpoint.origin)
        keys = [] if member is None else accord.member(member).signing_keys
        if member is not None and notes.signed_by_log(note, keys):
            return member, notes.witnesses(note, accords)
    raise Refused("PROOF_BROKEN", part="checkpoint")


def _check_transfer(proof: Proof, body: bytes) -> TransferContent | None:
    """Return the one transfer that the document shows: of a leaf of its own, or among many."""
    if proof.transfer is not None:
        transfer_id, content = proof.transfer.id, _opened(proof, proof.transfer, body)
    elif proof.leaf.kind == TRANSFER_KIND:
        transfer_id, content = proof.leaf.id, body
    else:
        return None
    try:
        transfer = canonical.decode_as(content, TransferContent)
    except Refused:
        raise Refused("PROOF_BROKEN", part="transfer") from None
    if transfer.transfer_id != transfer_id:
        raise Refused("PROOF_BROKEN", part="transfer")
    return transfer


def _opened(proof: Proof, shown: TransferEvidence, body: bytes) -> bytes:
    """Return the content that the leaf's list commits to under the id of what is shown."""
    transfer_id, salt = _hex([shown.id, shown.salt], "transfer")
    opening = Opening(salt, _base64(shown.body, "transfer"))
    try:
        listed = ledger_batch.digests_of(body) if proof.leaf.kind == TRANSFERS_KIND else {}
    except Refused:
        raise Refused("PROOF_BROKEN", part="transfer") from None
    digest = listed.get(transfer_id)
    # Of one length, so that nothing of the content can be passed off as salt.
    is_salt = len(salt) == ledger_batch.SALT_BYTES
    if digest is None or not is_salt or not ledger_batch.shows(opening, digest):
        raise Refused("PROOF_BROKEN", part="transfer")
    return opening.content


def _check_act(
    proof: Proof, body: bytes, member: str, accords: Sequence[Accord]
) -> str | None:  # fmt: skip
    """Return who sent the act, if the entry is one; check the sender's batch if it was taken."""
    if proof.leaf.kind not in {ACT_SENT, ACT_TAKEN}:
        return None
    envelope = canonical.decode_as(body, Envelope)
    if envelope.id != proof.leaf.id:
        raise Refused("PROOF_BROKEN", part="envelope")
    if proof.leaf.kind == ACT_SENT:
        return member
    batch = proof.batch
    if batch is None or (batch.statement.src, batch.statement.dst) != (envelope.src, member):
        raise Refused("PROOF_BROKEN", part="batch")
    signature, root, *path = _hex([batch.signature, batch.statement.root, *batch.path], "batch")
    leaf = merkle.leaf_hash(body)
    if not merkle.verify_inclusion(leaf, batch.index, batch.statement.count, path, root):
        raise Refused("PROOF_BROKEN", part="batch path")
    if not any(_signed(batch.statement, signature, accord) for accord in accords):
        raise Refused("PROOF_BROKEN", part="batch signature")
    return envelope.src


def _signed(statement: Statement, signature: bytes, accord: Accord) -> bool:
    try:
        key = accord.verify_key(statement.src, statement.kid, statement.sent_at)
    except Refused:
        return False
    return key.verify(statement.signed_bytes(), signature)


def _hex(texts: Sequence[str], part: str) -> list[bytes]:
    """Read lower-case hex; there is one way to write bytes, so that no two readers differ."""
    if not all(_HEX.fullmatch(text) for text in texts):
        raise Refused("PROOF_BROKEN", part=part)
    return [bytes.fromhex(text) for text in texts]


def _base64(text: str, part: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("PROOF_BROKEN", part=part) from None
    if base64.b64encode(raw).decode() != text:
        raise Refused("PROOF_BROKEN", part=part)
    return raw
