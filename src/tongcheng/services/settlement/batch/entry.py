"""The kernel's one compiled entry, kept between processes under the fingerprint of its sources."""

from collections.abc import Callable
from typing import Final

import numpy as np

from tongcheng.services.settlement import bill, rules, tables
from tongcheng.services.settlement.batch import (
    arrays,
    codes,
    columns,
    jit,
    kernel,
    kernel_checks,
    kernel_pays,
    kernel_years,
    layout,
    plan,
    trace_columns,
)
from tongcheng.services.settlement.batch.arrays import Events, Results
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

Entry = Callable[[Layout, Events, Results, Years, int, int], None]


def _entry(fingerprint: int) -> Entry:
    def entry(
        books: Layout, events: Events, results: Results, years: Years, begin: int, end: int
    ) -> None:
        if fingerprint != 0:  # kept in the closure, and so in the key under which it is cached
            kernel.settle_all(books, events, results, years, begin, end)

    return jit.kept(entry)


_SETTLE_ALL: Final = _entry(jit.fingerprint(__file__, *FILES))
"""`kernel.settle_all`, compiled by this process or taken from the cache."""


def settle_rows(books: plan.Plan, events: Events, results: Results, begin: int, end: int) -> None:
    """Judge the rows from `begin` to before `end`, which are whole persons; it holds no GIL."""
    turns = np.flatnonzero(np.diff(events.person[begin:end]))
    longest = int(np.diff(turns, prepend=-1, append=end - begin - 1).max(initial=0))
    room = Years(
        np.zeros(longest, np.int64), np.zeros((longest, len(arrays.ACCUMULATORS)), np.int64)
    )
    _SETTLE_ALL(books.layout, events, results, room, begin, end)
