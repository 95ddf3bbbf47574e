"""Divides work on a file between threads, processes or the workers of a Dask scheduler.

A task is a pure function of its part: where a worker dies, another one does the part again and
nothing else changes. The results are handed out in the order of the parts, each once, so whatever
is added up or written from them is the same for any number of workers.

Parts name persons' claims, so they and what comes of them travel only on this machine, or under
TLS: a scheduler, or a worker, that is elsewhere and not asked by TLS is refused.
"""

import ipaddress
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from tongcheng.kernel.errors import Refused

Part = TypeVar("Part")
Result = TypeVar("Result")

LOST_MOST: Final = 8
"""So often may a worker die before we think that the work itself kills it."""
ANSWER_WITHIN = "10s"
"""How long a scheduler has to answer, as Dask writes it."""
AHEAD: Final = 2
"""Parts under way beside those that the workers are at."""


def spread(
    task: Callable[[Part], Result],
    parts: Sequence[Part],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Generator[Result, None, None]:
    """Yield the result of each part, in their order.

    Without `workers` and `scheduler` threads of this process work, one for each of its CPUs; with
    `workers` so many processes of this machine; with `scheduler` those that it has, and `task` and
    parts are sent to them.

    Refuses WORKERS_LOST; SCHEDULER_UNPROTECTED, SCHEDULER_UNREACHABLE; and what `task` refuses.
    """
    if scheduler is not None:
        return _by_dask(task, parts, scheduler)
    if workers is not None:
        return _by_processes(task, parts, workers)
    return _by_threads(task, parts)


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_threads(
    task: Callable[[Part], Result], parts: Sequence[Part]
) -> Generator[Result, None, None]:
    count = min(cpus(), len(parts))
    if count <= 1:
        yield from map(task, parts)
        return
    with ThreadPoolExecutor(count) as pool:
        yield from _in_order(pool, task, parts, count)


def _in_order(
    pool: Executor, task: Callable[[Part], Result], parts: Sequence[Part], workers: int
) -> Generator[Result, None, None]:
    """Yield results in order, a few parts ahead of whoever takes them; the pool's last work."""
    waiting: deque[Future[Result]] = deque()
    left = iter(parts)
    try:
        for part in left:
            waiting.append(pool.submit(task, part))
            if len(waiting) >= workers + AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Not `cancel` of each: a pool whose worker died is at them too, and what it finds cancelled
        # ends the thread that would end its other workers.
        pool.shutdown(cancel_futures=True)


def _by_processes(
    task: Callable[[Part], Result], parts: Sequence[Part], workers: int
) -> Generator[Result, None, None]:
    done, lost = 0, 0
    # Not forked: this process may have threads, of which a fork would keep the locks.
    context = multiprocessing.get_context("spawn")
    while done < len(parts):
        try:
            with _Processes(min(workers, len(parts) - done), context, _end_with_parent) as pool:
                for result in _in_order(pool, task, parts[done:], workers):
                    done += 1
                    yield result
        except BrokenProcessPool:
            lost += 1
            if lost > LOST_MOST:
                raise Refused("WORKERS_LOST", lost=lost) from None


class _Processes(ProcessPoolExecutor):
    """Processes that Ctrl-C does not reach, though a terminal sends it to them too.

    Whoever started them is asked to stop, and lets them end the parts that they are at.
    """

    def submit(self, *args: Any, **facts: Any) -> Future[Any]:
        """Ask for a call; a process that is started for it keeps SIGINT held back."""
        with _held_back():
            return super().submit(*args, **facts)


@contextmanager
def _held_back() -> Iterator[None]:
    """Let SIGINT wait until the end of the block, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker was started by somebody"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="claims-parent", daemon=True).start()


def _by_dask(
    task: Callable[[Part], Result], parts: Sequence[Part], address: str
) -> Generator[Result, None, None]:
    check_address(address)
    from distributed import Client, KilledWorker  # noqa: PLC0415 half a second; an extra besides

    try:
        connect: Any = Client  # it has no types
        client = connect(address, timeout=ANSWER_WITHIN, set_as_default=False)
    except (OSError, TimeoutError) as fault:
        raise Refused("SCHEDULER_UNREACHABLE", address=address, fault=_told(fault)) from None
    with client:
        for worker in client.scheduler_info(n_workers=-1)["workers"]:
            check_address(worker)
        futures: list[Any] = client.map(task, parts, pure=False, retries=0)
        try:
            for at in range(len(futures)):
                yield futures[at].result()
                futures[at] = None  # the workers may forget it
        except KilledWorker:
            raise Refused("WORKERS_LOST", lost=LOST_MOST) from None
        finally:
            client.cancel([each for each in futures if each is not None])


def _told(fault: Exception) -> str:
    return str(fault).partition("\n")[0][:200] or type(fault).__name__


def check_address(address: str) -> None:
    """Refuse SCHEDULER_UNPROTECTED for what is neither on this machine nor asked by TLS."""
    try:
        parsed = urlsplit(address)
        host = parsed.hostname or ""
    except ValueError:
        raise Refused("SCHEDULER_UNPROTECTED", address=address) from None
    if parsed.scheme == "tls" and host:
        return
    if parsed.scheme != "tcp" or not _is_here(host):
        raise Refused("SCHEDULER_UNPROTECTED", address=address)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
