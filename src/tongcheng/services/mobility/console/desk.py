"""What a node has ready for these pages, and the threads that answer them.

Nothing is loaded until somebody opens a page: a node settles without a map. Then the region is read
and its day compiled once, in a thread; until that is done the pages say so. A few days and
scenarios stay ready, as many as there is memory for; the one least asked for makes room. What
waits is bounded: beyond that a page is refused, so that no crowd of clicks becomes a queue of
minutes. Who waits for a scenario to be compiled takes no place from those who ask of what is ready.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

import structlog

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas

log = structlog.get_logger("tongcheng.mobility")

State = Literal["new", "preparing", "ready", "absent", "uncompiled", "refused", "failed"]
T = TypeVar("T")

PATIENCE_S: Final = 1.0
"""How long a page waits for the region before it says that it is being prepared."""
RETRY_S: Final = 30.0
"""After so long a region that could not be read is read again: a full disk does not stay full."""
PREPARED_MAX: Final = 8
PREPARED_BYTES: Final = 512 << 20
"""Of days and scenarios together, by their arrays; the last one asked for stays though it is more.

Of the shipped region's own cells a day takes 10 MB; of 200,000 places in the midst of a city 80 MB,
and a scenario 180 MB. What the scans need of a timetable besides, once it is asked, is not in it.
"""
ANSWERS_MAX: Final = 64
PEOPLE_MAX: Final = 4
"""Kept places that stay read."""
WAITING_MAX: Final = 16
"""Of days and scenarios, of kept places, and of answers, each."""


class _Shelf:
    """What one thread makes: so many stay, so many bytes where they are weighed; so many wait."""

    def __init__(self, name: str, most: int, bytes_most: int | None = None) -> None:
        self.pool = ThreadPoolExecutor(1, name)
        self._most, self._bytes_most = most, bytes_most
        self._kept: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()
        self._bytes: dict[Hashable, int] = {}
        self._waiting = 0

    async def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` made once for a key; refuses as it does, and MOBILITY_BUSY."""
        kept = self._kept
        if key not in kept:
            if self._waiting >= WAITING_MAX:
                raise Refused("MOBILITY_BUSY")
            self._waiting += 1
            work = partial(_weighed, make, weigh=self._bytes_most is not None)
            kept[key] = asyncio.get_running_loop().run_in_executor(self.pool, work)
            kept[key].add_done_callback(lambda done: self._done(key, done))
        kept.move_to_end(key)
        self._make_room()
        # Who hangs up does not take the answer away from the others who wait for it.
        answer: T
        answer, _ = await asyncio.shield(kept[key])
        return answer

    def _done(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        failed = done.cancelled() or done.exception() is not None
        if self._kept.get(key) is not done:
            return
        if failed:
            del self._kept[key]
            return
        _, self._bytes[key] = done.result()
        self._make_room()

    def _make_room(self) -> None:
        kept, most = self._kept, self._bytes_most
        for key in [*kept][:-1]:
            is_heavy = most is not None and sum(self._bytes.values()) > most
            if len(kept) > self._most or (is_heavy and key in self._bytes):
                del kept[key]
                self._bytes.pop(key, None)


def _weighed(make: Callable[[], T], *, weigh: bool) -> tuple[T, int]:
    """Return what is made, and the bytes it takes: 0 where nobody weighs it."""
    made = make()
    if not weigh:
        return made, 0
    from tongcheng.services.mobility.console.held import held_bytes  # noqa: PLC0415 an extra

    return made, held_bytes(made)


class Desk:
    """The region of one node: `state` says how far it is, `atlas` is there once it is ready."""

    def __init__(self, folder: Path, zone: str) -> None:
        self._folder, self._zone = folder, zone
        self.state: State = "new"
        self.refused: Refused | None = None
        self.atlas: Atlas | None = None
        self._begun: asyncio.Task[None] | None = None
        self._again_at = math.inf
        self._days = _Shelf("mobility-prepare", PREPARED_MAX, PREPARED_BYTES)
        self._answers = _Shelf("mobility-answer", ANSWERS_MAX)
        self._people = _Shelf("mobility-people", PEOPLE_MAX)

    async def ready(self) -> Atlas | None:
        """Return the atlas, None while there is none: `state` says why. Begins to read it."""
        if self._begun is None or time.monotonic() >= self._again_at:
            self.state, self._again_at = "preparing", math.inf
            self._begun = asyncio.create_task(self._begin(), name="mobility region")
        if self.state == "preparing":
            await asyncio.wait([self._begun], timeout=PATIENCE_S)
        return self.atlas

    async def _begin(self) -> None:
        loop, pool = asyncio.get_running_loop(), self._days.pool
        try:
            self.atlas = await loop.run_in_executor(pool, _load, self._folder, self._zone)
            self.state = "ready" if self.atlas is not None else "absent"
        except Refused as refused:
            self.refused = refused
            self.state = "uncompiled" if refused.code == "MOBILITY_EXTRA" else "refused"
        except ImportError as missing:
            log.info("mobility_not_loaded", missing=missing.name)
            self.state = "uncompiled"
        except Exception:
            log.exception("mobility_failed")
            self.state = "failed"
        if self.state in {"refused", "failed"}:
            self._again_at = time.monotonic() + RETRY_S

    async def prepared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` made once for a key, in a thread; refuses as it does."""
        return await self._days.once(key, make)

    async def peopled(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` read once of kept places, in a thread; refuses as it does."""
        return await self._people.once(key, make)

    async def answered(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return an answer that `make` gives once for a key, in a thread; refuses as it does."""
        return await self._answers.once(key, make)


def _load(folder: Path, zone: str) -> Atlas | None:
    # Loaded by the first who opens a page, see above.
    from tongcheng.services.mobility.console.atlas import atlas_of  # noqa: PLC0415 as said above
    from tongcheng.services.mobility.console.warming import compiled  # noqa: PLC0415 as said

    compiled()
    return atlas_of(folder, zone)


_DESKS: WeakKeyDictionary[RunningNode, Desk] = WeakKeyDictionary()


def desk_of(node: RunningNode, folder: Path) -> Desk:
    """Return the desk of a node; `folder` is its region pack's."""
    found = _DESKS.get(node)
    if found is None:
        found = _DESKS[node] = Desk(folder, node.home.region.zone)
    return found
