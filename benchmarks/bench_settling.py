"""Settlements between two real nodes: whole stays of 60 lines in one REST call, and in six.

Both nodes run as users run them, every commit synced, the load generator beside them on the same
cores, in a closed loop. One call carries the id number: the insured side is asked who that is,
then the stay is kept here whole, decided there, and answered from a commit. Beside it in the same
run: the same bytes echoed by the same server stack, and the same bytes appended to a file and
synced. At the end the books of both nodes are compared to the fen.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks import whole_stays, wrk
from benchmarks.in_process import HOST
from benchmarks.reader import cpu_seconds
from benchmarks.row import Row
from benchmarks.runs import not_measured, quick, tell
from benchmarks.six_calls import Played, Task
from benchmarks.two_nodes import Cities, free_port, two_nodes
from benchmarks.wrk import Load
from tongcheng.cli.books import reconcile_nodes

AREA = "settling"
PER_SECOND = 324.0
"""The national platform's mean: 28 million transactions a day. A reference, not a peer."""
P99_MS = 100.0
ONE_CALL = "settlements in one REST call of 60 lines, durable on both sides"
THREADS = 2
TRIED = (8, 16, 32, 64)
"""Connections; what settles most in a short trial, below P99_MS if one is, is measured."""
FASTEST = 400
"""More calls a second than these are not prepared for."""
APPENDS = 300
QUIET_WITHIN_S = 30.0
READY_WITHIN_S = 60.0


class Lengths(msgspec.Struct, frozen=True):
    """Seconds of a trial, of the measurement, of the echo and of the six calls."""

    trial: int = 4
    whole: int = 30
    echo: int = 10
    six: int = 15


class Cost(msgspec.Struct, frozen=True):
    """Load and the CPU that each node spent on one answer, in ms."""

    load: Load
    visited_ms: float
    insured_ms: float


class Result(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    connections: int
    trials: dict[int, Load]
    whole: Cost
    echo: Load
    appends_per_second: float
    six: Played
    six_visited_ms: float
    six_insured_ms: float
    equal: int
    apart: int


class Calls:
    """Requests that were not sent yet, written to files as they are needed."""

    def __init__(self, cities: Cities) -> None:
        self._cities = cities
        self._port = int(cities.visited.url.rpartition(":")[2])
        self._now_at = time.time_ns() // 1_000_000
        self.next_person = 0

    def write(self, name: str, seconds: int) -> Path:
        """Write the calls of so many seconds, for every thread of wrk a file; return the prefix."""
        prefix = self._cities.folder / name
        each = FASTEST * seconds // THREADS
        for thread in range(THREADS):
            persons = range(self.next_person, self.next_person + each)
            self.next_person += each
            whole_stays.write(Path(f"{prefix}-{thread}"), self._requests(persons))
        return prefix

    def _requests(self, persons: range) -> Iterator[bytes]:
        bodies = whole_stays.bodies(persons, self._now_at)
        for number, body in zip(persons, bodies, strict=True):
            key = f"bench-{number:08d}"
            yield whole_stays.request(self._port, self._cities.token, key, body)


def choose(trials: dict[int, Load]) -> int:
    """Return the number of connections that settled most, below the bound if any stayed there."""
    within = {count: load for count, load in trials.items() if load.requests and load.p99 <= P99_MS}
    within = within or trials
    return max(within, key=lambda count: within[count].per_second)


def loaded(cities: Cities, prefix: Path, seconds: int, connections: int) -> Cost:
    """Let wrk send the calls of some files to the visited node."""
    before = [cpu_seconds(pid) for pid in cities.pids]
    load = wrk.run(
        cities.visited.url, prefix, seconds=seconds, connections=connections, threads=THREADS
    )
    used = [cpu_seconds(pid) - was for pid, was in zip(cities.pids, before, strict=True)]
    visited_ms, insured_ms = (round(each * 1_000 / max(load.requests, 1), 2) for each in used)
    tell(f"{connections} connections: {load.per_second:.0f}/s, p99 {load.p99:.0f} ms")
    return Cost(load, visited_ms, insured_ms)


def echoed(folder: Path, seconds: int, connections: int) -> Load:
    """Let wrk send bodies of the same bytes to the echo, over and over."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.echo_server", str(port)]
    process = subprocess.Popen(command)  # noqa: S603 our own words
    try:
        now_at = time.time_ns() // 1_000_000
        bodies = list(whole_stays.bodies(range(200), now_at))
        for thread in range(THREADS):
            calls = (
                whole_stays.request(port, "none", "echo-0001", bodies[number], "/echo")
                for number in range(len(bodies))
            )
            whole_stays.write(folder / f"echo-{thread}", calls)
        _await(port)
        return wrk.run(
            f"http://{HOST}:{port}",
            folder / "echo",
            seconds=seconds,
            connections=connections,
            threads=THREADS,
            again=True,
        )
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the echo does not listen"
            time.sleep(0.1)
        else:
            return


def appended(folder: Path) -> float:
    """Return how often in a second one body is appended to a file and synced."""
    body = next(whole_stays.bodies(range(1), time.time_ns() // 1_000_000))
    with (folder / "appended").open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(APPENDS):
            file.write(body)
            os.fdatasync(file.fileno())
        return APPENDS / (time.perf_counter() - begun)


def in_six_calls(
    cities: Cities, first: int, seconds: int, at_once: int
) -> tuple[Played, list[float]]:
    """Play stays by the national messages; return what was done and each node's CPU in ms."""
    task = Task(
        url=cities.visited.url,
        token=cities.token,
        institution_id=cities.institution_id,
        first=first,
        last=first + FASTEST * seconds // 2,
        seconds=seconds,
        at_once=at_once,
    )
    task_file, result_file = cities.folder / "task.json", cities.folder / "played.json"
    task_file.write_bytes(msgspec.json.encode(task))
    before = [cpu_seconds(pid) for pid in cities.pids]
    command = [sys.executable, "-m", "benchmarks.six_calls", str(task_file), str(result_file)]
    subprocess.run(command, check=True)  # noqa: S603 our own words
    used = [cpu_seconds(pid) - was for pid, was in zip(cities.pids, before, strict=True)]
    played = msgspec.json.decode(result_file.read_bytes(), type=Played)
    return played, [round(each * 1_000 / max(played.settled, 1), 2) for each in used]


def compared(cities: Cities) -> tuple[int, int]:
    """Return how many settlements both nodes have alike, and how many not, when all is quiet."""
    directories = [cities.visited.directory, cities.insured.directory]
    until = time.monotonic() + QUIET_WITHIN_S
    while True:
        pairs = reconcile_nodes(directories).pairs
        waiting = sum(len(pair.in_flight) for pair in pairs)
        if not waiting or time.monotonic() > until:
            break
        time.sleep(0.5)
    apart = sum(len(pair.differences) + len(pair.in_flight) for pair in pairs)
    return sum(pair.equal for pair in pairs), apart


def run(lengths: Lengths) -> Result:
    """Start the nodes, settle by one call and by six, and compare the books."""
    seconds = len(TRIED) * lengths.trial + lengths.whole
    persons = FASTEST * (seconds + lengths.six)
    with tempfile.TemporaryDirectory(dir=_folder()) as name:
        folder = Path(name)
        tell(f"{persons} persons are insured")
        with two_nodes(folder, persons) as cities:
            calls = Calls(cities)
            trials = {
                count: loaded(
                    cities, calls.write(f"trial-{count}", lengths.trial), lengths.trial, count
                ).load
                for count in TRIED
            }
            connections = choose(trials)
            echo = echoed(folder, lengths.echo, connections)
            appends = appended(folder)
            prefix = calls.write("whole", lengths.whole)
            whole = loaded(cities, prefix, lengths.whole, connections)
            six, six_ms = in_six_calls(cities, calls.next_person, lengths.six, connections)
            equal, apart = compared(cities)
    return Result(
        connections=connections,
        trials=trials,
        whole=whole,
        echo=echo,
        appends_per_second=appends,
        six=six,
        six_visited_ms=six_ms[0],
        six_insured_ms=six_ms[1],
        equal=equal,
        apart=apart,
    )


def _folder() -> Path:
    # Beside the code, not in memory, where a sync would cost nothing.
    folder = Path(__file__).parent.parent / ".bench"
    folder.mkdir(exist_ok=True)
    return folder


def rows_of(result: Result) -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    return [*_whole_rows(result), *_cost_rows(result), _six_row(result), _books_row(result)]


def _whole_rows(result: Result) -> list[Row]:
    load, echo = result.whole.load, result.echo
    missed = ""
    if load.per_second < PER_SECOND:
        cores = (_nodes_ms(result) + _wrk_ms(load)) / 1_000 * PER_SECOND
        visited = result.whole.visited_ms / 1_000 * PER_SECOND
        missed = (
            f"{PER_SECOND:.0f}/s would take {cores:.1f} cores, {visited:.1f} of them the visited "
            "node, and its Python computes on one at a time. "
        )
    late = "the connections wait for the visited node. " if load.p99 > P99_MS else ""
    broken = f"{load.refused} refused, {load.broken} broken off"
    return [
        Row(
            AREA,
            ONE_CALL,
            load.per_second,
            "/s",
            PER_SECOND,
            reference="the same bytes echoed by the same server stack",
            reference_figure=echo.per_second,
            note=f"{missed}{result.connections} connections of wrk on the same cores; {broken}",
        ),
        Row(
            AREA,
            "one REST call of 60 lines, the 99th of a hundred",
            load.p99,
            "ms",
            P99_MS,
            "at most",
            reference="the echo",
            reference_figure=echo.p99,
            note=f"{late}p50 {load.p50} ms, longest {load.max} ms",
        ),
    ]


def _cost_rows(result: Result) -> list[Row]:
    whole = result.whole
    return [
        Row(
            AREA,
            "CPU of both nodes for one settlement in one call",
            _nodes_ms(result),
            "ms",
            note=(
                f"visited {whole.visited_ms} ms, insured {whole.insured_ms} ms; beside it wrk "
                f"{_wrk_ms(whole.load):.2f} ms"
            ),
        ),
        Row(
            AREA,
            "settlements in one call, against the disk",
            whole.load.per_second,
            "/s",
            reference="the same bytes appended and synced, one after the other",
            reference_figure=result.appends_per_second,
            note="a settlement takes part in several commits on either side, each with others",
        ),
    ]


def _six_row(result: Result) -> Row:
    six = result.six
    client_ms = six.cpu_s * 1_000 / max(six.settled, 1)
    return Row(
        AREA,
        "settlements by the national calls 1101, 2401, 2301, 2402, 2303, 2304",
        six.settled / six.seconds,
        "/s",
        reference="in one call",
        reference_figure=result.whole.load.per_second,
        note=(
            f"p99 of a whole stay {six.p99} ms; CPU of one: visited {result.six_visited_ms} ms, "
            f"insured {result.six_insured_ms} ms, client {client_ms:.1f} ms (asyncio and httpx, "
            f"not wrk: each call names ids that the one before was answered with); "
            f"{six.refused} refused"
        ),
    )


def _books_row(result: Result) -> Row:
    return Row(
        AREA,
        "settlements pending, one-sided or different when all is quiet",
        result.apart,
        "",
        0,
        "at most",
        note=f"{result.equal} settlements are equal in both books",
    )


def _nodes_ms(result: Result) -> float:
    return result.whole.visited_ms + result.whole.insured_ms


def _wrk_ms(load: Load) -> float:
    return load.cpu_s * 1_000 / max(load.requests, 1)


def measure() -> list[Row]:
    """Return the rows; a machine without wrk has one that says so."""
    if not wrk.there():
        why = "wrk is not installed (Debian: apt-get install wrk)"
        return [not_measured(AREA, ONE_CALL, "/s", PER_SECOND, why)]
    return rows_of(run(Lengths(trial=1, whole=3, echo=2, six=3) if quick() else Lengths()))


def main() -> None:
    """Measure and print."""
    for row in measure():
        beside = f"; {row.reference}: {row.reference_figure}" if row.reference else ""
        print(f"{row.what}: {row.figure:.2f} {row.unit}{beside}; {row.note}")


if __name__ == "__main__":
    main()
