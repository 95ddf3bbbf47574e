"""The audit: who read or did what, written before the answer is given (审计日志).

Entries are rows under a MAC; once a day their digest becomes a leaf of the journal, so that an
entry cannot be taken out later without a trace.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from tongcheng.kernel import journal
from tongcheng.kernel.store import Reading, Records, Transaction


class Entry(msgspec.Struct, frozen=True):
    """What is to be noted: the actor (peer, credential, officer), the action, the subject's id.

    `detail` never holds personal data: an id, a digest or a reason.
    """

    actor: str
    action: str
    subject: str
    detail: str = ""


class AuditRow(msgspec.Struct, frozen=True):
    """One entry as stored; `number` counts from 1 without gaps."""

    number: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str


class AuditHeadRow(msgspec.Struct, frozen=True):
    """How many entries there are, and up to which the journal has sealed them."""

    head_id: str
    count: int
    sealed: int


AUDIT = Records(
    "audit",
    AuditRow,
    key=("number",),
    # Whatever somebody looks by, the newest entries come first without sorting all of them.
    indexes=(("subject", "at"), ("actor", "at"), ("action", "at"), ("at", "action", "actor")),
    only_grows=True,
)
AUDIT_HEAD = Records("audit_head", AuditHeadRow, key=("head_id",), kept=True)

_HEAD_ID = "audit"
SEAL_KIND = "audit_seal"
KERNEL_READS: Final[Mapping[str, str]] = MappingProxyType(
    {"journal.entry.read": "node.audit.reads.entry"}
)
"""Actions by which personal data of any service is seen → the key of what was looked at."""


def note(tx: Transaction, entry: Entry) -> None:
    """Write one entry."""
    before = head(tx)
    number = before.count + 1
    row = AuditRow(
        number=number,
        at=tx.now_at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
    )
    tx.add(AUDIT, row)
    tx.put(AUDIT_HEAD, msgspec.structs.replace(before, count=number))


def head(reading: Reading) -> AuditHeadRow:
    """Return how many entries there are, and up to which they are sealed."""
    return reading.get(AUDIT_HEAD, _HEAD_ID) or AuditHeadRow(_HEAD_ID, 0, 0)


def oldest_unsealed(reading: Reading) -> AuditRow | None:
    """Return the first entry that no seal covers yet."""
    stands = head(reading)
    return None if stands.sealed == stands.count else reading.get(AUDIT, stands.sealed + 1)


def entries_digest(rows: list[AuditRow]) -> str:
    """Return the digest of consecutive entries, as the journal's seal carries it."""
    return hashlib.sha256(msgspec.msgpack.encode(rows)).hexdigest()


def seal(tx: Transaction) -> bool:
    """Seal the entries since the last seal into the journal; False when there are none."""
    before = head(tx)
    if before.sealed == before.count:
        return False
    rows = [tx.need(AUDIT, number) for number in range(before.sealed + 1, before.count + 1)]
    content = {"digest": entries_digest(rows), "first": rows[0].number, "last": rows[-1].number}
    journal.append(tx, SEAL_KIND, str(rows[-1].number), msgspec.json.encode(content))
    tx.put(AUDIT_HEAD, msgspec.structs.replace(before, sealed=before.count))
    return True
