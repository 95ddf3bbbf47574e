"""Emergency access: the form that says what follows, before one record is opened."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel.access import Action, accounts, reviews
from tongcheng.kernel.access.reviews import Glass
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.node.core import Node
from tongcheng.node.guard import EMERGENCY_PATH
from tongcheng.node.pages.grants import view
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import ACTION, AnyRequest, needs

UNPROCESSABLE: Final = 422
_SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,159}")
FORM_FAULTS: Final = frozenset({"EMERGENCIES_TOO_MANY", "REASON_WORDS"})


@get(EMERGENCY_PATH, include_in_schema=False, opt=needs("access.break_glass"))
async def emergency_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the form for one record: `?action=` what is to be seen, `?subject=` of which record."""
    query = request.query_params
    action, subject = query.get("action", ""), query.get("subject", "")
    _path(request, action, subject)
    return view.emergency(page, action, subject, "", None)


@post(EMERGENCY_PATH, include_in_schema=False, opt=needs("access.break_glass"))
async def break_glass(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """Open one record for half an hour, and go there."""
    node: Node = request.app.state["node"]
    form = await read_form(request)
    action, subject, reason = (form.get(name, "") for name in ("action", "subject", "reason"))
    path = _path(request, action, subject)
    if page.may(action):
        return see_other(page, path)

    def command(tx: Transaction) -> None:
        account = accounts.need(tx, page.reader.account_id)
        reviews.break_glass(tx, account, Glass(action, subject, reason))

    try:
        await node.run(command)
    except Refused as refusal:
        if refusal.code not in FORM_FAULTS:
            raise
        return view.emergency(page, action, subject, reason, refusal, UNPROCESSABLE)
    return see_other(page, path)


def openable(
    handlers: Iterable[HTTPRouteHandler], actions: Iterable[Action]
) -> Mapping[str, str]:  # fmt: skip
    """Return action → address, with one gap for the subject, of what an emergency can open.

    Those are the pages that show personal data of one subject; a list of persons never.
    """
    personal = {action.name for action in actions if action.personal}
    found: dict[str, str] = {}
    for handler in handlers:
        action = handler.opt[ACTION]
        for path in sorted(handler.paths, key=len):
            begins, gap, ends = path.partition("{")
            name, _, rest = ends.partition("}")
            if action in personal and gap and not rest and name.endswith((":str", ":int", ":path")):
                found.setdefault(action, begins)
    return found


def _path(request: AnyRequest, action: str, subject: str) -> str:
    """Return where a record is shown; refuses EMERGENCY_SUBJECT for what is no record."""
    begins = request.app.state["openable"].get(action)
    if begins is None or not _SUBJECT.fullmatch(subject) or ".." in subject:
        raise Refused("EMERGENCY_SUBJECT")
    return f"{begins}{subject}"


HANDLERS: tuple[HTTPRouteHandler, ...] = (emergency_page, break_glass)
