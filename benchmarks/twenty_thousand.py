"""A region whose Tianjin node holds 20,000 stays: the demonstration's own, played, none copied.

Each stay goes through the production code: its person is found by asking the members, admitted,
billed line by line and discharged; the insured side decides over the exchange, both sides journal
and co-sign. Three things make it quick: the nodes live in one process and post to each other by a
call instead of HTTP, `synchronous=OFF` (only here), and a hundred stays are under way at once, so
that one commit takes many commands. Time is moved: the stays are spread over the 60 days before the
data was made. At the end the books of all members are compared to the fen.

The data is kept in `.bench/`, under the digest of what its rows follow from.
"""

import asyncio
import hashlib
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import sqlalchemy as sa

from benchmarks import in_process
from benchmarks.in_process import PACK, SERVICE, Region
from tongcheng.cli.books import reconcile_nodes
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.store.database import SCHEMA_VERSION, schema_statements
from tongcheng.node import files
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement import line_query, statements
from tongcheng.services.settlement.demo import Generator, PlannedStay
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.statements import STATEMENTS
from tongcheng.services.settlement.store import DECISIONS, LINES, STAYS
from tongcheng.services.settlement.visited import Admission

MEMBER = "tianjin-hsb"
STAYS_WANTED = 20_000
DAYS = 60
WAVE = 100
"""Stays under way at once; between two waves the time is moved."""
SEED = 7
PENDING = 40
"""The last stays at the member's own hospitals: its peers fall silent before these are settled."""
IN_HOSPITAL = 40
"""Stays of persons who have not been discharged yet."""
QUESTION_EVERY = 100
"""One of so many settled stays has a person who asks about a line of the bill."""
TELL_EVERY = 1_000
PATIENCE_MS = 20_000
SILENT_MS = 200
LOOK_S = 0.05
AGREED_WITHIN_LOOKS = 400
FOLDER = Path(__file__).parent.parent / ".bench"
MADE_FILE = "made.json"
HOW = (
    f"stays of the demonstration, each played through the production code in one process "
    f"(posts by call instead of HTTP, synchronous=OFF, {WAVE} at once), spread over {DAYS} days; "
    f"none is copied"
)


class Made(msgspec.Struct, frozen=True):
    """What was made: rows of the member's store, and how long it took."""

    stays_visited: int
    stays_insured: int
    lines: int
    endings: dict[str, int]
    seconds: float
    made_at: int

    @property
    def stays(self) -> int:
        """How many stays the store holds, of hospitals here and of persons insured here."""
        return self.stays_visited + self.stays_insured


class Course:
    """One stay, played at the desk of its hospital's node."""

    def __init__(self, region: Region, stay: PlannedStay) -> None:
        node = region.nodes[region.member_of[stay.hospital.institution_id]]
        self._desk = Desk(node, wait_ms=PATIENCE_MS)
        self._hasty = Desk(node, wait_ms=SILENT_MS)
        self._caller = Caller(stay.hospital.institution_id, "demo")
        self._stay = stay
        self._person_id = ""
        self._stay_id = ""
        self._total_fen = 0

    async def begin(self) -> None:
        """Find the person, admit, upload the bill."""
        desk, stay, caller = self._desk, self._stay, self._caller
        found = await desk.identify(caller, stay.person.id_number)
        self._person_id = found.patient.person_id
        admission = Admission(
            self._person_id, stay.person.scheme, stay.inpatient_no, stay.admitted_at
        )
        row = await desk.admit(caller, admission)
        self._stay_id = row.stay_id
        rows = await desk.add_lines(caller, row.stay_id, list(stay.lines))
        self._total_fen = sum(line.total_fen for line in rows)

    async def leave(self) -> None:
        """Discharge."""
        await self._desk.discharge(self._caller, self._stay_id, self._stay.discharged_at)

    async def settle(self) -> str:
        """Settle and do what the stay's plan says besides; return how it ended."""
        try:
            claim = await self._desk.settle(self._caller, self._stay_id, self._total_fen)
            if self._stay.number % QUESTION_EVERY == 0:
                await self._ask()
            if self._stay.twist not in {"void", "void_again", "reverse"}:
                return "settled"
            await self._desk.void(self._caller, claim.settlement_id)
            if self._stay.twist != "void_again":
                return "voided"
            await self._desk.settle(self._caller, self._stay_id, self._total_fen)
        except Refused as refusal:
            return refusal.code
        return "settled"

    async def _ask(self) -> None:
        """Let the person ask about the first line of the bill."""
        line_id = self._stay.lines[0].line_id
        words = "示例：这一项我不记得做过。"
        await self._desk.node.run(
            lambda tx: line_query.open_query(tx, self._person_id, self._stay_id, line_id, words)
        )

    async def settle_in_vain(self) -> str:
        """Settle while the insured side is silent: pending."""
        try:
            await self._hasty.settle(self._caller, self._stay_id, self._total_fen)
        except Refused as refusal:
            return refusal.code
        return "settled"

    async def whole(self) -> str:
        """Play it from the door to its end."""
        await self.begin()
        await self.leave()
        return await self.settle()


def instants(end_at: int, waves: int) -> list[int]:
    """Return when each wave begins (UTC ms): evenly over DAYS, the last one at `end_at`."""
    start_at = end_at - DAYS * DAY_MS
    return [start_at + (end_at - start_at) * number // waves for number in range(1, waves + 1)]


async def play(
    region: Region, wanted: int, end_at: int, tell: Callable[[str], None]
) -> Counter[str]:
    """Play stays until the member has `wanted`; return how they ended."""
    endings: Counter[str] = Counter()
    left = wanted - PENDING - IN_HOSPITAL
    numbers = iter(range(1, sys.maxsize))
    for at in instants(end_at, -(-left // WAVE)):
        region.clock.move_to(at)
        stays = next_stays(region, numbers, min(WAVE, left))
        left -= len(stays)
        endings.update(await asyncio.gather(*(Course(region, stay).whole() for stay in stays)))
        if endings.total() % TELL_EVERY == 0:
            tell(f"{endings.total()} of {wanted} stays")
    await _agree_on_first_month(region)
    await _play_last(region, numbers, endings)
    return endings


def next_stays(
    region: Region, numbers: Iterator[int], count: int, *, own_hospital: bool = False
) -> list[PlannedStay]:
    """Return the next stays that are the member's, or those in its own hospitals alone."""
    generator = Generator(region.demo, region.catalogues, seed=SEED, now_at=region.clock.now())
    stays: list[PlannedStay] = []
    while len(stays) < count:
        stay = generator.stay(next(numbers))
        here = region.member_of[stay.hospital.institution_id] == MEMBER
        insurer = region.pack.member_of(stay.person.admdvs, SERVICE).id
        if here or (insurer == MEMBER and not own_hospital):
            stays.append(stay)
    return stays


async def _agree_on_first_month(region: Region) -> None:
    """Let the member and its peers agree on the first month; the later ones stay open."""
    first = statements.month_at(region.clock.now() - DAYS * DAY_MS, region.pack.zone)
    peers = [name for name in region.nodes if name != MEMBER]
    for visited, insured in [(MEMBER, peer) for peer in peers] + [(p, MEMBER) for p in peers]:
        node = region.nodes[visited]
        await node.run(partial(statements.open_statement, insured_member=insured, month=first))
    for _ in range(AGREED_WITHIN_LOOKS):
        if await region.nodes[MEMBER].read(_is_answered):
            return
        await asyncio.sleep(LOOK_S)


def _is_answered(snapshot: Snapshot) -> bool:
    return all(row.state not in {"sent", "receiving"} for row in snapshot.select(STATEMENTS))


async def _play_last(region: Region, numbers: Iterator[int], endings: Counter[str]) -> None:
    """Leave some persons in hospital, and some settlements without the insured side's answer."""
    stays = next_stays(region, numbers, PENDING + IN_HOSPITAL, own_hospital=True)
    courses = [Course(region, stay) for stay in stays]
    for course in courses:
        await course.begin()
    endings["in hospital"] = IN_HOSPITAL
    for course in courses[:PENDING]:
        await course.leave()
    for node in region.nodes.values():
        await node.checkpoints.round()
    region.calls.silent = True
    waiting = (course.settle_in_vain() for course in courses[:PENDING])
    endings.update(await asyncio.gather(*waiting))


# making and keeping


def cache_key() -> str:
    """Return a digest of what the rows follow from: schema, this module, the region's data.

    Other code may change: the pages must work on what an earlier version has written, too.
    """
    own = [Path(__file__), Path(in_process.__file__), Path(demos.__file__)]
    data = files.pack_folder(PACK)
    follows = [path for path in sorted(data.rglob("*")) if path.suffix in {".yaml", ".csv"}]
    digest = hashlib.sha256(f"{SCHEMA_VERSION} {schema_statements()}".encode())
    for path in (*own, *follows):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def ready(*, wanted: int = STAYS_WANTED, tell: Callable[[str], None]) -> tuple[Path, Made]:
    """Return the folder of the region's nodes, made now if it is not kept from an earlier run."""
    folder = FOLDER / f"{wanted}-{cache_key()}"
    if not (folder / MADE_FILE).exists():
        part = folder.with_suffix(".part")
        for old in FOLDER.glob(f"{wanted}-*"):
            shutil.rmtree(old)
        part.mkdir(parents=True)
        made = asyncio.run(_make(part, wanted, tell))
        assert reconcile_nodes(files.node_directories(part)).mirrored, "the books do not mirror"
        (part / MADE_FILE).write_bytes(msgspec.json.encode(made))
        part.rename(folder)
    return folder, msgspec.json.decode((folder / MADE_FILE).read_bytes(), type=Made)


async def _make(folder: Path, wanted: int, tell: Callable[[str], None]) -> Made:
    begun = time.monotonic()
    end_at = SystemClock().now()
    region = Region(folder, end_at - DAYS * DAY_MS)
    await region.open()
    endings = await play(region, wanted, end_at, tell)
    visited, insured, lines = await region.nodes[MEMBER].read(_counts)
    await region.close()
    played = wanted - PENDING - IN_HOSPITAL
    assert endings["settled"] > played // 2, f"most stays should be settled: {endings}"
    seconds = round(time.monotonic() - begun, 1)
    return Made(visited, insured, lines, dict(sorted(endings.items())), seconds, end_at)


def _counts(snapshot: Snapshot) -> tuple[int, int, int]:
    """Return how many stays in hospitals here, stays decided here, and lines the store holds."""
    stays_insured = sa.select(sa.func.count(DECISIONS.c.stay_id.distinct()))
    counts = (
        sa.select(sa.func.count()).select_from(STAYS.table),
        stays_insured,
        sa.select(sa.func.sum(LINES.c["count"])),
    )
    visited, insured, lines = (snapshot.query(each)[0][0] for each in counts)
    return visited, insured, lines


def main() -> None:
    """Make the data, or say that it is there."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else STAYS_WANTED
    folder, made = ready(wanted=wanted, tell=print)
    print(f"{folder}: {made.stays} stays, {made.lines} lines, {made.endings}")
    print(f"made in {made.seconds} s: {HOW}")


if __name__ == "__main__":
    main()
