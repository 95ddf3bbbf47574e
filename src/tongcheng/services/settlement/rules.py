"""The schema of a benefit rule book: what stands under `rules` in a book of kind `benefit`.

Every figure is a `RuleValue`, so that it can not be written without its source and a confidence.
A row says whom it is about by selectors; a selector that is left out means everybody. For one
hospital and one person exactly one row of a section applies: two are a fault of the book, none is
a figure that the book does not know. `compiler` compiles a book that has this shape.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, RuleValue

KIND: Final = "benefit"

LEVELS: Final = (0, 1, 2, 3)
"""Hospital levels (医院等级); 0 is a township or community health centre (基层医疗机构)."""
PERSON_TYPES: Final[tuple["PersonType", ...]] = ("active", "retired", "resident", "child", "elder")
SUBTYPES: Final[tuple["Subtype", ...]] = ("provincial", "municipal", "district", "other")
TIERS: Final[tuple["Tier", ...]] = ("low", "middle", "high")
CATEGORIES: Final[tuple["Category", ...]] = ("general", "poor")
FILINGS: Final[tuple["Filing", ...]] = (
    "local",
    "deemed",
    "long_stay",
    "referral",
    "emergency",
    "other",
)

Level = Literal["0", "1", "2", "3"]
PersonType = Literal["active", "retired", "resident", "child", "elder"]
"""Who is insured (人员类别): in work, retired; resident, child or student, elder."""
Subtype = Literal["provincial", "municipal", "district", "other"]
"""Who runs a hospital (隶属关系). In a row, `other` is every subtype that no row names."""
Tier = Literal["low", "middle", "high"]
"""What a resident has chosen to contribute (缴费档次)."""
Category = Literal["general", "poor"]
"""Whether a person is entitled to assistance (救助对象)."""
Filing = Literal["local", "deemed", "long_stay", "referral", "emergency", "other"]
"""How a stay elsewhere was filed beforehand (备案): not elsewhere at all, counted as filed by an
agreement of the region, long-term residence, referral, emergency rescue, or anything else,
which includes not filed."""
AT_HOME: Final[frozenset[Filing]] = frozenset({"local", "deemed"})
"""Ways of filing by which nothing is cut."""
PaidAt = Literal["discharge", "year_end", "on_claim"]
Layer = Literal["pool", "large", "catastrophic", "assistance", "announced"]


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of a rule book as it is written."""


class Selector(_Schema, frozen=True, kw_only=True):
    """Whom a row is about; what is left out means everybody, and nobody can not be written."""

    levels: Annotated[tuple[Level, ...], Meta(min_length=1)] = ()
    subtypes: Annotated[tuple[Subtype, ...], Meta(min_length=1)] = ()
    persons: Annotated[tuple[PersonType, ...], Meta(min_length=1)] = ()
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1)] = ()


class DeductibleRow(Selector, frozen=True, kw_only=True):
    """起付线: what a person bears first, of the first or of a later admission of the year.

    A later admission has an `amount` of its own, or a `factor` of the first one's, or each further
    one is lower by `minus_each`, but not below `floor`.
    """

    admission: Literal["first", "later"]
    amount: RuleValue | None = None
    factor: RuleValue | None = None
    minus_each: RuleValue | None = None
    floor: RuleValue | None = None


class DeductibleAdjustment(Selector, frozen=True, kw_only=True):
    """Some persons bear less first: `minus` yuan, but not less than `floor`; or a `factor`."""

    minus: RuleValue | None = None
    floor: RuleValue | None = None
    factor: RuleValue | None = None


class Deductible(_Schema, frozen=True, kw_only=True):
    """`basis`: `each_admission` charges the row's amount anew, `annual` only what is left of it."""

    basis: RuleValue
    rows: tuple[DeductibleRow, ...]
    adjustments: tuple[DeductibleAdjustment, ...] = ()


class Step(_Schema, frozen=True, kw_only=True):
    """One band (段): the fund's ratio up to an in-scope amount from zero; the last has no end."""

    ratio: RuleValue
    to: RuleValue | None = None


class BandGroup(Selector, frozen=True, kw_only=True):
    """The bands of some hospitals and persons."""

    steps: tuple[Step, ...]


class BandAdjustment(Selector, frozen=True, kw_only=True):
    """What changes the ratio of every band for some persons; applied in the order of the book.

    `personal_share_times` multiplies the share that the person bears; `add_points` adds to the
    fund's ratio.
    """

    personal_share_times: RuleValue | None = None
    add_points: RuleValue | None = None


class FilingRow(Selector, frozen=True, kw_only=True):
    """The place's own terms for a stay that was filed in a certain way, or not at all.

    They hold where no agreement of a region counts the stay as filed. `cut` is subtracted from
    the ratio of every band; `ratio` and `deductible` stand instead of the book's own.
    """

    filings: Annotated[tuple[Filing, ...], Meta(min_length=1)]
    cut: RuleValue | None = None
    ratio: RuleValue | None = None
    deductible: RuleValue | None = None


class Large(Selector, frozen=True, kw_only=True):
    """大额医疗互助: what the pool no longer carries; ratio, and the most it pays in a year."""

    ratio: RuleValue
    cap: RuleValue


class Fund(_Schema, frozen=True, kw_only=True):
    """One fund: the purse it is paid from, its field in the national message, when it pays.

    A fund that does not pay at discharge is in layer `announced`, whatever it is called.
    """

    fund: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$(?!\n)", max_length=64)]
    layer: Layer
    title: dict[str, str]
    paid_at: RuleValue
    field: str | None = None


class Period(_Schema, frozen=True, kw_only=True):
    """What restarts when.

    `year_of` says which day's year a stay belongs to. `further_periods` says what a further
    settlement period of one stay bears first: `none` or `as_later_admission`.
    """

    bands: RuleValue
    deductible: RuleValue
    cap: RuleValue
    year_of: RuleValue
    further_periods: RuleValue
    days_most: RuleValue | None = None


class CoverStep(_Schema, frozen=True, kw_only=True):
    """One step of a cover: its ratio up to an amount, measured as the cover says."""

    ratio: RuleValue
    to: RuleValue | None = None


class CoverTerms(_Schema, frozen=True, kw_only=True):
    """The terms of a cover for persons of some categories (left out: everybody).

    `deductible` is what the person bears in a year before the cover begins; `cap` the most it
    pays in a year, the word `none` where a source says that there is no limit. `measure` says
    what the steps' limits count from: the `excess` over the deductible, or the whole `burden`.
    """

    deductible: RuleValue
    steps: tuple[CoverStep, ...]
    cap: RuleValue
    categories: Annotated[tuple[Category, ...], Meta(min_length=1)] = ()
    measure: Literal["excess", "burden"] = "excess"


class Cover(_Schema, frozen=True, kw_only=True):
    """A second cover (大病保险, 医疗救助) on what a person bears of in-scope amounts in a year."""

    title: dict[str, str]
    terms: Annotated[tuple[CoverTerms, ...], Meta(min_length=1)]


class Alternative(_Schema, frozen=True, kw_only=True):
    """Another reading of the whole: a source that contradicts the rules in more than a figure.

    Its sections stand instead of those of the rules. It decides nothing; an estimate shows the
    difference in yuan.
    """

    title: dict[str, str]
    source: str | tuple[str, ...]
    rules: dict[str, object]
    remark: str | None = None


class BenefitRules(_Schema, frozen=True, kw_only=True):
    """The `rules` of a book of kind `benefit`."""

    persons: Annotated[tuple[PersonType, ...], Meta(min_length=1)]
    period: Period
    deductible: Deductible
    bands: tuple[BandGroup, ...]
    pool_cap: RuleValue
    funds: tuple[Fund, ...]
    adjustments: tuple[BandAdjustment, ...] = ()
    filing: tuple[FilingRow, ...] = ()
    large: tuple[Large, ...] = ()
    total_cap: RuleValue | None = None
    catastrophic: Cover | None = None
    assistance: Cover | None = None
    alternatives: tuple[Alternative, ...] = ()
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
