"""The same store in one schema of a PostgreSQL database: for a ledger that outgrows one file.

One writer, READ COMMITTED. Every commit reads the lease with its row locked, so that a writer that
lost it commits nothing, and one that takes it waits for a commit under way. New rows of tables that
only grow go in by COPY; other rows by one INSERT from arrays a table. A connection that broke is
opened anew by the next batch; if it broke in a commit, the transaction's number tells what became
of it. What this store can and cannot do: docs/postgresql.md.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import msgspec
import psycopg
import sqlalchemy as sa

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import postgresql_sql as statements
from tongcheng.kernel.store.database import SCHEMA_VERSION, Snapshot
from tongcheng.kernel.store.one_writer import OneWriter
from tongcheng.kernel.store.postgresql_sql import Connection, PostgresRows
from tongcheng.kernel.store.records import Records
from tongcheng.kernel.store.sqlite_check import SCHEMA, differences
from tongcheng.kernel.store.storage import Changes, CommitUnknown, Flaw, WriterRows

RowT = TypeVar("RowT", bound=msgspec.Struct)

CONNECT_TIMEOUT_S = 10
RECONNECTS_MAX = 5
EARLIER_COMMIT_S = 5
POOL_SIZE = 4
_MARK = f"tongcheng store {SCHEMA_VERSION}"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LEASE = "SELECT epoch, pg_current_xact_id()::text FROM writer_lease FOR SHARE"


class PostgresDatabase(OneWriter):
    """One schema of a database: opened for writing by one process, for reading by any number.

    `conninfo` is libpq's ("host=… dbname=…"); passwords belong into its password file.
    """

    faults: tuple[type[Exception], ...] = (psycopg.Error,)
    answers_at_once = False

    def __init__(self, conninfo: str, schema: str, mac_key: bytes) -> None:
        assert _NAME.fullmatch(schema), schema
        super().__init__(mac_key)
        self._conninfo = conninfo
        self._schema = schema
        self._writing: Connection | None = None
        self._early: statements.Copying | None = None
        self._lease: psycopg.Cursor[tuple[Any, ...]] | None = None
        self._engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=POOL_SIZE,
            isolation_level="REPEATABLE READ",
        )

    @property
    def name(self) -> str:
        """The schema's name."""
        return self._schema

    def _connect(self) -> Connection:
        return psycopg.connect(
            self._conninfo,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=f"-c search_path={self._schema} -c synchronous_commit=on",
            application_name="tongcheng",
        )

    # opening

    def open_writing(self, now_at: int) -> None:
        """Create or open the schema for writing and take the lease from whoever had it."""
        try:
            self._reconnect()
            self._prepare()
            self._take_lease(now_at)
        except psycopg.Error as error:
            self.close()
            raise self._unreadable(error) from error
        except BaseException:
            self.close()
            raise

    def _reconnect(self) -> None:
        """Open the writing connection; what was remembered over another is forgotten."""
        self._writing = self._connect()
        self._writer_rows = WriterRows(PostgresRows(lambda: self.writing, self.mac_key))

    def _prepare(self) -> None:
        mark = statements.mark(self.writing, self._schema)
        if mark is not None:
            self._check_mark(mark)
            self.writing.rollback()
            return
        self.writing.execute(f"CREATE SCHEMA {self._schema}".encode())
        for statement in statements.schema_statements():
            self.writing.execute(statement.encode())
        self.writing.execute(f"COMMENT ON SCHEMA {self._schema} IS '{_MARK}'".encode())
        self.writing.commit()

    def _check_mark(self, mark: str) -> None:
        if not mark.startswith("tongcheng store "):
            raise Refused("STORE_FOREIGN", file=self.name)
        if mark != _MARK:
            raise Refused("STORE_VERSION", file=self.name, found=mark.rpartition(" ")[2])

    def _take_lease(self, now_at: int) -> None:
        # Waits for the commit of a writer that still has the lease; its next one is refused.
        self.writing.execute("LOCK TABLE writer_lease IN EXCLUSIVE MODE")
        self.persist(self._next_lease(now_at))
        self.writing.commit()

    # reading

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open a read-only view of the committed state; it never blocks the writer."""
        try:
            with self._engine.connect() as connection:
                driver = cast("Connection", connection.connection.dbapi_connection)
                connection.execute(sa.text("SET TRANSACTION READ ONLY"))
                rows = PostgresRows(lambda: driver, self.mac_key)
                yield Snapshot(connection, cast("Any", driver), rows, self.mac_key)
                connection.rollback()
        except (sa.exc.DatabaseError, psycopg.Error) as error:
            raise self._unreadable(error) from error

    def inspect(self, snapshot: Snapshot) -> Iterator[Flaw]:
        """Compare tables, columns and indexes with the declared; refuses a foreign schema.

        Pages are PostgreSQL's own to check: its checksums, where the cluster has them, and amcheck.
        """
        driver = cast("Connection", snapshot.raw)
        mark = statements.mark(driver, self._schema)
        self._check_mark(mark or "")
        try:
            found = statements.stored_shapes(driver, self._schema)
        except psycopg.Error as error:
            yield Flaw(SCHEMA, "pg_catalog", str(error))
            return
        yield from differences(statements.declared_shapes(), found)

    # writing, for the writer alone

    @property
    def writing(self) -> Connection:
        """The one connection that writes; rows on their way are stored before it is asked more."""
        assert self._writing is not None, "the database is not open for writing"
        if self._early is not None:
            early, self._early = self._early, None
            with _new_rows():
                early.finish()
        return self._writing

    def begin(self) -> None:
        """Start the batch's transaction, over a new connection if the last one broke."""
        if self.writing.closed:
            self._reconnect()
            self._wait_for_earlier()
        self._by_writer.begun()

    def _wait_for_earlier(self) -> None:
        """Let a commit over a connection that broke come to its end before anything is read."""
        try:
            self.writing.execute(f"SET LOCAL lock_timeout = '{EARLIER_COMMIT_S}s'".encode())
            self.writing.execute("LOCK TABLE writer_lease IN EXCLUSIVE MODE")
            self.writing.rollback()
        except psycopg.Error:
            self.writing.close()
            raise

    def write_early(self, records: Records[Any], rows: list[Any]) -> bool:
        """Let the server begin to store rows that only grow; say whether it does."""
        if len(rows) <= statements.FEW_ROWS:
            return False
        assert records.only_grows, f"{records.name}: a row may change once more in this batch"
        values = records.encode_many(rows, self.mac_key)
        self._early = statements.Copying(self.writing, records, values)
        self._by_writer.persisted(records, rows)
        return True

    def persist(self, changes: Changes) -> None:
        """Write the changed rows: what is many and new by COPY, all else without waiting.

        The lease is read with them, so that the commit need not ask on its own.
        """
        coded = []
        for records, rows in changes:
            coded.append((records, records.encode_many(rows, self.mac_key)))
            self._by_writer.persisted(records, rows)
        connection, many = self.writing, []
        with _new_rows():
            with connection.pipeline():
                for records, values in coded:
                    if records.only_grows and len(values) > statements.FEW_ROWS:
                        many.append((records, values))
                    else:
                        statements.put(connection, records, values)
                self._lease = connection.execute(_LEASE)
            for records, values in many:
                statements.copy(connection, records, values)

    def commit(self) -> None:
        """Make the batch durable, unless another writer has taken the lease.

        Raises CommitUnknown where the server cannot be asked what became of it.
        """
        assert self._lease is not None, "a batch is persisted before it is committed"
        found = self._lease.fetchone()
        assert found is not None, "the lease row was written when the database was opened"
        epoch, transaction = found
        if epoch != self.epoch:
            raise Refused("STORE_IN_USE", file=self.name)
        try:
            self.writing.commit()
        except psycopg.OperationalError:
            if not self.writing.closed or not self._was_committed(transaction):
                raise
            return
        self._by_writer.committed()

    def _was_committed(self, transaction: str) -> bool:
        """Say what became of a commit whose answer was lost, or raise CommitUnknown."""
        fault = "the server still has it under way"
        for attempt in range(RECONNECTS_MAX):
            if attempt:
                time.sleep(2**attempt / 20)
            try:
                if self.writing.closed:
                    self._reconnect()
                status = self._status_of(transaction)
            except psycopg.OperationalError as error:
                fault = str(error)
                continue
            # None: so long ago that the server has forgotten it.
            if status in {"committed", "aborted"}:
                return status == "committed"
        # Nothing that this connection has read may be built upon.
        self.writing.close()
        raise CommitUnknown(fault)

    def _status_of(self, transaction: str) -> str | None:
        question = "SELECT pg_xact_status(%s::xid8)"
        found = self.writing.execute(question, (transaction,)).fetchone()
        self.writing.rollback()
        assert found is not None, "a function answers with one row"
        status: str | None = found[0]
        return status

    def rollback(self) -> None:
        """Forget the batch; also after a commit that failed."""
        with suppress(psycopg.Error, AssertionError):
            self.writing  # noqa: B018 ends what is on its way, whatever comes of it
        if not self.writing.closed:
            with suppress(psycopg.OperationalError):
                self.writing.rollback()

    def close(self) -> None:
        """Close every connection; the lease stays until another writer takes it."""
        self._engine.dispose()
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        self._writer_rows = None


@contextmanager
def _new_rows() -> Iterator[None]:
    """Say of a row that only grows and is there already that this is a bug of ours."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        message = f"{error.diag.table_name}: row exists"
        raise AssertionError(message) from error
