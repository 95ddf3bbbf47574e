"""What a service registers with its node: one frozen value, listed once in `node/services.py`.

No discovery, no entry points: who wants to know what a node can do reads one tuple.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from tongcheng.kernel.access import Action
from tongcheng.kernel.cases.kind import CaseKind
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction

if TYPE_CHECKING:
    from tongcheng.kernel.running import RunningNode


class Reply(msgspec.Struct, frozen=True):
    """What answers an envelope: its type, its body, and the digests of the books used."""

    type: str
    body: msgspec.Struct
    rulebooks: tuple[str, ...] = ()


class Act(msgspec.Struct, frozen=True):
    """One type of envelope that changes state.

    `take` runs inside the writer's transaction: it returns a reply, returns None (an answer needs
    no answer), or raises Refused, which is stored and sent back as the decision. `refused` is told
    when a peer refused an envelope of this type that we sent. `consult` writes what the agency's
    own system is asked before the transaction, in a node that lets it decide; `take` finds the
    answer in `consulted`.
    """

    envelope_type: str
    body: type[msgspec.Struct]
    take: Callable[[Transaction, Envelope, Any], Reply | None]
    refused: Callable[[Transaction, Envelope, Refused], None] | None = None
    consult: Callable[[Reading, Home, Envelope, Any], bytes] | None = None


class Ask(msgspec.Struct, frozen=True):
    """One type of question, answered from a read connection and audited at the holder.

    `answer_type` is the type of envelope that answers it; the accord permits both. `answer` gets a
    Snapshot; of a question that `writes`, the Transaction that writes the audit entry: for what
    must be there before it can be told, such as the id that stands for a person towards the member
    who asks. `consult` is as an act's. A `brief` question takes a few look-ups by key, and is
    answered without another thread.
    """

    envelope_type: str
    body: type[msgspec.Struct]
    answer: Callable[[Any, Home, Envelope, Any], Reply]
    answer_body: type[msgspec.Struct]
    answer_type: str
    writes: bool = False
    consult: Callable[[Reading, Home, Envelope, Any], bytes] | None = None
    brief: bool = False


class Job(msgspec.Struct, frozen=True):
    """What a service does by itself in a running node: `run` at its start and every `period_s`.

    A failure is logged, and the job runs again at its next time.
    """

    name: str
    period_s: float
    run: "Callable[[RunningNode], Awaitable[object]]"


class Finding(msgspec.Struct, frozen=True):
    """One thing that verification found wrong: where, and what."""

    table: str
    key: str
    problem: str


class Service(msgspec.Struct, frozen=True):
    """Everything one service brings: interfaces inward (acts, asks, tables, cases) and outward.

    `pages` are the console's, for people who work. `person_pages` each prove for themselves who
    reads, so a node serves them to anybody, also where its console is closed. `actions` are what
    people can do on its pages; each page names one of them (`opt=needs(...)`). `reads` are the
    audit's actions by which somebody saw personal data, each with the key of its words. `warm` is
    what a node that serves has to do once, in a thread, before it says that it is ready.
    """

    name: str
    acts: tuple[Act, ...] = ()
    asks: tuple[Ask, ...] = ()
    tables: tuple[Records[Any], ...] = ()
    cases: tuple[CaseKind, ...] = ()
    errors: tuple[Path, ...] = ()
    texts: tuple[Path, ...] = ()
    routes: tuple[Any, ...] = ()
    pages: tuple[Any, ...] = ()
    person_pages: tuple[Any, ...] = ()
    verify: tuple[Callable[[Snapshot, Home], Iterator[Finding]], ...] = ()
    actions: tuple[Action, ...] = ()
    jobs: tuple[Job, ...] = ()
    reads: Mapping[str, str] = MappingProxyType({})
    warm: tuple[Callable[[], object], ...] = ()


class Registry:
    """The acts and asks of a node's services, by type."""

    def __init__(self, services: Sequence[Service]) -> None:
        acts = [act for service in services for act in service.acts]
        asks = [ask for service in services for ask in service.asks]
        self.acts = {act.envelope_type: act for act in acts}
        self.asks = {ask.envelope_type: ask for ask in asks}
        assert len(self.acts) == len(acts), "two services register one act"
        assert len(self.asks) == len(asks), "two services register one ask"
