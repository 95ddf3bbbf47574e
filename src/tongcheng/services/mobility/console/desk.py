"""What a node has ready for these pages, and the threads that answer them.

Nothing is loaded until somebody opens a page: a node settles without a map. Then the region is read
and its day compiled once, in a thread; until that is done the pages say so. A few days and
scenarios stay ready, the one least asked for makes room. What waits is bounded: beyond that a page
is refused, so that no crowd of clicks becomes a queue of minutes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
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
PREPARED_MAX: Final = 8
ANSWERS_MAX: Final = 64
WAITING_MAX: Final = 16


class Desk:
    """The region of one node: `state` says how far it is, `atlas` is there once it is ready."""

    def __init__(self, folder: Path, zone: str) -> None:
        self._folder, self._zone = folder, zone
        self.state: State = "new"
        self.refused: Refused | None = None
        self.atlas: Atlas | None = None
        self._begun: asyncio.Task[None] | None = None
        self._kept: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()
        self._answers: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()
        self._heavy = ThreadPoolExecutor(1, "mobility-prepare")
        self._quick = ThreadPoolExecutor(1, "mobility-answer")
        self._waiting = 0

    async def ready(self) -> Atlas | None:
        """Return the atlas, None while there is none: `state` says why. Begins to read it."""
        if self._begun is None:
            self.state = "preparing"
            self._begun = asyncio.create_task(self._begin(), name="mobility region")
        if self.state == "preparing":
            await asyncio.wait([self._begun], timeout=PATIENCE_S)
        return self.atlas

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self.atlas = await loop.run_in_executor(self._heavy, _load, self._folder, self._zone)
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

    async def prepared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` made once for a key, in a thread; refuses as it does."""
        return await self._once(self._kept, PREPARED_MAX, self._heavy, key, make)

    async def answered(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return an answer that `make` gives once for a key, in a thread; refuses as it does."""
        return await self._once(self._answers, ANSWERS_MAX, self._quick, key, make)

    async def _once(
        self,
        kept: OrderedDict[Hashable, asyncio.Future[Any]],
        most: int,
        pool: ThreadPoolExecutor,
        key: Hashable,
        make: Callable[[], T],
    ) -> T:
        if key not in kept:
            if self._waiting >= WAITING_MAX:
                raise Refused("MOBILITY_BUSY")
            self._waiting += 1
            kept[key] = asyncio.get_running_loop().run_in_executor(pool, make)
            kept[key].add_done_callback(lambda done: self._done(kept, key, done))
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)
        # Who hangs up does not take the answer away from the others who wait for it.
        answer: T = await asyncio.shield(kept[key])
        return answer

    def _done(
        self,
        kept: OrderedDict[Hashable, asyncio.Future[Any]],
        key: Hashable,
        done: asyncio.Future[Any],
    ) -> None:
        self._waiting -= 1
        if (done.cancelled() or done.exception() is not None) and kept.get(key) is done:
            del kept[key]


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
