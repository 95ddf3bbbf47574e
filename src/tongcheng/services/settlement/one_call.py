"""A stay brought whole, at its end, in one call: identified, admitted, billed, discharged, settled.

The insured side is asked who the person is, then everything that this side keeps of the stay is
written in one commit, the act for the insured side with it; then its decision is waited for. Each
step is the one that the separate calls take, so it refuses what they refuse. What is refused makes
no stay and no line; a person who was found stays identified, because somebody has looked.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import bills, messages, periods, persons, visited
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.desk import POLL_MS
from tongcheng.services.settlement.messages import FINAL, MessageKey
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.store import CLAIMS, ClaimRow, PatientRow, StayRow
from tongcheng.services.settlement.visited import Admission

PENDING = "SETTLE-PENDING"
Written = Callable[[Reading, ClaimRow], bytes]
"""Writes the final answer of a settled claim."""


class Person(msgspec.Struct, frozen=True):
    """Who is to be asked for: an id number, and the insuring division if it is known."""

    id_number: str
    admdvs: str | None = None


class WholeStay(msgspec.Struct, frozen=True):
    """A stay from admission to discharge with its bill; instants UTC ms, amounts fen.

    `patient` is the id of a person identified before, or whom to ask for; `scheme` None is the
    scheme that the insured side names.
    """

    patient: str | Person
    scheme: str | None
    inpatient_no: str
    admitted_at: int
    emergency: bool
    lines: list[LineInput]
    discharged_at: int
    total_fen: int
    split: ScopeTotals | None


class Before(msgspec.Struct, frozen=True):
    """What is known before a call begins: its answer, the claim it waits for, or whom to ask."""

    answer: bytes | None = None
    claim: ClaimRow | None = None
    insurer: str | None = None


class OneCall:
    """One call of a hospital's: its key, its digest, and how long it waits."""

    def __init__(
        self, node: RunningNode, caller: Caller, key: MessageKey, digest: str, wait_ms: int
    ) -> None:
        self._node = node
        self.caller = caller
        self._key = key
        self._digest = digest
        self._wait_ms = wait_ms

    def look(self, reading: Reading, stay: WholeStay) -> Before:
        """Return what is known of this call, and who is likely to insure its patient."""
        row = messages.known(reading, self._key, self._digest)
        home, given = self._node.home, stay.patient
        if row is not None and row.state == FINAL:
            return Before(answer=messages.kept_answer(home, row))
        if row is not None and row.subject_id is not None:
            return Before(claim=reading.get(CLAIMS, row.subject_id))
        if isinstance(given, str):
            return Before()
        number, admdvs = given.id_number, given.admdvs
        return Before(insurer=persons.likely_insurer(reading, home, self.caller, number, admdvs))

    async def answer(self, stay: WholeStay, before: Before, write: Written) -> bytes:
        """Return the final answer, the one kept if the call came before.

        Raises SETTLE-PENDING when the wait is over: the same call waits on.
        """
        if before.answer is not None:
            return before.answer
        node = self._node
        known = before.claim or await self._begin(stay, before.insurer)
        deadline = node.clock.now() + self._wait_ms
        conclude = partial(self._conclude, known, write)
        while True:
            final: bytes | None = None
            left = deadline - node.clock.now()
            if left > 0 and known.state == "pending":
                wait_ms = min(left, POLL_MS)
                final = await node.exchange.wait_concluded(known.settle_id, conclude, wait_ms)
            if final is None:
                final = await node.run(conclude)
            if final is not None:
                return final
            if deadline <= node.clock.now():
                age = (node.clock.now() - known.opened_at) // 1_000
                raise Refused(PENDING, settlement=known.settlement_id, age_seconds=age)

    async def _begin(self, stay: WholeStay, insurer: str | None) -> ClaimRow:
        """Ask who the person is, then keep the whole stay and its intent in one commit."""
        found: PatientRow | None = None
        if isinstance(stay.patient, Person):
            number = stay.patient.id_number
            found = (await persons.ask(self._node, self.caller, number, insurer)).patient

        def command(tx: Transaction) -> ClaimRow | Refused:
            if found is not None:
                persons.remember(tx, self.caller, found)
            person_id = stay.patient if found is None else found.person_id
            assert isinstance(person_id, str), "a person who is asked for has been found"
            try:
                with tx.all_or_nothing():
                    return self._keep(tx, stay, person_id)
            except Refused as refusal:
                # A value: the identification before it is kept, with its trace in the audit.
                return refusal

        begun: ClaimRow | Refused = await self._node.run(command)
        if isinstance(begun, Refused):
            raise begun
        return begun

    def _keep(self, tx: Transaction, stay: WholeStay, person_id: str) -> ClaimRow:
        """Write a stay whole; the same one again is the settlement that it has."""
        before = messages.known(tx, self._key, self._digest)
        if before is not None and before.subject_id is not None:
            return tx.need(CLAIMS, before.subject_id)
        patient = visited.patient_of(tx, self.caller, person_id)
        admission = Admission(
            person_id=person_id,
            scheme=stay.scheme or patient.scheme,
            inpatient_no=stay.inpatient_no,
            admitted_at=stay.admitted_at,
            emergency=stay.emergency,
        )
        row, is_new = visited.admitted(tx, self.caller, admission)
        if is_new:
            claim = visited.settle_at_once(
                tx, row, stay.lines, stay.discharged_at, stay.total_fen, stay.split
            )
        else:
            claim = self._settle_again(tx, row.stay_id, stay)
        messages.begin(tx, self._key, self._digest, claim.settlement_id)
        return claim

    def _settle_again(self, tx: Transaction, stay_id: str, stay: WholeStay) -> ClaimRow:
        """Bring a stay that is kept already to what is given, and settle it."""
        caller = self.caller
        if periods.asked_before(periods.in_force(tx, stay_id), None) is None:
            visited.add_lines(tx, caller, stay_id, stay.lines)
        else:
            _check_same_lines(tx, visited.stay_of(tx, caller, stay_id), stay.lines)
        visited.discharge(tx, caller, stay_id, stay.discharged_at)
        return visited.start_settlement(tx, caller, stay_id, stay.total_fen, stay.split)

    def _conclude(self, begun: ClaimRow, write: Written, tx: Transaction) -> bytes | None:
        """Keep and return the final answer, or None while the claim is undecided."""
        kept = messages.answered(tx, tx.home, self._key, self._digest)
        if kept is not None:
            return kept
        claim = visited.claim_of(tx, self.caller, begun.settlement_id)
        if claim.state == "pending":
            return None
        if claim.state == "refused":
            decision = visited.refusal_of(claim)
            raise PeerRefused(claim.insured_member, decision.code, **decision.facts)
        if claim.state != "settled":
            raise Refused("SETTLEMENT_NOT_IN_FORCE", settlement=claim.settlement_id)
        written = write(tx, claim)
        return messages.finish(tx, self._key, self._digest, claim.settlement_id, written)


def _check_same_lines(tx: Transaction, row: StayRow, lines: list[LineInput]) -> None:
    """Refuse a line that a settled bill has not, or has otherwise."""
    kept = {one.line_id for one in bills.active_lines(tx, row.stay_id)}
    if any(one.line_id not in kept for one in lines):
        raise Refused("STAY_STATE", stay=row.stay_id, state=row.state, event="lines")
    bills.add_lines(tx, row, lines)
