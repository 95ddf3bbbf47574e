"""The ledger: double entry, purse by purse, to the fen.

The tables read as a clerk would write them: operation, debit account, credit account, fen. What
stands on the right is what the books say afterwards, or the refusal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.region_of_nodes import ACT_IDS
from tests.kernel.store.stage import Stage
from tongcheng.kernel import journal, ledger
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS, TRANSFERS, AccountRow, Order, TransferRow
from tongcheng.kernel.store import Transaction

EMPLOYEE, RESIDENT = "bj/employee/pooled", "bj/resident/pooled"
PURSES = {
    "due_from": EMPLOYEE,
    "fund": EMPLOYEE,
    "cash": EMPLOYEE,
    "resident": RESIDENT,
    "small": EMPLOYEE,
}
LIMITS = {"small": 500}


class Clerk:
    """Runs written operations in one transaction; a hold is known by the line that made it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._lines: list[TransferRow] = []
        for account, purse in PURSES.items():
            ledger.open_account(tx, account, purse, LIMITS.get(account))

    def write(self, operation: str) -> TransferRow:
        """Carry out one line: `transfer|hold DEBIT CREDIT FEN`, `post LINE FEN`, `void LINE`."""
        verb, *words = operation.split()
        act = len(self._lines)
        if verb == "void":
            held = self._lines[int(words[0])]
            row = ledger.void(self._tx, held.transfer_id, act_id=ACT_IDS[act], leg=0)
        elif verb == "post":
            held = self._lines[int(words[0])]
            order = _order(act, held.debit_account, held.credit_account, int(words[1]))
            row = ledger.post(self._tx, held.transfer_id, order)
        else:
            move = {"transfer": ledger.transfer, "hold": ledger.hold}[verb]
            row = move(self._tx, _order(act, words[0], words[1], int(words[2])))
        self._lines.append(row)
        return row

    def balance(self, account: str) -> str:
        """Show an account: balance, and what is held on the debit and the credit side."""
        row = self._tx.need(ACCOUNTS, account)
        return f"{row.balance_fen} {row.debit_held_fen}/{row.credit_held_fen}"


def _order(act: int, debit: str, credit: str, amount_fen: int) -> Order:
    return Order(ACT_IDS[act], 0, f"stay-{act}", "2026-11", debit, credit, amount_fen)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


BOOKS = [
    # operations                                                 due_from       fund
    (["transfer due_from fund 4369463"],                         "4369463 0/0", "-4369463 0/0"),
    (["transfer due_from fund 9", "transfer fund due_from 9"],   "0 0/0",       "0 0/0"),
    (["transfer due_from fund 0"],                               "0 0/0",       "0 0/0"),
    (["hold due_from fund 100"],                                 "0 100/0",     "0 0/100"),
    (["hold due_from fund 100", "post 0 100"],                   "100 0/0",     "-100 0/0"),
    (["hold due_from fund 100", "post 0 99"],                    "99 0/0",      "-99 0/0"),
    (["hold due_from fund 100", "post 0 0"],                     "0 0/0",       "0 0/0"),
    (["hold due_from fund 100", "void 0"],                       "0 0/0",       "0 0/0"),
    (["hold due_from fund 9", "hold due_from fund 5", "post 1 5"], "5 9/0",     "-5 0/9"),
]  # fmt: skip


@pytest.mark.parametrize(("operations", "due_from", "fund"), BOOKS)
def test_books(stage: Stage, operations: list[str], due_from: str, fund: str) -> None:
    """Each table's operations leave these balances, with what is held on either side."""

    def command(tx: Transaction) -> tuple[str, str]:
        clerk = Clerk(tx)
        for operation in operations:
            clerk.write(operation)
        return clerk.balance("due_from"), clerk.balance("fund")

    outcome = stage.writer.run([command])[0]

    assert outcome.error is None, outcome.error
    assert outcome.answer == (due_from, fund)


REFUSALS = [
    (["transfer due_from resident 1"],                       "LEDGER_CROSS_PURSE"),
    (["hold resident due_from 1"],                           "LEDGER_CROSS_PURSE"),
    (["transfer due_from fund -1"],                          "LEDGER_AMOUNT"),
    (["transfer due_from fund 9007199254740992"],            "LEDGER_AMOUNT"),
    (["hold due_from fund 100", "post 0 101"],               "LEDGER_OVER_HOLD"),
    (["hold due_from fund 100", "void 0", "void 0"],         "LEDGER_HOLD_CLOSED"),
    (["hold due_from fund 100", "post 0 1", "void 0"],       "LEDGER_HOLD_CLOSED"),
    (["hold due_from fund 100", "void 0", "post 0 1"],       "LEDGER_HOLD_CLOSED"),
    (["transfer due_from fund 1", "void 0"],                 "LEDGER_HOLD_CLOSED"),
    (["transfer small fund 501"],                            "LEDGER_LIMIT"),
    (["hold small fund 400", "transfer small fund 101"],     "LEDGER_LIMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("operations", "code"), REFUSALS)
def test_refusals(stage: Stage, operations: list[str], code: str) -> None:
    """The last operation is refused by name, and the books are as before it."""

    def command(tx: Transaction) -> tuple[str, list[AccountRow], list[AccountRow]]:
        clerk = Clerk(tx)
        for operation in operations[:-1]:
            clerk.write(operation)
        before = tx.select(ACCOUNTS)
        with pytest.raises(Refused) as refused, tx.all_or_nothing():
            clerk.write(operations[-1])
        return refused.value.code, before, tx.select(ACCOUNTS)

    outcome = stage.writer.run([command])[0]

    assert outcome.error is None, outcome.error
    found, before, after = outcome.answer
    assert found == code
    assert after == before


def test_purse_of_an_account_never_changes(stage: Stage) -> None:
    """Opening an account again is harmless; giving it another purse is our own bug."""

    def command(tx: Transaction) -> None:
        Clerk(tx)
        assert ledger.open_account(tx, "fund", EMPLOYEE).purse == EMPLOYEE
        ledger.open_account(tx, "fund", RESIDENT)

    assert isinstance(stage.writer.run([command])[0].error, AssertionError)


def test_same_leg_is_never_posted_twice(stage: Stage) -> None:
    """A transfer's id derives from act and leg: posting it again collides instead of counting."""

    def command(tx: Transaction) -> None:
        Clerk(tx)
        ledger.transfer(tx, _order(7, "due_from", "fund", 1))
        ledger.transfer(tx, _order(7, "due_from", "fund", 1))

    assert isinstance(stage.writer.run([command])[0].error, AssertionError)


def test_every_transfer_is_a_leaf(stage: Stage) -> None:
    """The journal has the transfer as it stands in the table, in the order of posting."""

    def command(tx: Transaction) -> tuple[list[bytes | None], list[bytes]]:
        clerk = Clerk(tx)
        rows = [clerk.write(line) for line in ("hold due_from fund 9", "post 0 8")]
        ring = tx.home.ring
        contents = [journal.content(tx, ring, "transfer", row.transfer_id.hex()) for row in rows]
        return contents, [ledger.content_of(row) for row in rows]

    found, expected = stage.writer.run([command])[0].answer

    assert found == expected
    assert stage.writer.run([journal.head])[0].answer[0] == 2


def test_open_holds_of_a_subject(stage: Stage) -> None:
    """What is still reserved for a stay can be listed; a closed hold is not."""

    def command(tx: Transaction) -> tuple[int, int]:
        clerk = Clerk(tx)
        clerk.write("hold due_from fund 5")
        before = len(ledger.open_holds(tx, "stay-0"))
        clerk.write("void 0")
        return before, len(ledger.open_holds(tx, "stay-0"))

    assert stage.writer.run([command])[0].answer == (1, 0)


ACCOUNT = st.sampled_from(list(PURSES))
FEN = st.integers(min_value=-2, max_value=1_000)
LINE = st.integers(min_value=0, max_value=11)
OPERATION = st.one_of(
    st.builds("transfer {} {} {}".format, ACCOUNT, ACCOUNT, FEN),
    st.builds("hold {} {} {}".format, ACCOUNT, ACCOUNT, FEN),
    st.builds("post {} {}".format, LINE, FEN),
    st.builds("void {}".format, LINE),
)


@given(st.lists(OPERATION, max_size=12))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_laws(tmp_path: Path, operations: list[str]) -> None:
    """Whatever is tried: each purse's trial balance is zero, holds balance, rows form a chain."""
    stage = Stage(tmp_path)

    def command(tx: Transaction) -> tuple[list[AccountRow], list[TransferRow]]:
        clerk = Clerk(tx)
        for operation in operations:
            words = operation.split()
            if words[0] in {"transfer", "hold"} and words[1] == words[2]:
                continue
            try:
                with tx.all_or_nothing():
                    clerk.write(operation)
            except (Refused, IndexError):
                continue
        found = tx.select(ACCOUNTS), tx.select(TRANSFERS)
        message = "nothing is kept of an example"
        raise _Tried(message, found)

    error = stage.writer.run([command])[0].error
    stage.database.close()
    assert isinstance(error, _Tried), error
    accounts, transfers = error.found

    for purse in set(PURSES.values()):
        of_purse = [row for row in accounts if row.purse == purse]
        assert sum(row.balance_fen for row in of_purse) == 0
        assert sum(row.debit_held_fen - row.credit_held_fen for row in of_purse) == 0
    assert all(row.debit_held_fen >= 0 and row.credit_held_fen >= 0 for row in accounts)
    assert all(row.limit_fen is None or row.balance_fen <= row.limit_fen for row in accounts)
    for row in accounts:
        _expect_chain(row, transfers)


class _Tried(Exception):
    """Carries what an example found out of the transaction, so that nothing is stored."""

    def __init__(self, message: str, found: tuple[list[AccountRow], list[TransferRow]]) -> None:
        super().__init__(message)
        self.found = found


def _expect_chain(row: AccountRow, transfers: list[TransferRow]) -> None:
    """Each transfer names the balance and version that the one before it left."""
    sides = [(t.debit_version, t.debit_before_fen, 1, t) for t in transfers
             if t.debit_account == row.account_id]  # fmt: skip
    sides += [(t.credit_version, t.credit_before_fen, -1, t) for t in transfers
              if t.credit_account == row.account_id]  # fmt: skip
    balance = 0
    for expected, (version, before, sign, one) in enumerate(sorted(sides, key=lambda s: s[0])):
        assert (version, before) == (expected, balance)
        balance += 0 if one.kind == "hold" else sign * one.amount_fen
    assert (row.version, row.balance_fen) == (len(sides), balance)
