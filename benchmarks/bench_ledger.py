"""The ledger: one durable transfer at a time, 64 clients at once, and a thousand a commit.

Every transfer is all that a transfer is in a node: its row with a code, both balances, the day's
totals of both accounts, and its digest in a leaf of the journal, in one commit that is on disk
(SQLite in WAL, synchronous=FULL) before the answer. Accounts are drawn at random from 256 of one
purse. Figure and reference are measured in turns, several rounds, and the middle is told.
"""

import contextlib
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from benchmarks.ledger_clients import CLIENTS, Served, serve
from benchmarks.machine import FOLDER
from benchmarks.row import Row
from benchmarks.runs import not_measured, quick, tell
from tongcheng.kernel import ids, ledger, region
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.ledger import TRANSFERS, Order, TransferRow
from tongcheng.kernel.ledger_batch import Move, Posting
from tongcheng.kernel.rulebook import Shelf
from tongcheng.kernel.store import Database, Storage, Transaction, Writer

AREA, UNIT = "ledger", "transfers/s"
ACCOUNTS = 256
PURSE = "beijing/310/pool"
BATCH = 1_000
Stored = list[tuple[Any, ...]]
"""Rows as they are stored, codes and all."""
ROUNDS = 5
SINGLES_A_ROUND = 300
BATCHES_A_ROUND = 10
POSTGRES = os.environ.get("TONGCHENG_TEST_POSTGRES", "host=127.0.0.1 dbname=test connect_timeout=3")
REQUESTS = {1: 200, 16: 30, 1_000: 1}
"""By how many transfers a request has: how many requests each client makes in a round."""
TRANSFERS_S, P50_MS = 70_000, 1.0
WHY = "two indexes by account, each a page of SQLite's log, beside the row, codes and digests"
WHY_SLOWER_THAN_COPY = (
    "balances, totals and a leaf are written besides; the server stores the rows while totals and "
    "leaf are computed, but begins with no batch before it has committed the last"
)
SHARE_OF_RAW, SHARE_OF_COPY = 0.6, 0.5
"""What design/settlement promises: of raw appends one at a time, of COPY a thousand at a time."""


class Compared(NamedTuple):
    """Two rates measured in turns, a second: the ledger's and the reference's."""

    ledger: float
    reference: float

    @property
    def share(self) -> float:
        """How much of the reference the ledger reaches."""
        return self.ledger / self.reference


class Acts:
    """Orders of transfers as they come in: a new act each, random accounts of one purse."""

    def __init__(self) -> None:
        self._random = Random(7)  # noqa: S311 which accounts, not keys
        self._entropy = SystemEntropy()
        self._clock = SystemClock()

    def orders(self, count: int) -> list[Order]:
        """Return so many orders of this instant."""
        now_at = self._clock.now()
        return [self._order(now_at) for _ in range(count)]

    def _order(self, now_at: int) -> Order:
        debit, credit = self._random.sample(range(ACCOUNTS), 2)
        return Order(
            act_id=ids.uuid7(now_at, self._entropy),
            leg=0,
            subject_id=ids.uuid7(now_at, self._entropy),
            month="2026-11",
            debit_account=_account(debit),
            credit_account=_account(credit),
            amount_fen=self._random.randrange(1, 10_000_000),
        )


class Books:
    """An open store with the accounts, and the writer over it."""

    def __init__(self, database: Storage, home: Home) -> None:
        self.database = database
        self.writer = Writer(database, home, SystemClock())
        self.run(_open_accounts)

    def run(self, command: Callable[[Transaction], Any]) -> Any:
        """Run one command in a commit of its own; return its answer once it is durable."""
        outcome = self.writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    def post(self, orders: Sequence[Order]) -> list[TransferRow]:
        """Make the transfers in one commit."""
        rows: list[TransferRow] = self.run(Posting([Move(order) for order in orders]))
        return rows


def _open_accounts(tx: Transaction) -> None:
    for number in range(ACCOUNTS):
        ledger.open_account(tx, _account(number), PURSE)


def _account(number: int) -> str:
    return f"due_from/tianjin-hsb/{number:03}"


def _home() -> Home:
    entropy = SystemEntropy()
    pack = region.load("jingjinji")
    return Home("beijing-hsb", KeyRing.create(entropy), entropy, pack, Shelf([]))


@contextmanager
def _sqlite() -> Iterator[Books]:
    """Open books in a file of their own, on the disk that the other benchmarks write to."""
    FOLDER.mkdir(exist_ok=True)
    home = _home()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        database = Database(Path(folder) / "node.sqlite", home.ring.mac_key)
        database.open_writing(0)
        try:
            yield Books(database, home)
        finally:
            database.close()


def _in_turns(ours: Callable[[], float], theirs: Callable[[], float]) -> Compared:
    """Return the middle of each function's rates, after a first round that warms up."""
    rounds = [(ours(), theirs()) for _ in range(2 if quick() else ROUNDS + 1)][1:]
    return Compared(*(statistics.median(rates) for rates in zip(*rounds, strict=True)))


def _rate(count: int, work: Callable[[], object]) -> float:
    """Return how many of `count` the work does in a second."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


# one at a time


class _Recorded:
    """How many bytes a commit stores: every value of every row that it writes."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def bytes_of(self, order: Order) -> int:
        """Make one transfer and return what it stored."""
        stored: list[Any] = []
        mac_key = self._books.database.mac_key

        def command(tx: Transaction) -> None:
            ledger_command(tx)
            stored.extend(
                records.encode(row, mac_key) for records, rows in tx.changes() for row in rows
            )

        ledger_command = Posting([Move(order)])
        self._books.run(command)
        return len(msgspec.msgpack.encode(stored))


def one_at_a_time() -> tuple[Compared, int]:
    """Compare transfers of one commit each with appends of the same bytes, each synced."""
    acts = Acts()
    count = 30 if quick() else SINGLES_A_ROUND
    with _sqlite() as books, _raw_file() as file:
        size = _Recorded(books).bytes_of(acts.orders(1)[0])

        def transfer() -> float:
            orders = acts.orders(count)
            return _rate(count, lambda: [books.post([order]) for order in orders])

        def append() -> float:
            pieces = [os.urandom(size) for _ in range(count)]
            return _rate(count, lambda: [_append(file, piece) for piece in pieces])

        return _in_turns(transfer, append), size


@contextmanager
def _raw_file() -> Iterator[FileIO]:
    with tempfile.NamedTemporaryFile(dir=FOLDER) as named, FileIO(named.name, "w") as file:
        yield file


def _append(file: FileIO, piece: bytes) -> None:
    file.write(piece)
    os.fdatasync(file.fileno())


# a thousand a commit


class _Batches:
    """Commits of a thousand transfers, and afterwards their rows as they were stored."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._acts = Acts()
        self._stored: list[Stored] = []

    def transfer(self) -> float:
        """Make some batches; return transfers a second."""
        count = 2 if quick() else BATCHES_A_ROUND
        batches = [self._acts.orders(BATCH) for _ in range(count)]
        made: list[list[TransferRow]] = []
        rate = _rate(count * BATCH, lambda: made.extend(map(self._books.post, batches)))
        mac_key = self._books.database.mac_key
        self._stored = [TRANSFERS.encode_many(rows, mac_key) for rows in made]
        return rate

    def insert(self, insert: Callable[[Stored], None]) -> float:
        """Store the same rows another way, a commit a batch; return rows a second."""
        stored = self._stored
        return _rate(sum(map(len, stored)), lambda: [insert(rows) for rows in stored])


def batches_in_sqlite() -> Compared:
    """Compare commits of a thousand transfers with the same rows put into a bare table."""
    with _sqlite() as books, _sqlite() as bare:
        assert isinstance(bare.database, Database)
        connection = bare.database.writing
        batches = _Batches(books)

        def insert(rows: Stored) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(TRANSFERS.sql_put, rows)
            connection.execute("COMMIT")

        return _in_turns(batches.transfer, lambda: batches.insert(insert))


def batches_in_postgresql() -> Compared:
    """Compare commits of a thousand transfers with the same rows by COPY and one commit.

    The reference's table has the same columns, key and indexes, in a schema of its own.
    """
    from tongcheng.kernel.store.postgresql import PostgresDatabase  # noqa: PLC0415 an extra
    from tongcheng.kernel.store.postgresql_sql import copy  # noqa: PLC0415 an extra

    home = _home()
    with _schema() as ours, _schema() as theirs, contextlib.ExitStack() as opened:
        database = PostgresDatabase(POSTGRES, ours, home.ring.mac_key)
        bare = PostgresDatabase(POSTGRES, theirs, home.ring.mac_key)
        for one in (database, bare):
            opened.callback(one.close)
            one.open_writing(0)
        batches = _Batches(Books(database, home))

        def insert(rows: Stored) -> None:
            copy(bare.writing, TRANSFERS, rows)
            bare.writing.commit()

        return _in_turns(batches.transfer, lambda: batches.insert(insert))


@contextmanager
def _schema() -> Iterator[str]:
    """Give the name of a schema that is dropped afterwards."""
    import psycopg  # noqa: PLC0415 an extra

    name = f"tongcheng_bench_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        try:
            yield name
        finally:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


# sixty-four clients


def clients(size: int) -> Served:
    """Return what 64 clients get that put `size` transfers into a request: the middle round."""
    count = size * CLIENTS * (1 if quick() else REQUESTS[size])
    acts = Acts()
    rounds = []
    with _sqlite() as books:
        assert isinstance(books.database, Database)
        for number in range(2 if quick() else ROUNDS):
            served = serve(books.database, books.writer, acts.orders(count), size)
            if number:
                rounds.append(served)
    return sorted(rounds)[len(rounds) // 2]


# the rows


def measure() -> list[Row]:
    """Return the ledger's rows."""
    rows = [_single()]
    for size in REQUESTS:
        tell(f"ledger: {CLIENTS} clients, {size} transfers a request")
        rows += _clients(size)
    tell("ledger: a thousand a commit")
    rows.append(_batch_in_sqlite())
    rows.append(_batch_in_postgresql())
    return rows


def _single() -> Row:
    tell("ledger: one at a time")
    found, size = one_at_a_time()
    return Row(
        AREA,
        "one durable transfer at a time",
        found.ledger,
        UNIT,
        found.reference * SHARE_OF_RAW,
        reference=f"the same {size:,} bytes appended and fdatasync, in turns",
        reference_figure=found.reference,
        note=_missed(found, SHARE_OF_RAW, "16 pages of SQLite's log are 60 times these bytes"),
    )


def _missed(found: Compared, promised: float, why: str) -> str:
    told = f"{found.share:.0%} of the reference"
    return told if found.share >= promised else f"{told}, promised {promised:.0%}: {why}"


def _clients(size: int) -> list[Row]:
    found = clients(size)
    what = f"{CLIENTS} clients, {size:,} {'transfer' if size == 1 else 'transfers'} a request"
    times = f"answers: p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms"
    cost = f"{found.cpu_us:.0f} µs of this process's CPU each"
    why = "" if found.transfers_s >= TRANSFERS_S else f"{cost}, in one writer; {WHY}"
    note = "; ".join(filter(None, (times, why)))
    half = f"{what}: half the answers within"
    queued = f"{CLIENTS * size:,} transfers wait for one writer at a time"
    waits = "" if found.p50_ms <= P50_MS else queued
    return [
        Row(AREA, what, found.transfers_s, UNIT, TRANSFERS_S, note=note),
        Row(AREA, half, found.p50_ms, "ms", P50_MS, "at most", note=waits),
    ]


def _batch_in_sqlite() -> Row:
    found = batches_in_sqlite()
    return Row(
        AREA,
        f"{BATCH:,} transfers a commit, SQLite",
        found.ledger,
        UNIT,
        reference="the same rows by bare INSERT, one commit, in turns",
        reference_figure=found.reference,
        note="besides the rows: codes, balances, totals, leaf",
    )


def _batch_in_postgresql() -> Row:
    what = f"{BATCH:,} transfers a commit, PostgreSQL"
    try:
        found = batches_in_postgresql()
    except Exception as error:  # noqa: BLE001 no server, or no driver: the row says so
        return not_measured(AREA, what, UNIT, SHARE_OF_COPY, f"{type(error).__name__}: {error}")
    return Row(
        AREA,
        what,
        found.ledger,
        UNIT,
        found.reference * SHARE_OF_COPY,
        reference="the same rows by COPY into the same table, one commit, in turns",
        reference_figure=found.reference,
        note=_missed(found, SHARE_OF_COPY, WHY_SLOWER_THAN_COPY),
    )


if __name__ == "__main__":
    for row in measure():
        print(row)
