"""The REST interface: a whole stay in one call, for systems that hold the bill until its end."""

from typing import Annotated

import msgspec
from litestar import MediaType, Response, Router, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from msgspec import Meta

from tongcheng.kernel import sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import messages
from tongcheng.services.settlement.api import (
    IdempotencyKey,
    WaitMs,
    line_input,
    settlement_of,
    stated_split,
    undecided,
)
from tongcheng.services.settlement.api_caller import PATH, AnyRequest, ask_as_caller
from tongcheng.services.settlement.api_model import (
    LINES_MAX,
    At,
    Fen,
    Id,
    NewLine,
    PersonQuery,
    Settlement,
    Split,
)
from tongcheng.services.settlement.desk import HOSPITAL_WAIT_MS
from tongcheng.services.settlement.messages import REST, MessageKey
from tongcheng.services.settlement.one_call import PENDING, Before, OneCall, Person, WholeStay
from tongcheng.services.settlement.store import ClaimRow


class NewSettlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stay from admission to discharge with its whole bill.

    `patient` is the id of a person identified before, or whom to ask for as in
    `/persons/identify`. Without `scheme` it is the one that the insured side names. The lines must
    come to `total_fen`, and to `split` if it is stated.
    """

    patient: Id | PersonQuery
    inpatient_no: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,30}$(?!\n)")]
    admitted_at: At
    discharged_at: At
    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=LINES_MAX)]
    total_fen: Fen
    split: Split | None = None
    scheme: Annotated[str, Meta(pattern=r"^[0-9]{3,6}$(?!\n)")] | None = None
    emergency: bool = False


@post(
    "/settlements",
    status_code=200,
    responses={
        200: ResponseSpec(
            data_container=Settlement, generate_examples=False, description="The settlement."
        ),
        202: ResponseSpec(
            data_container=Settlement,
            generate_examples=False,
            description="Undecided: look at Location, or send the same call again to wait on.",
        ),
    },
)
async def settle_whole_stay(
    request: AnyRequest,
    data: JSONBody[NewSettlement],
    idempotency_key: IdempotencyKey,
    wait_ms: WaitMs = HOSPITAL_WAIT_MS,
) -> Response[bytes]:
    """Bring a stay whole and settle it: what identify, stays, lines, discharge and settlement do.

    What is refused makes no stay. The same call under the same key gets the same answer; a stay
    that is settled already gets its settlement under any key, if it is the same to the line.
    """
    node: RunningNode = request.app.state.node
    stay, digest = _whole(data), digest_of(node.home, data)

    def question(reading: Reading, caller: Caller) -> tuple[OneCall, Before]:
        key = MessageKey(caller.institution_id, REST, idempotency_key)
        call = OneCall(node, caller, key, digest, wait_ms)
        return call, call.look(reading, stay)

    call, before = await ask_as_caller(request, question)
    try:
        final = await call.answer(stay, before, _written)
    except Refused as pending:
        if pending.code != PENDING:
            raise
        return await _undecided(node, call.caller, str(pending.facts["settlement"]))
    return Response(final, media_type=MediaType.JSON)


async def _undecided(node: RunningNode, caller: Caller, settlement_id: str) -> Response[bytes]:
    shown = await undecided(node, caller, settlement_id)
    written = msgspec.json.encode(shown.content)
    return Response(written, status_code=202, headers=shown.headers, media_type=MediaType.JSON)


def digest_of(home: Home, data: NewSettlement) -> str:
    """Return the digest of a call; of an id number only its keyed index goes into it.

    All else that is in the call is kept here in the clear: a plain digest would let whoever reads
    the store try id numbers against it.
    """
    if isinstance(data.patient, PersonQuery):
        index = sealing.index(home.ring, data.patient.id_number)
        data = msgspec.structs.replace(data, patient=f"{index} {data.patient.admdvs or ''}")
    return messages.digest_of(b"whole stay\n" + msgspec.json.encode(data))


def _whole(data: NewSettlement) -> WholeStay:
    given = data.patient
    return WholeStay(
        patient=given if isinstance(given, str) else Person(given.id_number, given.admdvs),
        scheme=data.scheme,
        inpatient_no=data.inpatient_no,
        admitted_at=data.admitted_at,
        emergency=data.emergency,
        lines=[line_input(one) for one in data.lines],
        discharged_at=data.discharged_at,
        total_fen=data.total_fen,
        split=stated_split(data.total_fen, data.split),
    )


def _written(reading: Reading, claim: ClaimRow) -> bytes:
    return msgspec.json.encode(settlement_of(reading, claim))


ROUTER = Router(PATH, tags=["settlement"], route_handlers=[settle_whole_stay])
