"""Reading ahead and writing behind keep the order, raise faults, and end what they began."""

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import NoReturn

import pytest

from tongcheng.services.settlement.batch.ahead import Behind, ahead


def counting(ended: list[str], fault_at: int = 99) -> Generator[int, None, None]:
    """Yield ten numbers, or fail at one; say when it is over."""
    try:
        for number in range(10):
            if number == fault_at:
                raise ValueError(number)
            yield number
    finally:
        ended.append(threading.current_thread().name)


def test_items_come_in_order() -> None:
    """All of them, fetched by another thread."""
    ended: list[str] = []

    assert list(ahead(counting(ended))) == list(range(10))
    assert ended[0].startswith("claims-ahead")


def test_a_fault_comes_after_what_was_before_it() -> None:
    """What was yielded before the fault arrives, then the fault does."""
    items = ahead(counting([], fault_at=3))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="3"):
        next(items)


def test_stopping_early_ends_the_source() -> None:
    """Whoever stops listening has the source closed, and no thread is left."""
    ended: list[str] = []
    items = ahead(counting(ended))
    assert next(items) == 0
    items.close()

    assert len(ended) == 1
    assert not any(each.name.startswith("claims-") for each in threading.enumerate())


def test_what_is_written_behind() -> None:
    """Calls are made in order; a fault of one is raised by the next, or at the end."""
    done: list[int] = []
    with Behind() as behind:
        for number in range(5):
            behind.call(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(5))

    with pytest.raises(ZeroDivisionError), Behind() as last:
        last.call(lambda: print(1 // (done[0])))  # noqa: T201 it never prints
    with pytest.raises(ZeroDivisionError), Behind() as first:  # noqa: PT012 the second call raises
        first.call(lambda: print(1 // (done[0])))  # noqa: T201 it never prints
        first.call(lambda: done.append(99))
    assert 99 not in done


def _interrupt(signum: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt(signum)


@pytest.fixture
def interrupted() -> Iterator[Callable[[float], object]]:
    """Give a way to interrupt this thread, as Ctrl-C does, so many seconds later."""
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_is_being_written_is_waited_for(interrupted: Callable[[float], object]) -> None:
    """Ctrl-C while the last call is waited for: it is done when the block is left."""
    done: list[str] = []

    def slowly() -> None:
        time.sleep(0.3)
        done.append("written")

    interrupted(0.05)
    with pytest.raises(KeyboardInterrupt), Behind() as behind:
        behind.call(slowly)
    assert done == ["written"]


def test_what_is_being_read_is_waited_for(interrupted: Callable[[float], object]) -> None:
    """Ctrl-C while an item is waited for: the source is closed when its thread has left it."""
    ended: list[str] = []

    def slowly() -> Generator[int, None, None]:
        try:
            yield 0
            time.sleep(0.3)
            yield 1
        finally:
            ended.append("closed")

    items = ahead(slowly())
    assert next(items) == 0
    interrupted(0.05)
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert ended == ["closed"]
