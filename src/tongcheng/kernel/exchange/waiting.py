"""Waiting for the answers to our acts, and concluding in the commit that takes one.

Whoever waits may bring a command to be run as soon as the answer is there: what it writes is then
durable with the answer, where a commit of its own would be one more for every act.
"""

import asyncio
import contextlib
from typing import Any

from tongcheng.kernel.envelope import Opened
from tongcheng.kernel.store import Command, Signal, Transaction


class _Waiter:
    """One who waits for one answer, and what the command has returned that he brought."""

    __slots__ = ("command", "conclusion", "is_answered")

    def __init__(self, command: Command | None) -> None:
        self.is_answered = asyncio.Event()
        self.command = command
        self.conclusion: Any = None


class Waiting:
    """Who waits for the answer to which act of this node's."""

    def __init__(self) -> None:
        self._waiters: dict[str, list[_Waiter]] = {}

    async def wait(self, envelope_id: str, timeout_ms: int) -> bool:
        """Wait until an act has been answered; False when the time is over."""
        return await self._wait(envelope_id, _Waiter(None), timeout_ms)

    async def conclude(self, envelope_id: str, command: Command, timeout_ms: int) -> Any:
        """Wait for an answer and return what a command makes of it, in the commit that takes it.

        None when the time is over, when the answer came before the call, or when the command
        failed: it changed nothing then, and whoever runs it by itself sees why.
        """
        waiter = _Waiter(command)
        is_answered = await self._wait(envelope_id, waiter, timeout_ms)
        return waiter.conclusion if is_answered else None

    async def _wait(self, envelope_id: str, waiter: _Waiter, timeout_ms: int) -> bool:
        waiters = self._waiters.setdefault(envelope_id, [])
        waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                await waiter.is_answered.wait()
        except TimeoutError:
            return False
        finally:
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[envelope_id]
        return True

    def wake(self, envelope_id: str) -> None:
        """Tell those who wait, after the commit, that an act has been answered."""
        for waiter in self._waiters.get(envelope_id, ()):
            waiter.is_answered.set()

    def run_commands(self, tx: Transaction, opened: Opened) -> None:
        """Run what was brought for the answers in a batch, where this commit is to tell of them.

        In the writer's thread, and once more if the commit fails: only a conclusion whose waiter
        is woken counts, and he is after the commit. An answer that was taken by an earlier commit
        may wake him any moment, so nothing that is not durable yet may be concluded for it.
        """
        for received in opened.received:
            answered = Signal("answered", received.envelope.reply_to or "")
            for waiter in tuple(self._waiters.get(answered.subject, ())):
                if waiter.command is not None and answered in tx.signals:
                    waiter.conclusion = None
                    with contextlib.suppress(Exception), tx.all_or_nothing():
                        waiter.conclusion = waiter.command(tx)
