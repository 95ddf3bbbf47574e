"""Starting nodes as child processes, ready when this returns and ended when their parent ends."""

import fcntl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tongcheng.kernel.errors import Refused
from tongcheng.node.core import DATABASE_NAME
from tongcheng.node.files import read_settings

LOG_FILE = "serve.log"
READY_WITHIN_S = 180.0
"""A second or two as a rule; a machine that starts three nodes and a browser needs longer, and the
first start after an upgrade compiles what computes in bulk."""

LOOK_EVERY_S = 0.05
STOP_WITHIN_S = 10.0
LOG_TAIL_CHARACTERS = 600

_COMMAND = "from tongcheng.cli import main; main()"


@dataclass(frozen=True)
class NodeProcess:
    """One node running as a child; its output goes to DIR/serve.log."""

    directory: Path
    member_id: str
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """The process id, for those who want to kill it."""
        return self.process.pid

    def running(self) -> bool:
        """Tell whether the process lives."""
        return self.process.poll() is None

    def stop(self) -> int:
        """End it cleanly, by force if it does not end in time; return its exit code."""
        if self.running():
            self.process.terminate()
        try:
            code = self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            return self.kill()
        self._let_go()
        return code

    def kill(self) -> int:
        """End it at once, as a power cut would; return its exit code."""
        self.process.kill()
        self._let_go()
        return self.process.wait()

    def _let_go(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()


def start_process(
    directory: Path, *, passphrase_file: Path | None = None, ready_within_s: float = READY_WITHIN_S
) -> NodeProcess:
    """Start the node in `directory` and return when it is ready.

    Refuses NODE_NOT_READY, with the end of its log, when it ends or does not answer in time.
    """
    started = spawn(directory, passphrase_file=passphrase_file)
    await_ready(started, ready_within_s=ready_within_s)
    return started


def spawn(directory: Path, *, passphrase_file: Path | None = None) -> NodeProcess:
    """Start the process and return at once; several may so start side by side.

    Refuses STORE_IN_USE when another process has the node: its answers would pass for ours.
    """
    settings = read_settings(directory)
    _check_free(directory)
    words = ["serve", "--data", str(directory), "--until-stdin-closes"]
    if passphrase_file is not None:
        words += ["--passphrase-file", str(passphrase_file)]
    with (directory / LOG_FILE).open("ab") as output:
        # -P: what lies in the folder where somebody calls this is no module of ours.
        process = subprocess.Popen(  # noqa: S603 our own interpreter and our own words
            [sys.executable, "-P", "-c", _COMMAND, *words],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A Ctrl-C reaches the parent only, which then stops its nodes in its own order.
            start_new_session=True,
        )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{settings.port}"
    return NodeProcess(directory, settings.member_id, url, process)


def _check_free(directory: Path) -> None:
    database = directory / DATABASE_NAME
    with database.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("STORE_IN_USE", file=database.name) from None


def await_ready(started: NodeProcess, *, ready_within_s: float = READY_WITHIN_S) -> None:
    """Wait until the node answers /health/ready; end it and refuse NODE_NOT_READY otherwise."""
    until = time.monotonic() + ready_within_s
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while started.running() and time.monotonic() < until:
            if _is_ready(client, started):
                return
            time.sleep(LOOK_EVERY_S)
    started.kill()
    tail = (started.directory / LOG_FILE).read_text("utf-8", "replace")[-LOG_TAIL_CHARACTERS:]
    raise Refused("NODE_NOT_READY", folder=str(started.directory), log=tail.strip())


def _is_ready(client: httpx.Client, started: NodeProcess) -> bool:
    try:
        answer = client.get(f"{started.url}/health/ready").raise_for_status()
        # Another node may have the port: then ours is about to say so and end.
        return bool(answer.json()["member_id"] == started.member_id)
    except (httpx.HTTPError, ValueError, KeyError):
        return False
