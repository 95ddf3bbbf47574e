"""The addresses of the pages of cases: read a snapshot, fill the view, render it."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import audit, cases
from tongcheng.kernel.cases import CaseRow
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import cases_view
from tongcheng.services.settlement.cases_view import CASES_PATH, CaseItem, CasePage, CasesPage
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.services.settlement.store import INSTITUTIONS
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs

PAGE_ROWS = 50


@get(CASES_PATH, include_in_schema=False, opt=needs("settlement.cases.read"))
async def cases_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the open cases, those due first standing first."""
    node: RunningNode = request.app.state["node"]
    after = request.query_params.get("after")
    now_at = node.clock.now()

    def question(snapshot: Snapshot) -> CasesPage:
        found = cases.open_cases(snapshot, after=after, limit=PAGE_ROWS)
        counts = cases.count_open(snapshot, now_at)
        items = tuple(CaseItem(row, _hospital(snapshot, row)) for row in found.cases)
        return CasesPage(items, *counts, found.next_after, now_at)

    return cases_view.cases_list(page, await node.read(question))


@get(
    CASES_PATH + "/{case_id:str}",
    include_in_schema=False,
    opt=needs("settlement.case.read"),
)
async def case_page(
    page: NamedDependency[Page], request: AnyRequest, case_id: FromPath[str]
) -> Response[str]:
    """Serve one case with its legs and receipts; the reading is written into the audit."""
    node: RunningNode = request.app.state["node"]
    now_at = node.clock.now()

    def question(snapshot: Snapshot) -> CasePage:
        found = cases.history(snapshot, case_id)
        if found.case.kind != LINE_QUERY.name:
            raise Refused("CASE_UNKNOWN", case=case_id)
        return CasePage(found, _hospital(snapshot, found.case), now_at)

    view = await node.read(question)
    entry = audit.Entry(page.reader.actor, "case.read", case_id)
    await node.run(lambda tx: audit.note(tx, entry))
    return cases_view.case(page, view)


def _hospital(snapshot: Snapshot, row: CaseRow) -> Words:
    """Return the hospital's name, or its code where this node knows no more."""
    code = cases.party_of(snapshot, row.case_id, "hospital") or ""
    place = snapshot.get(INSTITUTIONS, code)
    return Words(code, code) if place is None else Words(place.name_zh, place.name_en)


HANDLERS: tuple[HTTPRouteHandler, ...] = (cases_page, case_page)
