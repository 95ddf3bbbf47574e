"""The file, the schema, and the code (MAC) of every row of every table."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Progress
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store.database import APPLICATION_ID, SCHEMA_VERSION, schema_statements
from tongcheng.kernel.store.records import DECLARED, Records, show_key

STORAGE = "(storage)"
SCHEMA = "(schema)"
INTEGRITY_LINES_MAX = 100
FOREIGN_ROWS_MIN = 3
"""So many rows, and none with the right code: then the keys are wrong, not the rows."""


def check_file(raw: sqlite3.Connection, name: str) -> None:
    """Refuse a file that is no database of this software or of another version of it."""
    found = raw.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        raise Refused("STORE_FOREIGN", file=name)
    version = raw.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise Refused("STORE_VERSION", file=name, found=version)


def storage(raw: sqlite3.Connection) -> Iterator[Finding]:
    """Let SQLite check its own pages, trees and indexes."""
    try:
        for (line,) in raw.execute(f"PRAGMA integrity_check({INTEGRITY_LINES_MAX})"):
            if line != "ok":
                yield Finding(table=STORAGE, key="integrity_check", problem=str(line))
    except sqlite3.DatabaseError as error:
        yield Finding(table=STORAGE, key="integrity_check", problem=str(error))


def schema(raw: sqlite3.Connection) -> Iterator[Finding]:
    """Compare every table and index with what this software declares."""
    expected = {statement.split()[2]: statement.strip() for statement in schema_statements()}
    sql = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    try:
        found = {str(name): str(text).strip() for name, text in raw.execute(sql)}
    except sqlite3.DatabaseError as error:
        yield Finding(table=SCHEMA, key="sqlite_master", problem=str(error))
        return
    for name in sorted(expected.keys() - found.keys()):
        yield Finding(table=SCHEMA, key=name, problem="is missing")
    for name in sorted(found.keys() - expected.keys()):
        yield Finding(table=SCHEMA, key=name, problem="is not of this software")
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            yield Finding(table=SCHEMA, key=name, problem="was changed")


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
