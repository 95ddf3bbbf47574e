"""The national six-call sequence, by a client of asyncio and httpx in a process of its own.

wrk sends what was written beforehand; here every message names ids that the one before was
answered with. One 9001 for all, then for each stay 1101, 2401, 2301 (60 lines, in as many messages
as the specification's length asks for), 2402, 2303 and 2304.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec

from benchmarks.in_process import PACK
from benchmarks.two_nodes import INSURED_ADMDVS, SCHEME, id_number, person_type
from benchmarks.whole_stays import DAYS, HOUR_MS, bill, items
from tongcheng.cli.demo.course import play
from tongcheng.cli.demo.his import Habits, HospitalSystem
from tongcheng.kernel import region
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.node import files
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement.api import line_input
from tongcheng.services.settlement.api_model import NewLine
from tongcheng.services.settlement.demo import Hospital, Person, PlannedStay


class Task(msgspec.Struct, frozen=True):
    """What the client is to do: persons `first` up to `last`, for at most so many seconds."""

    url: str
    token: str
    institution_id: str
    first: int
    last: int
    seconds: float
    at_once: int


class Played(msgspec.Struct, frozen=True):
    """What the client did: stays settled, refused, seconds, p99 of a whole stay in ms, its CPU."""

    settled: int
    refused: int
    seconds: float
    p99: float
    cpu_s: float


def stays(task: Task, now_at: int) -> Iterator[PlannedStay]:
    """Yield the stays of these persons, as `whole_stays` bills them."""
    known, hospital = items(), _hospital(task.institution_id)
    for number in range(task.first, task.last):
        discharged_at = (now_at - HOUR_MS - number % 20 * HOUR_MS) // 1_000 * 1_000
        admitted_at = discharged_at - DAYS * DAY_MS
        lines = [
            line_input(msgspec.convert(each, NewLine)) for each in bill(known, number, admitted_at)
        ]
        yield PlannedStay(
            number=number,
            hospital=hospital,
            person=Person(
                name=f"示例·{number}",
                id_number=id_number(number),
                gender="1",
                born_on="1950-01-01",
                admdvs=INSURED_ADMDVS,
                scheme=SCHEME,
                person_type=person_type(number),
            ),
            inpatient_no=f"N{number:07d}",
            admitted_at=admitted_at,
            discharged_at=discharged_at,
            lines=tuple(lines),
            twist="plain",
        )


def _hospital(institution_id: str) -> Hospital:
    demo = demos.load(files.pack_folder(PACK) / "demo.yaml")
    return next(one for one in demo.hospitals if one.institution_id == institution_id)


async def run(task: Task) -> Played:
    """Play stays, so many at once, until the time or the persons are over."""
    zone = region.load(PACK).zone
    waiting = stays(task, time.time_ns() // 1_000_000)
    seconds: list[float] = []
    refused = 0
    limits = httpx.Limits(max_connections=task.at_once)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        system = HospitalSystem(
            client,
            task.url,
            _hospital(task.institution_id),
            task.token,
            zone=zone,
            habits=Habits("six calls"),
        )
        await system.sign_in()
        begun, computed = time.perf_counter(), time.process_time()

        async def clerk() -> None:
            nonlocal refused
            for stay in waiting:
                if time.perf_counter() - begun > task.seconds:
                    return
                at = time.perf_counter()
                outcome = await play(system, stay, zone)
                seconds.append(time.perf_counter() - at)
                refused += outcome.ending != "settled"

        await asyncio.gather(*(clerk() for _ in range(task.at_once)))
    ordered = sorted(seconds)
    return Played(
        settled=len(seconds) - refused,
        refused=refused,
        seconds=time.perf_counter() - begun,
        p99=round(ordered[len(ordered) * 99 // 100] * 1_000, 1),
        cpu_s=time.process_time() - computed,
    )


def main() -> None:
    """Do the task in one file and write what was done into another."""
    task_file, result_file = map(Path, sys.argv[1:])
    task = msgspec.json.decode(task_file.read_bytes(), type=Task)
    result_file.write_bytes(msgspec.json.encode(asyncio.run(run(task))))


if __name__ == "__main__":
    main()
