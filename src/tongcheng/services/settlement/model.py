"""What crosses the border for one stay: the bodies of the acts and asks (docs/protocol/05).

All amounts are int fen, instants UTC ms, days "YYYY-MM-DD" in the region's zone. No body carries
a name or an id number in the clear: a person is the random `person_id` that the insured side gave
this visiting member, and identities are sealed to the other member's key.
"""

from typing import Annotated, Literal

import msgspec

from tongcheng.services.settlement.rules import Category, Filing, PersonType, Subtype, Tier
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, RuleRef
from tongcheng.services.settlement.trace import TraceRow

SETTLE = "settlement.settle/1"
SETTLED = "settlement.settled/1"
VOID = "settlement.void/1"
VOIDED = "settlement.voided/1"
PERSON = "settlement.person/1"
PERSON_FOUND = "settlement.person_found/1"
ESTIMATE = "settlement.estimate/1"
ESTIMATED = "settlement.estimated/1"

Fen = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_FEN)]
"""An amount that the benefit engine can compute with."""
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._:-]+$(?!\n)")]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)")]
Scheme = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3,6}$(?!\n)")]
Division = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$(?!\n)")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Name = Annotated[str, msgspec.Meta(max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class ScopeTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bill as the visited place's catalogue splits it; the four parts add up to the total.

    fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt of the national interface.
    """

    total_fen: Fen
    self_paid_fen: Fen
    over_ceiling_fen: Fen
    first_self_pay_fen: Fen
    in_scope_fen: Fen

    def adds_up(self) -> bool:
        """Tell whether the first identity holds."""
        parts = self.self_paid_fen + self.over_ceiling_fen
        return self.total_fen == parts + self.first_self_pay_fen + self.in_scope_fen


class StayFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the insured side must know of a stay to decide: who, where, when, how much.

    A long stay is settled in periods, which abut: `period` counts them, the last one is `final`
    and ends with the discharge; before it `discharged_on` is None (中途结算). `emergency` is what
    the hospital says of an emergency rescue (急诊抢救).
    """

    stay_id: Id
    period: Annotated[int, msgspec.Meta(ge=1, le=99)]
    period_from_on: Day
    period_to_on: Day
    final: bool
    person_id: Id
    scheme: Scheme
    insured_admdvs: Division
    institution_id: Id
    institution_admdvs: Division
    hospital_level: Annotated[int, msgspec.Meta(ge=0, le=3)]
    hospital_subtype: Subtype | None
    emergency: bool
    admitted_on: Day
    discharged_on: Day | None
    totals: ScopeTotals
    catalogue: Digest
    lines_root: Digest
    line_count: Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class SettleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settle this stay (`settlement_id` is the visited side's, unique there)."""

    settlement_id: Id
    facts: StayFacts


class FundPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one fund pays at discharge, out of which purse."""

    fund: Name
    layer: Literal["pool", "large", "catastrophic", "assistance"]
    purse: Name
    amount_fen: Fen


class Announced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fund that may pay later, and when (`year_end`, `on_claim`).

    `expected_fen` is what its terms would give for this stay if the year ended here; None where a
    figure for it is not known.
    """

    fund: str
    paid_at: str
    expected_fen: Fen | None


class AccumulatorTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the person had used in the year before this decision, and where the figures come from.

    `burden_fen` is what the person bore of in-scope amounts before any second cover. `origins`
    counts the entries by origin: `opening` (imported from the agency's core system), `settlement`,
    `void`.
    """

    year: int
    pool_paid_fen: int
    large_paid_fen: int
    deductible_paid_fen: int
    admissions: int
    burden_fen: int
    catastrophic_paid_fen: int
    assistance_paid_fen: int
    origins: dict[str, int]


class BenefitResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The amounts of one decision and how they came about.

    total = funds + `hospital_fen` + `person_fen`; the display parts of the person's in-scope
    share differ from it by `rounding_residual_fen`. `filing` is how the stay counts and
    `filing_rule` the rule that says so; `period_number` counts this stay's settlement periods in
    the year, and only the first is an admission of it. `book_digest` is the area's own book,
    `overlay_digest` the region's on stays elsewhere, None where there is none; `book_status` is
    `adopted` only when both are.
    """

    person_type: str
    tier: Tier | None
    category: Category
    filing: Filing
    filing_rule: RuleRef | None
    admission_number: int
    period_number: int
    funds: list[FundPayment]
    announced: list[Announced]
    hospital_fen: Fen
    person_fen: Fen
    account_fen: Fen
    deductible_fen: Fen
    pool_self_fen: Fen
    large_self_fen: Fen
    burden_fen: Fen
    rounding_residual_fen: int
    before: AccumulatorTotals
    book_id: str
    book_digest: Digest
    book_status: Literal["draft", "adopted"]
    overlay_digest: Digest | None
    trace: list[TraceRow]

    @property
    def fund_fen(self) -> int:
        """Return what all funds pay at discharge."""
        return sum(payment.amount_fen for payment in self.funds)


class SettledBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision: settled, as number `decision_no` of the insured side, in this month."""

    settlement_id: Id
    decision_no: Count
    month: Month
    result: BenefitResult


VoidReason = Literal["hospital_cancelled", "hospital_reversed"]


class VoidBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take back the settlement that the envelope `settle_envelope_id` asked for."""

    settlement_id: Id
    settle_envelope_id: Id
    reason: VoidReason


class VoidedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settlement stands no more. `was` says what it had been; amounts come back exactly.

    They come back in `month`: the settlement's own, or the first after it on whose statement the
    members have not agreed. `later` are the decisions on stays of this visited member that were
    taken with the person's year as it had been: they stand.
    """

    settlement_id: Id
    was: Literal["settled", "refused", "voided"]
    month: Month
    funds: list[FundPayment]
    later: list[Count]


class PersonAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Is this person insured with you? `sealed` (hex) holds a PersonQuestion, for your key only."""

    sealed: Annotated[str, msgspec.Meta(max_length=8_192)]


class PersonQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sealed part of a PersonAsk."""

    id_number: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class PersonFound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Yes: `person_id` stands for the person between our two members from now on."""

    person_id: Id
    admdvs: Division
    scheme: Scheme
    person_type: PersonType
    sealed: str


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's civil data; stored and sent sealed only. `gender` is 1 male, 2 female."""

    name: str
    id_number: str
    gender: Literal["1", "2"]
    born_on: Day


class EstimateAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What would you decide now? Nothing is stored and nothing is promised."""

    facts: StayFacts


class EstimatedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the decision would be if it were taken at this moment."""

    result: BenefitResult


def identity_bound_to(src: str, dst: str) -> str:
    """Return what a sealed identity is bound to: it opens in this direction's asks only."""
    return f"settlement.person {src} {dst}"
