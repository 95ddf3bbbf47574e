"""Who asks for a page of the console, and whether the table of authority lets them.

Every handler of the console names its action; one that names none, or one that no table could
know, stops the node at its start. Nothing is open by oversight.
"""

import contextlib
from collections.abc import Iterable
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler
from litestar.types import HTTPScope

from tongcheng.kernel.access import Reader, allowed, sessions
from tongcheng.kernel.access.acting import Use, acting
from tongcheng.kernel.access.sessions import SignedIn
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, WriterStopped
from tongcheng.node.core import Node
from tongcheng.web import i18n
from tongcheng.web.toolkit import (
    ACTION,
    BEFORE_CHANGE,
    OFFER,
    READER,
    AnyRequest,
    Offer,
    Toolkit,
    path_of,
)

SIGN_IN_PATH: Final = "/sign-in"
SIGN_IN_ACTION: Final = "account.sign_in"
PASSWORD_PATH: Final = "/account/password"  # noqa: S105 the address of a page
EMERGENCY_PATH: Final = "/access/emergency"
COOKIE_BYTES_MAX: Final = 128
SEE_OTHER: Final = 303
UNAUTHORISED: Final = 401

Connection = ASGIConnection[Any, Any, Any, State]


class SessionCookie(msgspec.Struct, frozen=True):
    """The cookie of a session: its name, and whether it travels by TLS only.

    The member is in the name: nodes that share a host's name, as in a demonstration, would else
    sign their readers out of each other.
    """

    name: str
    secure: bool

    @classmethod
    def of(cls, member_id: str, address: str) -> "SessionCookie":
        """Return the cookie of a node that its readers reach at `address`."""
        secure = address.startswith("https://")
        return cls(f"{'__Host-' if secure else ''}tongcheng-{member_id}", secure)

    def read(self, connection: Connection) -> str | None:
        """Return the secret that the browser has sent, or None."""
        value = connection.cookies.get(self.name)
        return value if value is not None and len(value) <= COOKIE_BYTES_MAX else None

    def give(self, answer: Response[Any], secret: str) -> None:
        """Let the browser keep a secret until it is closed; an empty one takes it back."""
        answer.set_cookie(
            Cookie(
                key=self.name,
                value=secret,
                path="/",
                max_age=None if secret else 0,
                secure=self.secure,
                httponly=True,
                samesite="strict",
            )
        )


class Elsewhere(Exception):
    """The reader is asked to another page first, at `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address

    def response(self, request: AnyRequest) -> Response[None]:
        """Send the browser there; a part of a page that refreshes itself takes its page along."""
        if "hx-request" in request.headers:
            headers = {"HX-Redirect": self.address}
            return Response(None, status_code=UNAUTHORISED, headers=headers)
        return Response(None, status_code=SEE_OTHER, headers={"Location": self.address})


def check_handlers(handlers: Iterable[HTTPRouteHandler], actions: Iterable[str]) -> None:
    """Trip on a handler of the console that names no action, or one that there is not."""
    known = frozenset(actions)
    for handler in handlers:
        action = handler.opt.get(ACTION)
        assert action in known, f"{handler}: opt=needs(...) names {action!r}"


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Find out who asks, and let them pass if the table does.

    Raises:
        Elsewhere: a visitor to the sign-in; a password that somebody else gave to its change.
        Refused: ACTION_FORBIDDEN, naming the action and the roles that may.
    """
    action: str | None = handler.opt.get(ACTION)
    if action is None:
        # The one handler of OPTIONS, of which no page here makes use.
        raise MethodNotAllowedException
    use = Use(action, _subject(connection))
    reader = await find_reader(connection, use)
    connection.scope["state"][READER] = reader
    if reader.may(action) and (handler.opt[BEFORE_CHANGE] or not reader.must_change):
        return
    toolkit: Toolkit = connection.app.state["toolkit"]
    language = i18n.language_of_path(path_of(connection))
    assert language is not None, "the console lies under a language"
    # A table that has not begun yet lets nobody sign in: they are told, not sent round in a circle.
    if not reader.signed_in and action != SIGN_IN_ACTION:
        raise Elsewhere("/" + language + SIGN_IN_PATH + _then(connection, language))
    if reader.must_change:
        raise Elsewhere("/" + language + PASSWORD_PATH)
    voice = toolkit.voices[language]
    if reader.may("access.break_glass") and action in connection.app.state["openable"]:
        query = urlencode({"action": use.action, "subject": use.subject})
        address = f"/{language}{EMERGENCY_PATH}?{query}"
        connection.scope["state"][OFFER] = Offer(address, voice.t("node.grants.emergency.offer"))
    roles = voice.t("node.access.list").join(
        voice.of(role.name) for role in _roles_for(connection, action)
    )
    raise Refused(
        "ACTION_FORBIDDEN",
        what=voice.t(f"action.{action}"),
        action=action,
        roles=roles or voice.t("node.access.nobody"),
    )


async def find_reader(connection: Connection, use: Use) -> Reader:
    """Return who asks: by the session of their cookie, else the visitor.

    What was lent to them, and what they opened in an emergency, counts as it does for this use.
    """
    state = connection.app.state
    node: Node = state["node"]
    table: AuthorityTable = state["authority"]
    now_at = node.clock.now()
    cookie: SessionCookie = state["session_cookie"]
    secret = cookie.read(connection)
    if secret is None:
        return allowed.visitor(node.home, table, now_at)

    def question(snapshot: Snapshot) -> tuple[SignedIn, Reader] | None:
        found = sessions.find(snapshot, secret, node.home.region.zone, now_at)
        if found is None:
            return None
        reader = allowed.reader(snapshot, node.home, table, found, secret, now_at)
        return found, acting(snapshot, node.home, table, found.account, reader, use, now_at)

    found = await node.read(question)
    if found is None:
        return allowed.visitor(node.home, table, now_at)
    signed_in, reader = found
    if sessions.is_due(signed_in.session, now_at):
        digest = signed_in.session.secret_digest
        # A full disk stops no one from reading; the session then only ends earlier.
        with contextlib.suppress(Refused, WriterStopped):
            await node.run(lambda tx: sessions.touch(tx, digest))
    return reader


def _subject(connection: Connection) -> str:
    """Return the one subject that an address names, or "" where it names none or several."""
    values = list(connection.path_params.values())
    return str(values[0]).lstrip("/") if len(values) == 1 else ""


def _roles_for(connection: Connection, action: str) -> tuple[Any, ...]:
    node: Node = connection.app.state["node"]
    table: AuthorityTable = connection.app.state["authority"]
    on = local_date(node.clock.now(), node.home.region.zone)
    return table.roles_for(action, node.home.member_id, on)


def _then(connection: Connection, language: str) -> str:
    """Return the query that brings a reader back after the sign-in; a form is not sent again."""
    if cast("HTTPScope", connection.scope)["method"] != "GET":
        return ""
    path = path_of(connection).removeprefix(f"/{language}") or "/"
    query = connection.scope["query_string"].decode("latin-1")
    wanted = f"{path}?{query}" if query else path
    return "" if wanted == "/" else f"?then={quote(wanted, safe='/')}"
