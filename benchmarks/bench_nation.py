"""A nation's year of cross-region inpatient claims, judged under two sets of rules: file to file.

The command that a policy maker types, start to end: `tongcheng settlement what-if` on Parquet, with
the results claim by claim as Parquet. The claims are made up by `tongcheng settlement generate`,
once, and kept in `.bench/`. What changes is the yearly cap of one book. Beside it, in
turns: the same columns read and the same results written with nothing computed between.
"""

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from benchmarks.engine_claims import RULE_BOOKS, SHAPE_BOOK
from benchmarks.machine import FOLDER
from benchmarks.row import Row
from benchmarks.runs import quick, tell
from tongcheng.services.settlement.batch import (
    columns,
    output,
    synthetic,
    synthetic_books,
    synthetic_file,
)
from tongcheng.services.settlement.batch.output import open_output
from tongcheng.services.settlement.what_if.work import ROWS_A_PART

AREA = "nation"
CLAIMS, QUICK_CLAIMS = 11_250_000, 20_000
SEED = 11
SECONDS_MAX = 5.0
ROUNDS = 3
CAP, OTHER_CAP = 'value: "100000"', 'value: "150000"'
"""Of the book of Beijing's employees: the pool's yearly cap, in yuan."""
COMMAND = (sys.executable, "-c", "from tongcheng.cli import main; main()", "settlement")


class Answered(msgspec.Struct, frozen=True):
    """What one run took: the whole command; what all its threads and processes computed.

    `own_s` is by its own clock, without starting and compiling.
    """

    wall_s: float
    cpu_s: float
    own_s: float
    backend: str


def claims_file(claims: int) -> Path:
    """Return the file of claims, made at first use: its name is what its rows follow from."""
    made_of = hashlib.sha256(f"{claims} {SEED}".encode())
    modules = (synthetic, synthetic_books, synthetic_file, columns, output)
    for path in (
        *(Path(str(each.__file__)) for each in modules),
        *sorted(RULE_BOOKS.glob("*.yaml")),
    ):
        made_of.update(path.read_bytes())
    path = FOLDER / f"claims-{claims}-{made_of.hexdigest()[:12]}.parquet"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        for old in FOLDER.glob(f"claims-{claims}-*.parquet"):
            old.unlink()
        tell(f"making {claims} claims: {path}")
        unfinished = path.with_suffix(".making.parquet")
        _tongcheng("generate", "--claims", claims, "--seed", SEED, "--out", unfinished)
        unfinished.rename(path)
    return path


def changed_book(folder: Path) -> Path:
    """Write a version of the book with another cap."""
    text = (RULE_BOOKS / SHAPE_BOOK).read_text("utf-8")
    assert text.count(CAP) == 1, f"{SHAPE_BOOK} says {CAP} once"
    path = folder / SHAPE_BOOK
    path.write_text(text.replace(CAP, OTHER_CAP), "utf-8")
    return path


def _tongcheng(*words: object) -> str:
    command = [*COMMAND, *map(str, words)]
    ended = subprocess.run(  # noqa: S603 our own command
        command, check=True, stdout=subprocess.PIPE, text=True
    )
    return ended.stdout


def answer(claims: Path, book: Path, out: Path, *more: object) -> Answered:
    """Run the command once."""
    begun, computed = time.perf_counter(), _cpu_s()
    said = _tongcheng("what-if", "--claims", claims, "--new", book, "--out", out, "--json", *more)
    wall = time.perf_counter() - begun
    told = json.loads(said)
    return Answered(wall, _cpu_s() - computed, told["seconds"], told["backend"])


def _cpu_s() -> float:
    """Return what the commands so far have computed; it does not grow by what else runs here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def copied(claims: Path, out: Path) -> float:
    """Return the seconds for reading the columns that rules ask for and writing the results.

    Arrow reads with a thread for each core; the writer is that of the command, without its words.
    """
    known = {column.name for column in columns.CLAIM_COLUMNS}
    names = [name for name in pq.read_schema(claims).names if name in known]
    results = pq.read_table(out).unify_dictionaries()
    begun = time.perf_counter()
    pq.read_table(claims, columns=names)
    with open_output(out.with_name("copy.parquet"), results.schema, {}) as copy:
        for at in range(0, results.num_rows, ROWS_A_PART):
            copy.write(results.slice(at, ROWS_A_PART))
    return time.perf_counter() - begun


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    claims = claims_file(QUICK_CLAIMS if quick() else CLAIMS)
    rows = pq.read_metadata(claims).num_rows
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        book, out = changed_book(folder), folder / "out.parquet"
        answers, processes, copies = [], [], []
        for _ in range(1 if quick() else ROUNDS):
            answers.append(answer(claims, book, out))
            copies.append(copied(claims, out))
            tell(f"{answers[-1]}, {copies[-1]:.1f} s copying")
            processes.append(answer(claims, book, out, "--workers", 2))
            tell(f"two processes: {processes[-1]}")
    return rows_of(rows, claims.stat().st_size, answers, processes, min(copies))


def rows_of(
    rows: int, size: int, answers: list[Answered], processes: list[Answered], copying: float
) -> list[Row]:
    """Return the best of both ways beside the copying."""
    best = min(answers, key=lambda each: each.wall_s)
    two = min(processes, key=lambda each: each.wall_s)
    return [
        Row(
            AREA,
            f"what-if of {rows:,} claims, Parquet → Parquet, the whole command",
            best.wall_s,
            "s",
            SECONDS_MAX,
            "at most",
            "reading and writing the same columns",
            copying,
            f"{best.own_s:.1f} s of it is the what-if, by {best.backend};"
            f" {best.cpu_s:.1f} s of CPU on all cores;"
            f" the claims are {size // 2**20} MiB",
        ),
        Row(
            AREA,
            "the same by two processes (--workers 2)",
            two.wall_s,
            "s",
            reference="by threads of one process",
            reference_figure=best.wall_s,
            note=f"{two.cpu_s:.1f} s of CPU",
        ),
    ]


def main() -> None:
    """Measure and print."""
    for row in measure():
        print(f"{row.what}: {row.figure:.2f} {row.unit}; {row.reference} {row.reference_figure}")


if __name__ == "__main__":
    main()
