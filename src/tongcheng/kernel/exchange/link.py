"""The loop that brings one peer what it has not got yet.

A link posts one batch at a time: what waits while a batch is under way goes out together with the
next. The answer is a batch of the peer's, taken like any other. When nothing waits, the link is
silent until a commit wakes it; replies that are returned inline are not posted as well unless the
peer has not acknowledged them after a moment. When the peer does not answer, the link backs off
with jitter and posts the same acts again. At start it asks for what was missed.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.envelope import Opened, open_batch
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts, outgoing
from tongcheng.kernel.exchange.outgoing import NextBatch
from tongcheng.kernel.exchange.tables import TROUBLES, TroubleRow
from tongcheng.kernel.exchange.transport import (
    CATCH_UP_PATH,
    INBOX_PATH,
    POST_TIMEOUT_MS,
    PeerRefused,
    Transport,
    Unreachable,
    accepted,
)
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.kernel.store.worker import Worker
from tongcheng.kernel.store.writer import WriterStopped

Take = Callable[[Opened, Callable[[Transaction], None]], Awaitable[None]]
"""Takes a verified batch, and runs a function in the transaction of its last part."""

BACK_OFF_FIRST_MS = 200
BACK_OFF_MAX_MS = 30_000
CODE_CHARACTERS_MAX = 80
DETAIL_CHARACTERS_MAX = 400
"""A peer's refusal is a stranger's text: so much of it is kept for the operator."""

UNACKNOWLEDGED_MS = 1_000
"""How long a reply returned inline may stay unacknowledged before it is posted: twice that, where
others are under way already."""


class Link:
    """One peer's loop; `wake` it after every commit that left something for the peer.

    `reached_at` (UTC ms) is when the peer last answered us, `silent_since_at` since when it has
    not, None while it does; both since this node started.
    """

    def __init__(
        self, peer: str, home: Home, worker: Worker, take: Take, transport: Transport,
        clock: Clock,
    ) -> None:  # fmt: skip
        self.peer = peer
        self._home = home
        self._worker = worker
        self._take = take
        self._transport = transport
        self._clock = clock
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._failures = 0
        self._resend_after: int | None = None
        self._caught_up = False
        # Known since this node started, and not stored: a state of the line is no record.
        self.reached_at: int | None = None
        self.silent_since_at: int | None = None
        self._later: asyncio.TimerHandle | None = None
        # Replies up to this number had their time to arrive inline, and to be acknowledged.
        self._overdue_seq = 0

    def wake(self) -> None:
        """Look again: something may wait for the peer."""
        self._wake.set()

    def wake_later(self) -> None:
        """Look again in a moment: a reply is on its way inline, and may get lost there."""
        if self._later is None:
            self._wake_after(self._newest_seq())

    def _wake_after(self, newest_seq: int) -> None:
        delay_s = UNACKNOWLEDGED_MS / 1_000
        loop = asyncio.get_running_loop()
        self._later = loop.call_later(delay_s, self._wake_overdue, newest_seq)

    def _wake_overdue(self, overdue_seq: int) -> None:
        self._later = None
        self._overdue_seq = overdue_seq
        self._wake.set()
        newest_seq = self._newest_seq()
        if newest_seq > overdue_seq:
            self._wake_after(newest_seq)

    def _newest_seq(self) -> int:
        return self._worker.glance(lambda found: outgoing.newest_seq(found, self._home, self.peer))

    def try_now(self) -> None:
        """Wait no longer for the next try: somebody knows that the peer can be reached again."""
        self._again.set()

    async def run(self) -> None:
        """Bring the peer its acts until cancelled."""
        try:
            while True:
                self._wake.clear()
                try:
                    busy = await self._turn()
                except WriterStopped:
                    return
                except Exception as fault:  # noqa: BLE001 a link ends with its node, never before
                    await self._recover(fault)
                    continue
                self._failures = 0
                if not busy:
                    await self._wake.wait()
        finally:
            if self._later is not None:
                self._later.cancel()

    async def _turn(self) -> bool:
        """Post one batch if there is a reason to; tell whether there may be more at once."""
        batch = self._worker.glance(self._next) if self._caught_up else None
        if batch is not None:
            answer = await self.post(INBOX_PATH, batch.raw)
        elif not self._caught_up:
            answer = await self.post(CATCH_UP_PATH, self._worker.glance(self._catch_up))
        else:
            return False
        opened = open_batch(
            answer,
            self._home.accord,
            member_id=self._home.member_id,
            now_at=self._clock.now(),
            lane="act",
            earlier=self._home.accords_lately,
        )
        if opened.statement.src != self.peer:
            raise Refused("MEMBER_UNKNOWN", member=opened.statement.src)
        troubled = self._failures > 0
        await self._take(opened, lambda tx: self._took(tx, troubled=troubled))
        if batch is not None and opened.statement.acknowledged < batch.first_seq:
            raise Unreachable(self.peer, "took nothing of what was posted")
        if not self._caught_up:
            # What was replied in an earlier life is on its way no more.
            self._overdue_seq = self._newest_seq()
        self._caught_up = True
        self._resend_after = None
        return True

    def _took(self, tx: Transaction, *, troubled: bool) -> None:
        row = tx.get(TROUBLES, self.peer) if troubled else None
        if row is not None:
            tx.put(TROUBLES, msgspec.structs.replace(row, attempts=0))

    async def post(self, path: str, raw: bytes) -> bytes:
        """Post to the peer and return its answer; raise its refusal as ours."""
        address = self._home.accord.member(self.peer).address
        status, answer = await self._transport.post(address, path, raw, timeout_ms=POST_TIMEOUT_MS)
        self.reached_at = self._clock.now()
        self.silent_since_at = None
        try:
            return accepted(self.peer, status, answer)
        except PeerRefused as refusal:
            expected = refusal.facts.get("expected")
            if refusal.code == "EXPECTED_SEQ" and isinstance(expected, int):
                self._resend_after = expected - 1
            raise

    def _next(self, snapshot: Snapshot) -> NextBatch | None:
        now_at = self._clock.now()
        return outgoing.next_batch(
            snapshot,
            self._home,
            self.peer,
            now_at=now_at,
            overdue_seq=self._overdue_seq,
            after=self._resend_after,
        )

    def _catch_up(self, snapshot: Snapshot) -> bytes:
        return outgoing.acknowledgement(snapshot, self._home, self.peer, now_at=self._clock.now())

    async def _recover(self, fault: Exception) -> None:
        """Note why the turn failed, as far as it can be noted, and wait before the next."""
        if isinstance(fault, Unreachable) and self.silent_since_at is None:
            self.silent_since_at = self._clock.now()
        # A full disk refuses the note as well; the next turn finds out whether it passed.
        with contextlib.suppress(Exception):
            if isinstance(fault, Refused):
                detail = ", ".join(f"{key}={value}" for key, value in fault.facts.items())
                await self._note_trouble(fault.code, detail)
            elif not isinstance(fault, Unreachable):
                said = f"the link to {self.peer} goes on after a fault"
                context = {"message": said, "exception": fault}
                asyncio.get_running_loop().call_exception_handler(context)
                await self._note_trouble("INTERNAL_FAULT", type(fault).__name__)
        await self._back_off()

    async def _back_off(self) -> None:
        """Wait longer after every failure, with jitter, so that peers do not march in step."""
        self._failures += 1
        longest = min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** min(self._failures, 12))
        share = int.from_bytes(self._home.entropy.bytes(2), "big") / 65_536
        pause_s = longest * (0.5 + share / 2) / 1_000
        timer = asyncio.get_running_loop().call_later(pause_s, self._again.set)
        try:
            await self._again.wait()
        finally:
            timer.cancel()
            self._again.clear()

    async def _note_trouble(self, code: str, detail: str) -> None:
        """Keep the peer's refusal where an operator sees it."""

        def command(tx: Transaction) -> None:
            before = tx.get(TROUBLES, self.peer)
            row = TroubleRow(
                dst=self.peer,
                seq=acts.channel(tx, self._home.member_id, self.peer).acknowledged_seq + 1,
                code=code[:CODE_CHARACTERS_MAX],
                detail=detail[:DETAIL_CHARACTERS_MAX],
                attempts=1 if before is None else before.attempts + 1,
                last_at=tx.now_at,
            )
            tx.put(TROUBLES, row)

        await self._worker.run(command)
