"""What the insured side's answers do to a settlement here: post, release, give back."""

from typing import Literal, get_args

import msgspec

from tongcheng.kernel import canonical, journal, ledger
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.acts import RefusedBody
from tongcheng.kernel.ledger_batch import Move, record_many, voiding
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import purses, statements
from tongcheng.services.settlement.life import CLAIM_TRANSITIONS, STAY_TRANSITIONS, follow
from tongcheng.services.settlement.model import (
    BenefitResult,
    FundPayment,
    SettledBody,
    StayFacts,
    VoidedBody,
)
from tongcheng.services.settlement.store import CLAIMS, STAYS, ClaimRow, StayRow

CLAIM_KIND = "settlement_claim"
Event = Literal["settled", "refused", "disputed", "voided"]
"""What the journal keeps of a claim, one entry each."""


def new_claim(
    tx: Transaction,
    stay: StayRow,
    facts: StayFacts,
    settlement_id: str,
    *,
    settle_id: str,
    last_line: int,
) -> ClaimRow:
    """Return the row of a settlement that is being asked for."""
    totals = facts.totals
    return ClaimRow(
        settlement_id=settlement_id,
        stay_id=stay.stay_id,
        period=facts.period,
        period_from_on=facts.period_from_on,
        period_to_on=facts.period_to_on,
        final=facts.final,
        last_line=last_line,
        institution_id=stay.institution_id,
        insured_member=stay.insured_member,
        admdvs=stay.admdvs,
        scheme=stay.scheme,
        state="pending",
        total_fen=totals.total_fen,
        self_paid_fen=totals.self_paid_fen,
        over_ceiling_fen=totals.over_ceiling_fen,
        first_self_pay_fen=totals.first_self_pay_fen,
        in_scope_fen=totals.in_scope_fen,
        fund_fen=0,
        hospital_fen=0,
        person_fen=0,
        decision_no=None,
        month=None,
        void_month=None,
        settle_id=settle_id,
        void_id=None,
        answer_id=None,
        refusal=b"",
        result=b"",
        opened_at=tx.now_at,
        changed_at=tx.now_at,
    )


def move(tx: Transaction, claim: ClaimRow, event: str) -> ClaimRow:
    """Move a claim along its life cycle; an answer that does not fit is the peer's bad data."""
    state = follow(CLAIM_TRANSITIONS, claim.state, event)
    if state is None:
        raise Refused(
            "SETTLEMENT_STATE", settlement=claim.settlement_id, state=claim.state, event=event
        )
    moved = msgspec.structs.replace(claim, state=state, changed_at=tx.now_at)
    tx.put(CLAIMS, moved)
    return moved


def move_stay(
    tx: Transaction, row: StayRow, event: str, claim_id: str | None, period: int | None = None
) -> StayRow:
    """Move a stay along its life cycle; the caller has checked that the event is allowed."""
    state = follow(STAY_TRANSITIONS, row.state, event)
    assert state is not None, f"stay {row.state} does not know {event}"
    moved = msgspec.structs.replace(
        row,
        state=state,
        period=period or row.period,
        claim_id=claim_id,
        last_claim_id=claim_id or row.last_claim_id,
        changed_at=tx.now_at,
    )
    tx.put(STAYS, moved)
    return moved


def _answered(tx: Transaction, envelope: Envelope, settlement_id: str, asked: str) -> ClaimRow:
    """Return the claim that an answer is about, if it answers the envelope it should."""
    claim = tx.get(CLAIMS, settlement_id)
    if claim is None or claim.insured_member != envelope.src:
        raise Refused("SETTLEMENT_UNKNOWN", settlement=settlement_id)
    expected = claim.settle_id if asked == "settle" else claim.void_id
    if envelope.reply_to != expected:
        raise Refused("REPLY_TO_UNKNOWN", reply_to=str(envelope.reply_to))
    return claim


def take_settled(tx: Transaction, envelope: Envelope, body: SettledBody) -> None:
    """Post the actual amounts; amounts that do not add up are refused and nothing is posted."""
    claim = _answered(tx, envelope, body.settlement_id, "settle")
    result = body.result
    _check_amounts(tx, claim, result)
    _check_month(tx, claim, body.month)
    recorded = msgspec.structs.replace(
        claim,
        fund_fen=result.fund_fen,
        hospital_fen=result.hospital_fen,
        person_fen=result.person_fen,
        decision_no=body.decision_no,
        month=body.month,
        answer_id=envelope.id,
        result=canonical.encode(result),
    )
    moved = move(tx, recorded, "settled")
    _post_holds(tx, envelope, moved, result.funds, body.month)
    _journal(tx, moved, "settled")
    stay = tx.need(STAYS, claim.stay_id)
    if stay.claim_id != claim.settlement_id:
        return
    if claim.final:
        move_stay(tx, stay, "settled", claim.settlement_id)
    else:
        move_stay(tx, stay, "settled", None, claim.period + 1)


def _check_amounts(tx: Transaction, claim: ClaimRow, result: BenefitResult) -> None:
    """Refuse an answer whose amounts do not close, or that names a purse of someone else's."""
    paid = result.fund_fen + result.hospital_fen + result.person_fen
    if paid != claim.total_fen or result.account_fen > result.person_fen:
        raise Refused("SETTLED_DOES_NOT_ADD_UP", settlement=claim.settlement_id)
    if result.fund_fen > claim.in_scope_fen:
        raise Refused("SETTLED_DOES_NOT_ADD_UP", settlement=claim.settlement_id)
    if any(row.amount_over < 1 or row.to_fen < row.from_fen for row in result.trace):
        raise Refused("SETTLED_DOES_NOT_ADD_UP", settlement=claim.settlement_id)
    area = tx.home.region.area_of(claim.admdvs, "settlement")
    for payment in result.funds:
        purses.check_fund(tx.home.accord, claim.scheme, payment.fund)
        if payment.purse != purses.purse_id(area.id, claim.scheme, payment.fund):
            raise Refused("PURSE_UNKNOWN", purse=payment.purse)
    if len({payment.fund for payment in result.funds}) != len(result.funds):
        raise Refused("SETTLED_DOES_NOT_ADD_UP", settlement=claim.settlement_id)


def _check_month(tx: Transaction, claim: ClaimRow, month: str) -> None:
    """Refuse a month in which the decision was not taken: it lies between our question and now.

    A day more either way, because clocks differ; both sides reckon in the region's zone. A month
    that is agreed holds nothing new: the insured side knew of it before it decided.
    """
    first, last = (
        statements.month_at(at, tx.home.region.zone)
        for at in (claim.opened_at - DAY_MS, tx.now_at + DAY_MS)
    )
    is_closed = statements.is_closed(tx, tx.home.member_id, claim.insured_member, month)
    if is_closed or not first <= month <= last:
        raise Refused("SETTLED_MONTH", settlement=claim.settlement_id, month=month)


def _post_holds(
    tx: Transaction, envelope: Envelope, claim: ClaimRow, funds: list[FundPayment], month: str
) -> None:
    """Turn each purse's hold into what its fund pays; a fund that pays nothing is released."""
    paid = {payment.purse: payment.amount_fen for payment in funds}
    moves = []
    for leg, held in enumerate(ledger.open_holds(tx, claim.settlement_id)):
        amount_fen = paid.pop(held.purse, 0)
        if amount_fen == 0:
            moves.append(voiding(held.transfer_id, envelope.id, leg))
            continue
        order = ledger.Order(
            act_id=envelope.id,
            leg=leg,
            subject_id=claim.settlement_id,
            month=month,
            debit_account=held.debit_account,
            credit_account=held.credit_account,
            amount_fen=amount_fen,
        )
        moves.append(Move(order, "post", held.transfer_id))
    if any(paid.values()):
        raise Refused("PURSE_UNKNOWN", purse=", ".join(sorted(paid)))
    record_many(tx, moves)


def settle_refused(tx: Transaction, original: Envelope, refusal: Refused) -> None:
    """Release what was held for a settlement that the insured side refused."""
    claim = tx.get(CLAIMS, str(original.body["settlement_id"]))
    assert claim is not None, "we sent this act for a claim of ours"
    decision = RefusedBody(code=refusal.code, facts=refusal.facts)
    recorded = msgspec.structs.replace(claim, refusal=canonical.encode(decision))
    moved = move(tx, recorded, "refused")
    _release(tx, claim, tx.new_id())
    _journal(tx, moved, "refused")
    stay = tx.need(STAYS, claim.stay_id)
    if stay.claim_id == claim.settlement_id:
        move_stay(tx, stay, "refused", None)


def _release(tx: Transaction, claim: ClaimRow, act_id: str) -> None:
    """Close what is still held for a settlement without moving anything."""
    for leg, held in enumerate(ledger.open_holds(tx, claim.settlement_id)):
        ledger.void(tx, held.transfer_id, act_id=act_id, leg=leg)


def void_refused(tx: Transaction, original: Envelope, refusal: Refused) -> None:
    """Note that a peer refused a void, which it may not: people must settle what stands."""
    claim = tx.get(CLAIMS, str(original.body["settlement_id"]))
    assert claim is not None, "we sent this act for a claim of ours"
    decision = RefusedBody(code=refusal.code, facts=refusal.facts)
    recorded = msgspec.structs.replace(claim, refusal=canonical.encode(decision))
    _journal(tx, move(tx, recorded, "void_refused"), "disputed")


def take_voided(tx: Transaction, envelope: Envelope, body: VoidedBody) -> None:
    """Give back exactly what had been posted; what never was settled gives back nothing."""
    claim = _answered(tx, envelope, body.settlement_id, "void")
    recorded = claim
    if claim.result and claim.state != "cancelling":
        recorded = msgspec.structs.replace(claim, void_month=_void_month(tx, claim, body.month))
    moved = move(tx, recorded, "voided")
    posted = [] if not claim.result else canonical.decode_as(claim.result, BenefitResult).funds
    if claim.state == "cancelling":
        # Its settle was answered in a way that was refused here; nothing had been posted.
        _release(tx, claim, envelope.id)
    elif body.funds != posted:
        raise Refused("VOIDED_DIFFERS", settlement=claim.settlement_id)
    for leg, payment in enumerate(posted):
        if payment.amount_fen == 0:
            continue
        assert moved.void_month is not None, "what was posted has its month, and so has its void"
        order = ledger.Order(
            act_id=envelope.id,
            leg=leg,
            subject_id=claim.settlement_id,
            month=moved.void_month,
            debit_account=purses.payable(claim.institution_id, payment.purse),
            credit_account=purses.due_from(claim.insured_member, payment.purse),
            amount_fen=payment.amount_fen,
        )
        ledger.transfer(tx, order)
    _journal(tx, moved, "voided")


def _void_month(tx: Transaction, claim: ClaimRow, month: str) -> str:
    """Return the month of a void: the claim's own, or the first after it that is not agreed.

    Both sides know which months they have agreed on, so there is one right answer.
    """
    assert claim.month is not None, "a settled claim has its month"
    visited = tx.home.member_id
    expected = statements.open_month(tx, visited, claim.insured_member, claim.month)
    if month != expected:
        raise Refused(
            "VOIDED_MONTH", settlement=claim.settlement_id, month=month, expected=expected
        )
    return month


def leaf_names(settlement_id: str) -> tuple[str, ...]:
    """Return every name that an entry of the journal about a settlement can have here."""
    return tuple(f"{CLAIM_KIND}/{settlement_id}/{event}" for event in get_args(Event))


def _journal(tx: Transaction, claim: ClaimRow, event: Event) -> None:
    content = {
        "event": event,
        "fund_fen": claim.fund_fen,
        "month": claim.void_month or claim.month,
        "person_fen": claim.person_fen,
        "settlement_id": claim.settlement_id,
        "stay_id": claim.stay_id,
        "total_fen": claim.total_fen,
    }
    content_id = f"{claim.settlement_id}/{event}"
    journal.append(tx, CLAIM_KIND, content_id, canonical.encode(content))
