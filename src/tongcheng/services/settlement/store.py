"""What settlement stores, on either side of the border, and the few questions asked of it."""

import msgspec

from tongcheng.kernel.store import Records

# Visited side


class PatientRow(msgspec.Struct, frozen=True):
    """A person insured elsewhere whom a hospital here has identified.

    `id_index` is the HMAC of the id number under this node's own key; `identity` is sealed.
    `admdvs` is the division that insures the person.
    """

    person_id: str
    insured_member: str
    admdvs: str
    scheme: str
    person_type: str
    id_index: str
    identity: bytes
    seen_at: int


class AccessRow(msgspec.Struct, frozen=True):
    """A hospital that has identified a person: only it may work with that person's id."""

    institution_id: str
    person_id: str
    at: int


class StayRow(msgspec.Struct, frozen=True):
    """One stay in a hospital here (住院).

    `period` is the one that is open, or the last one. `claim_id` is the settlement of it that is
    under way or stands, None without; `last_claim_id` the last one asked for, whatever became of
    it. Earlier periods have settlements of their own.
    """

    stay_id: str
    institution_id: str
    inpatient_no: str
    person_id: str
    insured_member: str
    admdvs: str
    scheme: str
    hospital_level: int
    hospital_subtype: str | None
    institution_admdvs: str
    emergency: bool
    catalogue: str
    state: str
    admitted_at: int
    discharged_at: int | None
    period: int
    claim_id: str | None
    last_claim_id: str | None
    opened_at: int
    changed_at: int


class LinesRow(msgspec.Struct, frozen=True):
    """Lines of a stay that came together, `count` of them, packed as `kept_lines` has them.

    `part` counts from 1 in order of arrival.
    """

    stay_id: str
    part: int
    count: int
    lines: bytes


class ClaimRow(msgspec.Struct, frozen=True):
    """One settlement of a stay's period, as the visited side knows it (结算).

    The period's days are inclusive; `final` ends with the discharge. Its lines are those up to
    number `last_line` that were charged by its last day and that no earlier period has.
    `settle_id` and `void_id` are the envelopes we sent, `answer_id` the one that decided.
    `result` is the canonical BenefitResult, empty until settled; amounts repeat its sums.
    `stated_difference_fen` is what the hospital's bill had more than its uploaded lines, within
    the tolerance of the place; settled are the lines.
    """

    settlement_id: str
    stay_id: str
    period: int
    period_from_on: str
    period_to_on: str
    final: bool
    last_line: int
    institution_id: str
    insured_member: str
    admdvs: str
    scheme: str
    state: str
    total_fen: int
    self_paid_fen: int
    over_ceiling_fen: int
    first_self_pay_fen: int
    in_scope_fen: int
    fund_fen: int
    hospital_fen: int
    person_fen: int
    decision_no: int | None
    month: str | None
    void_month: str | None
    settle_id: str
    void_id: str | None
    answer_id: str | None
    refusal: bytes
    result: bytes
    opened_at: int
    changed_at: int
    stated_difference_fen: int = 0


class MessageRow(msgspec.Struct, frozen=True):
    """One message of a hospital's system: sent again, it is answered with what is kept here.

    `state` is open (its act is under way), final (the sealed answer is below) or reversed (a 2601
    came for it, perhaps before the message itself). `subject_id` is the settlement it started or
    was answered with.
    """

    institution_id: str
    infno: str
    msgid: str
    state: str
    digest: str
    subject_id: str | None
    answer: bytes
    at: int


# Insured side


class PersonRow(msgspec.Struct, frozen=True):
    """A person insured here. `person_key` never leaves this node."""

    person_key: str
    id_index: str
    admdvs: str
    scheme: str
    person_type: str
    tier: str | None
    category: str
    identity: bytes
    added_at: int


class FilingRow(msgspec.Struct, frozen=True):
    """A filing for treatment elsewhere (备案) that the insured place keeps.

    `filing` is a Filing of `rules`; `place` a division prefix that it is valid for; days are
    inclusive, `to_on` None until it is changed.
    """

    person_key: str
    number: int
    filing: str
    place: str
    from_on: str
    to_on: str | None
    made_at: int


class PersonIdRow(msgspec.Struct, frozen=True):
    """The random id that stands for a person towards one visiting member."""

    person_id: str
    visiting_member: str
    person_key: str
    made_at: int


class YearRow(msgspec.Struct, frozen=True):
    """What a person has used in one calendar year and pooling area (年度累计); sum of entries."""

    person_key: str
    area_id: str
    year: int
    pool_paid_fen: int
    large_paid_fen: int
    deductible_paid_fen: int
    admissions: int
    burden_fen: int
    catastrophic_paid_fen: int
    assistance_paid_fen: int
    entries: int


class EntryRow(msgspec.Struct, frozen=True):
    """One change of a person's year, in commit order, with where it came from.

    `origin` is opening (imported), settlement or void, or home or home_void (see `booking`);
    `decision_no` is 0 where no decision of this node's made it.
    """

    person_key: str
    area_id: str
    year: int
    entry_no: int
    origin: str
    subject_id: str
    decision_no: int
    pool_fen: int
    large_fen: int
    deductible_fen: int
    admissions: int
    burden_fen: int
    catastrophic_fen: int
    assistance_fen: int
    at: int


class DecisionRow(msgspec.Struct, frozen=True):
    """One decision on a settlement that a visited member asked for (待遇核定).

    `facts` and `result` are canonical bytes of StayFacts and BenefitResult. `void_month` is the
    month in which its void is booked, None while it stands.
    """

    visited_member: str
    settlement_id: str
    decision_no: int
    state: str
    stay_id: str
    period: int
    person_key: str
    area_id: str
    year: int
    month: str
    void_month: str | None
    settle_id: str
    void_id: str | None
    total_fen: int
    fund_fen: int
    person_fen: int
    facts: bytes
    result: bytes
    decided_at: int


class ShadowRow(msgspec.Struct, frozen=True):
    """A decision of the agency's own system that our engine would have taken otherwise.

    `differences` are the figures (canonical list of figure, theirs, ours); `causes` as an audit
    names them. `code` is our refusal, where we could compute nothing.
    """

    visited_member: str
    settlement_id: str
    decision_no: int
    code: str | None
    causes: str
    differences: bytes
    at: int


class DecisionHeadRow(msgspec.Struct, frozen=True):
    """How many decisions this node has taken."""

    head_id: str
    count: int


class InstitutionRow(msgspec.Struct, frozen=True):
    """A hospital here that may settle (定点医疗机构): its level decides the deductible.

    `mapping` says what its table of own codes is worth: `none` there is none, `lenient` a code
    that is not in it is let be, `strict` it is refused.
    """

    institution_id: str
    name_zh: str
    name_en: str
    hospital_level: int
    hospital_subtype: str | None
    admdvs: str
    catalogue: str
    mapping: str = "none"


INSTITUTIONS = Records(
    "settlement_institutions", InstitutionRow, key=("institution_id",), kept=True
)
PATIENTS = Records("settlement_patients", PatientRow, key=("person_id",), indexes=(("id_index",),))
ACCESS = Records("settlement_access", AccessRow, key=("institution_id", "person_id"))
STAYS = Records(
    "settlement_stays",
    StayRow,
    key=("stay_id",),
    indexes=(("institution_id", "inpatient_no"), ("changed_at",), ("state", "changed_at")),
)
LINES = Records("settlement_lines", LinesRow, key=("stay_id", "part"))
CLAIMS = Records(
    "settlement_claims",
    ClaimRow,
    key=("settlement_id",),
    # The last one holds all that a day's sums are made of: pages that refresh read no row for them.
    indexes=(
        ("stay_id",),
        ("settle_id",),
        ("state", "changed_at", "admdvs", "total_fen", "fund_fen", "person_fen"),
        ("month", "insured_member", "institution_id", "total_fen", "fund_fen"),
        ("void_month", "insured_member"),
    ),
)
MESSAGES = Records(
    "settlement_messages",
    MessageRow,
    key=("institution_id", "infno", "msgid"),
    indexes=(("subject_id",),),
)
PERSONS = Records("settlement_persons", PersonRow, key=("person_key",), indexes=(("id_index",),))
PERSON_IDS = Records(
    "settlement_person_ids",
    PersonIdRow,
    key=("person_id",),
    indexes=(("person_key", "visiting_member"),),
    only_grows=True,
)
FILINGS = Records("settlement_filings", FilingRow, key=("person_key", "number"))
YEARS = Records("settlement_years", YearRow, key=("person_key", "area_id", "year"), clustered=True)
ENTRIES = Records(
    "settlement_entries",
    EntryRow,
    key=("person_key", "area_id", "year", "entry_no"),
    indexes=(("subject_id",),),
    clustered=True,
)
DECISIONS = Records(
    "settlement_decisions",
    DecisionRow,
    key=("visited_member", "settlement_id"),
    indexes=(
        ("stay_id",),
        ("person_key",),
        ("decision_no",),
        ("decided_at",),
        ("month", "visited_member"),
        ("void_month", "visited_member"),
        (
            "state",
            "decided_at",
            "visited_member",
            "area_id",
            "total_fen",
            "fund_fen",
            "person_fen",
        ),
    ),
)
SHADOWS = Records("settlement_shadow", ShadowRow, key=("visited_member", "settlement_id"))
DECISION_HEAD = Records("settlement_decision_head", DecisionHeadRow, key=("head_id",))

TABLES = (
    INSTITUTIONS,
    PATIENTS,
    ACCESS,
    STAYS,
    LINES,
    CLAIMS,
    MESSAGES,
    PERSONS,
    PERSON_IDS,
    FILINGS,
    YEARS,
    ENTRIES,
    DECISIONS,
    DECISION_HEAD,
    SHADOWS,
)
