"""The store in PostgreSQL: the same rows, refusals and verification, over a real server."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest

from tests.kernel.store.stage import (
    MEMBER,
    OTHERS,
    THINGS,
    Stage,
    home,
    put,
    refuse,
    thing,
    trip,
)
from tests.kernel.test_ledger_batch import hold_of, one_by_one, open_accounts, order
from tests.postgres import CONNINFO, schema
from tests.toy import NOW_AT, ring_of
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import Report, verify
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS
from tongcheng.kernel.ledger_batch import Move, Posting, voiding
from tongcheng.kernel.ledger_totals import TOTALS
from tongcheng.kernel.store import (
    Command,
    StoredValueDamaged,
    Transaction,
    Writer,
    postgresql,
)
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


@pytest.fixture
def place() -> Iterator[Place]:
    """A schema of this test's own."""
    with schema() as name:
        place = Place(name)
        yield place
        place.close()


def codes(outcomes: list[Outcome]) -> list[str | None]:
    """Return the refusals' codes, None where there is an answer."""
    errors = [outcome.error for outcome in outcomes]
    assert all(error is None or isinstance(error, Refused) for error in errors), errors
    return [getattr(error, "code", None) for error in errors]


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


# the ledger and its verification


def test_ledger_journal_and_totals_verify(place: Place) -> None:
    """Holds, posts, voids, refusals, singly and together: the books verify as in SQLite."""
    _, writer = place.writer()
    writer.run([open_accounts])
    commands: list[Command] = [
        Posting([Move(order(1, 90)), Move(order(2, 100), "hold")]),
        one_by_one([Move(order(3, 50), "hold"), Move(order(4, 40, "small", "b"))]),
        Posting(
            [Move(order(5, 99), "post", hold_of(2)), voiding(hold_of(3), order(6, 0).act_id, 0)]
        ),
        Posting([Move(order(7, 461, "small", "b"))]),
        one_by_one([Move(order(8, 1, "a", "other"))]),
    ]
    found = codes([outcome for command in commands for outcome in writer.run([command])])
    report = place.report()

    assert found == [None, None, None, "LEDGER_LIMIT", "LEDGER_CROSS_PURSE"]
    assert report.findings == []
    assert (report.transfers, report.leaves) == (6, 4)


def test_rows_are_those_of_sqlite_to_the_byte(place: Place, tmp_path: Path) -> None:
    """The same commands leave the same values and codes in both stores."""
    database, writer = place.writer()
    stage = Stage(tmp_path)
    for one in (writer, stage.writer):
        one.run([open_accounts])
        one.run([Posting([Move(order(1, 90)), Move(order(2, 100), "hold")]), put("a", 2, "b")])
    with database.snapshot() as ours, stage.database.snapshot() as theirs:
        for records in (ACCOUNTS, HOLDS, THINGS, TOTALS, TRANSFERS):
            statement = f"{records.sql_select} ORDER BY {', '.join(records.key)}"
            values = ours.raw.execute(statement).fetchall()
            assert values == theirs.raw.execute(statement).fetchall()
            assert values
    stage.database.close()


def test_a_leg_is_posted_once(place: Place) -> None:
    """A transfer that is there already is never overwritten, whoever asks."""
    _, writer = place.writer()
    writer.run([open_accounts])
    assert writer.run([Posting([Move(order(1, 90))])])[0].error is None
    assert isinstance(writer.run([Posting([Move(order(1, 91))])])[0].error, AssertionError)
    row = writer.run([lambda tx: tx.need(TRANSFERS, hold_of(1))])[0].answer

    outcome = writer.run([lambda tx: tx.put(TRANSFERS, row)])[0]
    assert isinstance(outcome.error, AssertionError)
    assert place.report().transfers == 1


CHANGED = "a stored value was changed"
DAMAGES = [
    ("UPDATE ledger_transfers SET amount_fen = 91", "ledger_transfers", CHANGED),
    ("DELETE FROM ledger_transfers", "ledger_transfers", "is missing; the journal has it"),
    ("DELETE FROM ledger_totals", "ledger_totals", "is missing; a transfer made it"),
    ("ALTER TABLE ledger_holds ADD COLUMN more text", "ledger_holds", "was changed"),
    ("ALTER TABLE ledger_holds ALTER subject_id DROP NOT NULL", "ledger_holds", "was changed"),
    ("DROP INDEX ledger_transfers_by_subject_id", "ledger_transfers_by_subject_id", "is missing"),
    ("CREATE TABLE foreign_things (a int)", "foreign_things", "is not of this software"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "name", "problem"), DAMAGES)
def test_damage_is_named(place: Place, damage: str, name: str, problem: str) -> None:
    """What is changed behind the node's back is found, and named by table and key or by schema."""
    _, writer = place.writer()
    writer.run([open_accounts])
    writer.run([Posting([Move(order(1, 90))])])
    place.raw.execute(damage)

    findings = place.report().findings
    assert any(name in {one.table, one.key} and one.problem == problem for one in findings), (
        findings
    )


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
