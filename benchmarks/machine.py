"""What machine the figures are from: its cores, its load, and what its disk and memory give."""

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.reader import disk_write

FOLDER = Path(__file__).parent.parent / ".bench"
"""Where benchmarks keep what is dear to make; git does not see it."""
COPY_BYTES = 1 << 28
COPY_TIMES = 5
WRITE_TIMES = 100
_PROCESSORS = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True):
    """The machine at the start of a run.

    `load` is the mean number of tasks that ran or waited in the last minute: what else was going
    on. `fdatasync_ms` is the middle and the 95th of a hundred appends of 4 KiB, each synced.
    `copy_gigabytes_s` is what one core copies of 256 MiB in a second, the best of five.
    """

    cores: int
    processor: str
    python: str
    measured_at: str
    load: float
    fdatasync_ms: tuple[float, float]
    copy_gigabytes_s: float

    def told(self) -> list[str]:
        """Return the lines that people read above the table."""
        middle, high = self.fdatasync_ms
        made_of = f"{self.cores} cores, {self.processor}; Python {self.python}"
        disk = f"4 KiB appended and synced: {middle} ms (95 %: {high} ms)"
        return [
            f"{made_of}; {self.measured_at}; load {self.load:.1f} at the start",
            f"{disk}; memory copied by one core: {self.copy_gigabytes_s:.1f} GB/s",
        ]


def look() -> Machine:
    """Measure this machine."""
    load = os.getloadavg()[0]
    FOLDER.mkdir(exist_ok=True)
    disk = disk_write(FOLDER, WRITE_TIMES)
    return Machine(
        cores=os.cpu_count() or 1,
        processor=processor(_PROCESSORS.read_text("utf-8") if _PROCESSORS.exists() else ""),
        python=platform.python_version(),
        measured_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        load=round(load, 2),
        fdatasync_ms=(disk.p50, disk.p95),
        copy_gigabytes_s=round(copied_bytes_s() / 1e9, 2),
    )


def processor(told: str) -> str:
    """Return the processor's name from Linux's own description, or the kind of machine."""
    for line in told.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def copied_bytes_s(size: int = COPY_BYTES, times: int = COPY_TIMES) -> float:
    """Return how many bytes one core copies in a second: the limit of whoever writes results."""
    source, target = memoryview(bytearray(size)), memoryview(bytearray(size))
    best = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        target[:] = source
        best = min(best, time.perf_counter() - begun)
    return size / best
