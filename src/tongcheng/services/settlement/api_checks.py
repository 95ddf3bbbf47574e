"""The REST interface before a settlement: pre-flight checks, and the mapping of codes.

Checks change nothing and may be called as often as one likes. The mapping is the caller's own.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement import mapping, visited
from tongcheng.services.settlement.api import line_input
from tongcheng.services.settlement.api_caller import ID_PATTERN, PATH, AnyRequest, caller_of
from tongcheng.services.settlement.api_model import LINES_MAX, At, Code, Fen, Id, NewLine, Split
from tongcheng.services.settlement.checks import Checked, NewBill, Stated
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.mapping import STRICT, Mapped
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.preflight import Finding as FoundHere

MAPPINGS_MAX = 1_000
"""Rows of one call; a longer table is put in parts."""

StayId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="The stay's id.")]
After = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[^\x00-\x1f\x7f]{1,150}$(?!\n)",
        description="`next_after` of the page before.",
    ),
]
Limit = Annotated[int, QueryParameter(ge=1, le=mapping.PAGE_MAX, description="Rows of the page.")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", description="A day.")]
ItemCode = Annotated[
    str,
    Meta(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="A code."),
]


class StatedBill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the hospital bills, if the lines are to be compared with it."""

    total_fen: Fen | None = None
    split: Split | None = None


class UncheckedBill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bill of which nothing is uploaded yet. What is left out is not checked."""

    lines: Annotated[list[NewLine], Meta(max_length=LINES_MAX)]
    admitted_at: At | None = None
    discharged_at: At | None = None
    person_id: Id | None = None
    scheme: Annotated[str, Meta(pattern=r"^[0-9]{3,6}$(?!\n)")] | None = None
    person_type: Literal["active", "retired", "resident", "child", "elder"] | None = None
    total_fen: Fen | None = None
    split: Split | None = None


class Words(msgspec.Struct, frozen=True):
    """What is wrong and what to do, in one language."""

    what: str
    do: str


class Finding(msgspec.Struct, frozen=True):
    """One finding. An `error` would be refused under the same code; a `warning` would pass."""

    code: str
    severity: Literal["error", "warning"]
    line_id: str | None
    facts: dict[str, str | int]
    zh: Words
    en: Words


class Findings(msgspec.Struct, frozen=True):
    """All that was found, errors first; `totals` when every line could be split."""

    errors: int
    warnings: int
    findings: list[Finding]
    totals: ScopeTotals | None


class MappingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the hospital's own codes and the national one it stands for; days inclusive."""

    hospital_code: Code
    item_code: ItemCode
    from_on: Day
    to_on: Day | None = None


class NewMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that are put all or none; one of the same code and first day is replaced.

    `strict`: refuse lines whose code is not mapped; left out, it stays as it is.
    """

    rows: Annotated[list[MappingEntry], Meta(max_length=MAPPINGS_MAX)]
    strict: bool | None = None


class MappingPut(msgspec.Struct, frozen=True):
    """How many rows were put."""

    count: int


class MappingPage(msgspec.Struct, frozen=True):
    """A page of the table by code and day; `next_after` begins the next one, null at the end."""

    rows: list[MappingEntry]
    strict: bool
    next_after: str | None


@post("/stays/{stay_id:str}/preflight", status_code=200)
async def check_stay(request: AnyRequest, stay_id: StayId, data: JSONBody[StatedBill]) -> Findings:
    """Check a stay and its lines as they are kept here; everything found at once."""
    caller, desk = await caller_of(request), Desk(request.app.state.node)
    checked = await desk.preflight(caller, stay_id, _stated(data.total_fen, data.split))
    await desk.note_read(caller.institution_id, "stay.read", stay_id)
    return _findings(request, checked)


@post("/preflight", status_code=200)
async def check_bill(request: AnyRequest, data: JSONBody[UncheckedBill]) -> Findings:
    """Check a bill before it is uploaded: the faults of all lines, not only the first."""
    caller = await caller_of(request)
    given = NewBill(
        lines=tuple(line_input(one) for one in data.lines),
        admitted_at=data.admitted_at,
        discharged_at=data.discharged_at,
        stated=_stated(data.total_fen, data.split),
        person_id=data.person_id,
        scheme=data.scheme,
        person_type=data.person_type,
    )
    return _findings(request, await Desk(request.app.state.node).preflight_bill(caller, given))


@put("/mapping", status_code=200)
async def put_mapping(request: AnyRequest, data: JSONBody[NewMapping]) -> MappingPut:
    """Add rows to the caller's mapping of codes, or end them; none is ever lost."""
    caller = await caller_of(request)
    rows = [_mapped(row) for row in data.rows]
    node: RunningNode = request.app.state.node
    count: int = await node.run(
        lambda tx: mapping.put(tx, caller.institution_id, rows, strict=data.strict)
    )
    return MappingPut(count)


@get("/mapping")
async def show_mapping(
    request: AnyRequest, after: After = None, limit: Limit = mapping.PAGE_MAX
) -> MappingPage:
    """Show a page of the caller's mapping of codes."""
    caller = await caller_of(request)
    node: RunningNode = request.app.state.node
    place = await node.read(lambda s: visited.institution(s, caller))
    rows, next_after = await node.read(
        lambda s: mapping.page(s, caller.institution_id, after, limit)
    )
    entries = [
        MappingEntry(row.hospital_code, row.item_code, row.valid_from, row.valid_to) for row in rows
    ]
    return MappingPage(entries, place.mapping == STRICT, next_after)


def _stated(total_fen: int | None, split: Split | None) -> Stated | None:
    if total_fen is None:
        return None
    if split is None:
        return Stated(total_fen)
    return Stated(total_fen, ScopeTotals(total_fen, *msgspec.structs.astuple(split)))


def _mapped(row: MappingEntry) -> Mapped:
    """Return a row as the table takes it; the pattern was checked, the day may not exist."""
    days: list[date | None] = []
    for text in (row.from_on, row.to_on):
        try:
            days.append(None if text is None else date.fromisoformat(text))
        except ValueError:
            raise Refused("DATE_MALFORMED", given=str(text)) from None
    from_on, to_on = days
    assert from_on is not None, "the first day is required"
    return Mapped(row.hospital_code, row.item_code, from_on, to_on)


def _findings(request: AnyRequest, checked: Checked) -> Findings:
    errors: Catalogue = request.app.state.console.errors
    return Findings(
        errors=checked.errors,
        warnings=len(checked.findings) - checked.errors,
        findings=[_finding(errors, one) for one in checked.findings],
        totals=checked.totals,
    )


def _finding(errors: Catalogue, one: FoundHere) -> Finding:
    said: dict[str, Any] = {}
    for language in ("zh", "en"):
        words = errors.render(Refused(one.code, **one.facts), language)
        said[language] = Words(words.what, words.do)
    return Finding(one.code, one.severity, one.line_id, one.facts, **said)


ROUTER = Router(
    PATH,
    tags=["settlement"],
    route_handlers=[check_stay, check_bill, put_mapping, show_mapping],
)
