"""Hospitals that bring a stay whole, at its end, in one call (docs/hospital.md)."""

import msgspec

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import messages
from tongcheng.services.settlement.api import settlement_of
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.messages import REST, MessageKey
from tongcheng.services.settlement.one_call import OneCall, Person, WholeStay
from tongcheng.services.settlement.store import CLAIMS, STAYS, ClaimRow, StayRow
from tongcheng.simulation.counter import Counter
from tongcheng.simulation.faults import Chance
from tongcheng.simulation.memory import Memory, Word
from tongcheng.simulation.visits import Visit, draw_lines

REPEATED_SHARE = 0.3
REVERSED_SHARE = 0.15


async def course(counter: Counter, memory: Memory, chance: Chance, visit: Visit) -> None:
    """Bring a stay whole until it is answered; sometimes once more, sometimes reverse it."""
    lines = draw_lines(chance, counter.items, visit.admitted_at)
    stay = WholeStay(
        patient=Person(visit.id_number, visit.admdvs),
        scheme=None,
        inpatient_no=f"Z{visit.number}",
        admitted_at=visit.admitted_at,
        emergency=False,
        lines=lines,
        discharged_at=visit.discharged_at,
        total_fen=sum(line.amount_fen for line in lines),
        split=None,
    )
    key = MessageKey(counter.place.institution_id, REST, f"W{visit.number}")
    answer = await _insist(counter, key, stay)
    if chance.happens(REPEATED_SHARE) and await _insist(counter, key, stay) != answer:
        memory.contradict(f"whole stay {visit.number}: one call had two final answers")
    row, claim = await counter.insist(lambda desk, caller: _kept(desk, caller, stay.inpatient_no))
    member_id = counter.machine.member_id
    memory.admitted(member_id, row)
    memory.uploaded(member_id, row.stay_id, len({line.line_id for line in lines}))
    if isinstance(answer, str):
        word = Word("refused", code=answer)
    elif chance.happens(REVERSED_SHARE):
        meaning = await counter.insist(lambda desk, caller: desk.reverse(caller, REST, key.msgid))
        if meaning == "stands":
            memory.contradict(f"{row.stay_id}: no other message, yet it stands")
        word = Word("cancelled")
    else:
        word = Word("settled", memory.settled(member_id, claim))
        if msgspec.json.decode(answer)["settlement_id"] != claim.settlement_id:
            memory.contradict(f"{row.stay_id}: answered with another settlement than is kept")
    memory.last_word(member_id, row.stay_id, word)


async def _insist(counter: Counter, key: MessageKey, stay: WholeStay) -> bytes | str:
    """Send the same call until the answer is final: its bytes, or the code of its refusal."""
    digest = messages.digest_of(msgspec.json.encode(stay))

    async def call(desk: Desk, caller: Caller) -> bytes:
        one = OneCall(desk.node, caller, key, digest, counter.wait_ms)
        before = await desk.node.read(lambda reading: one.look(reading, stay))
        return await one.answer(stay, before, _written)

    try:
        return await counter.insist(call)
    except Refused as refusal:
        return refusal.code


def _written(reading: Reading, claim: ClaimRow) -> bytes:
    return msgspec.json.encode(settlement_of(reading, claim))


async def _kept(desk: Desk, caller: Caller, inpatient_no: str) -> tuple[StayRow, ClaimRow]:
    """Return the stay that the call made, and its last settlement, as the node keeps them."""

    def question(reading: Reading) -> tuple[StayRow, ClaimRow]:
        (stay,) = reading.select(
            STAYS, institution_id=caller.institution_id, inpatient_no=inpatient_no
        )
        last = stay.claim_id or stay.last_claim_id
        claim = None if last is None else reading.get(CLAIMS, last)
        assert claim is not None, "a whole stay is kept with its settlement, in one commit"
        return stay, claim

    return await desk.node.read(question)
