"""The audit and its seals, and the accords that were adopted."""

from collections.abc import Iterator

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.adoption import ACCORD_KIND, ACCORDS
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD, SEAL_KIND, AuditRow, entries_digest
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES
from tongcheng.kernel.service import Finding

_SEALS = "SELECT content_id FROM journal_leaves WHERE kind = ? ORDER BY leaf_index"
_ACCORD_LEAF_WITHOUT = (
    "SELECT content_id FROM journal_leaves l WHERE kind = ? AND NOT EXISTS "
    "(SELECT 1 FROM accords a WHERE CAST(a.version AS TEXT) = l.content_id)"
)


class Seal(msgspec.Struct, frozen=True):
    """What the journal says of a run of audit entries: first and last number, digest of all."""

    digest: str
    first: int
    last: int


def _look_at_audit(view: View) -> Iterator[Finding]:
    """Count the entries through, and hold every seal against the entries it covers."""
    keys = [str(key) for (key,) in view.snapshot.stream(_SEALS, SEAL_KIND)]
    contents = [view.content(SEAL_KIND, key) for key in keys]
    seals = [msgspec.json.decode(raw, type=Seal) for raw in contents if raw is not None]
    waiting = iter(seals)
    seal = next(waiting, None)
    held: list[AuditRow] = []
    number = 0
    for row in view.stream(AUDIT):
        for absent in range(number + 1, row.number):
            yield finding(AUDIT, absent, "is missing: the numbers have a gap")
        number = row.number
        if seal is None:
            continue
        held.append(row)
        if row.number >= seal.last:
            if entries_digest(held) != seal.digest:
                yield finding(AUDIT, f"{seal.first} to {seal.last}", "differ from their seal")
            held = []
            seal = next(waiting, None)
    if seal is not None:
        yield finding(AUDIT, f"up to {seal.last}", "entries that were sealed are missing")
    head = view.snapshot.get(AUDIT_HEAD, "audit")
    counted = (0, 0) if head is None else (head.count, head.sealed)
    if counted != (number, seals[-1].last if seals else 0):
        yield finding(
            AUDIT_HEAD, "audit", f"says {counted[0]} entries, of which {number} are there"
        )


def _look_at_accords(view: View) -> Iterator[Finding]:
    """Check each adopted accord's signatures, its place in the chain, and its leaf."""
    for key in view.keys_without(_ACCORD_LEAF_WITHOUT, ACCORD_KIND):
        yield finding(ACCORDS, key, "is missing; the journal has it")
    previous: Accord | None = None
    for row in view.stream(ACCORDS):
        document = accords.parse(row.document)
        kept = (row.version, row.digest, row.valid_from_at)
        accord = document.accord
        if kept != (accord.version, accord.digest(), accord.valid_from_at):
            yield of_row(ACCORDS, row, "the row differs from its document")
        if view.content(ACCORD_KIND, str(row.version)) != row.document:
            yield of_row(ACCORDS, row, "the document differs from what the journal has")
        try:
            accords.check_signatures(document, previous)
        except Refused as refusal:
            yield of_row(ACCORDS, row, str(refusal))
        previous = accord


_BESIDE = (JOURNAL_CONTENTS, JOURNAL_LEAVES)
AUDITED = Check("audit", (AUDIT, AUDIT_HEAD, *_BESIDE), _look_at_audit)
ADOPTED = Check("accord", (ACCORDS, *_BESIDE), _look_at_accords)
