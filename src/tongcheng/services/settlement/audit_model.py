"""What an audit of somebody else's settlements reads and finds (docs/audit.md).

A row is one settlement as another system computed it, with what the person had used before. All
amounts are int fen; ids are opaque and stand in the findings as they stood in the file.
"""

from datetime import date
from typing import Final

import msgspec

from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.tables import RulePointer

FIGURES: Final = {
    "deductible": "deductible_fen",
    "pool": "pool_fen",
    "large": "large_fen",
    "catastrophic": "catastrophic_fen",
    "assistance": "assistance_fen",
    "person_in_scope": "person_in_scope_fen",
    "person_total": "personal_total_fen",
}
"""A computed column of the file → the field of `Benefit` that it is compared with."""
FUNDS: Final = ("pool", "large", "catastrophic", "assistance")

Figures = dict[str, int]
"""Fen by the names of FIGURES; what a file does not give is left out."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One settlement of the file. `line` counts from 1, the header of a CSV file being line 1.

    `bill` and `before` are what was decided on, `theirs` what was decided. A row that takes
    another back names it in `voids`, or has negative amounts.
    """

    line: int
    settlement_id: str
    person_id: str
    settled_on: date
    order: int | None
    book_id: str
    bill: Bill
    before: Accumulators
    theirs: Figures
    voids: str | None = None

    @property
    def is_void(self) -> bool:
        """Whether the row takes a settlement back."""
        return self.voids is not None or self.bill.in_scope_fen < 0


class Unjudged(msgspec.Struct, frozen=True, kw_only=True):
    """A row about which nothing can be said, by the code of the refusal and its facts."""

    line: int
    settlement_id: str
    code: str
    facts: dict[str, str | int]


class Cited(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a figure rests on; `sources` are keys of that book."""

    book_id: str
    digest: str
    path: str
    value: str | None = None
    clause: str | None = None
    sources: tuple[str, ...] = ()
    confidence: str | None = None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One explanation that gives their figures exactly: a key of CAUSES, and what it is about."""

    key: str
    facts: dict[str, str | int] = {}
    rules: tuple[Cited, ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """One figure that differs. A figure `opening_…` is an accumulator, not an amount paid."""

    figure: str
    theirs_fen: int
    ours_fen: int

    @property
    def more_fen(self) -> int:
        """How much more theirs is."""
        return self.theirs_fen - self.ours_fen


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A row that differs: every figure, every cause that explains all of them, the rules behind.

    `causes` is never empty; one of the key `unexplained` says that none was found.
    """

    line: int
    settlement_id: str
    person_id: str
    settled_on: date
    book_id: str
    book_digest: str | None
    book_status: str | None
    differences: tuple[Difference, ...]
    causes: tuple[Cause, ...]
    rules: tuple[Cited, ...] = ()

    @property
    def cause_keys(self) -> str:
        """The keys of all causes that fit, each once, joined by `|`."""
        return "|".join(dict.fromkeys(cause.key for cause in self.causes))

    @property
    def fund_more_fen(self) -> int:
        """How much more the funds paid by their figures than by ours."""
        paid = [each.more_fen for each in self.differences if each.figure in FUNDS]
        if paid:
            return sum(paid)
        person = [each for each in self.differences if each.figure == "person_in_scope"]
        person = person or [each for each in self.differences if each.figure == "person_total"]
        return -sum(each.more_fen for each in person)


def figures_of(benefit: Benefit) -> Figures:
    """Return a benefit's amounts by the names of the file's columns."""
    values = {name: getattr(benefit, field) for name, field in FIGURES.items()}
    return {name: value for name, value in values.items() if value is not None}


def cite(book_id: str, digest: str, rule: RulePointer) -> Cited:
    """Return a rule as a finding names it."""
    return Cited(
        book_id=book_id,
        digest=digest,
        path=rule.path,
        value=rule.value,
        clause=rule.clause,
        sources=rule.sources,
        confidence=rule.confidence,
    )


def compare(theirs: Figures, ours: Figures) -> tuple[Difference, ...]:
    """Return the figures that both give and that differ."""
    return tuple(
        Difference(name, value, ours[name])
        for name, value in theirs.items()
        if name in ours and ours[name] != value
    )


def sums_broken(bill: Bill, theirs: Figures) -> list[tuple[str, int]]:
    """Return the identities that their own figures break, with the fen by which they miss.

    in scope = funds + person in scope; total = funds + person's total; and, where the funds are
    not all given, the person's total less his part in scope = total - in scope.
    """
    broken = []
    funds = sum(theirs.get(name, 0) for name in FUNDS)
    in_scope, whole = theirs.get("person_in_scope"), theirs.get("person_total")
    if "pool" in theirs and in_scope is not None:
        broken.append(("in_scope", bill.in_scope_fen - funds - in_scope))
    if bill.total_fen is not None and whole is not None:
        if "pool" in theirs:
            broken.append(("total", bill.total_fen - funds - whole))
        if in_scope is not None:
            outside = bill.total_fen - bill.in_scope_fen
            broken.append(("person", whole - in_scope - outside))
    return [(name, missed) for name, missed in broken if missed]
