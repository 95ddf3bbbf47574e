"""A region that has lived, served as its members' consoles, for tests of the node's pages."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from litestar import Litestar

from tests.kernel.region_of_nodes import populated
from tests.signed_in import Session, signed_in
from tests.toy import MEMBERS, NOW_AT, Nowhere, toy_accord, toy_node
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.store import Command
from tongcheng.node.app import create_app
from tongcheng.node.console import NAVIGATION, make_console
from tongcheng.node.core import Node
from tongcheng.web.console import NavSection

FIRST, SECOND, THIRD = MEMBERS
NAV = tuple(
    NavSection(section.label_key, items)
    for section in NAVIGATION
    if (items := tuple(one for one in section.items if one.label_key.startswith("node.")))
)
_SEEDS = count()
"""A node that is opened again makes other ids than before."""

LATER_AT = NOW_AT + 60_000


def lived(folder: Path) -> Path:
    """Make a region whose nodes have exchanged and co-signed, and are closed."""
    # In a thread: the browser's driver keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(populated, folder).result()


def node_of(folder: Path, member_id: str) -> Node:
    """Return a member's node that does nothing by itself, not opened yet."""
    node = toy_node(
        folder / member_id,
        member_id,
        Nowhere(),
        ManualClock(LATER_AT),
        threaded=True,
        quiet=True,
        seed=str(next(_SEEDS)),
    )
    node.home.accord_in_force = toy_accord(MEMBERS).accord
    return node


def console_of(node: Node) -> Litestar:
    """Return the application of a node with its console; its services bring no pages."""
    return create_app(node, make_console(node, nav=NAV), pages=True)


def copied(folder: Path, to: Path) -> Path:
    """Return a copy that a test may damage."""
    shutil.copytree(folder, to)
    return to


def run(node: Node, command: Command) -> Any:
    """Run one command on a node that is not open, and return its answer."""

    async def once(node: Node) -> Any:
        return await node.run(command)

    return _opened(node, once)


def auditor_of(node: Node) -> Session:
    """Return a session of somebody who may read nearly all, on a node that is not open."""
    session: Session = _opened(node, signed_in)
    return session


def _opened(node: Node, work: Callable[[Node], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        node.open()
        try:
            return await work(node)
        finally:
            await node.stop()

    # In a thread, as above.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, once()).result()
