"""The tree that explains a bill: every amount with its reason, its rule, and what it is made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from tongcheng.services.settlement.rule_words import RuleWords

PERSON: Final = "person"
HOSPITAL: Final = "hospital"
"""Payers that are no fund; no fund is called so."""

Fact = int | str | None


class Reason(msgspec.Struct, frozen=True):
    """One amount (fen) and why it is what it is; the amounts of the children add up to it.

    `key` is stable and has words in `explain_words`; `facts` are what the words are filled with:
    `_fen` amounts, `_e8` shares over 10**8, `_bp` basis points, `_e6` yuan over 10**6. A leaf
    names its `payer`. `rule` decided it, and `modified_by` changed what that rule says.
    """

    key: str
    amount_fen: int
    facts: dict[str, Fact] = {}
    rule: RuleWords | None = None
    modified_by: tuple[RuleWords, ...] = ()
    children: tuple["Reason", ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether a figure that this amount itself follows from is in doubt."""
        return any(each.doubtful for each in self.rules)

    @property
    def rules(self) -> tuple[RuleWords, ...]:
        """The rule and what changed it."""
        return self.modified_by if self.rule is None else (self.rule, *self.modified_by)


class Explanation(msgspec.Struct, frozen=True):
    """Both cuts of one bill: by what the insurance covers, and by who pays.

    `has_lines` is False on the side that does not have the lines of the bill.
    """

    scope: Reason
    payers: Reason
    book_status: Literal["draft", "adopted"]
    has_lines: bool


def leaf(
    key: str,
    amount_fen: int,
    facts: dict[str, Fact] | None = None,
    *,
    rule: RuleWords | None = None,
    modified_by: tuple[RuleWords, ...] = (),
) -> Reason:
    """Return an amount that is not cut further."""
    return Reason(key, amount_fen, facts or {}, rule, modified_by)


def node(
    key: str,
    amount_fen: int,
    children: Sequence[Reason],
    facts: dict[str, Fact] | None = None,
    *,
    rule: RuleWords | None = None,
    modified_by: tuple[RuleWords, ...] = (),
    payer: str = PERSON,
) -> Reason:
    """Return an amount with its parts; what they leave over is named, and borne by `payer`."""
    rest = amount_fen - added(children)
    if rest:
        children = [*children, leaf("unexplained", rest, {"payer": payer})]
    return Reason(key, amount_fen, facts or {}, rule, modified_by, tuple(children))


def moved(key: str, payer: str, amount_fen: int, facts: dict[str, Fact] | None = None) -> Reason:
    """Return what a payer bears instead of the person: no part of the bill, so it is zero."""
    facts = facts or {}
    more = leaf(f"{key}_more", amount_fen, {**facts, "payer": payer})
    less = leaf(f"{key}_less", -amount_fen, {**facts, "payer": PERSON})
    return node(key, 0, [more, less], {**facts, "moved_fen": amount_fen})


def added(reasons: Iterable[Reason]) -> int:
    """Return the sum of some amounts."""
    return sum(each.amount_fen for each in reasons)


def leaves(reason: Reason) -> Iterator[Reason]:
    """Return the leaves of a tree, in its order."""
    if not reason.children:
        yield reason
    for child in reason.children:
        yield from leaves(child)
