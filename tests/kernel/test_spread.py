"""Work divided between threads, processes and Dask: one result a part, in order, whoever dies."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from tests.tidy import ROOT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.spread import check_address, spread, spread_with

DASK_S = 100


class Piece(msgspec.Struct, frozen=True):
    """A part of the tests' work: a number, and whom it kills the first time it is done."""

    number: int
    kills_at: Path | None = None


class Told(msgspec.Struct, frozen=True):
    """A part that says who is at it, and how long that takes."""

    number: int
    folder: Path
    seconds: float


def square(piece: Piece) -> int:
    """Return the square; kill the process that does the marked piece for the first time."""
    if piece.kills_at is not None and not piece.kills_at.exists():
        piece.kills_at.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece.number**2


def always_dies(piece: Piece) -> int:
    """Kill the process, every time."""
    del piece
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("workers", [None, 1, 2, 3])
def test_results_come_in_order(workers: int | None) -> None:
    """Threads and one, two or three processes hand out the same."""
    parts = [Piece(number) for number in range(9)]

    assert list(spread(square, parts, workers=workers)) == [n**2 for n in range(9)]


def test_a_killed_process_changes_nothing(tmp_path: Path) -> None:
    """SIGKILL in the middle: its part is done again, each result is handed out once."""
    parts = [Piece(n, tmp_path / "killed" if n == 4 else None) for n in range(9)]

    found = list(spread(square, parts, workers=2))

    assert (tmp_path / "killed").exists()
    assert found == [number**2 for number in range(9)]


def told(piece: Told) -> int:
    """Say which process is at a part, and be at it for a while."""
    (piece.folder / f"{piece.number}").write_text(f"{os.getpid()}", "utf-8")
    time.sleep(piece.seconds)
    return piece.number


def _pids(folder: Path, count: int) -> list[int]:
    """Return the processes that are at parts, as soon as there are so many."""
    for _ in range(600):
        written = [path.read_text("utf-8") for path in folder.iterdir()]
        if len(written) >= count and all(written):
            return [int(each) for each in written]
        time.sleep(0.1)
    raise AssertionError(folder)


def _parent(folder: Path, seconds: float) -> subprocess.Popen[str]:
    """Start a process that gives four parts to two workers."""
    program = f"""
        from pathlib import Path
        from tests.kernel.test_spread import Told, told
        from tongcheng.kernel.spread import spread
        if __name__ == "__main__":
            parts = [Told(n, Path({str(folder)!r}), {seconds}) for n in range(4)]
            list(spread(told, parts, workers=2))
    """
    return subprocess.Popen(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]


def test_workers_end_with_who_started_them(tmp_path: Path) -> None:
    """SIGKILL of the command leaves no process that waits for work for ever."""
    parent = _parent(tmp_path, 0.5)
    workers = _pids(tmp_path, 2)
    parent.kill()
    parent.wait()
    assert parent.stderr is not None
    parent.stderr.close()
    for _ in range(300):
        if not any(map(_is_there, workers)):
            return
        time.sleep(0.1)
    raise AssertionError(workers)


def test_ctrl_c_ends_workers_after_the_parts_they_are_at(tmp_path: Path) -> None:
    """A terminal sends it to every process: only the command is stopped by it, and says so."""
    parent = _parent(tmp_path, 0.5)
    workers = _pids(tmp_path, 2)
    os.killpg(parent.pid, signal.SIGINT)
    _, said = parent.communicate(timeout=60)
    assert said.count("Traceback") == said.count("KeyboardInterrupt") == 1
    assert not any(map(_is_there, workers))


class Weight:
    """What is held: it keeps a note, in a folder, of every time it is taken along somewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[type["Weight"], tuple[Path]]:
        """Be packed, and tell."""
        (self.folder / f"{time.monotonic_ns()}.packed").touch()
        return Weight, (self.folder,)


def weighed(held: Weight, piece: Piece) -> int:
    """Return the square; what is held came along."""
    assert held.folder.is_dir()
    return square(piece)


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_what_is_held_travels_once_to_each_worker(tmp_path: Path, workers: int | None) -> None:
    """Not with each of nine parts: a study of a region would be packed again and again."""
    parts = [Piece(number) for number in range(9)]

    found = list(spread_with(Weight(tmp_path), weighed, parts, workers=workers))

    assert found == [number**2 for number in range(9)]
    assert len(list(tmp_path.glob("*.packed"))) == (workers or 0)


def test_what_is_held_is_sent_again_where_a_worker_died(tmp_path: Path) -> None:
    """The worker that takes over has it too."""
    parts = [Piece(n, tmp_path / "killed" if n == 4 else None) for n in range(9)]

    assert list(spread_with(Weight(tmp_path), weighed, parts, workers=2)) == [
        number**2 for number in range(9)
    ]
    assert (tmp_path / "killed").exists()


def test_work_that_kills_every_process_is_given_up() -> None:
    """It ends with a code, not never."""
    with pytest.raises(Refused, match="WORKERS_LOST"):
        list(spread(always_dies, [Piece(0)], workers=1))


def test_no_parts_are_no_results() -> None:
    """An empty file has no parts."""
    assert list(spread(square, [], workers=2)) == list(spread(square, [])) == []


@pytest.mark.parametrize(
    ("address", "stands"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://localhost:8786", True),
        ("tcp://[::1]:8786", True),
        ("tls://analysis.example:8786", True),
        ("tcp://10.1.2.3:8786", False),
        ("tcp://0.0.0.0:8786", False),
        ("tcp://analysis.example:8786", False),
        ("tcp://127.0.0.1.example:8786", False),
        ("ws://127.0.0.1:8786", False),
        ("127.0.0.1:8786", False),
        ("tls://", False),
        ("tcp://[:8786", False),
    ],
)
def test_claims_leave_the_machine_only_by_tls(address: str, *, stands: bool) -> None:
    """Plain TCP to anywhere else is refused before anything is sent."""
    with nullcontext() if stands else pytest.raises(Refused, match="SCHEDULER_UNPROTECTED"):
        check_address(address)


def test_a_scheduler_that_is_not_there_is_named() -> None:
    """And not waited for."""
    program = """
    from tests.kernel.test_spread import Piece, square
    from tongcheng.kernel.errors import Refused
    from tongcheng.kernel import spread
    spread.ANSWER_WITHIN = "1s"
    try:
        list(spread.spread(square, [Piece(1)], scheduler="tcp://127.0.0.1:9"))
    except Refused as refused:
        print(refused.code)
    """
    assert in_process(program).strip().endswith("SCHEDULER_UNREACHABLE")


def test_a_killed_dask_worker_changes_nothing(tmp_path: Path) -> None:
    """A real scheduler and workers; the one that is at a part is killed by the system."""
    # In a process of its own: Dask warns, and warnings are errors here.
    program = f"""
    from pathlib import Path
    from distributed import LocalCluster
    from tests.kernel.test_spread import Piece, square
    from tongcheng.kernel.spread import spread
    if __name__ == "__main__":
        killed = Path({str(tmp_path / "killed")!r})
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                          host="127.0.0.1") as cluster:
            parts = [Piece(n, killed if n == 4 else None) for n in range(9)]
            print(list(spread(square, parts, scheduler=cluster.scheduler_address)))
        assert killed.exists()
    """
    assert in_process(program).strip().endswith(str([number**2 for number in range(9)]))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_held_by_dask_survives_its_workers(tmp_path: Path, workers: int) -> None:
    """Also where the only worker that had it is killed: whoever comes next is sent it again."""
    program = f"""
    from pathlib import Path
    from distributed import LocalCluster
    from tests.kernel.test_spread import Piece, Weight, weighed
    from tongcheng.kernel.spread import spread_with
    if __name__ == "__main__":
        folder = Path({str(tmp_path)!r})
        with LocalCluster(n_workers={workers}, threads_per_worker=1, dashboard_address=None,
                          host="127.0.0.1") as cluster:
            parts = [Piece(n, folder / "killed" if n == 4 else None) for n in range(9)]
            address = cluster.scheduler_address
            print(list(spread_with(Weight(folder), weighed, parts, scheduler=address)))
        assert (folder / "killed").exists()
    """
    assert in_process(program).strip().endswith(str([number**2 for number in range(9)]))
    assert len(list(tmp_path.glob("*.packed"))) < 9


def in_process(program: str) -> str:
    """Run a program with this project's modules and return what it prints."""
    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=DASK_S,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
