"""One SQLite file: opening, schema, the writing connection, and snapshots for reading.

WAL with `synchronous=FULL`: a commit that returned survives a power cut (NORMAL was measured to
sync 0 times in 100 commits). One process writes: a lock on the file beside the database keeps a
second one out, and the epoch in `writer_lease`, checked in every commit, fences a first one that
lost its lock without noticing.
"""

import fcntl
import functools
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from tongcheng.kernel.agency import NOTHING, Answers
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import sqlite_check
from tongcheng.kernel.store.one_writer import WRITER_LEASE, OneWriter
from tongcheng.kernel.store.records import MAC_COLUMN, METADATA, Records, Value
from tongcheng.kernel.store.storage import Changes, Flaw, Key, Keys, Rows, WriterRows

RowT = TypeVar("RowT", bound=msgspec.Struct)

BUSY_TIMEOUT_S = 5.0
CACHE_KIB = 65_536
IDLE_CONNECTIONS_MAX = 4
KEYS_A_READ_MAX = 1_024
CHECKPOINT_PAGES = 8_000
"""32 MiB of WAL before its pages go to their places: a page that changes often goes there once."""
SCHEMA_VERSION = 7
APPLICATION_ID = 0x544F4E47
"""'TONG': a foreign SQLite file is refused before anything is read from it."""


def schema_statements() -> tuple[str, ...]:
    """Return the DDL of every declared table and index, in SQLite's dialect."""
    return _statements_of(tuple(METADATA.tables))


@functools.lru_cache(maxsize=8)
def _statements_of(_names: tuple[str, ...]) -> tuple[str, ...]:
    # Compiling is slow beside opening a small database; tables are only ever added.
    tables = METADATA.sorted_tables
    indexes = [
        index
        for table in tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    commands: list[CreateTable | CreateIndex] = [CreateTable(table) for table in tables]
    commands += [CreateIndex(index) for index in indexes]
    return tuple(str(command.compile(dialect=sqlite.dialect())) for command in commands)


@functools.lru_cache(maxsize=512)
def _sql_get_many(records: Records[Any], count: int) -> str:
    # A cross join looks each wanted key up; `(a, b) IN (VALUES …)` would read the whole table.
    key = ", ".join(records.key)
    wanted = ", ".join([f"({', '.join('?' * len(records.key))})"] * count)
    columns = ", ".join((*records.fields, MAC_COLUMN))
    return (
        f"WITH wanted ({key}) AS (VALUES {wanted}) "  # noqa: S608 names of ours, never input
        f"SELECT {columns} FROM wanted CROSS JOIN {records.name} USING ({key})"
    )


class _Rows:
    """Reading by key and by equality over one raw connection."""

    def __init__(self, connection: sqlite3.Connection, mac_key: bytes) -> None:
        self._connection = connection
        self._mac_key = mac_key

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        stored = self._connection.execute(records.sql_get, key).fetchone()
        return None if stored is None else records.decode(stored, self._mac_key)

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        found: dict[Key, RowT] = {}
        for start in range(0, len(keys), KEYS_A_READ_MAX):
            some = keys[start : start + KEYS_A_READ_MAX]
            # Few lengths of statement, so that SQLite finds the one it has prepared.
            filled = [*some, *[some[-1]] * ((1 << (len(some) - 1).bit_length()) - len(some))]
            values = tuple(itertools.chain.from_iterable(filled))
            for stored in self._connection.execute(_sql_get_many(records, len(filled)), values):
                found[records.key_in(stored)] = records.decode(stored, self._mac_key)
        return found

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        statement = records.sql_by(tuple(equals))
        stored = self._connection.execute(statement, tuple(equals.values()))
        return [records.decode(values, self._mac_key) for values in stored]

    def stream(self, statement: str, values: Sequence[Value]) -> Iterator[tuple[Any, ...]]:
        return self._connection.execute(statement, values)

    @contextmanager
    def any_text(self) -> Iterator[None]:
        self._connection.text_factory = _text
        try:
            yield
        finally:
            self._connection.text_factory = str


def _text(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


class Snapshot:
    """The committed state at one instant, read-only, through SQLAlchemy."""

    def __init__(
        self, connection: sa.Connection, raw: sqlite3.Connection, rows: Rows, mac_key: bytes
    ) -> None:
        self._connection = connection
        self._mac_key = mac_key
        self._raw = raw
        self._rows = rows
        self.consulted: Answers = NOTHING

    def get(self, records: Records[RowT], *key: Value) -> RowT | None:
        """Return the row with this primary key, or None; a damaged row raises."""
        return self._rows.get(records, key)

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return the rows whose named fields equal these values, in key order."""
        return self._rows.select(records, **equals)

    def fetch(self, records: Records[RowT], statement: sa.Select[Any]) -> list[RowT]:
        """Return the whole rows that `select(records.table)…` finds, each MAC checked."""
        stored = self._connection.execute(statement)
        return [records.decode(values, self._mac_key) for values in stored]

    def query(self, statement: sa.Select[Any]) -> list[Any]:
        """Return the rows of an aggregate; for counts and sums shown to people."""
        return list(self._connection.execute(statement).all())

    def stream(self, statement: str, *values: Value) -> Iterator[tuple[Any, ...]]:
        """Yield what is stored, for verification: also what no row type can hold.

        The statement has question marks for its values. Few rows are in memory at a time.
        """
        return self._rows.stream(statement, values)

    def any_text(self) -> AbstractContextManager[None]:
        """Stream text that is no UTF-8 as bytes: damaged text is a finding, not a failure."""
        return self._rows.any_text()

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself, for what only this kind of store can do."""
        return self._raw


class Database(OneWriter):
    """The node's file. Opened for writing by one process, for reading by any number."""

    faults: tuple[type[Exception], ...] = (sqlite3.Error,)
    answers_at_once = True

    def __init__(self, path: Path, mac_key: bytes, *, synchronous: str = "FULL") -> None:
        assert synchronous in {"FULL", "OFF"}, synchronous
        super().__init__(mac_key)
        self.path = path
        self._synchronous = synchronous
        self._writing: sqlite3.Connection | None = None
        self._lock: Any = None
        self._engine = sa.create_engine(
            "sqlite://", creator=self._open_reading, poolclass=sa.pool.QueuePool, pool_size=4
        )
        self._idle: list[sa.Connection] = []
        self._closed = False

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    # opening

    def open_writing(self, now_at: int) -> None:
        """Create or open the file for writing and take the lease; refuse a second writer."""
        self._take_lock()
        try:
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S
            )
            self._writing = connection
            self._closed = False
            self._prepare(connection)
            self._writer_rows = WriterRows(_Rows(connection, self.mac_key))
            self._take_lease(now_at)
        except sqlite3.DatabaseError as error:
            self.close()
            raise self._unreadable(error) from error
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> None:
        self._lock = self.path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise Refused("STORE_IN_USE", file=self.path.name) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and found != APPLICATION_ID:
            raise Refused("STORE_FOREIGN", file=self.path.name)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if tables and version != SCHEMA_VERSION:
            raise Refused("STORE_VERSION", file=self.path.name, found=version)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if not tables:
            self.path.chmod(0o600)
            # One transaction: a node that is killed in its first second starts again from nothing.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            for statement in schema_statements():
                connection.execute(statement)
            connection.execute("COMMIT")

    def _take_lease(self, now_at: int) -> None:
        lease = self._next_lease(now_at)
        self.begin()
        self.persist(lease)
        self.writing.execute("COMMIT")

    def _open_reading(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S
        )
        connection.execute("PRAGMA query_only = ON")
        return connection

    # reading

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open a read-only view of the committed state; it never blocks the writer."""
        try:
            connection = self._reading()
            raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
            snapshot = Snapshot(connection, raw, _Rows(raw, self.mac_key), self.mac_key)
            try:
                snapshot.raw.execute("BEGIN")
                yield snapshot
                snapshot.raw.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
            if self._closed or len(self._idle) >= IDLE_CONNECTIONS_MAX:
                connection.close()
            else:
                self._idle.append(connection)
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            raise self._unreadable(error) from error

    def _reading(self) -> sa.Connection:
        # Kept open between two snapshots: the pool's bookkeeping costs more than a read by key.
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def inspect(self, snapshot: Snapshot) -> Iterator[Flaw]:
        """Let SQLite check itself, and compare the schema; refuses a foreign file."""
        sqlite_check.check_file(snapshot.raw, self.name, APPLICATION_ID, SCHEMA_VERSION)
        yield from sqlite_check.storage(snapshot.raw)
        yield from sqlite_check.schema(snapshot.raw, schema_statements())

    # writing, for the writer alone

    @property
    def writing(self) -> sqlite3.Connection:
        """The one connection that writes."""
        assert self._writing is not None, "the database is not open for writing"
        return self._writing

    def begin(self) -> None:
        """Start the batch's transaction."""
        self._by_writer.begun()
        self.writing.execute("BEGIN IMMEDIATE")

    def write_early(self, _records: Records[Any], _rows: list[Any]) -> bool:
        """Write nothing early: SQLite has no other process that would work meanwhile."""
        return False

    def persist(self, changes: Changes) -> None:
        """Write the changed rows, one prepared statement a table."""
        for records, rows in changes:
            statement = records.sql_add if records.only_grows else records.sql_put
            try:
                self.writing.executemany(statement, records.encode_many(rows, self.mac_key))
            except sqlite3.IntegrityError as error:
                # Only a table that only grows can refuse a row, and only one that it has.
                message = f"{records.name}: row exists"
                raise AssertionError(message) from error
            self._by_writer.persisted(records, rows)

    def commit(self) -> None:
        """Make the batch durable, unless another writer has taken the lease."""
        held = self.get(WRITER_LEASE, ("writer",))
        assert held is not None, "the lease row was written when the database was opened"
        if held.epoch != self.epoch:
            raise Refused("STORE_IN_USE", file=self.path.name)
        self.writing.execute("COMMIT")
        self._by_writer.committed()

    def rollback(self) -> None:
        """Forget the batch; also after a commit that failed."""
        if self.writing.in_transaction:
            self.writing.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection and give the lock back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self._writer_rows = None
