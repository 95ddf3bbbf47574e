"""Import and compare a synthetic catalogue of 200,000 items; print seconds and peak memory.

Each step runs as the command that an operator types, in a process of its own, so that its peak
memory is its own. The look-up is timed in this process. Nothing in the catalogue is real.
"""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement.catalogue import COLUMNS
from tongcheng.services.settlement.catalogue_store import Dated

ITEMS = 200_000
LOOK_UPS = 2_000
NAME = "synthetic.csv"
DAY = date(2026, 11, 1)


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


def write(path: Path, *, later: bool = False) -> None:
    """Write a catalogue."""
    header = ("# sample, not official", "# catalogue: synthetic", "# admdvs: 120000")
    rows = (row(number, later=later) for number in range(ITEMS))
    text = "\n".join([*header, "# source: synthetic", ",".join(COLUMNS), *rows, ""])
    path.write_text(text, encoding="utf-8")


def measured(title: str, *words: str | Path) -> None:
    """Run a command, print how long it took and its peak memory so far."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from tongcheng.cli import main; main()", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own command
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1_024
    print(f"{title:<32} {seconds:6.2f} s, peak so far {peak} MiB")


def look_up(snapshot: Snapshot, home: Home) -> float:
    """Return the microseconds that one look-up of an item takes."""
    dated = Dated(snapshot, home, NAME)
    started = time.perf_counter()
    for number in range(0, ITEMS, ITEMS // LOOK_UPS):
        dated.item(code(number), DAY)
    return (time.perf_counter() - started) / LOOK_UPS * 1_000_000


def main() -> None:
    """Measure start-up, import, import of the same again, diff of two files, and a look-up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second, node = folder / "first.csv", folder / "second.csv", folder / "node"
        write(first)
        write(second, later=True)
        print(f"{ITEMS} items, {first.stat().st_size // 1_048_576} MiB")
        measured("a command that does nothing", "node", "init", "--data", node, "--member", MEMBER)
        import_ = ("settlement", "catalogue", "import", first, "--data", node, "--name", NAME)
        measured("import", *import_)
        measured("the same import again", *import_)
        measured("diff of two files", "settlement", "catalogue", "diff", first, second)
        size = (node / "node.sqlite").stat().st_size // 1_048_576
        print(f"the store has {size} MiB")
        print(f"a look-up takes {read_snapshot(node, look_up):.1f} µs")


MEMBER = "tianjin-hsb"

if __name__ == "__main__":
    main()
