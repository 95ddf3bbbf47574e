"""Every role x agency x action x version of the table, tried over HTTP: exactly the table's answer.

The routes are those of the application, by the action that each names: a page that is added is
tried by itself. What the table says is read here by other code than the node's.
"""

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.testing import TestClient

from tests import toy
from tests.signed_in import cookies, signed_in
from tests.toy import MEMBERS
from tongcheng.kernel import region
from tongcheng.kernel.access.table import TABLE_FILE
from tongcheng.kernel.calendar import parse_local
from tongcheng.kernel.clock import ManualClock
from tongcheng.node.app import actions_of, create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.guard import check_handlers
from tongcheng.node.services import SERVICES
from tongcheng.web.toolkit import ACTION, needs

PACK_FOLDER = region.PACKS_DIR / "jingjinji"
DOCUMENT = yaml.safe_load((PACK_FOLDER / TABLE_FILE).read_text("utf-8"))
ROLES = [role["id"] for role in DOCUMENT["roles"]]
LATER = date(2031, 1, 1)
"""From here on a version of this test's own: Beijing's clerks read no single stay any more."""

DAYS = (date(2025, 12, 31), date(2026, 11, 22), LATER)
UNREACHED = frozenset({"demo.run"})
"""Actions whose pages stand on demonstration nodes only."""


class Try(msgspec.Struct, frozen=True):
    """One route of the console, with something in the place of its parameters."""

    method: str
    path: str
    action: str


def _with_two_versions(folder: Path) -> Path:
    pack = folder / "pack"
    shutil.copytree(PACK_FOLDER, pack)
    rows = msgspec.json.decode(msgspec.json.encode(DOCUMENT["versions"][-1]["rows"]))
    for row in rows:
        if row["role"] == "clerk":
            row["agencies"] = [each for each in row["agencies"] if each != MEMBERS[0]]
    clerk = next(row for row in rows if row["role"] == "clerk")
    actions = [each for each in clerk["actions"] if each != "settlement.stay.read"]
    rows.append({"role": "clerk", "agencies": [MEMBERS[0]], "actions": actions})
    versions = [*DOCUMENT["versions"], {"from_on": LATER, "rows": rows}]
    plain = msgspec.to_builtins(DOCUMENT | {"versions": versions})
    (pack / TABLE_FILE).write_text(yaml.safe_dump(plain, allow_unicode=True), "utf-8")
    return pack


def _allowed(versions: list[Any], role: str, agency: str, action: str, on: date) -> bool:
    """Read the table as a person would: the last version begun, its rows one by one."""
    begun = [one for one in versions if date.fromisoformat(str(one["from_on"])) <= on]
    if not begun:
        return False
    newest = max(begun, key=lambda one: str(one["from_on"]))
    return any(
        row["role"] in {role, "visitor"} and agency in row["agencies"] and action in row["actions"]
        for row in newest["rows"]
    )


def _node(folder: Path, member_id: str, on: date) -> Node:
    clock = ManualClock(parse_local(f"{on} 10:00:00", "Asia/Shanghai"))
    node = toy.toy_node(folder, member_id, toy.Nowhere(), clock, threaded=True, quiet=True)
    node.services = SERVICES
    return node


def _tries(app: Litestar) -> list[Try]:
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            action = handler.opt.get(ACTION)
            if action and isinstance(handler, HTTPRouteHandler):
                path = re.sub(r"\{[^}]*:int\}", "1", route.path)
                path = re.sub(r"\{[^}]*\}", "x", path)
                found += [Try(method, path, action) for method in sorted(handler.http_methods)]
    assert found, "no route of the console"
    return [one for one in found if one.path.startswith("/zh") and one.method in {"GET", "POST"}]


def _passes(answer: Any, *, visitor: bool) -> bool:
    """Tell whether the guard let a request by, whatever the page made of it."""
    location = answer.headers.get("location", "")
    # Signing out leads to the sign-in, too: it takes the cookie back.
    is_asked = location.startswith("/zh/sign-in") and "set-cookie" not in answer.headers
    if visitor and is_asked:
        return False
    return "ACTION_FORBIDDEN" not in answer.text


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped pack, with one more version of the table."""
    return _with_two_versions(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("on", DAYS, ids=str)
@pytest.mark.parametrize("member_id", MEMBERS)
def test_the_console_answers_as_the_table_says(
    tmp_path: Path, pack: Path, member_id: str, on: date
) -> None:
    """No role sees a page that its row does not name, on any of the three nodes, on any day."""
    node = _node(tmp_path, member_id, on)
    app = create_app(node, make_console(node), pages=True, pack_folder=pack)
    versions = yaml.safe_load((pack / TABLE_FILE).read_text("utf-8"))["versions"]
    tries, wrong = _tries(app), []
    with TestClient(app) as client:
        for role in ROLES:
            client.cookies.clear()
            if role != "visitor":
                session = client.blocking_portal.call(_session, node, role, pack)
                client.cookies.update(cookies(session))
            for one in tries:
                answer = client.request(one.method, one.path, follow_redirects=False)
                passed = _passes(answer, visitor=role == "visitor")
                if passed != _allowed(versions, role, member_id, one.action, on):
                    wrong.append((role, one))

    assert wrong == []


async def _session(node: Node, role: str, pack: Path) -> Any:
    return await signed_in(node, role, folder=pack)


def test_every_action_has_a_row_and_every_route_somebody(tmp_path: Path) -> None:
    """No action is forgotten, no page shut to all; what has words is what there is."""
    node = _node(tmp_path, MEMBERS[0], DAYS[1])
    console = make_console(node)
    app = create_app(node, console, pages=True, run_node=False)
    actions = {action.name for action in actions_of(node)}
    in_rows = {each for row in DOCUMENT["versions"][-1]["rows"] for each in row["actions"]}
    routed = {one.action for one in _tries(app)}

    assert in_rows == actions
    assert routed <= actions
    assert [each for each in sorted(actions) if not console.texts.has(f"action.{each}")] == []


@get("/open", sync_to_thread=False)
def _open() -> str:
    return ""


@get("/odd", opt=needs("no.such"), sync_to_thread=False)
def _odd() -> str:
    return ""


@pytest.mark.parametrize("handler", [_open, _odd])
def test_a_page_without_an_action_stops_the_node(handler: HTTPRouteHandler) -> None:
    """Nothing is open by oversight."""
    with pytest.raises(AssertionError, match="opt=needs"):
        check_handlers([handler], ["plan.read"])
