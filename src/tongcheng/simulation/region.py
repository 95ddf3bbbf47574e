"""The whole region, driven by one seed: build it, let it work under faults, heal it, look at it."""

import asyncio
import gc
import shutil
from collections import Counter as Tallied
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path

import msgspec

from tongcheng.kernel.calendar import DAY_MS
from tongcheng.services.settlement.store import ClaimRow
from tongcheng.simulation import books, checks, disk, loop, national, setting
from tongcheng.simulation.books import UNDECIDED, Books
from tongcheng.simulation.counter import Counter, Place
from tongcheng.simulation.disk import Disk
from tongcheng.simulation.faults import PROFILES, Chance, Profile, ProfileName, Tally
from tongcheng.simulation.hospitals import WAYS_DRAWN, Clerk
from tongcheng.simulation.machine import AWAY_S, Machine, quiet_power_cuts
from tongcheng.simulation.memory import Memory
from tongcheng.simulation.network import Network
from tongcheng.simulation.quiet import quiet
from tongcheng.simulation.report import Report
from tongcheng.simulation.setting import Person
from tongcheng.simulation.visits import CARD_SHARE, WHOLE, Visit

ANCHOR_AT = 1_790_783_820_000
"""2026-09-30T23:57 in the cities: the month turns while the region works."""
WINDOWS = (24, 100, 400)
"""Stays under way at one moment; the seed says which, where the plan does not."""
WAITS_MS = (400, 2_000, 20_000)
"""How long a hospital's call waits for the insured side, by hospital; the first gives up early."""
STAYS_PER_PERSON = 2
BEIJING_SHARE = 0.8
TWIN_SHARE = 0.25
"""Persons who leave two hospitals, in two cities, on one day."""
SETTLE_IN_S = 60
PARTITION_S = (3.0, 45.0)
DISK_FULL_S = (1.0, 15.0)
QUIET_HOUR = 6
"""How much rarer faults by the clock are while a node is away for its hour."""
QUIET_WITHIN_S = 900 + int(AWAY_S)
WORK_WITHIN_S = 1_800 + 2 * int(AWAY_S)
WORK_PER_STAY_S = 15
COLLECTING = (20_000, 20, 50)

Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


class Plan(msgspec.Struct, frozen=True):
    """What to simulate; the same plan gives the same report, byte for byte.

    `whole_share` of the stays are brought whole, in one call; None leaves all ways as they are
    drawn, which is about a third. `under_way` is how many stays are under way at one moment; None
    lets the seed draw one of WINDOWS.
    """

    seed: int
    settlements: int
    faults: ProfileName = "usual"
    whole_share: float | None = None
    under_way: int | None = None


class Region:
    """Three cities, their hospitals, and everything between them that may fail."""

    def __init__(self, plan: Plan, root: Path, progress: Progress = no_progress) -> None:
        self.plan = plan
        self.tally = Tally()
        self.memory = Memory()
        self.profile: Profile = PROFILES[plan.faults]
        self.machines: list[Machine] = []
        self._root = root
        self._progress = progress
        self._chance = self._stream("region")
        self.network = Network(self._stream("network"), self.profile, self.tally)
        self._counters: dict[str, list[Counter]] = {}
        self._queue: list[tuple[Counter, Visit]] = []
        self._done = 0
        self._absent_until_s = 0.0

    def _stream(self, name: str) -> Chance:
        return Chance(self.plan.seed, name)

    # building

    async def build(self) -> None:
        """Start every machine, sign the accord, contract hospitals, enrol persons."""
        homes = setting.homes(self.plan.seed)
        document = setting.accord_of(homes, ANCHOR_AT)
        errors = national.errors()
        for home in homes:
            name = home.member_id
            machine = Machine(
                home,
                Disk(self._root / name, self._stream(f"disk {name}"), self.profile, self.tally),
                self.network,
                ANCHOR_AT,
                self._stream(f"machine {name}"),
                self.profile,
                self.tally,
                errors,
            )
            machine.calm = machine.disk.calm = True
            self.network.hosts[machine.address] = machine
            self.machines.append(machine)
            machine.start()
        persons = self._persons()
        for machine in self.machines:
            mine = [one for one in persons if one.member_id == machine.member_id]
            places = await setting.furnish(machine, document, mine)
            self._counters[machine.member_id] = self._open_counters(machine, places)
        self._queue = self._visits(persons)
        # A clock that is set back at a restart stays after the credentials' first instant.
        await asyncio.sleep(SETTLE_IN_S)

    def _open_counters(self, machine: Machine, places: list[Place]) -> list[Counter]:
        chance = self._stream(f"counters {machine.member_id}")
        waits = [WAITS_MS[chance.whole(0, len(WAITS_MS) - 1)] for _ in places]
        return [
            Counter(machine, place, self.network, chance, wait_ms)
            for place, wait_ms in zip(places, waits, strict=True)
        ]

    def _persons(self) -> list[Person]:
        first, *others = [machine.member_id for machine in self.machines]
        persons = []
        for number in range(max(1, self.plan.settlements // STAYS_PER_PERSON)):
            is_first = self._chance.happens(BEIJING_SHARE)
            member = first if is_first else self._chance.pick(others)
            admdvs = setting.division_of(self.machines[0].home.region, member, number)
            persons.append(Person(f"SIMULATED{number:07d}", member, admdvs))
        return persons

    def _visits(self, persons: list[Person]) -> list[tuple[Counter, Visit]]:
        """Draw the stays; a person's next one is often in another city, on the same day."""
        queue: list[tuple[Counter, Visit]] = []
        while len(queue) < self.plan.settlements:
            person = persons[self._chance.whole(0, len(persons) - 1)]
            cities = [name for name in self._counters if name != person.member_id]
            twins = 2 if self._chance.happens(TWIN_SHARE) else 1
            if self._chance.happens(0.5):
                cities.reverse()
            days = self._chance.whole(1, 30)
            for city in cities[:twins]:
                counters = self._counters[city]
                counter = counters[self._chance.whole(0, len(counters) - 1)]
                visit = Visit(
                    number=len(queue),
                    id_number=person.id_number,
                    admdvs=person.admdvs if self._chance.happens(CARD_SHARE) else None,
                    admitted_at=ANCHOR_AT - days * DAY_MS,
                    discharged_at=ANCHOR_AT - DAY_MS // 4,
                    way=self._way(),
                )
                queue.append((counter, visit))
        return queue[: self.plan.settlements]

    def _way(self) -> str:
        share = self.plan.whole_share
        if share is not None and self._chance.happens(share):
            return WHOLE
        return self._chance.pick(WAYS_DRAWN)

    # working

    async def work(self) -> int:
        """Bring every stay to its end under faults; return how many did not come to one."""
        for machine in self.machines:
            machine.calm = machine.disk.calm = False
        faults = [asyncio.create_task(fault) for fault in self._fault_loops()]
        waiting = iter(self._queue)
        drawn = WINDOWS[self._stream("windows").whole(0, len(WINDOWS) - 1)]
        count = self.plan.under_way or drawn
        windows = [asyncio.create_task(self._window(waiting)) for _ in range(count)]
        try:
            async with asyncio.timeout(WORK_WITHIN_S + WORK_PER_STAY_S * len(self._queue)):
                await asyncio.gather(*windows)
        except TimeoutError:
            pass
        finally:
            for task in [*windows, *faults]:
                task.cancel()
            await asyncio.gather(*windows, *faults, return_exceptions=True)
        return len(self._queue) - self._done

    async def _window(self, waiting: Iterator[tuple[Counter, Visit]]) -> None:
        for counter, visit in waiting:
            chance = self._stream(f"visit {visit.number}")
            await Clerk(counter, self.memory, chance, visit).run()
            self._done += 1
            self._progress(self._done, len(self._queue))

    def _fault_loops(self) -> list[Coroutine[None, None, None]]:
        profile = self.profile
        loops = [
            (profile.crash_every_s, self._crashes, "crashes"),
            (profile.partition_every_s, self._partitions, "partitions"),
            (profile.disk_full_every_s, self._full_disks, "full disks"),
        ]
        running = [run(mean_s, self._stream(name)) for mean_s, run, name in loops if mean_s > 0]
        chance = self._stream("absence")
        if chance.happens(profile.away):
            running.append(self._absence(chance))
        return running

    async def _until_next(self, mean_s: float, chance: Chance) -> None:
        """Wait for the next fault; in the hour of an absence little happens, and few faults."""
        slower = QUIET_HOUR if asyncio.get_running_loop().time() < self._absent_until_s else 1
        await asyncio.sleep(chance.wait_s(mean_s * slower))

    async def _crashes(self, mean_s: float, chance: Chance) -> None:
        while True:
            await self._until_next(mean_s, chance)
            machine = self._one_of(chance)
            if machine.is_up:
                machine.power_cut()

    async def _partitions(self, mean_s: float, chance: Chance) -> None:
        while True:
            await self._until_next(mean_s, chance)
            left_out = chance.whole(0, len(self.machines) - 1)
            one, other = (m for at, m in enumerate(self.machines) if at != left_out)
            self.tally.fault("partition")
            self.network.cut(one.address, other.address)
            await asyncio.sleep(chance.between(*PARTITION_S))
            self.network.mend(one.address, other.address)

    async def _full_disks(self, mean_s: float, chance: Chance) -> None:
        while True:
            await self._until_next(mean_s, chance)
            machine = self._one_of(chance)
            if machine.fill_disk():
                self.tally.fault("disk full")
                await asyncio.sleep(chance.between(*DISK_FULL_S))
                machine.free_disk()

    async def _absence(self, chance: Chance) -> None:
        """Once, somewhere in the middle of the work, a node is away for an hour."""
        after = chance.between(0.1, 0.9) * len(self._queue)
        while self._done < after:  # noqa: ASYNC110 a look a second costs nothing in virtual time
            await asyncio.sleep(1)
        machine = self._one_of(chance)
        while not machine.is_up:  # noqa: ASYNC110 the same
            await asyncio.sleep(1)
        self.tally.fault("node away for an hour")
        self._absent_until_s = asyncio.get_running_loop().time() + AWAY_S
        machine.power_cut(AWAY_S)

    def _one_of(self, chance: Chance) -> Machine:
        return self.machines[chance.whole(0, len(self.machines) - 1)]

    # the end

    async def heal(self) -> None:
        """End every fault, let everything under way arrive, and wait until nothing moves."""
        self.network.calm = True
        for machine in self.machines:
            machine.calm = machine.disk.calm = True
            machine.free_disk()
        for one in self.machines:
            for other in self.machines:
                self.network.mend(one.address, other.address)
        await self.network.drain()
        for _ in range(QUIET_WITHIN_S):
            if all(machine.is_up for machine in self.machines) and await self._is_quiet():
                break
            await asyncio.sleep(1)
        for machine in self.machines:
            await machine.stop()

    async def _is_quiet(self) -> bool:
        """Tell whether every act has been taken and answered on both sides."""
        for machine in self.machines:
            assert machine.node is not None, "asked while all machines run"
            if not await machine.node.read(partial(books.is_quiet, member_id=machine.member_id)):
                return False
        return True


async def _run(plan: Plan, root: Path, progress: Progress) -> Report:
    region = Region(plan, root, progress)
    quiet_power_cuts(asyncio.get_running_loop(), region.tally)
    await region.build()
    unfinished = await region.work()
    await region.heal()
    gc.collect()  # what a task never told anybody is told now, before it is counted
    return _report(region, unfinished, int(asyncio.get_running_loop().time()))


def _report(region: Region, unfinished: int, virtual_seconds: int) -> Report:
    plan, memory = region.plan, region.memory
    now_at = ANCHOR_AT + virtual_seconds * 1_000
    names = [machine.member_id for machine in region.machines]
    found = [
        books.read(
            machine.home, machine.disk.path, [n for n in names if n != machine.member_id], now_at
        )
        for machine in region.machines
    ]
    claims = [claim for one in found for claim in one.claims.values()]
    states = Tallied(claim.state for claim in claims)
    lost = list(checks.lost(found, memory))
    doubled = list(checks.doubled(found))
    one_sided = list(checks.one_sided(found))
    mirror = checks.mirror(found)
    return Report(
        seed=plan.seed,
        faults_profile=plan.faults,
        whole_share=plan.whole_share,
        under_way=plan.under_way,
        stays=plan.settlements,
        settlements=len(claims),
        settled=states["settled"],
        refused=states["refused"],
        cancelled=states["voided"],
        pending=sum(states[state] for state in sorted(UNDECIDED)),
        lost=len(lost),
        doubled=len(doubled),
        one_sided=len(one_sided),
        mirror_fen=sum(abs(line.due_from_fen - line.due_to_fen) for line in mirror),
        unfinished=unfinished,
        paid_fen=sum(line.due_to_fen for line in mirror),
        refusals=_refusals(claims),
        ways=dict(memory.done),
        faults=dict(region.tally.faults),
        lives={machine.member_id: machine.lives for machine in region.machines},
        virtual_seconds=virtual_seconds,
        mirror=mirror,
        found=[*lost, *doubled, *one_sided],
        broken=_broken(region, found, now_at),
        books_digest=checks.digest(found),
    )


def _refusals(claims: list[ClaimRow]) -> dict[str, int]:
    codes = (checks.refusal_code(claim) for claim in claims if claim.state == "refused")
    return dict(Tallied(str(code) for code in codes))


def _broken(region: Region, found: list[Books], now_at: int) -> dict[str, list[str]]:
    sentences: dict[str, list[str]] = {}
    for name, sentence in checks.broken(found, region.memory, now_at):
        sentences.setdefault(name, []).append(sentence)
    incidents = sorted(region.tally.incidents.items())
    if incidents:
        sentences["incidents"] = [f"{count} times {what}" for what, count in incidents]
    return sentences


def simulate(plan: Plan, progress: Progress = no_progress, root: Path | None = None) -> Report:
    """Run one simulation and return its report; its files, in `root`, are gone afterwards."""
    root = root or disk.temporary_folder()
    before = gc.get_threshold()
    # Most of what is made lives as long as the simulation; looking for cycles in it is dear.
    gc.set_threshold(*COLLECTING)
    try:
        with quiet():
            return loop.run(_run(plan, root, progress))
    finally:
        gc.set_threshold(*before)
        shutil.rmtree(root, ignore_errors=True)
