"""What the desk shows: frozen data, filled from the store. Amounts are fen, instants UTC ms."""

from datetime import date
from typing import Literal

import msgspec

from tongcheng.kernel.words import Words

Kind = Literal["settle", "void"]
Why = Literal["sending", "silent", "dead", "deciding", "rejected"]
"""Why no answer counts yet: it is on its way; the peer is not reached; the peer refuses our batch;
the peer has it and decides; its answer came and was refused here."""


class Waiting(msgspec.Struct, frozen=True):
    """One settlement that is not closed (未闭合), or the void of one.

    `held_fen` is what is set aside for it: the amount in scope until it is decided, and what the
    funds paid until the void is confirmed. `why_since` is since when the peer has been silent.
    """

    stay_id: str
    settlement_id: str
    kind: Kind
    since_at: int
    hospital: Words
    insured_member: str
    insured_area: Words
    held_fen: int
    why: Why
    why_since: int | None = None
    code: str = ""


class Ages(msgspec.Struct, frozen=True):
    """How many wait, and since when: less than a minute, less than ten, longer."""

    fresh: int = 0
    slow: int = 0
    long: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.fresh + self.slow + self.long


class Unsettled(msgspec.Struct, frozen=True):
    """One stay whose person has left and whose bill is not settled (已出院待结算)."""

    stay_id: str
    discharged_at: int
    hospital: Words
    insured_member: str
    insured_area: Words


class Sums(msgspec.Struct, frozen=True):
    """Settlements of a day: how many, the bills, and who pays them."""

    count: int = 0
    total_fen: int = 0
    fund_fen: int = 0
    person_fen: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Return both together."""
        return Sums(
            self.count + other.count,
            self.total_fen + other.total_fen,
            self.fund_fen + other.fund_fen,
            self.person_fen + other.person_fen,
        )


class Flow(msgspec.Struct, frozen=True):
    """What was settled today for persons insured in one area, treated in one place."""

    visited_member: str
    insured_member: str
    insured_area: Words
    sums: Sums


class Refusals(msgspec.Struct, frozen=True):
    """How many settlements were refused today for one reason, by us or by them, and what to do."""

    code: str
    ours: bool
    count: int
    what: str
    do: str


class DueCases(msgspec.Struct, frozen=True):
    """Queries of persons about lines of bills: how many are open, and how many too late."""

    open: int
    late: int


class OneSided(msgspec.Struct, frozen=True):
    """How many settlements the sides contradict each other on, at the last looks.

    `since_at` is the oldest of the looks that count; `unseen` peers have never been looked at.
    `sums_differ` where the books do not agree although no settlement was found to differ.
    """

    count: int
    since_at: int
    unseen: int
    sums_differ: bool = False


class DeskPage(msgspec.Struct, frozen=True):
    """The desk at `now_at`; `today` is the region's date, `hours` are settlements by hour of it.

    `waiting` and `unsettled` are the longest waiting; `ages` and `unsettled_count` count all.
    `undone_count` are those who left and whose settlement was refused or taken back since.
    `cases` is None where the reader may not see them, `one_sided` before any peer has answered.
    """

    now_at: int
    today: date
    ages: Ages
    held_fen: int
    waiting: tuple[Waiting, ...]
    unsettled: tuple[Unsettled, ...]
    unsettled_count: int
    undone_count: int
    flows: tuple[Flow, ...]
    hours: tuple[int, ...]
    refusals: tuple[Refusals, ...]
    disputed: int
    cases: DueCases | None = None
    one_sided: OneSided | None = None
    live: bool = True

    @property
    def settled(self) -> Sums:
        """What was settled today, together."""
        whole = Sums()
        for flow in self.flows:
            whole = whole.plus(flow.sums)
        return whole
