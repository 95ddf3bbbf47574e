"""The running node, as a service's use cases see it."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.exchange.exchange import Exchange
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Command, Snapshot

T = TypeVar("T")


class RunningNode(Protocol):
    """What a use case needs of its node: who it is, the time, the store, the peers."""

    home: Home
    clock: Clock
    exchange: Exchange

    async def run(self, command: Command) -> Any:
        """Run one command durably and return its answer."""
        ...

    async def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot of the committed state."""
        ...

    def glance(self, question: Callable[[Snapshot], T]) -> T:
        """Answer at once, where the loop runs: for what takes a few look-ups by key."""
        ...
