"""The insured side: who is insured here, and the one point where a settlement is decided.

`settle` checks, computes, posts the ledger, moves the accumulators and answers, in one
transaction; or it refuses and changes nothing. There is no confirmation step: the stored answer is
the decision, and the same envelope asked again gets the same bytes.
"""

from typing import Literal

import msgspec

from tongcheng.kernel import audit, canonical, ids, journal, ledger, sealing
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import accumulators, decided, port, purses, statements
from tongcheng.services.settlement.benefit import (
    day,
    filed_by,
    period_of_year,
    year_of_stay,
    year_totals,
)
from tongcheng.services.settlement.life import DECISION_TRANSITIONS, follow
from tongcheng.services.settlement.model import (
    ESTIMATED,
    PERSON_FOUND,
    SETTLED,
    VOIDED,
    BenefitResult,
    EstimateAsk,
    EstimatedBody,
    FundPayment,
    Identity,
    PersonAsk,
    PersonFound,
    PersonQuestion,
    SettleBody,
    SettledBody,
    StayFacts,
    VoidBody,
    VoidedBody,
    identity_bound_to,
)
from tongcheng.services.settlement.rules import Category, PersonType, Tier
from tongcheng.services.settlement.store import (
    DECISION_HEAD,
    DECISIONS,
    PERSON_IDS,
    PERSONS,
    DecisionHeadRow,
    DecisionRow,
    PersonIdRow,
    PersonRow,
)

DECISION_KIND = "settlement_decision"


# persons


def identity_column(person_key: str) -> str:
    """Return what the sealed identity of a person's row is bound to."""
    return f"settlement_persons/{person_key}/identity"


def enrol(
    tx: Transaction,
    identity: Identity,
    *,
    admdvs: str,
    scheme: str,
    person_type: PersonType,
    tier: Tier | None = None,
    category: Category = "general",
) -> str:
    """Add a person insured here, or return the key of the one already known by this id number."""
    tx.home.region.area_of(admdvs, "settlement")
    id_index = sealing.index(tx.home.ring, identity.id_number)
    known = tx.select(PERSONS, id_index=id_index)
    if known:
        return known[0].person_key
    person_key = ids.random_short(tx.home.entropy)
    plain = canonical.encode(identity)
    column = identity_column(person_key)
    row = PersonRow(
        person_key=person_key,
        id_index=id_index,
        admdvs=admdvs,
        scheme=scheme,
        person_type=person_type,
        tier=tier,
        category=category,
        identity=sealing.seal(tx.home.ring, plain, column, tx.home.entropy),
        added_at=tx.now_at,
    )
    tx.add(PERSONS, row)
    return person_key


def _id_towards(tx: Transaction, person_key: str, visiting_member: str) -> str:
    """Return the random id of a person towards a member that asks, given now if it has none.

    One id for each visiting member, so that two of them cannot put their records together.
    """
    given = tx.select(PERSON_IDS, person_key=person_key, visiting_member=visiting_member)
    if given:
        return given[0].person_id
    person_id = ids.random_short(tx.home.entropy)
    tx.add(PERSON_IDS, PersonIdRow(person_id, visiting_member, person_key, tx.now_at))
    return person_id


def _asked_person(reading: Reading, home: Home, asked: Envelope, body: PersonAsk) -> PersonRow:
    """Return the person asked for; the id number is in the clear only inside this function."""
    try:
        sealed = bytes.fromhex(body.sealed)
    except ValueError:
        raise Refused("SEALED_DAMAGED", bound_to="settlement.person") from None
    plain = sealing.open_sealed(home.ring, sealed, identity_bound_to(asked.src, asked.dst))
    question = canonical.decode_as(plain, PersonQuestion)
    found = reading.select(PERSONS, id_index=sealing.index(home.ring, question.id_number))
    if not found:
        raise Refused("PERSON_NOT_INSURED_HERE", member=home.member_id)
    return found[0]


def answer_person(tx: Transaction, home: Home, asked: Envelope, body: PersonAsk) -> Reply:
    """Say whether a person is insured here, and by which id to speak of them."""
    person = _asked_person(tx, home, asked, body)
    identity = sealing.unseal(home.ring, person.identity, identity_column(person.person_key))
    assert asked.not_after is not None, "a question without a deadline was refused"
    # Not made_at: the asker writes it, and could name a day on which a stolen key was valid.
    key = home.accord.encryption_key(asked.src, asked.not_after)
    back = sealing.seal_for(key, identity, identity_bound_to(asked.dst, asked.src))
    answer = PersonFound(
        person_id=_id_towards(tx, person.person_key, asked.src),
        admdvs=person.admdvs,
        scheme=person.scheme,
        person_type=msgspec.convert(person.person_type, PersonType),
        sealed=back.hex(),
    )
    return Reply(PERSON_FOUND, answer)


def _person(reading: Reading, visited_member: str, facts: StayFacts) -> PersonRow:
    """Return the person behind a visiting member's id, or refuse an id that is not theirs."""
    given = reading.get(PERSON_IDS, facts.person_id)
    if given is None or given.visiting_member != visited_member:
        raise Refused("PERSON_UNKNOWN", member=visited_member)
    person = reading.get(PERSONS, given.person_key)
    assert person is not None, "a person id stands for a person"
    if person.scheme != facts.scheme or person.admdvs != facts.insured_admdvs:
        raise Refused("PERSON_DIFFERS", scheme=facts.scheme, admdvs=facts.insured_admdvs)
    return person


# deciding


def take_settle(tx: Transaction, envelope: Envelope, body: SettleBody) -> Reply:
    """Decide one settlement (the decision point of a cross-border stay)."""
    facts = body.facts
    person = _person(tx, envelope.src, facts)
    # A day more, because clocks differ. A stay of the years to come would find every cap unused.
    if day(facts.period_to_on) > local_date(tx.now_at + DAY_MS, tx.home.region.zone):
        raise Refused("DATE_IN_FUTURE", field="period_to_on")
    if tx.get(DECISIONS, envelope.src, body.settlement_id) is not None:
        raise Refused("SETTLEMENT_ID_REUSED", settlement=body.settlement_id)
    area = tx.home.region.area_of(person.admdvs, "settlement")
    year, case = _case(tx, tx.home, envelope.src, person, facts)
    result = _decided(tx, tx.home, envelope.id, case)
    for payment in result.funds:
        purses.check_fund(tx.home.accord, person.scheme, payment.fund)
    number = _next_decision(tx)
    month = _month(tx, envelope.src)
    row = DecisionRow(
        visited_member=envelope.src,
        settlement_id=body.settlement_id,
        decision_no=number,
        state="settled",
        stay_id=facts.stay_id,
        period=facts.period,
        person_key=person.person_key,
        area_id=area.id,
        year=year,
        month=month,
        void_month=None,
        settle_id=envelope.id,
        void_id=None,
        total_fen=facts.totals.total_fen,
        fund_fen=result.fund_fen,
        person_fen=result.person_fen,
        facts=canonical.encode(facts),
        result=canonical.encode(result),
        decided_at=tx.now_at,
    )
    tx.add(DECISIONS, row)
    _journal(tx, row, "settled")
    if tx.home.benefit == "shadow":
        port.note(tx, row, case, result)
    _post(tx, envelope, row, result.funds, back=False)
    change = accumulators.of_decision(row, result, back=False, at=tx.now_at)
    accumulators.move(tx, change)
    settled = SettledBody(
        settlement_id=body.settlement_id, decision_no=number, month=month, result=result
    )
    return Reply(SETTLED, settled, rulebooks=books_used(result))


def _decided(reading: Reading, home: Home, asked_id: str, case: port.Case) -> BenefitResult:
    """Return the decision of whoever decides in this node."""
    if home.benefit == "engine":
        return case.by_engine(home)
    return case.by_agency(home, asked_id, reading.consulted.get(asked_id))


def consult(
    reading: Reading, home: Home, envelope: Envelope, body: SettleBody | EstimateAsk
) -> bytes:
    """Return what the agency's own system is asked before a settlement, or an estimate of one."""
    person = _person(reading, envelope.src, body.facts)
    _, case = _case(reading, home, envelope.src, person, body.facts)
    return case.question(envelope.id)


def _case(
    reading: Reading, home: Home, visited_member: str, person: PersonRow, facts: StayFacts
) -> tuple[int, port.Case]:
    """Return what one period of a stay is decided on now, and in which of the person's years."""
    decided.check_place(home, visited_member, facts)
    decided.check_days(facts)
    before = decided.periods_of(reading, visited_member, facts.stay_id)
    decided.check_period(before, facts)
    area = home.region.area_of(person.admdvs, "settlement")
    year = year_of_stay(home, person, facts)
    totals = year_totals(reading, person.person_key, area.id, year)
    how = filed_by(reading, home, person, facts)
    period = period_of_year(before, year)
    return year, port.Case(person, facts, totals, how, period)


def _month(tx: Transaction, visited_member: str) -> str:
    """Return the month that a decision of now is booked in: one that is still open."""
    now = statements.month_at(tx.now_at, tx.home.region.zone)
    return statements.open_month(tx, visited_member, tx.home.member_id, now)


def take_void(tx: Transaction, envelope: Envelope, body: VoidBody) -> Reply:
    """Take a settlement back, exactly. A void cannot be refused: it follows its settle in order.

    What had been refused, or voided before, is voided without any amount. Periods of one stay are
    taken back from the last on; a peer that leaves one standing behind is told so. Decisions on
    other stays that were taken since stand as they are.
    """
    row = tx.get(DECISIONS, envelope.src, body.settlement_id)
    if row is not None and row.settle_id != body.settle_envelope_id:
        row = None  # That envelope was refused: its id had been used by one that stands.
    if row is None or row.state == "voided":
        month = _month(tx, envelope.src) if row is None else row.void_month or row.month
        was: Literal["refused", "voided"] = "refused" if row is None else "voided"
        nothing = VoidedBody(
            settlement_id=body.settlement_id, was=was, month=month, funds=[], later=[]
        )
        return Reply(VOIDED, nothing)
    standing = decided.periods_of(tx, envelope.src, row.stay_id)
    if standing[-1].period > row.period:
        raise Refused(
            "SETTLEMENT_NOT_LAST",
            settlement=row.settlement_id,
            later=standing[-1].settlement_id,
        )
    state = follow(DECISION_TRANSITIONS, row.state, "void")
    assert state == "voided", f"a decision in state {row.state} can be voided"
    result = canonical.decode_as(row.result, BenefitResult)
    month = statements.open_month(tx, envelope.src, tx.home.member_id, row.month)
    voided = msgspec.structs.replace(row, state=state, void_id=envelope.id, void_month=month)
    tx.put(DECISIONS, voided)
    _journal(tx, voided, "voided")
    _post(tx, envelope, voided, result.funds, back=True)
    change = accumulators.of_decision(row, result, back=True, at=tx.now_at)
    accumulators.move(tx, change)
    later = [
        one.decision_no
        for one in decided.later_than(tx, row)
        if one.visited_member == row.visited_member
    ]
    answer = VoidedBody(
        settlement_id=body.settlement_id,
        was="settled",
        month=month,
        funds=result.funds,
        later=later,
    )
    return Reply(VOIDED, answer, rulebooks=books_used(result))


def answer_estimate(reading: Reading, home: Home, asked: Envelope, body: EstimateAsk) -> Reply:
    """Compute what `settle` would decide now, and change nothing."""
    person = _person(reading, asked.src, body.facts)
    _, case = _case(reading, home, asked.src, person, body.facts)
    result = _decided(reading, home, asked.id, case)
    return Reply(ESTIMATED, EstimatedBody(result=result), rulebooks=books_used(result))


def books_used(result: BenefitResult) -> tuple[str, ...]:
    """Return the digests of the rule books that a decision rests on."""
    digests = (result.book_digest, result.overlay_digest)
    return tuple(digest for digest in digests if digest is not None)


def _next_decision(tx: Transaction) -> int:
    head = tx.get(DECISION_HEAD, "decisions") or DecisionHeadRow("decisions", 0)
    tx.put(DECISION_HEAD, DecisionHeadRow("decisions", head.count + 1))
    return head.count + 1


def _journal(tx: Transaction, row: DecisionRow, event: str) -> None:
    content = {
        "decision_no": row.decision_no,
        "event": event,
        "fund_fen": row.fund_fen,
        "month": row.void_month or row.month,
        "person_fen": row.person_fen,
        "settlement_id": row.settlement_id,
        "total_fen": row.total_fen,
        "visited_member": row.visited_member,
    }
    content_id = f"{row.visited_member}/{row.settlement_id}/{event}"
    journal.append(tx, DECISION_KIND, content_id, canonical.encode(content))
    entry = audit.Entry(row.visited_member, f"settlement.{event}", row.settlement_id)
    audit.note(tx, entry)


def _post(
    tx: Transaction,
    envelope: Envelope,
    row: DecisionRow,
    funds: list[FundPayment],
    *,
    back: bool,
) -> None:
    """Book what each fund owes the visited member, or take it back with the accounts swapped."""
    for leg, payment in enumerate(funds):
        if payment.amount_fen == 0:
            continue
        spent = purses.benefit(payment.purse)
        owed = purses.due_to(row.visited_member, payment.purse)
        ledger.open_account(tx, spent, payment.purse)
        ledger.open_account(tx, owed, payment.purse)
        order = ledger.Order(
            act_id=envelope.id,
            leg=leg,
            subject_id=row.settlement_id,
            month=row.void_month or row.month,
            debit_account=owed if back else spent,
            credit_account=spent if back else owed,
            amount_fen=payment.amount_fen,
        )
        ledger.transfer(tx, order)
