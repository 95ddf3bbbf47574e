"""The REST interface of estimates: what a stay would cost a person, before it begins."""

import asyncio
from typing import Annotated, Literal

import msgspec
from litestar import Router, post
from litestar.params import JSONBody
from msgspec import Meta

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import bills, visited
from tongcheng.services.settlement.api import line_input
from tongcheng.services.settlement.api_caller import PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_explain import Because, because, voice_of
from tongcheng.services.settlement.api_model import LINES_MAX, Benefit, Id, NewLine, benefit_of
from tongcheng.services.settlement.catalogue_store import Dated
from tongcheng.services.settlement.checks import NewBill
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.explain import explain
from tongcheng.services.settlement.explaining import books_of
from tongcheng.services.settlement.model import (
    ESTIMATE,
    EstimateAsk,
    EstimatedBody,
    Fen,
    ScopeTotals,
    StayFacts,
)
from tongcheng.services.settlement.persons import ASK_DEADLINE_MS
from tongcheng.services.settlement.preflight import BillRefused, first_error
from tongcheng.services.settlement.rules import LEVELS, Subtype
from tongcheng.services.settlement.store import InstitutionRow, PatientRow

STAY_ID = "estimate"
"""The id of a stay that is not there."""


class NewEstimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stay that is being thought about: lines, or an amount in scope, of which one is given.

    `total_fen` is the whole bill where only an amount is given: the rest is not covered.
    `language` brings the explanation's sentences.
    """

    person_id: Id
    in_scope_fen: Fen | None = None
    total_fen: Fen | None = None
    lines: Annotated[list[NewLine], Meta(max_length=LINES_MAX)] = []
    emergency: bool = False
    language: Literal["zh", "en"] | None = None


class OtherLevel(msgspec.Struct, frozen=True):
    """The same stay in a hospital of another level: the person's part, or why it is not known."""

    hospital_level: int
    person_fen: int | None
    refusal_code: str | None


class EstimateMade(msgspec.Struct, frozen=True):
    """What the decision would be if it were taken at this moment, why, and at other levels."""

    benefit: Benefit
    scope: Because
    payers: Because
    other_levels: list[OtherLevel]


@post("/estimates", status_code=200)
async def make_estimate(request: AnyRequest, data: JSONBody[NewEstimate]) -> EstimateMade:
    """Ask what a stay here would cost a person; nothing is stored and nothing is promised."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    patient = await node.read(lambda s: visited.patient_of(s, caller, data.person_id))
    totals = await _totals(node, caller, data)
    facts = await node.read(lambda s: _facts(s, node, caller, patient, totals, data))
    await Desk(node).note_read(caller.institution_id, "estimate.read", data.person_id)
    answer = await _ask(node, patient, facts)
    others = [level for level in LEVELS if level != facts.hospital_level]
    levels = await asyncio.gather(*(_at_level(node, patient, facts, each) for each in others))
    found = explain(totals, answer.result, (), books_of(node.home, answer.result))
    voice = voice_of(request, data.language)
    return EstimateMade(
        benefit=benefit_of(totals, answer.result),
        scope=because(found.scope, voice),
        payers=because(found.payers, voice),
        other_levels=levels,
    )


async def _totals(node: RunningNode, caller: Caller, data: NewEstimate) -> ScopeTotals:
    """Return the split of the expected bill; refuses a bill of neither lines nor an amount."""
    if data.lines:
        given = NewBill(
            lines=tuple(line_input(one) for one in data.lines), person_id=data.person_id
        )
        checked = await Desk(node).preflight_bill(caller, given)
        fault = first_error(checked.findings)
        if fault is not None:
            raise BillRefused(fault, checked.findings)
        assert checked.totals is not None, "lines without a fault could be split"
        return checked.totals
    in_scope = data.in_scope_fen
    if in_scope is None:
        raise Refused("ESTIMATE_WITHOUT_AMOUNT")
    total = in_scope if data.total_fen is None else data.total_fen
    if total < in_scope:
        raise Refused("TOTALS_DO_NOT_ADD_UP", total_fen=total)
    return ScopeTotals(total, total - in_scope, 0, 0, in_scope)


def _facts(
    snapshot: Snapshot,
    node: RunningNode,
    caller: Caller,
    patient: PatientRow,
    totals: ScopeTotals,
    data: NewEstimate,
) -> StayFacts:
    """Return a stay of one day, today, in the caller's hospital."""
    place: InstitutionRow = visited.institution(snapshot, caller)
    today = local_date(node.clock.now(), node.home.region.zone)
    on = today.isoformat()
    return StayFacts(
        stay_id=STAY_ID,
        period=1,
        period_from_on=on,
        period_to_on=on,
        final=True,
        person_id=patient.person_id,
        scheme=patient.scheme,
        insured_admdvs=patient.admdvs,
        institution_id=place.institution_id,
        institution_admdvs=place.admdvs,
        hospital_level=place.hospital_level,
        hospital_subtype=msgspec.convert(place.hospital_subtype, Subtype | None),
        emergency=data.emergency,
        admitted_on=on,
        discharged_on=on,
        totals=totals,
        catalogue=Dated(snapshot, node.home, place.catalogue).digest(today),
        lines_root=bills.lines_root([]),
        line_count=0,
    )


async def _ask(node: RunningNode, patient: PatientRow, facts: StayFacts) -> EstimatedBody:
    try:
        answer: EstimatedBody = await node.exchange.ask(
            patient.insured_member,
            Reply(ESTIMATE, EstimateAsk(facts)),
            deadline_ms=ASK_DEADLINE_MS,
        )
    except Unreachable as silent:
        raise Refused("INSURED_SIDE_SILENT", member=silent.peer) from None
    return answer


async def _at_level(
    node: RunningNode, patient: PatientRow, facts: StayFacts, level: int
) -> OtherLevel:
    """Ask the same of a hospital of another level; what is not known there is no fault here."""
    try:
        answer = await _ask(node, patient, msgspec.structs.replace(facts, hospital_level=level))
    except Refused as refused:
        return OtherLevel(level, None, refused.code)
    return OtherLevel(level, answer.result.person_fen, None)


ROUTER = Router(PATH, tags=["settlement"], route_handlers=[make_estimate])
