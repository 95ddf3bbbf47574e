"""The compiled kernel and its pure-Python twin judge every row alike."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.batches import assert_same, batch, shelves
from tests.services.settlement.books import figure, flat_rules, made_up
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch import run, trace_columns, twin
from tongcheng.services.settlement.batch.arrays import NONE, Results, blank_events
from tongcheng.services.settlement.batch.plan import plan_of


@settings(LAW, max_examples=60)
@given(shelves(), st.integers(0, 2**32))
def test_kernel_equals_twin(books: Any, seed: int) -> None:
    """Every code, detail, book, year, amount and column of the trace, for any books and rows."""
    plan = plan_of(books)
    events = batch(plan, books, 120, seed)

    found = run.run(plan, events, trace=True)

    assert_same(found, twin.run(plan, events, trace=True), Results._fields)


@pytest.mark.parametrize("ratio", ["0.9", "0.3333", "0.0001"])
def test_around_the_caps(ratio: str) -> None:
    """Bills a fen apart, where the large-amount fund's share is its cap and a part of a fen."""
    large: Any = [{"ratio": figure(ratio), "cap": figure("9")}]
    plan = plan_of([made_up(flat_rules("0.5", pool_cap=figure("100"), large=large))])
    reached = 20_000 + math.ceil(900 / float(ratio))
    events = blank_events(400)
    events.person[:] = np.arange(400)
    events.in_scope_fen[:] = np.arange(400) + reached - 200
    for days in (events.admitted_on, events.period_from_on, events.ended_on):
        days.fill(20_100)

    found = run.run(plan, events, trace=True)

    assert_same(found, twin.run(plan, events, trace=True), Results._fields)
    uncovered = found.trace[:, trace_columns.UNCOVERED_FROM]
    assert 0 < (uncovered != NONE).sum() < 400
