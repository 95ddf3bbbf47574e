"""No step of the kernel leaves int64: the same source, uncompiled, on numbers that tell."""

import os
import subprocess
import sys
import textwrap

from tests.services.settlement.batch.batches import assert_same, batch
from tests.services.settlement.books import figure, flat_rules, made_up
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.batch import run, twin
from tongcheng.services.settlement.batch.arrays import Events, Results, blank_events
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

RATIOS = ("0.0001", "0.3333", "0.9999", "1")
AMOUNTS = (1, AMOUNT_MAX_FEN // 3, AMOUNT_MAX_FEN - 1, AMOUNT_MAX_FEN)


def largest_books() -> list[RuleBook]:
    """Return places that differ in the pool's ratio, the large-amount fund's, and the caps."""
    books: list[RuleBook] = []
    for ratio in RATIOS:
        for large in RATIOS:
            for cap_fen in (1, AMOUNT_MAX_FEN // 3, AMOUNT_MAX_FEN):
                cap = figure(format_yuan(cap_fen))
                rules = flat_rules(
                    ratio, pool_cap=cap, large=[{"ratio": figure(large), "cap": cap}]
                )
                name = f"{len(books):06d}"
                books.append(made_up(rules, book_id=name, admdvs=name))
    return books


def largest_events(plan: Plan) -> Events:
    """Return the largest bills there are, three in a person's year, in every place."""
    rows = len(plan.places) * len(AMOUNTS) * 3
    events = blank_events(rows)
    for row in range(rows):
        events.person[row] = row // 3
        events.place[row] = row // 3 % len(plan.places)
        events.in_scope_fen[row] = AMOUNTS[row // 3 // len(plan.places)]
        events.hospital_level[row] = 3
        for days in (events.admitted_on, events.period_from_on, events.ended_on):
            days[row] = 20_100
    return events


def hold() -> None:
    """Hold kernel and twin against each other on the largest amounts, and on random ones."""
    books = largest_books()
    plan = plan_of(books)
    for events in (largest_events(plan), *(batch(plan, books, 200, seed) for seed in range(10))):
        found = run.run(plan, events, trace=True)
        assert_same(found, twin.run(plan, events, trace=True), Results._fields)
        assert (found.code == 0).sum() > 20


def test_the_largest_amounts() -> None:
    """Compiled code and Python's integers agree to the fen at the bounds."""
    hold()


def test_no_step_overflows() -> None:
    """The kernel's own source, run by Python on numpy's int64, which warns when one overflows."""
    script = textwrap.dedent("""
        import numpy
        from tests.services.settlement.batch import test_int64_batch
        from tongcheng.services.settlement.batch import run
        try:
            numpy.int64(2**62) * numpy.int64(2)
        except RuntimeWarning:
            print(run.BACKEND, "warns")
        test_int64_batch.hold()
    """)

    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )

    assert (done.stdout.split(), done.stderr) == (["numba", "warns"], "")
