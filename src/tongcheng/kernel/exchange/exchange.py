"""One node's part in the exchange: answers peers, asks peers, keeps a link to each."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from tongcheng.kernel import audit, canonical, envelope, ids
from tongcheng.kernel.agency import Answers, NotConsulted
from tongcheng.kernel.clock import Clock
from tongcheng.kernel.envelope import Envelope, Opened, Received, open_batch
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts, consulting, outgoing
from tongcheng.kernel.exchange.link import Link
from tongcheng.kernel.exchange.transport import ASK_PATH, PeerRefused, Transport, Unreachable
from tongcheng.kernel.exchange.waiting import Waiting
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Ask, Registry, Reply
from tongcheng.kernel.store import Command, Signal, Snapshot, Transaction
from tongcheng.kernel.store.worker import Worker

ASKS_REMEMBERED_MAX = 10_000


class Line(NamedTuple):
    """What a node has seen of a peer since it started; instants are UTC ms.

    `reached_at` is when anything last came from it, `silent_since_at` since when our posts to it
    have had no answer, None while they have.
    """

    reached_at: int | None
    silent_since_at: int | None


class Exchange:
    """The two lanes of one node: acts through links and the inbox, asks inline."""

    def __init__(
        self, home: Home, worker: Worker, registry: Registry, transport: Transport, clock: Clock
    ) -> None:
        self.home = home
        self.refusals: Counter[str] = Counter()
        self._worker = worker
        self._registry = registry
        self._transport = transport
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting = Waiting()
        self._asked: dict[str, OrderedDict[str, int]] = {}
        self._heard: dict[str, int] = {}
        worker.on_signals = self.on_signals

    # life

    def start(self) -> None:
        """Open a link to every peer of the accord in force; restarted when a new one is adopted."""
        for peer in self.home.accord.peers(self.home.member_id):
            link = Link(peer, self.home, self._worker, self._take, self._transport, self._clock)
            self._links[peer] = link
            self._tasks.append(asyncio.create_task(link.run(), name=f"link to {peer}"))

    async def stop(self) -> None:
        """End the links; what was not acknowledged waits for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._links.clear()

    def on_signals(self, signals: Sequence[Signal]) -> None:
        """Wake what a commit has made possible."""
        for kind, subject in signals:
            if kind == "outbox" and subject in self._links:
                self._links[subject].wake()
            elif kind == "reply" and subject in self._links:
                self._links[subject].wake_later()
            elif kind == "answered":
                self._waiting.wake(subject)

    def line_to(self, peer: str) -> Line:
        """Return what is known of the line to a peer since this node started."""
        link = self._links.get(peer)
        heard_at = self._heard.get(peer)
        if link is None:
            return Line(heard_at, None)
        times = [at for at in (link.reached_at, heard_at) if at is not None]
        return Line(max(times, default=None), link.silent_since_at)

    def line_is_back(self, peer: str) -> None:
        """Try a peer at once that did not answer: whoever says so has seen that the line is back.

        Without this word a link finds out at its next try, half a minute later at most.
        """
        if peer in self._links:
            self._links[peer].try_now()

    async def wait_answer(self, envelope_id: str, timeout_ms: int) -> bool:
        """Wait until our act has been answered; False when the time is over.

        Call it after the commit that sent the act; an answer that came before the call is not
        seen, so look at the store again after it returns.
        """
        return await self._waiting.wait(envelope_id, timeout_ms)

    async def wait_concluded(self, envelope_id: str, command: Command, timeout_ms: int) -> Any:
        """Wait as `wait_answer`; return what a command makes of the answer, in the same commit.

        None where it must still be run: the time is over, or it failed, or nothing was seen.
        """
        return await self._waiting.conclude(envelope_id, command, timeout_ms)

    # acts

    async def receive(self, raw: bytes) -> bytes:
        """Take a peer's batch and return ours; a refusal is counted and changes nothing."""
        return await self._take_and_answer(self._open(raw, "act"))

    async def catch_up(self, raw: bytes) -> bytes:
        """Answer a peer that asks for what it has not got; acts belong into the inbox."""
        opened = self._open(raw, "act")
        if opened.received:
            self.refusals["CATCH_UP_CARRIES_ACTS"] += 1
            raise Refused("CATCH_UP_CARRIES_ACTS", count=len(opened.received))
        return await self._take_and_answer(opened)

    async def _take(
        self, opened: Opened, then: Callable[[Transaction], None] = lambda _: None
    ) -> None:
        """Take a verified batch; `then` runs in the transaction of its last part."""

        def finish(tx: Transaction) -> None:
            self._waiting.run_commands(tx, opened)
            then(tx)

        await consulting.take(self._worker, self._registry, self.home, opened, finish)

    async def _take_and_answer(self, opened: Opened) -> bytes:
        try:
            await self._take(opened)
        except Refused as refusal:
            self.refusals[refusal.code] += 1
            raise
        now_at = self._clock.now()
        return self._worker.glance(
            lambda snapshot: outgoing.answer_batch(snapshot, self.home, opened, now_at=now_at)
        )

    def _open(self, raw: bytes, lane: str) -> Opened:
        try:
            opened = open_batch(
                raw,
                self.home.accord,
                member_id=self.home.member_id,
                now_at=self._clock.now(),
                lane=lane,
                earlier=self.home.accords_lately,
            )
        except Refused as refusal:
            self.refusals[refusal.code] += 1
            raise
        self._heard[opened.statement.src] = self._clock.now()
        return opened

    # asks

    async def ask(self, peer: str, question: Reply, *, deadline_ms: int) -> Any:
        """Ask a peer and return its answer's body; Refused as the peer decided, or Unreachable."""
        home = self.home
        ask = self._registry.asks[question.type]
        now_at = self._clock.now()
        asked = _ask_envelope(home, peer, question, now_at, not_after=now_at + deadline_ms)
        member = home.accord.member(peer)
        status, raw = await self._transport.post(
            member.address, ASK_PATH, _pack_one(home, asked, now_at), timeout_ms=deadline_ms
        )
        if status != HTTPStatus.OK:
            raise Unreachable(peer, f"answered {status}")
        reply = self._open_reply(raw, asked)
        if reply.type == acts.REFUSED_TYPE:
            body = canonical.convert(reply.body, acts.RefusedBody)
            raise PeerRefused(peer, body.code, **body.facts)
        return canonical.convert(reply.body, ask.answer_body)

    def _open_reply(self, raw: bytes, asked: Envelope) -> Envelope:
        """Return the peer's answer; one that proves nothing is no answer, and says nothing."""
        try:
            opened = self._open(raw, "ask")
        except Refused as refusal:
            raise Unreachable(asked.dst, f"its answer is {refusal.code}") from refusal
        if opened.statement.src != asked.dst or len(opened.received) != 1:
            raise Unreachable(asked.dst, "an answer is one envelope of the peer's")
        reply = opened.received[0].envelope
        if reply.reply_to != asked.id:
            raise Unreachable(asked.dst, "its answer is to another question")
        return reply

    async def answer_ask(self, raw: bytes) -> bytes:
        """Answer a peer's question, after it is written into the audit."""
        opened = self._open(raw, "ask")
        if len(opened.received) != 1:
            raise Refused("BATCH_MALFORMED", detail="a question is one envelope")
        received = opened.received[0]
        asked = received.envelope
        self._check_ask(asked)
        reply = await self._reply_to(received)
        now_at = self._clock.now()
        answer = _ask_envelope(self.home, asked.src, reply, now_at, reply_to=asked.id)
        return _pack_one(self.home, answer, now_at)

    def _check_ask(self, asked: Envelope) -> None:
        """Refuse a question that came too late, or a second time."""
        now_at = self._clock.now()
        skew_ms = self.home.accord.limits.clock_skew_ms
        if asked.not_after is None or asked.not_after < now_at - skew_ms:
            raise Refused("ASK_TOO_LATE", not_after=asked.not_after or 0, now=now_at)
        if asked.not_after > now_at + skew_ms:
            raise Refused("ASK_TOO_LONG", not_after=asked.not_after, now=now_at)
        # Peer by peer, so that one that asks without end shuts out nobody but itself.
        remembered = self._asked.setdefault(asked.src, OrderedDict())
        # The oldest first: one that is kept beyond its time, behind a longer one, does no harm.
        while remembered and next(iter(remembered.values())) < now_at - skew_ms:
            remembered.popitem(last=False)
        if asked.id in remembered:
            raise Refused("ASK_REPLAYED", envelope=asked.id)
        if len(remembered) >= ASKS_REMEMBERED_MAX:
            raise Refused("OVERLOADED", waiting=len(remembered))
        remembered[asked.id] = asked.not_after

    async def _reply_to(self, received: Received) -> Reply:
        """Write a question into the audit, and return its answer or the refusal of one."""
        asked = received.envelope
        ask = self._registry.asks.get(asked.type)
        if ask is not None and ask.writes:
            written: Reply = await self._worker.run(partial(self._answer_writing, ask, received))
            return written
        await self._worker.run(partial(_note_ask, received))
        answers = await consulting.for_ask(self._worker, self._registry, self.home, asked)
        answer = partial(self._answer, ask, asked, answers)
        try:
            if ask is not None and ask.brief:
                return self._worker.glance(answer)
            return await self._worker.read(answer)
        except NotConsulted:
            raise Refused("AGENCY_SILENT", detail="asked while something changed") from None

    def _answer_writing(self, ask: Ask, received: Received, tx: Transaction) -> Reply:
        """Answer in the command that writes the audit, which stands also where this refuses."""
        asked = received.envelope
        _note_ask(received, tx)
        try:
            with tx.all_or_nothing():
                return ask.answer(tx, self.home, asked, canonical.convert(asked.body, ask.body))
        except Refused as refusal:
            return _refused(refusal)

    def _answer(
        self, ask: Ask | None, asked: Envelope, answers: Answers, snapshot: Snapshot
    ) -> Reply:
        snapshot.consulted = answers
        try:
            if ask is None:
                raise Refused("TYPE_UNKNOWN", type=asked.type)
            return ask.answer(snapshot, self.home, asked, canonical.convert(asked.body, ask.body))
        except Refused as refusal:
            return _refused(refusal)


def _note_ask(received: Received, tx: Transaction) -> None:
    """Write who asks what into the audit."""
    asked = received.envelope
    entry = audit.Entry(
        actor=asked.src, action=asked.type, subject=asked.id, detail=received.digest
    )
    audit.note(tx, entry)


def _refused(refusal: Refused) -> Reply:
    return Reply(acts.REFUSED_TYPE, acts.RefusedBody(code=refusal.code, facts=dict(refusal.facts)))


def _ask_envelope(
    home: Home,
    peer: str,
    content: Reply,
    now_at: int,
    *,
    not_after: int | None = None,
    reply_to: str | None = None,
) -> Envelope:
    """Return an unnumbered envelope (seq 0) of the ask lane."""
    return Envelope(
        id=ids.uuid7(now_at, home.entropy),
        src=home.member_id,
        dst=peer,
        seq=0,
        type=content.type,
        made_at=now_at,
        accord=home.accord.digest(),
        body=msgspec.to_builtins(content.body),
        reply_to=reply_to,
        not_after=not_after,
        rulebooks=list(content.rulebooks),
    )


def _pack_one(home: Home, one: Envelope, now_at: int) -> bytes:
    return envelope.pack(
        home.ring.signing,
        src=home.member_id,
        dst=one.dst,
        envelopes=[one.encoded()],
        acknowledged=0,
        sent_at=now_at,
    )
