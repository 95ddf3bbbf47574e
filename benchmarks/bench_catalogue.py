"""Import and compare a synthetic catalogue of 200,000 items; print seconds and peak memory.

Each step runs as the command that an operator types, in a process of its own, so that its peak
memory is its own. The look-up is timed in this process. Beside them, in the same run: the same
rows read by Python's csv module and put into a bare SQLite table by one commit, and a look-up
there. Nothing in the catalogue is real.
"""

import csv
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import msgspec

from benchmarks.row import Row
from benchmarks.runs import quick
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement.catalogue import COLUMNS
from tongcheng.services.settlement.catalogue_store import Dated

ITEMS, QUICK_ITEMS = 200_000, 5_000
LOOK_UPS = 2_000
NAME = "synthetic.csv"
MEMBER = "tianjin-hsb"
DAY = date(2026, 11, 1)


class Step(msgspec.Struct, frozen=True):
    """What one command took, and the peak memory of all commands so far, in MiB."""

    seconds: float
    peak: int


class Result(msgspec.Struct, frozen=True):
    """Everything that was measured; look-ups in microseconds."""

    items: int
    file_mib: int
    store_mib: int
    nothing: Step
    first_import: Step
    again: Step
    diff: Step
    look_up_us: float
    bare_import_s: float
    bare_look_up_us: float


def row(number: int, *, later: bool) -> str:
    """Return one row; in the later catalogue every hundredth item has other terms."""
    item_class = "ABC"[(number + (later and number % 100 == 0)) % 3]
    ratio = {"A": "0", "B": "0.1", "C": "1"}[item_class]
    ceiling = f"{number % 5_000}.{number % 90 + 10}" if number % 2 else ""
    terms = f"{item_class},{ceiling},{ratio},drug,2024-01-01,"
    return f"{code(number)},示例·虚构药品名称 {number},{terms}"


def code(number: int) -> str:
    """Return a code as long as real ones."""
    return f"SAMPLE-XC01CAD{number:08d}B{number % 97:09d}"


def write(path: Path, items: int, *, later: bool = False) -> None:
    """Write a catalogue."""
    header = ("# sample, not official", "# catalogue: synthetic", "# admdvs: 120000")
    rows = (row(number, later=later) for number in range(items))
    text = "\n".join([*header, "# source: synthetic", ",".join(COLUMNS), *rows, ""])
    path.write_text(text, encoding="utf-8")


def taken(*words: str | Path) -> Step:
    """Run a command; return how long it took and its peak memory so far."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from tongcheng.cli import main; main()", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own command
    seconds = time.perf_counter() - started
    return Step(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1_024)


def look_up_us(node: Path, items: int) -> float:
    """Return the microseconds that one look-up of an item takes."""

    def timed(snapshot: Snapshot, home: Home) -> float:
        dated = Dated(snapshot, home, NAME)
        started = time.perf_counter()
        for number in asked(items):
            dated.item(code(number), DAY)
        return (time.perf_counter() - started) / len(asked(items)) * 1_000_000

    return read_snapshot(node, timed)


def asked(items: int) -> range:
    """Return the numbers of the items that are looked up."""
    return range(0, items, max(1, items // LOOK_UPS))


def bare(source: Path, folder: Path, items: int) -> tuple[float, float]:
    """Return what the same rows take without checks and digests: seconds, and µs for a look-up."""
    started = time.perf_counter()
    key, *others = (f'"{name}"' for name in COLUMNS)
    marks = ",".join("?" * len(COLUMNS))
    connection = sqlite3.connect(folder / "bare.sqlite")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"CREATE TABLE items ({key} PRIMARY KEY, {','.join(others)})")
    with source.open(encoding="utf-8", newline="") as file, connection:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        connection.executemany(f"INSERT INTO items VALUES ({marks})", rows)  # noqa: S608 own names
    seconds = time.perf_counter() - started
    query = f"SELECT * FROM items WHERE {key} = ?"  # noqa: S608 our own name
    started = time.perf_counter()
    for number in asked(items):
        connection.execute(query, (code(number),)).fetchone()
    look_up = (time.perf_counter() - started) / len(asked(items)) * 1_000_000
    connection.close()
    return seconds, look_up


def run(items: int) -> Result:
    """Measure start-up, import, import of the same again, diff of two files, and a look-up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second, node = folder / "first.csv", folder / "second.csv", folder / "node"
        write(first, items)
        write(second, items, later=True)
        import_ = ("settlement", "catalogue", "import", first, "--data", node, "--name", NAME)
        nothing = taken("node", "init", "--data", node, "--member", MEMBER)
        first_import, again = taken(*import_), taken(*import_)
        diff = taken("settlement", "catalogue", "diff", first, second)
        bare_import_s, bare_look_up_us = bare(first, folder, items)
        return Result(
            items=items,
            file_mib=first.stat().st_size // 1_048_576,
            store_mib=(node / "node.sqlite").stat().st_size // 1_048_576,
            nothing=nothing,
            first_import=first_import,
            again=again,
            diff=diff,
            look_up_us=look_up_us(node, items),
            bare_import_s=bare_import_s,
            bare_look_up_us=bare_look_up_us,
        )


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks; nothing is promised here."""
    done = run(QUICK_ITEMS if quick() else ITEMS)
    command = "a command that does nothing but start and make a node"
    return [
        Row(
            "catalogue",
            f"import of {done.items:,} items",
            done.first_import.seconds,
            "s",
            reference="the same rows into bare SQLite, unchecked, one commit",
            reference_figure=done.bare_import_s,
            note=f"{done.nothing.seconds:.1f} s is starting; peak {done.first_import.peak} MiB",
        ),
        Row(
            "catalogue",
            f"diff of two files of {done.items:,} items",
            done.diff.seconds,
            "s",
            reference=command,
            reference_figure=done.nothing.seconds,
        ),
        Row(
            "catalogue",
            "look-up of an item by code and day",
            done.look_up_us,
            "µs",
            reference="the same row by key from bare SQLite",
            reference_figure=done.bare_look_up_us,
        ),
    ]


def main() -> None:
    """Measure and print everything."""
    done = run(ITEMS)
    print(f"{done.items} items, {done.file_mib} MiB")
    for title, step in (
        ("a command that does nothing", done.nothing),
        ("import", done.first_import),
        ("the same import again", done.again),
        ("diff of two files", done.diff),
    ):
        print(f"{title:<32} {step.seconds:6.2f} s, peak so far {step.peak} MiB")
    print(f"{'the same rows into bare SQLite':<32} {done.bare_import_s:6.2f} s")
    print(f"the store has {done.store_mib} MiB")
    print(f"a look-up takes {done.look_up_us:.1f} µs, in bare SQLite {done.bare_look_up_us:.1f} µs")


if __name__ == "__main__":
    main()
