"""What every store does alike for its one writer: its lease, and reads by what it remembers."""

from abc import ABC, abstractmethod
from typing import TypeVar

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store.records import Records, Value
from tongcheng.kernel.store.storage import Changes, Key, Keys, WriterRows

RowT = TypeVar("RowT", bound=msgspec.Struct)


class LeaseRow(msgspec.Struct, frozen=True):
    """Which writer holds this database: the epoch grows by one with every opening."""

    lease_id: str
    epoch: int
    taken_at: int


WRITER_LEASE = Records("writer_lease", LeaseRow, key=("lease_id",))


class OneWriter(ABC):
    """A store that one process at a time has open for writing."""

    def __init__(self, mac_key: bytes) -> None:
        self.mac_key = mac_key
        self.epoch = 0
        self._writer_rows: WriterRows | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call this store: its file or its schema."""

    def get(self, records: Records[RowT], key: Key) -> RowT | None:
        """Return a row through the writing connection."""
        return self._by_writer.get(records, key)

    def get_many(self, records: Records[RowT], keys: Keys) -> dict[Key, RowT]:
        """Return the rows with these keys, by key, through the writing connection."""
        return self._by_writer.get_many(records, keys)

    def select(self, records: Records[RowT], **equals: Value) -> list[RowT]:
        """Return rows by equality through the writing connection."""
        return self._by_writer.select(records, **equals)

    @property
    def _by_writer(self) -> WriterRows:
        assert self._writer_rows is not None, "the database is not open for writing"
        return self._writer_rows

    def _next_lease(self, now_at: int) -> Changes:
        """Return what takes the lease from whoever has it."""
        held = self.get(WRITER_LEASE, ("writer",))
        self.epoch = 1 if held is None else held.epoch + 1
        return [(WRITER_LEASE, [LeaseRow("writer", self.epoch, now_at)])]

    def _unreadable(self, error: Exception) -> Refused:
        """Return the refusal that says what the driver, or SQLAlchemy over it, has found."""
        detail = str(getattr(error, "orig", error))
        return Refused("STORE_UNREADABLE", file=self.name, detail=detail)
