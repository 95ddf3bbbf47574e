"""The store in PostgreSQL: the same rows, refusals and verification, over a real server."""

import asyncio
import threading
from collections.abc import Iterator
from unittest.mock import patch

import psycopg
import pytest

from tests.kernel.store.postgres_place import Place, a_place, codes
from tests.kernel.store.stage import (
    OTHERS,
    THINGS,
    ThingRow,
    put,
    refuse,
    thing,
    trip,
)
from tests.kernel.test_ledger_batch import open_accounts
from tests.postgres import CONNINFO
from tests.toy import NOW_AT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.kernel.store import (
    Command,
    StoredValueDamaged,
    Transaction,
    postgresql,
)
from tongcheng.kernel.store.postgresql import PostgresDatabase
from tongcheng.kernel.store.worker import ThreadedWorker


@pytest.fixture
def place() -> Iterator[Place]:
    """A schema of this test's own."""
    with a_place() as place:
        yield place


def test_commands_store_read_and_refuse(place: Place) -> None:
    """What a command puts is read by the next and by snapshots; a refused one leaves nothing."""
    database, writer = place.writer()
    texts = ["b", "a", "Z", "é", "京", "\U0001f600", "\\x00 {tab\t} 'quote'"]
    outcomes = writer.run([*(put(text, n, text) for n, text in enumerate(texts)), refuse("no")])

    assert codes(outcomes) == [None] * len(texts) + ["LEDGER_AMOUNT"]
    assert writer.run([put("b", 2**62)])[0].error is None
    with database.snapshot() as snapshot:
        rows = snapshot.select(THINGS)
        fetched = snapshot.fetch(THINGS, THINGS.table.select().where(THINGS.c.number == 2**62))
        absent = snapshot.get(THINGS, "no")
    assert [row.thing_id for row in rows] == sorted(texts)
    assert fetched == [thing("b", 2**62)]
    assert absent is None
    assert rows[1] == thing("\\x00 {tab\t} 'quote'", 6, "\\x00 {tab\t} 'quote'")


def test_many_rows_are_read_by_their_keys(place: Place) -> None:
    """Rows come by key; what is not there is left out."""
    _, writer = place.writer()
    writer.run([put(str(number), number) for number in range(50)])

    def command(tx: Transaction) -> list[int]:
        keys = [(str(number),) for number in range(40, 60)]
        return sorted(row.number for row in tx.get_many(THINGS, keys).values())

    assert writer.run([command])[0].answer == list(range(40, 50))


def test_a_bug_takes_only_its_own_command_back(place: Place) -> None:
    """A batch with a command that trips is run again, one by one."""
    database, writer = place.writer()
    outcomes = writer.run([put("a"), trip("b"), put("c")])

    assert [type(one.error) for one in outcomes] == [type(None), AssertionError, type(None)]
    with database.snapshot() as snapshot:
        assert [row.thing_id for row in snapshot.select(THINGS)] == ["a", "c"]


def test_a_snapshot_stays_as_it_was(place: Place) -> None:
    """What is committed later is not seen by it, and it holds the writer up in nothing."""
    database, writer = place.writer()
    writer.run([put("a", 1)])
    with database.snapshot() as snapshot:
        assert snapshot.get(THINGS, "a") == thing("a", 1)
        writer.run([put("a", 2)])
        assert snapshot.get(THINGS, "a") == thing("a", 1)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            snapshot.raw.execute("DELETE FROM store_things")


# the lease, and what breaks


def test_a_writer_that_lost_the_lease_commits_nothing(place: Place) -> None:
    """The second writer takes over; the first one's next batch is refused."""
    _, first = place.writer()
    assert first.run([put("a")])[0].error is None
    database, second = place.writer()

    assert codes(first.run([put("b")])) == ["STORE_IN_USE"]
    assert codes(second.run([put("c")])) == [None]
    assert database.epoch == 2
    with database.snapshot() as snapshot:
        assert [row.thing_id for row in snapshot.select(THINGS)] == ["a", "c"]


def _break(place: Place, database: PostgresDatabase) -> None:
    """End the writer's connection on the server, as a restart does."""
    place.raw.execute("SELECT pg_terminate_backend(%s)", (database.writing.info.backend_pid,))


def test_a_broken_connection_is_opened_anew(place: Place) -> None:
    """The batch that meets it may be tried again; the next one is done, over a new connection."""
    database, writer = place.writer()
    writer.run([put("a", 1)])
    _break(place, database)

    assert codes(writer.run([put("a", 2)])) == ["STORE_UNAVAILABLE"]
    assert codes(writer.run([put("a", 3)])) == [None]
    with database.snapshot() as snapshot:
        assert snapshot.get(THINGS, "a") == thing("a", 3)


@pytest.mark.parametrize("reaches", [True, False])
def test_a_commit_without_an_answer_is_looked_up(place: Place, *, reaches: bool) -> None:
    """Whether the commit came through is asked of the server, and the answer is that."""
    database, writer = place.writer()
    writer.run([put("a", 1)])
    connection = database.writing
    commit = connection.commit

    def lost() -> None:
        if reaches:
            commit()
        _break(place, database)
        connection.execute("SELECT 1")

    with patch.object(connection, "commit", lost):
        outcome = writer.run([put("a", 2)])

    assert codes(outcome) == [None if reaches else "STORE_UNAVAILABLE"]
    with database.snapshot() as snapshot:
        assert snapshot.get(THINGS, "a") == thing("a", 2 if reaches else 1)
    assert codes(writer.run([put("a", 3)])) == [None]


@pytest.mark.parametrize("reaches", [True, False])
def test_a_commit_that_cannot_be_looked_up_is_not_run_again(place: Place, *, reaches: bool) -> None:
    """While the server is away nobody knows: all callers hear that, and no command runs twice."""
    database, writer = place.writer()
    writer.run([put("a", 1)])
    connection = database.writing
    commit = connection.commit
    ran: list[int] = []

    def lost() -> None:
        if reaches:
            commit()
        _break(place, database)
        connection.execute("SELECT 1")

    def counted(number: int) -> Command:
        def command(tx: Transaction) -> None:
            ran.append(number)
            tx.put(THINGS, thing("a", number))

        return command

    away = patch.object(database, "_connect", side_effect=psycopg.OperationalError("away"))
    with patch.object(connection, "commit", lost), away, patch("time.sleep"):
        outcomes = writer.run([counted(2), counted(3)])

    assert codes(outcomes) == ["STORE_UNCERTAIN", "STORE_UNCERTAIN"]
    assert ran == [2, 3]
    with database.snapshot() as snapshot:
        assert snapshot.get(THINGS, "a") == thing("a", 3 if reaches else 1)
    assert codes(writer.run([put("a", 4)])) == [None]


def test_a_commit_still_under_way_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a new connection nothing is read, or written, beside what the old one may yet commit."""
    monkeypatch.setattr(postgresql, "EARLIER_COMMIT_S", 1)
    database, writer = place.writer()
    writer.run([put("a", 1)])
    old = psycopg.connect(CONNINFO, options=f"-c search_path={place.name}")
    old.execute("UPDATE store_things SET number = 2")
    old.execute("SELECT epoch FROM writer_lease FOR SHARE")
    database.writing.close()

    assert codes(writer.run([put("b"), put("c")])) == ["STORE_UNAVAILABLE"] * 2
    assert codes(writer.run([put("d")])) == ["STORE_UNAVAILABLE"]
    old.rollback()
    assert codes(writer.run([put("a", 3)])) == [None]
    old.close()


def test_what_is_no_store_of_ours_is_refused(place: Place) -> None:
    """A schema of somebody else, or of another version, is neither written nor read."""
    place.raw.execute(f"CREATE SCHEMA {place.name}")
    for mark, code in (("somebody's", "STORE_FOREIGN"), ("tongcheng store 1", "STORE_VERSION")):
        place.raw.execute(f"COMMENT ON SCHEMA {place.name} IS %s" % psycopg.sql.quote(mark))
        with pytest.raises(Refused, match=code):
            place.database().open_writing(NOW_AT)
        with pytest.raises(Refused, match=code):
            place.report()


# the loop


def test_a_look_up_never_holds_the_loop(place: Place) -> None:
    """Over a connection questions are answered in a thread; one on the loop itself is refused."""
    database, writer = place.writer()

    async def asked() -> tuple[ThingRow | None, bool]:
        worker = ThreadedWorker(database, writer)
        try:
            await worker.run(put("a", 1))
            with pytest.raises(AssertionError, match="would hold the loop"):
                worker.glance(lambda snapshot: snapshot.get(THINGS, "a"))
            loops = threading.get_ident()
            return await worker.read(
                lambda snapshot: (snapshot.get(THINGS, "a"), threading.get_ident() != loops)
            )
        finally:
            worker.stop()

    assert asyncio.run(asked()) == (thing("a", 1), True)


def test_a_damaged_row_is_not_computed_on(place: Place) -> None:
    """A writer that reads a changed balance stops at it."""
    _, writer = place.writer()
    writer.run([open_accounts])
    place.raw.execute("UPDATE ledger_accounts SET debited_fen = 1 WHERE account_id = 'a'")
    _, writer = place.writer()

    outcome = writer.run([lambda tx: tx.get(ACCOUNTS, "a"), put("x")])
    assert isinstance(outcome[0].error, StoredValueDamaged)
    assert outcome[1].error is None


def test_rows_of_two_tables_are_not_exchanged(place: Place) -> None:
    """A row that was moved to another table of the same columns is not taken for its own."""
    database, writer = place.writer()
    writer.run([put("a", 1)])
    place.raw.execute("INSERT INTO store_others SELECT * FROM store_things")

    with database.snapshot() as snapshot, pytest.raises(StoredValueDamaged):
        snapshot.select(OTHERS)
