"""A batch against plain fractions: the rules a second time, without tables and without int64."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement import naive
from tests.services.settlement.batch.batches import batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.batch import run, trace_columns
from tongcheng.services.settlement.batch.arrays import (
    OPENING,
    SETTLE,
    UNKNOWN_FEN,
    VOID,
    Events,
    Results,
)
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.explain import before_of
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.bill import Bill
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import UNKNOWN


def _bill(events: Events, results: Results, row: int) -> Bill:
    """Return what a settled row of a batch asks."""
    filing = FILINGS[results.marks[row, trace_columns.FILING]]
    subtype, tier = int(events.hospital_subtype[row]), int(events.tier[row])
    return Bill(
        in_scope_fen=int(events.in_scope_fen[row]),
        total_fen=None,
        person_type=PERSON_TYPES[events.person_type[row]],
        hospital_level=int(events.hospital_level[row]),
        admission_number=int(results.marks[row, trace_columns.ADMISSION_NUMBER]),
        hospital_subtype=None if subtype < 0 else SUBTYPES[subtype],
        tier=None if tier < 0 else TIERS[tier],
        category=CATEGORIES[events.category[row]],
        filing=filing,
        period_number=int(events.period_number[row]),
    )


def _by_hand(plan: Plan, books: list[RuleBook], bill: Bill, results: Results, row: int) -> Any:
    digest = plan.versions[results.book[row]].tables.digest
    book = next(book for book in books if book.digest == digest)
    points = int(results.marks[row, trace_columns.CUT_POINTS])
    cut = None if points == UNKNOWN else points
    return naive.settle(book, bill, before_of(results, row), cut)


@settings(LAW, max_examples=30)
@given(shelves(unknown=0), st.integers(0, 2**32))
def test_a_batch_equals_plain_fractions(books: Any, seed: int) -> None:
    """Every amount of every settled row, and the year as its rows add up."""
    plan = plan_of(books)
    events = batch(plan, books, 60, seed)

    results = run.run(plan, events, trace=True)

    years: dict[tuple[int, str, int], np.ndarray] = {}
    for row in range(60):
        if results.code[row] != 0:
            continue
        source = int(events.reverses[row]) if events.kind[row] == VOID else row
        key = (int(events.person[row]), plan.places[events.place[source]].area_id)
        stood = years.get((*key, int(results.year[row])), np.zeros(7, np.int64))
        assert stood.tolist() == results.trace[row, :7].tolist()
        if events.kind[row] == OPENING:
            years[(*key, int(results.year[row]))] = stood + events.opening_fen[events.opening[row]]
            continue
        if events.kind[source] == OPENING:
            given_back = events.opening_fen[events.opening[source]]
            years[(*key, int(results.year[row]))] = stood - given_back
            assert not results.amounts[row].any()
            continue
        amounts = dict(zip(RESULT_AMOUNTS, results.amounts[row].tolist(), strict=True))
        sign = 1 if events.kind[row] == SETTLE else -1
        moved = [
            amounts["pool_fen"],
            amounts["large_fen"],
            amounts["deductible_fen"],
            sign * int(events.period_number[source] == 1),
            amounts["burden_fen"],
            amounts["catastrophic_fen"],
            amounts["assistance_fen"],
        ]
        years[(*key, int(results.year[row]))] = stood + np.array(moved)
        if sign == 1:
            expected = _by_hand(plan, books, _bill(events, results, row), results, row)
            for name, fen in amounts.items():
                fund = name.removesuffix("_expected_fen")
                exact = expected.get(name if fund == name else f"expected {fund}")
                assert fen == (UNKNOWN_FEN if exact is None else exact), name
