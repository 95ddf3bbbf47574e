"""wrk, the load generator (Debian package `wrk`): a closed loop over requests from files."""

import resource
import shutil
import subprocess
from pathlib import Path

import msgspec

SCRIPT = Path(__file__).parent / "settling.lua"
TIMEOUT_S = 10
_RESULT_FIELDS = 8


class Load(msgspec.Struct, frozen=True):
    """What wrk saw: answers, seconds, latency in ms, refusals, broken connections, its own CPU."""

    requests: int
    seconds: float
    p50: float
    p99: float
    max: float
    mean: float
    refused: int
    broken: int
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def there() -> bool:
    """Tell whether wrk is installed."""
    return shutil.which("wrk") is not None


def run(
    url: str, prefix: Path, *, seconds: int, connections: int, threads: int, again: bool = False
) -> Load:
    """Send the requests of PREFIX-0, PREFIX-1, … one file for each thread, for so long.

    Each is sent once, and a thread ends with its file; with `again` it begins anew.
    """
    before = _child_cpu_s()
    words = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_S}s"]
    words += ["-s", str(SCRIPT), url, "--", str(prefix)]
    words += ["again"] if again else []
    told = subprocess.run(  # noqa: S603 our own words
        words, check=True, capture_output=True, text=True
    )
    return parse(told.stdout, _child_cpu_s() - before)


def parse(told: str, cpu_s: float) -> Load:
    """Read what the script has printed at its end; microseconds become ms."""
    line = next(line for line in told.splitlines() if line.startswith("RESULT "))
    fields = [float(field) for field in line.split()[1:]]
    assert len(fields) == _RESULT_FIELDS, line
    requests, micros, p50, p99, longest, mean, refused, broken = fields
    return Load(
        requests=int(requests),
        seconds=micros / 1e6,
        p50=round(p50 / 1_000, 2),
        p99=round(p99 / 1_000, 2),
        max=round(longest / 1_000, 2),
        mean=round(mean / 1_000, 2),
        refused=int(refused),
        broken=int(broken),
        cpu_s=cpu_s,
    )


def _child_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
