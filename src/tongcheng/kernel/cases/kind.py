"""What a kind of case is: a literal table of moves, and for each open state whose turn it is.

A kind is frozen data that a service registers. What is not in the table is not allowed; a state
without a leg is an end. A table that has been used is only ever added to: the journal holds moves
made by it, and `journal verify` looks each of them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from tongcheng.kernel.home import Home

WORDS_CHARACTERS_MAX: Final = 500
OPEN: Final = "open"
"""The first hand-over of every case: whoever opens it hands it to the owner of its first leg."""


class Term(msgspec.Struct, frozen=True):
    """How long a leg may take; the day of the hand-over does not count.

    `count` is a number of days, or the name of a rule that a dated rule book gives the number
    for. Calendar days run through holidays; working days are those of the region.
    """

    count: int | str
    days: Literal["working", "calendar"]


class Leg(msgspec.Struct, frozen=True):
    """Whose turn it is in a state, and until when."""

    owner: str
    term: Term


class CaseKind(msgspec.Struct, frozen=True):
    """One kind of case (办件种类).

    Args:
        name: unique among all services; stands in every row and leaf.
        first: the state after `OPEN`, which only the role `opened_by` may do.
        table: (state, action) → state.
        legs: open state → its leg. A state that has none is closed.
        may: action → the roles that may take it.
        when_late: moves that are allowed only after the leg's deadline.
        with_words: actions (and OPEN) that need words; all others may have some.
        days_of: the number of days that a rule gives on a day; refuses what no book says.
    """

    name: str
    first: str
    opened_by: str
    table: Mapping[tuple[str, str], str]
    legs: Mapping[str, Leg]
    may: Mapping[str, tuple[str, ...]]
    when_late: frozenset[tuple[str, str]] = frozenset()
    with_words: frozenset[str] = frozenset()
    days_of: Callable[[Home, str, date], int] | None = None

    def __post_init__(self) -> None:
        """Hold the table to itself: every open state has a way on, every action its roles."""
        states = {state for state, _ in self.table}
        assert states == set(self.legs), f"{self.name}: states with moves are those with a leg"
        assert self.first in self.legs, f"{self.name}: a case begins with somebody's turn"
        assert set(self.legs) <= {self.first, *self.table.values()}, f"{self.name}: unreachable"
        actions = {action for _, action in self.table}
        assert actions == set(self.may), f"{self.name}: actions and roles differ"
        assert OPEN not in actions, f"{self.name}: nothing is opened twice"
        assert self.when_late <= set(self.table), f"{self.name}: a late move is a move"
        assert self.with_words <= {OPEN, *actions}, f"{self.name}: words of no action"
        ruled = any(isinstance(leg.term.count, str) for leg in self.legs.values())
        assert not ruled or self.days_of, f"{self.name}: nobody knows the rules' numbers"

    @property
    def roles(self) -> frozenset[str]:
        """Everybody who takes part: each case names one party for each of them."""
        owners = {leg.owner for leg in self.legs.values()}
        return frozenset({self.opened_by, *owners, *(r for rs in self.may.values() for r in rs)})

    def follow(self, state: str, action: str) -> str | None:
        """Return the state that follows, or None when the action is not allowed in this one."""
        return self.table.get((state, action))

    def possible(self, state: str, role: str, *, late: bool) -> tuple[str, ...]:
        """Return what a role can do in a state, in the table's order; `late` when it is overdue."""
        return tuple(
            action
            for one, action in self.table
            if one == state
            and role in self.may[action]
            and (late or (one, action) not in self.when_late)
        )
