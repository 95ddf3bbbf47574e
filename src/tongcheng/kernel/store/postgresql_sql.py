"""The statements of the store in PostgreSQL, made from what is declared, never from input."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, TypeVar

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tongcheng.kernel.store.records import MAC_COLUMN, METADATA, Records, Value
from tongcheng.kernel.store.storage import Key, Keys

RowT = TypeVar("RowT", bound=msgspec.Struct)
Connection = psycopg.Connection[tuple[Any, ...]]

FEW_ROWS = 16
"""So many new rows of a table go in with the other statements: a COPY waits twice for itself."""
ROWS_A_FETCH = 2_000
"""So many rows of a stream are in memory at a time."""
NAME_LENGTH_MAX = 63
"""PostgreSQL cuts longer names; a longer one ends in a digest of the whole instead."""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_ARRAY_OF = {"BIGINT": "int8", "TEXT": "text", "BYTEA": "bytea"}
_MARK = """
SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = %s
"""
_COLUMNS = """
SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.relname
"""
_INDEXES = """
SELECT i.relname, c.relname || '(' || (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum)
  FROM pg_attribute a WHERE a.attrelid = i.oid) || ')' || CASE WHEN x.indisunique THEN ' unique'
  ELSE '' END || CASE WHEN x.indisvalid THEN '' ELSE ' invalid' END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = %s::regnamespace
"""


# the schema


def schema_statements() -> tuple[str, ...]:
    """Return the DDL of every declared table and index, in PostgreSQL's dialect."""
    tables = METADATA.sorted_tables
    indexes = sorted((_index_name(one), one) for table in tables for one in table.indexes)
    return (
        *(str(CreateTable(table).compile(dialect=_DIALECT)) for table in tables),
        *(f"CREATE INDEX {name} ON {_index_shape(index)}" for name, index in indexes),
    )


def declared_shapes() -> dict[str, str]:
    """Return each table's columns and each index's table and columns, as declared."""
    shapes = {}
    for table in METADATA.sorted_tables:
        columns = [
            f"{column.name} {_type_name(column)}{'' if column.nullable else ' not null'}"
            for column in table.columns
        ]
        shapes[table.name] = ", ".join(columns)
        key = ", ".join(column.name for column in table.primary_key.columns)
        shapes[f"{table.name}_pkey"] = f"{table.name}({key}) unique"
        for index in table.indexes:
            shapes[_index_name(index)] = _index_shape(index)
    return shapes


def stored_shapes(connection: Connection, schema: str) -> dict[str, str]:
    """Return the same of what the schema has."""
    shapes: dict[str, str] = {}
    for query in (_COLUMNS, _INDEXES):
        shapes.update(connection.execute(query, (schema,)).fetchall())
    return shapes


def mark(connection: Connection, schema: str) -> str | None:
    """Return what a schema says of itself, None when there is no such schema."""
    found = connection.execute(_MARK, (schema,)).fetchone()
    return None if found is None else str(found[0])


def _index_name(index: sa.Index) -> str:
    name = str(index.name)
    if len(name) <= NAME_LENGTH_MAX:
        return name
    return f"{name[: NAME_LENGTH_MAX - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _index_shape(index: sa.Index) -> str:
    assert index.table is not None, "an index is declared with its table"
    return f"{index.table.name}({', '.join(column.name for column in index.columns)})"


def _type_name(column: sa.Column[Any]) -> str:
    name = column.type.compile(dialect=_DIALECT)
    return name.partition(" ")[0].lower()


@functools.lru_cache(maxsize=512)
def _types(records: Records[Any]) -> dict[str, str]:
    """Return each column's type as arrays and COPY name it, its MAC last."""
    return {column.name: _ARRAY_OF[_type_name(column).upper()] for column in records.table.columns}


# reading


class PostgresRows:
    """Reads committed rows over one connection, each code checked; many keys go as arrays."""

    def __init__(self, connection: Callable[[], Connection], mac_key: bytes) -> None:
        self._connection = connection
        self._mac_key = mac_key
        self._streams = 0

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        """Return the row with this key, or None."""
        statement = _translated(records.sql_get)
        stored = self._connection().execute(statement, key, binary=True).fetchone()
        return None if stored is None else records.decode(stored, self._mac_key)

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        """Return the rows with these keys, by key."""
        if not keys:
            return {}
        columns = [list(column) for column in zip(*keys, strict=True)]
        found = self._connection().execute(_sql_get_many(records), columns, binary=True)
        return {records.key_in(stored): records.decode(stored, self._mac_key) for stored in found}

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return rows by equality, in key order."""
        statement = _translated(records.sql_by(tuple(equals)))
        stored = self._connection().execute(statement, tuple(equals.values()), binary=True)
        return [records.decode(one, self._mac_key) for one in stored]

    def stream(self, statement: str, values: Sequence[Value]) -> Iterator[tuple[Any, ...]]:
        """Yield what a statement finds, from a cursor of the server's; other reads may go between.

        One that cannot be read leaves the snapshot as it was.
        """
        connection = self._connection()
        connection.execute("SAVEPOINT stream")
        self._streams += 1
        try:
            with connection.cursor(f"stream_{self._streams}") as cursor:
                cursor.itersize = ROWS_A_FETCH
                yield from cursor.execute(_translated(statement), values, binary=True)
        except psycopg.Error:
            connection.execute("ROLLBACK TO stream")
            raise

    def any_text(self) -> AbstractContextManager[None]:
        """Change nothing: PostgreSQL stores no text that is not UTF-8."""
        return nullcontext()


@functools.lru_cache(maxsize=1_024)
def _translated(statement: str) -> bytes:
    assert "%" not in statement, statement
    return statement.replace("?", "%s").encode()


@functools.lru_cache(maxsize=512)
def _sql_get_many(records: Records[Any]) -> bytes:
    kinds = _types(records)
    arrays = ", ".join(f"%b::{kinds[name]}[]" for name in records.key)
    key = ", ".join(records.key)
    columns = ", ".join(f"{records.name}.{name}" for name in kinds)
    return (
        f"SELECT {columns} FROM unnest({arrays}) AS wanted ({key}) "  # noqa: S608 names of ours
        f"JOIN {records.name} USING ({key})"
    ).encode()


# writing


class Copying:
    """A COPY under way: the server stores its rows while this process does something else.

    Until it is finished its connection can be asked nothing else.
    """

    def __init__(self, connection: Connection, records: Records[Any], rows: Keys) -> None:
        kinds = _types(records)
        statement = f"COPY {records.name} ({', '.join(kinds)}) FROM STDIN (FORMAT BINARY)"
        cursor = connection.cursor()
        # psycopg codes bytes in Python unless told so; that took two thirds of coding a row.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        self._stack = ExitStack()
        stream = self._stack.enter_context(cursor.copy(statement.encode()))
        try:
            stream.set_types(list(kinds.values()))
            for row in rows:
                stream.write_row(row)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def finish(self) -> None:
        """Wait until the server has stored them; a row that is there already raises."""
        self._stack.close()


def copy(connection: Connection, records: Records[Any], rows: Keys) -> None:
    """Add many rows that must be new; one that is not fails the whole batch."""
    Copying(connection, records, rows).finish()


def put(connection: Connection, records: Records[Any], rows: Keys) -> None:
    """Insert rows, or replace those with their keys; rows that only grow must be new."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(_sql_put(records), columns)


@functools.lru_cache(maxsize=512)
def _sql_put(records: Records[Any]) -> bytes:
    kinds = _types(records)
    arrays = ", ".join(f"%b::{kind}[]" for kind in kinds.values())
    statement = (
        f"INSERT INTO {records.name} ({', '.join(kinds)}) "  # noqa: S608 names of ours
        f"SELECT * FROM unnest({arrays})"
    )
    if not records.only_grows:
        kept = [name for name in (*records.fields, MAC_COLUMN) if name not in records.key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in kept)
        statement += f" ON CONFLICT ({', '.join(records.key)}) DO UPDATE SET {changes}"
    return statement.encode()
