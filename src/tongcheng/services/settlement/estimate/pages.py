"""The address of the estimate: a form that is its own address, so that it can be sent on."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.estimate import form as forms
from tongcheng.services.settlement.estimate.compute import estimate
from tongcheng.services.settlement.estimate.model import Unknown
from tongcheng.services.settlement.estimate.view import ESTIMATE_PATH, page_of
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs


@get(
    ESTIMATE_PATH,
    include_in_schema=False,
    opt=needs("settlement.estimate.read"),
    sync_to_thread=False,
)
def estimate_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the form, and the answer to what it says; nothing of it is kept."""
    node: RunningNode = request.app.state["node"]
    today = local_date(node.clock.now(), node.home.region.zone)
    form = forms.read(node.home, request.query_params, today)
    if form.question is None:
        return page_of(page, node.home, form, None)
    found = estimate(node.home, form.question)
    if isinstance(found, Unknown):
        at_fault = forms.refused(form, found.refused)
        if at_fault is not None:
            return page_of(page, node.home, at_fault, None)
    return page_of(page, node.home, form, found)


HANDLERS: tuple[HTTPRouteHandler, ...] = (estimate_page,)
