"""A fixed trace row says all that the engine's own trace says."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.batches import batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch import run, twin
from tongcheng.services.settlement.batch.explain import before_of, trace_of
from tongcheng.services.settlement.batch.plan import plan_of


@settings(LAW, max_examples=50)
@given(shelves(unknown=1), st.integers(0, 2**32))
def test_the_engines_own_trace_comes_back(books: Any, seed: int) -> None:
    """Row for row, voids with their negative amounts, and what the year stood at before."""
    plan = plan_of(books)
    events = batch(plan, books, 100, seed)
    engine = twin.Twin(plan, events, trace=False, keep=True)

    results = run.run(plan, events, trace=True)

    for row in range(len(events.person)):
        found = engine.benefits.get(row)
        assert trace_of(plan, events, results, row) == (() if found is None else found.trace)
        if results.code[row] == 0:
            assert before_of(results, row) == engine.before[row]
