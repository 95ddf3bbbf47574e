"""The code (MAC) of every row of every table."""

from collections.abc import Iterator
from typing import Any

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Progress
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Snapshot, Storage
from tongcheng.kernel.store.records import DECLARED, Records, show_key

FOREIGN_ROWS_MIN = 3
"""So many rows, and none with the right code: then the keys are wrong, not the rows."""


class RowCheck:
    """Reads every row once; `checked` counts them, `damaged` names the tables with a bad one."""

    def __init__(self, database: Storage, snapshot: Snapshot, progress: Progress) -> None:
        self._database = database
        self._snapshot = snapshot
        self._progress = progress
        self._failed = 0
        self.checked = 0
        self.damaged: set[str] = set()

    def run(self) -> list[Finding]:
        """Return every damaged row; refuse when no row fits the keys."""
        findings: list[Finding] = []
        with self._snapshot.any_text():
            for records in sorted(DECLARED.values(), key=lambda one: one.name):
                findings.extend(self._table(records))
        if self._failed == self.checked >= FOREIGN_ROWS_MIN:
            raise Refused("STORE_OTHER_KEYS", file=self._database.name)
        return findings

    def _table(self, records: Records[Any]) -> Iterator[Finding]:
        name = records.name
        try:
            total = next(self._snapshot.stream(records.sql_count))[0]
            for done, stored in enumerate(self._snapshot.stream(records.sql_select)):
                if done % 1_000 == 0:
                    self._progress(name, done, total)
                self.checked += 1
                if not records.is_intact(stored, self._database.mac_key):
                    self._failed += 1
                    self.damaged.add(name)
                    key = show_key(records.key_in(stored))
                    yield Finding(table=name, key=key, problem="a stored value was changed")
        except self._database.faults as error:
            self.damaged.add(name)
            yield Finding(table=name, key="-", problem=f"cannot be read: {error}")
