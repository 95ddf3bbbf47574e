"""The port through which time enters: instants are integer Unix milliseconds, UTC."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> int:
        """Return Unix milliseconds, UTC."""
        ...


class SystemClock:
    """The clock of the machine. It may step backwards; nothing may rely on its order."""

    def now(self) -> int:
        """Return Unix milliseconds, UTC."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move, for tests and the simulation."""

    def __init__(self, at: int) -> None:
        self._at = at

    def now(self) -> int:
        """Return Unix milliseconds, UTC."""
        return self._at

    def advance(self, ms: int) -> None:
        """Move forward by `ms` milliseconds, which may not be negative."""
        assert ms >= 0, ms
        self._at += ms
