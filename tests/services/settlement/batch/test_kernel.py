"""The compiled kernel and its pure-Python twin judge every row alike."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.batches import assert_same, batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch import run, twin
from tongcheng.services.settlement.batch.arrays import Results
from tongcheng.services.settlement.batch.plan import plan_of


@settings(LAW, max_examples=60)
@given(shelves(), st.integers(0, 2**32))
def test_kernel_equals_twin(books: Any, seed: int) -> None:
    """Every code, detail, book, year, amount and column of the trace, for any books and rows."""
    plan = plan_of(books)
    events = batch(plan, books, 120, seed)

    found = run.run(plan, events, trace=True)

    assert_same(found, twin.run(plan, events, trace=True), Results._fields)
