"""How a batch is run: in threads, into used memory, from any arrays, with numba or without."""

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from tests.services.settlement.batch.batches import assert_same, batch
from tests.services.settlement.books import REGION
from tongcheng.kernel.rulebook import RuleBook, parse
from tongcheng.services.settlement.batch import run, twin
from tongcheng.services.settlement.batch.arrays import Events, Results, blank_events, blank_results
from tongcheng.services.settlement.batch.plan import Plan, plan_of


@pytest.fixture(scope="module")
def books() -> list[RuleBook]:
    """Every book of the region."""
    texts = [path.read_text("utf-8") for path in sorted((REGION / "rulebooks").glob("*.yaml"))]
    return [parse(text) for text in texts]


@pytest.fixture(scope="module")
def plan(books: list[RuleBook]) -> Plan:
    """What is settled by."""
    return plan_of(books)


def test_threads_change_nothing(
    plan: Plan, books: list[RuleBook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is cut between persons comes to the same."""
    monkeypatch.setattr(run, "ROWS_A_THREAD", 10)
    events = batch(plan, books, 500, seed=1)
    cuts = run.between_persons(events, 4)

    found = run.run(plan, events, trace=True, threads=4)

    assert len(cuts) == 5
    assert all(events.person[cut] != events.person[cut - 1] for cut in cuts[1:-1])
    assert_same(found, run.run(plan, events, trace=True), Results._fields)


def test_who_is_not_to_be_judged_is_let_be(plan: Plan, books: list[RuleBook]) -> None:
    """Of marked persons all is written, of the others nothing, also by threads."""
    events = batch(plan, books, 500, seed=4)
    only = (events.person >> 3) % 2 == 0
    used = blank_results(500, trace=False)
    for array in used:
        array.fill(1)

    found = run.run(plan, events, into=used, only=only)

    every = run.run(plan, events)
    assert 0 < only.sum() < 500
    for name in ("code", "detail", "book", "year", "voided", "amounts"):
        one, other = getattr(found, name), getattr(every, name)
        assert np.array_equal(one[only], other[only]), name
        assert (one[~only] == 1).all(), name


def test_fresh_memory_need_not_be_clear(
    plan: Plan, books: list[RuleBook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system hands out may hold anything: every cell of the results is written."""

    def full(shape: tuple[int, ...], kind: Any) -> Any:
        return np.full(shape, 1, kind)

    events = batch(plan, books, 300, seed=5)
    monkeypatch.setattr(np, "empty", full)

    found = run.run(plan, events, trace=True)

    monkeypatch.undo()
    assert_same(found, twin.run(plan, events, trace=True), Results._fields)


def test_used_memory_is_written_anew(plan: Plan, books: list[RuleBook]) -> None:
    """Nothing of another batch is left in results that are handed in, with a trace or without."""
    events = batch(plan, books, 300, seed=2)
    used = blank_results(400, trace=True)
    for array in used:
        array.fill(1)

    plain = run.run(plan, events, into=used)
    traced = run.run(plan, events, trace=True, into=used)

    assert traced.amounts.base is used.amounts
    assert_same(traced, twin.run(plan, events, trace=True), Results._fields)
    assert_same(plain, run.run(plan, events), Results._fields)


def test_arrays_of_any_kind(plan: Plan, books: list[RuleBook]) -> None:
    """Strided, wider and read-only arrays are read as the kernel wants them."""
    events = batch(plan, books, 200, seed=3)
    odd: list[Any] = []
    for array in events:
        wide = np.repeat(np.asarray(array, np.int64), 2, axis=0)[::2]
        wide.setflags(write=False)
        odd.append(wide)

    found = run.run(plan, Events(*odd), trace=True)

    assert_same(found, run.run(plan, events, trace=True), Results._fields)


def test_the_years_of_one_person_are_as_many_as_rows(plan: Plan) -> None:
    """A person may have a year of his own in every row."""
    events = blank_events(500, openings=1)
    events.kind.fill(2)
    events.opening.fill(0)
    events.opening_fen.fill(7)
    events.ended_on[:] = np.arange(500) * 366

    found = run.run(plan, events, trace=True)

    assert not found.trace.any()
    assert len(set(found.year.tolist())) == 500


def test_what_the_reader_promises_is_held(plan: Plan) -> None:
    """Compiled code looks at no bound, so a place or an opening that is not there is our bug."""
    events = blank_events(2)
    events.place[1] = len(plan.places)

    with pytest.raises(AssertionError, match="place of another plan"):
        run.run(plan, events)

    events = blank_events(2)
    events.kind[1] = 2
    with pytest.raises(AssertionError, match="opening is missing"):
        run.run(plan, events)


def test_without_numba_the_twin_computes() -> None:
    """In a process that has no numba everything is loaded, says so, and settles."""
    script = textwrap.dedent("""
        import sys
        sys.modules["numba"] = None
        from tests.services.settlement.batch.batches import batch
        from tests.services.settlement.books import shipped
        from tongcheng.services.settlement.batch import run
        from tongcheng.services.settlement.batch.plan import plan_of
        books = shipped()
        plan = plan_of(books)
        results = run.run(plan, batch(plan, books, 50, seed=4))
        print(run.warm(), run.BACKEND, int((results.code == 0).sum()))
    """)

    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    told = done.stdout.split()
    assert told[:2] == ["python", "python"]
    assert int(told[2]) > 0
