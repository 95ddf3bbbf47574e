"""Hospital systems at work: stays handed to desks, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import httpx
import msgspec

from tongcheng.cli.demo.course import Outcome, play
from tongcheng.cli.demo.his import Failed, Habits, HospitalSystem
from tongcheng.cli.demo.region import DemoRegion
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement.demo import Generator, PlannedStay
from tongcheng.services.settlement.store import CLAIMS, STAYS

DESKS_A_HOSPITAL: Final = 2
CONNECTIONS_MAX: Final = 64

Told = Callable[[Outcome], None]


class Summary(msgspec.Struct, frozen=True):
    """What the stays of one run came to; amounts in fen."""

    stays: int
    settled: int
    refused: dict[str, int]
    cancelled: int
    total_fen: int
    funds: dict[str, int]
    person_fen: int
    hospital_fen: int
    retries: int


def plan(demo: DemoRegion, *, seed: int | str, count: int) -> list[PlannedStay]:
    """Return the next stays of a region; they go on after those that were played before."""
    generator = Generator(demo.demo, demo.catalogues, seed=seed, now_at=SystemClock().now())
    numbers = range(demo.next_number, demo.next_number + count)
    return [generator.stay(number) for number in numbers]


async def play_all(
    demo: DemoRegion,
    urls: dict[str, str],
    stays: Sequence[PlannedStay],
    *,
    told: Told,
    habits: Habits,
) -> list[Outcome]:
    """Play the stays, several at once in every hospital; `urls` are the nodes' by member."""
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=60)
    outcomes: list[Outcome] = []
    async with (
        httpx.AsyncClient(trust_env=False, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        for hospital in demo.demo.hospitals:
            url = urls[demo.members[hospital.institution_id]]
            queue = [stay for stay in stays if stay.hospital == hospital]
            system = HospitalSystem(
                client,
                url,
                hospital,
                demo.tokens[hospital.institution_id],
                zone=demo.zone,
                habits=habits,
            )
            if queue:
                group.create_task(_open(system, queue[::-1], demo.zone, told, outcomes))
    return outcomes


async def _open(
    system: HospitalSystem,
    waiting: list[PlannedStay],
    zone: str,
    told: Told,
    outcomes: list[Outcome],
) -> None:
    """Open a hospital's desks; each takes the next stay that waits."""

    async def desk() -> None:
        while waiting:
            stay = waiting.pop()
            try:
                outcome = await play(system, stay, zone)
            except Failed as broken:
                outcome = Outcome(stay.number, "broken", code=str(broken))
            outcomes.append(outcome)
            told(outcome)

    await system.sign_in()
    async with asyncio.TaskGroup() as group:
        for _ in range(DESKS_A_HOSPITAL):
            group.create_task(desk())


def summarise(outcomes: Sequence[Outcome], retries: int) -> Summary:
    """Return what these stays came to."""
    funds: Counter[str] = Counter()
    for outcome in outcomes:
        funds.update(outcome.funds)
    endings = Counter(outcome.ending for outcome in outcomes)
    refused = Counter(one.code or "?" for one in outcomes if one.ending == "refused")
    return Summary(
        stays=len(outcomes),
        settled=endings["settled"],
        refused=dict(sorted(refused.items())),
        cancelled=endings["cancelled"],
        total_fen=sum(one.total_fen for one in outcomes),
        funds=dict(funds),
        person_fen=sum(one.person_fen for one in outcomes),
        hospital_fen=sum(one.hospital_fen for one in outcomes),
        retries=retries,
    )


def unaccounted(
    directories: Sequence[Path], stays: Sequence[PlannedStay], outcomes: Sequence[Outcome]
) -> list[str]:
    """Compare what the hospitals were told with the nodes' books; return what does not agree."""
    found = {outcome.number: outcome for outcome in outcomes}
    booked: dict[tuple[str, str], tuple[str, int, int] | None] = {}

    def question(snapshot: Snapshot, _home: Home) -> None:
        for row in snapshot.select(STAYS):
            claim = None if row.claim_id is None else snapshot.get(CLAIMS, row.claim_id)
            standing = claim is not None and claim.state == "settled"
            booked[row.institution_id, row.inpatient_no] = (
                (claim.settlement_id, claim.fund_fen, claim.person_fen)
                if claim is not None and standing
                else None
            )

    for directory in directories:
        read_snapshot(directory, question)
    wrong = []
    for stay in stays:
        outcome = found.get(stay.number)
        if outcome is None or outcome.ending == "broken":
            wrong.append(f"stay {stay.number} has no end: {outcome.code if outcome else '-'}")
            continue
        told = (outcome.settlement_id, sum(outcome.funds.values()), outcome.person_fen)
        books = booked.get((stay.hospital.institution_id, stay.inpatient_no))
        if books != (told if outcome.ending == "settled" else None):
            wrong.append(f"stay {stay.number}: the hospital was told {outcome.ending}, {books}")
    return wrong
