"""After-review of emergency access: what was opened, why, what was read, and the finding.

The reasons can name patients, so each look at this page is an entry of the audit.
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import audit, audit_reading
from tongcheng.kernel.access import accounts, reviews
from tongcheng.kernel.access.reviews import EMERGENCIES, ReviewRow
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.node.pages.grants import view
from tongcheng.node.pages.grants.view import REVIEWS_PATH, Reviewed, ReviewsPage
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

UNPROCESSABLE: Final = 422
OPEN_SHOWN: Final = 20
"""Those due first; a node with more open reviews has another trouble than a short page."""
DECIDED_SHOWN: Final = 20
READS_SHOWN: Final = 20


@get(REVIEWS_PATH, include_in_schema=False, opt=needs("access.review"))
async def reviews_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the open reviews, those due first standing first, and the last findings."""
    return view.reviews(page, await _found(page, request), None, None)


@post(
    REVIEWS_PATH + "/{emergency_id:str}",
    include_in_schema=False,
    opt=needs("access.review"),
)
async def decide(
    page: NamedDependency[Page], request: AnyRequest, emergency_id: FromPath[str]
) -> Response[Any]:
    """Decide one review, with words."""
    node: Node = request.app.state["node"]
    form = await read_form(request)

    def command(tx: Transaction) -> None:
        reviewer = accounts.need(tx, page.reader.account_id)
        finding, words = form.get("finding", ""), form.get("words", "")
        reviews.decide(tx, reviewer, emergency_id, finding, words)

    try:
        await node.run(command)
    except Refused as refusal:
        if refusal.code not in {"REASON_WORDS", "REVIEW_ACTION"}:
            raise
        found = await _found(page, request)
        wrong = (emergency_id, form.get("words", ""))
        return view.reviews(page, found, refusal, wrong, UNPROCESSABLE)
    return see_other(page, REVIEWS_PATH)


async def _found(page: Page, request: AnyRequest) -> ReviewsPage:
    node: Node = request.app.state["node"]
    now_at = node.clock.now()
    reviewer_id = page.reader.account_id

    def reviewed(snapshot: Snapshot, row: ReviewRow) -> Reviewed:
        emergency = snapshot.get(EMERGENCIES, row.emergency_id)
        assert emergency is not None, "a review has its access"
        zone, ring = node.home.region.zone, node.home.ring
        wanted = audit_reading.Wanted(actor=emergency.actor)
        return Reviewed(
            emergency=emergency,
            review=row,
            reader=accounts.need(snapshot, emergency.account_id),
            reviewer=row.reviewer_id and accounts.need(snapshot, row.reviewer_id).display_name,
            reason=reviews.reason_of(ring, emergency),
            words=reviews.words_of(ring, row),
            reads=tuple(audit_reading.entries(snapshot, wanted, zone, limit=READS_SHOWN)),
            may_decide=reviews.may_review(snapshot, emergency, reviewer_id, zone),
        )

    def question(snapshot: Snapshot) -> ReviewsPage:
        return ReviewsPage(
            now_at=now_at,
            overdue=reviews.overdue(snapshot, now_at),
            waiting=tuple(reviewed(snapshot, row) for row in reviews.waiting(snapshot, OPEN_SHOWN)),
            decided=tuple(
                reviewed(snapshot, row) for row in reviews.decided(snapshot, DECIDED_SHOWN)
            ),
            reads=node.reads,
        )

    found = await node.read(question)
    entry = audit.Entry(page.reader.actor, "access.reviews.read", "reviews")
    await node.run(lambda tx: audit.note(tx, entry))
    return found


HANDLERS: tuple[HTTPRouteHandler, ...] = (reviews_page, decide)
