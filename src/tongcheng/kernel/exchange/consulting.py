"""Taking a batch whose acts need an answer of the agency's own system first.

The answer is asked for outside the writer's transaction, act by act: what an act before it has
changed belongs into the question. Silence is a refusal of the post, so the act is not taken, its
number is not used up, and the peer brings it again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.agency import Answers, Consulted, NotConsulted
from tongcheng.kernel.envelope import Envelope, Opened
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Act, Ask, Registry
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.kernel.store.worker import Worker

TRIES = 3
"""So often another commit may change the question while it is asked."""


async def take(
    worker: Worker,
    registry: Registry,
    home: Home,
    opened: Opened,
    then: Callable[[Transaction], None] | None = None,
) -> None:
    """Take a verified batch as `acts.take` does, asking first what its acts need.

    `then` runs in the transaction of the last part. Refuses AGENCY_SILENT.
    """
    whole = len(opened.received)
    if home.agency is not None:
        for at, received in enumerate(opened.received):
            act = registry.acts.get(received.envelope.type)
            if act is not None and act.consult is not None:
                if at:
                    await _run(worker, registry, _first(opened, at), {}, None)
                await _consulting(worker, registry, home, _first(opened, at + 1), act)
    await _run(worker, registry, _first(opened, whole), {}, then)


async def for_ask(worker: Worker, registry: Registry, home: Home, asked: Envelope) -> Answers:
    """Return what the agency's system answers to what a peer's question needs; AGENCY_SILENT."""
    ask = registry.asks.get(asked.type)
    if home.agency is None or ask is None or ask.consult is None:
        return {}
    question = await worker.read(lambda snapshot: _question(snapshot, home, ask, asked))
    if question is None:
        return {}
    return {asked.id: Consulted(question, await home.agency.ask(question))}


async def _consulting(
    worker: Worker, registry: Registry, home: Home, opened: Opened, act: Act
) -> None:
    """Take the last act of these with the answer that it needs."""
    envelope = opened.received[-1].envelope
    for left in reversed(range(TRIES)):
        asked = await worker.read(lambda snapshot: _question(snapshot, home, act, envelope))
        answers: Answers = {}
        if asked is not None:
            assert home.agency is not None, "asked only where there is one"
            answers = {envelope.id: Consulted(asked, await home.agency.ask(asked))}
        try:
            return await _run(worker, registry, opened, answers, None)
        except NotConsulted:
            if not left:
                raise Refused("AGENCY_SILENT", detail="asked, and asked again") from None
    return None


def _question(snapshot: Snapshot, home: Home, act: Act | Ask, envelope: Envelope) -> bytes | None:
    """Return what to ask; None for an act that was taken before or will be refused anyway."""
    assert act.consult is not None, "the caller has looked"
    if snapshot.get(TAKEN, envelope.id) is not None:
        return None
    try:
        body: Any = canonical.convert(envelope.body, act.body)
        return act.consult(snapshot, home, envelope, body)
    except Refused:
        return None


async def _run(
    worker: Worker,
    registry: Registry,
    opened: Opened,
    answers: Answers,
    then: Callable[[Transaction], None] | None,
) -> None:
    def command(tx: Transaction) -> None:
        tx.consulted = answers
        try:
            acts.take(tx, registry, opened)
        finally:
            tx.consulted = {}
        if then is not None:
            then(tx)

    await worker.run(command)


def _first(opened: Opened, count: int) -> Opened:
    return msgspec.structs.replace(opened, received=opened.received[:count])
