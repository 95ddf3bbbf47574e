"""What hospitals do with a stay, from the desk's first question to the last word.

Each stay follows one of the ways in `WAYS`: the plain one, and the ones that hurt elsewhere. A
hospital that takes a settlement back first reverses every message of its own that it has no answer
to, as docs/hospital.md asks: a request that is still under way must find its tombstone.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.messages import MessageKey
from tongcheng.services.settlement.store import ClaimRow, StayRow
from tongcheng.services.settlement.visited import Admission
from tongcheng.simulation import national as nationals
from tongcheng.simulation import whole
from tongcheng.simulation.counter import Counter, NoAnswer
from tongcheng.simulation.faults import Chance
from tongcheng.simulation.memory import Memory, Word
from tongcheng.simulation.visits import WHOLE, Visit, draw_lines

SETTLE = "2304"
ESTIMATE_SHARE = 0.15
AGAIN_SHARE = 0.7


class Clerk:
    """One stay's course at one hospital's desk."""

    def __init__(self, counter: Counter, memory: Memory, chance: Chance, visit: Visit) -> None:
        self._counter = counter
        self._memory = memory
        self._chance = chance
        self._visit = visit
        self._member_id = counter.machine.member_id
        self._messages = 0
        self._unanswered: list[str] = []
        self._stay_id = ""
        self._rows: list[LineRow] = []
        self._total_fen = 0

    async def run(self) -> None:
        """Bring the stay to its end; a refusal that nothing explains is a finding."""
        try:
            await self._course()
        except Refused as refusal:
            self._memory.contradict(f"stay {self._visit.number}: refused {refusal}")

    async def _course(self) -> None:
        if self._visit.way == WHOLE:
            # This hospital holds its bill until the end and makes one call of it all.
            await whole.course(self._counter, self._memory, self._chance, self._visit)
            return
        stay = await self._admit()
        self._stay_id = stay.stay_id
        await self._bill()
        await self._counter.insist(
            lambda desk, caller: desk.discharge(caller, self._stay_id, self._visit.discharged_at)
        )
        if self._chance.happens(ESTIMATE_SHARE):
            await self._estimate()
        word = await WAYS[self._visit.way](self)
        self._memory.last_word(self._member_id, self._stay_id, word)

    # before the settlement

    async def _admit(self) -> StayRow:
        visit = self._visit

        async def admit(desk: Desk, caller: Caller) -> StayRow:
            found = await desk.identify(caller, visit.id_number, visit.admdvs)
            patient = found.patient
            number = f"Z{visit.number}"
            return await desk.admit(
                caller, Admission(patient.person_id, patient.scheme, number, visit.admitted_at)
            )

        stay = await self._counter.insist(admit)
        self._memory.admitted(self._member_id, stay)
        return stay

    async def _bill(self) -> None:
        """Upload the lines, refunds among them; sometimes twice, as clients do."""
        inputs = self._lines()
        rows = await self._counter.insist(
            lambda desk, caller: desk.add_lines(caller, self._stay_id, inputs)
        )
        if self._chance.happens(0.1):
            again = await self._counter.insist(
                lambda desk, caller: desk.add_lines(caller, self._stay_id, inputs)
            )
            if again != rows:
                self._memory.contradict(f"{self._stay_id}: its lines were split in two ways")
        self._rows = rows
        self._total_fen = sum(row.total_fen for row in rows)
        self._memory.uploaded(self._member_id, self._stay_id, len({row.line_id for row in rows}))

    def _lines(self) -> list[LineInput]:
        return draw_lines(self._chance, self._counter.items, self._visit.admitted_at)

    async def _estimate(self) -> None:
        """Ask what it would come to; the answer promises nothing, so nothing is remembered."""
        try:
            await self._counter.call(
                lambda desk, caller: desk.estimate(caller, self._stay_id, self._total_fen)
            )
        except (NoAnswer, Refused):
            return

    # messages

    def _message(self) -> str:
        self._messages += 1
        return f"M{self._visit.number}-{self._messages}"

    async def _settle_once(self, msgid: str, content: str = "one") -> ClaimRow:
        key = MessageKey(self._counter.place.institution_id, SETTLE, msgid)
        if msgid not in self._unanswered:
            self._unanswered.append(msgid)
        claim = await self._counter.call(
            lambda desk, caller: desk.settle(
                caller, self._stay_id, self._total_fen, message=(key, content)
            )
        )
        self._answered(msgid)
        return claim

    def _answered(self, msgid: str) -> None:
        if msgid in self._unanswered:
            self._unanswered.remove(msgid)

    async def _settle(self, *, renewed: bool = False, msgid: str | None = None) -> ClaimRow | Word:
        """Settle until it is decided; a decided refusal is a word."""
        msgid = msgid or self._message()
        calls = 0
        while True:
            calls += 1
            try:
                claim = await self._settle_once(msgid)
            except NoAnswer:
                pass
            except Refused as refusal:
                if not self._counter.is_passing(refusal):
                    return Word("refused", code=refusal.code)
            else:
                self._memory.settled(self._member_id, claim)
                return claim
            await self._counter.pause(calls)
            if renewed:
                msgid = self._message()

    async def _reverse(self, msgid: str) -> str:
        meaning = await self._counter.insist(
            lambda desk, caller: desk.reverse(caller, SETTLE, msgid)
        )
        self._answered(msgid)
        return meaning

    async def _void(self, claim: ClaimRow) -> Word:
        """Take a settlement back, after every message that may still be under way."""
        for msgid in list(self._unanswered):
            await self._reverse(msgid)
        await self._counter.insist(lambda desk, caller: desk.void(caller, claim.settlement_id))
        return Word("cancelled")

    def _word(self, outcome: ClaimRow | Word) -> Word:
        if isinstance(outcome, Word):
            return outcome
        return Word("settled", self._memory.settled(self._member_id, outcome))

    def _same(self, first: ClaimRow, other: ClaimRow | Word, how: str) -> None:
        if isinstance(other, Word) or other.settlement_id != first.settlement_id:
            self._memory.contradict(f"{first.settlement_id}: {how} was answered otherwise")

    # the ways

    async def plain(self) -> Word:
        """One message, sent again under its own id until it is answered."""
        return self._word(await self._settle())

    async def renewed(self) -> Word:
        """Every retry has a new message id, as real clients do."""
        return self._word(await self._settle(renewed=True))

    async def repeated(self) -> Word:
        """Settled; then the same message again, a new one, and the old id for another content."""
        msgid = self._message()
        first = await self._settle(msgid=msgid)
        if isinstance(first, Word):
            return first
        self._same(first, await self._settle(msgid=msgid), "the same message again")
        self._same(first, await self._settle(), "the same stay under a new message")
        try:
            await self._settle_once(msgid, "another")
            self._memory.contradict(f"{first.settlement_id}: an id was used for two contents")
        except NoAnswer:
            pass
        except Refused as refusal:
            if refusal.code != "MSGID_REUSED" and not self._counter.is_passing(refusal):
                self._memory.contradict(f"{first.settlement_id}: refused as {refusal.code}")
        return self._word(first)

    async def national(self) -> Word:
        """The national message 2304, sent again: the final answer is the same to the byte."""
        counter, visit = self._counter, self._visit
        stay = self._memory.stays[self._member_id, self._stay_id]
        zone = counter.machine.home.region.zone
        raw = nationals.settle_message(
            stay,
            self._rows,
            visit.id_number,
            number=visit.number,
            at=visit.discharged_at,
            zone=zone,
        )
        first, value = await nationals.insist(counter, raw)
        again, _ = await nationals.insist(counter, raw)
        if again != first:
            self._memory.contradict(f"{self._stay_id}: one 2304 had two final answers")
        code = nationals.code_of(value)
        if code is not None:
            return Word("refused", code=code)
        settlement_id = str(value["output"]["setlinfo"]["setl_id"])
        claim = await counter.insist(lambda desk, caller: desk.claim(caller, settlement_id))
        return self._word(claim)

    async def twofold(self) -> Word:
        """Two windows settle the same stay at the same moment."""
        one, other = await asyncio.gather(self._settle(), self._settle())
        if isinstance(one, Word):
            return self._word(other if not isinstance(other, Word) else one)
        self._same(one, other, "the second window")
        return self._word(one)

    async def doubtful(self) -> Word:
        """No answer in time: reverse the message, then perhaps settle under a new one."""
        msgid = self._message()
        try:
            claim = await self._settle_once(msgid)
        except (NoAnswer, Refused) as unclear:
            if isinstance(unclear, Refused) and not self._counter.is_passing(unclear):
                return Word("refused", code=unclear.code)
        else:
            return self._word(claim)
        return await self._reversed(msgid)

    async def hasty(self) -> Word:
        """The cashier reverses while the settlement is under way."""
        msgid = self._message()
        settling = asyncio.ensure_future(self._settle_once(msgid))
        await asyncio.sleep(self._chance.between(0, 0.2))
        word = await self._reversed(msgid)
        await asyncio.gather(settling, return_exceptions=True)
        return word

    async def _reversed(self, msgid: str) -> Word:
        meaning = await self._reverse(msgid)
        if meaning == "stands":
            self._memory.contradict(f"{self._stay_id}: no other message, yet it stands")
        if self._chance.happens(AGAIN_SHARE):
            return self._word(await self._settle())
        return Word("cancelled")

    async def tombstone(self) -> Word:
        """The reversal comes before its message, which must be refused when it comes."""
        msgid = self._message()
        await self._reverse(msgid)
        late = await self._settle(msgid=msgid)
        if not isinstance(late, Word) or late.code != "MESSAGE_REVERSED":
            self._memory.contradict(f"{self._stay_id}: settled by a reversed message")
        return self._word(await self._settle())

    async def voided(self) -> Word:
        """Settled, and taken back by 2305; sometimes settled anew."""
        claim = await self._settle(renewed=True)
        if isinstance(claim, Word):
            return claim
        word = await self._void(claim)
        if self._chance.happens(1 - AGAIN_SHARE):
            return self._word(await self._settle())
        return word

    async def reversed_after(self) -> Word:
        """Settled under two messages: reversing one takes nothing back, reversing both does."""
        msgid, second = self._message(), self._message()
        claim = await self._settle(msgid=msgid)
        if isinstance(claim, Word):
            return claim
        self._same(claim, await self._settle(msgid=second), "a second message")
        await self._reverse(msgid)
        if self._chance.happens(0.5):
            return self._word(await self._settle(msgid=second))
        await self._reverse(second)
        return Word("cancelled")


WAYS: dict[str, Callable[[Clerk], Awaitable[Word]]] = {
    "plain": Clerk.plain,
    "renewed": Clerk.renewed,
    "repeated": Clerk.repeated,
    "national": Clerk.national,
    "twofold": Clerk.twofold,
    "doubtful": Clerk.doubtful,
    "hasty": Clerk.hasty,
    "tombstone": Clerk.tombstone,
    "voided": Clerk.voided,
    "reversed_after": Clerk.reversed_after,
}
WAYS_DRAWN = [
    *["plain"] * 8,
    *["renewed"] * 4,
    *["national"] * 2,
    *[WHOLE] * 12,
    "repeated",
    "twofold",
    *["doubtful"] * 2,
    "hasty",
    "tombstone",
    *["voided"] * 2,
    "reversed_after",
]
"""How often each way is drawn."""
