"""From a benefit rule book to the tables that the engine reads.

For each kind of hospital and person the one row of every section that applies is found, its
adjustments are worked in, and every figure is checked: exact decimals only (RULE_BOOK_NUMBER), no
cell set twice, bands in order, no ratio above one (RULE_BOOK_SCHEMA), no amount that could overflow
(RULE_OVERFLOW).
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_yuan
from tongcheng.kernel.rulebook import Problem, RuleBook
from tongcheng.services.settlement.compiler_covers import compile_covers, compile_funds
from tongcheng.services.settlement.figures import Figures
from tongcheng.services.settlement.rules import (
    AT_HOME,
    FILINGS,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
    BandAdjustment,
    BandGroup,
    BenefitRules,
    DeductibleRow,
    Filing,
    Selector,
    Subtype,
    read_rules,
)
from tongcheng.services.settlement.tables import (
    BASIS,
    NO_LIMIT,
    UNIT,
    UNKNOWN,
    BandCell,
    BenefitTables,
    Cell,
    CellKey,
    DeductibleCell,
    LargeCell,
    OwnFiling,
)

_BASES: Final = frozenset({"each_admission", "annual"})
_YEAR_OF: Final = frozenset({"discharge", "admission", "split"})
_RESTARTS: Final = {
    "bands": frozenset({"settlement_period"}),
    "deductible": frozenset({"calendar_year"}),
    "cap": frozenset({"calendar_year"}),
}
"""What the engine computes; a book that says otherwise is refused, not misread."""
_FURTHER: Final = frozenset({"none", "as_later_admission"})

Row = TypeVar("Row", bound=Selector)


def compile_benefit(book: RuleBook) -> BenefitTables:
    """Compile a benefit rule book.

    Refuses RULE_BOOK_KIND, RULE_BOOK_SCHEMA (shape, a cell set twice, bands out of order, a ratio
    above one), RULE_BOOK_NUMBER (not exact decimal text), RULE_OVERFLOW.
    """
    return _Compiler(book, read_rules(book)).tables()


def check_benefit(book: RuleBook) -> list[Problem]:
    """List what compilation would refuse, and sums that do not agree, as problems."""
    try:
        rules = read_rules(book)
        _Compiler(book, rules).tables()
    except Refused as refused:
        path = str(refused.facts.get("path") or refused.facts.get("rule") or "rules")
        detail = str(refused.facts.get("fault") or refused.facts.get("value") or "")
        return [Problem(path, refused.code, detail)]
    return [
        Problem(f"rules.large[{at}].cap", "CAPS_DISAGREE", f"total_cap {rules.total_cap.value}")
        for at, row in enumerate(rules.large)
        if rules.total_cap is not None
        and None not in (values := (rules.pool_cap.value, row.cap.value, rules.total_cap.value))
        and _sum_differs(*(str(value) for value in values))
    ]


def _sum_differs(pool: str, large: str, total: str) -> bool:
    return parse_yuan(pool) + parse_yuan(large) != parse_yuan(total)


class _Compiler:
    """Turns one book into tables, keeping the pointer of every figure."""

    def __init__(self, book: RuleBook, rules: BenefitRules) -> None:
        self._book = book
        self._rules = rules
        self._figures = Figures(book)

    def tables(self) -> BenefitTables:
        rules, book, figures = self._rules, self._book, self._figures
        pool_cap, pool_cap_rule = figures.amount(rules.pool_cap, "rules.pool_cap")
        period = rules.period
        period.deductible.need("rules.period.deductible", book.book_id)
        period.cap.need("rules.period.cap", book.book_id)
        cells = {
            key: self._cell(key)
            for level in LEVELS
            for subtype in (None, *SUBTYPES)
            for person in rules.persons
            for tier in (None, *TIERS)
            for key in [(level, subtype, person, tier)]
        }
        basis = figures.word(rules.deductible.basis, "rules.deductible.basis", _BASES)
        for name, known in _RESTARTS.items():
            figures.word(getattr(period, name), f"rules.period.{name}", known)
        return BenefitTables(
            book_id=book.book_id,
            digest=book.digest,
            status=book.status,
            admdvs=book.admdvs,
            scheme=book.scheme,
            persons=rules.persons,
            year_of=figures.word(period.year_of, "rules.period.year_of", _YEAR_OF),
            further_periods=figures.word(
                period.further_periods, "rules.period.further_periods", _FURTHER
            ),
            annual_deductible=None if basis is None else basis == "annual",
            cells=cells,
            subtype_levels=frozenset(
                int(level)
                for row in self._rows()
                if row.subtypes
                for level in row.levels or map(str, LEVELS)
            ),
            tiered=frozenset(
                person
                for row in self._rows()
                if row.tiers
                for person in row.persons or PERSON_TYPES
            ),
            pool_cap_fen=pool_cap,
            pool_cap_rule=pool_cap_rule,
            has_large=bool(rules.large),
            covers=compile_covers(figures, rules),
            funds=compile_funds(book, figures, rules),
            rules=figures.pointers(),
        )

    def _rows(self) -> tuple[Selector, ...]:
        """Return every row: where one names a subtype or a tier, a figure depends on it."""
        rules = self._rules
        return (
            *rules.deductible.rows,
            *rules.deductible.adjustments,
            *rules.bands,
            *rules.adjustments,
            *rules.filing,
            *rules.large,
        )

    def _pick(
        self, rows: Iterable[tuple[int, Row]], key: CellKey, section: str
    ) -> tuple[int, Row] | None:
        """Return the one row that speaks about a cell, with its place in the section."""
        found = _applying(rows, key)
        if len(found) > 1:
            told = " ".join(str(part) for part in key if part is not None)
            self._figures.refuse(f"{section}[{found[1][0]}]", f"level {told} is set twice")
        return found[0] if found else None

    def _cell(self, key: CellKey) -> Cell:
        found = self._pick(enumerate(self._rules.large), key, "rules.large")
        large = None
        if found is not None:
            path = f"rules.large[{found[0]}]"
            ratio = self._figures.points(found[1].ratio, f"{path}.ratio")
            cap, cap_rule = self._figures.amount(found[1].cap, f"{path}.cap")
            large = LargeCell(ratio[0], cap, ratio[1], cap_rule)
        filing = {name: own for name in FILINGS if (own := self._own_filing(key, name)) is not None}
        return Cell(self._deductible(key), self._bands(key), large, filing)

    # what a person bears first

    def _deductible(self, key: CellKey) -> DeductibleCell:
        section = "rules.deductible"
        missing = self._figures.missing(section)
        rows = self._rules.deductible.rows
        of: dict[str, tuple[str, DeductibleRow]] = {}
        for admission in ("first", "later"):
            numbered = [(at, row) for at, row in enumerate(rows) if row.admission == admission]
            found = self._pick(numbered, key, f"{section}.rows")
            if found is not None:
                of[admission] = (f"{section}.rows[{found[0]}]", found[1])
        first, first_rule = UNKNOWN, missing
        if "first" in of:
            path, row = of["first"]
            if row.amount is None or any((row.factor, row.minus_each, row.floor)):
                self._figures.refuse(path, "a first admission has an amount, and nothing else")
            first, first_rule = self._figures.amount(row.amount, f"{path}.amount")
        later, step, floor, later_rule = UNKNOWN, 0, 0, missing
        if "later" in of:
            later, step, floor, later_rule = self._later(*of["later"], first, first_rule)
        return self._adjusted(
            key,
            DeductibleCell(
                first_fen=first,
                later_fen=later,
                step_fen=step,
                floor_fen=floor,
                first_rule=first_rule,
                later_rule=later_rule,
            ),
        )

    def _later(
        self, path: str, row: DeductibleRow, first: int, first_rule: int
    ) -> tuple[int, int, int, int]:
        """Return amount, step, floor and rule of later admissions; the rule of what is unknown."""
        figures = self._figures
        given = [each for each in (row.amount, row.factor, row.minus_each) if each is not None]
        if len(given) != 1 or (row.floor is not None and row.minus_each is None):
            figures.refuse(path, "one of amount, factor, minus_each (with floor)")
        if row.amount is not None:
            amount, rule = figures.amount(row.amount, f"{path}.amount")
            return amount, 0, 0, rule
        if row.factor is not None:
            points, rule = figures.points(row.factor, f"{path}.factor")
            if UNKNOWN in {points, first}:
                return UNKNOWN, 0, 0, rule if points == UNKNOWN else first_rule
            return figures.times(first, points, f"{path}.factor"), 0, 0, rule
        assert row.minus_each is not None, "one of three was given"
        step, rule = figures.amount(row.minus_each, f"{path}.minus_each")
        floor, floor_rule = (
            (0, rule) if row.floor is None else figures.amount(row.floor, f"{path}.floor")
        )
        for value, its_rule in ((step, rule), (floor, floor_rule), (first, first_rule)):
            if value == UNKNOWN:
                return UNKNOWN, 0, 0, its_rule
        return max(first - step, min(first, floor)), step, min(first, floor), rule

    def _adjusted(self, key: CellKey, cell: DeductibleCell) -> DeductibleCell:
        """Work in the adjustments for some persons, in the order of the book."""
        figures = self._figures
        let_off = False
        for at, row in _applying(enumerate(self._rules.deductible.adjustments), key):
            path = f"rules.deductible.adjustments[{at}]"
            if (row.minus is None) == (row.factor is None):
                figures.refuse(path, "either minus (with floor) or factor")
            if let_off:
                figures.refuse(path, "nothing adjusts what minus has lowered already")
            if row.factor is not None:
                points, rule = figures.points(row.factor, f"{path}.factor")
                if points == UNKNOWN:
                    cell = _unknown(rule)
                    continue
                scaled = {
                    name: fen if fen == UNKNOWN else figures.times(fen, points, f"{path}.factor")
                    for name in ("first_fen", "later_fen", "step_fen", "floor_fen")
                    for fen in [getattr(cell, name)]
                }
                cell = msgspec.structs.replace(cell, **scaled, modifiers=(*cell.modifiers, rule))
                continue
            assert row.minus is not None, "checked above"
            let_off = True
            minus, rule = figures.amount(row.minus, f"{path}.minus")
            floor, floor_rule = (
                (0, rule) if row.floor is None else figures.amount(row.floor, f"{path}.floor")
            )
            if UNKNOWN in {minus, floor}:
                cell = _unknown(rule if minus == UNKNOWN else floor_rule)
                continue
            cell = msgspec.structs.replace(
                cell,
                minus_fen=minus,
                minus_floor_fen=floor,
                modifiers=(*cell.modifiers, rule),
            )
        return cell

    # what the pool pays

    def _bands(self, key: CellKey) -> BandCell:
        found = self._pick(enumerate(self._rules.bands), key, "rules.bands")
        if found is None:
            return BandCell((NO_LIMIT,), (UNKNOWN,), (self._figures.missing("rules.bands"),))
        cell = self._steps(found[1], f"rules.bands[{found[0]}]")
        if len(cell.ratio) > 1 and self._rules.period.bands.value is None:
            # Whether the bands begin anew with a stay or count the year decides every ratio.
            rule = self._figures.point(self._rules.period.bands, "rules.period.bands")
            return BandCell(cell.to_fen, (UNKNOWN,) * len(cell.ratio), (rule,) * len(cell.rule))
        for at, row in _applying(enumerate(self._rules.adjustments), key):
            cell = self._shifted(cell, row, f"rules.adjustments[{at}]")
        return cell

    def _steps(self, group: BandGroup, path: str) -> BandCell:
        figures = self._figures
        limits: list[int] = []
        ratios: list[int] = []
        rules: list[int] = []
        for at, step in enumerate(group.steps):
            here = f"{path}.steps[{at}]"
            if (step.to is None) != (at == len(group.steps) - 1):
                figures.refuse(
                    here, "every band but the last has a limit, and only the last has none"
                )
            limit = NO_LIMIT if step.to is None else figures.amount(step.to, f"{here}.to")[0]
            if limit == UNKNOWN:
                figures.refuse(here, "the limit of a band can not be unknown")
            if limit <= (limits[-1] if limits else 0):
                figures.refuse(here, "the limits of bands must rise, from zero on")
            points, rule = figures.points(step.ratio, f"{here}.ratio")
            limits.append(limit)
            ratios.append(UNKNOWN if points == UNKNOWN else points * BASIS)
            rules.append(rule)
        if not limits:
            figures.refuse(path, "a group of bands without a band")
        return BandCell(tuple(limits), tuple(ratios), tuple(rules))

    def _shifted(self, cell: BandCell, row: BandAdjustment, path: str) -> BandCell:
        """Return the bands after one adjustment, exact over UNIT; what is unknown stays so."""
        figures = self._figures
        times, more = row.personal_share_times, row.add_points
        if times is not None and more is None:
            here = f"{path}.personal_share_times"
            factor, rule = figures.points(times, here)
        elif more is not None and times is None:
            here = f"{path}.add_points"
            factor, rule = figures.points(more, here)
        else:
            figures.refuse(path, "either personal_share_times or add_points")
        if factor == UNKNOWN:
            unknown = (UNKNOWN,) * len(cell.ratio)
            return BandCell(cell.to_fen, unknown, (rule,) * len(cell.rule))
        ratio = tuple(
            each
            if each == UNKNOWN
            else each + factor * BASIS
            if times is None
            else UNIT - figures.times(UNIT - each, factor, here)
            for each in cell.ratio
        )
        if max(ratio) > UNIT:
            figures.refuse(here, "the ratio becomes more than one")
        return BandCell(cell.to_fen, ratio, cell.rule, (*cell.modifiers, rule))

    def _own_filing(self, key: CellKey, filing: Filing) -> OwnFiling | None:
        rows = [(at, row) for at, row in enumerate(self._rules.filing) if filing in row.filings]
        found = self._pick(rows, key, "rules.filing")
        if found is None:
            return None
        row = found[1]
        path, figures = f"rules.filing[{found[0]}]", self._figures
        if AT_HOME.intersection(row.filings):
            figures.refuse(path, "nothing is changed for a stay at home or one that counts as such")
        if row.cut is not None and row.ratio is not None:
            figures.refuse(path, "either a cut or a ratio of its own")
        none: tuple[int | None, int] = (None, -1)
        deductible = (
            none if row.deductible is None else figures.amount(row.deductible, f"{path}.deductible")
        )
        ratio = none if row.ratio is None else figures.points(row.ratio, f"{path}.ratio")
        cut = none if row.cut is None else figures.points(row.cut, f"{path}.cut")
        share = ratio[0] if ratio[0] is None or ratio[0] == UNKNOWN else ratio[0] * BASIS
        return OwnFiling(deductible[0], deductible[1], share, ratio[1], cut[0], cut[1])


def _unknown(rule: int) -> DeductibleCell:
    """Return a deductible that an unknown figure makes unknown."""
    return DeductibleCell(first_fen=UNKNOWN, later_fen=UNKNOWN, first_rule=rule, later_rule=rule)


def _applying(rows: Iterable[tuple[int, Row]], key: CellKey) -> list[tuple[int, Row]]:
    """Return the rows that speak about a cell, with their places, in the order of the book."""
    rows = list(rows)
    named = {each for _, row in rows if _fits_level(row, key[0]) for each in row.subtypes}
    return [(at, row) for at, row in rows if _applies(row, key, named)]


def _fits_level(row: Selector, level: int) -> bool:
    return not row.levels or str(level) in row.levels


def _applies(row: Selector, key: CellKey, named: set[Subtype]) -> bool:
    """Whether a row speaks about a cell; `named` are the subtypes that rows of its level name."""
    level, subtype, person, tier = key
    if not _fits_level(row, level) or (row.persons and person not in row.persons):
        return False
    if row.tiers and tier not in row.tiers:
        return False
    if not row.subtypes or subtype in row.subtypes:
        return True
    return "other" in row.subtypes and subtype is not None and subtype not in named
