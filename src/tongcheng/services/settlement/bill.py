"""What the engine is asked about: one bill, and what the person has used before it."""

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    LEVELS,
    SUBTYPES,
    TIERS,
    Category,
    Filing,
    PersonType,
    Subtype,
    Tier,
)
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, BenefitTables

NUMBER_MAX = 9_999
"""More admissions of a year, or periods of an admission, than there can be."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What benefit rules look at in the bill of one settlement period of one stay.

    `in_scope_fen` (符合政策范围金额) is what the visited place's catalogue let through;
    `total_fen` is the bill, None where only the policy is asked about. `admission_number` counts
    settled admissions of the person's year, this one included; `period_number` the settlement
    periods of this admission in that year. `hospital_subtype` and `tier` are None where they are
    not known.
    """

    in_scope_fen: int
    total_fen: int | None
    person_type: PersonType
    hospital_level: int
    admission_number: int
    hospital_subtype: Subtype | None = None
    tier: Tier | None = None
    category: Category = "general"
    filing: Filing = "local"
    period_number: int = 1


class Accumulators(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has used in one calendar year and pooling area, before a settlement.

    `burden_fen` is what the person bore of in-scope amounts, before any second cover.
    """

    pool_paid_fen: int = 0
    large_paid_fen: int = 0
    deductible_paid_fen: int = 0
    admissions: int = 0
    burden_fen: int = 0
    catastrophic_paid_fen: int = 0
    assistance_paid_fen: int = 0


def admission_number(admissions_before: int, period_number: int) -> int:
    """Return which admission of the year a settlement is.

    A further period of an admission that the year has counted already is not another admission.
    """
    return admissions_before + 1 if period_number == 1 else max(1, admissions_before)


def check_case(tables: BenefitTables, bill: Bill, before: Accumulators) -> None:
    """Refuse what no rule speaks about, in this order: amounts, words, place, person, history."""
    _check_amounts(bill)
    known: tuple[tuple[str, object, tuple[object, ...]], ...] = (
        ("person_type", bill.person_type, tables.persons),
        ("hospital_level", bill.hospital_level, LEVELS),
        ("hospital_subtype", bill.hospital_subtype, (None, *SUBTYPES)),
        ("tier", bill.tier, (None, *TIERS)),
        ("category", bill.category, CATEGORIES),
        ("filing", bill.filing, FILINGS),
    )
    for field, value, allowed in known:
        if value not in allowed:
            raise Refused("BILL_INVALID", field=field, value=str(value))
    if bill.hospital_subtype is None and bill.hospital_level in tables.subtype_levels:
        level = bill.hospital_level
        raise Refused("HOSPITAL_SUBTYPE_NEEDED", level=level, book=tables.book_id)
    if bill.tier is None and bill.person_type in tables.tiered:
        raise Refused("PERSON_TIER_NEEDED", book=tables.book_id)
    for field in before.__struct_fields__:
        value = getattr(before, field)
        if not 0 <= value <= AMOUNT_MAX_FEN:
            raise Refused("ACCUMULATORS_INVALID", field=field, value=value)


def _check_amounts(bill: Bill) -> None:
    if bill.in_scope_fen < 0:
        raise Refused("BILL_INVALID", field="in_scope_fen", value=str(bill.in_scope_fen))
    if bill.total_fen is not None and bill.total_fen < bill.in_scope_fen:
        raise Refused("BILL_INVALID", field="total_fen", value=str(bill.total_fen))
    largest = bill.in_scope_fen if bill.total_fen is None else bill.total_fen
    if largest > AMOUNT_MAX_FEN:
        raise Refused("BILL_TOO_LARGE", amount_fen=largest, most=AMOUNT_MAX_FEN)
    for field in ("admission_number", "period_number"):
        if not 1 <= getattr(bill, field) <= NUMBER_MAX:
            raise Refused("BILL_INVALID", field=field, value=str(getattr(bill, field)))
