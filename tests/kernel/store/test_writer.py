"""One writer, one commit: what is answered is durable, what fails leaves nothing behind."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.kernel.store.stage import GROWING, THINGS, Stage, database, put, refuse, thing, trip
from tests.tidy import ROOT
from tests.toy import NOW_AT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command, StoredValueDamaged, Transaction, WriterStopped
from tongcheng.kernel.store.worker import InlineWorker, ThreadedWorker
from tongcheng.kernel.store.writer import Outcome


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


def _code(outcome: Outcome) -> str:
    assert isinstance(outcome.error, Refused)
    return outcome.error.code


# batches


def test_batch_is_one_commit_in_order(stage: Stage) -> None:
    """Commands run in order, each sees those before it, and answers follow the commit."""

    def count(tx: Transaction) -> int:
        return len(tx.select(THINGS))

    outcomes = stage.writer.run([put("a"), count, put("b"), count])

    assert [outcome.answer for outcome in outcomes] == [0, 1, 0, 2]
    assert stage.stored() == ["a", "b"]
    assert stage.signals == ["a", "b"]


def test_refusal_leaves_no_change(stage: Stage) -> None:
    """A refused command takes back its own rows and signals, and nobody else's."""
    outcomes = stage.writer.run([put("a"), refuse("x"), put("b")])

    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert _code(outcomes[1]) == "LEDGER_AMOUNT"
    assert stage.stored() == ["a", "b"]
    assert stage.signals == ["a", "b"]


def test_bug_takes_nobody_along(stage: Stage) -> None:
    """A command that fails for a reason of its own fails alone; the rest of its batch is done."""
    outcomes = stage.writer.run([put("a"), trip("x"), put("b"), refuse("y"), put("c")])

    assert [type(outcome.error) for outcome in outcomes] == [
        type(None), AssertionError, type(None), Refused, type(None),
    ]  # fmt: skip
    assert stage.stored() == ["a", "b", "c"]
    assert stage.signals == ["a", "b", "c"]


def test_refusal_restores_what_was_before(stage: Stage) -> None:
    """A row that an earlier command of the batch changed keeps that change."""

    def change_and_refuse(tx: Transaction) -> None:
        tx.put(THINGS, thing("a", 9))
        raise Refused("LEDGER_AMOUNT", amount_fen=-1)

    stage.writer.run([put("a", 1), change_and_refuse])

    with stage.database.snapshot() as snapshot:
        row = snapshot.get(THINGS, "a")
    assert row is not None
    assert row.number == 1


def test_select_sees_the_batch(stage: Stage) -> None:
    """Equality reads show this batch's rows, also those that no longer fit, in key order."""
    stage.writer.run([put("b", 1), put("c", 1), put("d", 2)])

    def read(tx: Transaction) -> list[str]:
        tx.put(THINGS, thing("a", 1))
        tx.put(THINGS, thing("c", 2))
        return [row.thing_id for row in tx.select(THINGS, number=1)]

    assert stage.writer.run([read])[0].answer == ["a", "b"]


def test_row_that_must_be_new(stage: Stage) -> None:
    """Overwriting evidence is our own bug and fails, stored row and batch alike."""

    def twice(tx: Transaction) -> None:
        tx.add(THINGS, thing("a"))
        tx.add(THINGS, thing("a"))

    assert isinstance(stage.writer.run([twice])[0].error, AssertionError)
    assert stage.stored() == []


def test_row_of_a_table_that_only_grows(stage: Stage) -> None:
    """It is new too: in its own batch, and among what is stored, where only its command fails."""

    def add(thing_id: str, number: int) -> Command:
        return lambda tx: tx.add(GROWING, thing(thing_id, number))

    first = stage.writer.run([add("a", 1), add("a", 2), add("b", 3)])
    second = stage.writer.run([add("a", 4), add("c", 5)])

    for outcomes in (first, second):
        assert [isinstance(one.error, AssertionError) for one in outcomes].count(True) == 1
    with stage.database.snapshot() as snapshot:
        numbers = [row.number for row in snapshot.select(GROWING)]
    assert numbers == [1, 3, 5]


def test_what_finishes_a_batch_runs_once(stage: Stage) -> None:
    """After all commands, in the same commit; also where one of them was refused."""

    def finish(tx: Transaction) -> None:
        tx.put(THINGS, thing("sum", len(tx.select(THINGS))))

    def command(thing_id: str) -> Command:
        def run(tx: Transaction) -> None:
            tx.put(THINGS, thing(thing_id))
            tx.at_end(finish)

        return run

    stage.writer.run([command("a"), refuse("x"), command("b")])

    assert stage.stored() == ["a", "b", "sum"]
    with stage.database.snapshot() as snapshot:
        assert snapshot.select(THINGS)[-1].number == 2


def test_one_commit_is_one_instant(stage: Stage) -> None:
    """All commands of a batch see the same clock, and ids made in it are ordered by it."""

    def look(tx: Transaction) -> tuple[int, str]:
        return tx.now_at, tx.new_id()

    (first, one), (second, other) = (out.answer for out in stage.writer.run([look, look]))

    assert first == second == NOW_AT
    assert one != other
    assert one[:13] == other[:13]


# what storage does


def test_full_disk_stores_nothing_and_says_try_again(stage: Stage) -> None:
    """A batch that does not fit is refused as STORE_UNAVAILABLE (503); later ones go on."""
    stage.writer.run([put("a")])
    pages = stage.database.writing.execute("PRAGMA page_count").fetchone()[0]
    stage.database.writing.execute(f"PRAGMA max_page_count = {pages + 1}")

    outcomes = stage.writer.run([put("big", note="x" * 50_000), put("small")])

    assert _code(outcomes[0]) == "STORE_UNAVAILABLE"
    assert outcomes[1].error is None
    assert stage.stored() == ["a", "small"]
    stage.database.writing.execute("PRAGMA max_page_count = 1000000")
    assert stage.writer.run([put("big", note="x" * 50_000)])[0].error is None
    assert stage.stored() == ["a", "big", "small"]


def test_a_store_that_somebody_holds_is_waited_for_once(stage: Stage) -> None:
    """Where no batch can begin, all of it is refused at once, not one command after another."""
    stage.writer.run([put("a", 1)])
    waits: list[str] = []
    stage.database.writing.execute("PRAGMA busy_timeout = 1")
    stage.database.writing.set_trace_callback(waits.append)
    with closing(sqlite3.connect(stage.database.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        outcomes = stage.writer.run([put("b"), put("c"), put("d")])
        holder.execute("ROLLBACK")

    assert [_code(each) for each in outcomes] == ["STORE_UNAVAILABLE"] * 3
    assert waits.count("BEGIN IMMEDIATE") == 1
    assert stage.writer.run([put("e")])[0].error is None
    assert stage.stored() == ["a", "e"]


def test_damaged_row_is_not_computed_with(stage: Stage, tmp_path: Path) -> None:
    """A command that reads a changed row fails, naming table and key; others are not held up."""
    stage.writer.run([put("a", 1), put("b", 2)])
    with sqlite3.connect(tmp_path / "node.sqlite") as connection:
        connection.execute("UPDATE store_things SET number = 7 WHERE thing_id = 'a'")
    connection.close()

    def read(tx: Transaction) -> object:
        return tx.get(THINGS, "a")

    outcomes = stage.writer.run([read, put("c")])

    error = outcomes[0].error
    assert isinstance(error, StoredValueDamaged)
    assert (error.table, error.key) == ("store_things", ("a",))
    assert outcomes[1].error is None


# one writer


def test_second_writer_is_refused(stage: Stage, tmp_path: Path) -> None:
    """While one process has the store no other can write to it; reading is always possible."""
    with pytest.raises(Refused) as refused:
        database(tmp_path).open_writing(NOW_AT)

    assert refused.value.code == "STORE_IN_USE"
    stage.writer.run([put("a")])
    with database(tmp_path).snapshot() as snapshot:
        assert snapshot.get(THINGS, "a") is not None


def test_lost_lease_fences_the_writer(stage: Stage, tmp_path: Path) -> None:
    """A writer whose lock was lost unnoticed commits nothing after another one took over."""
    (tmp_path / "node.lock").unlink()
    other = database(tmp_path)
    other.open_writing(NOW_AT)

    outcome = stage.writer.run([put("a")])[0]

    assert _code(outcome) == "STORE_IN_USE"
    assert stage.stored() == []
    assert other.epoch == stage.database.epoch + 1
    other.close()


def test_store_opens_again(stage: Stage, tmp_path: Path) -> None:
    """What was committed is there after closing and opening; the epoch grows."""
    stage.writer.run([put("a", 5, "备注")])
    stage.database.close()
    again = database(tmp_path)
    again.open_writing(NOW_AT)

    row = again.get(THINGS, ("a",))

    assert row == thing("a", 5, "备注")
    assert again.epoch == 2
    assert (tmp_path / "node.sqlite").stat().st_mode & 0o777 == 0o600
    again.close()


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    """A file of another program, and one of another version, are left untouched."""
    path = tmp_path / "node.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(Refused) as foreign:
        database(tmp_path).open_writing(NOW_AT)

    assert foreign.value.code == "STORE_FOREIGN"
    assert path.read_bytes() == before
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(Refused) as unreadable:
        database(tmp_path).open_writing(NOW_AT)
    assert unreadable.value.code == "STORE_UNREADABLE"


# workers


def test_what_one_loop_leaves_waiting_the_next_one_settles(stage: Stage) -> None:
    """Driven by two loops in turn, a node hangs on neither."""
    worker = InlineWorker(stage.database, stage.writer)

    async def leave() -> asyncio.Task[object]:
        return asyncio.ensure_future(worker.run(put("a", 1)))

    async def finish(task: asyncio.Task[object]) -> object:
        return await task

    with asyncio.Runner() as first, asyncio.Runner() as second:
        left = first.run(leave())
        answer = second.run(asyncio.wait_for(worker.run(put("b", 2)), timeout=1))

        assert (first.run(finish(left)), answer) == (1, 2)
        assert stage.stored() == ["a", "b"]


@pytest.mark.parametrize("worker_type", [InlineWorker, ThreadedWorker])
def test_workers_answer_when_durable(
    stage: Stage, worker_type: type[InlineWorker | ThreadedWorker]
) -> None:
    """Both workers give each caller its own answer or error, and stop taking commands when told."""

    async def run() -> list[object]:
        worker = worker_type(stage.database, stage.writer)
        commands = [worker.run(put(f"{n:03}", n)) for n in range(300)]
        answers = await asyncio.gather(
            *commands, worker.run(trip("x")), worker.run(refuse("y")), return_exceptions=True
        )
        count = await worker.read(lambda snapshot: len(snapshot.select(THINGS)))
        await asyncio.to_thread(worker.stop)
        with pytest.raises(WriterStopped):
            await worker.run(put("late"))
        return [*answers, count]

    *answers, bug, refusal, count = asyncio.run(run())

    assert answers == list(range(300))
    assert isinstance(bug, AssertionError)
    assert isinstance(refusal, Refused)
    assert count == 300


CHILD = """
import sys
from pathlib import Path
from tests.kernel.store.stage import Stage, put
stage = Stage(Path(sys.argv[1]))
for batch in range(10_000):
    names = [f"{batch:05}-{n:02}" for n in range(20)]
    stage.writer.run([put(name) for name in names])
    print(batch, flush=True)
"""


def test_killed_writer_keeps_whole_batches(tmp_path: Path) -> None:
    """After kill -9 the store has every batch that was answered, and no part of another."""
    child = subprocess.Popen(  # noqa: S603 our own interpreter and script
        [sys.executable, "-c", CHILD, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    answered = [int(child.stdout.readline()) for _ in range(25)][-1]
    child.send_signal(signal.SIGKILL)
    rest = [int(line) for line in child.stdout.read().split()]
    child.wait()
    child.stdout.close()
    answered = max([answered, *rest])

    stage = Stage(tmp_path)
    stored = stage.stored()
    stage.database.close()

    batches = {name[:5] for name in stored}
    assert len(stored) == 20 * len(batches)
    assert len(batches) >= answered + 1
