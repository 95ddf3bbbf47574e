"""The code (MAC) of every row of every table."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Progress
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store.records import DECLARED, Records, show_key

FOREIGN_ROWS_MIN = 3
"""So many rows, and none with the right code: then the keys are wrong, not the rows."""


class RowCheck:
    """Reads every row once; `checked` counts them, `damaged` names the tables with a bad one."""

    def __init__(self, raw: sqlite3.Connection, mac_key: bytes, progress: Progress) -> None:
        self._raw = raw
        self._mac_key = mac_key
        self._progress = progress
        self._failed = 0
        self.checked = 0
        self.damaged: set[str] = set()

    def run(self, file: str) -> list[Finding]:
        """Return every damaged row; refuse when no row fits the keys."""
        findings: list[Finding] = []
        with _any_text(self._raw):
            for records in sorted(DECLARED.values(), key=lambda one: one.name):
                findings.extend(self._table(records))
        if self._failed == self.checked >= FOREIGN_ROWS_MIN:
            raise Refused("STORE_OTHER_KEYS", file=file)
        return findings

    def _table(self, records: Records[Any]) -> Iterator[Finding]:
        name = records.name
        try:
            total = self._raw.execute(records.sql_count).fetchone()[0]
            for done, stored in enumerate(self._raw.execute(records.sql_select)):
                if done % 1_000 == 0:
                    self._progress(name, done, total)
                self.checked += 1
                if not records.is_intact(stored, self._mac_key):
                    self._failed += 1
                    self.damaged.add(name)
                    key = show_key(records.key_in(stored))
                    yield Finding(table=name, key=key, problem="a stored value was changed")
        except sqlite3.DatabaseError as error:
            self.damaged.add(name)
            yield Finding(table=name, key="-", problem=f"cannot be read: {error}")


@contextmanager
def _any_text(raw: sqlite3.Connection) -> Iterator[None]:
    """Read text that is no UTF-8 as bytes, so that a damaged text is a finding, not a failure."""
    raw.text_factory = _text
    try:
        yield
    finally:
        raw.text_factory = str


def _text(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
