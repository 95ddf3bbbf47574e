"""Two sides' books of the same settlements, compared row by row and purse by purse (对账).

Pure: it is handed what each side holds and says where they differ. `here` is the visited side,
`there` the insured side. A settlement whose answer is still under way is *in flight*: it is listed
with its age and its money, never hidden, and the books mirror each other apart from exactly those.
"""

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Kind = Literal["equal", "in_flight", "only_here", "only_there", "amount", "state"]
Source = Literal["books", "answers"]


class Owed(msgspec.Struct, frozen=True, order=True):
    """What one settlement comes to in one purse and accounting month, by a side's ledger."""

    purse: str
    month: str
    amount_fen: int


class SideRow(msgspec.Struct, frozen=True):
    """One settlement as one side holds it.

    `state` is the claim's on the visited side, the decision's on the insured side. `decided` tells
    whether amounts are known to this side. `since_at` (UTC ms) is when the state began.
    """

    settlement_id: str
    state: str
    decided: bool
    total_fen: int
    fund_fen: int
    person_fen: int
    owed: tuple[Owed, ...]
    since_at: int


class Side(msgspec.Struct, frozen=True):
    """What one side holds of one pair of members: its settlements, and its account totals.

    `accounts` are the due_from or due_to balances, taken from every transfer of these accounts, so
    that money without a settlement shows too. `read_at` (UTC ms) is just before the books were
    opened.
    """

    rows: tuple[SideRow, ...]
    accounts: tuple[Owed, ...]
    read_at: int


class RowFinding(msgspec.Struct, frozen=True):
    """One settlement that is not simply equal; states None where a side does not have it."""

    settlement_id: str
    kind: Kind
    here_state: str | None
    there_state: str | None
    here_fen: int
    there_fen: int
    age_ms: int


class PurseLine(msgspec.Struct, frozen=True):
    """One purse and month: due_from here, due_to there, what is in flight, what is unexplained."""

    purse: str
    month: str
    due_from_fen: int
    due_to_fen: int
    in_flight_fen: int

    @property
    def difference_fen(self) -> int:
        """Return what neither side's books nor the listed set in flight explain."""
        return self.due_to_fen - self.due_from_fen - self.in_flight_fen


class Comparison(msgspec.Struct, frozen=True):
    """The result for one pair; `source` says whether the insured side's own books were read."""

    visited_member: str
    insured_member: str
    source: Source
    equal: int
    findings: tuple[RowFinding, ...]
    purses: tuple[PurseLine, ...]

    @property
    def in_flight(self) -> tuple[RowFinding, ...]:
        """Return the settlements whose answer is under way."""
        return tuple(row for row in self.findings if row.kind == "in_flight")

    @property
    def differences(self) -> tuple[RowFinding, ...]:
        """Return the settlements on which the sides contradict each other."""
        return tuple(row for row in self.findings if row.kind != "in_flight")

    @property
    def mirrored(self) -> bool:
        """Tell whether everything is equal apart from the listed set in flight."""
        return not self.differences and not any(line.difference_fen for line in self.purses)


ABSENT: Final = "absent"

_STATES: Final[MappingProxyType[tuple[str, bool, str], Kind]] = MappingProxyType(
    {
        # The insured side has not decided, has refused, or its answer is under way.
        ("pending", False, ABSENT): "in_flight",
        ("pending", False, "settled"): "in_flight",
        ("cancelling", False, ABSENT): "in_flight",
        ("cancelling", False, "settled"): "in_flight",
        ("cancelling", False, "voided"): "in_flight",
        ("voiding", False, ABSENT): "in_flight",
        ("voiding", True, "settled"): "in_flight",
        ("voiding", True, "voided"): "in_flight",
        # Both sides have finished.
        ("settled", True, "settled"): "equal",
        ("refused", False, ABSENT): "equal",
        ("voided", False, ABSENT): "equal",
        ("voided", True, "voided"): "equal",
        # The answer to the settle was not acceptable here, the void was: nothing stands anywhere.
        ("voided", False, "voided"): "equal",
        # A decision was taken here as told, and there is none there.
        ("settled", True, ABSENT): "only_here",
        ("voiding", True, ABSENT): "only_here",
        ("voided", True, ABSENT): "only_here",
    }
)
"""(claim state, amounts known here, decision state) → class; anything else is a state that differs.

The rows follow from `life.CLAIM_TRANSITIONS` and the order of the channel.
"""


def compare(
    visited_member: str,
    insured_member: str,
    here: Side,
    there: Side,
    *,
    now_at: int,
    source: Source = "books",
) -> Comparison:
    """Compare what two members hold of the stays of one in the hospitals of the other.

    The visited side must have been read first: what the insured side decided after that is in
    flight, not a difference.
    """
    mine = {row.settlement_id: row for row in here.rows}
    theirs = {row.settlement_id: row for row in there.rows}
    assert len(mine) == len(here.rows), "a settlement is listed once here"
    assert len(theirs) == len(there.rows), "a settlement is listed once there"
    findings = []
    flying: dict[tuple[str, str], int] = {}
    for settlement_id in sorted(mine.keys() | theirs.keys()):
        one, other = mine.get(settlement_id), theirs.get(settlement_id)
        kind = _classify(one, other, here.read_at)
        if kind == "equal":
            continue
        findings.append(_finding(settlement_id, kind, one, other, now_at))
        if kind == "in_flight":
            _add(flying, () if other is None else other.owed, 1)
            _add(flying, () if one is None else one.owed, -1)
    return Comparison(
        visited_member=visited_member,
        insured_member=insured_member,
        source=source,
        equal=len(mine.keys() | theirs.keys()) - len(findings),
        findings=tuple(findings),
        purses=_purse_lines(here.accounts, there.accounts, flying),
    )


def _classify(one: SideRow | None, other: SideRow | None, read_at: int) -> Kind:
    if one is None:
        assert other is not None, "a settlement is on one side at least"
        return "in_flight" if other.since_at >= read_at else "only_there"
    state = ABSENT if other is None else other.state
    kind = _STATES.get((one.state, one.decided, state), "state")
    if kind == "state" and other is not None and other.since_at >= read_at:
        return "in_flight"  # it went on after the visited side's books were read
    if other is not None and kind in {"equal", "in_flight"} and _amounts_differ(one, other):
        return "amount"
    return kind


def _amounts_differ(one: SideRow, other: SideRow) -> bool:
    """Tell whether two rows disagree in what both of them already know."""
    if one.total_fen != other.total_fen:
        return True
    if not one.decided:
        return False
    if (one.fund_fen, one.person_fen) != (other.fund_fen, other.person_fen):
        return True
    same_state = one.state == other.state
    return same_state and sorted(one.owed) != sorted(other.owed)


def _finding(
    settlement_id: str, kind: Kind, one: SideRow | None, other: SideRow | None, now_at: int
) -> RowFinding:
    since = min(row.since_at for row in (one, other) if row is not None)
    return RowFinding(
        settlement_id=settlement_id,
        kind=kind,
        here_state=None if one is None else one.state,
        there_state=None if other is None else other.state,
        here_fen=0 if one is None else one.fund_fen,
        there_fen=0 if other is None else other.fund_fen,
        age_ms=max(0, now_at - since),
    )


def _add(sums: dict[tuple[str, str], int], owed: Iterable[Owed], sign: int) -> None:
    for one in owed:
        key = (one.purse, one.month)
        sums[key] = sums.get(key, 0) + sign * one.amount_fen


def _purse_lines(
    here: Sequence[Owed], there: Sequence[Owed], flying: dict[tuple[str, str], int]
) -> tuple[PurseLine, ...]:
    mine: dict[tuple[str, str], int] = {}
    theirs: dict[tuple[str, str], int] = {}
    _add(mine, here, 1)
    _add(theirs, there, 1)
    keys = sorted(mine.keys() | theirs.keys() | flying.keys())
    return tuple(
        PurseLine(
            purse=purse,
            month=month,
            due_from_fen=mine.get((purse, month), 0),
            due_to_fen=theirs.get((purse, month), 0),
            in_flight_fen=flying.get((purse, month), 0),
        )
        for purse, month in keys
    )
