"""`tongcheng simulate-nation`: run, stop, go on, and notice, with processes killed for real."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.simulation.nation import sources

pytestmark = pytest.mark.timeout(300)

TOOK = ("processor_seconds", "memory_mib")
SEVEN = ["--settlements", "40", "--stays-per-seed", "8", "--workers", "2", "--json"]
WITHIN_S = 60


def _words(path: Path, *more: str) -> list[str]:
    return ["simulate-nation", "--results", str(path), *more]


def _run(path: Path, *more: str) -> Result:
    return CliRunner().invoke(main, _words(path, *more))


def _figures(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return {name: value for name, value in found.items() if name not in TOOK}


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [int(child) for child in listed.split()]


def _is_gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"  # ended; whoever inherits it has not looked yet


@contextmanager
def _begun(path: Path, lines: int) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Start the command, wait until its file has so many lines, and yield it with its workers."""
    command = [sys.executable, "-c", "from tongcheng.cli import main; main()", *_words(path)]
    with subprocess.Popen(  # noqa: S603 our own interpreter and our own words
        [*command, *SEVEN], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            _until(lambda: path.exists() and path.read_bytes().count(b"\n") >= lines)
            workers: list[int] = []

            def works() -> bool:
                workers[:] = _children(process.pid)
                return bool(workers)

            _until(works)
            yield process, workers
        finally:
            process.kill()


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let every process that is started from now on begin with these lines of Python."""

    def plant(code: str) -> None:
        folder = tmp_path / "planted"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(code, "utf-8")
        before = os.environ.get("PYTHONPATH")
        where = str(folder) if before is None else f"{folder}{os.pathsep}{before}"
        monkeypatch.setenv("PYTHONPATH", where)

    return plant


def test_two_seeds_are_run_and_added_up(tmp_path: Path) -> None:
    """Nothing is said into a pipe but the result; the file says it again, in three forms."""
    path = tmp_path / "nation.jsonl"

    result = _run(path, "--settlements", "12", "--stays-per-seed", "10", "--workers", "2")

    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert "nothing lost, doubled or one-sided" in result.stdout
    shown = [
        _run(path, "--settlements", "12", "--show", *form)
        for form in ([], ["--json"], ["--markdown"])
    ]
    assert [one.exit_code for one in shown] == [0, 0, 0]
    assert shown[0].stdout == result.stdout
    figures = _figures(shown[1])
    assert figures["sound"] is True
    assert figures["stays"] >= 12
    assert f"| stays | {figures['stays']} |" in shown[2].stdout


def test_killed_in_the_middle_it_goes_on_to_the_same_figures(tmp_path: Path) -> None:
    """By kill -9 of the command: its workers end by themselves, no seed is run a second time."""
    killed, whole = tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    with _begun(killed, lines=2) as (process, workers):
        process.kill()
        process.wait()
    _until(lambda: all(_is_gone(worker) for worker in workers))
    before = killed.read_bytes()
    assert 2 <= before.count(b"\n") < 1 + 5, "it was killed in the middle"

    gone_on, uninterrupted = _run(killed, *SEVEN), _run(whole, *SEVEN)

    assert gone_on.exit_code == uninterrupted.exit_code == 0, gone_on.output
    assert killed.read_bytes().startswith(before)
    assert _figures(gone_on) == _figures(uninterrupted)
    assert _run(killed, *SEVEN).stdout == gone_on.stdout


@pytest.mark.parametrize("lines", [1, 2])
def test_ctrl_c_leaves_no_worker_behind(tmp_path: Path, lines: int) -> None:
    """The command ends its workers, says so in a word, and shows no traceback."""
    path = tmp_path / "nation.jsonl"
    with _begun(path, lines) as (process, workers):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WITHIN_S)

    assert process.returncode == 1
    assert said.decode().strip() == "Aborted!"
    assert all(_is_gone(worker) for worker in workers)


FORGETS = """
from tongcheng.kernel.exchange import acts
acts._seen = lambda _tx, _received, _expected: False
"""


def test_a_planted_fault_is_found(tmp_path: Path, planted: Callable[[str], None]) -> None:
    """An exchange that forgets what it has taken: exit code 1, and the seed's own command."""
    planted(FORGETS)

    result = _run(
        tmp_path / "nation.jsonl",
        *("--settlements", "30", "--stays-per-seed", "40", "--first-seed", "2", "--workers", "1"),
    )

    assert result.exit_code == 1
    assert "NOT SOUND: tongcheng simulate --seed 2 " in result.stdout


def test_a_seed_without_a_report_is_no_success_and_is_run_again(
    tmp_path: Path, planted: Callable[[str], None]
) -> None:
    """A worker that fails is told with its words; the next run tries that seed anew."""
    path = tmp_path / "nation.jsonl"
    few = ("--settlements", "4", "--stays-per-seed", "4", "--workers", "1")
    planted("from tongcheng.simulation import region\nregion.simulate = None\n")

    failing = _run(path, *few)
    planted("")
    mended = _run(path, *few)

    assert failing.exit_code == 1
    assert "NO REPORT of seed 1: Traceback" in failing.stdout
    assert mended.exit_code == 0, mended.output


def test_results_of_other_sources_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, what differs, and how to begin anew; nothing in the file changes."""
    path = tmp_path / "nation.jsonl"
    few = ("--settlements", "2", "--stays-per-seed", "2", "--workers", "1")
    assert _run(path, *few).exit_code == 0
    before = path.read_bytes()
    monkeypatch.setattr(sources, "digest", lambda: "b" * 64)

    refused = _run(path, *few)
    changed = _run(tmp_path / "other.jsonl", *few)

    assert refused.exit_code == changed.exit_code == 2
    assert "holds results of another run (sources was" in refused.stderr
    assert "--anew" in refused.stderr
    assert path.read_bytes() == before
    assert "were changed while the run went on" in changed.stderr


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """A file of a run that was stopped is no proof of the whole."""
    path = tmp_path / "nation.jsonl"
    few = ("--settlements", "2", "--stays-per-seed", "2", "--workers", "1")
    assert _run(path, *few).exit_code == 0

    result = _run(path, "--settlements", "9", "--show")

    assert result.exit_code == 1
    assert "NOT RUN: " in result.stdout
