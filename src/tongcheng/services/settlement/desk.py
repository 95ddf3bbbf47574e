"""What a hospital's system can do, whatever interface it speaks (办理): the use cases.

Each method takes the caller, checks it against what it asks for, and returns rows of the store or
refuses. Waiting for the insured side happens here; what is decided, inside the commands.
"""

from tongcheng.kernel import audit
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import (
    bills,
    checks,
    identities,
    messages,
    persons,
    preflight,
    visited,
)
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.checks import Checked, NewBill, Stated
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.messages import MessageKey
from tongcheng.services.settlement.model import (
    ESTIMATE,
    BenefitResult,
    EstimatedBody,
    ScopeTotals,
)
from tongcheng.services.settlement.persons import ASK_DEADLINE_MS, Identified
from tongcheng.services.settlement.preflight import BillRefused
from tongcheng.services.settlement.store import CLAIMS, ClaimRow, StayRow
from tongcheng.services.settlement.visited import Admission

HOSPITAL_WAIT_MS = 20_000
"""How long a hospital's call waits for the insured side; clients were seen to wait 60 to 600 s."""
POLL_MS = 2_000
"""An answer that came between a commit and the wait for it is seen at the latest after this."""


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
        found = await persons.find(self.node, caller, id_number, admdvs)
        await self.node.run(lambda tx: persons.remember(tx, caller, found.patient))
        return found

    async def patient(self, caller: Caller, person_id: str) -> Identified:
        """Return a person whom this hospital has identified before."""
        row = self.node.glance(lambda s: visited.patient_of(s, caller, person_id))
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
        return self.node.glance(lambda s: visited.claim_of(s, caller, settlement_id))

    async def stay(self, caller: Caller, stay_id: str) -> StayRow:
        """Return a stay of the caller's."""
        return self.node.glance(lambda s: visited.stay_of(s, caller, stay_id))

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
