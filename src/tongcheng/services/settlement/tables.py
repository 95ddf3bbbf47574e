"""A benefit rule book as integers: what the engine reads instead of the book.

Every amount is fen, every ratio basis points or a share over `UNIT`, beside a pointer to the rule
it came from. A figure that the book leaves unknown is `UNKNOWN`, and becomes the refusal
RULE_UNKNOWN only when a case needs it. `compiler` makes these tables and checks their bounds once,
so that the engine can not overflow int64 on any machine: an amount times `UNIT` stays below 2**62.
"""

from typing import Final, Literal, NoReturn

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.rules import (
    Category,
    Filing,
    Layer,
    PaidAt,
    PersonType,
    Subtype,
    Tier,
)

BASIS: Final = 10_000
"""A ratio is a whole number of basis points: 0.85 is 8500."""
UNIT: Final = BASIS * BASIS
"""A share that a retiree factor has multiplied is a whole number over this."""
AMOUNT_MAX_FEN: Final = 2**62 // UNIT - 1
"""The largest amount the engine computes with: 461 million yuan."""
NO_LIMIT: Final = 2 * AMOUNT_MAX_FEN + 1
"""More than any amount, and than any burden of a year with one more stay on it."""
UNKNOWN: Final = -1


class RulePointer(msgspec.Struct, frozen=True):
    """Where a figure comes from: enough to explain an amount without the book at hand."""

    path: str
    value: str | None
    clause: str | None
    sources: tuple[str, ...]
    confidence: str
    remark: str | None
    doubtful: bool


class RuleRef(msgspec.Struct, frozen=True):
    """A rule by the digest of its book and its path there."""

    book: str
    rule: str


class Cut(msgspec.Struct, frozen=True):
    """What a stay's filing takes off the pool's ratio, in basis points, and the rule that says so.

    `points` is UNKNOWN where the book, called `book_id`, does not know the figure.
    """

    points: int = 0
    ref: RuleRef | None = None
    book_id: str = ""


NO_CUT: Final = Cut()


class FundTerm(msgspec.Struct, frozen=True):
    """One fund as settled: the purse's fund name, its layer, when it pays, its national field."""

    fund: str
    layer: Layer
    paid_at: PaidAt
    field: str | None
    title: dict[str, str]


class DeductibleCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of person bears first in one kind of hospital; amounts are fen.

    The n-th admission of the year bears `first_fen` (n = 1) or `later_fen` less `step_fen` for each
    after the second, but at least `floor_fen`; of that, `minus_fen` is let off down to
    `minus_floor_fen`.
    """

    first_fen: int
    later_fen: int
    step_fen: int = 0
    floor_fen: int = 0
    minus_fen: int = 0
    minus_floor_fen: int = 0
    first_rule: int
    later_rule: int
    modifiers: tuple[int, ...] = ()

    def of_admission(self, number: int) -> int:
        """Return the fen of the n-th admission of the year, or UNKNOWN."""
        amount = self.first_fen
        if number > 1:
            amount = self.later_fen
            if amount != UNKNOWN:
                amount = max(amount - self.step_fen * (number - 2), self.floor_fen)
        if amount == UNKNOWN or UNKNOWN in {self.minus_fen, self.minus_floor_fen}:
            return UNKNOWN
        return min(amount, max(amount - self.minus_fen, self.minus_floor_fen))


class BandCell(msgspec.Struct, frozen=True):
    """The bands of one kind of person in one kind of hospital.

    `to_fen` are their upper ends from zero (the last is NO_LIMIT), `ratio` the fund's shares over
    UNIT, `rule` the pointers, `modifiers` the rules that changed all ratios.
    """

    to_fen: tuple[int, ...]
    ratio: tuple[int, ...]
    rule: tuple[int, ...]
    modifiers: tuple[int, ...] = ()


class LargeCell(msgspec.Struct, frozen=True):
    """The large-amount fund: ratio in basis points, the most of a year in fen, and both rules."""

    ratio: int
    cap_fen: int
    ratio_rule: int
    cap_rule: int


class OwnFiling(msgspec.Struct, frozen=True):
    """A place's own terms for a way of filing; None where the book's general ones stand.

    `ratio` is a share over UNIT, `cut` basis points; each with the pointer of its rule.
    """

    deductible_fen: int | None
    deductible_rule: int
    ratio: int | None
    ratio_rule: int
    cut: int | None
    cut_rule: int


class Cell(msgspec.Struct, frozen=True):
    """Everything a book says about one kind of person in one kind of hospital."""

    deductible: DeductibleCell
    bands: BandCell
    large: LargeCell | None
    filing: dict[Filing, OwnFiling]


class CoverTable(msgspec.Struct, frozen=True):
    """A second cover on a year's burden: from `deductible_fen` on, by steps, up to `cap_fen`.

    `to_fen` count from a burden of zero; `ratio` is basis points.
    """

    deductible_fen: int
    deductible_rule: int
    to_fen: tuple[int, ...]
    ratio: tuple[int, ...]
    rule: tuple[int, ...]
    cap_fen: int
    cap_rule: int


CellKey = tuple[int, Subtype | None, PersonType, Tier | None]
CoverLayer = Literal["catastrophic", "assistance"]
COVER_LAYERS: Final[tuple[CoverLayer, ...]] = ("catastrophic", "assistance")


class BenefitTables(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled rule book.

    `cells` are keyed by hospital level and subtype, person type and tier; `covers` by layer and
    category. `subtype_levels` and `tiered` say where a figure depends on a hospital's subtype or
    a person's tier. `further_periods`, `year_of` and `annual_deductible` are None where the book
    does not know.
    """

    book_id: str
    digest: str
    status: Literal["draft", "adopted"]
    admdvs: str
    scheme: str
    persons: tuple[PersonType, ...]
    year_of: str | None
    further_periods: str | None
    annual_deductible: bool | None
    cells: dict[CellKey, Cell]
    subtype_levels: frozenset[int]
    tiered: frozenset[PersonType]
    pool_cap_fen: int
    pool_cap_rule: int
    has_large: bool
    covers: dict[tuple[CoverLayer, Category], CoverTable]
    funds: tuple[FundTerm, ...]
    rules: tuple[RulePointer, ...]

    def pointer(self, path: str) -> RulePointer:
        """Return the rule that a trace row names."""
        for rule in self.rules:
            if rule.path == path:
                return rule
        raise Refused("RULE_UNKNOWN", rule=path, book=self.book_id)

    def ref(self, rule: int) -> RuleRef:
        """Return a rule of this book as a trace names it."""
        return RuleRef(self.digest, self.rules[rule].path)

    def term(self, layer: Layer) -> FundTerm | None:
        """Return the fund that pays a layer at discharge, None where none does."""
        return next((term for term in self.funds if term.layer == layer), None)

    def refuse_unknown(self, rule: int) -> NoReturn:
        """Refuse a case that needs a figure the book does not know."""
        raise Refused("RULE_UNKNOWN", rule=self.rules[rule].path, book=self.book_id)
