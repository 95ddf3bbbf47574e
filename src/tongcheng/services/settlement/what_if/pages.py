"""The address of the what-if over a node's own history: a form, and the last answer."""

from collections.abc import Mapping
from typing import Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from tongcheng.kernel import audit, rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement import overlay, rules
from tongcheng.services.settlement.policy.pages import versions_of
from tongcheng.services.settlement.policy.view import Version
from tongcheng.services.settlement.what_if import view
from tongcheng.services.settlement.what_if.desk import Asked, desk_of
from tongcheng.services.settlement.what_if.view import WHAT_IF_PATH
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

RUN = needs("settlement.what_if.run")
FORM_BYTES_MAX: Final = 786_432
"""A book of a hundred kilobytes, in Chinese, each of its bytes percent-encoded by three."""
KINDS: Final = (rules.KIND, overlay.KIND)


async def _versions(node: RunningNode) -> tuple[Version, ...]:
    found = await node.read(lambda snapshot: versions_of(snapshot, node.home))
    return tuple(each for each in found if each.book.kind in KINDS)


@get(WHAT_IF_PATH, include_in_schema=False, opt=RUN)
async def what_if_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the form, what runs now, and the last answer."""
    node: RunningNode = request.app.state["node"]
    desk = desk_of(node)
    return view.page_of(page, await _versions(node), desk.now, desk.last)


@post(WHAT_IF_PATH, include_in_schema=False, opt=RUN)
async def start_what_if(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    """Begin a replay and lead back to the page; refuses as `Desk.start` and `asked_for`.

    Who asks what stands in the audit before: rules made to fit one person would single them out.
    """
    node: RunningNode = request.app.state["node"]
    form = await read_form(request, FORM_BYTES_MAX)
    asked = asked_for(form, await _versions(node))
    instead_of = "as it was" if asked.old is None else asked.old.digest
    entry = audit.Entry(page.reader.actor, "settlement.what_if.run", asked.new.digest, instead_of)
    await node.run(lambda tx: audit.note(tx, entry))
    desk_of(node).start(node, asked)
    return see_other(page, WHAT_IF_PATH)


def asked_for(form: Mapping[str, str], versions: tuple[Version, ...]) -> Asked:
    """Return what a form asks for; a pasted book goes before a chosen one.

    Refuses WHAT_IF_NO_BOOK, and a pasted text as `rulebook.parse`.
    """
    by_digest = {each.book.digest: each.book for each in versions}
    text = form.get("text", "").strip()
    new: RuleBook | None = by_digest.get(form.get("new", ""))
    if text:
        # Lines of a form end in CR LF, which no file of ours has.
        new = rulebook.parse(text.replace("\r\n", "\n") + "\n")
    if new is None or new.kind not in KINDS:
        raise Refused("WHAT_IF_NO_BOOK")
    return Asked(by_digest.get(form.get("old", "")), new)


HANDLERS: tuple[HTTPRouteHandler, ...] = (what_if_page, start_what_if)
