"""One node with persons and hospitals of its own, and files of claims settled at home (synthetic).

The store is written as `tongcheng settlement book` writes it: no server, one command a commit.
"""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.services.settlement.two_cities import INSURED, NOW_AT, id_number
from tests.services.settlement.two_cities import home as home_of
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger import TRANSFERS
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Database, Records, Snapshot, Transaction, Writer
from tongcheng.node.core import open_database
from tongcheng.services.settlement import insured, model, store
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.booking.check import home_claims
from tongcheng.services.settlement.booking.file import Summary, book_file
from tongcheng.services.settlement.booking.prepare import Passed
from tongcheng.services.settlement.filings import person_of
from tongcheng.services.settlement.verify import decisions, entries, years

T = TypeVar("T")
HOSPITAL = "H11010100001"
PERSONS = 8
Row = dict[str, str | int]


def claim(claim_id: str, person: int, ended_on: str, in_scope_fen: int, **more: str | int) -> Row:
    """Return one row: a retired person's stay in a hospital of level 3 at home."""
    row: Row = {
        "claim_id": claim_id,
        "person_id": id_number(person),
        "admdvs": "110000",
        "scheme": "310",
        "visited_admdvs": "110000",
        "admitted_on": ended_on,
        "ended_on": ended_on,
        "person_type": "retired",
        "hospital_level": "3",
        "in_scope_fen": in_scope_fen,
        "total_fen": in_scope_fen,
        "institution_id": HOSPITAL,
    }
    return {**row, **more}


def void(claim_id: str, reverses: str, person: int, ended_on: str) -> Row:
    """Return a row that takes a claim back."""
    return {
        "claim_id": claim_id,
        "person_id": id_number(person),
        "event": "void",
        "reverses": reverses,
        "ended_on": ended_on,
    }


class Agency:
    """The node, its store open for writing."""

    def __init__(self, home: Home, database: Database, clock: ManualClock, folder: Path) -> None:
        self.home = home
        self.database = database
        self.folder = folder
        self._writer = Writer(database, home, clock)
        self._files = 0

    def run(self, command: Callable[[Transaction], Any]) -> Any:
        """Run one command in a commit of its own."""
        outcome = self._writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from what is committed."""
        with self.database.snapshot() as snapshot:
            return question(snapshot)

    def book(
        self, *rows: Row, progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> tuple[Summary, list[Passed]]:
        """Book a file of these rows."""
        names = list(dict.fromkeys(name for row in (claim("", 0, "", 0), *rows) for name in row))
        self._files += 1
        path = self.folder / f"claims-{self._files}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
        passed: list[Passed] = []
        summary = book_file(path, self.home, self, tell=passed.append, progress=progress)
        return summary, passed

    def year(self, person: int, year: int = 2026) -> Accumulators:
        """Return what a person has used in a year."""
        key = self.key(person)
        row = self.read(lambda s: s.get(store.YEARS, key, "beijing", year))
        if row is None:
            return Accumulators()
        fields = Accumulators.__struct_fields__
        return Accumulators(**{name: getattr(row, name) for name in fields})

    def key(self, person: int) -> str:
        """Return the key under which this node keeps a person."""
        key: str = self.read(lambda s: person_of(s, self.home, id_number(person)))
        return key

    def tamper(self, sql: str) -> None:
        """Change rows and make their MACs anew, as somebody with the node's keys could."""
        connection = self.database.writing
        connection.execute(sql)
        tables: tuple[Records[Any], ...] = (store.ENTRIES, TRANSFERS)
        for records in tables:
            for stored in connection.execute(records.sql_select).fetchall():
                row = records.row_type(*stored[:-1])
                connection.execute(records.sql_put, records.encode(row, self.database.mac_key))

    def findings(self) -> list[Finding]:
        """Return what verification finds among the rows that booking writes."""
        checks = (years, entries, home_claims, decisions)
        return self.read(lambda s: [each for check in checks for each in check(s, self.home)])


def _enrol(tx: Transaction) -> None:
    for number in range(PERSONS):
        identity = model.Identity(f"测试{number}", id_number(number), "1", "1950-01-01")
        insured.enrol(tx, identity, admdvs="110000", scheme="310", person_type="retired")
    row = store.InstitutionRow(HOSPITAL, "样例医院", "Sample Hospital", 3, None, "110000", "x.csv")
    tx.put(store.INSTITUTIONS, row)


@contextmanager
def agency(folder: Path) -> Iterator[Agency]:
    """Open a new node in `folder`."""
    home, clock = home_of(INSURED), ManualClock(NOW_AT)
    folder.mkdir(parents=True, exist_ok=True)
    database = open_database(folder, home.ring.mac_key, synchronous="OFF")
    database.open_writing(clock.now())
    try:
        made = Agency(home, database, clock, folder)
        made.run(_enrol)
        yield made
    finally:
        database.close()
