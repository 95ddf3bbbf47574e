"""A matrix is the same file, whoever computes it and whoever dies over it."""

import os
import signal
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.kernel.test_spread import in_process
from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.output.matrix import Reached
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scan.run import Scan
from tongcheng.services.mobility.study import matrix
from tongcheng.services.mobility.study.matrix import Hands, Written, do_part, write_matrix
from tongcheng.services.mobility.study.model import Ready, Study
from tongcheng.services.mobility.study.preparing import prepare

SIDE = 9
STOPS = {
    "W": (117.00, 39.02),
    "M": (117.04, 39.02),
    "E": (117.08, 39.02),
    "N": (117.04, 39.05),
    "S": (117.04, 39.00),
}
LINES = [
    Line("across", ["W", "M", "E"], [f"7:{at:02}" for at in range(3, 60, 7)], [300, 240]),
    Line("along", ["N", "M", "S"], [f"7:{at:02}" for at in range(0, 60, 11)], [420, 200]),
    Line("back", ["S", "M", "W"], [f"7:{at:02}" for at in range(5, 60, 9)], [180, 330]),
]
QUESTION = Question(Window(7 * 3_600, 60, 30), 3_600, (25, 50))


def ready_in(folder: Path) -> Ready:
    """Return a city of three lines and 81 places."""
    lon, lat = (each.ravel() for each in np.meshgrid(
        np.linspace(117.0, 117.08, SIDE), np.linspace(39.0, 39.05, SIDE)
    ))  # fmt: skip
    ids = tuple(f"p{at:02}" for at in range(SIDE * SIDE))
    places = Places(ids, ids, Points(lon, lat), ids, None, ())
    feed = read_feed(write_zip(folder / "city.zip", line_tables(STOPS, LINES)), "city").feed
    return prepare(Study((feed,), date(2026, 3, 11), places, "00"))


def written(path: Path, ready: Ready, hands: Hands, *, deadlines: bool = False) -> Written:
    """Write the matrix."""
    return write_matrix(
        path, ready, QUESTION, deadlines=deadlines, hands=hands, progress=lambda *_: None
    )


def dies_once(scan: Scan, part: range) -> list[Reached]:
    """Do a part, and let the third one kill its process first."""
    killed = Path(os.environ["MATRIX_KILLED"])
    if part.start == 20 and not killed.exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return do_part(scan, part)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give parts of ten rows, as if there were thousands."""
    monkeypatch.setattr(matrix, "PART_ROWS", 10)
    monkeypatch.setenv("MATRIX_KILLED", str(tmp_path / "killed"))
    return tmp_path


@pytest.mark.parametrize("deadlines", [False, True])
def test_any_number_of_threads_and_workers_writes_the_same(
    folder: Path, *, deadlines: bool
) -> None:
    """One, two and four threads, one and two workers: the same bytes, and the same counted."""
    ready = ready_in(folder)
    first = written(folder / "first.parquet", ready, Hands(1), deadlines=deadlines)
    expected = (folder / "first.parquet").read_bytes()

    # Workers take seconds to begin: one way shows that one is as many.
    alone = () if deadlines else (Hands(workers=1),)
    for hands in (Hands(2), Hands(4), Hands(workers=2), *alone):
        out = folder / "other.parquet"
        assert written(out, ready, hands, deadlines=deadlines) == first
        assert out.read_bytes() == expected, hands
    assert SIDE * SIDE < first.pairs < SIDE**4, "some pairs are connected, some are not"


def test_a_killed_worker_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL in the middle: another one does the part again, and no row is twice there."""
    ready = ready_in(folder)
    written(folder / "here.csv", ready, Hands(1))
    monkeypatch.setattr(matrix, "do_part", dies_once)
    written(folder / "out.csv", ready, Hands(workers=2))

    assert (folder / "killed").exists()
    assert (folder / "out.csv").read_bytes() == (folder / "here.csv").read_bytes()


def test_workers_that_all_die_leave_the_file_of_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with a code, and what was there is there still."""
    ready, out = ready_in(folder), folder / "out.csv"
    out.write_bytes(b"of before")
    monkeypatch.setattr("tongcheng.kernel.spread.LOST_MOST", 0)
    monkeypatch.setattr(matrix, "do_part", dies_once)
    with pytest.raises(Refused, match="WORKERS_LOST"):
        written(out, ready, Hands(workers=1))

    assert out.read_bytes() == b"of before"
    assert sorted(each.name for each in folder.iterdir()) == ["city.zip", "killed", "out.csv"]


def test_dask_writes_the_same(folder: Path) -> None:
    """A real scheduler with two workers, one of which is killed at a part."""
    written(folder / "here.parquet", ready_in(folder), Hands(1))
    # In a process of its own: Dask warns, and warnings are errors here.
    program = f"""
    from pathlib import Path
    from distributed import LocalCluster
    from tests.services.mobility.study import test_matrix as test
    if __name__ == "__main__":
        folder = Path({str(folder)!r})
        test.matrix.PART_ROWS = 10
        test.matrix.do_part = test.dies_once
        with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None,
                          host="127.0.0.1") as cluster:
            hands = test.Hands(scheduler=cluster.scheduler_address)
            test.written(folder / "out.parquet", test.ready_in(folder), hands)
    """
    in_process(program)

    assert (folder / "killed").exists()
    assert (folder / "out.parquet").read_bytes() == (folder / "here.parquet").read_bytes()
