"""The kernel's one compiled entry, kept between processes under the fingerprint of its sources."""

from collections.abc import Callable
from typing import Final

import numpy as np

from tongcheng.kernel import jit
from tongcheng.services.settlement import bill, rules, tables
from tongcheng.services.settlement.batch import (
    arrays,
    codes,
    columns,
    kernel,
    kernel_checks,
    kernel_pays,
    kernel_years,
    layout,
    plan,
    trace_columns,
)
from tongcheng.services.settlement.batch.arrays import Events, Flags, Results
from tongcheng.services.settlement.batch.kernel_years import Years
from tongcheng.services.settlement.batch.layout import Layout

FILES: Final = tuple(
    str(module.__file__)
    for module in (
        arrays,
        bill,
        codes,
        columns,
        jit,
        kernel,
        kernel_checks,
        kernel_pays,
        kernel_years,
        layout,
        plan,
        rules,
        tables,
        trace_columns,
    )
)
"""Every file that the compiled entry rests on, beside this one."""

Entry = Callable[[Layout, Events, Results, Years, Flags, int, int], None]
EVERY: Final = np.zeros(0, np.bool_)
SHORTEST_YEAR: Final = 365


def _entry(fingerprint: int) -> Entry:
    def entry(
        books: Layout,
        events: Events,
        results: Results,
        years: Years,
        only: Flags,
        begin: int,
        end: int,
    ) -> None:
        if fingerprint != 0:  # kept in the closure, and so in the key under which it is cached
            kernel.settle_all(books, events, results, years, only, begin, end)

    return jit.kept(entry)


_SETTLE_ALL: Final = _entry(jit.fingerprint(__file__, *FILES))
"""`kernel.settle_all`, compiled by this process or taken from the cache."""


def settle_rows(
    books: plan.Plan, events: Events, results: Results, only: Flags | None, begin: int, end: int
) -> None:
    """Judge the rows from `begin` to before `end`, which are whole persons; it holds no GIL.

    Of persons whose rows `only` does not mark the results stay as they are.
    """
    most = years_most(books, events, begin, end)
    room = Years(np.zeros(most, np.int64), np.zeros((most, len(arrays.ACCUMULATORS)), np.int64))
    _SETTLE_ALL(books.layout, events, results, room, EVERY if only is None else only, begin, end)


def years_most(books: plan.Plan, events: Events, begin: int, end: int) -> int:
    """Return a number that no person's years exceed: one for each area and calendar year of days.

    Days that are none move no year, and each row moves one at most.
    """
    if begin == end:
        return 0
    admitted, ended = events.admitted_on[begin:end], events.ended_on[begin:end]
    first = max(plan.DAY_MIN, min(int(admitted.min()), int(ended.min())))
    last = min(plan.DAY_MAX, int(ended.max()))
    calendar_years = max(0, last - first) // SHORTEST_YEAR + 2
    return min(end - begin, len(books.areas) * calendar_years)
