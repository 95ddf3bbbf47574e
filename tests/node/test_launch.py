"""Real processes: ready when they say so, clean at the end, gone with their parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.node import files, launch
from tongcheng.node.files import Settings
from tongcheng.node.launch import NodeProcess
from tongcheng.node.limits import REFUSALS_MAX

PARENT = (
    "import sys, time; from pathlib import Path; from tongcheng.node.launch import start_process; "
    "print(start_process(Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node on a free port of this machine."""
    port = _free_port()
    settings = Settings(
        member_id="tianjin-hsb",
        region="jingjinji",
        address=f"http://127.0.0.1:{port}",
        port=port,
        console="open",
    )
    files.create(tmp_path / "tianjin", settings, SystemEntropy(), None)
    return tmp_path / "tianjin"


@pytest.fixture
def running(folder: Path) -> Iterator[NodeProcess]:
    """The node as a child process."""
    started = launch.start_process(folder)
    yield started
    started.kill()


def test_node_answers_and_ends_cleanly(running: NodeProcess) -> None:
    """Ready means: it answers, and nobody else may start it. SIGTERM means: exit code 0."""
    page = httpx.get(f"{running.url}/zh", trust_env=False)
    with pytest.raises(Refused) as second:
        launch.start_process(running.directory)
    code = running.stop()

    assert page.status_code == 200
    assert second.value.code == "STORE_IN_USE"
    assert code == 0
    assert not (running.directory / "node.sqlite-wal").exists()
    log = (running.directory / launch.LOG_FILE).read_text()
    assert running.url in log.splitlines()[0]
    assert "Traceback" not in log


def test_what_lies_around_is_not_imported(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the folder where somebody starts a node does not stand in for a library."""
    (tmp_path / "msgspec.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)

    started = launch.start_process(folder)

    assert started.stop() == 0


def test_behind_a_proxy_each_caller_has_its_own_share(running: NodeProcess) -> None:
    """A stranger's refusals lock out nobody else who comes by the same proxy on this machine."""

    def status(address: str) -> int:
        headers = {"x-forwarded-for": address, "authorization": "Bearer wrong"}
        return client.get("/api/settlement/v1/stays/x", headers=headers).status_code

    with httpx.Client(base_url=running.url, trust_env=False) as client:
        stranger = [status("10.0.0.9") for _ in range(REFUSALS_MAX + 1)]
        other = status("10.0.0.8")
        metrics = client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code

    assert stranger[-1] == 429
    assert 429 not in (*stranger[:-1], other)
    assert metrics == 403


def test_killed_node_starts_again(running: NodeProcess) -> None:
    """What a power cut leaves behind is enough to go on; Ctrl-C then is an ordinary end."""
    running.kill()
    again = launch.start_process(running.directory)
    again.process.send_signal(signal.SIGINT)

    assert again.process.wait(20) == 0
    again.kill()


def test_port_in_use_is_a_message(folder: Path) -> None:
    """A port that another program has is named; there is no traceback."""
    settings = files.read_settings(folder)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", settings.port))
        other.listen()
        with pytest.raises(Refused) as refused:
            launch.start_process(folder)

    assert "ADDRESS_IN_USE" in str(refused.value.facts["log"])
    assert "Traceback" not in str(refused.value.facts["log"])


def test_node_ends_with_its_parent(folder: Path) -> None:
    """A parent that is killed leaves no node behind."""
    parent = subprocess.Popen(  # noqa: S603 our own interpreter and our own words
        [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 30
    while _lives(pid) and time.monotonic() < until:
        time.sleep(0.05)

    assert not _lives(pid)


def _lives(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
