"""Three toy nodes in one process with everything in their databases that a node can have.

The wire hands bytes over at once, rendered as a node's web server would render a refusal. The
simulator has the hard wires; here the question is what stands in the store afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tests import officers
from tests.toy import MEMBERS, NOW_AT, Ping, toy_accord, toy_node
from tongcheng.kernel import adoption, audit, authority, ids, ledger, ledger_batch
from tongcheng.kernel import officers as kernel_officers
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.tables import TROUBLES, TroubleRow
from tongcheng.kernel.exchange.transport import (
    ASK_PATH,
    CATCH_UP_PATH,
    CHECKPOINT_PATH,
    INBOX_PATH,
    Unreachable,
)
from tongcheng.kernel.journal.rounds import Checkpoints
from tongcheng.kernel.ledger import Order
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Records, Transaction
from tongcheng.node.core import Node

RowT = TypeVar("RowT", bound=msgspec.Struct)

ACT_IDS = tuple(f"019aab00-0000-7000-8000-{number:012x}" for number in range(100))
BATCHED = 3
"""The legs of act 5: transfers of 100, 101 and 102 fen under one leaf."""


@dataclass
class Wire:
    """Brings bytes from node to node; `cut` holds the addresses that do not answer."""

    nodes: dict[str, Node] = field(default_factory=dict)
    jobs: dict[str, Checkpoints] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    posts: list[tuple[str, str]] = field(default_factory=list)

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Hand the bytes to the node at the address."""
        del timeout_ms
        self.posts.append((address, path))
        if address in self.cut:
            raise Unreachable(address, "cut")
        node = self.nodes[address]
        answers: dict[str, Callable[[bytes], Awaitable[bytes]]] = {
            INBOX_PATH: node.exchange.receive,
            CATCH_UP_PATH: node.exchange.catch_up,
            ASK_PATH: node.exchange.answer_ask,
            CHECKPOINT_PATH: self.jobs[address].receive,
        }
        try:
            return 200, await answers[path](body)
        except Refused as refusal:
            return 409, msgspec.json.encode({"code": refusal.code, "facts": refusal.facts})


class Region:
    """Toy nodes on one wire and one clock, each in a folder of its own."""

    def __init__(self, folder: Path, members: tuple[str, ...] = MEMBERS) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW_AT)
        self.wire = Wire()
        self.members = members

    async def open(self) -> None:
        """Open every node and adopt the toy accord; no link is started."""
        document = toy_accord(self.members)
        for member in self.members:
            node = toy_node(self.folder / member, member, self.wire, self.clock)
            node.open()
            await node.run(partial(adoption.adopt, raw=document.encoded()))
            node.home.accord_in_force = document.accord
            self.wire.nodes[member] = node
            self.wire.jobs[member] = Checkpoints(node.home, node.worker, self.wire, self.clock)

    async def exchange(self, count: int = 4) -> None:
        """Let the first node send the second `count` pings and take their answers."""
        first, second, *_ = self.wire.nodes.values()
        first.exchange.start()
        for number in range(count):
            reply = Reply("toy.ping/1", Ping(n=number))
            sent = await first.run(
                partial(acts.send, dst=second.home.member_id, reply=reply, case="case")
            )
            await first.exchange.wait_answer(sent.id, 5_000)
        await first.exchange.stop()

    async def round(self) -> None:
        """Let every node hold a round of checkpoints, a second later."""
        self.clock.advance(1_000)
        for job in self.wire.jobs.values():
            await job.round()

    async def run(self, member: str, command: Callable[[Transaction], Any]) -> Any:
        """Run one command on a node."""
        return await self.wire.nodes[member].run(command)

    async def close(self) -> None:
        """Stop every node."""
        for node in self.wire.nodes.values():
            await node.stop()


def order(act: int, leg: int, amount_fen: int, debit: str = "a", credit: str = "b") -> Order:
    """Return a transfer order of act number `act` between two accounts."""
    return Order(
        act_id=ACT_IDS[act],
        leg=leg,
        subject_id=f"subject-{act}",
        month="2026-11",
        debit_account=debit,
        credit_account=credit,
        amount_fen=amount_fen,
    )


def keep_books(tx: Transaction) -> None:
    """Post transfers, alone and together, and holds of every outcome; audit, seal, adopt a book."""
    for account in ("a", "b"):
        ledger.open_account(tx, account, "purse", limit_fen=10**9)
    ledger.transfer(tx, order(1, 0, 4_369_463))
    ledger.hold(tx, order(2, 0, 100))
    posted = ledger.hold(tx, order(3, 0, 250))
    ledger.post(tx, posted.transfer_id, order(3, 1, 249))
    voided = ledger.hold(tx, order(4, 0, 70))
    ledger.void(tx, voided.transfer_id, act_id=ACT_IDS[4], leg=1)
    ledger_batch.transfer_many(tx, [order(5, leg, 100 + leg) for leg in range(BATCHED)])
    authority.issue(tx, "H12010500123", "ward system", to_at=NOW_AT + 10**9)
    audit.note(tx, audit.Entry("officer", "look", "stay-1", "asked by phone"))
    audit.seal(tx)
    officers.appoint(tx)
    kernel_officers.dismiss(tx, officers.key(officers.NAMES[2]).kid)
    officers.adopt(tx, officers.book())
    audit.note(tx, audit.Entry("officer", "look", "stay-2"))
    tx.put(TROUBLES, TroubleRow("hebei-hsb", 1, "KEY_UNKNOWN", "kid=x", 2, tx.now_at))


def batched(leg: int) -> str:
    """Return the name of one of the transfers made together, as a proof of it is asked for."""
    return f"transfer/{ids.transfer_id(ACT_IDS[5], leg).hex()}"


async def populate(folder: Path) -> Region:
    """Return a closed region whose first node has rows in every kernel and toy table.

    But in `journal_conflicts`: a row there is a finding by itself.
    """
    region = Region(folder)
    await region.open()
    await region.exchange()
    await region.run(region.members[0], keep_books)
    await region.round()
    await region.round()
    await region.close()
    return region


def populated(folder: Path) -> Path:
    """Make such a region and return its folder."""
    asyncio.run(populate(folder))
    return folder


def grow(tx: Transaction) -> None:
    """Add one leaf to the journal."""
    audit.note(tx, audit.Entry("officer", "look", "stay"))
    audit.seal(tx)


def rows_of(region: Region, member: str, records: Records[RowT]) -> list[RowT]:
    """Return all rows of a node's table, as committed."""
    with region.wire.nodes[member].database.snapshot() as snapshot:
        return snapshot.select(records)


def play(region: Region, scenario: Callable[[Region], Coroutine[Any, Any, None]]) -> None:
    """Open the region, let the scenario happen, close it."""

    async def run() -> None:
        await region.open()
        try:
            await scenario(region)
        finally:
            await region.close()

    asyncio.run(run())
