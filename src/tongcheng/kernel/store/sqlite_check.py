"""The file and the schema of a store in SQLite, compared with what this software declares."""

import sqlite3
from collections.abc import Iterator

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store.storage import Flaw

STORAGE = "(storage)"
SCHEMA = "(schema)"
INTEGRITY_LINES_MAX = 100


def check_file(raw: sqlite3.Connection, name: str, application_id: int, version: int) -> None:
    """Refuse a file that is no database of this software or of another version of it."""
    found = raw.execute("PRAGMA application_id").fetchone()[0]
    if found != application_id:
        raise Refused("STORE_FOREIGN", file=name)
    found = raw.execute("PRAGMA user_version").fetchone()[0]
    if found != version:
        raise Refused("STORE_VERSION", file=name, found=found)


def storage(raw: sqlite3.Connection) -> Iterator[Flaw]:
    """Let SQLite check its own pages, trees and indexes."""
    try:
        for (line,) in raw.execute(f"PRAGMA integrity_check({INTEGRITY_LINES_MAX})"):
            if line != "ok":
                yield Flaw(STORAGE, "integrity_check", str(line))
    except sqlite3.DatabaseError as error:
        yield Flaw(STORAGE, "integrity_check", str(error))


def schema(raw: sqlite3.Connection, statements: tuple[str, ...]) -> Iterator[Flaw]:
    """Compare every table and index with what this software declares."""
    expected = {statement.split()[2]: statement.strip() for statement in statements}
    sql = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    try:
        found = {str(name): str(text).strip() for name, text in raw.execute(sql)}
    except sqlite3.DatabaseError as error:
        yield Flaw(SCHEMA, "sqlite_master", str(error))
        return
    yield from differences(expected, found)


def differences(expected: dict[str, str], found: dict[str, str]) -> Iterator[Flaw]:
    """Tell which tables and indexes are missing, are not ours, or are other than declared."""
    for name in sorted(expected.keys() - found.keys()):
        yield Flaw(SCHEMA, name, "is missing")
    for name in sorted(found.keys() - expected.keys()):
        yield Flaw(SCHEMA, name, "is not of this software")
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            yield Flaw(SCHEMA, name, "was changed")
