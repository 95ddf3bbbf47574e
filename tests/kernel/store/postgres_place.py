"""A schema of a real server for one test: writers over it, and a connection to look and damage."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.kernel.store.stage import MEMBER, home
from tests.postgres import CONNINFO, schema
from tests.toy import NOW_AT, ring_of
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import Report, verify
from tongcheng.kernel.store import Writer
from tongcheng.kernel.store.postgresql import PostgresDatabase
from tongcheng.kernel.store.writer import Outcome


class Place:
    """A schema of the server: writers, and a connection to look and to damage."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.home = home()
        self._opened: list[PostgresDatabase] = []
        self.raw = psycopg.connect(CONNINFO, autocommit=True, options=f"-c search_path={name}")

    def database(self) -> PostgresDatabase:
        """Return a database over the schema, not open yet."""
        self._opened.append(PostgresDatabase(CONNINFO, self.name, ring_of(MEMBER).mac_key))
        return self._opened[-1]

    def writer(self) -> tuple[PostgresDatabase, Writer]:
        """Open the schema for writing."""
        database = self.database()
        database.open_writing(NOW_AT)
        return database, Writer(database, self.home, ManualClock(NOW_AT))

    def report(self) -> Report:
        """Verify what stands in the schema."""
        return verify(self.database(), self.home)

    def close(self) -> None:
        """Close what was opened."""
        for database in self._opened:
            database.close()
        self.raw.close()


@contextmanager
def a_place() -> Iterator[Place]:
    """Give a schema of this test's own, dropped afterwards."""
    with schema() as name:
        place = Place(name)
        try:
            yield place
        finally:
            place.close()


def codes(outcomes: list[Outcome]) -> list[str | None]:
    """Return the refusals' codes, None where there is an answer."""
    errors = [outcome.error for outcome in outcomes]
    assert all(error is None or isinstance(error, Refused) for error in errors), errors
    return [getattr(error, "code", None) for error in errors]
