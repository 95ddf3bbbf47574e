"""The ledger in PostgreSQL, and its verification, over a real server."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast
from unittest.mock import patch

import psycopg
import pytest

from tests.kernel.store.postgres_place import Place, a_place, codes
from tests.kernel.store.stage import (
    THINGS,
    Stage,
    put,
    thing,
    trip,
)
from tests.kernel.test_ledger_batch import hold_of, one_by_one, open_accounts, order
from tongcheng.kernel import ledger_totals
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS, HoldRow, TransferRow
from tongcheng.kernel.ledger_batch import Move, Posting, voiding
from tongcheng.kernel.ledger_totals import TOTALS
from tongcheng.kernel.store import (
    Command,
    Transaction,
    postgresql_sql,
)
from tongcheng.kernel.store.postgresql_sql import FEW_ROWS


@pytest.fixture
def place() -> Iterator[Place]:
    """A schema of this test's own."""
    with a_place() as place:
        yield place


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


def many(first: int, count: int = 2 * FEW_ROWS) -> Posting:
    """Return a posting of so many transfers that the server begins to store them early."""
    return Posting([Move(order(first + number, 1)) for number in range(count)])


def test_many_transfers_are_there_for_the_rest_of_their_batch(place: Place) -> None:
    """What the server stores while a batch is computed is read by what comes later in it."""
    _, writer = place.writer()
    writer.run([open_accounts])

    def counted(tx: Transaction) -> int:
        found = tx.select(TRANSFERS, kind="direct")
        assert len({row.transfer_id for row in found}) == len(found)
        return len(found)

    outcomes = writer.run([many(100), counted, many(200), many(300), counted])
    report = place.report()

    assert codes(outcomes) == [None] * 5
    assert [outcomes[1].answer, outcomes[4].answer] == [2 * FEW_ROWS, 6 * FEW_ROWS]
    assert report.findings == []
    assert (report.transfers, report.leaves) == (6 * FEW_ROWS, 2)


def test_what_fails_after_transfers_were_written_takes_them_back(place: Place) -> None:
    """Of a batch that trips over a bug nothing stands; its commands run again one by one."""
    _, writer = place.writer()
    writer.run([open_accounts])
    refused = Posting([Move(order(number, 461, "small", "b")) for number in range(700, 740)])

    outcomes = writer.run([many(100), trip("x"), many(200), refused])
    report = place.report()

    assert [type(one.error) for one in outcomes] == [
        type(None),
        AssertionError,
        type(None),
        Refused,
    ]
    assert report.findings == []
    assert (report.transfers, report.leaves) == (4 * FEW_ROWS, 2)


def test_of_many_transfers_none_is_there_already(place: Place) -> None:
    """A leg that is posted twice is found when the server has stored the others."""
    _, writer = place.writer()
    writer.run([open_accounts, many(100)])

    outcomes = writer.run([many(200), many(90)])
    assert [type(one.error) for one in outcomes] == [type(None), AssertionError]
    assert "ledger_transfers: row exists" in str(outcomes[1].error)
    assert place.report().transfers == 4 * FEW_ROWS


def test_a_connection_that_breaks_while_rows_are_on_their_way(place: Place) -> None:
    """The batch may be tried again, and nothing of it stands."""
    database, writer = place.writer()
    writer.run([open_accounts])
    summed_up = ledger_totals.count_many

    def broken(tx: Transaction, rows: Sequence[TransferRow]) -> None:
        pid = cast("psycopg.Connection", database._writing).info.backend_pid  # noqa: SLF001 as is
        place.raw.execute("SELECT pg_terminate_backend(%s)", (pid,))
        summed_up(tx, rows)

    with patch.object(ledger_totals, "count_many", broken):
        assert codes(writer.run([many(100)])) == ["STORE_UNAVAILABLE"]
    assert codes(writer.run([many(100)])) == [None]
    assert place.report().transfers == 2 * FEW_ROWS


CHANGED = "a stored value was changed"
ADDED = (
    "INSERT INTO ledger_holds SELECT transfer_id, subject_id, NULL, row_mac FROM ledger_transfers"
)
DAMAGES = [
    ("UPDATE ledger_transfers SET amount_fen = 91", "ledger_transfers", CHANGED),
    ("DELETE FROM ledger_transfers", "ledger_transfers", "is missing; the journal has it"),
    (ADDED, "ledger_holds", CHANGED),
    (
        "ALTER TABLE ledger_holds DROP COLUMN subject_id",
        "ledger_holds",
        'cannot be read: column "subject_id" does not exist',
    ),
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
    assert any(
        name in {one.table, one.key} and one.problem.splitlines()[0] == problem for one in findings
    ), findings


def test_a_row_with_our_code_that_no_transfer_made_is_named(place: Place) -> None:
    """What somebody with the keys adds beside the ledger is found, for no transfer made it."""
    _, writer = place.writer()
    writer.run([open_accounts])
    row = HoldRow(b"\1" * 16, "nobody", None)
    writer.run([Posting([Move(order(1, 90))]), lambda tx: tx.put(HOLDS, row)])

    found = [(one.table, one.problem) for one in place.report().findings]
    assert found == [("ledger_holds", "is not what its transfers make of it")]


def test_a_stream_has_few_rows_in_memory(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows stay with the server's cursor; other reads go between, and it ends with its rows."""
    monkeypatch.setattr(postgresql_sql, "ROWS_A_FETCH", 10)
    database, writer = place.writer()
    writer.run([put(f"{number:02}", number) for number in range(35)])
    cursors = "SELECT count(*) FROM pg_cursors WHERE name LIKE 'stream%'"
    statement = f"{THINGS.sql_select} WHERE number >= ? ORDER BY thing_id"

    with database.snapshot() as snapshot:
        stream = snapshot.stream(statement, 4)
        first = [next(stream)[0] for _ in range(11)]
        assert snapshot.raw.execute(cursors).fetchone() == (1,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            next(snapshot.stream("SELECT 1 FROM nothing"))
        assert snapshot.get(THINGS, "00") == thing("00", 0)
        rest = [row[0] for row in stream]
        assert snapshot.raw.execute(cursors).fetchone() == (0,)
    assert first + rest == [f"{number:02}" for number in range(4, 35)]
