"""A running node without its web server: store, writer, exchange and the services' acts.

The same class runs under uvicorn, in a command of one shot, and in the simulator: clock, entropy,
transport and worker are handed in.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tongcheng.kernel import adoption
from tongcheng.kernel.audit import KERNEL_READS
from tongcheng.kernel.clock import Clock
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.exchange import Exchange
from tongcheng.kernel.exchange.transport import Transport
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import head as journal_head
from tongcheng.kernel.journal.rounds import Checkpoints
from tongcheng.kernel.journal.subtrees import Subtrees
from tongcheng.kernel.recall import recall
from tongcheng.kernel.service import Registry, Service
from tongcheng.kernel.store import Command, Database, Snapshot, Writer
from tongcheng.kernel.store.worker import InlineWorker, ThreadedWorker, Worker
from tongcheng.kernel.tables import KERNEL_TABLES
from tongcheng.node import jobs
from tongcheng.node.services import SERVICES

T = TypeVar("T")

DATABASE_NAME = "node.sqlite"

# Named here so that a new store has every table, whichever command creates it.
TABLES = (*KERNEL_TABLES, *(table for service in SERVICES for table in service.tables))


class Node:
    """One member's node: `open`, then `start` its links, `stop` everything."""

    def __init__(
        self,
        home: Home,
        database: Database,
        clock: Clock,
        transport: Transport,
        *,
        threaded: bool,
        services: Sequence[Service] | None = None,
    ) -> None:
        self.home = home
        self.services = tuple(SERVICES if services is None else services)
        self.clock = clock
        self.database = database
        self.registry = Registry(self.services)
        self.subtrees = Subtrees()
        self._transport = transport
        self._threaded = threaded
        self.worker: Worker
        self.exchange: Exchange
        self.checkpoints: Checkpoints
        self._jobs: list[asyncio.Task[None]] = []
        self._warming: threading.Thread | None = None

    @property
    def reads(self) -> Mapping[str, str]:
        """The audit's actions by which personal data is seen, each with the key of its words."""
        theirs = {action: key for one in self.services for action, key in one.reads.items()}
        return {**KERNEL_READS, **theirs}

    def open(self) -> None:
        """Open the store for writing and recall what it has adopted; needs a running loop."""
        self.database.open_writing(self.clock.now())
        with self.database.snapshot() as snapshot:
            recall(self.home, snapshot, self.clock.now())
        writer = Writer(self.database, self.home, self.clock)
        worker_type = ThreadedWorker if self._threaded else InlineWorker
        self.worker = worker_type(self.database, writer)
        self.exchange = Exchange(self.home, self.worker, self.registry, self._transport, self.clock)
        self.checkpoints = Checkpoints(self.home, self.worker, self._transport, self.clock)

    def start(self) -> None:
        """Begin to exchange with the peers, and to do what a node does by itself."""
        if self.home.accord_in_force is not None:
            self.exchange.start()
        seal = jobs.AuditSeal(self.worker, self.clock, self.home.region.zone)
        self._jobs = [
            asyncio.create_task(self.checkpoints.run(), name="checkpoints"),
            asyncio.create_task(jobs.once(self.unpark, "unpark"), name="unpark"),
            asyncio.create_task(jobs.once(self.read_tree, "journal tree"), name="journal tree"),
            asyncio.create_task(jobs.every(seal, "audit seal"), name="audit seal"),
            asyncio.create_task(jobs.every(self.refresh_accord, "accord"), name="accord"),
        ]
        self._jobs += [
            asyncio.create_task(
                jobs.every(partial(job.run, self), job.name, job.period_s), name=job.name
            )
            for service in self.services
            for job in service.jobs
        ]

    def warm(self) -> None:
        """Begin what the services have to do once, in a thread of its own; `is_warm` afterwards."""

        def work() -> None:
            for service in self.services:
                for step in service.warm:
                    step()

        # A daemon: who stops a node does not wait for a compiler.
        self._warming = threading.Thread(target=work, name="warming", daemon=True)
        self._warming.start()

    @property
    def is_warm(self) -> bool:
        """Whether nothing has to be done any more before the node is as quick as it gets."""
        return self._warming is None or not self._warming.is_alive()

    async def unpark(self) -> int:
        """Apply what was parked until this software learned its type; return how many acts."""
        count: int = await self.run(lambda tx: acts.unpark(tx, self.registry))
        return count

    async def read_tree(self) -> None:
        """Take the journal's tree into memory, so that the first proof is as quick as the next."""
        await self.read(lambda found: self.subtrees.catch_up(found, journal_head(found)[0]))

    async def adopt(self, raw: bytes) -> None:
        """Adopt a signed accord and exchange by it from its first instant on."""
        await self.run(lambda tx: adoption.adopt(tx, raw))
        await self.refresh_accord()

    async def refresh_accord(self) -> None:
        """Go by the accord that is in force now; one adopted for later begins this way."""
        now_at = self.clock.now()
        found = await self.read(lambda snapshot: adoption.in_force(snapshot, now_at))
        self.home.accords_lately = await self.read(
            lambda snapshot: adoption.lately(snapshot, now_at)
        )
        if found != self.home.accord_in_force:
            self.home.accord_in_force = found
            await self.exchange.stop()
            if found is not None:
                self.exchange.start()

    async def run(self, command: Command) -> Any:
        """Run one command durably."""
        return await self.worker.run(command)

    async def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot."""
        return await self.worker.read(question)

    def glance(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question of a few look-ups by key, at once."""
        return self.worker.glance(question)

    async def stop(self) -> None:
        """Stop the links and the writer; what waits is sent after the next start."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self.exchange.stop()
        await asyncio.to_thread(self.worker.stop) if self._threaded else self.worker.stop()
        self.database.close()


def open_database(directory: Path, mac_key: bytes, *, synchronous: str = "FULL") -> Database:
    """Return the database of a node's directory, not opened yet."""
    return Database(directory / DATABASE_NAME, mac_key, synchronous=synchronous)
