"""A region as `tongcheng up` starts it: one command, a process a node, on ports of its own."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tongcheng.node.files import node_directories, read_settings

COMMAND = "from tongcheng.cli import main; main()"
READY_WITHIN_S = 120
STOP_WITHIN_S = 30
SERVING = "keep serving"
"""What `up` says when the stays before the live part are settled."""


@dataclass(frozen=True)
class Region:
    """A running demonstration: its folder, and each member's address."""

    folder: Path
    urls: dict[str, str]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours against it, as a user would in another window."""
        return subprocess.run(  # noqa: S603 our own interpreter and words
            [sys.executable, "-c", COMMAND, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_WITHIN_S,
        )


@contextlib.contextmanager
def up(folder: Path, *, stays: int, pace: float) -> Iterator[Region]:
    """Start a region in an empty folder; it ends by Ctrl-C, which must be clean."""
    words = ["up", "--data", str(folder), "--stays", str(stays), "--pace", str(pace)]
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 our own interpreter and words
            [sys.executable, "-c", COMMAND, *words, "--port", str(_free_ports(3))],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, log)
        settings = [read_settings(each) for each in node_directories(folder)]
        yield Region(folder, {one.member_id: one.address for one in settings})
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(STOP_WITHIN_S)
    assert code == 0, log.read_text("utf-8")


def _await(process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while SERVING not in log.read_text("utf-8"):
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < until, log.read_text("utf-8")
        time.sleep(0.1)


def _free_ports(count: int) -> int:
    """Return the first of some ports in a row that are free now."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                for other in range(port + 1, port + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", other))
                return port
