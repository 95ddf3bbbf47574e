"""What the person's pages show: frozen data, filled from the store, rendered by `page`.

All amounts are int fen, instants int Unix milliseconds UTC. No view has the patient's name or id
number; a delegate's name is there for the patient alone.
"""

from datetime import date
from typing import Literal

import msgspec

from tongcheng.kernel.cases import History
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.explain_model import Explanation
from tongcheng.services.settlement.lines import Part
from tongcheng.services.settlement.views import Band

BillState = Literal["settled", "voided", "disputed"]


class Boxes(msgspec.Struct, frozen=True):
    """The boxes of the paper she holds; they add up to the bill, and to what she pays.

    total = `pool_fen` (医保统筹基金支付) + `other_fen` (其他支付: every other fund, and what the
    hospital bears) + `account_fen` (个人账户支付) + `cash_fen` (个人现金支付). The last two are
    also `own_share_fen` (个人自付, her share of what the insurance covers) + `not_covered_fen`
    (个人自费: items that it does not cover, and prices beyond its ceilings).
    """

    total_fen: int
    pool_fen: int
    other_fen: int
    account_fen: int
    cash_fen: int
    own_share_fen: int
    not_covered_fen: int
    hospital_fen: int = 0

    @property
    def person_fen(self) -> int:
        """What she pays, from the account or in cash."""
        return self.account_fen + self.cash_fen

    def __post_init__(self) -> None:
        paid = self.pool_fen + self.other_fen + self.account_fen + self.cash_fen
        assert paid == self.total_fen, "the boxes do not add up to the bill"
        assert self.own_share_fen + self.not_covered_fen == self.person_fen, "her two parts"


class BillLine(msgspec.Struct, frozen=True):
    """One line of the bill. `number` names it on these pages; a refund's amounts are negative.

    `refund_of` is the number of the line that a refund gives back; `refund_elsewhere`: that line
    stands in an earlier settlement of the stay. `query` is the state of the latest question about
    it.
    """

    number: int
    name: str
    category: str
    on: date
    quantity_e4: int
    unit_price_e6: int
    amount_fen: int
    in_scope_fen: int
    parts: tuple[Part, ...]
    refund_of: int | None = None
    refund_elsewhere: bool = False
    query: str | None = None

    @property
    def own_fen(self) -> int:
        """What of it is outside of what the insurance counts."""
        return self.amount_fen - self.in_scope_fen


class Group(msgspec.Struct, frozen=True):
    """All lines of one charge category together; `lines` are those of this page."""

    category: str
    count: int
    amount_fen: int
    in_scope_fen: int
    lines: tuple[BillLine, ...]


class Announced(msgspec.Struct, frozen=True):
    """A fund that may still pay, when, and at most how much as far as is known now."""

    name: Words | None
    paid_at: str
    expected_fen: int | None


class Limit(msgspec.Struct, frozen=True):
    """How much of a year's limit is used: before this stay, by it, and the whole if it is known.

    `doubtful`: the sources of the limit contradict each other.
    """

    before_fen: int
    now_fen: int
    cap_fen: int | None
    doubtful: bool = False


class YearUse(msgspec.Struct, frozen=True):
    """What she has used of one calendar year, this settlement included; None: no such fund."""

    year: int
    admission_number: int
    deductible: Limit
    pool: Limit
    large: Limit | None


class DelegateView(msgspec.Struct, frozen=True):
    """Somebody who may read the bill for the patient."""

    name: str
    relationship: str
    to_on: date


class Standing(msgspec.Struct, frozen=True):
    """Who reads, until when, and who else may: what stands at the end of the page."""

    is_delegate: bool
    delegates: tuple[DelegateView, ...]
    link_to_at: int
    session_to_at: int


class Bill(msgspec.Struct, frozen=True):
    """The whole bill of one settlement; `groups` hold one page of its lines.

    A settlement that was taken back has its amounts and no lines: those are open again.
    """

    settlement_id: str
    state: BillState
    hospital: Words
    visited: Words
    insured: Words
    from_on: date
    to_on: date
    period: int
    final: bool
    settled_at: int
    boxes: Boxes
    bands: tuple[Band, ...]
    groups: tuple[Group, ...]
    line_count: int
    page: int
    pages: int
    announced: tuple[Announced, ...]
    used: YearUse
    explanation: Explanation
    draft: bool
    standing: Standing


class Query(msgspec.Struct, frozen=True):
    """One question about a line: its history, what was said by hand-over, what she can do now."""

    history: History
    said: dict[int, str]
    actions: tuple[str, ...]


class LinePage(msgspec.Struct, frozen=True):
    """One line with what was asked about it; `can_ask`: no question about it is open."""

    line: BillLine
    hospital: Words
    queries: tuple[Query, ...]
    can_ask: bool
