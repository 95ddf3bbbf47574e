"""Somebody who is signed in, for tests of pages: an account with a role and an open session.

No password is hashed: the session is started as a right password would. `cookies` goes into an
httpx client, `browser_cookies` into a context of Playwright; both are a node's own::

    http = httpx.AsyncClient(transport=..., cookies=cookies(await signed_in(node, "clerk")))
    context.add_cookies(browser_cookies(session, address))
"""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from tongcheng.kernel.access import accounts, sessions
from tongcheng.kernel.access.accounts import NewAccount, RoleTerm
from tongcheng.kernel.store import Transaction
from tongcheng.node.authority import load_table
from tongcheng.node.core import Node
from tongcheng.node.files import pack_folder
from tongcheng.node.guard import SessionCookie

NO_PASSWORD = "no digest: nobody signs in with it"  # noqa: S105 none at all
EVERY_ROLE = ("clerk", "fund-accountant", "policy-officer", "auditor", "duty-operator", "leader")
"""Everything that one account may have: whoever manages accounts has no other role."""

_BEGUN = date(2020, 1, 1)


class Session(msgspec.Struct, frozen=True):
    """An open session of a made-up person."""

    account_id: str
    cookie: str
    secret: str

    @property
    def form_token(self) -> str:
        """What every form of theirs carries."""
        return sessions.form_token_of(self.secret)


async def signed_in(node: Node, *roles: str, folder: Path | None = None) -> Session:
    """Return a new session on a running node; without roles, of somebody who has nearly all."""
    held = roles or EVERY_ROLE
    region = node.home.region
    table = load_table(folder or pack_folder(region.id), region)
    terms = tuple(RoleTerm(role, _BEGUN) for role in held)

    def command(tx: Transaction) -> Session:
        name = f"t{tx.new_id()}"
        new = NewAccount(name, f"测试{held[0]}", terms, NO_PASSWORD)
        row = accounts.add(tx, table, accounts.OPERATOR, new)
        cookie = SessionCookie.of(node.home.member_id, "").name
        return Session(row.account_id, cookie, sessions.start(tx, row))

    session: Session = await node.run(command)
    return session


def cookies(session: Session) -> dict[str, str]:
    """Return the cookies of a session for an httpx client."""
    return {session.cookie: session.secret}


def browser_cookies(session: Session, address: str) -> list[Any]:
    """Return the cookies of a session for a context of Playwright."""
    return [
        {
            "name": session.cookie,
            "value": session.secret,
            "url": address,
            "httpOnly": True,
            "sameSite": "Strict",
        }
    ]
