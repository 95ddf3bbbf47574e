"""What people ask of a journal: how far the others vouch for it, and its latest entries."""

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.accord import Accord
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS, CheckpointRow
from tongcheng.kernel.journal.leaves import JOURNAL_LEAVES, LeafRow
from tongcheng.kernel.journal.note import Note
from tongcheng.kernel.store import Snapshot

TRIES_MAX = 8
"""Lines that do not hold are never stored; so many of them are passed over and no more."""


class Cosigned(msgspec.Struct, frozen=True):
    """How far one other member vouches for this journal: `size` entries, 0 for none so far.

    `at` is the instant (Unix ms) that its line names.
    """

    member_id: str
    size: int
    at: int | None


class Signer(msgspec.Struct, frozen=True):
    """One signature under a checkpoint; `member_id` is None for a stranger's.

    `at` is the instant (Unix ms) that a witness's line names, None for the log's own.
    """

    name: str
    member_id: str | None
    is_log: bool
    holds: bool
    at: int | None


def cosigned_by_peers(snapshot: Snapshot, home: Home) -> tuple[Cosigned, ...]:
    """Return for every peer the largest tree of ours that it has co-signed, in accord order."""
    if home.accord_in_force is None:
        return ()
    return tuple(
        _cosigned_by(snapshot, home.accord, peer) for peer in home.accord.peers(home.member_id)
    )


def _cosigned_by(snapshot: Snapshot, accord: Accord, peer: str) -> Cosigned:
    name = notes.name_of(accord.region, peer)
    with_line = (
        sa.select(CHECKPOINTS.table)
        .where(sa.func.instr(CHECKPOINTS.c.note, f"{notes.DASH} {name} ") > 0)
        .order_by(CHECKPOINTS.c.size.desc())
        .limit(TRIES_MAX)
    )
    for row in snapshot.fetch(CHECKPOINTS, with_line):
        for one in signers(notes.parse(row.note), [accord]):
            if one.name == name and one.holds:
                return Cosigned(peer, row.size, one.at)
    return Cosigned(peer, 0, None)


def signers(note: Note, accords: list[Accord]) -> tuple[Signer, ...]:
    """Return who has signed a checkpoint, in its own order, and whose signatures hold."""
    return tuple(_signer(note, line, accords) for line in note.lines)


def _signer(note: Note, line: notes.SignatureLine, accords: list[Accord]) -> Signer:
    is_log = line.name == note.checkpoint.origin
    found = None
    for accord in accords:
        member = notes.member_of(accord, line.name)
        if member is None:
            continue
        found = member
        keys = accord.member(member).signing_keys
        if is_log:
            if notes.signed_by_log(note, keys):
                return Signer(line.name, member, is_log, holds=True, at=None)
            continue
        at = notes.cosigned_at(note.checkpoint, line, keys)
        if at is not None:
            return Signer(line.name, member, is_log, holds=True, at=at)
    return Signer(line.name, found, is_log, holds=False, at=None)


def latest_cosigned(snapshot: Snapshot, cosigned: tuple[Cosigned, ...]) -> CheckpointRow | None:
    """Return the largest checkpoint that any peer has co-signed."""
    size = max((one.size for one in cosigned), default=0)
    return snapshot.get(CHECKPOINTS, size) if size else None


def entries(
    snapshot: Snapshot, *, before: int | None, kind: str | None, count: int
) -> list[LeafRow]:
    """Return entries latest first: those below the index `before`, of one kind or of all."""
    statement = sa.select(JOURNAL_LEAVES.table).order_by(JOURNAL_LEAVES.c.leaf_index.desc())
    if before is not None:
        statement = statement.where(JOURNAL_LEAVES.c.leaf_index < before)
    if kind is not None:
        statement = statement.where(JOURNAL_LEAVES.c.kind == kind)
    return snapshot.fetch(JOURNAL_LEAVES, statement.limit(count))


def kinds(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the kinds of which the journal has an entry, sorted: one look-up a kind."""
    found: list[str] = []
    while True:
        after = sa.select(sa.func.min(JOURNAL_LEAVES.c.kind))
        if found:
            after = after.where(JOURNAL_LEAVES.c.kind > found[-1])
        ((kind,),) = snapshot.query(after)
        if kind is None:
            return tuple(found)
        found.append(kind)
