"""Claims settled at home, booked a thousand a commit: judged, traced, owed and journaled.

A node with as many persons as the file has; the store is SQLite with `synchronous` FULL, as in
production, and what is measured is the whole of `tongcheng settlement book`: reading the file,
finding persons, judging, writing. As many bytes as the store has grown by, appended and synced in
as many parts, are what the disk could do at best, in turns with it.
"""

import gc
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.row import Row
from benchmarks.runs import quick, tell
from tongcheng.kernel import region, rulebook
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.rulebook import Shelf
from tongcheng.kernel.store import Database, Snapshot, Transaction, Writer
from tongcheng.node.core import open_database
from tongcheng.services.settlement import insured
from tongcheng.services.settlement.booking.file import book_file
from tongcheng.services.settlement.model import Identity
from tongcheng.services.settlement.store import INSTITUTIONS, InstitutionRow

T = TypeVar("T")
PERSONS, CLAIMS, HOSPITALS = 40_000, 100_000, 50
ROUNDS = 3
FIRST, THEN = 25_000, 60_000
"""What is promised, and what is hoped for then."""
WHY = "a transfer, an entry and a year each, with their codes and indexes, in one writer"
_PACK = Path(region.__file__).parents[1] / "regions" / "jingjinji"


class Store:
    """A node's store as `tongcheng settlement book` holds it."""

    def __init__(self, home: Home, database: Database) -> None:
        self._database = database
        self._writer = Writer(database, home, SystemClock())

    def run(self, command: Callable[[Transaction], T]) -> T:
        """Run a command durably."""
        outcome = self._writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        answer: T = outcome.answer
        return answer

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from what is committed."""
        with self._database.snapshot() as snapshot:
            return question(snapshot)


def measure() -> list[Row]:
    """Return the row of booking in bulk."""
    scale = 20 if quick() else 1
    persons, claims = PERSONS // scale, CLAIMS // scale
    bench = Path(".bench")
    bench.mkdir(exist_ok=True)
    rates, limits = [], []
    with tempfile.TemporaryDirectory(dir=bench) as folder:
        home = _home()
        database = open_database(Path(folder), home.ring.mac_key)
        database.open_writing(SystemClock().now())
        try:
            store = Store(home, database)
            tell(f"booking: enrolling {persons:,} made-up persons")
            _enrol(store, persons)
            for number in range(ROUNDS):
                path = Path(folder) / f"claims-{number}.parquet"
                _write(path, persons, claims, number)
                rate, grown, commits = _booked(path, home, store, Path(folder))
                rates.append(rate)
                limits.append(claims / _appended(Path(folder), grown, commits))
                tell(f"booking: {rate:,.0f} claims/s, the disk alone {limits[-1]:,.0f}")
        finally:
            database.close()
    figure, limit = sorted(rates)[ROUNDS // 2], sorted(limits)[ROUNDS // 2]
    note = f"{THEN:,}/s are hoped for then; the median of {ROUNDS} files of {claims:,} claims"
    if figure < FIRST:
        note += f"; {WHY}"
    return [
        Row(
            area="booking",
            what="claims booked a thousand a commit: judged, traced, owed, journaled; SQLite FULL",
            figure=figure,
            unit="claims/s",
            target=FIRST,
            reference="the same bytes in as many parts, appended and synced",
            reference_figure=limit,
            note=note,
        )
    ]


def _home() -> Home:
    books = [rulebook.parse(path.read_text("utf-8")) for path in _PACK.glob("rulebooks/*.yaml")]
    entropy = SystemEntropy()
    return Home(
        member_id="beijing-hsb",
        ring=KeyRing.create(entropy),
        entropy=entropy,
        region=region.load("jingjinji"),
        shelf=Shelf(books, allow_drafts=True),
        datasets={},
        allow_draft_rulebooks=True,
    )


def _number(person: int) -> str:
    return f"9999991950{person:07d}T"


def _enrol(store: Store, persons: int) -> None:
    def some(begin: int, end: int) -> Callable[[Transaction], None]:
        def command(tx: Transaction) -> None:
            for person in range(begin, end):
                identity = Identity("测试", _number(person), "1", "1950-01-01")
                kind = "retired" if person % 3 == 0 else "active"
                insured.enrol(tx, identity, admdvs="110000", scheme="310", person_type=kind)

        return command

    for begin in range(0, persons, 5_000):
        store.run(some(begin, min(begin + 5_000, persons)))

    def contract(tx: Transaction) -> None:
        for number in range(HOSPITALS):
            code = f"H110101{number:05d}"
            row = InstitutionRow(code, "样例", "Sample", number % 3 + 1, None, "110000", "x.csv")
            tx.put(INSTITUTIONS, row)

    store.run(contract)


def _write(path: Path, persons: int, claims: int, seed: int) -> None:
    dice = np.random.Generator(np.random.PCG64(seed))
    person = np.sort(dice.integers(0, persons, claims))
    hospital = dice.integers(0, HOSPITALS, claims)
    day = np.datetime64("2026-01-01") + dice.integers(0, 300, claims)
    scope = dice.lognormal(13.5, 1.0, claims).astype(np.int64)
    columns = {
        "claim_id": [f"{seed}-{at}" for at in range(claims)],
        "person_id": [_number(each) for each in person.tolist()],
        "sequence": np.arange(claims),
        "admdvs": pa.array(["110000"] * claims).dictionary_encode(),
        "scheme": pa.array(["310"] * claims).dictionary_encode(),
        "visited_admdvs": pa.array(["110000"] * claims).dictionary_encode(),
        "ended_on": day,
        "person_type": np.where(person % 3 == 0, "retired", "active"),
        "hospital_level": (hospital % 3 + 1).astype("U1"),
        "in_scope_fen": scope,
        "total_fen": scope + dice.integers(0, 100_000, claims),
        "institution_id": [f"H110101{each:05d}" for each in hospital.tolist()],
    }
    pq.write_table(pa.table(columns), path)


def _booked(path: Path, home: Home, store: Store, folder: Path) -> tuple[float, int, int]:
    """Return claims a second, the bytes that the store has grown by, and the commits."""
    before = _size(folder)
    gc.freeze()  # as the command does
    began = time.perf_counter()
    summary = book_file(path, home, store)
    seconds = time.perf_counter() - began
    assert not summary.passed, summary.passed
    assert summary.claims == summary.rows, summary
    return summary.claims / seconds, _size(folder) - before, summary.commits


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("node.sqlite*"))


def _appended(folder: Path, size: int, parts: int) -> float:
    """Return the seconds that appending so many bytes takes, synced after each part."""
    part = os.urandom(max(1, size // parts))
    path = folder / "appended"
    began = time.perf_counter()
    with path.open("ab", buffering=0) as file:
        for _ in range(parts):
            file.write(part)
            os.fdatasync(file.fileno())
    seconds = time.perf_counter() - began
    path.unlink()
    return seconds


if __name__ == "__main__":
    for row in measure():
        print(row)
