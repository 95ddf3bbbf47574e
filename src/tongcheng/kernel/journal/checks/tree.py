"""The journal itself: leaves, contents, head, checkpoints, and what witnesses have signed."""

import hashlib
from collections.abc import Iterator

from tongcheng.kernel import merkle, sealing
from tongcheng.kernel.accord import AccordKey
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS, CheckpointRow
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import (
    JOURNAL_CONTENTS,
    JOURNAL_HEAD,
    JOURNAL_LEAVES,
    LeafRow,
    bound_to,
    current,
    leaf_input,
)
from tongcheng.kernel.journal.note import Note
from tongcheng.kernel.journal.witness import CONFLICTS, HEARD, WITNESSED
from tongcheng.kernel.service import Finding

_UNLEAVED = (
    "SELECT kind || '/' || content_id FROM journal_contents c WHERE NOT EXISTS "
    "(SELECT 1 FROM journal_leaves l WHERE l.kind = c.kind AND l.content_id = c.content_id)"
)


def _look(view: View) -> Iterator[Finding]:
    """Rebuild the tree from its leaves and hold it against every head that was ever signed."""
    peer_notes = [notes.parse(text) for text in view.peer_notes]
    own = [row.size for row in view.snapshot.select(CHECKPOINTS)]
    wanted = {*own, *(note.checkpoint.size for note in peer_notes)}
    roots = {0: merkle.EMPTY_ROOT}
    frontier = merkle.Frontier()
    whole = True
    for row in view.stream(JOURNAL_LEAVES):
        if whole and row.leaf_index != frontier.size:
            yield finding(JOURNAL_LEAVES, frontier.size, "is missing")
            whole = False
        yield from _leaf(view, row)
        frontier = frontier.append(row.leaf_hash)
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    view.figures["leaves"] = frontier.size
    for key in view.keys_without(_UNLEAVED):
        yield finding(JOURNAL_CONTENTS, key, "has no leaf")
    # After a missing leaf every root differs; saying so for each would hide what is wrong.
    if whole:
        yield from _head(view, frontier)
        yield from _checkpoints(view, roots)
        yield from _peers(peer_notes, roots)
    yield from _others(view)


def _leaf(view: View, row: LeafRow) -> Iterator[Finding]:
    """Check the leaf's hash, and its content against its digest."""
    data = leaf_input(row.kind, row.content_id, row.digest)
    if merkle.leaf_hash(data) != row.leaf_hash:
        yield of_row(JOURNAL_LEAVES, row, "the leaf's hash is not that of kind, id and digest")
    stored = view.snapshot.get(JOURNAL_CONTENTS, row.kind, row.content_id)
    key = f"{row.kind}/{row.content_id}"
    if stored is None:
        yield finding(JOURNAL_CONTENTS, key, f"is missing; leaf {row.leaf_index} speaks of it")
        return
    try:
        salted = sealing.unseal(view.home.ring, stored.sealed, bound_to(row.kind, row.content_id))
    except Refused:
        yield finding(JOURNAL_CONTENTS, key, "cannot be opened with this node's data key")
        return
    if hashlib.sha256(salted).digest() != row.digest:
        yield finding(JOURNAL_CONTENTS, key, f"differs from the digest in leaf {row.leaf_index}")


def _head(view: View, frontier: merkle.Frontier) -> Iterator[Finding]:
    head = current(view.snapshot)
    if head is None:
        if frontier.size:
            yield finding(JOURNAL_HEAD, "journal", "is missing")
        return
    rebuilt = (frontier.size, b"".join(frontier.peaks), frontier.root())
    if (head.size, head.peaks, head.root) != rebuilt:
        problem = f"size {head.size} or root differ from the {frontier.size} leaves"
        yield of_row(JOURNAL_HEAD, head, problem)


# checkpoints


def _checkpoints(view: View, roots: dict[int, bytes]) -> Iterator[Finding]:
    keys = _signing_keys(view, view.home.member_id)
    for row in view.snapshot.select(CHECKPOINTS):
        problem = _checkpoint_problem(view, row, roots, keys)
        if problem is not None:
            yield of_row(CHECKPOINTS, row, problem)


def _checkpoint_problem(
    view: View, row: CheckpointRow, roots: dict[int, bytes], keys: list[AccordKey]
) -> str | None:
    """Return what is wrong with one of our own checkpoints, or None."""
    note = notes.parse(row.note)
    if (note.checkpoint.size, note.checkpoint.root) != (row.size, row.root):
        return "the note speaks of another tree than the row"
    if roots.get(row.size) != row.root:
        return "the leaves have another root at this size, or are fewer"
    if not notes.signed_by_log(note, keys):
        return "the note is not signed by this node"
    names = {line.name for line in note.lines} - {note.checkpoint.origin}
    holding = set(notes.witnesses(note, view.accords()))
    broken = sorted(name for name in names if name.rpartition("/")[2] not in holding)
    if broken:
        return f"the co-signature of {', '.join(broken)} does not verify"
    if holding:
        view.figures["cosigned"] = row.size
        view.figures["witnesses"] = len(holding)
    return None


def _signing_keys(view: View, member_id: str) -> list[AccordKey]:
    """Return every key that any adopted accord has listed for a member: notes carry no time."""
    found = [accord.find(member_id) for accord in view.accords()]
    return [key for member in found if member is not None for key in member.signing_keys]


def _peers(peer_notes: list[Note], roots: dict[int, bytes]) -> Iterator[Finding]:
    """Hold this journal against what peers have witnessed of it, where their notes are at hand."""
    for note in peer_notes:
        size, root = note.checkpoint.size, note.checkpoint.root
        witness = note.lines[-1].name
        if size not in roots:
            yield finding(JOURNAL_HEAD, "journal", f"{witness} has witnessed {size} leaves")
        elif roots[size] != root:
            yield finding(
                JOURNAL_HEAD, "journal", f"{witness} has witnessed another root at {size}"
            )


def _others(view: View) -> Iterator[Finding]:
    """Check what this node has witnessed of its peers, and report what contradicts itself."""
    for row in view.snapshot.select(WITNESSED):
        note = notes.parse(row.note)
        fits = (note.checkpoint.size, note.checkpoint.root) == (row.size, row.root)
        if not fits or not notes.signed_by_log(note, _signing_keys(view, row.member_id)):
            yield of_row(WITNESSED, row, "the note is not this member's checkpoint")
    for heard in view.snapshot.select(HEARD):
        note = notes.parse(heard.note)
        if (note.checkpoint.size, note.checkpoint.root) != (heard.size, heard.root):
            yield of_row(HEARD, heard, "the note speaks of another tree than the row")
    for conflict in view.snapshot.select(CONFLICTS):
        yield of_row(CONFLICTS, conflict, f"{conflict.code}: this member has shown two journals")


TREE = Check(
    "journal",
    (JOURNAL_LEAVES, JOURNAL_CONTENTS, JOURNAL_HEAD, CHECKPOINTS, WITNESSED, HEARD, CONFLICTS),
    _look,
)
