"""What crosses when two members compare their books: sums, then lines, then single settlements.

A question about a month is answered by one row for each purse, however many stays there were. Only
where these differ are lines asked for, and only of settlements that differ how each side has them.
Settlement ids and amounts cross, and nothing about a person.
"""

from typing import Annotated, Final

import msgspec

from tongcheng.kernel.ledger_totals import Moved
from tongcheng.kernel.money import FEN_MAX
from tongcheng.services.settlement.model import Digest, Fen, Id, Month, Name
from tongcheng.services.settlement.reconcile import Owed, SideRow

SIDES: Final = "settlement.sides/1"
SIDED: Final = "settlement.sided/1"

SUMS_MAX: Final = 500
LINES_MAX: Final = 1_000
ROWS_MAX: Final = 100
"""With the longest names there can be, an answer of so many stays below the accord's body limit."""

Sum = Annotated[int, msgspec.Meta(ge=0, le=FEN_MAX)]
Net = Annotated[int, msgspec.Meta(ge=-FEN_MAX, le=FEN_MAX)]
Number = Annotated[int, msgspec.Meta(ge=0)]
Cursor = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
State = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}$(?!\n)")]


class LinesOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which purse and month, and after which line (None from the first one)."""

    purse: Name
    month: Month
    after: Cursor | None


class SidesAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What do your books say of the stays in `visited`'s hospitals?

    Asked are the sums of the months from `from_month` through `to_month` (None: without end),
    unless `lines` or `settlements` ask for something closer.
    """

    visited: Name
    from_month: Month | None = None
    to_month: Month | None = None
    lines: LinesOf | None = None
    settlements: Annotated[list[Id], msgspec.Meta(max_length=ROWS_MAX)] = []


class PurseSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One purse's month, gross: what was settled and what was taken back, each with its digest."""

    purse: Name
    month: Month
    settled_count: Number
    settled_fen: Sum
    settled_digest: Digest
    voided_count: Number
    voided_fen: Sum
    voided_digest: Digest

    @property
    def net_fen(self) -> int:
        """Return what the month comes to."""
        return self.settled_fen - self.voided_fen


class SideLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One movement of a purse's month: positive when settled, negative when taken back."""

    settlement_id: Id
    amount_fen: Net


class OwedAmount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a settlement comes to in one purse and month."""

    purse: Name
    month: Month
    amount_fen: Net


class HeldRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One settlement as the answering side holds it; `reconcile.SideRow` on the wire."""

    settlement_id: Id
    state: State
    decided: bool
    total_fen: Fen
    fund_fen: Net
    person_fen: Fen
    owed: list[OwedAmount]
    since_at: Number


class SidedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the answering member's books say now.

    `earlier` is the month to go on with when there are more sums, `next_after` where to go on in
    the lines. With the sums come the oldest of `open_count` settlements whose answer the visited
    side is waiting for; the insured side waits for nothing.
    """

    visited: Name
    sums: Annotated[list[PurseSum], msgspec.Meta(max_length=SUMS_MAX)] = []
    earlier: Month | None = None
    lines: Annotated[list[SideLine], msgspec.Meta(max_length=LINES_MAX)] = []
    next_after: Cursor | None = None
    rows: Annotated[list[HeldRow], msgspec.Meta(max_length=ROWS_MAX)] = []
    open_count: Number = 0


def purse_sum(purse: str, month: str, settled: Moved, voided: Moved) -> PurseSum:
    """Return the sums of a purse's month from what its account moved."""
    return PurseSum(
        purse=purse,
        month=month,
        settled_count=settled.count,
        settled_fen=settled.amount_fen,
        settled_digest=settled.digest.hex(),
        voided_count=voided.count,
        voided_fen=voided.amount_fen,
        voided_digest=voided.digest.hex(),
    )


def held_row(row: SideRow) -> HeldRow:
    """Write a settlement as it crosses."""
    owed = [OwedAmount(one.purse, one.month, one.amount_fen) for one in row.owed]
    return HeldRow(
        settlement_id=row.settlement_id,
        state=row.state,
        decided=row.decided,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        person_fen=row.person_fen,
        owed=owed,
        since_at=row.since_at,
    )


def side_row(row: HeldRow) -> SideRow:
    """Read a settlement as the other side told it."""
    owed = tuple(sorted(Owed(one.purse, one.month, one.amount_fen) for one in row.owed))
    return SideRow(
        settlement_id=row.settlement_id,
        state=row.state,
        decided=row.decided,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        person_fen=row.person_fen,
        owed=owed,
        since_at=row.since_at,
    )
