"""What each transaction of the national interface does at the desk.

Most are one command: effect and final answer in one commit, so that a crash between the two cannot
make a repeated message do its work twice. 2304 waits for another node in the middle; its message
is noted with the intent, and its answer is kept with the decision.
"""

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from tongcheng.kernel import audit, canonical, sealing
from tongcheng.kernel.calendar import local_date, local_text
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import (
    messages,
    national_answers,
    national_sign,
    periods,
    visited,
)
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.checks import Stated
from tongcheng.services.settlement.desk import totals_of
from tongcheng.services.settlement.model import BenefitResult, ScopeTotals
from tongcheng.services.settlement.national_answers import Bill
from tongcheng.services.settlement.national_call import Call, Done
from tongcheng.services.settlement.national_fields import tables
from tongcheng.services.settlement.national_messages import (
    Value,
    check_original_msgid,
    fill,
)
from tongcheng.services.settlement.store import ClaimRow, StayRow
from tongcheng.services.settlement.visited import Admission

STATED = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")


# what several transactions check


def _insured_at(call: Call, admdvs: str) -> None:
    """Refuse a message that names another insuring division than the person's."""
    if call.message.header.insuplc_admdvs != admdvs:
        raise Refused("INSUPLC_DIFFERS", known=admdvs)


def _stay(reading: Reading, call: Call) -> StayRow:
    """Return the stay that a message is about, if person and insuring division are the stay's."""
    stay = visited.stay_of(reading, call.caller, call.text("mdtrt_id"))
    if call.text("psn_no") != stay.person_id:
        raise Refused("PERSON_NOT_OF_STAY", stay=stay.stay_id)
    scheme = call.text("insutype")
    if scheme and scheme != stay.scheme:
        raise Refused("SCHEME_DIFFERS", given=scheme, known=stay.scheme)
    _insured_at(call, stay.admdvs)
    return stay


def _card(reading: Reading, call: Call, person_id: str) -> None:
    """Refuse a card that is not the person's; compared by their keyed digests."""
    patient = visited.patient_of(reading, call.caller, person_id)
    ring = call.desk.node.home.ring
    if sealing.index(ring, call.text("mdtrt_cert_no")) != patient.id_index:
        raise Refused("CARD_NOT_OF_PERSON")


def _warned(call: Call, warnings: list[str]) -> list[str]:
    used = call.text("acct_used_flag") == "1"
    return (["ACCOUNT_NOT_USED"] if used else []) + warnings


def _audit(tx: Transaction, call: Call, person_id: str) -> None:
    infno = call.message.header.infno
    audit.note(tx, audit.Entry(call.caller.institution_id, f"national.{infno}", person_id))


# commands: effect and answer in one commit


def _admit(call: Call, tx: Transaction) -> Done:
    patient = visited.patient_of(tx, call.caller, call.text("psn_no"))
    _insured_at(call, patient.admdvs)
    _card(tx, call, patient.person_id)
    admission = Admission(
        person_id=patient.person_id,
        scheme=call.text("insutype"),
        inpatient_no=call.text("ipt_no"),
        admitted_at=call.number("begntime"),
    )
    stay = visited.admit(tx, call.caller, admission)
    node = tables().transactions["2401"].answer_node("result")
    return Done({"result": fill(node, {"mdtrt_id": stay.stay_id})})


def _discharge(call: Call, tx: Transaction) -> Done:
    stay = _stay(tx, call)
    visited.discharge(tx, call.caller, stay.stay_id, call.number("endtime"))
    return Done({})


def _line(given: dict[str, Value]) -> LineInput:
    quantity, price = given["cnt"], given["pric"]
    amount, charged_at = given["det_item_fee_sumamt"], given["fee_ocur_time"]
    assert isinstance(quantity, int)
    assert isinstance(price, int)
    assert isinstance(amount, int)
    assert isinstance(charged_at, int)
    original = given.get("init_feedetl_sn")
    return LineInput(
        line_id=str(given["feedetl_sn"]),
        item_code=str(given["med_list_codg"]),
        hospital_code=str(given["medins_list_codg"]),
        quantity_e4=quantity,
        unit_price_e6=price,
        amount_fen=amount,
        charged_at=charged_at,
        original_line_id=None if original is None else str(original),
        doctor_code=str(given["bilg_dr_codg"]),
        department_code=str(given["bilg_dept_codg"]),
    )


def _add_lines(call: Call, tx: Transaction) -> Done:
    given = call.message.nodes["feedetail"]
    if len({(one["mdtrt_id"], one["psn_no"]) for one in given}) > 1:
        raise Refused("LINES_OF_TWO_STAYS")
    stay = _stay(tx, call)
    rows = visited.add_lines(tx, call.caller, stay.stay_id, [_line(one) for one in given])
    return Done({"result": [national_answers.line(row) for row in rows]})


def _revoke_lines(call: Call, tx: Transaction) -> Done:
    given = call.message.nodes["data"]
    if len({(one["mdtrt_id"], one["psn_no"]) for one in given}) > 1:
        raise Refused("LINES_OF_TWO_STAYS")
    stay = _stay(tx, call)
    for one in given:
        visited.revoke_lines(tx, call.caller, stay.stay_id, str(one["feedetl_sn"]))
    return Done({})


def _void(call: Call, tx: Transaction) -> Done:
    stay = _stay(tx, call)
    claim = visited.claim_of(tx, call.caller, call.text("setl_id"))
    if claim.stay_id != stay.stay_id:
        raise Refused("SETTLEMENT_UNKNOWN", settlement=claim.settlement_id)
    if claim.state == "pending":
        raise Refused("SETTLEMENT_UNDECIDED", settlement=claim.settlement_id)
    if not claim.result:
        raise Refused("SETTLEMENT_NOT_IN_FORCE", settlement=claim.settlement_id)
    visited.cancel(tx, claim, "hospital_cancelled")
    bill = _bill(call, stay, claim)
    bill = msgspec.structs.replace(bill, sign=-1, settled_at=tx.now_at)
    return Done(national_answers.settlement("2305", bill), national_answers.warnings_of(bill))


def _reverse(call: Call, tx: Transaction) -> Done:
    msgid = call.text("omsgid")
    check_original_msgid(msgid, call.caller.institution_id)
    meaning = messages.reverse(tx, call.caller, call.text("oinfno"), msgid)
    warned = {
        "unseen": ["REVERSAL_UNSEEN"],
        "again": ["REVERSAL_AGAIN"],
        "stands": ["REVERSAL_STANDS"],
    }
    return Done({}, warned.get(meaning, []))


def _bill(call: Call, stay: StayRow, claim: ClaimRow) -> Bill:
    return Bill(
        stay=stay,
        identity=None,
        totals=totals_of(claim),
        result=canonical.decode_as(claim.result, BenefitResult),
        settlement_id=claim.settlement_id,
        settled_at=claim.changed_at,
        msgid=call.message.header.msgid,
        zone=call.desk.node.home.region.zone,
    )


async def _once(work: Callable[[Call, Transaction], Done], call: Call) -> bytes:
    """Run a command once for its message: the same message again gets the same bytes."""

    def command(tx: Transaction) -> bytes:
        def first(tx: Transaction) -> bytes:
            return call.write(tx.now_at, work(call, tx))

        return messages.once(tx, call.key, call.message.digest, first)

    answer: bytes = await call.desk.node.run(command)
    return answer


# transactions that wait for another node, or keep nothing


async def _identify(call: Call) -> bytes:
    admdvs = call.message.header.insuplc_admdvs
    found = await call.desk.identify(call.caller, call.text("mdtrt_cert_no"), admdvs or None)
    node = call.desk.node
    today = local_date(node.clock.now(), node.home.region.zone)
    done = Done(national_answers.person(found.patient, found.identity, today))
    return call.write(node.clock.now(), done)


def _stated(call: Call) -> ScopeTotals | None:
    """Return the split that the hospital states, None without; a part of it is not enough."""
    node = call.message.one("data")
    given = [name for name in STATED if name in node]
    if not given:
        return None
    missing = [name for name in STATED if name not in node]
    if missing:
        raise Refused(
            "NATIONAL_FIELD_REQUIRED", node="data", field=missing[0], title="四项分割金额须同时填写"
        )
    parts = [call.number(name) for name in STATED]
    return ScopeTotals(call.number("medfee_sumamt"), *parts)


async def _ready(call: Call) -> tuple[StayRow, str | None]:
    """Check what can be checked before anybody is asked: stay, person, card, kind of settling.

    A settlement in the middle of the stay (mid_setl_flag 1) ends with the day in `dscgTime`, or
    without one with the last day that was charged.
    """
    zone = call.desk.node.home.region.zone

    def question(reading: Reading) -> tuple[StayRow, str | None]:
        stay = _stay(reading, call)
        _card(reading, call, stay.person_id)
        if call.text("mid_setl_flag") != "1":
            return stay, None
        stated_fen = call.number("medfee_sumamt")
        named = call.text("dscgTime")
        return stay, named or periods.unnamed_day(reading, zone, stay, stated_fen)

    node = call.desk.node
    # In the middle of a stay its lines are read; else a few rows by their keys.
    if call.text("mid_setl_flag") == "1":
        return await node.read(question)
    return node.glance(question)


async def _explained(
    call: Call, stated: ScopeTotals | None, refused: Refused, through_on: str | None
) -> Refused:
    bill = Stated(call.number("medfee_sumamt"), stated)
    stay_id = call.text("mdtrt_id")
    return await call.desk.explained(call.caller, stay_id, bill, refused, through_on)


async def _estimate(call: Call) -> bytes:
    _, through_on = await _ready(call)
    stated = _stated(call)
    try:
        stay, totals, result = await call.desk.estimate(
            call.caller,
            call.text("mdtrt_id"),
            call.number("medfee_sumamt"),
            stated,
            through_on=through_on,
        )
    except Refused as refused:
        raise await _explained(call, stated, refused, through_on) from None
    found = await call.desk.patient(call.caller, stay.person_id)
    node = call.desk.node

    def command(tx: Transaction) -> bytes:
        _audit(tx, call, stay.person_id)
        bill = Bill(
            stay=stay,
            identity=found.identity,
            totals=totals,
            result=result,
            settlement_id=None,
            settled_at=tx.now_at,
            msgid=call.message.header.msgid,
            zone=node.home.region.zone,
        )
        warnings = _warned(call, national_answers.warnings_of(bill))
        return call.write(tx.now_at, Done(national_answers.settlement("2303", bill), warnings))

    answer: bytes = await node.run(command)
    return answer


async def _settle(call: Call) -> bytes:
    node, digest = call.desk.node, call.message.digest
    kept = node.glance(lambda s: messages.answered(s, node.home, call.key, digest))
    if kept is not None:
        await node.run(lambda tx: _audit(tx, call, call.text("psn_no")))
        return kept
    stay, through_on = await _ready(call)
    stated = _stated(call)
    try:
        claim = await call.desk.decide(
            call.caller,
            stay.stay_id,
            call.number("medfee_sumamt"),
            stated,
            through_on=through_on,
            message=(call.key, digest),
        )
    except Refused as refused:
        raise await _explained(call, stated, refused, through_on) from None
    found = await call.desk.patient(call.caller, stay.person_id)

    def command(tx: Transaction) -> bytes:
        # Read again: a 2305 or 2601 may have come between the decision and this answer.
        row = visited.claim_of(tx, call.caller, claim.settlement_id)
        if row.state == "refused":
            decision = visited.refusal_of(row)
            refused = PeerRefused(row.insured_member, decision.code, **decision.facts)
            done = Done({}, [], refused)
        elif row.state != "settled":
            raise Refused("SETTLEMENT_NOT_IN_FORCE", settlement=row.settlement_id)
        else:
            _audit(tx, call, stay.person_id)
            bill = msgspec.structs.replace(_bill(call, stay, row), identity=found.identity)
            before = (
                ["SETTLED_BEFORE"] if messages.is_later(tx, call.key, row.settlement_id) else []
            )
            warnings = _warned(call, before + national_answers.warnings_of(bill))
            done = Done(national_answers.settlement("2304", bill), warnings)
        written = call.write(tx.now_at, done)
        return messages.finish(tx, call.key, digest, row.settlement_id, written)

    answer: bytes = await node.run(command)
    return answer


async def _sign_in(call: Call) -> bytes:
    row = await call.desk.node.run(lambda tx: national_sign.sign_in(tx, call.caller))
    zone = call.desk.node.home.region.zone
    node = tables().transactions["9001"].answer_node("signinoutb")
    values = {"sign_time": local_text(row.signed_at, zone), "sign_no": row.sign_no}
    return call.write(row.signed_at, Done({"signinoutb": fill(node, values)}))


async def _sign_out(call: Call) -> bytes:
    sign_no = call.text("sign_no") or call.message.header.sign_no
    now_at = call.desk.node.clock.now()
    await call.desk.node.run(lambda tx: national_sign.sign_out(tx, call.caller, sign_no))
    node = tables().transactions["9002"].answer_node("signoutoutb")
    values = {"sign_time": local_text(now_at, call.desk.node.home.region.zone)}
    return call.write(now_at, Done({"signoutoutb": fill(node, values)}))


TRANSACTIONS: dict[str, Callable[[Call], Awaitable[bytes]]] = {
    "1101": _identify,
    "2301": partial(_once, _add_lines),
    "2302": partial(_once, _revoke_lines),
    "2303": _estimate,
    "2304": _settle,
    "2305": partial(_once, _void),
    "2401": partial(_once, _admit),
    "2402": partial(_once, _discharge),
    "2601": partial(_once, _reverse),
    "9001": _sign_in,
    "9002": _sign_out,
}
