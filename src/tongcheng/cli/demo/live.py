"""The region goes on after its first stays: patients arrive at a calm pace, lie a while, leave.

Which patient arrives as which number, where, and for how long he lies, follows from the seed; only
the instants are the clock's. Hospital systems are patient without limit: while a line is cut they
ask again and again, with the pauses that real ones make.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import httpx
import msgspec

from tongcheng.cli.demo.course import Outcome, play
from tongcheng.cli.demo.his import Failed, Habits, HospitalSystem
from tongcheng.cli.demo.play import CONNECTIONS_MAX
from tongcheng.cli.demo.region import DemoRegion
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.services.settlement.demo import Generator, PlannedStay

PACE_S: Final = 4.0
"""Between two arrivals in the whole region, as a rule."""

Between = tuple[int, int]

IN_BED_S: Final[Between] = (20, 90)
"""How long a patient lies: so that at any time some are admitted with a bill that grows."""

BEDS: Final = 8
"""Of a hospital for patients from one place: more are sent away, however long a line stays cut."""

Bed = tuple[str, str]
"""Institution, and the first two figures of the place that its patient is insured in."""


def patient_habits(seed: int | str) -> Habits:
    """Return how systems behave that nobody hurries: mostly they send the same again."""
    return Habits(
        f"live habits {seed}", wait_s=1.0, longest_s=15.0, patient=True, same=90, anew=10, reverse=0
    )


def arriving(demo: DemoRegion, seed: int | str, number: int, now_at: int) -> PlannedStay:
    """Return the stay with this number, moved so that its last day is today."""
    generator = Generator(demo.demo, demo.catalogues, seed=seed, now_at=now_at)
    stay = generator.stay(number)
    later_ms = now_at - now_at % 1_000 - stay.discharged_at
    lines = [
        msgspec.structs.replace(line, charged_at=line.charged_at + later_ms) for line in stay.lines
    ]
    return msgspec.structs.replace(
        stay,
        admitted_at=stay.admitted_at + later_ms,
        discharged_at=stay.discharged_at + later_ms,
        lines=tuple(lines),
    )


def in_bed_s(seed: int | str, number: int, between: Between = IN_BED_S) -> float:
    """Return how long the patient of this number lies."""
    low, high = between
    drawn = int.from_bytes(SeededEntropy(f"in bed {seed}/{number}").bytes(4), "big")
    return low + drawn % (high - low + 1)


class Arrivals(NamedTuple):
    """Who arrives: by which seed, from which number on, with how many seconds between two.

    `in_bed_s` is the least and the most that each lies.
    """

    seed: int | str
    first_number: int
    pace_s: float
    in_bed_s: Between = IN_BED_S


async def go_on(demo: DemoRegion, urls: Mapping[str, str], arrivals: Arrivals) -> None:
    """Let patients arrive until cancelled; `urls` are the nodes' by member."""
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=60)
    clock, habits = SystemClock(), patient_habits(arrivals.seed)
    beds: Counter[Bed] = Counter()
    async with (
        httpx.AsyncClient(trust_env=False, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        systems = _systems(demo, urls, client, habits)
        for number in itertools.count(arrivals.first_number):
            await asyncio.sleep(arrivals.pace_s)
            stay = arriving(demo, arrivals.seed, number, clock.now())
            bed = (stay.hospital.institution_id, stay.person.admdvs[:2])
            if beds[bed] < BEDS:
                lying_s = in_bed_s(arrivals.seed, number, arrivals.in_bed_s)
                course = play(systems[bed[0]], stay, demo.zone, in_bed_s=lying_s)
                group.create_task(_occupy(beds, bed, course))


async def _occupy(beds: Counter[Bed], bed: Bed, course: Coroutine[None, None, Outcome]) -> None:
    """Play one stay in its bed."""
    beds[bed] += 1
    # What the interface does not keep shows in the books; one patient must not end the others.
    with suppress(Failed):
        await course
    beds[bed] -= 1


def _systems(
    demo: DemoRegion, urls: Mapping[str, str], client: httpx.AsyncClient, habits: Habits
) -> dict[str, HospitalSystem]:
    return {
        one.institution_id: HospitalSystem(
            client,
            urls[demo.members[one.institution_id]],
            one,
            demo.tokens[one.institution_id],
            zone=demo.zone,
            habits=habits,
        )
        for one in demo.demo.hospitals
    }
