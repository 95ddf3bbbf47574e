"""The accounts of everybody, for who manages them: names, roles and states, no personal data."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import STAFF, STAFF_PASSWORDS, NewAccount, RoleTerm, StaffRow
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.node.pages.access import view
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

ACCOUNTS_PATH: Final = "/accounts"
ONE_PATH: Final = ACCOUNTS_PATH + "/{account_id:str}"

_STATES: Final[dict[str, Callable[[Transaction, str, str], StaffRow]]] = {
    "lock": accounts.lock,
    "unlock": accounts.unlock,
    "close": accounts.close,
}


@get(ACCOUNTS_PATH, include_in_schema=False, opt=needs("account.manage"))
async def accounts_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve every account with its roles and state, and the form for a new one."""
    node: Node = request.app.state["node"]
    rows, waits = await node.read(_everybody)
    return view.accounts(page, request.app.state["authority"], rows, waits)


def _everybody(snapshot: Snapshot) -> tuple[list[StaffRow], dict[str, int]]:
    waits = {row.account_id: row.waits_until_at for row in snapshot.select(STAFF_PASSWORDS)}
    return snapshot.select(STAFF), waits


@post(ACCOUNTS_PATH, include_in_schema=False, opt=needs("account.manage"))
async def add_account(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Make an account; its first password is shown once, to be handed over."""
    node: Node = request.app.state["node"]
    table: AuthorityTable = request.app.state["authority"]
    form = await read_form(request)
    term = _term(form)
    given = passwords.one_time(node.home.entropy)
    new = NewAccount(
        sign_in_name=form.get("name", ""),
        display_name=form.get("display", "").strip(),
        terms=(term,),
        password=await _digest(request, given),
        must_change=True,
    )
    row = await node.run(lambda tx: accounts.add(tx, table, page.reader.actor, new))
    return view.one_time(page, row, given)


@get(ONE_PATH, include_in_schema=False, opt=needs("account.manage"))
async def one_account(
    page: NamedDependency[Page], request: AnyRequest, account_id: FromPath[str]
) -> Response[str]:
    """Serve one account, with what can be done about it."""
    node: Node = request.app.state["node"]

    def question(snapshot: Snapshot) -> tuple[StaffRow, int]:
        row = accounts.need(snapshot, account_id)
        known = snapshot.get(STAFF_PASSWORDS, account_id)
        return row, 0 if known is None else known.waits_until_at

    row, waits_until_at = await node.read(question)
    return view.one(page, request.app.state["authority"], row, waits_until_at)


@post(ONE_PATH + "/roles", include_in_schema=False, opt=needs("account.manage"))
async def change_roles(
    page: NamedDependency[Page], request: AnyRequest, account_id: FromPath[str]
) -> Response[Any]:
    """Give one more role for a time, or take one away, of those that the page has shown.

    Refuses ACCOUNT_CHANGED where they are others by now: the form says which one by its place.
    """
    node: Node = request.app.state["node"]
    table: AuthorityTable = request.app.state["authority"]
    form = await read_form(request)
    taken, given = form.get("take"), None if "take" in form else _term(form)

    def command(tx: Transaction) -> StaffRow:
        row = accounts.need(tx, account_id)
        if form.get("change_no") != str(row.change_no):
            raise Refused("ACCOUNT_CHANGED", name=row.sign_in_name)
        terms = row.terms
        kept = tuple(term for number, term in enumerate(terms) if str(number) != taken)
        changed = kept if given is None else (*kept, given)
        return accounts.set_roles(tx, table, page.reader.actor, account_id, changed)

    await node.run(command)
    return see_other(page, f"{ACCOUNTS_PATH}/{account_id}")


@post(ONE_PATH + "/state", include_in_schema=False, opt=needs("account.manage"))
async def change_state(
    page: NamedDependency[Page], request: AnyRequest, account_id: FromPath[str]
) -> Response[Any]:
    """Lock an account, open it again, or close it for ever."""
    node: Node = request.app.state["node"]
    change = _STATES.get((await read_form(request)).get("change", ""))
    if change is None:
        raise Refused("FORM_MALFORMED")
    await node.run(lambda tx: change(tx, page.reader.actor, account_id))
    return see_other(page, f"{ACCOUNTS_PATH}/{account_id}")


@post(ONE_PATH + "/password", include_in_schema=False, opt=needs("account.manage"))
async def reset_password(
    page: NamedDependency[Page], request: AnyRequest, account_id: FromPath[str]
) -> Response[str]:
    """Give an account a password for one sign-in, shown once, to be handed over."""
    node: Node = request.app.state["node"]
    await read_form(request)
    if account_id == page.reader.account_id:
        raise Refused("ACCOUNT_OWN")
    given = passwords.one_time(node.home.entropy)
    digest = await _digest(request, given)
    row = await node.run(
        lambda tx: accounts.set_password(
            tx, page.reader.actor, account_id, digest, must_change=True
        )
    )
    return view.one_time(page, row, given)


async def _digest(request: AnyRequest, password: str) -> str:
    node: Node = request.app.state["node"]
    digest: str = await request.app.state["hashing"].run(
        lambda: passwords.digest(password, node.home.entropy)
    )
    return digest


def _term(form: dict[str, str]) -> RoleTerm:
    """Read a role for a time; refuses DAY_MALFORMED."""
    try:
        from_on = date.fromisoformat(form.get("from", ""))
        to_on = date.fromisoformat(form["to"]) if form.get("to") else None
    except ValueError:
        raise Refused("DAY_MALFORMED") from None
    return RoleTerm(form.get("role", ""), from_on, to_on)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    accounts_page,
    add_account,
    one_account,
    change_roles,
    change_state,
    reset_password,
)
