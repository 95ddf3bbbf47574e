"""What the demonstration's page works with: the lines, one forgery at a time, one comparison."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec
import structlog

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.node.core import Node
from tongcheng.node.forgery import Outcome, Target, forge
from tongcheng.node.line import CutLines, Line, lines_of, lines_to
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.job import permits
from tongcheng.services.settlement.mirror.look import look
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.seen import Seen

DEMO_FILE: Final = "demo.yaml"
COMPARE_AGAIN_MS: Final = 60_000
TRY_AGAIN_S: Final = 2.0

log = structlog.get_logger("tongcheng.node")


class Stopped(BaseException):
    """The node stops: no Exception, or verification would take it for damage and go on."""


class Compared(msgspec.Struct, frozen=True):
    """What the last comparison with every peer found: entries of both ledgers, and what differs.

    `begun_at` (UTC ms) is before anything was read; `members` are the peers that answered.
    """

    begun_at: int
    members: tuple[str, ...]
    entries: int
    one_sided: int


class DemoDesk:
    """The demonstration of one running node."""

    def __init__(self, node: Node, pack_folder: Path) -> None:
        self.node = node
        self.directory = node.database.path.parent
        self.cut_off = demos.load(pack_folder / DEMO_FILE).cut_off
        self.cut: CutLines = lines_of(self.directory)
        self.outcome: Outcome | None = None
        self.refused: Refused | None = None
        self.progress: tuple[str, int, int] = ("", 0, 0)
        self.compared: Compared | None = None
        self._forging: asyncio.Task[None] | None = None
        self._comparing: asyncio.Task[None] | None = None
        self._stops = False

    @property
    def lines(self) -> list[Line]:
        """The lines that the page cuts: all of one member."""
        accord = self.node.home.accord_in_force
        members = () if accord is None else accord.members
        return lines_to(self.cut_off, (member.member_id for member in members))

    # forging

    @property
    def is_forging(self) -> bool:
        """Tell whether a forged copy is being verified."""
        return self._forging is not None and not self._forging.done()

    async def forge(self, target: Target, *, with_keys: bool, wait_s: float) -> None:
        """Begin to forge a copy, and wait a moment for what comes of it.

        Refuses FORGERY_BUSY while another one is under way.
        """
        if self.is_forging:
            raise Refused("FORGERY_BUSY")
        self.outcome, self.refused, self.progress = None, None, ("", 0, 0)
        self._forging = asyncio.create_task(self._forge(target, with_keys=with_keys), name="forge")
        await asyncio.wait([self._forging], timeout=wait_s)

    async def _forge(self, target: Target, *, with_keys: bool) -> None:
        def work() -> Outcome:
            home, told = self.node.home, self.told
            return forge(self.directory, home, target, with_keys=with_keys, progress=told)

        try:
            self.outcome = await asyncio.to_thread(work)
        except Refused as refusal:
            self.refused = refusal
        except asyncio.CancelledError:
            self._stops = True
            raise

    def told(self, stage: str, done: int, total: int) -> None:
        """Note how far the forgery is; ends it when the node stops."""
        if self._stops:
            raise Stopped
        self.progress = (stage, done, total)

    # comparing

    def freshen(self, since_at: int) -> None:
        """Compare with the peers when the last comparison is from before `since_at`, or is old."""
        now_at = self.node.clock.now()
        old_at = max(since_at, now_at - COMPARE_AGAIN_MS)
        if self.compared is not None and self.compared.begun_at > old_at:
            return
        if self._comparing is None or self._comparing.done():
            self._comparing = asyncio.create_task(self._compare(now_at), name="compare")

    async def _compare(self, begun_at: int) -> None:
        try:
            seen = [await look(self.node, books) for books in self._books()]
        except (Unreachable, Refused) as silent:
            log.info("not_compared", fault=str(silent))
            await asyncio.sleep(TRY_AGAIN_S)
            return
        self.compared = Compared(
            begun_at=begun_at,
            members=tuple(sorted({one.insured if one.is_visited else one.visited for one in seen})),
            entries=sum(_entries(one) for one in seen),
            one_sided=sum(_one_sided(one) for one in seen),
        )

    def _books(self) -> list[Books]:
        """Return the books that this node shares with its peers, both directions."""
        home = self.node.home
        return [
            own.books_of(home.member_id, peer, visited)
            for peer in home.accord.peers(home.member_id)
            if permits(home, peer)
            for visited in (home.member_id, peer)
        ]


def _entries(seen: Seen) -> int:
    return sum(
        one.mine.settled_count + one.mine.voided_count
        for one in seen.purses
        if one.mine is not None
    )


def _one_sided(seen: Seen) -> int:
    """Count the settlements that differ; a purse that differs without one counts as well."""
    unexplained = sum(
        1 for one in seen.purses if one.difference_fen(is_visited=seen.is_visited) != 0
    )
    return len(seen.differences) + seen.left_out or unexplained
