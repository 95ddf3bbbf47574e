"""The REST interface of cases: what persons ask a hospital about its bills, and its answers.

The list and every path are the caller's own: another hospital's case does not exist for it.
"""

from typing import Annotated, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from tongcheng.kernel import cases
from tongcheng.kernel.cases import CaseRow, History, ReceiptRow
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import line_query
from tongcheng.services.settlement.api_caller import ID_PATTERN, PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_model import At, Id
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.line_query import HOSPITAL, HospitalAction

PAGE_CASES = 100

CaseId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The case's id.")]
After = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[0-9]{1,15}\.[0-9a-z]{1,64}$(?!\n)",
        description="`next_after` of the page before.",
    ),
]
Words = Annotated[
    str, Meta(max_length=cases.WORDS_CHARACTERS_MAX, description="Text, at most 500 characters.")
]
Role = Literal["person", "hospital", "agency"]


class Case(msgspec.Struct, frozen=True):
    """One case about one line of a stay.

    While it is open it is `owner`'s turn until `due_at`, the first instant that is too late. A
    deadline that is not known yet is null, and `no_deadline` is the code that says why.
    """

    case_id: Id
    kind: str
    stay_id: Id
    line_id: str
    state: str
    opened_at: At
    closed_at: At | None
    owner: Role | None
    due_at: int | None
    overdue: bool
    no_deadline: str | None


class Receipt(msgspec.Struct, frozen=True):
    """One hand-over: who took which action when, and the leaf of the journal that holds it.

    `digest` is the leaf's salted digest, hex: it covers what was said and tells nothing of it.
    """

    case_id: Id
    number: int
    action: str
    role: Role
    at: At
    digest: str
    leaf_index: int


class Step(msgspec.Struct, frozen=True):
    """A hand-over with what was said with it; empty when nothing was."""

    receipt: Receipt
    text: str


class CaseList(msgspec.Struct, frozen=True):
    """Open cases, the one due first standing first; those without a deadline before all."""

    cases: list[Case]
    next_after: str | None


class CaseShown(msgspec.Struct, frozen=True):
    """One case with its hand-overs in their order."""

    case: Case
    steps: list[Step]


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hospital's answer: `explained`, or `corrected` when it takes the line back."""

    action: HospitalAction
    text: Words


@get("/cases")
async def list_cases(request: AnyRequest, after: After = None) -> CaseList:
    """List the caller's open cases, a page at a time, with whose turn it is and until when."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    now_at = node.clock.now()
    page = await node.read(
        lambda snapshot: cases.open_cases(
            snapshot, role=HOSPITAL, party=caller.institution_id, after=after, limit=PAGE_CASES
        )
    )
    await Desk(node).note_read(caller.institution_id, "cases.read", caller.institution_id)
    return CaseList([_case(row, now_at) for row in page.cases], page.next_after)


@get("/cases/{case_id:str}")
async def show_case(request: AnyRequest, case_id: CaseId) -> CaseShown:
    """Show a case with everything that was said in it. The reading is written into the audit."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)

    def question(snapshot: Snapshot) -> tuple[History, dict[int, str]]:
        line_query.query_of(snapshot, HOSPITAL, caller.institution_id, case_id)
        said = line_query.said(snapshot, node.home.ring, case_id)
        return cases.history(snapshot, case_id), said

    found, said = await node.read(question)
    await Desk(node).note_read(caller.institution_id, "case.read", case_id)
    steps = [Step(_receipt(row), said.get(row.number, "")) for row in found.receipts]
    return CaseShown(_case(found.case, node.clock.now()), steps)


@post("/cases/{case_id:str}/answer", status_code=200)
async def answer_case(request: AnyRequest, case_id: CaseId, data: JSONBody[NewAnswer]) -> Receipt:
    """Answer the person; the same answer again gets the same receipt."""
    node: RunningNode = request.app.state.node
    caller = await caller_of(request)
    handed = await node.run(
        lambda tx: line_query.answer_hospital(tx, caller, case_id, data.action, data.text)
    )
    return _receipt(handed.receipt)


def _case(row: CaseRow, now_at: int) -> Case:
    why = cases.undated(row)
    return Case(
        case_id=row.case_id,
        kind=row.kind,
        stay_id=row.subject,
        line_id=row.item,
        state=row.state,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        owner=msgspec.convert(row.owner_role, Role | None),
        due_at=row.due_at,
        overdue=cases.is_late(row, now_at),
        no_deadline=None if why is None else why.code,
    )


def _receipt(row: ReceiptRow) -> Receipt:
    return Receipt(
        case_id=row.case_id,
        number=row.number,
        action=row.action,
        role=msgspec.convert(row.role, Role),
        at=row.at,
        digest=row.digest.hex(),
        leaf_index=row.leaf_index,
    )


ROUTER = Router(PATH, tags=["cases"], route_handlers=[list_cases, show_case, answer_case])
