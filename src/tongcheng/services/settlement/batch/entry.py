"""The kernel's one compiled entry, kept between processes under the fingerprint of its sources."""

from collections.abc import Callable
from typing import Final

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
from tongcheng.services.settlement.batch.layout import Layout

_FILES: Final = tuple(
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

Run = Callable[[Layout, Events, Results, int, int], None]


def _entry(fingerprint: int) -> Run:
    def settle_rows(books: Layout, events: Events, results: Results, begin: int, end: int) -> None:
        if fingerprint != 0:  # kept in the closure, and so in the key under which it is cached
            kernel.settle_all(books, events, results, begin, end)

    return jit.kept(settle_rows)


settle_rows: Final[Run] = _entry(jit.fingerprint(__file__, *_FILES))
"""`settle_all`, compiled for the process or taken from the cache."""
