"""One member's computer: a node that is started, killed, restarted from what its disk kept."""

import asyncio
import dataclasses
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.exchange.transport import ASK_PATH, CATCH_UP_PATH, INBOX_PATH, Unreachable
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import WriterStopped
from tongcheng.node.core import Node
from tongcheng.simulation.disk import Disk, PowerCut, SimulatedDatabase
from tongcheng.simulation.faults import Chance, Profile, Tally
from tongcheng.simulation.loop import LoopClock
from tongcheng.simulation.network import Network, SimulatedTransport
from tongcheng.simulation.writing import SimulatedNode

T = TypeVar("T")

DOWN_S = (0.2, 20.0)
AWAY_S = 3_600.0
STATUS_OK = 200
STATUS_REFUSED = 409
SERVER_FAULTS = range(500, 600)


class Machine:
    """A member's node over several lives; the home (keys, entropy, books) outlives them all."""

    def __init__(
        self,
        home: Home,
        disk: Disk,
        network: Network,
        anchor_at: int,
        chance: Chance,
        profile: Profile,
        tally: Tally,
        catalogue: Catalogue,
    ) -> None:
        self.home = home
        self.member_id = home.member_id
        self.disk = disk
        self.node: Node | None = None
        self.calm = False
        self.lives = 0
        self._network = network
        self._clock = LoopClock(anchor_at)
        self._chance = chance
        self._profile = profile
        self._tally = tally
        self._catalogue = catalogue
        self._database: SimulatedDatabase | None = None
        self._work: dict[asyncio.Task[Any], None] = {}
        self._funerals: dict[asyncio.Task[None], None] = {}

    @property
    def address(self) -> str:
        """Where this machine listens."""
        return f"http://{self.member_id}"

    @property
    def is_up(self) -> bool:
        """Tell whether the node runs."""
        return self.node is not None

    # life and death

    def start(self) -> None:
        """Begin a life from what the disk holds."""
        assert self.node is None, "a running machine is not started"
        self.lives += 1
        life = self.lives
        skew = self._profile.skew_ms
        self._clock.skew_ms = 0 if self.calm else self._chance.whole(-skew, skew)
        home = dataclasses.replace(self.home, accord_in_force=None)
        database = SimulatedDatabase(self.disk, home.ring.mac_key, self.power_cut_in_commit)
        transport = SimulatedTransport(
            self._network, self.address, lambda: self.node is not None and self.lives == life
        )
        gather_s = self._chance.between(0, self._profile.gather_ms) / 1_000
        node = SimulatedNode(home, database, self._clock, transport, gather_s=gather_s)
        node.open()
        self.disk.forget_before()
        self.node, self._database = node, database
        node.start()

    def power_cut(self, down_s: float | None = None) -> None:
        """Kill the node between two commits; it is back after `down_s`, or when chance says."""
        if self._database is not None:
            self.disk.survive(self._database.durable_bytes)
            self._die(down_s)

    def power_cut_in_commit(self) -> None:
        """Kill the node from within its own commit; the disk has been cut already."""
        self._die()

    def _die(self, down_s: float | None = None) -> None:
        """Nothing of this life goes on: no command, no answer, no message."""
        node, self.node, self._database = self.node, None, None
        assert node is not None, "only the living die"
        node.worker.stop()
        for task in list(self._work):
            task.cancel()
        funeral = asyncio.get_running_loop().create_task(self._bury(node, down_s))
        self._funerals[funeral] = None
        funeral.add_done_callback(self._funerals.pop)

    async def _bury(self, node: Node, down_s: float | None) -> None:
        """Close the dead node's files, wait a while, and start it again."""
        await node.stop()
        drawn_s = self._chance.between(*DOWN_S)
        await asyncio.sleep(drawn_s if down_s is None else down_s)
        try:
            self.start()
        except Exception as fault:  # noqa: BLE001 whatever it is, a node that stays down is found
            self._tally.incident(f"{self.member_id} does not start: {fault}")

    async def stop(self) -> None:
        """Stop the node in good order, as an operator does."""
        while self._funerals:
            await asyncio.wait(self._funerals)
        if self.node is not None:
            node, self.node, self._database = self.node, None, None
            await node.stop()

    def fill_disk(self) -> bool:
        """Let the disk be full from now on; False while the machine is down."""
        if self._database is None:
            return False
        self._database.fill()
        return True

    def free_disk(self) -> None:
        """Give the disk space again."""
        if self._database is not None:
            self._database.free()

    # what it is asked

    async def serve(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer a peer's request as the HTTP application does: status and bytes."""
        node = self.node
        if node is None:
            raise Unreachable(self.address, "nothing listens")
        lanes = {
            INBOX_PATH: node.exchange.receive,
            CATCH_UP_PATH: node.exchange.catch_up,
            ASK_PATH: node.exchange.answer_ask,
        }
        try:
            return STATUS_OK, await self.within(lanes[path](body))
        except Refused as refusal:
            answer = {"code": refusal.code, "facts": refusal.facts}
            return self.status_of(refusal), msgspec.json.encode(answer)

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in this life; it dies with it, and then its caller hears nothing."""
        task = asyncio.get_running_loop().create_task(work)
        self._work[task] = None
        task.add_done_callback(self._work.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and not (caller and caller.cancelling()):
                raise Unreachable(self.address, "it died over this") from None
            raise
        except WriterStopped:
            raise Unreachable(self.address, "it died over this") from None
        except (Refused, Unreachable):
            raise
        except Exception as bug:
            self._tally.incident(f"{type(bug).__name__}: {bug}")
            raise Refused("INTERNAL_FAULT", incident="simulated") from bug

    def status_of(self, refusal: Refused) -> int:
        """Return the HTTP status of a refusal."""
        if refusal.code not in self._catalogue.codes():
            return STATUS_REFUSED
        return self._catalogue.entry(refusal.code).status


def quiet_power_cuts(loop: asyncio.AbstractEventLoop, tally: Tally) -> None:
    """A power cut leaves its callback by an exception: expected. Any other one is a bug of ours."""

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if not isinstance(fault, PowerCut):
            tally.incident(f"{context.get('message')}: {type(fault).__name__}: {fault}")

    loop.set_exception_handler(handle)
