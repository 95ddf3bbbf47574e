"""A region of real processes in which patients keep arriving, for everything that breaks it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.kill_loop import free_ports
from tongcheng.cli.demo.live import Arrivals, go_on
from tongcheng.cli.demo.region import DemoRegion, lay_out
from tongcheng.node.launch import NodeProcess, await_ready, spawn


class Live(NamedTuple):
    """A region that runs: where it lies, and its processes by member."""

    folder: Path
    nodes: dict[str, NodeProcess]


@pytest.fixture(scope="package")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Three nodes as processes, and patients who arrive quickly and leave soon."""
    demo = lay_out(tmp_path_factory.mktemp("live"), "jingjinji", port=free_ports(3))
    started = [spawn(directory) for directory in demo.directories]
    nodes = {node.member_id: node for node in started}
    try:
        for node in started:
            await_ready(node)
        with _arriving(demo, nodes):
            yield Live(demo.folder, nodes)
    finally:
        for node in nodes.values():
            node.stop()


@contextmanager
def _arriving(demo: DemoRegion, nodes: dict[str, NodeProcess]) -> Iterator[None]:
    """Let patients arrive in a thread for the time of a block."""
    urls = {member: node.url for member, node in nodes.items()}
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def work() -> None:
        task = asyncio.create_task(go_on(demo, urls, Arrivals("test", 100, 0.1, in_bed_s=(0, 15))))
        loops.append((asyncio.get_running_loop(), task))
        await asyncio.wait([task])

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        yield
    finally:
        for loop, task in loops:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
