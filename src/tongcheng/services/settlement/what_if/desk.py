"""The node's replay of its own history under other rules: one at a time, beside all else.

It reads some persons at a time from a snapshot of their own, off the loop and never in the writer,
and computes in a thread. The last answer is kept in memory with its time, and is gone with the
process: it can be computed again.
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.store.writer import WriterStopped
from tongcheng.services.settlement import replay_history
from tongcheng.services.settlement.replay import Event
from tongcheng.services.settlement.what_if.versions import replaced

if TYPE_CHECKING:
    from tongcheng.services.settlement.what_if.answer import Answer
    from tongcheng.services.settlement.what_if.joint import Joint
    from tongcheng.services.settlement.what_if.sums import Sums

BREATH_S = 0.01
"""Between two stretches of persons, so that requests are answered."""
EVENTS_AT_ONCE = 20_000


class Asked(msgspec.Struct, frozen=True):
    """Which version stands in for which: `old` None is what was in force."""

    old: RuleBook | None
    new: RuleBook


class Run(msgspec.Struct):
    """One replay: how far it is, and what came of it.

    `left_out` and `not_reproduced` are as in `history`; `missing` names what is not installed.
    """

    asked: Asked
    started_at: int
    state: Literal["running", "done", "failed"] = "running"
    done: int = 0
    total: int = 0
    finished_at: int = 0
    answer: "Answer | None" = None
    left_out: int = 0
    not_reproduced: int = 0
    backend: str = ""
    refused: Refused | None = None
    missing: str = ""


class Desk:
    """What a node knows of its replays."""

    def __init__(self) -> None:
        self.last: Run | None = None
        self.now: Run | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, node: RunningNode, asked: Asked) -> None:
        """Begin a replay; refuses WHAT_IF_RUNNING."""
        if self.now is not None:
            raise Refused("WHAT_IF_RUNNING")
        self.now = Run(asked, node.clock.now())
        self._task = asyncio.create_task(self._run(node, self.now), name="what-if")

    async def finished(self) -> None:
        """Wait until nothing runs."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self, node: RunningNode, run: Run) -> None:
        try:
            await _replay(node, run)
            run.state = "done"
        except Refused as refused:
            run.refused = refused
        except ImportError as fault:
            run.missing = (fault.name or "").partition(".")[0]
        except WriterStopped:
            return
        finally:
            if run.state == "running":
                run.state = "failed"
            run.finished_at = node.clock.now()
            self.last, self.now = run, None


_DESKS: WeakKeyDictionary[RunningNode, Desk] = WeakKeyDictionary()


def desk_of(node: RunningNode) -> Desk:
    """Return the desk of a node."""
    return _DESKS.setdefault(node, Desk())


def books_of(held: Iterable[RuleBook], asked: Asked) -> tuple[list[RuleBook], list[RuleBook]]:
    """Return the books of the old and of the new rules."""
    old = list(held) if asked.old is None else replaced(held, [asked.old])
    return old, replaced(old, [asked.new])


async def _replay(node: RunningNode, run: Run) -> None:
    # Loaded by the first who asks: a node settles without what computes in bulk.
    from tongcheng.services.settlement.batch.codes import CODES  # noqa: PLC0415 as said above
    from tongcheng.services.settlement.what_if.answer import answer  # noqa: PLC0415 as said above
    from tongcheng.services.settlement.what_if.sums import nothing  # noqa: PLC0415 as said above

    books = books_of(node.home.shelf, run.asked)
    joint = await asyncio.to_thread(_prepared, node, books, run)
    run.total = await node.read(replay_history.settlements)
    sums, last, more = nothing(joint.layout, len(CODES)), "", True
    while more:
        years, last = await node.read(partial(_some, after=last))
        more = bool(last)
        sums = await asyncio.to_thread(_add, joint, years, sums, run)
        await asyncio.sleep(BREATH_S)
    run.answer = answer(joint.layout, sums, books, order="commit", causes=True)


def _prepared(node: RunningNode, books: tuple[list[RuleBook], list[RuleBook]], run: Run) -> "Joint":
    from tongcheng.services.settlement.batch.plan import plan_of  # noqa: PLC0415 see `_replay`
    from tongcheng.services.settlement.batch.run import warm  # noqa: PLC0415 see `_replay`
    from tongcheng.services.settlement.what_if.joint import Joint  # noqa: PLC0415 see `_replay`

    region = node.home.region
    joint = Joint(plan_of(books[0], region), plan_of(books[1], region), region)
    run.backend = warm()
    return joint


def _some(snapshot: Snapshot, after: str) -> tuple[list[list[Event]], str]:
    """Return years of whole persons, some thousands of events, and the last of the persons."""
    years: list[list[Event]] = []
    events = 0
    while events < EVENTS_AT_ONCE:
        found, after = replay_history.some_years(snapshot, after)
        if not after:
            break
        for year in found:
            years.append(year)
            events += len(year)
    return years, after


def _add(joint: "Joint", years: list[list[Event]], sums: "Sums", run: Run) -> "Sums":
    from tongcheng.services.settlement.what_if import history  # noqa: PLC0415 see `_replay`
    from tongcheng.services.settlement.what_if.judging import judge  # noqa: PLC0415 see `_replay`
    from tongcheng.services.settlement.what_if.sums import total  # noqa: PLC0415 see `_replay`

    found = history.history(joint, years)
    judged = judge(joint, found.events, None, causes=True)
    run.done += len(found.pasts)
    run.left_out += found.left_out
    run.not_reproduced += history.not_reproduced(found, judged)
    return total([sums, judged.sums])
