"""A node that serves is ready when what its services compile is compiled, and not before."""

import threading
import time
from pathlib import Path

from litestar.testing import TestClient

from tests import toy
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.service import Service
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.services.settlement.batch.run import BACKEND
from tongcheng.services.settlement.service import SERVICE as SETTLEMENT


def made(folder: Path) -> Node:
    """Return a node that is not open yet."""
    return toy.toy_node(folder, MEMBERS[0], toy.Nowhere(), ManualClock(NOW_AT), threaded=True)


def test_not_ready_while_it_compiles(tmp_path: Path) -> None:
    """503 with a code until the thread is through; alive all the time."""
    go_on = threading.Event()
    service = Service(name="warm_toy", warm=(go_on.wait,))
    node = made(tmp_path)
    node.services = (service,)
    node.warm()
    with TestClient(create_app(node, make_console(node))) as client:
        waiting = client.get("/health/ready")
        alive = client.get("/health/live")
        go_on.set()
        until = time.monotonic() + 10
        while not node.is_warm and time.monotonic() < until:
            time.sleep(0.01)
        ready = client.get("/health/ready")

    assert (waiting.status_code, waiting.json()["code"]) == (503, "NODE_WARMING")
    assert alive.status_code == ready.status_code == 200


def test_a_node_that_was_not_told_to_warm_is_warm(tmp_path: Path) -> None:
    """A command of one shot compiles nothing."""
    assert made(tmp_path).is_warm


def test_settlement_compiles_its_kernel() -> None:
    """What a node does before it is ready, and may do again."""
    (step,) = SETTLEMENT.warm

    step()
    assert BACKEND in {"numba", "python"}
