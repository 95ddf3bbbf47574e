"""The process that runs one seed: a plan comes in as a line, progress and the end go out as lines.

The parent keeps our standard input open as long as it lives. When it closes, whatever happened to
the parent, this process ends and takes its files along.
"""

import os
import resource
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from tongcheng.simulation import disk
from tongcheng.simulation.nation import sources
from tongcheng.simulation.nation.results import Finished
from tongcheng.simulation.region import Plan, simulate

TOLD_EVERY_S = 0.5
KIB = 1_024


class Order(msgspec.Struct, frozen=True):
    """What the parent wants run, and by which sources."""

    plan: Plan
    sources: str


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line to the parent: stays done so far, or the end, or that the sources are others."""

    done: int = 0
    finished: Finished | None = None
    other_sources: bool = False


def _leave_without(root: Path) -> None:
    """At SIGTERM, end at once and take the files along.

    Not by an exception: a loop that is asked to end first lets its tasks end, and those of a
    region whose nodes are dead may wait for ever.
    """

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        shutil.rmtree(root, ignore_errors=True)
        os._exit(1)

    signal.signal(signal.SIGTERM, leave)


def _end_with_parent(given: int) -> None:
    """Wait until the parent closes our input, then end as if it had asked."""
    # Past Python's buffer: a thread that waits in one keeps the interpreter from ending.
    while os.read(given, KIB):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def run(order: Order, root: Path) -> Finished:
    """Simulate one seed in a folder and say how far it is."""
    began, last_told = time.monotonic(), time.monotonic()

    def progress(done: int, _total: int) -> None:
        nonlocal last_told
        if time.monotonic() - last_told >= TOLD_EVERY_S:
            last_told = time.monotonic()
            _tell(Told(done=done))

    report = simulate(order.plan, progress, root)
    return Finished(
        report=report,
        processor_seconds=round(time.process_time(), 3),
        seconds=round(time.monotonic() - began, 3),
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB,
        ended_at=time.time_ns() // 1_000_000,
    )


def main() -> None:
    """Run the seed that standard input names."""
    root = disk.temporary_folder()
    _leave_without(root)
    try:
        line = sys.stdin.buffer.readline()
        if line:  # else the parent ended before it could say anything
            _tell(_told(msgspec.json.decode(line, type=Order), root))
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _told(order: Order, root: Path) -> Told:
    given = sys.stdin.fileno()
    threading.Thread(target=_end_with_parent, args=(given,), daemon=True).start()
    if order.sources != sources.digest():
        return Told(other_sources=True)
    return Told(finished=run(order, root))


if __name__ == "__main__":
    main()
