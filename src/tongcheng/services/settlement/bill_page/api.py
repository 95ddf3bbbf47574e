"""The REST interface of bills: links for the settlement sheet, and delegates of a patient."""

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from tongcheng.kernel import audit
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import visited
from tongcheng.services.settlement.api_caller import ID_PATTERN, PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_model import At, Id
from tongcheng.services.settlement.benefit import day
from tongcheng.services.settlement.bill_page import delegates, links
from tongcheng.services.settlement.bill_page.delegates import (
    DelegateIdentity,
    NewDelegate,
    Relationship,
)
from tongcheng.services.settlement.bill_page.links import LINK_DAYS, LINK_DAYS_MAX
from tongcheng.services.settlement.bill_page.pages import SHORT_PATH
from tongcheng.services.settlement.bill_page.store import DELEGATES, DelegateRow

SettlementId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The settlement's id.")]
StayId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The stay's id.")]
LinkId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The link's id.")]
DelegateId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The record's number.")]
Day = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", description="A local day, YYYY-MM-DD."),
]


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What link is wanted: for how many days, for a delegate, and whether earlier ones end."""

    days: Annotated[int, Meta(ge=1, le=LINK_DAYS_MAX)] = LINK_DAYS
    delegate_id: Id | None = None
    end_earlier: bool = False


class Link(msgspec.Struct, frozen=True):
    """A link for the settlement sheet. `path` is shown this once: the node keeps its digest only.

    Print it after the address under which patients reach this node.
    """

    link_id: Id
    path: str
    to_at: At


class EndedLink(msgspec.Struct, frozen=True):
    """A link that opens no more."""

    link_id: Id
    revoked_at: At


class DelegateInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may read the stay's bills for the patient, through which day."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            # Neither controls nor what turns the direction of the sentence that the name stands in.
            pattern=r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+$(?!\n)",
        ),
    ]
    id_number: Annotated[
        str, Meta(pattern=r"^(?=(?:[()-]*[0-9A-Za-z]){4})[0-9A-Za-z()-]{4,50}$(?!\n)")
    ]
    relationship: Relationship
    to_on: Day


class Delegate(msgspec.Struct, frozen=True):
    """A delegate as recorded, without the id number."""

    delegate_id: Id
    name: str
    relationship: str
    recorded_at: At
    to_on: str
    revoked_at: int | None


class DelegateList(msgspec.Struct, frozen=True):
    """Every delegate recorded for a stay, in the order they were."""

    delegates: list[Delegate]


@post("/settlements/{settlement_id:str}/bill-link", status_code=201)
async def make_link(
    request: AnyRequest, settlement_id: SettlementId, data: JSONBody[NewLink]
) -> Link:
    """Make a link to the person's bill of a settlement that stands."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    if not request.app.state.bill_pages:
        raise Refused("BILL_PAGES_CLOSED")
    made: links.MadeLink = await node.run(
        lambda tx: links.make(
            tx,
            caller,
            settlement_id,
            days=data.days,
            delegate_id=data.delegate_id,
            end_earlier=data.end_earlier,
        )
    )
    return Link(made.link.link_id, f"{SHORT_PATH}/{made.token}", made.link.to_at)


@delete("/settlements/{settlement_id:str}/bill-link/{link_id:str}", status_code=200)
async def revoke_link(
    request: AnyRequest, settlement_id: SettlementId, link_id: LinkId
) -> EndedLink:
    """End a link now, with every page that it has open."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    row = await node.run(lambda tx: links.revoke(tx, caller, settlement_id, link_id))
    return EndedLink(row.link_id, row.revoked_at)


@post("/stays/{stay_id:str}/delegates", status_code=201)
async def record_delegate(
    request: AnyRequest, stay_id: StayId, data: JSONBody[DelegateInput]
) -> Delegate:
    """Record who may read a stay's bills for the patient; name and number are kept sealed."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    # A day that no calendar has is refused as DATE_MALFORMED.
    given = NewDelegate(
        DelegateIdentity(data.name, data.id_number), data.relationship, day(data.to_on)
    )
    row = await node.run(lambda tx: delegates.record(tx, caller, stay_id, given))
    return _delegate(row, data.name)


@get("/stays/{stay_id:str}/delegates")
async def list_delegates(request: AnyRequest, stay_id: StayId) -> DelegateList:
    """List every delegate recorded for a stay; the reading is written into the audit."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)

    def question(snapshot: Snapshot) -> list[DelegateRow]:
        visited.stay_of(snapshot, caller, stay_id)
        return snapshot.select(DELEGATES, stay_id=stay_id)

    rows = sorted(await node.read(question), key=lambda row: (row.recorded_at, row.delegate_id))
    entry = audit.Entry(caller.institution_id, "delegates.read", stay_id)
    await node.run(lambda tx: audit.note(tx, entry))
    names = [delegates.identity_of(node.home.ring, row).name for row in rows]
    return DelegateList([_delegate(row, name) for row, name in zip(rows, names, strict=True)])


@delete("/stays/{stay_id:str}/delegates/{delegate_id:str}", status_code=200)
async def revoke_delegate(
    request: AnyRequest, stay_id: StayId, delegate_id: DelegateId
) -> Delegate:
    """End a delegate's right now; links and open pages end with it."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    row = await node.run(lambda tx: delegates.revoke(tx, caller, stay_id, delegate_id))
    return _delegate(row, delegates.identity_of(node.home.ring, row).name)


def _delegate(row: DelegateRow, name: str) -> Delegate:
    return Delegate(
        row.delegate_id, name, row.relationship, row.recorded_at, row.to_on, row.revoked_at
    )


ROUTER = Router(
    PATH,
    tags=["bill"],
    route_handlers=[make_link, revoke_link, record_delegate, list_delegates, revoke_delegate],
)
