"""A region of real processes in which patients keep arriving, for everything that breaks it."""

import asyncio
import subprocess
import sys
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


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours in a process of its own.

    This one knows the tables of other tests too, which would stand in stores that it makes, and
    be missing from the stores of others that it verifies.
    """
    return subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", "from tongcheng.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="package")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Three nodes as processes, and patients who arrive quickly and leave soon."""
    folder, port = tmp_path_factory.mktemp("live"), free_ports(3)
    made = command("up", "--no-serve", "--stays", "0", "--data", str(folder), "--port", str(port))
    assert made.returncode == 0, made.stdout + made.stderr
    demo = lay_out(folder, "jingjinji", port=port)
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
