"""The writer of a machine that has other work to do: commands gather before a commit takes them.

In production the writer is a thread. While it syncs one batch, or waits for its turn, commands
come together, and the next commit takes them all: their acts are durable together or not at all,
one refusal among them takes nothing from the others. The inline worker alone would commit every
command by itself, because nothing takes time in a simulation.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.exchange.exchange import Exchange
from tongcheng.kernel.exchange.transport import Transport
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal.rounds import Checkpoints
from tongcheng.kernel.service import Service
from tongcheng.kernel.store import Command, Database, Writer
from tongcheng.kernel.store.worker import InlineWorker
from tongcheng.kernel.store.writer import WriterStopped
from tongcheng.node.core import Node


class GatheringWorker(InlineWorker):
    """The inline worker, whose batches begin `gather_s` (virtual seconds) after a first command."""

    def __init__(self, database: Database, writer: Writer, gather_s: float) -> None:
        super().__init__(database, writer)
        self._gather_s = gather_s

    async def run(self, command: Command) -> Any:
        """Run one command in the next batch, together with what else comes until then."""
        if self._stopped:
            raise WriterStopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, future))
        if len(self._waiting) == 1:
            loop.call_later(self._gather_s, self._flush)
        return await future


class SimulatedNode(Node):
    """The node of production; its exchange and its checkpoints write through a gathering worker."""

    def __init__(
        self,
        home: Home,
        database: Database,
        clock: Clock,
        transport: Transport,
        *,
        gather_s: float,
        services: Sequence[Service] | None = None,
    ) -> None:
        super().__init__(home, database, clock, transport, threaded=False, services=services)
        self._gather_s = gather_s

    def open(self) -> None:
        """Open as in production; then everything that writes is given the other worker."""
        super().open()
        if self._gather_s:
            writer = Writer(self.database, self.home, self.clock)
            self.worker = GatheringWorker(self.database, writer, self._gather_s)
            self.exchange = Exchange(
                self.home, self.worker, self.registry, self._transport, self.clock
            )
            self.checkpoints = Checkpoints(self.home, self.worker, self._transport, self.clock)
