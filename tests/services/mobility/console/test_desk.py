"""What a node keeps ready: once for all who ask, so many and no more."""

import asyncio
import os
import tempfile
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.console import desk as desks
from tongcheng.services.mobility.console import warming
from tongcheng.services.mobility.console.desk import PREPARED_MAX, WAITING_MAX, Desk
from tongcheng.services.mobility.console.held import held_bytes
from tongcheng.services.mobility.scan import run


def desk() -> Desk:
    """Return a desk of a region that nobody reads."""
    return Desk(Path("/nowhere"), "Asia/Shanghai")


def test_one_thing_is_made_once_for_many() -> None:
    """Ten ask at once and one thread works once."""
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return 7

    async def ask() -> list[int]:
        ours = desk()
        return await asyncio.gather(*(ours.prepared("a", make) for _ in range(10)))

    assert asyncio.run(ask()) == [7] * 10
    assert made == [1]


def test_what_was_refused_is_tried_again() -> None:
    """A refusal is nobody's answer for ever."""
    tries: list[int] = []

    def fail() -> int:
        tries.append(1)
        raise Refused("MOBILITY_BUSY")

    async def ask() -> None:
        ours = desk()
        for _ in range(2):
            with pytest.raises(Refused):
                await ours.prepared("a", fail)
            await asyncio.sleep(0)

    asyncio.run(ask())
    assert len(tries) == 2


def test_the_least_asked_for_makes_room() -> None:
    """One more than there is room for: the first is made anew, the last is not."""
    made: list[int] = []

    async def ask() -> None:
        ours = desk()
        for key in (*range(PREPARED_MAX + 1), PREPARED_MAX, 0):
            await ours.prepared(key, partial(made.append, key))

    asyncio.run(ask())
    assert made == [*range(PREPARED_MAX + 1), 0]


def test_what_is_heavy_makes_room_before_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days stay as long as all of them fit; the one asked for last stays though it does not."""
    monkeypatch.setattr(desks, "PREPARED_BYTES", 1_000)
    made: list[int] = []

    def make(size: int) -> object:
        made.append(size)
        return ("ways", {"to": np.zeros(size, np.uint8)})

    async def ask() -> None:
        ours = desk()
        for size in (400, 500, 400, 300, 500, 400, 2_000, 2_000, 300, 2_000):
            await ours.prepared(size, partial(make, size))

    asyncio.run(ask())
    assert made == [400, 500, 300, 500, 400, 2_000, 300, 2_000]


def test_a_day_is_weighed_by_its_arrays() -> None:
    """Wherever they lie, each once; words and numbers are nothing."""
    shared = np.zeros(10, np.int64)

    class Held:
        def __init__(self) -> None:
            self.inside = [shared, (np.zeros(3, np.int32), "a")]

    weighed = held_bytes((Held(), {"again": shared}, None, 7, ("a", shared)))
    assert weighed == 10 * 8 + 3 * 4


def test_a_crowd_is_refused() -> None:
    """Beyond what may wait, at once; those who wait are answered."""
    go_on = threading.Event()

    async def ask() -> tuple[int, list[object]]:
        ours = desk()
        waiting = [
            asyncio.create_task(ours.answered(key, go_on.wait)) for key in range(WAITING_MAX)
        ]
        await asyncio.sleep(0)
        refused = 0
        try:
            await ours.answered("more", go_on.wait)
        except Refused as said:
            refused = said.code == "MOBILITY_BUSY"
        go_on.set()
        return refused, await asyncio.gather(*waiting)

    refused, answers = asyncio.run(ask())
    assert refused
    assert answers == [True] * WAITING_MAX


def test_a_crowd_at_scenarios_refuses_nobody_else() -> None:
    """As many scenarios wait to be compiled as may: what is ready is asked meanwhile."""
    go_on = threading.Event()

    async def ask() -> int:
        ours = desk()
        waiting = [
            asyncio.create_task(ours.prepared(key, go_on.wait)) for key in range(WAITING_MAX)
        ]
        await asyncio.sleep(0)
        answer = await ours.answered("quick", lambda: 7)
        go_on.set()
        await asyncio.gather(*waiting)
        return answer

    assert asyncio.run(ask()) == 7


def test_a_region_is_read_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was full once does not leave the pages broken until the node is restarted."""
    faults: list[Exception] = [OSError(28, "no space left"), Refused("FACTS_FILE", file="x")]

    def load(_folder: Path, _zone: str) -> object:
        if faults:
            raise faults.pop(0)
        return "an atlas"

    monkeypatch.setattr(desks, "_load", load)
    monkeypatch.setattr(desks, "RETRY_S", 0.0)

    async def ask() -> list[tuple[object, str]]:
        ours = desk()
        return [(await ours.ready(), ours.state) for _ in range(4)]

    assert asyncio.run(ask()) == [
        (None, "failed"),
        (None, "refused"),
        ("an atlas", "ready"),
        ("an atlas", "ready"),
    ]


@pytest.mark.parametrize("fault", [OSError(28, "no space left"), Refused("MOBILITY_EXTRA")])
def test_a_fault_while_compiling_stays_that_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Exception
) -> None:
    """Waiting for one's turn hides nothing, not even what waiting itself would raise."""

    def broken() -> None:
        raise fault

    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(run, "warm", broken)
    for _ in range(2):
        with pytest.raises(type(fault)):
            warming.compiled()
    assert [path.name for path in tmp_path.iterdir()] == [f"tongcheng-mobility-{os.getuid()}.lock"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (ModuleNotFoundError(name="numpy"), "uncompiled"),
        (Refused("MOBILITY_EXTRA", package="numba"), "uncompiled"),
        (Refused("FACTS_FILE", file="cities.csv", fault="not UTF-8"), "refused"),
        (ValueError(), "failed"),
    ],
)
def test_a_region_that_cannot_be_read_is_a_state(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, state: str
) -> None:
    """Pages say which; nothing is raised into them, and it is tried once."""
    tries: list[int] = []

    def load(_folder: Path, _zone: str) -> None:
        tries.append(1)
        raise fault

    monkeypatch.setattr(desks, "_load", load)

    async def ask() -> tuple[object, str]:
        ours = desk()
        await ours.ready()
        return await ours.ready(), ours.state

    assert asyncio.run(ask()) == (None, state)
    assert tries == [1]
