"""What the settlement pages show: frozen data, filled from the store, rendered by `pages_view`.

All amounts are int fen, all instants int Unix milliseconds UTC, all rates int basis points.
A figure that this node cannot know is None and is shown as such; it is never a zero.
No view carries a name or an id number of a person.
"""

from datetime import date
from typing import Literal

import msgspec

from tongcheng.kernel.words import Words
from tongcheng.services.settlement.explain_model import Explanation
from tongcheng.services.settlement.rules import PersonType

DIGEST_SHOWN = 12
"""Hex digits of a digest: enough to compare by eye; the whole is in the proof."""

StayState = Literal[
    "admitted", "discharged", "pending", "settled", "refused", "voiding", "voided", "disputed"
]
STATES: tuple[StayState, ...] = (
    "pending",
    "voiding",
    "discharged",
    "admitted",
    "refused",
    "disputed",
    "settled",
    "voided",
)
"""In the order of a clerk's day: what waits for the other side, what waits here, what is done."""

BandKind = Literal[
    "deductible", "pool", "large", "over_cap", "self_paid", "over_ceiling", "first_self_pay"
]
StepKind = Literal["settle", "settled", "refused", "void", "voided"]
Signature = Literal["own", "verified", "waiting"]
RelatedKind = Literal["period", "overlap", "later"]


class StayRow(msgspec.Struct, frozen=True):
    """One stay in the list. `at` is its latest change; amounts are None before settlement.

    `visited_member` and `insured_member` are member codes of the region pack; `insured_area`
    is the pooling area's name. `draft`: the amounts follow from a draft rule book. `waits_since`
    is when somebody began to wait: for the other side's answer, or for the settlement.
    """

    stay_id: str
    at: int
    state: StayState
    hospital: Words
    visited_member: str
    insured_member: str
    insured_area: Words
    total_fen: int | None = None
    fund_fen: int | None = None
    person_fen: int | None = None
    draft: bool = False
    waits_since: int | None = None


class Choice(msgspec.Struct, frozen=True):
    """One value that a filter offers: a code and its name."""

    code: str
    name: Words


Position = tuple[int, str]
"""Where a page of the list ends: the instant of its last row, and that row's stay."""


class StaysQuery(msgspec.Struct, frozen=True):
    """The list that is asked for; each filter that is set narrows it.

    `found` is an inpatient number or the id of a stay or of a settlement, as it is written.
    `hospital` and `area` are codes, `on` the local date of the latest change. `before` goes on
    where a page ended. `live` lists refresh themselves.
    """

    state: StayState | None = None
    found: str = ""
    hospital: str = ""
    area: str = ""
    on: date | None = None
    before: Position | None = None
    live: bool = True

    @property
    def is_narrow(self) -> bool:
        """Tell whether something beside the state narrows the list."""
        return bool(self.found or self.hospital or self.area or self.on)


class StaysPage(msgspec.Struct, frozen=True):
    """The list of stays at `now_at`, latest change first.

    `counts` has every state of the whole store, not only of what `query` leaves. `next_before`
    continues the list, None at its end. `hospitals` and `areas` can be chosen.
    """

    rows: tuple[StayRow, ...]
    counts: dict[StayState, int]
    query: StaysQuery
    next_before: Position | None
    hospitals: tuple[Choice, ...]
    areas: tuple[Choice, ...]
    now_at: int


class Fund(msgspec.Struct, frozen=True):
    """What one fund pays at discharge (基本统筹, 大额互助 …)."""

    name: Words
    amount_fen: int


class Amounts(msgspec.Struct, frozen=True):
    """The settlement in boxes that add up, in two ways.

    total = self_paid + over_ceiling + first_self_pay + in_scope (the national interface's
    fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt), and total = funds +
    hospital_part + person (fund_pay_sumamt, hosp_part_amt, psn_part_amt), where person =
    account + cash.
    """

    total_fen: int
    self_paid_fen: int
    over_ceiling_fen: int
    first_self_pay_fen: int
    in_scope_fen: int
    funds: tuple[Fund, ...]
    hospital_part_fen: int
    person_fen: int
    account_fen: int
    cash_fen: int
    rounding_residual_fen: int = 0

    @property
    def fund_fen(self) -> int:
        """What all funds pay together."""
        return sum(fund.amount_fen for fund in self.funds)

    def __post_init__(self) -> None:
        scopes = (
            self.self_paid_fen + self.over_ceiling_fen + self.first_self_pay_fen + self.in_scope_fen
        )
        assert scopes == self.total_fen, "the scopes do not add up to the bill"
        payers = self.fund_fen + self.hospital_part_fen + self.person_fen
        assert payers == self.total_fen, "the payers do not add up to the bill"
        assert self.account_fen + self.cash_fen == self.person_fen, "account and cash"


class Band(msgspec.Struct, frozen=True):
    """One stretch of the bar from 0 to the bill: how much of it which rule shares out how.

    Bands stand in order and abut; `amount_fen` is the width. `rate_bp` is the fund's share
    (None where no rate applies); `clause` names the rule ("art. 36 (2)"), from the rule book.
    `fund_fen` and `person_fen` are display parts, rounded on their own.
    """

    kind: BandKind
    amount_fen: int
    fund_fen: int
    person_fen: int
    rate_bp: int | None = None
    clause: Words | None = None


class Record(msgspec.Struct, frozen=True):
    """One line of a side's record: what the node holds under a key both sides use.

    `key` is one of RECORD_KEYS of `stay_tables`; `fen` for money, `text` for anything else.
    """

    key: str
    fen: int | None = None
    text: str = ""


class SideRecord(msgspec.Struct, frozen=True):
    """What one side holds of the stay.

    `own` is true for this node's own store; else the record is what the other side stated in
    its signed answer.
    """

    member: str
    role: Literal["visited", "insured"]
    own: bool
    records: tuple[Record, ...]


class ChainStep(msgspec.Struct, frozen=True):
    """One envelope of the stay, in the order of its effect.

    `seq` counts in the channel from `sender` to `receiver` (member codes). `digest` is the hex
    SHA-256 of the canonical bytes. `leaf` is the index in this node's journal, None where
    the leaf is missing.
    """

    kind: StepKind
    envelope_id: str
    sender: str
    receiver: str
    seq: int
    digest: str
    at: int
    signature: Signature
    kid: str = ""
    leaf: int | None = None


class BookRef(msgspec.Struct, frozen=True):
    """A rule book or catalogue the decision names: `status` "draft" is marked wherever it shows.

    `path` is its address on the console without language, "" where the node does not have it.
    """

    name: Words
    digest: str
    status: Literal["draft", "adopted"]
    path: str = ""


class Related(msgspec.Struct, frozen=True):
    """Another settlement beside the one shown: of the same stay, or of another of the person's.

    `number` is the settlement period of its stay; `fund_fen` None while it is undecided.
    """

    kind: RelatedKind
    number: int
    decision_no: int | None
    from_on: date
    to_on: date
    institution_id: str
    total_fen: int
    fund_fen: int | None


class RefusalView(msgspec.Struct, frozen=True):
    """Why the stay was refused, already in words (the error catalogue, in the page's language)."""

    code: str
    what: str
    why: str
    do: str


class StayPage(msgspec.Struct, frozen=True):
    """One stay: the answer, the amounts, the bands, both sides' records, the chain.

    `scheme` is the code of the national insurance interface (险种类型), `person_type` None before
    settlement. `amounts` is None before settlement; `pending_since` is set while the insured side
    has not answered.
    """

    stay_id: str
    state: StayState
    hospital: Words
    visited_member: str
    insured_member: str
    insured_area: Words
    scheme: str
    person_type: PersonType | None
    admitted_on: date
    discharged_on: date | None
    settled_at: int | None = None
    pending_since: int | None = None
    settlement_id: str = ""
    amounts: Amounts | None = None
    bands: tuple[Band, ...] = ()
    sides: tuple[SideRecord, ...] = ()
    chain: tuple[ChainStep, ...] = ()
    books: tuple[BookRef, ...] = ()
    refusal: RefusalView | None = None
    explanation: Explanation | None = None
    related: tuple[Related, ...] = ()

    def __post_init__(self) -> None:
        widths = sum(band.amount_fen for band in self.bands)
        assert not self.bands or (self.amounts and widths == self.amounts.total_fen), "bar"
