"""An asyncio loop on which time is a number: waiting costs nothing and nothing else decides order.

The loop is asyncio's own; only its selector is replaced. Where the real one would sleep until the
next timer, this one moves the clock there. A program that waits for something that nobody will do
ends with an error that lists who waits, instead of hanging.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

RESOLUTION_S = 1e-6
"""Timers this near are due. A float of seconds tells no less apart after some years, and a timer
that is never quite due would stop time."""


class NothingScheduled(Exception):
    """Every task waits for another one: the program is stuck, and would be in production."""

    def __init__(self, waiting: list[str]) -> None:
        super().__init__(f"nothing is scheduled, and these wait: {'; '.join(waiting) or 'nobody'}")
        self.waiting = waiting


class _TimeSelector(selectors.SelectSelector):
    """Knows what the loop registers and never looks at it; being asked to wait, it moves time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingScheduled(sorted(task.get_name() for task in asyncio.all_tasks()))
        self.seconds += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at second 0 and whose `time()` is moved by waiting alone."""

    def __init__(self) -> None:
        self._clockwork = _TimeSelector()
        super().__init__(self._clockwork)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._clockwork.seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a virtual loop; what it left running is cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class LoopClock:
    """The clock port of one machine: the loop's time from a fixed instant on, off by a skew.

    `anchor_at` is Unix ms, UTC; `skew_ms` may change between two lives of the machine, so its
    clock may step backwards, as real ones do.
    """

    def __init__(self, anchor_at: int, skew_ms: int = 0) -> None:
        self._anchor_at = anchor_at
        self.skew_ms = skew_ms

    def now(self) -> int:
        """Return Unix milliseconds, UTC."""
        return self._anchor_at + self.skew_ms + int(asyncio.get_running_loop().time() * 1_000)
