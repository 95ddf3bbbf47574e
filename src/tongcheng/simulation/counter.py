"""A hospital's system as the network sees it: it calls its node, waits, gives up, calls again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from tongcheng.kernel import authority
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.services.settlement.desk import Desk
from tongcheng.simulation.faults import Chance
from tongcheng.simulation.machine import SERVER_FAULTS, Machine
from tongcheng.simulation.network import Network
from tongcheng.simulation.visits import usable_items

T = TypeVar("T")
Operation = Callable[[Desk, Caller], Awaitable[T]]

ROUND_TRIP_MS = 1_500
"""What a hospital's client waits beyond the time the node itself may take."""
PAUSE_S = (0.3, 4.0)
PAUSE_MAX_S = 60.0
PASSING = frozenset({"SETTLE-PENDING", "PERSON_MEMBERS_SILENT", "INSURED_SIDE_SILENT"})
"""Refusals that say: nothing is decided, ask again."""


class NoAnswer(Exception):
    """The hospital does not know what became of its call."""


class Place(msgspec.Struct, frozen=True):
    """One hospital: its institution code, its credential, what its bills are made of."""

    institution_id: str
    token: str
    catalogue: str


class Counter:
    """One hospital's calls to the node of its city."""

    def __init__(
        self, machine: Machine, place: Place, network: Network, chance: Chance, wait_ms: int
    ) -> None:
        self.machine = machine
        self.place = place
        self.items = usable_items(machine.home, place.catalogue)
        self._network = network
        self._chance = chance
        self.wait_ms = wait_ms

    async def call(self, operation: Operation[T]) -> T:
        """Call once; NoAnswer when the time is over or the line breaks."""
        try:
            async with asyncio.timeout((self.wait_ms + ROUND_TRIP_MS) / 1_000):
                return await self._network.carry(
                    self.place.institution_id,
                    self.machine.address,
                    self._network.fate(),
                    lambda: self._deliver(operation),
                )
        except (TimeoutError, Unreachable):
            raise NoAnswer from None

    async def _deliver(self, operation: Operation[T]) -> T:
        return await self.machine.within(self._serve(operation))

    async def _serve(self, operation: Operation[T]) -> T:
        node = self.machine.node
        if node is None:
            raise Unreachable(self.machine.address, "nothing listens")
        header = f"Bearer {self.place.token}"
        caller = await node.read(lambda s: authority.identify(s, header, node.clock.now()))
        return await operation(Desk(node, wait_ms=self.wait_ms), caller)

    def is_passing(self, refusal: Refused) -> bool:
        """Tell whether a refusal decides nothing, so that the same call may be made again."""
        return refusal.code in PASSING or self.machine.status_of(refusal) in SERVER_FAULTS

    async def pause(self, calls: int = 1) -> None:
        """Wait before calling again, as a clerk or a client's timer does; longer every time."""
        pause_s = self._chance.between(*PAUSE_S) * 1.5 ** (min(calls, 10) - 1)
        await asyncio.sleep(min(PAUSE_MAX_S, pause_s))

    async def insist(self, operation: Operation[T]) -> T:
        """Call until it is answered by a decision: a value, or a refusal that will stay one."""
        calls = 0
        while True:
            calls += 1
            try:
                return await self.call(operation)
            except NoAnswer:
                pass
            except Refused as refusal:
                if not self.is_passing(refusal):
                    raise
            await self.pause(calls)
