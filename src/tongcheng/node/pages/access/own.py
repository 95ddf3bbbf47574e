"""One's own account: what one may do, where one is signed in, the password, what one has done."""

import asyncio
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.kernel import audit_reading
from tongcheng.kernel.access import accounts, passwords, sessions
from tongcheng.kernel.access.accounts import STAFF_PASSWORDS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.node.guard import PASSWORD_PATH, SessionCookie
from tongcheng.node.hashing import Hashing
from tongcheng.node.pages.access import view
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

ACCOUNT_PATH: Final = "/account"
ENTRIES_SHOWN: Final = 20
SESSIONS_SHOWN: Final = 20
UNPROCESSABLE: Final = 422


@get(ACCOUNT_PATH, include_in_schema=False, opt=needs("account.own"))
async def account_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve one's own account."""
    node: Node = request.app.state["node"]
    now_at, here = node.clock.now(), sessions.digest_of(_secret(request))

    def question(snapshot: Snapshot) -> view.Own:
        row = accounts.need(snapshot, page.reader.account_id)
        wanted = audit_reading.Wanted(actor=row.actor)
        zone = node.home.region.zone
        return view.Own(
            account=row,
            sessions=tuple(sessions.of_account(snapshot, row, now_at, SESSIONS_SHOWN)),
            here=here,
            entries=tuple(
                audit_reading.entries(snapshot, wanted, zone, limit=ENTRIES_SHOWN),
            ),
        )

    found = await node.read(question)
    return view.own(page, request.app.state["authority"], found, node.reads)


@post(ACCOUNT_PATH + "/sessions", include_in_schema=False, opt=needs("account.own"))
async def end_other_sessions(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """End every session of one's own but this one."""
    node: Node = request.app.state["node"]
    await read_form(request)
    here = sessions.digest_of(_secret(request))
    await node.run(lambda tx: sessions.end_others(tx, page.reader.account_id, here))
    return see_other(page, ACCOUNT_PATH)


@get(
    PASSWORD_PATH,
    include_in_schema=False,
    opt=needs("account.own", before_change=True),
    sync_to_thread=False,
)
def password_page(page: NamedDependency[Page]) -> Response[str]:
    """Serve the form for another password."""
    return view.password(page, None)


@post(PASSWORD_PATH, include_in_schema=False, opt=needs("account.own", before_change=True))
async def change_password(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """Change one's own password; every session ends, and this browser gets a new one."""
    form = await read_form(request)
    try:
        secret = await _change(page, request, form)
    except Refused as refusal:
        if refusal.code not in view.PASSWORD_FAULTS:
            raise
        return view.password(page, refusal.code, UNPROCESSABLE)
    answer = see_other(page, ACCOUNT_PATH)
    request.app.state["session_cookie"].give(answer, secret)
    return answer


async def _change(page: Page, request: AnyRequest, form: dict[str, str]) -> str:
    """Change the password and return the secret of a new session.

    Refuses PASSWORD_WRONG for the old one, also when it is being guessed by an unattended screen,
    PASSWORD_TWICE, PASSWORD_WEAK and PASSWORD_SAME.
    """
    node: Node = request.app.state["node"]
    hashing: Hashing = request.app.state["hashing"]
    account_id, new = page.reader.account_id, form.get("new", "")
    row, known = await node.read(
        lambda snapshot: (
            accounts.need(snapshot, account_id),
            snapshot.get(STAFF_PASSWORDS, account_id),
        )
    )
    assert known is not None, "every account has a password"
    if new != form.get("again"):
        raise Refused("PASSWORD_TWICE")
    passwords.check(new, row.sign_in_name)
    tries = request.app.state["sign_in_tries"]
    tries.check(account_id)
    tries.note(account_id)
    async with hashing.slot():
        if not await asyncio.to_thread(passwords.is_right, known.digest, form.get("old", "")):
            raise Refused("PASSWORD_WRONG")
        # Whoever gave the old one still knows it.
        if await asyncio.to_thread(passwords.is_right, known.digest, new):
            raise Refused("PASSWORD_SAME")
        digest = await asyncio.to_thread(passwords.digest, new, node.home.entropy)
    tries.forgive(account_id)

    def command(tx: Transaction) -> str:
        # Somebody may have given another one while the hashes were computed.
        if not accounts.has_digest(tx, row, known.digest):
            raise Refused("PASSWORD_WRONG")
        changed = accounts.set_password(tx, row.actor, account_id, digest, must_change=False)
        return sessions.start(tx, changed)

    secret: str = await node.run(command)
    return secret


def _secret(request: AnyRequest) -> str:
    cookie: SessionCookie = request.app.state["session_cookie"]
    return cookie.read(request) or ""


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    account_page,
    end_other_sessions,
    password_page,
    change_password,
)
