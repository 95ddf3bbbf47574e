"""The port through which time enters."""

from __future__ import annotations

import pytest

from tongcheng.kernel.clock import Clock, ManualClock, SystemClock

YEAR_2020_AT = 1_577_836_800_000


def test_system_clock_tells_milliseconds() -> None:
    """Seconds or microseconds would land in the wrong century."""
    clock: Clock = SystemClock()

    assert YEAR_2020_AT < clock.now() < 2 * YEAR_2020_AT


def test_manual_clock_moves_only_when_told() -> None:
    """A test decides when time passes, and it never runs backwards."""
    clock = ManualClock(1_000)
    before = clock.now()
    clock.advance(500)

    assert (before, clock.now(), clock.now()) == (1_000, 1_500, 1_500)
    with pytest.raises(AssertionError):
        clock.advance(-1)
