"""What the REST interface takes and gives: plain JSON, amounts in whole fen, instants in Unix ms.

Quantities and unit prices are decimal text, because they have more digits than a fen: "1.5",
"123.450000". Every struct here is part of the published interface: fields are added, never
changed.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tongcheng.kernel.money import FEN_MAX
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    Announced,
    BenefitResult,
    FundPayment,
    ScopeTotals,
)
from tongcheng.services.settlement.rules import Category, Filing, Tier
from tongcheng.services.settlement.trace import TraceRow

LINES_MAX = 1_000
"""Lines of one call; a longer bill is uploaded in parts."""
AT_MIN = -2_208_988_800_000
AT_MAX = 4_102_444_800_000
"""1900 to 2100, UTC: outside of it a time is a mistake."""

Id = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z._:-]{1,64}$(?!\n)", description="An id as this node gave it.")
]
Code = Annotated[
    str,
    Meta(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="A code."),
]
StaffCode = Annotated[
    str,
    Meta(min_length=1, max_length=30, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="A code."),
]
At = Annotated[int, Meta(ge=AT_MIN, le=AT_MAX, description="Unix milliseconds, UTC.")]
Day = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", description="A day in the region's zone."),
]
Fen = Annotated[int, Meta(ge=-FEN_MAX, le=FEN_MAX, description="Whole fen (1/100 yuan).")]
Quantity = Annotated[
    str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$(?!\n)", description="At most 4 decimals.")
]
Price = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,6})?$(?!\n)", description="Yuan, at most 6 decimals."),
]


class PersonQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asked for; `admdvs` is the insuring division if it is known, else all are asked."""

    id_number: Annotated[str, Meta(pattern=r"^[0-9A-Za-z()-]{1,50}$(?!\n)")]
    admdvs: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")] | None = None


class Person(msgspec.Struct, frozen=True):
    """A person found. `person_id` is random and good between this place and the insurer only."""

    person_id: Id
    insured_member: str
    admdvs: str
    scheme: str
    person_type: str
    name: str
    gender: Literal["1", "2"]
    born_on: str


class NewStay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An admission. The same one again is the stay that is open already.

    `emergency` says that it was an emergency rescue (急诊抢救), which counts as filed.
    """

    person_id: Id
    scheme: Annotated[str, Meta(pattern=r"^[0-9]{3,6}$(?!\n)")]
    inpatient_no: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,30}$(?!\n)")]
    admitted_at: At
    emergency: bool = False


class Stay(msgspec.Struct, frozen=True):
    """A stay; `settlement_id` is the settlement under way, or that of the whole or last period.

    `period` is the settlement period that is open, or the last one: it is above 1 after a
    settlement in the middle of the stay. While one is under way the state says so: `…_settling`.
    """

    stay_id: Id
    state: Literal[
        "admitted",
        "admitted_settling",
        "discharged",
        "discharged_settling",
        "settling",
        "settled",
    ]
    person_id: Id
    inpatient_no: str
    insured_member: str
    admdvs: str
    scheme: str
    admitted_at: At
    discharged_at: At | None
    settlement_id: Id | None
    line_count: int
    period: int


class NewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the bill. A refund has a negative quantity and amount and names its original.

    Without `item_code` the hospital's mapping gives the national code.
    """

    line_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,30}$(?!\n)")]
    hospital_code: Code
    quantity: Quantity
    unit_price: Price
    amount_fen: Fen
    charged_at: At
    original_line_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{1,30}$(?!\n)")] | None = None
    item_code: Code | None = None
    doctor_code: StaffCode | None = None
    department_code: StaffCode | None = None


class NewLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines that are taken all or none; a line sent again must be the same line."""

    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=LINES_MAX)]


class SplitLine(msgspec.Struct, frozen=True):
    """A line as the visited place's catalogue splits it; the four parts add up to the amount."""

    line_id: str
    item_code: str
    item_class: str
    amount_fen: Fen
    self_paid_fen: Fen
    over_ceiling_fen: Fen
    first_self_pay_fen: Fen
    in_scope_fen: Fen


class SplitLines(msgspec.Struct, frozen=True):
    """Lines with their split."""

    lines: list[SplitLine]


class Revoked(msgspec.Struct, frozen=True):
    """How many lines count no more."""

    count: int


class NewDischarge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a stay."""

    discharged_at: At


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The four parts of a bill as the hospital states them."""

    self_paid_fen: Fen
    over_ceiling_fen: Fen
    first_self_pay_fen: Fen
    in_scope_fen: Fen


class Bill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the hospital bills: it must be what its uploaded lines come to.

    `through_on` settles a period in the middle of a stay: the lines charged up to the end of that
    local day and not settled yet. Without it, what is left of a discharged stay is settled.
    """

    total_fen: Fen
    split: Split | None = None
    through_on: Day | None = None


class Benefit(msgspec.Struct, frozen=True):
    """Who pays what, and why: total = funds + `hospital_fen` + `person_fen`.

    `person_fen` = `account_fen` (always 0 for now) + `cash_fen`. `announced` funds may pay later.
    `trace` is the way from the in-scope amount to each fund, clause by clause.
    """

    totals: ScopeTotals
    funds: list[FundPayment]
    fund_fen: Fen
    hospital_fen: Fen
    person_fen: Fen
    account_fen: Fen
    cash_fen: Fen
    deductible_fen: Fen
    pool_self_fen: Fen
    large_self_fen: Fen
    burden_fen: Fen
    rounding_residual_fen: Fen
    person_type: str
    tier: Tier | None
    category: Category
    filing: Filing
    admission_number: int
    period_number: int
    announced: list[Announced]
    before: AccumulatorTotals
    book_id: str
    book_digest: str
    book_status: Literal["draft", "adopted"]
    overlay_digest: str | None
    trace: list[TraceRow]


class Evidence(msgspec.Struct, frozen=True):
    """One envelope about a settlement, and its leaf in this node's journal."""

    envelope_id: str
    direction: Literal["sent", "taken"]
    leaf_index: int | None


class Settlement(msgspec.Struct, frozen=True):
    """A settlement as the visited side knows it. `benefit` is there once it has been settled.

    `decision_no` and `month` are the insured side's; `refusal_code` is its reason when refused.
    `void_month` is the month in which its void is booked: its own, or a later one where the
    members had agreed on the month before. A stay's settlements are its periods; the last one
    is `final`.
    """

    settlement_id: Id
    stay_id: Id
    state: Literal["pending", "cancelling", "settled", "refused", "voiding", "voided"]
    insured_member: str
    total_fen: Fen
    decision_no: int | None
    month: str | None
    refusal_code: str | None
    benefit: Benefit | None
    evidence: list[Evidence]
    opened_at: At
    changed_at: At
    period: int
    period_from_on: str
    period_to_on: str
    final: bool
    void_month: str | None


class NewReversal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Idempotency-Key of the settlement call that is to be as if it had never been sent."""

    idempotency_key: Annotated[str, Meta(pattern=r"^[0-9A-Za-z._-]{8,64}$(?!\n)")]


class Reversal(msgspec.Struct, frozen=True):
    """What the reversal meant.

    `unseen`: the call had not come and will be refused if it does; `again`: reversed before;
    `stands`: another call was answered with the settlement; `cancelled`: it is taken back.
    """

    meaning: Literal["unseen", "again", "stands", "cancelled"]


def benefit_of(totals: ScopeTotals, result: BenefitResult) -> Benefit:
    """Return a decision or an estimate as the interface shows it."""
    return Benefit(
        totals=totals,
        funds=result.funds,
        fund_fen=result.fund_fen,
        hospital_fen=result.hospital_fen,
        person_fen=result.person_fen,
        account_fen=result.account_fen,
        cash_fen=result.person_fen - result.account_fen,
        deductible_fen=result.deductible_fen,
        pool_self_fen=result.pool_self_fen,
        large_self_fen=result.large_self_fen,
        burden_fen=result.burden_fen,
        rounding_residual_fen=result.rounding_residual_fen,
        person_type=result.person_type,
        tier=result.tier,
        category=result.category,
        filing=result.filing,
        admission_number=result.admission_number,
        period_number=result.period_number,
        announced=result.announced,
        before=result.before,
        book_id=result.book_id,
        book_digest=result.book_digest,
        book_status=result.book_status,
        overlay_digest=result.overlay_digest,
        trace=result.trace,
    )
