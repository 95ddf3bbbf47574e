"""Which accord is in force on this node: adopted documents, kept and journaled."""

from itertools import pairwise

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel import audit, journal
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading, Records, Transaction

ACCORD_KIND = "accord"
CHANGEOVER_MS = 7 * DAY_MS
"""How long what was sent by the accord before may still arrive; keys overlap as long."""


class AccordRow(msgspec.Struct, frozen=True):
    """One adopted version: the signed document's canonical bytes."""

    version: int
    digest: str
    valid_from_at: int
    adopted_at: int
    document: bytes


ACCORDS = Records("accords", AccordRow, key=("version",))


def adopted(reading: Reading) -> list[Accord]:
    """Return the adopted accords, oldest first."""
    return [accords.parse(row.document).accord for row in reading.select(ACCORDS)]


def in_force(reading: Reading, now_at: int) -> Accord | None:
    """Return the newest adopted accord whose validity has begun."""
    valid = [one for one in adopted(reading) if one.valid_from_at <= now_at]
    return valid[-1] if valid else None


def lately(reading: Reading, now_at: int) -> tuple[Accord, ...]:
    """Return the accords that were in force until at most CHANGEOVER_MS ago, newest first."""
    begun = [one for one in adopted(reading) if one.valid_from_at <= now_at]
    return tuple(
        before
        for before, after in reversed(list(pairwise(begun)))
        if after.valid_from_at > now_at - CHANGEOVER_MS
    )


def adopt(tx: Transaction, raw: bytes) -> Accord:
    """Adopt a signed accord: the next version, signed by every member of it, this node included."""
    document = accords.parse(raw)
    before = adopted(tx)
    accords.check_signatures(document, before[-1] if before else None)
    accord = document.accord
    if accord.find(tx.home.member_id) is None:
        raise Refused("MEMBER_UNKNOWN", member=tx.home.member_id)
    row = AccordRow(
        version=accord.version,
        digest=accord.digest(),
        valid_from_at=accord.valid_from_at,
        adopted_at=tx.now_at,
        document=raw,
    )
    tx.add(ACCORDS, row)
    journal.append(tx, ACCORD_KIND, str(accord.version), raw)
    audit.note(tx, audit.Entry("officer", "accord.adopt", str(accord.version), accord.digest()))
    return accord
