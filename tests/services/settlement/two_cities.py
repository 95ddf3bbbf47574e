"""Two nodes in one process: synthetic persons insured in Beijing, two hospitals in Tianjin.

Nothing here is real: names say 测试, id numbers end in a made-up check digit, institutions and
catalogues are samples. The wire between the nodes can be cut, and the clock stands still until it
is moved, so a test decides everything. Tests that are not coroutines drive the nodes by `run`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, authority, region, rulebook
from tongcheng.kernel.accord import (
    Accord,
    AccordKey,
    AccordMember,
    Limits,
    PurseTerms,
    SignedAccord,
)
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import ASK_PATH, CATCH_UP_PATH, Unreachable
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.rulebook import Shelf
from tongcheng.kernel.store import Transaction
from tongcheng.kernel.store.records import METADATA
from tongcheng.node.accords import permits_for
from tongcheng.node.core import Node, open_database
from tongcheng.services.settlement import insured, model, store
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.lines import amount_of
from tongcheng.services.settlement.mirror.store import MIRRORS
from tongcheng.services.settlement.service import SERVICE
from tongcheng.services.settlement.store import StayRow
from tongcheng.services.settlement.visited import Admission

T = TypeVar("T")

NOW_AT = 1_795_341_600_000
"""2026-11-22T10:00:00Z, 18:00 in the cities."""

DAY_MS = 86_400_000
INSURED = "beijing-hsb"
VISITED = "tianjin-hsb"
FIRST_HOSPITAL = "H12010100001"
OTHER_HOSPITAL = "H12010200002"
SCHEME = "310"
PERSONS = 6
ITEMS = ("SAMPLE-TJ-X0001", "SAMPLE-TJ-X0003", "SAMPLE-TJ-X0014", "SAMPLE-TJ-F0002")
"""Class A with a ceiling, class B, class C, a bed of class B."""

_REGION = Path(region.__file__).parents[1] / "regions" / "jingjinji"


def id_number(number: int) -> str:
    """Return the id number of a synthetic person; no real one has this form of check digit."""
    return f"11010119500101{number:03d}T"


class Wire:
    """The network between the two nodes; `cut` loses every request, `deaf` every answer."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.cut = False
        self.deaf = False

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Hand the bytes to the node, as its HTTP application would."""
        assert timeout_ms > 0, timeout_ms
        if self.cut:
            raise Unreachable(address, "the wire is cut")
        exchange = self.nodes[address].exchange
        lanes = {ASK_PATH: exchange.answer_ask, CATCH_UP_PATH: exchange.catch_up}
        try:
            status, answer = 200, await lanes.get(path, exchange.receive)(body)
        except Refused as refusal:
            facts = {"code": refusal.code, "facts": refusal.facts}
            status, answer = 409, msgspec.json.encode(facts)
        if self.deaf:
            raise Unreachable(address, "the answer was lost")
        return status, answer


class TwoCities:
    """Both nodes, running; the tokens and callers of the two hospitals; the first one's desk."""

    def __init__(self, wire: Wire, clock: ManualClock, tokens: dict[str, str]) -> None:
        self.wire = wire
        self.clock = clock
        self.tokens = tokens
        self.beijing = wire.nodes[INSURED]
        self.tianjin = wire.nodes[VISITED]
        self.desk = Desk(self.tianjin)
        self.caller = Caller(FIRST_HOSPITAL, "his")
        self.other = Caller(OTHER_HOSPITAL, "his")

    async def admitted(self, number: int = 0, *, caller: Caller | None = None) -> StayRow:
        """Identify a person and open a stay of five days."""
        who = caller or self.caller
        found = await self.desk.identify(who, id_number(number))
        admission = Admission(
            person_id=found.patient.person_id,
            scheme=SCHEME,
            inpatient_no=f"ZY{number:06d}",
            admitted_at=self.clock.now() - 5 * DAY_MS,
        )
        return await self.desk.admit(who, admission)

    async def discharged(
        self, number: int = 0, *, days: int = 30, caller: Caller | None = None
    ) -> tuple[StayRow, int]:
        """Return a discharged stay and its total in fen; `days` multiplies every quantity."""
        who = caller or self.caller
        stay = await self.admitted(number, caller=who)
        rows = await self.desk.add_lines(who, stay.stay_id, self.bill(days))
        stay = await self.desk.discharge(who, stay.stay_id, self.clock.now() - 1_000)
        return stay, sum(row.total_fen for row in rows)

    def bill(self, days: int = 30) -> list[LineInput]:
        """Return one line for each of ITEMS, of `days` pieces at 123.45 yuan."""
        quantity, price = days * 10_000, 123_450_000
        return [
            LineInput(
                line_id=f"L{position}",
                item_code=code,
                hospital_code=f"h-{code}",
                quantity_e4=quantity,
                unit_price_e6=price,
                amount_fen=amount_of(quantity, price),
                charged_at=self.clock.now() - 3 * DAY_MS,
            )
            for position, code in enumerate(ITEMS, start=1)
        ]

    async def settled(self, number: int = 0, *, days: int = 30) -> store.ClaimRow:
        """Return a settlement that both sides have."""
        stay, total_fen = await self.discharged(number, days=days)
        return await self.desk.settle(self.caller, stay.stay_id, total_fen)

    async def quiet(self) -> None:
        """Let what is under way between the nodes arrive."""
        for _ in range(200):
            await asyncio.sleep(0)


def stored_digest(node: Node, prefix: str = "") -> str:
    """Return one digest over every stored value of a node: equal means that nothing changed.

    With `prefix` only of tables so named: acknowledgements between nodes come when they come. Left
    out is what a node saw when it last compared its books with its neighbour's, which it does by
    its own clock.
    """
    found = hashlib.sha256()
    with node.database.snapshot() as snapshot:
        for table in METADATA.sorted_tables:
            if not table.name.startswith(prefix) or table is MIRRORS.table:
                continue
            rows = snapshot.query(sa.select(table).order_by(*table.primary_key.columns))
            found.update(repr((table.name, [tuple(row) for row in rows])).encode())
    return found.hexdigest()


def _key_entries(ring: KeyRing) -> tuple[list[AccordKey], list[AccordKey]]:
    suite = "ed25519-sha256-aes256gcm"
    signing = AccordKey(ring.signing.kid, suite, ring.signing.public.hex(), 0)
    encryption = AccordKey(ring.encryption_kid, suite, ring.encryption_public.hex(), 0)
    return [signing], [encryption]


def demo_accord(rings: dict[str, KeyRing]) -> SignedAccord:
    """Return version 1 between these members, for settlement alone, signed by all."""
    both = list(rings)
    members = [
        AccordMember(each, each, each, [], each, *_key_entries(ring))
        for each, ring in rings.items()
    ]
    permits = permits_for((SERVICE,), both)
    purses = [PurseTerms(SCHEME, "pool"), PurseTerms(SCHEME, "large")]
    accord = Accord("jingjinji", 1, None, 0, members, permits, purses, Limits())
    document = SignedAccord(accord, [])
    for member_id, ring in rings.items():
        document = accords.sign(document, member_id, ring.signing)
    return document


def home(member_id: str) -> Home:
    """Return a member with the region's shipped books, which are drafts, and keys of its own."""
    entropy = SeededEntropy(f"two cities {member_id}")
    books = [rulebook.parse(path.read_text("utf-8")) for path in _REGION.glob("rulebooks/*.yaml")]
    return Home(
        member_id=member_id,
        ring=KeyRing.create(entropy),
        entropy=entropy,
        region=region.load("jingjinji"),
        shelf=Shelf(books, allow_drafts=True),
        datasets={path.name: path.read_bytes() for path in _REGION.glob("catalogues/*.csv")},
        allow_draft_rulebooks=True,
    )


def _enrol(tx: Transaction) -> None:
    for number in range(PERSONS):
        gender: Literal["1", "2"] = "2" if number % 2 else "1"
        identity = model.Identity(f"测试{number}", id_number(number), gender, "1950-01-01")
        insured.enrol(tx, identity, admdvs="110000", scheme=SCHEME, person_type="retired")


def _contract(tx: Transaction) -> dict[str, str]:
    for institution in (FIRST_HOSPITAL, OTHER_HOSPITAL):
        row = store.InstitutionRow(
            institution, "样例医院", "Sample Hospital", 3, None, "120000", "tianjin-sample.csv"
        )
        tx.put(store.INSTITUTIONS, row)
    return {each: authority.issue(tx, each, "his") for each in (FIRST_HOSPITAL, OTHER_HOSPITAL)}


@asynccontextmanager
async def two_cities(folder: Path, *more: str) -> AsyncIterator[TwoCities]:
    """Start both nodes with their databases in `folder`, and stop them at the end.

    `more` members have nodes too, in `wire.nodes`.
    """
    wire, clock = Wire(), ManualClock(NOW_AT)
    homes = {member_id: home(member_id) for member_id in (INSURED, VISITED, *more)}
    for member_id, own in homes.items():
        (folder / member_id).mkdir(parents=True)
        database = open_database(folder / member_id, own.ring.mac_key, synchronous="OFF")
        wire.nodes[member_id] = Node(own, database, clock, wire, threaded=False)
    raw = demo_accord({member_id: own.ring for member_id, own in homes.items()}).encoded()
    nodes = list(wire.nodes.values())
    for node in nodes:
        node.open()
        await node.run(lambda tx: adoption.adopt(tx, raw))
        node.home.accord_in_force = await node.read(lambda s: adoption.in_force(s, NOW_AT))
    for node in nodes:
        node.start()
    await wire.nodes[INSURED].run(_enrol)
    tokens = await wire.nodes[VISITED].run(_contract)
    try:
        yield TwoCities(wire, clock, tokens)
    finally:
        for node in nodes:
            await node.stop()


class Running:
    """A loop of its own, for tests that are not coroutines: `run` drives the nodes."""

    def __init__(self, runner: asyncio.Runner, cities: TwoCities) -> None:
        self.cities = cities
        self._runner = runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the nodes' loop and return what it returns."""
        return self._runner.run(work)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Start both nodes on a loop that runs only while the test lets it."""
    with asyncio.Runner() as runner:
        manager = two_cities(folder)
        cities = runner.run(manager.__aenter__())
        try:
            yield Running(runner, cities)
        finally:
            runner.run(manager.__aexit__(None, None, None))
