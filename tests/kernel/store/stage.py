"""A store with one small table, for tests of the writer and the transaction."""

from pathlib import Path

import msgspec

from tests.toy import NOW_AT, PACK, ring_of
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import Shelf
from tongcheng.kernel.store import Command, Database, Records, Transaction, Writer

MEMBER = "beijing-hsb"


class ThingRow(msgspec.Struct, frozen=True):
    """One of every type of column."""

    thing_id: str
    number: int
    flag: bool
    blob: bytes
    note: str | None


THINGS = Records("store_things", ThingRow, key=("thing_id",), indexes=(("number",),))
REMEMBERED = Records("store_remembered", ThingRow, key=("thing_id",), kept=True)
"""The same rows of a table whose rows the writer keeps in memory."""
GROWING = Records("store_growing", ThingRow, key=("thing_id",), only_grows=True)
"""The same rows of a table whose rows are never changed."""
OTHERS = Records("store_others", ThingRow, key=("thing_id",))
"""The same rows under another name: nothing of one table passes for the other's."""


def thing(thing_id: str, number: int = 0, note: str | None = None) -> ThingRow:
    """Return a row."""
    return ThingRow(thing_id, number, number % 2 == 1, b"\0\xff", note)


def put(thing_id: str, number: int = 0, note: str | None = None) -> Command:
    """Return a command that puts a row and answers with its number."""

    def command(tx: Transaction) -> int:
        tx.put(THINGS, thing(thing_id, number, note))
        tx.signal("put", thing_id)
        return number

    return command


def refuse(thing_id: str) -> Command:
    """Return a command that puts a row, then refuses."""

    def command(tx: Transaction) -> None:
        tx.put(THINGS, thing(thing_id))
        tx.signal("put", thing_id)
        raise Refused("LEDGER_AMOUNT", amount_fen=-1)

    return command


def trip(thing_id: str) -> Command:
    """Return a command that puts a row, then trips over a bug of its own."""

    def command(tx: Transaction) -> None:
        tx.put(THINGS, thing(thing_id))
        message = "the command's own bug"
        raise AssertionError(message)

    return command


def home() -> Home:
    """Return a toy home."""
    return Home(MEMBER, ring_of(MEMBER), SeededEntropy("store"), PACK, Shelf([]))


def database(folder: Path) -> Database:
    """Return a database in the folder, not opened yet."""
    return Database(folder / "node.sqlite", ring_of(MEMBER).mac_key, synchronous="OFF")


class Stage:
    """An open database with a writer; `signals` gathers what commits told."""

    def __init__(self, folder: Path) -> None:
        self.database = database(folder)
        self.database.open_writing(NOW_AT)
        self.home = home()
        self.clock = ManualClock(NOW_AT)
        self.writer = Writer(self.database, self.home, self.clock)
        self.signals: list[str] = []
        self.writer.on_commit = lambda signals: self.signals.extend(s.subject for s in signals)

    def stored(self) -> list[str]:
        """Return the ids of all rows, as committed."""
        with self.database.snapshot() as snapshot:
            return [row.thing_id for row in snapshot.select(THINGS)]
