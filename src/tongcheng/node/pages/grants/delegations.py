"""Delegations: what one has lent and what one was lent, and the form to lend a colleague a part.

Everybody with an account sees theirs and can end them, also who may give none.
"""

from datetime import date
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel.access import accounts, grants
from tongcheng.kernel.access.accounts import STAFF
from tongcheng.kernel.access.grants import DelegationRow, Offer
from tongcheng.kernel.access.table import ADMINISTRATOR_ROLE, AuthorityTable
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.node.pages.grants import view
from tongcheng.node.pages.grants.view import DELEGATIONS_PATH, DelegationsPage, Lending
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

UNPROCESSABLE: Final = 422
OVER_SHOWN: Final = 20
FORM_FAULTS: Final = frozenset(
    {
        "DELEGATIONS_TOO_MANY",
        "DELEGATION_ACTIONS",
        "DELEGATION_PERIOD",
        "DELEGATION_TO_REVIEWER",
        "DELEGATION_TO_WHOM",
        "REASON_WORDS",
    }
)
"""What is said above the form; anything else is no honest mistake and gets a page of its own."""


@get(DELEGATIONS_PATH, include_in_schema=False, opt=needs("account.own"))
async def delegations_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve one's delegations; `?role=` chooses the role that the form lends from."""
    chosen = request.query_params.get("role", "")
    found = await _found(page, request, chosen)
    return view.delegations(page, request.app.state["authority"], found, {}, None)


@post(DELEGATIONS_PATH, include_in_schema=False, opt=needs("access.delegate"))
async def delegate(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """Lend a colleague a part of a role."""
    node: Node = request.app.state["node"]
    table: AuthorityTable = request.app.state["authority"]
    form = await read_form(request)

    def command(tx: Transaction) -> None:
        mine = accounts.need(tx, page.reader.account_id)
        grants.give(tx, table, mine, _offer(form))

    try:
        await node.run(command)
    except Refused as refusal:
        if refusal.code not in FORM_FAULTS:
            raise
        found = await _found(page, request, form.get("role", ""))
        return view.delegations(page, table, found, form, refusal, UNPROCESSABLE)
    return see_other(page, DELEGATIONS_PATH)


@post(
    DELEGATIONS_PATH + "/{delegation_id:str}/end",
    include_in_schema=False,
    opt=needs("account.own"),
)
async def end(
    page: NamedDependency[Page], request: AnyRequest, delegation_id: FromPath[str]
) -> Response[Any]:
    """End a delegation that one has given or received."""
    node: Node = request.app.state["node"]
    await read_form(request)

    def command(tx: Transaction) -> None:
        grants.end(tx, accounts.need(tx, page.reader.account_id), delegation_id)

    await node.run(command)
    return see_other(page, DELEGATIONS_PATH)


def _offer(form: dict[str, str]) -> Offer:
    """Return what a form offers; days that are none are refused as a wrong period."""
    try:
        begins, ends = (date.fromisoformat(form.get(name, "")) for name in ("from_on", "to_on"))
    except ValueError:
        raise Refused("DELEGATION_PERIOD", days=grants.DAYS_MAX) from None
    actions = [name.removeprefix("do.") for name in form if name.startswith("do.")]
    return Offer(
        form.get("to", ""), form.get("role", ""), actions, begins, ends, form.get("reason", "")
    )


def _shown(rows: list[DelegationRow], on: date) -> list[DelegationRow]:
    """Return those that lend or will, then the latest of those that are over."""
    over = [row for row in rows if row.is_over(on)]
    return [row for row in rows if not row.is_over(on)] + over[:OVER_SHOWN]


async def _found(page: Page, request: AnyRequest, chosen: str) -> DelegationsPage:
    node: Node = request.app.state["node"]
    table: AuthorityTable = request.app.state["authority"]
    on = local_date(node.clock.now(), node.home.region.zone)

    def question(snapshot: Snapshot) -> DelegationsPage:
        mine = accounts.need(snapshot, page.reader.account_id)
        given, received = (
            _shown(rows, on) for rows in grants.of_account(snapshot, mine.account_id)
        )
        staff = {row.account_id: row for row in snapshot.select(STAFF)}
        roles = [role for role in mine.roles_on(on) if grants.lendable(table, node.home, role, on)]
        role = chosen if chosen in roles else next(iter(roles), "")
        lending = Lending(
            roles=tuple(roles),
            role=role,
            actions=tuple(sorted(grants.lendable(table, node.home, role, on))) if role else (),
            colleagues=tuple(
                row
                for row in sorted(staff.values(), key=lambda row: row.display_name)
                if row.state == "open"
                and row.account_id != mine.account_id
                and ADMINISTRATOR_ROLE not in row.roles_on(on)
                and not grants.is_judge(table, node.home, mine, row, [on])
            ),
        )
        reasons = {
            row.delegation_id: grants.reason_of(node.home.ring, row) for row in (*given, *received)
        }
        return DelegationsPage(on, tuple(given), tuple(received), staff, reasons, lending)

    return await node.read(question)


HANDLERS: tuple[HTTPRouteHandler, ...] = (delegations_page, delegate, end)
