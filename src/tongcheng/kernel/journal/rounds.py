"""The rounds in which members make, show and co-sign checkpoints.

Every few seconds a node signs the head of its journal, if it has grown, and shows it to every peer
that has not co-signed it; the lines that come back are kept with the checkpoint. Then it forwards
what it has witnessed of the others. Nothing is written and nothing is sent when nothing changed.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import (
    CHECKPOINT_PATH,
    POST_TIMEOUT_MS,
    PeerRefused,
    Transport,
    Unreachable,
    accepted,
)
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import checkpoint as checkpoints
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal import witness as witnesses
from tongcheng.kernel.journal.checkpoint import CheckpointRow
from tongcheng.kernel.journal.note import Note, SignatureLine
from tongcheng.kernel.store import StoredValueDamaged
from tongcheng.kernel.store.worker import Worker
from tongcheng.kernel.store.writer import WriterStopped

PERIOD_MS = 5_000
PERIOD_MIN_MS = 1_000


class Checkpoints:
    """One node's checkpoints: `run` makes and shows them, `receive` answers the peers'.

    `troubles` holds, per peer, why its last answer was no co-signature; `refusals` counts ours;
    `faults` counts rounds that our own store kept from working, `last_fault` says why.
    """

    def __init__(
        self,
        home: Home,
        worker: Worker,
        transport: Transport,
        clock: Clock,
        *,
        period_ms: int = PERIOD_MS,
    ) -> None:
        assert period_ms >= PERIOD_MIN_MS, "at most one checkpoint a second"
        self.home = home
        self.troubles: dict[str, Refused | Unreachable] = {}
        self.refusals: Counter[str] = Counter()
        self.faults = 0
        self.last_fault = ""
        self._worker = worker
        self._transport = transport
        self._clock = clock
        self._period_ms = period_ms
        self._known: dict[str, int] = {}
        self._forwarded: dict[str, list[tuple[str, int]]] = {}

    async def run(self) -> None:
        """Hold a round every period, until cancelled."""
        while True:
            try:
                await self.round()
            except WriterStopped:
                return
            except (Refused, StoredValueDamaged) as trouble:
                # A full disk or one damaged row must not end the rounds; the next one tries again.
                self.faults += 1
                self.last_fault = str(trouble)
            await asyncio.sleep(self._period_ms / 1_000)

    async def round(self) -> None:
        """Make a checkpoint if the journal has grown, show it, and forward what was witnessed."""
        if self.home.accord_in_force is None:
            return
        if await self._worker.read(checkpoints.has_grown):
            await self._worker.run(checkpoints.make)
        peers = self.home.accord.peers(self.home.member_id)
        await asyncio.gather(*(self._visit(peer) for peer in peers))

    async def _visit(self, peer: str) -> None:
        try:
            await self._show(peer)
            await self._forward(peer)
        except (Refused, Unreachable) as trouble:
            self.troubles[peer] = trouble
        else:
            self.troubles.pop(peer, None)

    # showing our own

    async def _show(self, peer: str) -> None:
        """Get the peer's co-signature on our newest checkpoint, unless it is there already."""
        row = await self._worker.read(checkpoints.latest)
        if row is None or self._has_cosigned(row, peer):
            return
        answer = await self._submit(peer, row)
        lines = _lines(answer)
        added = await self._worker.run(lambda tx: checkpoints.add_cosignatures(tx, row.size, lines))
        if peer not in added:
            raise Refused("SIGNATURE_BROKEN", member=peer, part="cosignature")
        self._known[peer] = row.size

    def _has_cosigned(self, row: CheckpointRow, peer: str) -> bool:
        return peer in notes.witnesses(notes.parse(row.note), [self.home.accord])

    async def _submit(self, peer: str, row: CheckpointRow) -> str:
        """Post the checkpoint, adding a proof from each size that the witness says it needs."""
        old_sizes = [self._known.get(peer, 0)]
        while True:
            ask = partial(checkpoints.submission, row=row, old_sizes=tuple(old_sizes))
            body = await self._worker.read(ask)
            try:
                return await self._post(peer, body)
            except PeerRefused as refusal:
                known = refusal.facts.get("known")
                is_missing = refusal.code == "CHECKPOINT_PROOF_MISSING" and isinstance(known, int)
                if not is_missing or known in old_sizes:
                    raise
                assert isinstance(known, int)
                old_sizes.append(known)

    async def _post(self, peer: str, body: str) -> str:
        address = self.home.accord.member(peer).address
        status, answer = await self._transport.post(
            address, CHECKPOINT_PATH, body.encode(), timeout_ms=POST_TIMEOUT_MS
        )
        return accepted(peer, status, answer).decode("utf-8", "replace")

    # forwarding the others'

    async def _forward(self, peer: str) -> None:
        """Tell the peer what we have co-signed of the others since we last told it."""
        rows = await self._worker.read(
            lambda snapshot: witnesses.witnessed_of_others(snapshot, peer)
        )
        told = [(row.member_id, row.size) for row in rows]
        if not rows or self._forwarded.get(peer) == told:
            return
        await self._post(peer, witnesses.encode_heard([notes.parse(row.note) for row in rows]))
        self._forwarded[peer] = told

    # the witness's side

    async def receive(self, raw: bytes) -> bytes:
        """Answer a peer's request: a co-signature line, nothing, or a refusal by name."""
        try:
            return (await self._answer(raw)).encode()
        except Refused as refusal:
            self.refusals[refusal.code] += 1
            raise

    async def _answer(self, raw: bytes) -> str:
        """Check what needs no state before the writer is troubled with it."""
        if len(raw) > checkpoints.REQUEST_BYTES_MAX:
            notes.malformed(f"over {checkpoints.REQUEST_BYTES_MAX} bytes")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            notes.malformed("not UTF-8")
        if text.startswith(witnesses.HEARD_HEADER):
            return await self._hear(witnesses.parse_heard(text))
        given = checkpoints.parse_submission(text)
        member = self._origin(given.note)
        decision = await self._worker.run(lambda tx: witnesses.witness(tx, member, given))
        if isinstance(decision, Refused):
            raise decision
        assert isinstance(decision, str)
        return decision

    def _origin(self, note: Note) -> str:
        return witnesses.check_origin(
            note, self.home.accord, self.home.member_id, self._clock.now()
        )

    async def _hear(self, forwarded: Sequence[Note]) -> str:
        """Note what is new; what no key of ours can check is passed over and counted."""
        for note in forwarded:
            try:
                member = self._origin(note)
            except Refused as refusal:
                self.refusals[refusal.code] += 1
                continue
            is_news = partial(witnesses.news, home=self.home, member=member, note=note)
            if await self._worker.read(is_news):
                hear = partial(witnesses.hear, member=member, note=note)
                refusal_found = await self._worker.run(hear)
                if isinstance(refusal_found, Refused):
                    raise refusal_found
        return ""


def _lines(answer: str) -> list[SignatureLine]:
    """Read the witness's answer: signature lines, each with its newline."""
    return [notes.parse_line(line) for line in answer.split("\n") if line]
