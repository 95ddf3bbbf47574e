"""What a command sees and changes: the stored state under an overlay of its own changes.

A command is a function of a Transaction. It reads rows, computes with pure functions and puts
rows back; nothing reaches the disk before the writer commits the batch. `mark` and `rollback_to`
take back a part of the changes, so that a refused act can still store its refusal.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from tongcheng.kernel import ids
from tongcheng.kernel.agency import NOTHING, Answers
from tongcheng.kernel.store.records import Records, Value, values_getter

if TYPE_CHECKING:
    from tongcheng.kernel.home import Home
    from tongcheng.kernel.store.storage import Storage

RowT = TypeVar("RowT", bound=msgspec.Struct)


class Signal(NamedTuple):
    """Told to the node after a commit: something outside the store may go on now."""

    kind: str
    subject: str


class Reading(Protocol):
    """Reads rows: a Transaction (with its own changes) or a Snapshot (as committed).

    `consulted` is what the agency's own system has answered for what is read.
    """

    consulted: Answers

    def get(self, records: Records[RowT], *key: Value) -> RowT | None:
        """Return the row with this primary key, or None."""
        ...

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return the rows whose named fields equal these values, in key order."""
        ...


class _Change(NamedTuple, Generic[RowT]):
    """What some rows of a table were in the overlay before a change; None was not there."""

    records: Records[RowT]
    before: dict[tuple[Value, ...], RowT | None]


class Transaction:
    """The state as this batch of commands has changed it so far.

    `now_at` is the instant of the batch (UTC, ms): one commit, one instant. `home` tells who this
    node is: its member, keys, accord and books. `consulted` is what the agency's own system has
    answered for the acts that are taken.
    """

    def __init__(self, database: "Storage", home: "Home", now_at: int) -> None:
        self._database = database
        self._changed: dict[Records[Any], dict[tuple[Value, ...], Any]] = {}
        self._undo: list[_Change[Any]] = []
        self._early: dict[Records[Any], set[tuple[Value, ...]]] = {}
        self._finishing: dict[Callable[[Transaction], None], None] = {}
        self.signals: list[Signal] = []
        self.home = home
        self.now_at = now_at
        self.consulted: Answers = NOTHING

    def get(self, records: Records[RowT], *key: Value) -> RowT | None:
        """Return the row with this primary key, or None; a damaged row raises."""
        assert len(key) == len(records.key), f"{records.name}: {len(key)} key values"
        changed = self._changed.get(records)
        if changed is not None and key in changed:
            row: RowT = changed[key]
            return row
        return self._database.get(records, key)

    def need(self, records: Records[RowT], *key: Value) -> RowT:
        """Return a row that our own bookkeeping says is there."""
        row = self.get(records, *key)
        assert row is not None, f"{records.name}: no row {key}"
        return row

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return the rows whose named fields equal these values, in key order."""
        stored = self._database.select(records, **equals)
        changed = self._changed.get(records)
        if not changed:
            return stored
        wanted, values_of = tuple(equals.values()), values_getter(tuple(equals))
        found: list[RowT] = [row for row in changed.values() if values_of(row) == wanted]
        found += [row for row in stored if records.key_of(row) not in changed]
        return sorted(found, key=records.key_of) if len(found) > 1 else found

    def put(self, records: Records[RowT], row: RowT) -> None:
        """Insert the row, or replace the one with its key."""
        key = records.key_of(row)
        changed = self._changed.setdefault(records, {})
        self._undo.append(_Change(records, {key: changed.get(key)}))
        changed[key] = row

    def add(self, records: Records[RowT], row: RowT) -> None:
        """Insert a row that must be new; overwriting evidence is always our own bug.

        A table that only grows refuses by itself, when the batch is persisted, what it has.
        """
        key = records.key_of(row)
        changed = self._changed.get(records, {})
        is_new = key not in changed and (records.only_grows or self.get(records, *key) is None)
        assert is_new, f"{records.name}: row exists"
        self.put(records, row)

    def get_many(
        self, records: Records[RowT], keys: Collection[tuple[Value, ...]]
    ) -> dict[tuple[Value, ...], RowT]:
        """Return the rows with these primary keys, by key, in as few reads as can be."""
        changed: dict[tuple[Value, ...], RowT] = self._changed.get(records, {})
        found = {key: changed[key] for key in keys if key in changed}
        absent = [key for key in keys if key not in changed]
        return {**self._database.get_many(records, absent), **found} if absent else found

    def put_many(self, records: Records[RowT], rows: Mapping[Any, RowT]) -> None:
        """Insert or replace rows, given by their primary keys."""
        changed = self._changed.setdefault(records, {})
        self._undo.append(_Change(records, {key: changed.get(key) for key in rows}))
        changed.update(rows)

    def add_many(self, records: Records[RowT], rows: Mapping[Any, RowT]) -> None:
        """Insert rows that must be new, given by their primary keys.

        A table that only grows is held to that by the store, when the batch is persisted.
        """
        changed = self._changed.get(records, {})
        assert not changed.keys() & rows.keys(), f"{records.name}: row exists"
        if not records.only_grows:
            stored = self._database.get_many(records, list(rows))
            assert not stored, f"{records.name}: row exists"
        self.put_many(records, rows)

    def write_early(self, records: Records[RowT], rows: Mapping[Any, RowT]) -> None:
        """Let the store begin to write added rows while the rest of the batch is computed.

        Only where no refusal takes them back any more: what fails then, fails the whole batch.
        """
        if self._database.write_early(records, list(rows.values())):
            self._early.setdefault(records, set()).update(rows)

    def signal(self, kind: str, subject: str) -> None:
        """Tell the node, after the commit, that something may go on."""
        self.signals.append(Signal(kind, subject))

    def new_id(self) -> str:
        """Return a new UUIDv7 of this batch's instant."""
        return ids.uuid7(self.now_at, self.home.entropy)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo every change made inside the block if it raises."""
        mark = (len(self._undo), len(self.signals))
        try:
            yield
        except BaseException:
            self._rollback_to(*mark)
            raise

    def _rollback_to(self, undo: int, signals: int) -> None:
        while len(self._undo) > undo:
            change = self._undo.pop()
            changed = self._changed[change.records]
            for key, before in change.before.items():
                if before is None:
                    del changed[key]
                else:
                    changed[key] = before
        del self.signals[signals:]

    def at_end(self, finish: Callable[["Transaction"], None]) -> None:
        """Run a function once, when all commands of the batch have run: for what sums them up."""
        self._finishing[finish] = None

    def changes(self) -> Iterator[tuple[Records[Any], list[Any]]]:
        """Finish, then yield each changed table with its changed rows, for the writer."""
        for finish in self._finishing:
            finish(self)
        for records, rows in self._changed.items():
            early = self._early.get(records, ())
            left = [row for key, row in rows.items() if key not in early]
            if left:
                yield records, left
