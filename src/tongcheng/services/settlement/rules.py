"""The schema of a benefit rule book: what stands under `rules` in a book of kind `benefit`.

Every figure is a `RuleValue`, so that it can not be written without its source and a confidence.
`tables` compiles a book that has this shape.
"""

from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, RuleValue

KIND: Final = "benefit"

LEVELS: Final = (1, 2, 3)
PERSON_TYPES: Final = ("active", "retired")
PersonType = Literal["active", "retired"]
PaidAt = Literal["discharge", "year_end", "on_claim"]
Layer = Literal["pool", "large", "announced"]


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of a rule book as it is written."""


class DeductibleRow(_Schema, frozen=True):
    """起付线: one amount for some levels, for the first or a later admission of the year."""

    levels: tuple[Literal["1", "2", "3"], ...]
    admission: Literal["first", "later"]
    amount: RuleValue


class Deductible(_Schema, frozen=True):
    """`basis`: `each_admission` charges the row's amount anew, `annual` only what is left of it."""

    basis: RuleValue
    rows: tuple[DeductibleRow, ...]


class Step(_Schema, frozen=True):
    """One band (段): the fund's ratio up to an in-scope amount from zero; the last has no end."""

    ratio: RuleValue
    to: RuleValue | None = None


class BandGroup(_Schema, frozen=True):
    """The bands of some levels. Without `persons` they are the workers', and others derive."""

    levels: tuple[Literal["1", "2", "3"], ...]
    steps: tuple[Step, ...]
    persons: tuple[PersonType, ...] = ("active",)


class Retired(_Schema, frozen=True):
    """Retired persons bear `factor` times the worker's own share."""

    method: Literal["personal_share_times"]
    factor: RuleValue


class Large(_Schema, frozen=True):
    """大额医疗互助: what the pool no longer carries, by person type; both amounts per year."""

    persons: tuple[PersonType, ...]
    ratio: RuleValue
    cap: RuleValue


class Fund(_Schema, frozen=True):
    """One fund: the purse it is paid from, its field in the national message, when it pays."""

    fund: str
    layer: Layer
    title: dict[str, str]
    paid_at: RuleValue
    field: str | None = None


class Period(_Schema, frozen=True):
    """What restarts when. `year_of` says which day's year a stay belongs to."""

    bands: RuleValue
    deductible: RuleValue
    cap: RuleValue
    year_of: RuleValue


class AnnouncedStep(_Schema, frozen=True):
    """One step of a cover on the excess over its deductible."""

    ratio: RuleValue
    to: RuleValue | None = None


class Announced(_Schema, frozen=True):
    """A cover that is not in the bill: its figures are shown, never computed with."""

    title: dict[str, str]
    deductible: RuleValue
    steps: tuple[AnnouncedStep, ...]
    cap: RuleValue


class BenefitRules(_Schema, frozen=True):
    """The `rules` of a book of kind `benefit`."""

    period: Period
    deductible: Deductible
    bands: tuple[BandGroup, ...]
    pool_cap: RuleValue
    funds: tuple[Fund, ...]
    retired: Retired | None = None
    large: tuple[Large, ...] = ()
    total_cap: RuleValue | None = None
    catastrophic: Announced | None = None
    reference: dict[str, RuleValue] = {}
    """Figures that other books decide; kept because people ask for them here."""


def read_rules(book: RuleBook) -> BenefitRules:
    """Read a book's `rules` by the schema; refuses RULE_BOOK_KIND and RULE_BOOK_SCHEMA."""
    if book.kind != KIND:
        raise Refused("RULE_BOOK_KIND", book=book.book_id, kind=book.kind, expected=KIND)
    try:
        return msgspec.convert(book.document["rules"], BenefitRules)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        path = "rules" + where.strip("`").removeprefix("$")
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=what) from None
