"""Divides work between threads, processes or the workers of a Dask scheduler.

A task is a pure function of its part: where a worker dies, another one does the part again and
nothing else changes. The results are handed out in the order of the parts, each once, so whatever
is added up or written from them is the same for any number of workers. No more of them wait for
whoever takes them than there are workers and a few, so memory does not grow with their number.

Parts may name persons' claims, so they and what comes of them travel only on this machine, or under
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
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from tongcheng.kernel.errors import Refused

Held = TypeVar("Held")
Part = TypeVar("Part")
Result = TypeVar("Result")
Task = Callable[..., Any]
"""A task inside this module: with what is held, if anything, and the part."""

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
    return _spread(task, (), parts, workers, scheduler)


def spread_with(
    held: Held,
    task: Callable[[Held, Part], Result],
    parts: Sequence[Part],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Generator[Result, None, None]:
    """Yield the result of each part as `spread` does, where every part needs the same besides.

    What is `held` is sent to each worker once, however many parts it does.
    """
    return _spread(task, (held,), parts, workers, scheduler)


def _spread(
    task: Task,
    held: tuple[Any, ...],
    parts: Sequence[Any],
    workers: int | None,
    scheduler: str | None,
) -> Generator[Any, None, None]:
    if scheduler is not None:
        return _by_dask(task, held, parts, scheduler)
    if workers is not None:
        return _by_processes(task, held, parts, workers)
    return _by_threads(partial(task, *held), parts)


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_threads(task: Task, parts: Sequence[Any]) -> Generator[Any, None, None]:
    count = min(cpus(), len(parts))
    if count <= 1:
        yield from map(task, parts)
        return
    with ThreadPoolExecutor(count) as pool:
        yield from _in_order(pool, task, parts, count)


def _in_order(
    pool: Executor, task: Task, parts: Sequence[Any], workers: int
) -> Generator[Any, None, None]:
    """Yield results in order, a few parts ahead of whoever takes them; the pool's last work."""
    waiting: deque[Future[Any]] = deque()
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
    task: Task, held: tuple[Any, ...], parts: Sequence[Any], workers: int
) -> Generator[Any, None, None]:
    done, lost = 0, 0
    # Not forked: this process may have threads, of which a fork would keep the locks.
    context = multiprocessing.get_context("spawn")
    while done < len(parts):
        try:
            count = min(workers, len(parts) - done)
            with _Processes(count, context, _begin, (held,)) as pool:
                for result in _in_order(pool, partial(_done_here, task), parts[done:], workers):
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


_held_here: tuple[Any, ...] = ()
"""What a worker of this machine was sent when it began."""


def _begin(held: tuple[Any, ...]) -> None:
    global _held_here  # noqa: PLW0603 a process has one, as long as it lives
    _held_here = held
    _end_with_parent()


def _done_here(task: Task, part: Any) -> Any:
    return task(*_held_here, part)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker was started by somebody"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="spread-parent", daemon=True).start()


def _by_dask(
    task: Task, held: tuple[Any, ...], parts: Sequence[Any], address: str
) -> Generator[Any, None, None]:
    check_address(address)
    # Half a second; an extra besides.
    from distributed import CancelledError, Client, KilledWorker  # noqa: PLC0415

    try:
        connect: Any = Client  # it has no types
        client = connect(address, timeout=ANSWER_WITHIN, set_as_default=False)
    except (OSError, TimeoutError) as fault:
        raise Refused("SCHEDULER_UNREACHABLE", address=address, fault=_told(fault)) from None
    with client:
        for worker in client.scheduler_info(n_workers=-1)["workers"]:
            check_address(worker)
        done, lost = 0, 0
        while done < len(parts):
            try:
                for result in _in_order_of(client, task, held, parts[done:]):
                    done += 1
                    yield result
            except CancelledError:  # every worker that had what is held is gone, and it with them
                lost += 1
                if lost > LOST_MOST:
                    raise Refused("WORKERS_LOST", lost=lost) from None
            except KilledWorker:
                raise Refused("WORKERS_LOST", lost=LOST_MOST) from None


def _in_order_of(
    client: Any, task: Task, held: tuple[Any, ...], parts: Sequence[Any]
) -> Generator[Any, None, None]:
    """Yield results in order; what has left `waiting` the workers may forget."""
    kept = client.scatter(list(held), broadcast=True, hash=False) if held else []
    waiting: deque[Any] = deque()
    try:
        for part in parts:
            waiting.append(client.submit(task, *kept, part, pure=False, retries=0))
            if len(waiting) >= 2 * sum(client.nthreads().values()) + AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        client.cancel(list(waiting))


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
