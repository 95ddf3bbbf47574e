"""An event loop whose sleeps cost nothing: where the real one would wait, time jumps."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingLoop(asyncio.SelectorEventLoop):
    """Starts at second 0; only waiting moves its time."""

    _ready: list[Any]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._seconds = 0.0
        super().__init__()

    def time(self) -> float:
        return self._seconds

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._seconds = max(self._seconds, self._scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that uses no thread and no socket."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main)


class LoopClock:
    """The clock port: the loop's time from a fixed instant (UTC ms) on."""

    def __init__(self, start_at: int) -> None:
        self._start_at = start_at

    def now(self) -> int:
        """Return Unix milliseconds UTC."""
        return self._start_at + int(asyncio.get_running_loop().time() * 1_000)
