"""Rows that the writer keeps in memory are those that are committed, whatever fails."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.kernel.store.stage import REMEMBERED, Stage, ThingRow, thing
from tongcheng.kernel.store import Command, Transaction, storage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


def putting(thing_id: str, number: int) -> Command:
    """Return a command that puts a row of the kept table."""
    return lambda tx: tx.put(REMEMBERED, thing(thing_id, number))


def seen(stage: Stage, *thing_ids: str) -> list[int | None]:
    """Return the rows' numbers as the next command sees them, singly and together."""

    def command(tx: Transaction) -> list[int | None]:
        singly = [tx.get(REMEMBERED, thing_id) for thing_id in thing_ids]
        together = tx.get_many(REMEMBERED, [(thing_id,) for thing_id in thing_ids])
        assert singly == [together.get((thing_id,)) for thing_id in thing_ids]
        return [None if row is None else row.number for row in singly]

    answer: list[int | None] = stage.writer.run([command])[0].answer
    return answer


def test_what_is_committed_is_seen(stage: Stage) -> None:
    """A row is seen after its commit, and after it was changed."""
    assert seen(stage, "a") == [None]
    stage.writer.run([putting("a", 1), putting("b", 2)])
    assert seen(stage, "a", "b", "c") == [1, 2, None]
    stage.writer.run([putting("a", 3)])
    assert seen(stage, "a", "b") == [3, 2]


def test_what_was_not_committed_is_not(stage: Stage) -> None:
    """A commit that fails leaves what was there before it."""
    stage.writer.run([putting("a", 1)])
    with patch.object(stage.database, "commit", side_effect=OSError("disk")):
        assert stage.writer.run([putting("a", 2)])[0].error is not None
    assert seen(stage, "a") == [1]


def test_opened_again_nothing_is_kept(stage: Stage) -> None:
    """What another process changed in between is read."""
    stage.writer.run([putting("a", 1)])
    stage.database.close()
    other = Stage(stage.database.path.parent)
    other.writer.run([putting("a", 2)])
    other.database.close()
    stage.database.open_writing(0)

    assert seen(stage, "a") == [2]


def test_it_does_not_grow_without_end(stage: Stage) -> None:
    """Beyond the bound a table's rows are read anew."""
    with patch.object(storage, "KEPT_ROWS_MAX", 2):
        for number in range(5):
            stage.writer.run([putting(str(number), number)])
            assert seen(stage, *map(str, range(number + 1))) == list(range(number + 1))


def test_rows_of_a_kept_table_are_stored(stage: Stage) -> None:
    """Who reads the file sees them."""
    stage.writer.run([putting("a", 1)])
    with stage.database.snapshot() as snapshot:
        found: list[ThingRow] = snapshot.select(REMEMBERED)
    assert found == [thing("a", 1)]
