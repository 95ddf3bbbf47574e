"""Signing in and out. Whatever was wrong, a stranger reads the same words after the same work."""

import asyncio
import re
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from tongcheng.kernel.access import accounts, passwords, sessions
from tongcheng.kernel.access.accounts import STAFF, STAFF_PASSWORDS, StaffPasswordRow, StaffRow
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.node.guard import SIGN_IN_PATH, SessionCookie
from tongcheng.node.hashing import Hashing
from tongcheng.node.limits import remote_address
from tongcheng.node.pages.access import view
from tongcheng.web import Page
from tongcheng.web.forms import check_origin, read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

SAMPLE_PATH: Final = SIGN_IN_PATH + "/sample"
THEN_CHARACTERS_MAX: Final = 512
FORBIDDEN: Final = 403
_LOCAL: Final = re.compile(r"/(?!/)[^\\\x00-\x20\x7f-\uffff]*")
"""A path of ours, without its language: nothing that a browser reads as another host."""


def local_path(then: str) -> str:
    """Return where a reader wanted to go, or the home page for whatever is no path of ours."""
    return then if len(then) <= THEN_CHARACTERS_MAX and _LOCAL.fullmatch(then) else "/"


@get(SIGN_IN_PATH, include_in_schema=False, opt=needs("account.sign_in"))
async def sign_in_page(
    page: NamedDependency[Page], request: AnyRequest, then: FromQuery[str] = "/"
) -> Response[Any]:
    """Serve the form; whoever is signed in is sent to their account."""
    if page.reader.signed_in:
        return see_other(page, "/account")
    return await _form(page, request, view.Attempt(local_path(then)))


@post(SIGN_IN_PATH, include_in_schema=False, opt=needs("account.sign_in"))
async def sign_in(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """Start a session for a name and its password."""
    address, tries = remote_address(request), request.app.state["sign_in_tries"]
    # First of all: else any page of the web could use up the tries of its reader's whole office.
    check_origin(request)
    # Noted before anything is awaited: what comes at one moment has no more tries than the rest.
    tries.check(address)
    tries.note(address)
    form = await read_form(request)
    name, then = form.get("name", ""), local_path(form.get("then", "/"))
    secret = await _try(request, name, form.get("password", ""))
    if secret is None:
        failed = view.Attempt(then, name[: accounts.NAME_CHARACTERS_MAX], failed=True)
        return await _form(page, request, failed, FORBIDDEN)
    tries.forgive(address)
    return _entered(page, request, secret, then)


@post(SAMPLE_PATH, include_in_schema=False, opt=needs("account.sign_in"))
async def sign_in_sample(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """Start a session of a made-up person, on a demonstration node and nowhere else."""
    node: Node = request.app.state["node"]
    form = await read_form(request)
    account_id, then = form.get("account", ""), local_path(form.get("then", "/"))
    if not page.console.demo:
        raise Refused("PATH_UNKNOWN", path=page.path)

    def command(tx: Transaction) -> str | None:
        row = tx.get(STAFF, account_id)
        return _begin(tx, request, row, is_right=row is not None and row.sample)

    secret: str | None = await node.run(command)
    if secret is None:
        return await _form(page, request, view.Attempt(then, failed=True), FORBIDDEN)
    return _entered(page, request, secret, then)


@post("/sign-out", include_in_schema=False, opt=needs("account.sign_in", before_change=True))
async def sign_out(page: NamedDependency[Page], request: AnyRequest) -> Response[Any]:
    """End the session, here and in the browser."""
    node: Node = request.app.state["node"]
    cookie: SessionCookie = request.app.state["session_cookie"]
    await read_form(request)
    secret = cookie.read(request)
    if secret is not None:
        await node.run(lambda tx: sessions.end(tx, secret))
    answer = see_other(page, SIGN_IN_PATH)
    cookie.give(answer, "")
    return answer


async def _try(request: AnyRequest, name: str, password: str) -> str | None:
    """Return the secret of a new session, or None for whatever was wrong.

    The account is read inside the slot: as many tries as there are slots see the same count.
    """
    node: Node = request.app.state["node"]
    hashing: Hashing = request.app.state["hashing"]

    def question(snapshot: Snapshot) -> tuple[StaffRow | None, StaffPasswordRow | None]:
        row = accounts.by_name(snapshot, name)
        return row, None if row is None else snapshot.get(STAFF_PASSWORDS, row.account_id)

    async with hashing.slot():
        row, known = await node.read(question)
        stored = None if known is None else known.digest
        is_right = await asyncio.to_thread(passwords.is_right, stored, password)
        renewed = None
        if is_right and stored is not None and passwords.is_outdated(stored):
            renewed = await asyncio.to_thread(passwords.digest, password, node.home.entropy)

        def command(tx: Transaction) -> str | None:
            # A password that was changed while its hash was computed is the right one no more.
            holds = is_right and row is not None and accounts.has_digest(tx, row, stored)
            secret = _begin(tx, request, row, is_right=holds)
            if secret is not None and row is not None and renewed is not None:
                accounts.rehash(tx, row.account_id, renewed)
            return secret

        secret: str | None = await node.run(command)
    return secret


def _begin(
    tx: Transaction, request: AnyRequest, row: StaffRow | None, *, is_right: bool
) -> str | None:
    """Begin a session; one that this browser had before ends with it."""
    cookie: SessionCookie = request.app.state["session_cookie"]
    secret = sessions.begin(tx, None if row is None else row.account_id, is_right=is_right)
    before = cookie.read(request)
    if secret is not None and before is not None:
        sessions.end(tx, before)
    return secret


def _entered(page: Page, request: AnyRequest, secret: str, then: str) -> Response[Any]:
    answer = see_other(page, then)
    request.app.state["session_cookie"].give(answer, secret)
    return answer


async def _form(
    page: Page, request: AnyRequest, attempt: view.Attempt, status: int = 200
) -> Response[str]:
    node: Node = request.app.state["node"]
    samples: list[StaffRow] = []
    if page.console.demo:
        samples = await node.read(lambda snapshot: snapshot.select(STAFF))
    offered = [row for row in samples if row.sample and row.state == "open"]
    return view.sign_in(page, request.app.state["authority"], attempt, offered, status)


HANDLERS: tuple[HTTPRouteHandler, ...] = (sign_in_page, sign_in, sign_in_sample, sign_out)
