"""What a hospital's system can do, whatever interface it speaks (办理): the use cases.

Each method takes the caller, checks it against what it asks for, and returns rows of the store or
refuses. Waiting for the insured side happens here; what is decided, inside the commands.
"""

import asyncio

import msgspec

from tongcheng.kernel import audit, canonical, sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import bills, checks, identities, messages, preflight, visited
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.checks import Checked, NewBill, Stated
from tongcheng.services.settlement.messages import MessageKey
from tongcheng.services.settlement.model import (
    ESTIMATE,
    PERSON,
    BenefitResult,
    EstimatedBody,
    Identity,
    PersonAsk,
    PersonFound,
    PersonQuestion,
    ScopeTotals,
    identity_bound_to,
)
from tongcheng.services.settlement.preflight import BillRefused
from tongcheng.services.settlement.store import (
    CLAIMS,
    PATIENTS,
    ClaimRow,
    LineRow,
    PatientRow,
    StayRow,
)
from tongcheng.services.settlement.visited import Admission

ASK_DEADLINE_MS = 5_000
HOSPITAL_WAIT_MS = 20_000
"""How long a hospital's call waits for the insured side; clients were seen to wait 60 to 600 s."""
POLL_MS = 2_000
"""An answer that came between a commit and the wait for it is seen at the latest after this."""


class Identified(msgspec.Struct, frozen=True):
    """A person found: the row that is kept, and the identity in the clear for the caller."""

    patient: PatientRow
    identity: Identity


class Desk:
    """The use cases of one running node."""

    def __init__(self, node: RunningNode, *, wait_ms: int = HOSPITAL_WAIT_MS) -> None:
        self.node = node
        self._wait_ms = wait_ms

    # persons

    async def identify(
        self, caller: Caller, id_number: str, admdvs: str | None = None
    ) -> Identified:
        """Find where a person is insured (1101): by the area named, the last known, or by asking.

        Refuses PERSON_NOT_FOUND when every member says no, and names the members that were silent.
        """
        node = self.node
        await node.read(lambda snapshot: visited.institution(snapshot, caller))
        id_index = sealing.index(node.home.ring, id_number)
        first = await self._likely_insurer(id_index, admdvs)
        candidates = [first] if first else node.home.accord.peers(node.home.member_id)
        answers = await asyncio.gather(*(self._ask_person(peer, id_number) for peer in candidates))
        found = [one for one in answers if isinstance(one, tuple)]
        if not found:
            silent = [one.peer for one in answers if isinstance(one, Unreachable)]
            if silent:
                raise Refused("PERSON_MEMBERS_SILENT", members=", ".join(silent))
            # Whoever tries numbers leaves a trace here: the members asked know only this node.
            tried = audit.Entry(caller.institution_id, PERSON, id_index, "not found")
            await node.run(lambda tx: audit.note(tx, tried))
            raise Refused("PERSON_NOT_FOUND", asked=", ".join(candidates))
        member, answer, identity = found[0]
        row = PatientRow(
            person_id=answer.person_id,
            insured_member=member,
            admdvs=answer.admdvs,
            scheme=answer.scheme,
            person_type=answer.person_type,
            id_index=id_index,
            identity=sealing.seal(
                node.home.ring,
                canonical.encode(identity),
                identities.column_of(answer.person_id),
                node.home.entropy,
            ),
            seen_at=node.clock.now(),
        )
        entry = audit.Entry(caller.institution_id, PERSON, answer.person_id)

        def remember(tx: Transaction) -> None:
            visited.remember_patient(tx, caller, row)
            audit.note(tx, entry)

        await node.run(remember)
        return Identified(row, identity)

    async def _likely_insurer(self, id_index: str, admdvs: str | None) -> str | None:
        home = self.node.home
        if admdvs:
            member = home.region.member_of(admdvs, "settlement").id
            if member == home.member_id:
                raise Refused("PERSON_IS_LOCAL", admdvs=admdvs)
            return member
        rows = await self.node.read(lambda snapshot: snapshot.select(PATIENTS, id_index=id_index))
        return max(rows, key=lambda row: row.seen_at).insured_member if rows else None

    async def _ask_person(
        self, peer: str, id_number: str
    ) -> tuple[str, PersonFound, Identity] | Refused | Unreachable:
        """Ask one member; its no and its silence are values, because others may know."""
        home = self.node.home
        plain = canonical.encode(PersonQuestion(id_number=id_number))
        bound = identity_bound_to(home.member_id, peer)
        try:
            key = home.accord.encryption_key(peer, self.node.clock.now())
            question = PersonAsk(sealed=sealing.seal_for(key, plain, bound).hex())
            answer: PersonFound = await self.node.exchange.ask(
                peer, Reply(PERSON, question), deadline_ms=ASK_DEADLINE_MS
            )
            back = identity_bound_to(peer, home.member_id)
            opened = sealing.open_sealed(home.ring, _hex(answer.sealed), back)
            identity = canonical.decode_as(opened, Identity)
            insurer = home.region.member_of(answer.admdvs, "settlement").id
        except (Refused, Unreachable) as no:
            return no
        if insurer != peer:
            return Refused("PERSON_DIFFERS", scheme=answer.scheme, admdvs=answer.admdvs)
        return peer, answer, identity

    async def patient(self, caller: Caller, person_id: str) -> Identified:
        """Return a person whom this hospital has identified before."""
        row = await self.node.read(lambda s: visited.patient_of(s, caller, person_id))
        return Identified(row, identities.identity_of(self.node.home.ring, row))

    # stay and bill

    async def admit(self, caller: Caller, admission: Admission) -> StayRow:
        """Register an admission (2401)."""
        row: StayRow = await self.node.run(lambda tx: visited.admit(tx, caller, admission))
        return row

    async def add_lines(
        self, caller: Caller, stay_id: str, inputs: list[LineInput]
    ) -> list[LineRow]:
        """Upload lines and return their split (2301)."""
        rows: list[LineRow] = await self.node.run(
            lambda tx: visited.add_lines(tx, caller, stay_id, inputs)
        )
        return rows

    async def revoke_lines(self, caller: Caller, stay_id: str, line_id: str) -> int:
        """Revoke one line, or all with `0000` (2302)."""
        count: int = await self.node.run(
            lambda tx: visited.revoke_lines(tx, caller, stay_id, line_id)
        )
        return count

    async def discharge(self, caller: Caller, stay_id: str, discharged_at: int) -> StayRow:
        """Register the discharge (2402)."""
        row: StayRow = await self.node.run(
            lambda tx: visited.discharge(tx, caller, stay_id, discharged_at)
        )
        return row

    # settlement

    async def estimate(
        self,
        caller: Caller,
        stay_id: str,
        stated_total_fen: int,
        stated: ScopeTotals | None = None,
        *,
        through_on: str | None = None,
    ) -> tuple[StayRow, ScopeTotals, BenefitResult]:
        """Ask what the settlement would come to now (2303); nothing is stored.

        `through_on` is the last day of a period in the middle of the stay, None for the rest of it.
        """
        home = self.node.home
        row = await self.stay(caller, stay_id)
        if row.claim_id is not None:
            raise Refused("STAY_STATE", stay=row.stay_id, state=row.state, event="estimate")
        now_at = self.node.clock.now()
        question = await self.node.read(
            lambda s: visited.estimate_ask(s, home.region.zone, row, through_on, now_at)
        )
        visited.check_stated(home, now_at, stated, stated_total_fen, question.facts.totals)
        try:
            answer: EstimatedBody = await self.node.exchange.ask(
                row.insured_member, Reply(ESTIMATE, question), deadline_ms=ASK_DEADLINE_MS
            )
        except Unreachable as silent:
            raise Refused("INSURED_SIDE_SILENT", member=silent.peer) from None
        return row, question.facts.totals, answer.result

    async def settle(
        self,
        caller: Caller,
        stay_id: str,
        stated_total_fen: int,
        stated: ScopeTotals | None = None,
        *,
        through_on: str | None = None,
        message: tuple[MessageKey, str] | None = None,
    ) -> ClaimRow:
        """Settle a stay as `decide` does, and raise the insured side's refusal as ours."""
        claim = await self.decide(
            caller, stay_id, stated_total_fen, stated, through_on=through_on, message=message
        )
        if claim.state == "refused":
            raise visited.refusal_of(claim)
        return claim

    async def decide(
        self,
        caller: Caller,
        stay_id: str,
        stated_total_fen: int,
        stated: ScopeTotals | None = None,
        *,
        through_on: str | None = None,
        message: tuple[MessageKey, str] | None = None,
    ) -> ClaimRow:
        """Have a stay's settlement decided (2304): ask once, then wait for the insured side.

        `through_on` (a local day) settles a period in the middle of the stay (中途结算) that ends
        with this day; without it the rest of a discharged stay is settled.
        `message` is the hospital's message key and its digest, noted in the same commit. The claim
        returned is settled or refused; one still pending when the wait is over raises
        SETTLE-PENDING, and the same call waits again.
        """

        def command(tx: Transaction) -> ClaimRow:
            if message is not None:
                seen = messages.known(tx, *message)
                if seen is not None and seen.subject_id is not None:
                    return tx.need(CLAIMS, seen.subject_id)
            claim = visited.start_settlement(
                tx, caller, stay_id, stated_total_fen, stated, through_on
            )
            if message is not None:
                messages.begin(tx, *message, claim.settlement_id)
            return claim

        claim: ClaimRow = await self.node.run(command)
        return await self.wait(caller, claim)

    async def wait(self, caller: Caller, claim: ClaimRow) -> ClaimRow:
        """Wait until a claim is settled or refused; SETTLE-PENDING when the time is over."""
        deadline = self.node.clock.now() + self._wait_ms
        while claim.state == "pending":
            left = deadline - self.node.clock.now()
            if left <= 0:
                age = (self.node.clock.now() - claim.opened_at) // 1_000
                raise Refused("SETTLE-PENDING", settlement=claim.settlement_id, age_seconds=age)
            await self.node.exchange.wait_answer(claim.settle_id, min(left, POLL_MS))
            claim = await self.claim(caller, claim.settlement_id)
        if claim.state not in {"settled", "refused"}:
            raise Refused("SETTLEMENT_NOT_IN_FORCE", settlement=claim.settlement_id)
        return claim

    async def preflight(
        self,
        caller: Caller,
        stay_id: str,
        stated: Stated | None,
        *,
        final: bool = True,
        through_on: str | None = None,
    ) -> Checked:
        """Check a stay and its bill; nothing is stored and nobody is asked."""
        node = self.node
        now_at = node.clock.now()

        def question(reading: Reading) -> Checked:
            row = visited.stay_of(reading, caller, stay_id)
            return checks.of_stay(
                reading, node.home, now_at, row, stated, final=final, through_on=through_on
            )

        return await node.read(question)

    async def explained(
        self,
        caller: Caller,
        stay_id: str,
        stated: Stated,
        refused: Refused,
        through_on: str | None,
    ) -> Refused:
        """Return the refusal of a bill with the codes of all that is found besides."""
        if isinstance(refused, PeerRefused) or refused.code not in preflight.CODES:
            return refused
        checked = await self.preflight(caller, stay_id, stated, through_on=through_on)
        return BillRefused(refused, checked.findings)

    async def preflight_bill(self, caller: Caller, given: NewBill) -> Checked:
        """Check a bill of which nothing is uploaded yet; nothing is stored and nobody is asked."""
        node = self.node
        now_at = node.clock.now()

        def question(reading: Reading) -> Checked:
            if given.person_id is not None:
                visited.patient_of(reading, caller, given.person_id)
            return checks.of_bill(reading, node.home, now_at, caller.institution_id, given)

        return await node.read(question)

    async def claim(self, caller: Caller, settlement_id: str) -> ClaimRow:
        """Return a settlement of the caller's."""
        return await self.node.read(lambda s: visited.claim_of(s, caller, settlement_id))

    async def stay(self, caller: Caller, stay_id: str) -> StayRow:
        """Return a stay of the caller's."""
        return await self.node.read(lambda s: visited.stay_of(s, caller, stay_id))

    async def lines(self, caller: Caller, stay_id: str) -> list[LineRow]:
        """Return the lines that count of a stay of the caller's."""
        await self.stay(caller, stay_id)
        return await self.node.read(lambda s: bills.active_lines(s, stay_id))

    async def note_read(self, actor: str, action: str, subject: str) -> None:
        """Write a read of somebody's stay into the audit; call it before the answer is given."""
        await self.node.run(lambda tx: audit.note(tx, audit.Entry(actor, action, subject)))

    async def void(self, caller: Caller, settlement_id: str) -> ClaimRow:
        """Take a settlement back (2305); it is taken back as soon as this returns."""

        def command(tx: Transaction) -> ClaimRow:
            claim = visited.claim_of(tx, caller, settlement_id)
            return visited.cancel(tx, claim, "hospital_cancelled")

        row: ClaimRow = await self.node.run(command)
        return row

    async def reverse(self, caller: Caller, infno: str, msgid: str) -> str:
        """Reverse a message (2601); says what that meant, see `messages.reverse`."""
        meaning: str = await self.node.run(lambda tx: messages.reverse(tx, caller, infno, msgid))
        return meaning


def totals_of(claim: ClaimRow) -> ScopeTotals:
    """Return the split of the bill that a claim was asked for with."""
    return ScopeTotals(
        total_fen=claim.total_fen,
        self_paid_fen=claim.self_paid_fen,
        over_ceiling_fen=claim.over_ceiling_fen,
        first_self_pay_fen=claim.first_self_pay_fen,
        in_scope_fen=claim.in_scope_fen,
    )


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Refused("SEALED_DAMAGED", bound_to="settlement.person") from None
