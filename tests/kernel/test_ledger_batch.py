"""Many transfers at once are what they are one after another: same rows, same refusals."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.store.stage import Stage, put
from tests.kernel.test_ledger import EMPLOYEE, RESIDENT
from tongcheng.kernel import canonical, ids, journal, ledger, ledger_batch
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import verify
from tongcheng.kernel.ledger import TRANSFERS, Order, TransferRow
from tongcheng.kernel.ledger_batch import TRANSFERS_KIND, Listed, Move, Posting, voiding
from tongcheng.kernel.store import Command, Transaction
from tongcheng.kernel.store.records import DECLARED
from tongcheng.kernel.store.writer import Outcome

ACCOUNTS = {
    "a": (EMPLOYEE, None),
    "b": (EMPLOYEE, None),
    "small": (EMPLOYEE, 500),
    "other": (RESIDENT, None),
}
_DAY_MS = 86_400_000


def act(number: int) -> str:
    """Return the id of an act."""
    return f"019aab00-0000-7000-8000-{number:012x}"


def order(number: int, fen: int, debit: str = "a", credit: str = "b") -> Order:
    """Return the order of act `number`."""
    return Order(act(number), 0, f"stay-{number % 3}", "2026-11", debit, credit, fen)


def hold_of(number: int) -> bytes:
    """Return the id of the hold that act `number` made, if it made one."""
    return ids.transfer_id(act(number), 0)


def one_by_one(moves: Sequence[Move]) -> Command:
    """Return the command that makes the moves by the ledger's single functions."""

    def command(tx: Transaction) -> list[TransferRow]:
        return [_single(tx, move) for move in moves]

    return command


def _single(tx: Transaction, move: Move) -> TransferRow:
    if move.kind == "direct":
        return ledger.transfer(tx, move.order)
    if move.kind == "hold":
        return ledger.hold(tx, move.order)
    assert move.hold_id is not None
    if move.kind == "post":
        return ledger.post(tx, move.hold_id, move.order)
    return ledger.void(tx, move.hold_id, act_id=move.order.act_id, leg=move.order.leg)


def open_accounts(tx: Transaction) -> None:
    """Open every account."""
    for account, (purse, limit_fen) in ACCOUNTS.items():
        ledger.open_account(tx, account, purse, limit_fen)


@contextmanager
def staged() -> Iterator[Stage]:
    """Open a store in a folder of its own, with the accounts."""
    folder = Path(tempfile.mkdtemp())
    stage = Stage(folder)
    try:
        assert stage.writer.run([open_accounts])[0].error is None
        yield stage
    finally:
        stage.database.close()
        shutil.rmtree(folder)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """An open store with the accounts."""
    with staged() as stage:
        yield stage


def stored(stage: Stage) -> dict[str, list[tuple[object, ...]]]:
    """Return every stored value of every table, codes and all, without the journal's."""
    with stage.database.snapshot() as snapshot:
        return {
            name: snapshot.raw.execute(f"{records.sql_select} ORDER BY 1, 2").fetchall()
            for name, records in sorted(DECLARED.items())
            if not name.startswith("journal_")
        }


def shown(outcomes: Sequence[Outcome]) -> list[object]:
    """Return answers, and refusals by code and facts."""
    errors = [outcome.error for outcome in outcomes]
    assert all(error is None or isinstance(error, Refused) for error in errors), errors
    return [
        (outcome.error.code, outcome.error.facts)
        if isinstance(outcome.error, Refused)
        else outcome.answer
        for outcome in outcomes
    ]


# the law

PAIR = st.sampled_from(
    [("a", "b"), ("b", "a"), ("a", "small"), ("small", "b"), ("small", "a"), ("a", "other")]
)
FEN = st.sampled_from([-1, 0, 1, 7, 100, 250, 400, 9_007_199_254_740_992])
STEP = st.tuples(st.sampled_from(["direct", "hold", "hold", "post", "void"]), PAIR, FEN)
COMMITS = st.lists(
    st.lists(st.lists(st.tuples(STEP, st.integers(0, 20)), max_size=5), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)
Steps = list[list[list[tuple[tuple[str, tuple[str, str], int], int]]]]


def moves_of(commits: Steps) -> list[list[list[Move]]]:
    """Turn what hypothesis drew into commits of requests of moves; every act is another."""
    made: list[Order] = []

    def move(kind: str, pair: tuple[str, str], fen: int, named: int) -> Move:
        number = len(made)
        held = made[named % number] if number else order(99, 1)
        hold_id = ids.transfer_id(held.act_id, held.leg)
        if kind == "post":
            pair = (held.debit_account, held.credit_account)
        asked = order(number, fen, *pair)
        made.append(asked)
        if kind == "direct":
            return Move(asked)
        if kind == "hold":
            return Move(asked, "hold")
        return Move(asked, "post", hold_id) if kind == "post" else voiding(hold_id, act(number), 0)

    return [
        [[move(*step, named) for step, named in request] for request in commit]
        for commit in commits
    ]


@given(COMMITS)
@settings(max_examples=60, deadline=None)
def test_many_are_what_they_are_one_after_another(commits: Steps) -> None:
    """Same answers and refusals, every stored value the same; both journals verify."""

    def run(stage: Stage, command: Callable[[Sequence[Move]], Command]) -> list[object]:
        answers: list[object] = []
        for requests in moves_of(commits):
            stage.clock.advance(_DAY_MS // 2)
            answers.append(shown(stage.writer.run([command(moves) for moves in requests])))
        return answers

    with staged() as singly, staged() as jointly:
        assert run(jointly, Posting) == run(singly, one_by_one)
        assert stored(jointly) == stored(singly)
        for one in (singly, jointly):
            assert verify(one.database, one.home).findings == []


def test_a_batch_within_a_command_is_the_same_too(stage: Stage) -> None:
    """`transfer_many` beside other work of a command sees what that work has changed."""

    def command(tx: Transaction) -> list[int]:
        ledger.transfer(tx, order(1, 10))
        rows = ledger_batch.transfer_many(tx, [order(2, 5), order(3, 6)])
        rows.append(ledger.transfer(tx, order(4, 7)))
        return [row.debit_before_fen for row in rows]

    assert stage.writer.run([command])[0].answer == [10, 15, 21]
    assert verify(stage.database, stage.home).findings == []


# failures


def test_a_bug_takes_back_its_own_request_alone(stage: Stage) -> None:
    """An act's leg that is posted twice is our own bug; what waited with it is done."""
    requests = [[Move(order(1, 10))], [Move(order(1, 10))], [Move(order(2, 5))]]
    outcomes = stage.writer.run([Posting(moves) for moves in requests])

    assert [type(outcome.error) for outcome in outcomes] == [type(None), AssertionError, type(None)]
    assert verify(stage.database, stage.home).transfers == 2


def test_an_account_must_be_open(stage: Stage) -> None:
    """An account that nobody opened is our own bug, not a refusal."""
    outcome = stage.writer.run([Posting([Move(order(1, 10, "nobody"))])])[0]

    assert isinstance(outcome.error, AssertionError)
    assert verify(stage.database, stage.home).transfers == 0


def test_other_commands_keep_their_place(stage: Stage) -> None:
    """Commands of both kinds run in the order in which they wait."""
    commands: list[Command] = [
        Posting([Move(order(1, 400, "small", "a"))]),
        put("between"),
        one_by_one([Move(order(2, 101, "small", "a"))]),
        Posting([Move(order(3, 100, "small", "a"))]),
        Posting([Move(order(4, 1, "small", "a"))]),
    ]
    outcomes = stage.writer.run(commands)

    codes = [getattr(outcome.error, "code", None) for outcome in outcomes]
    assert codes == [None, None, "LEDGER_LIMIT", None, "LEDGER_LIMIT"]
    assert stage.stored() == ["between"]


# the leaf


def posted(stage: Stage) -> tuple[str, list[TransferRow]]:
    """Post three transfers by two requests; return the leaf's id and the rows."""
    requests = [[Move(order(1, 10)), Move(order(2, 20))], [Move(order(3, 30))]]
    outcomes = stage.writer.run([Posting(moves) for moves in requests])
    rows = [row for outcome in outcomes for row in outcome.answer]
    return rows[0].transfer_id.hex(), rows


def test_what_waited_together_is_one_leaf(stage: Stage) -> None:
    """The leaf lists every transfer in order; each is shown by its own salt and content."""
    content_id, rows = posted(stage)

    with stage.database.snapshot() as snapshot:
        assert journal.head(snapshot)[0] == 1
        batch = ledger_batch.batched(snapshot, stage.home.ring, content_id)
        assert batch is not None
        assert list(batch.digests) == [row.transfer_id for row in rows]
        openings = [batch.opening(row) for row in rows]
        assert len({opening.salt for opening in openings}) == 3
        for row, opening in zip(rows, openings, strict=True):
            assert ledger_batch.shows(opening, batch.digests[row.transfer_id])
        assert not ledger_batch.shows(openings[0], batch.digests[rows[1].transfer_id])


def test_a_transfer_of_a_batch_is_found_by_its_id(stage: Stage) -> None:
    """Who asks for one transfer is led to the leaf that has it."""
    content_id, rows = posted(stage)
    stage.clock.advance(1)
    other = stage.writer.run([Posting([Move(order(9, 1))])])[0].answer[0]

    with stage.database.snapshot() as snapshot:
        found = ledger_batch.leaf_of_transfer(snapshot, stage.home.ring, rows[2])
        assert found is not None
        assert (found.kind, found.content_id) == (TRANSFERS_KIND, content_id)
        found = ledger_batch.leaf_of_transfer(snapshot, stage.home.ring, other)
        assert found is not None
        assert found.content_id == other.transfer_id.hex()


ENTRY = "0a" * 16 + "1b" * 32
OTHER = "0c" * 16 + "1b" * 32


def test_the_list_of_a_leaf_is_read_back() -> None:
    """Each id with its digest, in their order; a leaf of nothing is one too."""
    body = canonical.encode(Listed(2, OTHER + ENTRY))

    found = ledger_batch.digests_of(body)

    assert [(key.hex(), digest.hex()) for key, digest in found.items()] == [
        ("0c" * 16, "1b" * 32),
        ("0a" * 16, "1b" * 32),
    ]
    assert ledger_batch.digests_of(canonical.encode(Listed(0, ""))) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        canonical.encode({"count": 1, "entries": ENTRY, "more": 1}),
        canonical.encode({"count": "1", "entries": ENTRY}),
        canonical.encode(Listed(1, ENTRY.upper())),
        canonical.encode(Listed(1, ENTRY[:-2] + "xy")),
        canonical.encode(Listed(1, ENTRY[:-2] + "  ")),
        canonical.encode(Listed(1, ENTRY[:-2])),
        canonical.encode(Listed(1, ENTRY + "\n")),
        canonical.encode(Listed(2, ENTRY)),
        canonical.encode(Listed(0, ENTRY)),
        canonical.encode(Listed(-1, "")),
        canonical.encode(Listed(2, ENTRY + ENTRY[:32] + "2c" * 32)),
    ],
)
def test_what_is_no_list_of_a_leaf(body: bytes) -> None:
    """One spelling, the very number, no id twice: no two readers see different transfers."""
    with pytest.raises(Refused) as refused:
        ledger_batch.digests_of(body)

    assert refused.value.code == "SCHEMA_MISMATCH"
    assert set(refused.value.facts) == {"where", "what"}


def _rewrite(stage: Stage, **changes: object) -> None:
    """Store act 2's row with other values, as somebody with all keys would: its code is right."""
    row = stage.writer.run([lambda tx: tx.need(TRANSFERS, hold_of(2))])[0].answer
    changed = msgspec.structs.replace(row, **changes)
    values = TRANSFERS.encode(changed, stage.database.mac_key)
    stage.database.writing.execute(TRANSFERS.sql_put, values)


def _change_amount(stage: Stage) -> None:
    _rewrite(stage, amount_fen=21)


def _remove(stage: Stage) -> None:
    stage.database.writing.execute(
        "DELETE FROM ledger_transfers WHERE transfer_id = ?", (hold_of(2),)
    )


def _smuggle(stage: Stage) -> None:
    _rewrite(stage, transfer_id=hold_of(77))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (_change_amount, "differs from what the journal has"),
        (_remove, "is missing; the journal has it"),
        (_smuggle, "has no leaf in the journal"),
    ],
)
def test_verification_holds_each_row_against_the_leaf(
    stage: Stage, damage: Callable[[Stage], None], problem: str
) -> None:
    """A row of a batch that was changed, removed or smuggled in is named."""
    posted(stage)
    damage(stage)

    problems = [found.problem for found in verify(stage.database, stage.home).findings]
    assert problem in problems
