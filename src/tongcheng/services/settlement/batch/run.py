"""Settles a batch: by the compiled kernel, or by its pure-Python twin where numba is not there."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch import twin
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATORS,
    OPENING,
    SETTLE,
    Events,
    Flags,
    Results,
    blank_events,
    first_rows,
    results_to_write,
)
from tongcheng.services.settlement.batch.plan import Plan, plan_of

Kernel = Callable[[Plan, Events, Results, Flags | None, int, int], None]

try:
    from tongcheng.services.settlement.batch.entry import settle_rows
except ModuleNotFoundError as missing:
    if missing.name != "numba":
        raise
    KERNEL: Kernel | None = None
else:
    KERNEL = settle_rows

Backend = Literal["numba", "python"]
BACKEND: Final[Backend] = "python" if KERNEL is None else "numba"
"""What computes here: the compiled kernel, or its twin, a few thousand claims a second."""
KINDS: Final = tuple(array.dtype for array in blank_events(0))
ROWS_A_THREAD: Final = 10_000
"""Fewer rows than this for each thread are not worth a thread."""


def run(
    plan: Plan,
    events: Events,
    *,
    trace: bool = False,
    threads: int = 1,
    into: Results | None = None,
    only: Flags | None = None,
) -> Results:
    """Judge a batch of whole persons; rows of two persons never influence one another.

    Nothing is refused: a row that can not be judged says why in its `code`. Arrays that are
    contiguous and writable are read where they are, others are copied. `into` are results that
    nobody needs any more, to be overwritten: fresh memory costs as much as the claims do. Where
    `only` is given, rows of persons that it does not mark are let be, and `into` says already what
    became of them. The kernel holds no GIL; `threads` cuts the batch between persons.
    """
    assert only is None or into is not None, "who is not judged has results already"
    assert_sound(plan, events)
    if KERNEL is None:
        return twin.run(plan, events, trace=trace)
    rows = len(events.person)
    if into is None:
        results = results_to_write(rows, trace=trace)
    else:
        results = first_rows(into, rows, trace=trace)
    settled = plain(events)
    cuts = between_persons(events, min(threads, rows // ROWS_A_THREAD))
    if len(cuts) <= 2:  # noqa: PLR2004 one stretch has two ends
        KERNEL(plan, settled, results, only, 0, rows)
        return results
    with ThreadPoolExecutor(len(cuts) - 1) as pool:
        running = [
            pool.submit(KERNEL, plan, settled, results, only, begin, end)
            for begin, end in itertools.pairwise(cuts)
        ]
    for each in running:
        each.result()
    return results


def warm() -> Backend:
    """Compile the kernel, or take it from the cache, before it is needed; return what computes."""
    run(plan_of([]), blank_events(0), trace=True)
    return BACKEND


def between_persons(events: Events, parts: int) -> list[int]:
    """Return ends of about so many stretches of rows, each of whole persons."""
    rows = len(events.person)
    ends = {0, rows}
    for part in range(1, parts):
        at = rows * part // parts
        while 0 < at < rows and events.person[at] == events.person[at - 1]:
            at += 1
        ends.add(at)
    return sorted(ends)


def assert_sound(plan: Plan, events: Events) -> None:
    """Hold what the reader promises: compiled code looks at no bound."""
    rows = len(events.person)
    columns: list[NDArray[Any]] = [*events[:-1]]
    assert all(array.shape == (rows,) for array in columns), "columns of one length"
    assert events.opening_fen.ndim == 2, events.opening_fen.shape  # noqa: PLR2004 rows, columns
    assert events.opening_fen.shape[1] == len(ACCUMULATORS), events.opening_fen.shape
    if rows:
        assert events.kind.min() >= SETTLE, "kinds are those of EVENTS"
        assert events.kind.max() <= OPENING, "kinds are those of EVENTS"
        assert events.place.max() < len(plan.places), "a place of another plan"
        opened = events.opening[(events.kind == OPENING) & (events.fault == 0)]
        assert ((opened >= 0) & (opened < len(events.opening_fen))).all(), "an opening is missing"


def plain(events: Events) -> Events:
    """Return events as the one signature of the kernel wants them, for who runs them twice."""
    arrays: list[NDArray[Any]] = [*events]
    return Events(
        *(
            np.require(array, kind, ["C", "W", "A"])
            for array, kind in zip(arrays, KINDS, strict=True)
        )
    )
