"""Virtual time: waiting is free, order is the timers', and a stuck program says who waits."""

import asyncio
import time

import pytest

from tongcheng.simulation import loop
from tongcheng.simulation.loop import LoopClock, NothingScheduled


def test_a_year_of_waiting_takes_no_time() -> None:
    """Sleeping moves the loop's time and nothing else."""
    began = time.monotonic()

    async def wait() -> float:
        await asyncio.sleep(365 * 86_400)
        return asyncio.get_running_loop().time()

    seconds = loop.run(wait())

    assert seconds == pytest.approx(365 * 86_400)
    assert time.monotonic() - began < 5


def test_timers_decide_the_order() -> None:
    """Whoever sleeps less comes first, whatever the order of starting; equals keep it."""
    seen: list[str] = []

    async def after(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        seen.append(name)

    async def all_of_them() -> None:
        await asyncio.gather(
            after(3, "late"), after(1, "early"), after(2, "first of two"), after(2, "second of two")
        )

    loop.run(all_of_them())

    assert seen == ["early", "first of two", "second of two", "late"]


def test_timeouts_work_as_ever() -> None:
    """A timeout is a timer like any other."""

    async def too_long() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(20)
        return asyncio.get_running_loop().time()

    assert loop.run(too_long()) == pytest.approx(10)


def test_a_deadlock_is_an_error_that_names_who_waits() -> None:
    """In production this program would hang for ever; here it ends at once."""

    async def stuck() -> None:
        one, other = asyncio.Event(), asyncio.Event()

        async def wait(mine: asyncio.Event, theirs: asyncio.Event) -> None:
            await mine.wait()
            theirs.set()

        hen = asyncio.create_task(wait(one, other), name="hen")
        egg = asyncio.create_task(wait(other, one), name="egg")
        await asyncio.gather(hen, egg)

    with pytest.raises(NothingScheduled) as caught:
        loop.run(stuck())

    assert {"hen", "egg"} <= set(caught.value.waiting)


def test_the_clock_follows_the_loop_and_its_skew() -> None:
    """A machine's clock is the anchor, the loop's time and an error of its own."""

    async def read() -> tuple[int, int]:
        clock = LoopClock(1_000_000, skew_ms=-250)
        before = clock.now()
        await asyncio.sleep(1.5)
        return before, clock.now()

    assert loop.run(read()) == (999_750, 1_001_250)
