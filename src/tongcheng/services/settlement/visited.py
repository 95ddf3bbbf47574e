"""The visited side: stays in hospitals here, and the settlements we ask other members for.

Everything here is a command: a function of a Transaction. A settlement is asked for by writing,
in one commit, the intent, the holds and the act that waits for the insured side; its answer posts
the actual amounts. A stay has one settlement in force, whatever message asks for it.
"""

from datetime import date

import msgspec

from tongcheng.kernel import canonical, ids, ledger
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.transport import PeerRefused
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger_batch import Move, record_many
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import bills, claims, management, periods, preflight, purses
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.life import STAY_TRANSITIONS, follow
from tongcheng.services.settlement.model import (
    SETTLE,
    VOID,
    EstimateAsk,
    ScopeTotals,
    SettleBody,
    StayFacts,
    VoidBody,
    VoidReason,
)
from tongcheng.services.settlement.periods import Period
from tongcheng.services.settlement.preflight import BillCheck
from tongcheng.services.settlement.rules import Subtype
from tongcheng.services.settlement.statements import month_at
from tongcheng.services.settlement.store import (
    ACCESS,
    CLAIMS,
    INSTITUTIONS,
    PATIENTS,
    STAYS,
    AccessRow,
    ClaimRow,
    InstitutionRow,
    PatientRow,
    StayRow,
)


class Admission(msgspec.Struct, frozen=True):
    """An admission as a hospital registers it (2401)."""

    person_id: str
    scheme: str
    inpatient_no: str
    admitted_at: int
    emergency: bool = False


# who may see what


def institution(reading: Reading, caller: Caller) -> InstitutionRow:
    """Return the caller's own institution, or refuse one that is not contracted here."""
    row = reading.get(INSTITUTIONS, caller.institution_id)
    if row is None:
        raise Refused("INSTITUTION_UNKNOWN", institution=caller.institution_id)
    return row


def stay_of(reading: Reading, caller: Caller, stay_id: str) -> StayRow:
    """Return a stay of the caller's; another hospital's does not exist for it."""
    row = reading.get(STAYS, stay_id)
    if row is None or row.institution_id != caller.institution_id:
        raise Refused("STAY_UNKNOWN", stay=stay_id)
    return row


def claim_of(reading: Reading, caller: Caller, settlement_id: str) -> ClaimRow:
    """Return a settlement of the caller's; another hospital's does not exist for it."""
    row = reading.get(CLAIMS, settlement_id)
    if row is None or row.institution_id != caller.institution_id:
        raise Refused("SETTLEMENT_UNKNOWN", settlement=settlement_id)
    return row


def patient_of(reading: Reading, caller: Caller, person_id: str) -> PatientRow:
    """Return a person whom the caller has identified; nobody else exists for it."""
    row = reading.get(PATIENTS, person_id)
    if row is None or reading.get(ACCESS, caller.institution_id, person_id) is None:
        raise Refused("PERSON_NOT_IDENTIFIED", person=person_id)
    return row


def remember_patient(tx: Transaction, caller: Caller, row: PatientRow) -> None:
    """Keep an identified person, and that this hospital has identified them.

    An id stands for one person of one member: a member cannot take over another's, nor give the
    id of one person to a second.
    """
    known = tx.get(PATIENTS, row.person_id)
    if known is not None and (known.insured_member, known.id_index) != (
        row.insured_member,
        row.id_index,
    ):
        raise Refused("PERSON_DIFFERS", scheme=row.scheme, admdvs=row.admdvs)
    tx.put(PATIENTS, row)
    tx.put(ACCESS, AccessRow(caller.institution_id, row.person_id, tx.now_at))


# the stay


def admit(tx: Transaction, caller: Caller, admission: Admission) -> StayRow:
    """Open a stay; the same admission again is the stay that is already open."""
    return admitted(tx, caller, admission)[0]


def admitted(tx: Transaction, caller: Caller, admission: Admission) -> tuple[StayRow, bool]:
    """Return a stay as `admit` does, and whether it is a new one."""
    place = institution(tx, caller)
    patient = patient_of(tx, caller, admission.person_id)
    if admission.scheme != patient.scheme:
        raise Refused("SCHEME_DIFFERS", given=admission.scheme, known=patient.scheme)
    if admission.admitted_at > tx.now_at:
        raise Refused("DATE_IN_FUTURE", field="begntime")
    known = tx.select(
        STAYS, institution_id=caller.institution_id, inpatient_no=admission.inpatient_no
    )
    for row in known:
        same = row.person_id == patient.person_id and row.admitted_at == admission.admitted_at
        if not same:
            raise Refused("INPATIENT_NO_USED", inpatient_no=admission.inpatient_no)
        return row, False
    row = StayRow(
        stay_id=ids.short(tx.new_id()),
        institution_id=caller.institution_id,
        inpatient_no=admission.inpatient_no,
        person_id=patient.person_id,
        insured_member=patient.insured_member,
        admdvs=patient.admdvs,
        scheme=patient.scheme,
        hospital_level=place.hospital_level,
        hospital_subtype=place.hospital_subtype,
        institution_admdvs=place.admdvs,
        emergency=admission.emergency,
        catalogue=place.catalogue,
        state="admitted",
        admitted_at=admission.admitted_at,
        discharged_at=None,
        period=1,
        claim_id=None,
        last_claim_id=None,
        opened_at=tx.now_at,
        changed_at=tx.now_at,
    )
    tx.add(STAYS, row)
    return row, True


def _allow(row: StayRow, event: str) -> None:
    if follow(STAY_TRANSITIONS, row.state, event) is None:
        raise Refused("STAY_STATE", stay=row.stay_id, state=row.state, event=event)


def add_lines(
    tx: Transaction, caller: Caller, stay_id: str, inputs: list[LineInput]
) -> list[LineRow]:
    """Take lines of a bill that is not settled yet (2301)."""
    row = stay_of(tx, caller, stay_id)
    _allow(row, "lines")
    return bills.add_lines(tx, row, inputs)


def revoke_lines(tx: Transaction, caller: Caller, stay_id: str, line_id: str) -> int:
    """Take lines back from a bill that is not settled yet (2302); settled periods keep theirs."""
    row = stay_of(tx, caller, stay_id)
    _allow(row, "lines")
    lines = periods.open_lines(tx, tx.home.region.zone, stay_id)
    return bills.revoke_lines(tx, row, line_id, frozenset(line.line_id for line in lines))


def discharge(tx: Transaction, caller: Caller, stay_id: str, discharged_at: int) -> StayRow:
    """Close the stay's time (2402); the same discharge again changes nothing."""
    row = stay_of(tx, caller, stay_id)
    if row.discharged_at == discharged_at:
        return row
    _allow(row, "discharge")
    settled = periods.settled_through(tx, stay_id)
    return _discharge(tx, row, discharged_at, settled)


def _discharge(
    tx: Transaction, row: StayRow, discharged_at: int, settled: date | None = None
) -> StayRow:
    """Close a stay of which everything is settled through a day, None for nothing."""
    if discharged_at < row.admitted_at:
        raise Refused("DISCHARGE_BEFORE_ADMISSION", stay=row.stay_id)
    if discharged_at > tx.now_at:
        raise Refused("DATE_IN_FUTURE", field="endtime")
    if settled is not None and local_date(discharged_at, tx.home.region.zone) <= settled:
        raise Refused("DISCHARGE_IN_SETTLED_PERIOD", stay=row.stay_id, through=settled.isoformat())
    closed = msgspec.structs.replace(row, discharged_at=discharged_at)
    return claims.move_stay(tx, closed, "discharge", row.claim_id)


# the settlement


def stay_facts(zone: str, row: StayRow, period: Period) -> StayFacts:
    """Return what the insured side is told of a stay and the period to be settled."""
    discharged_at = row.discharged_at if period.final else None
    return StayFacts(
        stay_id=row.stay_id,
        period=period.number,
        period_from_on=period.from_on.isoformat(),
        period_to_on=period.to_on.isoformat(),
        final=period.final,
        person_id=row.person_id,
        scheme=row.scheme,
        insured_admdvs=row.admdvs,
        institution_id=row.institution_id,
        institution_admdvs=row.institution_admdvs,
        hospital_level=row.hospital_level,
        hospital_subtype=msgspec.convert(row.hospital_subtype, Subtype | None),
        emergency=row.emergency,
        admitted_on=local_date(row.admitted_at, zone).isoformat(),
        discharged_on=None
        if discharged_at is None
        else local_date(discharged_at, zone).isoformat(),
        totals=period.totals,
        catalogue=period.catalogue_digest,
        lines_root=bills.lines_root(period.lines),
        line_count=len(period.lines),
    )


def check_stated(
    home: Home, now_at: int, stated: ScopeTotals | None, total_fen: int, found: ScopeTotals
) -> int:
    """Return how much more the hospital states than its lines come to, within the tolerance.

    Refuses UPLOADED_DIFFERS beyond it, and SPLIT_DIFFERS for a part that differs by more.
    """
    tolerance_fen = management.tolerance_fen(home, local_date(now_at, home.region.zone))
    bill = BillCheck(total_fen=total_fen, split=stated, tolerance_fen=tolerance_fen)
    error = preflight.first_error(preflight.check_bill(bill, found))
    if error is not None:
        raise error
    return total_fen - found.total_fen


def estimate_ask(
    reading: Reading, zone: str, row: StayRow, through_on: str | None, now_at: int
) -> EstimateAsk:
    """Return the question what a settlement would come to now (2303)."""
    period = periods.open_period(reading, zone, row, through_on, now_at)
    return EstimateAsk(facts=stay_facts(zone, row, period))


def start_settlement(
    tx: Transaction,
    caller: Caller,
    stay_id: str,
    stated_total_fen: int,
    stated: ScopeTotals | None = None,
    through_on: str | None = None,
) -> ClaimRow:
    """Ask for the settlement of a stay's period, or return the one in force.

    The business key is the stay and the period: through a day in its middle, or the rest. In one
    commit: the intent, a hold of the in-scope total in every purse that may pay at discharge (each
    fund can pay at most that), and the act for the insured side.
    """
    row = stay_of(tx, caller, stay_id)
    known = periods.asked_before(periods.in_force(tx, stay_id), through_on)
    if known is not None:
        if stated_total_fen != known.total_fen + known.stated_difference_fen:
            parts = (known.self_paid_fen, known.over_ceiling_fen, known.first_self_pay_fen)
            settled = ScopeTotals(known.total_fen, *parts, known.in_scope_fen)
            check_stated(tx.home, tx.now_at, None, stated_total_fen, settled)
        return known
    event = "settle_period" if through_on is not None else "settle"
    if event == "settle" and row.discharged_at is None:
        raise Refused("STAY_NOT_DISCHARGED", stay=stay_id)
    _allow(row, event)
    period = periods.open_period(tx, tx.home.region.zone, row, through_on, tx.now_at)
    return _ask(tx, row, event, period, (stated_total_fen, stated))


def settle_at_once(
    tx: Transaction,
    row: StayRow,
    inputs: list[LineInput],
    discharged_at: int,
    stated_total_fen: int,
    stated: ScopeTotals | None,
) -> ClaimRow:
    """Bill and discharge a stay that this command has opened, and ask for its settlement.

    As `add_lines`, `discharge` and `start_settlement` do it one after the other; but nothing of a
    new stay is kept yet, so nothing is looked for.
    """
    lines = bills.first_lines(tx, row, inputs)
    closed = _discharge(tx, row, discharged_at)
    period = periods.period_of(tx.home.region.zone, closed, [], lines, None, tx.now_at)
    return _ask(tx, closed, "settle", period, (stated_total_fen, stated))


def _ask(
    tx: Transaction,
    row: StayRow,
    event: str,
    period: Period,
    bill: tuple[int, ScopeTotals | None],
) -> ClaimRow:
    """Write the intent to settle a period, the holds and the act; `bill` is what is stated."""
    stated_total_fen, stated = bill
    facts = stay_facts(tx.home.region.zone, row, period)
    difference_fen = check_stated(tx.home, tx.now_at, stated, stated_total_fen, facts.totals)
    settlement_id = ids.short(tx.new_id())
    body = SettleBody(settlement_id=settlement_id, facts=facts)
    envelope = acts.send(tx, row.insured_member, Reply(SETTLE, body), case=row.stay_id)
    claim = claims.new_claim(
        tx, row, facts, settlement_id, settle_id=envelope.id, last_line=period.last_line
    )
    claim = msgspec.structs.replace(claim, stated_difference_fen=difference_fen)
    tx.add(CLAIMS, claim)
    _hold(tx, claim, envelope)
    claims.move_stay(tx, row, event, settlement_id)
    return claim


def _hold(tx: Transaction, claim: ClaimRow, envelope: Envelope) -> None:
    """Reserve in every purse the most that its fund could owe for this claim."""
    purses.check_fund(tx.home.accord, claim.scheme)
    if claim.in_scope_fen == 0:
        return
    area = tx.home.region.area_of(claim.admdvs, "settlement")
    month = month_at(tx.now_at, tx.home.region.zone)
    terms = [one for one in tx.home.accord.purses if one.scheme == claim.scheme]
    moves = []
    for leg, term in enumerate(terms):
        purse = purses.purse_id(area.id, claim.scheme, term.fund)
        owed = purses.due_from(claim.insured_member, purse)
        payable = purses.payable(claim.institution_id, purse)
        ledger.open_account(tx, owed, purse)
        ledger.open_account(tx, payable, purse)
        order = ledger.Order(
            act_id=envelope.id,
            leg=leg,
            subject_id=claim.settlement_id,
            month=month,
            debit_account=owed,
            credit_account=payable,
            amount_fen=claim.in_scope_fen,
        )
        moves.append(Move(order, "hold"))
    record_many(tx, moves)


def cancel(tx: Transaction, claim: ClaimRow, reason: VoidReason) -> ClaimRow:
    """Take a settlement back: the void follows its settle on the same channel, in order.

    It cannot be refused, so the hospital is told "cancelled" at once and the stay is free again.
    Of a stay only the last period that stands is taken back; its lines are open again.
    """
    if claim.state in {"cancelling", "voiding", "voided"}:
        return claim
    if claim.state == "refused":
        raise Refused("SETTLEMENT_NOT_IN_FORCE", settlement=claim.settlement_id)
    later = periods.later_than(tx, claim)
    if later:
        raise Refused(
            "SETTLEMENT_NOT_LAST",
            settlement=claim.settlement_id,
            later=later[-1].settlement_id,
        )
    body = VoidBody(
        settlement_id=claim.settlement_id,
        settle_envelope_id=claim.settle_id,
        reason=reason,
    )
    envelope = acts.send(tx, claim.insured_member, Reply(VOID, body), case=claim.stay_id)
    moved = claims.move(tx, msgspec.structs.replace(claim, void_id=envelope.id), "cancel")
    stay = tx.need(STAYS, claim.stay_id)
    assert stay.claim_id in {None, claim.settlement_id}, "the last settlement in force is cancelled"
    claims.move_stay(tx, stay, "cancel", None, claim.period)
    return moved


def refusal_of(claim: ClaimRow) -> Refused:
    """Return the insured side's refusal of a claim as it decided it: its code may be new to us."""
    decision = canonical.decode_as(claim.refusal, acts.RefusedBody)
    return PeerRefused(claim.insured_member, decision.code, **decision.facts)
