"""What a check is given: one snapshot of the node's database, and who the node is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, journal
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.adoption import AccordRow
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records, Snapshot
from tongcheng.kernel.store.records import show_key

RowT = TypeVar("RowT", bound=msgspec.Struct)

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


@dataclass
class View:
    """The committed state at one instant; every row read through it has its code checked again."""

    snapshot: Snapshot
    home: Home
    progress: Progress
    peer_notes: tuple[str, ...] = ()
    figures: dict[str, int] = field(default_factory=dict)

    def stream(self, records: Records[RowT], order: str | None = None) -> Iterator[RowT]:
        """Yield every row of a table, in key order unless another is named, and tell progress."""
        total = self.count(records)
        sql = f"{records.sql_select} ORDER BY {order or ', '.join(records.key)}"
        mac_key = self.home.ring.mac_key
        for done, values in enumerate(self.snapshot.stream(sql)):
            if done % 1_000 == 0:
                self.progress(records.name, done, total)
            yield records.decode(values, mac_key)

    def count(self, records: Records[Any]) -> int:
        """Return how many rows a table has."""
        return int(next(self.snapshot.stream(records.sql_count))[0])

    def keys_without(self, sql: str, *values: str) -> list[str]:
        """Return the first column of a query that looks for rows without their counterpart."""
        return [show_key(row) for row in self.snapshot.stream(sql, *values)]

    def content(self, kind: str, content_id: str) -> bytes | None:
        """Return a journal content in the clear, or None."""
        return journal.content(self.snapshot, self.home.ring, kind, content_id)

    @cached_property
    def adopted(self) -> list[tuple[AccordRow, Accord]]:
        """The adopted accords, oldest first, each with its row."""
        rows = self.snapshot.select(adoption.ACCORDS)
        return [(row, accords.parse(row.document).accord) for row in rows]

    def accords(self) -> list[Accord]:
        """Return the adopted accords, oldest first."""
        return [accord for _, accord in self.adopted]


class Check(NamedTuple):
    """One subject: its name, the tables whose rows it rests on, and the function that looks."""

    name: str
    tables: tuple[Records[Any], ...]
    run: Callable[[View], Iterator[Finding]]


def finding(records: Records[Any], key: object, problem: str) -> Finding:
    """Return a finding about one row."""
    return Finding(table=records.name, key=str(key), problem=problem)


def of_row(records: Records[RowT], row: RowT, problem: str) -> Finding:
    """Return a finding about this row."""
    return Finding(table=records.name, key=show_key(records.key_of(row)), problem=problem)
