"""The totals of a month are what its transfers make, in whatever order they came."""

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.store.stage import Stage
from tests.kernel.test_ledger import EMPLOYEE, Clerk
from tongcheng.kernel import ids, ledger, ledger_totals
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import TRANSFERS, Order
from tongcheng.kernel.ledger_totals import NOTHING_MOVED, TOTALS, Moved, TotalRow
from tongcheng.kernel.store import Command, Snapshot, Transaction


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


# whatever happens to the commands, the totals are those of the transfers that were kept


class _Life:
    """Commands of which some fail, whole or in part, over days, months and redelivery."""

    def __init__(self, seed: int, clock: ManualClock) -> None:
        self._random = Random(seed)
        self._entropy = SeededEntropy(str(seed))
        self._clock = clock
        self._made: list[Order] = []

    def commands(self) -> list[Command]:
        """Return what reaches the writer at once, some hours after the last."""
        self._clock.advance(self._random.randrange(20 * 3_600_000))
        return [self._command] * self._random.randrange(1, 5)

    def _chance(self, of: float) -> bool:
        return self._random.random() < of

    def _command(self, tx: Transaction) -> None:
        for account in ("due_from", "fund", "cash"):
            ledger.open_account(tx, account, EMPLOYEE)
        for _ in range(self._random.randrange(1, 4)):
            with contextlib.suppress(Refused), tx.all_or_nothing():
                self._move(tx, self._order())
                self._perhaps_refuse()
        self._perhaps_refuse()

    def _perhaps_refuse(self) -> None:
        if self._chance(0.3):
            raise Refused("LEDGER_AMOUNT", amount_fen=-1)

    def _order(self) -> Order:
        if self._made and self._chance(0.2):
            return self._random.choice(self._made)  # delivered again
        debit, credit = self._random.sample(("due_from", "fund", "cash"), 2)
        month = self._random.choice(("2026-10", "2026-11", "2026-12"))
        fen = self._random.choice((0, 7, 900))
        act_id = ids.uuid7(self._clock.now(), self._entropy)
        leg = self._random.randrange(3)
        self._made.append(Order(act_id, leg, f"stay-{fen}", month, debit, credit, fen))
        return self._made[-1]

    def _move(self, tx: Transaction, order: Order) -> None:
        if tx.get(TRANSFERS, ids.transfer_id(order.act_id, order.leg)) is not None:
            return
        if self._chance(0.5):
            ledger.transfer(tx, order)
            return
        held, closing_leg = ledger.hold(tx, order), order.leg + 3
        if self._chance(0.5):
            later = msgspec.structs.replace(order, leg=closing_leg, month="2026-12")
            ledger.post(tx, held.transfer_id, later)
        else:
            ledger.void(tx, held.transfer_id, act_id=order.act_id, leg=closing_leg)


_KEPT = """
SELECT account, month, date(at / 1000 + 28800, 'unixepoch') AS moved_on, sum(debit), sum(1 - debit),
  sum(debit * amount_fen), sum((1 - debit) * amount_fen)
FROM (SELECT debit_account AS account, 1 AS debit, * FROM ledger_transfers
  UNION ALL SELECT credit_account, 0, * FROM ledger_transfers)
WHERE kind <> 'hold' AND amount_fen > 0 GROUP BY account, month, moved_on ORDER BY 1, 2, 3
"""
_TOTALS = """
SELECT account_id, month, moved_on, debits, credits, debited_fen, credited_fen
FROM ledger_totals ORDER BY 1, 2, 3
"""


@pytest.mark.parametrize("seed", range(20))
def test_totals_are_those_of_what_was_kept(stage: Stage, seed: int) -> None:
    """Refused whole, refused in part, delivered again, booked in another month: added up anew."""
    life = _Life(seed, stage.clock)
    for _ in range(25):
        stage.writer.run(life.commands())

    with stage.database.snapshot() as snapshot:
        kept = snapshot.raw.execute(_KEPT).fetchall()
        assert snapshot.raw.execute(_TOTALS).fetchall() == kept
        assert len({on for _, _, on, *_ in kept}) > 5
        for row in snapshot.select(TOTALS):
            assert row.debit_digest == _digest_of(snapshot, row, "debit_account")
            assert row.credit_digest == _digest_of(snapshot, row, "credit_account")


def _digest_of(snapshot: Snapshot, total: TotalRow, side: str) -> bytes:
    """Add up the digests of one day's transfers as whole numbers, apart from the product's way."""
    leaves = [
        hashlib.sha256(f"{row.subject_id} {row.amount_fen}".encode()).digest()
        for row in snapshot.select(TRANSFERS, month=total.month, **{side: total.account_id})
        if row.kind != "hold" and row.amount_fen and _day(row.at) == total.moved_on
    ]
    return (sum(int.from_bytes(leaf, "big") for leaf in leaves) % 2**256).to_bytes(32, "big")


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, timezone(timedelta(hours=8))).date().isoformat()
