"""Reads ahead and writes behind: what a thread does while the next batch is computed.

Arrow and the kernel hold no GIL, so reading, judging and writing share the machine's cores. At most
one batch waits on each side, so memory stays bounded.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """Yield items, none of them None, that a thread fetches one ahead; its faults are raised."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="claims-ahead")
    try:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item
    finally:
        try:
            _end(pool)
        finally:
            items.close()


class Behind:
    """Calls a function in a thread, in order; the next call waits until the last one is done."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="claims-behind")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _end(self._pool)
        if fault is None and self._last is not None:
            self._last.result()

    def call(self, function: Callable[[], None]) -> None:
        """Call the function soon; a fault of the call before is raised here."""
        if self._last is not None:
            self._last.result()
        self._last = self._pool.submit(function)


def _end(pool: ThreadPoolExecutor) -> None:
    """End a pool of one thread when its calls are done, and not before: they use open files.

    Whoever asks to stop meanwhile is heard afterwards. (`shutdown` gives up when a signal comes
    while it waits, and takes the thread for ended.)
    """
    stop: KeyboardInterrupt | SystemExit | None = None
    last = pool.submit(int)
    while not last.done():
        try:
            wait([last])
        except (KeyboardInterrupt, SystemExit) as asked:
            stop = asked
    pool.shutdown()
    if stop is not None:
        raise stop
