"""The civil data of a person insured elsewhere, which this node keeps sealed only."""

from typing import Final

from tongcheng.kernel import canonical, sealing
from tongcheng.kernel.keys import KeyRing
from tongcheng.services.settlement.model import Identity
from tongcheng.services.settlement.store import PatientRow

LAST_CHARACTERS: Final = 4
"""Of the id number, asked of whoever opens a bill: she knows them, and the paper has them not."""


def column_of(person_id: str) -> str:
    """Return what a patient's sealed identity is bound to."""
    return f"settlement_patients/{person_id}/identity"


def identity_of(ring: KeyRing, row: PatientRow) -> Identity:
    """Open a patient's identity; who calls audits the reading. Refuses SEALED_DAMAGED."""
    plain = sealing.unseal(ring, row.identity, column_of(row.person_id))
    return canonical.decode_as(plain, Identity)


def last_four(id_number: str) -> str:
    """Return the last characters of an id number in its one spelling; "000x" is "000X"."""
    return sealing.normalise_id_number(id_number)[-LAST_CHARACTERS:]
