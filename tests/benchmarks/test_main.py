"""The run of all benchmarks: each in its own process, one table, no promise kept by silence."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.__main__ import found, measured, parser
from benchmarks.machine import Machine, copied_bytes_s, look, processor
from benchmarks.row import Direction, Row
from benchmarks.table import Run
from tests.tidy import ROOT

MACHINE = Machine(2, "a processor", "3.11.7", "2026-11-23 05:00 UTC", 0.5, (0.3, 0.6), 9.0)
KEPT = Row("engine", "claims | a second", 12_345.6, "/s", 9_000, reference="a peer")
PAIRED = KEPT._replace(reference_figure=4_115.2)
MISSED = Row("ledger", "慢", 0.125, "ms", 0.1, "at most", note="the disk")
TOLD = Row("ledger", "told", 7.0, "")
ABSENT = Row("http", "requests", float("nan"), "/s", 324, note="not measured: no wrk")

GOOD = """
import os, sys
from benchmarks.row import Row

def measure():
    print("chatter")
    return [Row("toy", os.environ.get("TONGCHENG_BENCH_QUICK", "full"), float("nan"), "/s", 1.0)]
"""
COMPARING = """
from benchmarks.runs import rows_before

def measure():
    return [row._replace(area="again") for row in rows_before()]
"""
FAULTY = "def measure():\n    raise RuntimeError('no disk')\n"
ENDLESS = """
import subprocess, sys, time
from pathlib import Path

def measure():
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(__file__).with_name("started").write_text(str(started.pid))
    time.sleep(60)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a package of made-up benchmarks."""
    folder = tmp_path / "made_up"
    folder.mkdir()
    for name, text in (
        ("good", GOOD),
        ("faulty", FAULTY),
        ("endless", ENDLESS),
        ("comparing", COMPARING),
    ):
        (folder / f"bench_{name}.py").write_text(text, "utf-8")
    (folder / "helper.py").write_text("", "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    return folder.name


def test_benchmarks_are_found_by_their_name(package: str, tmp_path: Path) -> None:
    """A new file is run without being listed anywhere; helpers are not run."""
    assert found(tmp_path / package) == ["comparing", "endless", "faulty", "good"]
    assert {"catalogue", "pages"} <= set(found())


def test_rows_come_from_a_process_of_their_own(package: str) -> None:
    """The rows arrive whole, also a figure that is none; what the benchmark prints is not lost."""
    [row] = measured("good", package=package)

    assert row._replace(figure=0) == Row("toy", "full", 0, "/s", 1.0)
    assert math.isnan(row.figure)
    assert row.holds is False


def test_a_row_may_compare_by_what_was_measured_before(package: str) -> None:
    """A later benchmark is told the rows of the earlier ones of the same run."""
    assert measured("comparing", [PAIRED], package=package) == [PAIRED._replace(area="again")]
    assert measured("comparing", package=package) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [("faulty", "it ended with code 1"), ("endless", "it took more than 1 s")],
)
def test_a_benchmark_that_fails_keeps_no_promise(package: str, name: str, why: str) -> None:
    """It is a row that says so, never a row less."""
    [row] = measured(name, package=package, seconds_max=1)

    assert (row.area, row.holds, row.note) == (name, False, f"not measured: {why}")


def test_what_a_stopped_benchmark_started_is_stopped_too(package: str, tmp_path: Path) -> None:
    """A node that goes on would take its share of the cores from every benchmark after it."""
    measured("endless", package=package, seconds_max=5)
    pid = int((tmp_path / package / "started").read_text())
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)

    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended; one whose parent is gone may be named still."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def test_only_areas_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the pen does not make an empty table in which all is well."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--only", "pagse"])

    assert ended.value.code == 2
    assert "pagse" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "kept"),
    [([], True), ([PAIRED, TOLD], True), ([PAIRED, MISSED], False), ([PAIRED, ABSENT], False)],
    ids=["nothing", "kept", "missed", "absent"],
)
def test_kept_means_every_promise(rows: list[Row], *, kept: bool) -> None:
    """One that is missed or could not be measured is enough to fail the run."""
    assert Run(MACHINE, rows).kept is kept


def test_text_says_everything_once() -> None:
    """Machine, rows in columns, notes below their rows, and what is kept."""
    lines = table.text(Run(MACHINE, [PAIRED, MISSED, TOLD, ABSENT])).splitlines()

    assert lines[0].startswith(
        "2 cores, a processor; Python 3.11.7; 2026-11-23 05:00 UTC; load 0.5"
    )
    assert "9.0 GB/s" in lines[1]
    assert lines[4].split("  ")[0] == "engine"
    assert lines[4].split()[-5:] == ["peer:", "4,115", "×", "3", "✓"]
    assert lines[5].split() == ["ledger", "慢", "0.12", "ms", "≤", "0.10", "✗", "25", "%", "over"]
    assert lines[6] == "    the disk"
    assert lines[8].split()[2:4] == ["–", "/s"]
    assert lines[-1] == "1 of 3 promises kept."


def test_columns_stand_below_each_other() -> None:
    """Also beside words of full width."""
    rows = table.text(Run(MACHINE, [MISSED, MISSED._replace(what="ab")])).splitlines()

    assert rows[4].replace("慢", "ab") == rows[6]


def test_markdown_is_one_table() -> None:
    """A bar in a word does not begin a column; the numbers stand right."""
    lines = table.markdown(Run(MACHINE, [PAIRED], quick=True)).splitlines()

    assert "quick run" in lines[2]
    assert lines[5] == "| --- | --- | ---: | ---: | --- | ---: | --- | --- |"
    assert lines[6] == (
        "| engine | claims \\| a second | 12,346 /s | ≥ 9,000 | a peer: 4,115 | × 3 | ✓ |  |"
    )


@pytest.mark.parametrize(
    ("figure", "target", "direction", "said"),
    [
        (5.0, None, "at least", ""),
        (5.0, 5.0, "at least", "✓"),
        (4.67, 5.0, "at least", "✗ 7 % short"),
        (4.9999, 5.0, "at least", "✗ less than 0.1 % short"),
        (1.28, 1.2, "at most", "✗ 7 % over"),
        (1.205, 1.2, "at most", "✗ 0.4 % over"),
        (469.0, 100.0, "at most", "✗ 4.69 times the target"),
        (3.0, 0.0, "at most", "✗ 3 over"),
        (float("nan"), 5.0, "at least", "✗"),
    ],
)
def test_a_row_says_by_how_much_it_misses(
    figure: float, target: float | None, direction: Direction, said: str
) -> None:
    """In the table for a terminal and in that for a page; why is for a note."""
    row = Row("engine", "claims", figure, "/s", target, direction)

    assert table.cells(row)[table.HEAD.index("holds")] == said
    assert f"| {said} |  |" in table.markdown(Run(MACHINE, [row]))
    assert said in table.text(Run(MACHINE, [row])).splitlines()[4]


def test_json_comes_back() -> None:
    """What a machine is told has the verdicts, and can be printed again."""
    run = Run(MACHINE, [PAIRED, MISSED, TOLD, ABSENT])
    written = table.encoded(run)
    told = json.loads(written)

    assert [row["holds"] for row in told["rows"]] == [True, False, None, False]
    assert [row["missed_by"] for row in told["rows"]] == [None, pytest.approx(0.25), None, None]
    assert (told["rows"][3]["figure"], told["kept"]) == (None, False)
    assert table.text(table.read(written.encode())) == table.text(run)


def test_a_kept_run_is_printed_again_with_its_exit_code(tmp_path: Path) -> None:
    """Reading an old run measures nothing and fails where the run failed."""
    codes = []
    for rows in ([PAIRED], [PAIRED, MISSED]):
        (tmp_path / "run.json").write_text(table.encoded(Run(MACHINE, rows)), "utf-8")
        command = [sys.executable, "-m", "benchmarks", "--read", str(tmp_path / "run.json")]
        ended = subprocess.run(  # noqa: S603 our own command
            command, check=False, cwd=ROOT, capture_output=True, text=True
        )
        assert ended.stderr == ""
        assert ended.stdout.splitlines()[0].startswith("2 cores, a processor")
        codes.append(ended.returncode)

    assert codes == [0, 1]


def test_the_machine_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its facts are measured, and its processor is called by its name where Linux knows one."""
    monkeypatch.setattr("benchmarks.machine.FOLDER", tmp_path / "kept")
    here = look()

    assert here.cores >= 1
    assert 0 < here.fdatasync_ms[0] <= here.fdatasync_ms[1]
    assert copied_bytes_s(1_000, 2) > 0
    assert processor("flags : x\nmodel name\t: A Core\n") == "A Core"
    assert processor("") != ""
