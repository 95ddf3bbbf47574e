"""What a home page may say of mobility: a few sums, computed in the background and kept.

A page never computes them. Who opens one sets them going; until they are there, they are None. They
are what the pages that prove them show, asked by the same code, and are kept there for who follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.words import Words
from tongcheng.services.mobility.console import (
    compare_pages,
    compare_view,
    pages,
    port_pages,
    port_view,
    view,
)
from tongcheng.services.mobility.console.desk import Desk, desk_of
from tongcheng.services.mobility.console.query import PORT_USUAL, Asked
from tongcheng.services.mobility.console.scenario_list import listed, named

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas
    from tongcheng.services.mobility.facts.model import Name

log = structlog.get_logger("tongcheng.mobility")

CIRCLE: Final = "mobility.circle"
PORT: Final = "mobility.port"
GAINED: Final = "mobility.gained."
"""Before a scenario's id."""
AGAIN_MS: Final = 60_000
"""How long nobody looks whether the day or what the node keeps is another."""


class Told(NamedTuple):
    """People around a place within a time; by a scenario, how many more there are.

    `path` is the page that shows the same, without language. `is_best` says that it is by the
    best-timed trip, `is_typical` that the trains are no timetable, `is_modelled` that nobody
    counted the people where they are.
    """

    people: int
    minutes: int
    place: Words
    scenario: Words | None
    path: str
    by_car: bool
    is_typical: bool
    is_best: bool = False
    is_modelled: bool = True


class Figures:
    """The sums of one node: those of `wanted` that its region has what it takes for.

    Until they are enabled there are none: a test of a page need not compute a region.
    """

    def __init__(self, node: RunningNode, folder: Path, wanted: Collection[str]) -> None:
        self._node, self._folder = node, folder
        self._wanted = tuple(key for key in wanted if key.startswith("mobility."))
        self._told: Mapping[str, Told | None] = {}
        self._enabled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._making: asyncio.Task[None] | None = None
        self._made_at = 0
        self._made_of: object = None

    def enable(self) -> None:
        """Compute them as soon as somebody asks."""
        self._enabled = True
        self._told = dict.fromkeys(self._wanted)

    @asynccontextmanager
    async def life(self, _app: object) -> AsyncIterator[None]:
        """Compute on the loop that runs now, until the end; before it nothing is computed."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            if self._making is not None:
                self._making.cancel()

    def now(self) -> Mapping[str, Told | None]:
        """Return the sums as they are, from any thread, and set them going where that is due.

        None is not computed yet; what is not there cannot be computed on this node.
        """
        loop = self._loop
        if loop is not None and self._enabled and self._wanted:
            loop.call_soon_threadsafe(self._begin)
        return self._told

    def _begin(self) -> None:
        now_at = self._node.clock.now()
        if self._making is not None and not self._making.done():
            return
        if self._making is not None and 0 <= now_at - self._made_at < AGAIN_MS:
            return
        self._made_at = now_at
        self._making = asyncio.create_task(self._make(), name="mobility figures")

    async def _make(self) -> None:
        try:
            desk = desk_of(self._node, self._folder)
            atlas = await desk.ready()
            while desk.state == "preparing":
                atlas = await desk.ready()
            if atlas is None:
                self._told = {}
                return
            kept = await pages.kept_at(self._node)
            of = (pages.today(self._node), kept.digests, kept.places)
            if of != self._made_of:
                self._told = await self._all(desk, atlas)
                self._made_of = of
        except Exception:
            # A page without these figures is whole; why they are missing stands in the log.
            log.exception("mobility_figures_failed")
            self._told = {}

    async def _all(self, desk: Desk, atlas: Atlas) -> Mapping[str, Told]:
        found: dict[str, Told] = {}
        for key in self._wanted:
            try:
                told = await self._one(desk, atlas, key)
            except Refused as refused:
                log.info("mobility_figure_refused", figure=key, code=refused.code)
                continue
            if told is not None:
                found[key] = told
        return found

    async def _one(self, desk: Desk, atlas: Atlas, key: str) -> Told | None:
        if key == CIRCLE:
            return await self._circle(desk, atlas)
        if key == PORT:
            return await self._port(desk, atlas)
        if key.startswith(GAINED):
            return await self._gained(desk, atlas, key.removeprefix(GAINED))
        return None

    async def _circle(self, desk: Desk, atlas: Atlas) -> Told | None:
        station = pages.main_station(self._node, atlas)
        if station is None:
            return None
        found = await pages.find(self._node, desk, atlas, Asked())
        return Told(
            found.answer.people,
            found.answer.asked.minutes,
            _station(station.name),
            None,
            view.PATH,
            by_car=False,
            is_typical=found.prepared.is_typical,
            is_modelled=found.atlas.is_modelled,
        )

    async def _port(self, desk: Desk, atlas: Atlas) -> Told | None:
        if atlas.region.port is None:
            return None
        found = (await port_pages.find(self._node, desk, atlas, PORT_USUAL)).hinterland
        name = Words(found.port.name.zh, found.port.name.en)
        return Told(
            found.people, found.minutes, name, None, port_view.PATH, by_car=True, is_typical=False
        )

    async def _gained(self, desk: Desk, atlas: Atlas, scenario_id: str) -> Told | None:
        asked = Asked(scenario_id=scenario_id)
        scenario = named(await listed(self._node, atlas), scenario_id).scenario
        path = compare_view.PATH + asked.query()
        atlas, asked = await pages.peopled(self._node, desk, atlas, asked)
        sides, compared, place = await compare_pages.look(
            self._node, desk, atlas, (scenario, asked)
        )
        if place is None:
            return None
        name = place.name if not place.is_station else None
        return Told(
            compared.after - compared.before,
            compared.asked.minutes,
            _station(place.name) if name is None else _words(name),
            _words(scenario.title),
            path,
            by_car=sides[0].roads is not None,
            is_typical=sides[0].is_typical,
            is_best=compared.asked.best,
            is_modelled=atlas.is_modelled,
        )


def _words(name: Any) -> Words:
    return Words(name.zh, name.en or name.zh)


def _station(name: Name) -> Words:
    """Return a station's name as a sentence takes it, as `words.place_said` does."""
    zh = name.zh if name.zh.endswith("站") else f"{name.zh}站"
    return Words(zh, f"{name.en} station" if name.en else zh)
