"""The REST interface of settlement, /api/settlement/v1: the same desk in plain JSON.

Every path is the caller's own: another hospital's stay or settlement does not exist for it, and
is answered as one that never existed. Refusals are problem documents; see docs/hospital.md.
"""

from typing import Annotated

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import ACT_SENT, ACT_TAKEN, SENT
from tongcheng.kernel.exchange.transport import PeerRefused
from tongcheng.kernel.money import parse_scaled
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import messages, visited
from tongcheng.services.settlement.api_caller import ID_PATTERN, PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_model import (
    Benefit,
    Bill,
    Evidence,
    NewDischarge,
    NewLine,
    NewLines,
    NewReversal,
    NewStay,
    Person,
    PersonQuery,
    Reversal,
    Revoked,
    Settlement,
    Split,
    SplitLine,
    SplitLines,
    Stay,
    benefit_of,
)
from tongcheng.services.settlement.bills import ALL_LINES, LineInput
from tongcheng.services.settlement.desk import HOSPITAL_WAIT_MS, Desk, totals_of
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.messages import REST, MessageKey
from tongcheng.services.settlement.model import BenefitResult, ScopeTotals
from tongcheng.services.settlement.store import ClaimRow, StayRow
from tongcheng.services.settlement.visited import Admission

PENDING = "SETTLE-PENDING"
StayId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The stay's id.")]
SettlementId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The settlement's id.")]
LineId = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[0-9A-Za-z._-]{1,30}$(?!\n)", description="One line; all without it."
    ),
]
IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[0-9A-Za-z._-]{8,64}$(?!\n)",
        description="Chosen by the caller, the same for every repetition of one call.",
    ),
]
WaitMs = Annotated[
    int,
    QueryParameter(
        ge=0, le=HOSPITAL_WAIT_MS, description="How long to wait for the insured side, in ms."
    ),
]


def _desk(request: AnyRequest, wait_ms: int = HOSPITAL_WAIT_MS) -> Desk:
    return Desk(request.app.state.node, wait_ms=wait_ms)


@post("/persons/identify", status_code=200)
async def identify_person(request: AnyRequest, data: JSONBody[PersonQuery]) -> Person:
    """Find where a person is insured. The look-up is written into the audit."""
    found = await _desk(request).identify(await caller_of(request), data.id_number, data.admdvs)
    return Person(
        person_id=found.patient.person_id,
        insured_member=found.patient.insured_member,
        admdvs=found.patient.admdvs,
        scheme=found.patient.scheme,
        person_type=found.patient.person_type,
        name=found.identity.name,
        gender=found.identity.gender,
        born_on=found.identity.born_on,
    )


@post("/stays", status_code=200)
async def open_stay(request: AnyRequest, data: JSONBody[NewStay]) -> Stay:
    """Register an admission; the same one again is the stay that is open already."""
    admission = Admission(
        person_id=data.person_id,
        scheme=data.scheme,
        inpatient_no=data.inpatient_no,
        admitted_at=data.admitted_at,
        emergency=data.emergency,
    )
    caller, desk = await caller_of(request), _desk(request)
    row = await desk.admit(caller, admission)
    return _stay(row, await desk.lines(caller, row.stay_id))


@get("/stays/{stay_id:str}")
async def show_stay(request: AnyRequest, stay_id: StayId) -> Stay:
    """Show a stay of the caller's."""
    caller, desk = await caller_of(request), _desk(request)
    row, lines = await desk.stay(caller, stay_id), await desk.lines(caller, stay_id)
    await desk.note_read(caller.institution_id, "stay.read", stay_id)
    return _stay(row, lines)


@post("/stays/{stay_id:str}/lines", status_code=200)
async def add_lines(request: AnyRequest, stay_id: StayId, data: JSONBody[NewLines]) -> SplitLines:
    """Upload lines, all or none, and return their split."""
    inputs = [line_input(one) for one in data.lines]
    rows = await _desk(request).add_lines(await caller_of(request), stay_id, inputs)
    return SplitLines([_split_line(row) for row in rows])


@get("/stays/{stay_id:str}/lines")
async def show_lines(request: AnyRequest, stay_id: StayId) -> SplitLines:
    """Show the lines that count, with their split."""
    caller, desk = await caller_of(request), _desk(request)
    rows = await desk.lines(caller, stay_id)
    await desk.note_read(caller.institution_id, "lines.read", stay_id)
    return SplitLines([_split_line(row) for row in rows])


@delete("/stays/{stay_id:str}/lines", status_code=200)
async def revoke_lines(request: AnyRequest, stay_id: StayId, line_id: LineId = None) -> Revoked:
    """Revoke one line, or all; a line that a refund points to stays with it."""
    caller = await caller_of(request)
    return Revoked(await _desk(request).revoke_lines(caller, stay_id, line_id or ALL_LINES))


@post("/stays/{stay_id:str}/discharge", status_code=200)
async def discharge(request: AnyRequest, stay_id: StayId, data: JSONBody[NewDischarge]) -> Stay:
    """Register the discharge; the same one again changes nothing."""
    caller, desk = await caller_of(request), _desk(request)
    row = await desk.discharge(caller, stay_id, data.discharged_at)
    return _stay(row, await desk.lines(caller, stay_id))


@post("/stays/{stay_id:str}/estimate", status_code=200)
async def estimate(request: AnyRequest, stay_id: StayId, data: JSONBody[Bill]) -> Benefit:
    """Ask what the settlement would come to now; nothing is stored and nothing promised."""
    caller = await caller_of(request)
    _, totals, result = await _desk(request).estimate(
        caller,
        stay_id,
        data.total_fen,
        stated_split(data.total_fen, data.split),
        through_on=data.through_on,
    )
    return benefit_of(totals, result)


@post(
    "/stays/{stay_id:str}/settlement",
    status_code=200,
    responses={
        202: ResponseSpec(
            data_container=Settlement,
            generate_examples=False,
            description="Undecided: look at Location, or send the same call again to wait on.",
        )
    },
)
async def settle(
    request: AnyRequest,
    stay_id: StayId,
    data: JSONBody[Bill],
    idempotency_key: IdempotencyKey,
    wait_ms: WaitMs = HOSPITAL_WAIT_MS,
) -> Response[Settlement]:
    """Settle a stay: 200 with the settlement, or 202 with its address while it is undecided.

    The same call under the same key gets the same answer; a stay that is settled already gets its
    settlement under any key. Send it again to wait on, or reverse the key to give up.
    """
    node: RunningNode = request.app.state.node
    caller, desk = await caller_of(request), _desk(request, wait_ms)
    key = MessageKey(caller.institution_id, REST, idempotency_key)
    digest = messages.digest_of(stay_id.encode() + b"\n" + canonical.encode(data))
    kept = node.glance(lambda s: messages.answered(s, node.home, key, digest))
    if kept is None:
        try:
            claim = await desk.decide(
                caller,
                stay_id,
                data.total_fen,
                stated_split(data.total_fen, data.split),
                through_on=data.through_on,
                message=(key, digest),
            )
        except Refused as pending:
            if pending.code != PENDING:
                raise
            return await undecided(node, caller, str(pending.facts["settlement"]))
        if claim.state == "refused":
            decision = visited.refusal_of(claim)
            raise PeerRefused(claim.insured_member, decision.code, **decision.facts)
        kept = await node.run(
            lambda tx: messages.finish(
                tx, key, digest, claim.settlement_id, msgspec.json.encode(settlement_of(tx, claim))
            )
        )
    return Response(msgspec.json.decode(kept, type=Settlement))


async def undecided(node: RunningNode, caller: Caller, settlement_id: str) -> Response[Settlement]:
    """Return 202 with a settlement as it stands, and where to look for it."""
    claim = await node.read(lambda s: visited.claim_of(s, caller, settlement_id))
    shown = await node.read(lambda s: settlement_of(s, claim))
    address = f"{PATH}/settlements/{settlement_id}"
    return Response(shown, status_code=202, headers={"Location": address})


@get("/settlements/{settlement_id:str}")
async def show_settlement(request: AnyRequest, settlement_id: SettlementId) -> Settlement:
    """Show a settlement as it stands: amounts, the way to them, and the evidence."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)

    def question(reading: Reading) -> Settlement:
        return settlement_of(reading, visited.claim_of(reading, caller, settlement_id))

    shown = await node.read(question)
    await _desk(request).note_read(caller.institution_id, "settlement.read", settlement_id)
    return shown


@post("/settlements/{settlement_id:str}/void", status_code=200)
async def void(request: AnyRequest, settlement_id: SettlementId) -> Settlement:
    """Take a settlement back, also one that is undecided; it is taken back when this returns."""
    node: RunningNode = request.app.state.node
    claim = await _desk(request).void(await caller_of(request), settlement_id)
    return await node.read(lambda snapshot: settlement_of(snapshot, claim))


@post("/reversals", status_code=200)
async def reverse(request: AnyRequest, data: JSONBody[NewReversal]) -> Reversal:
    """Make a settlement call as if it had never been sent, whether it has come yet or not."""
    caller = await caller_of(request)
    meaning = await _desk(request).reverse(caller, REST, data.idempotency_key)
    return msgspec.convert({"meaning": meaning}, Reversal)


# rows as the interface shows them


def _stay(row: StayRow, lines: list[LineRow]) -> Stay:
    shown = {name: getattr(row, name, None) for name in Stay.__struct_fields__}
    return msgspec.convert({**shown, "settlement_id": row.claim_id, "line_count": len(lines)}, Stay)


def line_input(one: NewLine) -> LineInput:
    """Return a line as the desk takes it."""
    return LineInput(
        line_id=one.line_id,
        item_code=one.item_code or "",
        hospital_code=one.hospital_code,
        quantity_e4=parse_scaled(one.quantity, 4),
        unit_price_e6=parse_scaled(one.unit_price, 6),
        amount_fen=one.amount_fen,
        charged_at=one.charged_at,
        original_line_id=one.original_line_id,
        doctor_code=one.doctor_code or "",
        department_code=one.department_code or "",
    )


def _split_line(row: LineRow) -> SplitLine:
    return SplitLine(
        line_id=row.line_id,
        item_code=row.item_code,
        item_class=row.item_class,
        amount_fen=row.total_fen,
        self_paid_fen=row.self_paid_fen,
        over_ceiling_fen=row.over_ceiling_fen,
        first_self_pay_fen=row.first_self_pay_fen,
        in_scope_fen=row.in_scope_fen,
    )


def stated_split(total_fen: int, split: Split | None) -> ScopeTotals | None:
    """Return the parts of a bill as a hospital states them, None without."""
    if split is None:
        return None
    return ScopeTotals(total_fen, *msgspec.structs.astuple(split))


def settlement_of(reading: Reading, claim: ClaimRow) -> Settlement:
    """Return a claim as the interface shows it."""
    result = canonical.decode_own(claim.result, BenefitResult) if claim.result else None
    return Settlement(
        settlement_id=claim.settlement_id,
        stay_id=claim.stay_id,
        state=msgspec.convert(claim.state, Settlement.__annotations__["state"]),
        insured_member=claim.insured_member,
        total_fen=claim.total_fen,
        decision_no=claim.decision_no,
        month=claim.month,
        refusal_code=visited.refusal_of(claim).code if claim.refusal else None,
        benefit=None if result is None else benefit_of(totals_of(claim), result),
        evidence=_evidence(reading, claim),
        opened_at=claim.opened_at,
        changed_at=claim.changed_at,
        period=claim.period,
        period_from_on=claim.period_from_on,
        period_to_on=claim.period_to_on,
        final=claim.final,
        void_month=claim.void_month,
    )


def _evidence(reading: Reading, claim: ClaimRow) -> list[Evidence]:
    """Return the envelopes of a settlement in their order: asked and answered, voided and so."""
    found = []
    for envelope_id in (claim.settle_id, claim.void_id):
        for sent in reading.select(SENT, envelope_id=envelope_id) if envelope_id else ():
            leaf = journal.leaf_of(reading, ACT_SENT, sent.envelope_id)
            index = None if leaf is None else leaf.leaf_index
            found.append(Evidence(sent.envelope_id, "sent", index))
            if sent.answer_id is not None:
                leaf = journal.leaf_of(reading, ACT_TAKEN, sent.answer_id)
                index = None if leaf is None else leaf.leaf_index
                found.append(Evidence(sent.answer_id, "taken", index))
    return found


ROUTER = Router(
    PATH,
    tags=["settlement"],
    route_handlers=[
        identify_person,
        open_stay,
        show_stay,
        add_lines,
        show_lines,
        revoke_lines,
        discharge,
        estimate,
        settle,
        show_settlement,
        void,
        reverse,
    ],
)
