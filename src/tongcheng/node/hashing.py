"""Hashing passwords beside everything else a node does: off the loop, and never many at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from tongcheng.kernel.access import passwords
from tongcheng.kernel.errors import Refused

T = TypeVar("T")

WAITING_MAX: Final = 16
"""A queue of about a second; whoever comes then is told to come back."""


class Hashing:
    """So many slots, each for one hash at a time; 64 MiB and a tenth of a second apiece."""

    def __init__(self, slots: int = passwords.SLOTS) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot; refuses SIGN_IN_BUSY when too many wait for one."""
        if self._waiting >= WAITING_MAX:
            raise Refused("SIGN_IN_BUSY")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def run(self, work: Callable[[], T]) -> T:
        """Compute one hash in a slot."""
        async with self.slot():
            return await asyncio.to_thread(work)
