"""The totals of a month are what its transfers make, in whatever order they came."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.store.stage import Stage
from tests.kernel.test_ledger import Clerk
from tongcheng.kernel import ledger_totals
from tongcheng.kernel.ledger_totals import NOTHING_MOVED, TOTALS, Moved
from tongcheng.kernel.store import Transaction


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


BOOKS = [
    # operations                                                due_from: debits  fen  credits fen
    (["transfer due_from fund 90"],                                       (1, 90,  0,  0)),
    (["transfer due_from fund 90", "transfer due_from fund 5"],           (2, 95,  0,  0)),
    (["transfer due_from fund 90", "transfer fund due_from 90"],          (1, 90,  1, 90)),
    (["hold due_from fund 90", "post 0 70"],                              (1, 70,  0,  0)),
    (["hold due_from fund 90", "transfer due_from fund 1", "void 0"],     (1,  1,  0,  0)),
]  # fmt: skip


@pytest.mark.parametrize(("operations", "expected"), BOOKS)
def test_totals_are_gross(stage: Stage, operations: list[str], expected: tuple[int, ...]) -> None:
    """Both directions are counted apart; a hold and a hold that was released move nothing."""

    def work(tx: Transaction) -> tuple[int, ...]:
        clerk = Clerk(tx)
        for operation in operations:
            clerk.write(operation)
        (row,) = tx.select(TOTALS, account_id="due_from")
        return (row.debits, row.debited_fen, row.credits, row.credited_fen)

    outcome = stage.writer.run([work])[0]

    assert outcome.error is None, outcome.error
    assert outcome.answer == expected


@pytest.mark.parametrize("operations", [["hold due_from fund 90"], ["transfer due_from fund 0"]])
def test_what_moves_nothing_leaves_no_total(stage: Stage, operations: list[str]) -> None:
    """A hold that is open and an amount of zero are no movement of a day."""

    def work(tx: Transaction) -> int:
        clerk = Clerk(tx)
        for operation in operations:
            clerk.write(operation)
        return len(tx.select(TOTALS))

    outcome = stage.writer.run([work])[0]

    assert outcome.error is None, outcome.error
    assert outcome.answer == 0


def test_digest_of_the_protocol_page() -> None:
    """The test vector of docs/protocol/05: another language gets the same number."""
    one = ledger_totals.leaf_digest("s00001", 700)
    other = ledger_totals.leaf_digest("s00002", 4369463)

    assert one.hex() == "6e7885a3482086387bb0a64190d371a517d9850a2c77322e35f99eae52f035c8"
    assert (
        ledger_totals.add_digests(one, other).hex()
        == "412c1ac9f3dadaf713845bfb180461bdf007f03a1eb84a5848667da1039ac24b"
    )


LEAVES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10**9)), max_size=9)


def _digest(leaves: list[tuple[int, int]]) -> bytes:
    total = Moved()
    for subject, amount_fen in leaves:
        total += Moved(1, amount_fen, ledger_totals.leaf_digest(f"s{subject}", amount_fen))
    return total.digest


@given(LEAVES, st.randoms(use_true_random=False))
def test_only_content_matters(leaves: list[tuple[int, int]], random: Random) -> None:
    """Any order gives one digest; a changed amount, one more or one less gives another."""
    shuffled = list(leaves)
    random.shuffle(shuffled)

    assert _digest(shuffled) == _digest(leaves)
    assert _digest([*leaves, (0, 1)]) != _digest(leaves)
    assert _digest([]) == NOTHING_MOVED
