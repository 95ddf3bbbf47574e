"""What the writer, the ledger and verification ask of a store, whichever it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import msgspec

from tongcheng.kernel.store.records import Records, Value

if TYPE_CHECKING:
    from tongcheng.kernel.store.database import Snapshot

RowT = TypeVar("RowT", bound=msgspec.Struct)

KEPT_ROWS_MAX = 65_536
"""So many rows of a table the writer remembers; beyond that it starts anew."""

Key = tuple[Value, ...]
Keys = Sequence[Key]
Changes = Iterable[tuple[Records[Any], list[Any]]]


class CommitUnknown(Exception):
    """The store cannot tell whether a commit came through; run again, it might be done twice."""


class Flaw(NamedTuple):
    """What is wrong with a store apart from its rows' values: where, and what."""

    table: str
    key: str
    problem: str


class Storage(Protocol):
    """A store that one writer has open; reads see what is committed.

    `faults` are the exceptions of its driver: after one of them the caller may try again.
    `answers_at_once`: a look-up by key waits for nobody else, as one over a connection does.
    """

    mac_key: bytes
    faults: tuple[type[Exception], ...]
    answers_at_once: bool

    @property
    def name(self) -> str:
        """What people call this store: its file or its schema."""
        ...

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        """Return a row for the writer."""
        ...

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        """Return the rows with these keys, by key, for the writer."""
        ...

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return rows by equality, in key order, for the writer."""
        ...

    def snapshot(self) -> AbstractContextManager["Snapshot"]:
        """Open a read-only view of the committed state."""
        ...

    def inspect(self, snapshot: "Snapshot") -> Iterator[Flaw]:
        """Compare the store with what this software declares; refuses a foreign one."""
        ...

    def begin(self) -> None:
        """Start the batch's transaction."""
        ...

    def write_early(self, records: Records[Any], rows: list[Any]) -> bool:
        """Begin to write rows that only grow while the batch is still computed, if that helps.

        Says whether it does; `persist` is then not given them again.
        """
        ...

    def persist(self, changes: Changes) -> None:
        """Write the changed rows."""
        ...

    def commit(self) -> None:
        """Make the batch durable, unless another writer has taken the lease.

        Raises CommitUnknown where nobody can say any more what became of it.
        """
        ...

    def rollback(self) -> None:
        """Forget the batch; also after a commit that failed."""
        ...


class Rows(Protocol):
    """Reads committed rows over one connection, each code checked."""

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        """Return the row with this key, or None."""
        ...

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        """Return the rows with these keys, by key."""
        ...

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return rows by equality, in key order."""
        ...

    def stream(self, statement: str, values: Sequence[Value]) -> Iterator[tuple[Any, ...]]:
        """Yield what a statement with question marks finds, few of its rows in memory at once."""
        ...

    def any_text(self) -> AbstractContextManager[None]:
        """Let `stream` give text that is no UTF-8 as bytes, where a store can come to have it."""
        ...


class WriterRows:
    """What the writer reads: rows of `kept` tables from memory, where only it changes them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._kept: dict[Records[Any], dict[Key, Any]] = {}
        self._persisted: list[tuple[Records[Any], list[Any]]] = []

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        """Return a row, or None."""
        if not records.is_kept:
            return self._rows.get(records, key)
        row: RowT | None = self._kept.get(records, {}).get(key)
        if row is None:
            row = self._rows.get(records, key)
            if row is not None:
                self._keep(records, {key: row})
        return row

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        """Return rows by key."""
        if not records.is_kept:
            return self._rows.get_many(records, keys)
        kept: dict[Key, RowT] = self._kept.get(records, {})
        found = {key: kept[key] for key in keys if key in kept}
        absent = [key for key in keys if key not in found]
        if absent:
            read = self._rows.get_many(records, absent)
            self._keep(records, read)
            found.update(read)
        return found

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return rows by equality."""
        return self._rows.select(records, **equals)

    def begun(self) -> None:
        """Forget what was persisted and never committed."""
        self._persisted.clear()

    def persisted(self, records: Records[Any], rows: list[Any]) -> None:
        """Note rows that the commit, if it comes, makes the committed ones."""
        if records.is_kept:
            self._persisted.append((records, rows))

    def committed(self) -> None:
        """Keep what was persisted."""
        for records, rows in self._persisted:
            self._keep(records, {records.key_of(row): row for row in rows})
        self._persisted.clear()

    def _keep(self, records: Records[RowT], rows: Mapping[Key, RowT]) -> None:
        kept = self._kept.setdefault(records, {})
        if len(kept) + len(rows) > KEPT_ROWS_MAX:
            kept.clear()
        kept.update(rows)
