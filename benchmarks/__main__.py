"""Run the benchmarks and print one table: `python -m benchmarks`, or `make bench`.

Each module `bench_*.py` runs in a process of its own, one after another. Exit code 1 when a promise
is not kept or could not be measured.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, runs, table
from benchmarks.row import Row
from benchmarks.runs import QUICK, ROWS, tell
from benchmarks.table import Run

HERE = Path(__file__).parent
PREFIX = "bench_"
SECONDS_MAX = 3_600
"""A benchmark that takes longer is stopped, and its promises are not kept."""


def found(folder: Path = HERE) -> list[str]:
    """Return the areas that have a benchmark, in order."""
    return sorted(path.stem.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*.py"))


def measured(
    area: str,
    before: Sequence[Row] = (),
    *,
    package: str = "benchmarks",
    seconds_max: float = SECONDS_MAX,
) -> list[Row]:
    """Return an area's rows, or one row that says why there are none; `before` are those so far."""
    with tempfile.TemporaryDirectory() as name:
        path, earlier = Path(name) / "rows.json", Path(name) / "before.json"
        runs.write(before, earlier)
        module = f"{package}.{PREFIX}{area}"
        command = [sys.executable, "-m", "benchmarks.child", module, str(path)]
        code = _ended(command, {**os.environ, ROWS: str(earlier)}, seconds_max)
        if code is None:
            return [_failed(area, f"it took more than {seconds_max:.0f} s")]
        if code:
            return [_failed(area, f"it ended with code {code}")]
        return runs.read(path)


def _ended(command: list[str], environment: dict[str, str], seconds_max: float) -> int | None:
    """Run a benchmark; return its exit code, None if it was stopped with all that it started."""
    # What a benchmark prints is progress: the table alone goes to standard output.
    with subprocess.Popen(  # noqa: S603 our own command
        command, env=environment, stdout=sys.stderr.fileno(), start_new_session=True
    ) as running:
        try:
            return running.wait(seconds_max)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if running.poll() is None:
                # Nodes and commands that it started are of its session, and would measure on.
                os.killpg(running.pid, signal.SIGKILL)


def _failed(area: str, why: str) -> Row:
    return Row(area, f"{PREFIX}{area} runs to its end", 0, "of 1", 1, note=f"not measured: {why}")


def run(areas: Sequence[str], *, quick: bool) -> Run:
    """Measure the areas, one after another."""
    tell("the machine")
    here = machine.look()
    if quick:
        os.environ[QUICK] = "1"
    rows: list[Row] = []
    for area in areas:
        tell(f"{area} …")
        begun = time.monotonic()
        rows += measured(area, rows)
        tell(f"{area}: {time.monotonic() - begun:.0f} s")
    return Run(here, rows, quick)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON for a machine")
    form.add_argument("--markdown", action="store_true", help="write the table for a page")
    made.add_argument("--only", nargs="+", metavar="AREA", choices=found(), help="only these areas")
    made.add_argument("--quick", action="store_true", help="small sizes: does it run at all")
    made.add_argument("--read", type=Path, metavar="FILE", help="print a run that --json wrote")
    return made


def main() -> None:
    """Measure and tell; exit 1 when a promise is not kept."""
    given = parser().parse_args()
    if given.read is not None:
        done = table.read(given.read.read_bytes())
    else:
        done = run(given.only or found(), quick=given.quick)
    write = table.encoded if given.json else table.markdown if given.markdown else table.text
    print(write(done))
    if not done.kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
