"""A network that loses, doubles, delays, reorders, corrupts and falls apart, as a seed decides.

A message is on its way in a task of its own: when the sender gives up waiting, it still arrives.
Every message draws its whole fate at once, in a fixed number of draws, so that one fate does not
shift those of the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

import msgspec

from tongcheng.kernel.exchange.transport import ASK_PATH, Unreachable
from tongcheng.simulation.faults import Chance, Profile, Tally

T = TypeVar("T")

USUAL_MS = (2, 30)
DELAYED_MS = (500, 25_000)


class Host(Protocol):
    """What listens at an address."""

    async def serve(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer a peer's request; raises Unreachable when the machine is down, or dies over it."""
        ...


class Fate(msgspec.Struct, frozen=True):
    """What will become of one message; times are ms."""

    there_ms: float
    back_ms: float
    request_lost: bool = False
    reply_lost: bool = False
    twin_ms: float | None = None
    request_corrupted: bool = False
    reply_corrupted: bool = False


class Network:
    """Carries messages between named places; `calm` ends all its faults."""

    def __init__(self, chance: Chance, profile: Profile, tally: Tally) -> None:
        self.hosts: dict[str, Host] = {}
        self.calm = False
        self._chance = chance
        self._profile = profile
        self._tally = tally
        self._cut: dict[frozenset[str], int] = {}
        self._under_way: dict[asyncio.Task[None], None] = {}
        self._posted = 0
        self._arrived: dict[tuple[str, str], int] = {}

    # partitions

    def cut(self, one: str, other: str) -> None:
        """Let nothing pass between two places."""
        pair = frozenset((one, other))
        self._cut[pair] = self._cut.get(pair, 0) + 1

    def mend(self, one: str, other: str) -> None:
        """Undo one cut."""
        pair = frozenset((one, other))
        self._cut[pair] = max(0, self._cut.get(pair, 0) - 1)

    def _is_cut(self, one: str, other: str) -> bool:
        return self._cut.get(frozenset((one, other)), 0) > 0

    # messages

    def fate(self) -> Fate:
        """Draw the fate of one message."""
        chance, profile = self._chance, self._profile
        delayed = (chance.happens(profile.delayed), chance.happens(profile.delayed))
        spans = [DELAYED_MS if late else USUAL_MS for late in delayed]
        there_ms, back_ms = (chance.between(*span) for span in spans)
        request_lost = chance.happens(profile.request_lost)
        reply_lost = chance.happens(profile.reply_lost)
        doubled = chance.happens(profile.duplicated)
        twin_ms = chance.between(0, DELAYED_MS[1])
        corrupted = chance.happens(profile.corrupted), chance.happens(profile.corrupted)
        if self.calm:
            return Fate(there_ms, back_ms)
        for late in delayed:
            if late:
                self._tally.fault("message delayed")
        return Fate(
            there_ms=there_ms,
            back_ms=back_ms,
            request_lost=request_lost,
            reply_lost=reply_lost,
            twin_ms=twin_ms if doubled else None,
            request_corrupted=corrupted[0],
            reply_corrupted=corrupted[1],
        )

    async def carry(self, src: str, dst: str, fate: Fate, deliver: Callable[[], Awaitable[T]]) -> T:
        """Deliver a message and bring back its answer; waits for ever when either is lost."""
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._send(self._journey(src, dst, fate, deliver, outcome))
        if fate.twin_ms is not None:
            self._tally.fault("message duplicated")
            self._send(self._twin(src, dst, fate.twin_ms, deliver))
        return await outcome

    def _send(self, journey: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(journey)
        self._under_way[task] = None
        task.add_done_callback(self._under_way.pop)

    async def _journey(
        self,
        src: str,
        dst: str,
        fate: Fate,
        deliver: Callable[[], Awaitable[T]],
        outcome: asyncio.Future[T],
    ) -> None:
        self._posted += 1
        number = self._posted
        await asyncio.sleep(fate.there_ms / 1_000)
        if self._drops(src, dst, "request lost", lost=fate.request_lost):
            return
        if number < self._arrived.get((src, dst), 0):
            if fate.there_ms >= DELAYED_MS[0]:
                self._tally.fault("message overtaken")
        else:
            self._arrived[src, dst] = number
        answer: T | None = None
        fault: Exception | None = None
        try:
            answer = await deliver()
        except Exception as raised:  # noqa: BLE001 it belongs to whoever waits
            fault = raised
        await asyncio.sleep(fate.back_ms / 1_000)
        if self._drops(dst, src, "reply lost", lost=fate.reply_lost) or outcome.done():
            return
        if fault is not None:
            outcome.set_exception(fault)
        else:
            outcome.set_result(answer)  # type: ignore[arg-type]

    def _drops(self, src: str, dst: str, kind: str, *, lost: bool) -> bool:
        if lost and not self.calm:
            self._tally.fault(kind)
            return True
        if self._is_cut(src, dst):
            self._tally.fault("message into a partition")
            return True
        return False

    async def _twin(
        self, src: str, dst: str, delay_ms: float, deliver: Callable[[], Awaitable[object]]
    ) -> None:
        """Deliver the same bytes once more, at another time; nobody reads the answer."""
        await asyncio.sleep(delay_ms / 1_000)
        if self._is_cut(src, dst):
            return
        try:
            await deliver()
        except Exception:  # noqa: BLE001 the answer is not read, whatever it is
            return

    async def drain(self) -> None:
        """Wait until nothing is under way any more."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def corrupted(self, path: str, body: bytes) -> bytes:
        """Return the bytes with one byte changed.

        A question carries what the operating system's chance sealed. There the change is one that
        no reader can take for text, so that the seed alone decides what is answered.
        """
        self._tally.fault("message corrupted")
        at = self._chance.whole(0, max(0, len(body) - 1))
        bit = 7 if path == ASK_PATH else self._chance.whole(0, 7)
        changed = bytearray(body)
        changed[at] ^= 1 << bit
        return bytes(changed)


class SimulatedTransport:
    """The transport port of one node."""

    def __init__(self, network: Network, src: str, is_alive: Callable[[], bool]) -> None:
        self._network = network
        self._src = src
        self._is_alive = is_alive

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; Unreachable when no answer comes within the time."""
        if not self._is_alive():
            raise Unreachable(address, "this node is dead")
        network = self._network
        fate = network.fate()

        async def deliver() -> tuple[int, bytes]:
            damaged = fate.request_corrupted
            return await network.hosts[address].serve(
                path, network.corrupted(path, body) if damaged else body
            )

        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                status, answer = await network.carry(self._src, address, fate, deliver)
        except TimeoutError:
            raise Unreachable(address, f"no answer within {timeout_ms} ms") from None
        if fate.reply_corrupted:
            answer = network.corrupted(path, answer)
        return status, answer
