"""A node's door: its sign-in over HTTP, and somebody who may use it."""

import re
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from tests import toy
from tests.kernel.access.people import PASSWORD, TABLE, term
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import OPERATOR, NewAccount, StaffRow
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.services import SERVICES

COOKIE = f"tongcheng-{MEMBERS[0]}"
DIGEST = passwords.digest(PASSWORD, SeededEntropy("sign in"))
NEW_PASSWORD = "another four made up words"  # noqa: S105 nobody's


class Door:
    """A node with its console, and somebody called li who has an account."""

    def __init__(self, client: TestClient[Litestar], node: Node) -> None:
        self.client = client
        self.node = node
        self.clock: Any = node.clock
        self.li = self.hire("li")

    def hire(self, name: str, role: str = "clerk", **changes: Any) -> StaffRow:
        """Give somebody an account."""
        new = NewAccount(name, f"测试{name}", (term(role),), DIGEST, **changes)
        row: StaffRow = self.call(self.node.run, lambda tx: accounts.add(tx, TABLE, OPERATOR, new))
        return row

    def call(self, function: Any, *given: Any) -> Any:
        """Run a coroutine function on the application's loop."""
        return self.client.blocking_portal.call(function, *given)

    def post(self, path: str, **fields: str) -> Any:
        """Send a form without following where it leads."""
        return self.client.post(path, data=fields, follow_redirects=False)

    def post_from(self, headers: dict[str, str], path: str, **fields: str) -> Any:
        """Send a form as a browser does from another site."""
        return self.client.post(path, data=fields, headers=headers, follow_redirects=False)

    def get(self, path: str) -> Any:
        """Open a page without following where it leads."""
        return self.client.get(path, follow_redirects=False)

    def sign_in(self, name: str = "li", password: str = PASSWORD, **fields: str) -> Any:
        """Send the form of the sign-in."""
        return self.post("/zh/sign-in", name=name, password=password, **fields)

    def change(self, path: str, what: str, **fields: str) -> Any:
        """Send a form of an account's page as it is shown now."""
        found = re.search(r'name="change_no" value="([0-9]+)"', self.get(path).text)
        shown = {} if found is None else {"change_no": found.group(1)}
        return self.post(f"{path}/{what}", **fields, **shown)

    def token(self, path: str = "/zh/account") -> str:
        """Return the token of a page's forms."""
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(path).text)
        return found.group(1) if found else ""


def opened(folder: Path, **settings: Any) -> tuple[TestClient[Litestar], Node]:
    """Return a node that is not open yet, and what asks its console."""
    clock = ManualClock(NOW_AT)
    node = toy.toy_node(folder, MEMBERS[0], toy.Nowhere(), clock, threaded=True, quiet=True)
    node.services = SERVICES
    app = create_app(node, make_console(node, **settings), pages=True)
    return TestClient(app), node
