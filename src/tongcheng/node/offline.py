"""Working on a node that is not running: one command, one commit, and the store is let go.

While the node runs, its store is locked and a command here is refused as STORE_IN_USE; reading is
always possible.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.recall import recall
from tongcheng.kernel.store import Command, Database, Snapshot, Writer
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home

T = TypeVar("T")


class Stopped(NamedTuple):
    """A node that is not running, its store held open for writing."""

    home: Home
    database: Database
    writer: Writer

    def run(self, command: Command) -> Any:
        """Run one command durably and return its answer, or raise what it refused."""
        outcome = self.writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer


@contextmanager
def opened(directory: Path, *, passphrase: bytes | None = None) -> Iterator[Stopped]:
    """Hold the store of the node in `directory` for several commands; STORE_IN_USE if it runs."""
    home = open_home(directory, passphrase=passphrase)
    clock = SystemClock()
    database = open_database(directory, home.ring.mac_key)
    database.open_writing(clock.now())
    try:
        with database.snapshot() as snapshot:
            recall(home, snapshot, clock.now())
        yield Stopped(home, database, Writer(database, home, clock))
    finally:
        database.close()


def run_command(directory: Path, command: Command, *, passphrase: bytes | None = None) -> Any:
    """Run one command durably on the node in `directory` and return its answer."""
    with opened(directory, passphrase=passphrase) as stopped:
        return stopped.run(command)


def read_snapshot(
    directory: Path, question: Callable[[Snapshot, Home], T], *, passphrase: bytes | None = None
) -> T:
    """Answer a question from the committed state of the node in `directory`, running or not."""
    home = open_home(directory, passphrase=passphrase)
    database = open_database(directory, home.ring.mac_key)
    try:
        with database.snapshot() as snapshot:
            recall(home, snapshot, SystemClock().now())
            return question(snapshot, home)
    finally:
        database.close()
