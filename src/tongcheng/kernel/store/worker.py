"""The writer and the readers as an asyncio loop sees them.

In production the writer has a thread of its own: it takes what waits and commits it as one batch,
while the loop goes on. In a simulation the same batches run inline, at the loop's next turn, so
that a seed decides everything.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store.database import Snapshot
from tongcheng.kernel.store.storage import Storage
from tongcheng.kernel.store.transaction import Signal
from tongcheng.kernel.store.writer import (
    BATCH_COMMANDS_MAX,
    Command,
    Outcome,
    Writer,
    WriterStopped,
)

T = TypeVar("T")
Waiting = tuple[Command, "asyncio.Future[Any]"]

QUEUE_COMMANDS_MAX = 20_000
"""Above this the node says it is overloaded, rather than promise what it cannot keep."""


class Worker(Protocol):
    """Runs commands durably and reads snapshots, from an asyncio loop."""

    on_signals: Callable[[Sequence[Signal]], None]

    async def run(self, command: Command) -> Any:
        """Run one command in the next batch; return its answer once that is durable."""
        ...

    async def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot of the committed state."""
        ...

    def glance(self, question: Callable[[Snapshot], T]) -> T:
        """Answer at once, where the loop runs: for what takes a few look-ups by key."""
        ...

    def stop(self) -> None:
        """Take no more commands; those that wait fail with WriterStopped."""
        ...


def _settle(future: "asyncio.Future[Any]", outcome: Outcome) -> None:
    if future.done():
        return
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.answer)


class ThreadedWorker:
    """A writer in its own thread, reads in the loop's thread pool."""

    def __init__(self, database: Storage, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._stopped = False
        self.on_signals: Callable[[Sequence[Signal]], None] = lambda _signals: None
        writer.on_commit = self._tell
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def run(self, command: Command) -> Any:
        """Run one command in the next batch; return its answer once that is durable."""
        if self._stopped:
            raise WriterStopped
        waiting = self._queue.qsize()
        if waiting > QUEUE_COMMANDS_MAX:
            raise Refused("OVERLOADED", waiting=waiting)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((command, future))
        return await future

    async def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot of the committed state, off the loop."""
        return await asyncio.to_thread(self._answer, question)

    def glance(self, question: Callable[[Snapshot], T]) -> T:
        """Answer at once, where the loop runs: for what takes a few look-ups by key.

        Handing a question to another thread and its answer back costs more than such an answer.
        Over a connection to a server the whole loop would wait with it: such a store is only read.
        """
        assert self._database.answers_at_once, (
            f"{self._database.name}: a glance would hold the loop"
        )
        return self._answer(question)

    def _answer(self, question: Callable[[Snapshot], T]) -> T:
        with self._database.snapshot() as snapshot:
            return question(snapshot)

    def stop(self) -> None:
        """Finish the batch in hand and end the thread."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()

    def _tell(self, signals: Sequence[Signal]) -> None:
        self._loop.call_soon_threadsafe(self.on_signals, list(signals))

    def _take_batch(self) -> tuple[list[Waiting], bool]:
        """Wait for one command, then take all that wait with it."""
        batch: list[Waiting] = []
        while len(batch) < BATCH_COMMANDS_MAX:
            try:
                waiting = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            batch.append(waiting)
        return batch, False

    def _work(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._take_batch()
            if batch:
                outcomes = self._writer.run([command for command, _ in batch])
                self._loop.call_soon_threadsafe(_settle_all, batch, outcomes)


def _settle_all(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        _settle(future, outcome)


class InlineWorker:
    """The same writer without a thread: for simulations and for commands of one shot."""

    def __init__(self, database: Storage, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._waiting: list[Waiting] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self.on_signals: Callable[[Sequence[Signal]], None] = lambda _signals: None
        writer.on_commit = self._tell

    async def run(self, command: Command) -> Any:
        """Run one command in the batch of the loop's next turn."""
        if self._stopped:
            raise WriterStopped
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, future))
        # What waits may have been left by a loop that turns no more, as where tests have two.
        if len(self._waiting) == 1 or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._flush)
        return await future

    async def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot, at once."""
        return self.glance(question)

    def glance(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from a snapshot, at once."""
        if self._stopped:
            raise WriterStopped
        with self._database.snapshot() as snapshot:
            return question(snapshot)

    def stop(self) -> None:
        """Drop what waits, as a killed process would."""
        self._stopped = True
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(WriterStopped())
        self._waiting.clear()

    def _tell(self, signals: Sequence[Signal]) -> None:
        self.on_signals(signals)

    def _flush(self) -> None:
        batch = self._waiting[:BATCH_COMMANDS_MAX]
        del self._waiting[:BATCH_COMMANDS_MAX]
        if self._stopped or not batch:
            return
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        _settle_all(batch, self._writer.run([command for command, _ in batch]))
