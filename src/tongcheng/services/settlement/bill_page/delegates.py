"""Delegates (代理人): the hospital's staff record who may read a stay's bills for the patient.

The patient says so at the desk, and the staff see the delegate's paper; the node checks neither.
What it does: the name and the number are sealed, every reading is audited under the record's own
number, the patient's page shows who may read, and the record ends on its day or when revoked.
"""

from datetime import date
from typing import Final, Literal

import msgspec

from tongcheng.kernel import audit, canonical, ids, sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import visited
from tongcheng.services.settlement.bill_page.store import DELEGATES, DelegateRow

Relationship = Literal["spouse", "child", "parent", "other_relative", "guardian", "other"]

DELEGATES_MAX: Final = 10
"""Of one stay, valid at a time: more people than that care for nobody."""


class DelegateIdentity(msgspec.Struct, frozen=True):
    """Who a delegate is; stored sealed only."""

    name: str
    id_number: str


class NewDelegate(msgspec.Struct, frozen=True):
    """A delegate as the staff record one; `to_on` is the last day."""

    identity: DelegateIdentity
    relationship: Relationship
    to_on: date


def record(tx: Transaction, caller: Caller, stay_id: str, given: NewDelegate) -> DelegateRow:
    """Record a delegate for a stay of the caller's.

    Raises:
        Refused: STAY_UNKNOWN, DELEGATE_DAY for a last day that is over, DELEGATES_TOO_MANY.
    """
    stay = visited.stay_of(tx, caller, stay_id)
    today = local_date(tx.now_at, tx.home.region.zone)
    if given.to_on < today:
        raise Refused("DELEGATE_DAY", given=given.to_on.isoformat(), today=today.isoformat())
    if len(valid_of(tx, tx.home.region.zone, stay_id, tx.now_at)) >= DELEGATES_MAX:
        raise Refused("DELEGATES_TOO_MANY", limit=DELEGATES_MAX)
    delegate_id = ids.random_short(tx.home.entropy)
    plain = canonical.encode(given.identity)
    row = DelegateRow(
        delegate_id=delegate_id,
        stay_id=stay.stay_id,
        institution_id=caller.institution_id,
        identity=sealing.seal(tx.home.ring, plain, _column(delegate_id), tx.home.entropy),
        relationship=given.relationship,
        recorded_by=caller.name,
        recorded_at=tx.now_at,
        to_on=given.to_on.isoformat(),
        revoked_at=None,
    )
    tx.add(DELEGATES, row)
    audit.note(tx, audit.Entry(caller.institution_id, "delegate.record", stay_id, delegate_id))
    return row


def revoke(tx: Transaction, caller: Caller, stay_id: str, delegate_id: str) -> DelegateRow:
    """End a delegate's right now: links and open pages end with it. Again changes nothing.

    Raises:
        Refused: STAY_UNKNOWN, DELEGATE_UNKNOWN.
    """
    row = of_stay(tx, caller, stay_id, delegate_id)
    if row.revoked_at is None:
        row = msgspec.structs.replace(row, revoked_at=tx.now_at)
        tx.put(DELEGATES, row)
    # Again, too: the answer has the delegate's name in it.
    audit.note(tx, audit.Entry(caller.institution_id, "delegate.revoke", stay_id, delegate_id))
    return row


def of_stay(reading: Reading, caller: Caller, stay_id: str, delegate_id: str) -> DelegateRow:
    """Return a delegate of a stay of the caller's, valid or not."""
    visited.stay_of(reading, caller, stay_id)
    row = reading.get(DELEGATES, delegate_id)
    if row is None or row.stay_id != stay_id:
        raise Refused("DELEGATE_UNKNOWN", delegate=delegate_id)
    return row


def is_valid(row: DelegateRow, zone: str, now_at: int) -> bool:
    """Tell whether a delegate may read now."""
    return row.revoked_at is None and local_date(now_at, zone).isoformat() <= row.to_on


def valid_of(reading: Reading, zone: str, stay_id: str, now_at: int) -> list[DelegateRow]:
    """Return who may read a stay's bills now besides the patient, by when they were recorded."""
    rows = [
        row for row in reading.select(DELEGATES, stay_id=stay_id) if is_valid(row, zone, now_at)
    ]
    return sorted(rows, key=lambda row: (row.recorded_at, row.delegate_id))


def identity_of(ring: KeyRing, row: DelegateRow) -> DelegateIdentity:
    """Open a delegate's identity; who calls audits the reading. Refuses SEALED_DAMAGED."""
    plain = sealing.unseal(ring, row.identity, _column(row.delegate_id))
    return canonical.decode_as(plain, DelegateIdentity)


def _column(delegate_id: str) -> str:
    return f"settlement_delegates/{delegate_id}/identity"
