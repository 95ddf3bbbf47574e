"""A benefit rule book compiled into tables of integers.

The engine reads no rule book: it reads `BenefitTables`, whose every cell is an integer (fen, basis
points, or a share over `UNIT`) beside a pointer to the rule it came from. A cell that the book
leaves unknown is `UNKNOWN`, and becomes the refusal RULE_UNKNOWN only when a case needs it.

Bounds are checked here, once, so that the engine can not overflow int64 on any machine: an amount
times `UNIT` stays below 2**62 (RULE_OVERFLOW).
"""

from typing import Final, Literal, NoReturn

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled, parse_yuan
from tongcheng.kernel.rulebook import Problem, RuleBook, RuleValue
from tongcheng.services.settlement.rules import (
    LEVELS,
    PERSON_TYPES,
    BandGroup,
    BenefitRules,
    Layer,
    PaidAt,
    read_rules,
)

BASIS: Final = 10_000
"""A ratio is a whole number of basis points: 0.85 is 8500."""
UNIT: Final = BASIS * BASIS
"""A share that a retiree factor has multiplied is a whole number over this."""
AMOUNT_MAX_FEN: Final = 2**62 // UNIT - 1
"""The largest amount the engine computes with: 461 million yuan."""
NO_LIMIT: Final = AMOUNT_MAX_FEN + 1
UNKNOWN: Final = -1

_FACTOR: Final = "rules.retired.factor"
_PAID_AT: Final = frozenset({"discharge", "year_end", "on_claim"})
_BASES: Final = frozenset({"each_admission", "annual"})
_YEAR_OF: Final = frozenset({"discharge", "admission", "split"})


class RulePointer(msgspec.Struct, frozen=True):
    """Where a cell comes from: enough to explain an amount without the book at hand."""

    path: str
    value: str | None
    clause: str | None
    sources: tuple[str, ...]
    confidence: str
    remark: str | None
    doubtful: bool


class FundTerm(msgspec.Struct, frozen=True):
    """One fund as settled: the purse's fund name, its layer, when it pays, its national field."""

    fund: str
    layer: Layer
    paid_at: PaidAt
    field: str | None
    title: dict[str, str]


Grid = tuple[tuple[int, ...], ...]


class BenefitTables(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled rule book. First index level - 1; then admission (0 first, 1 later) or person.

    Ratios of bands are shares over `UNIT`, the large fund's are basis points, amounts are fen.
    Every `…_rule` table has the shape of its neighbour and points into `rules`.
    """

    book_id: str
    digest: str
    status: Literal["draft", "adopted"]
    admdvs: str
    scheme: str
    year_of: str | None
    annual_deductible: bool
    deductible_fen: Grid
    deductible_rule: Grid
    band_to_fen: tuple[Grid, ...]
    band_ratio: tuple[Grid, ...]
    band_rule: tuple[Grid, ...]
    pool_cap_fen: int
    pool_cap_rule: int
    has_large: bool
    large_ratio: tuple[int, ...]
    large_ratio_rule: tuple[int, ...]
    large_cap_fen: tuple[int, ...]
    large_cap_rule: tuple[int, ...]
    funds: tuple[FundTerm, ...]
    rules: tuple[RulePointer, ...]

    def pointer(self, path: str) -> RulePointer:
        """Return the rule that a trace row names."""
        for rule in self.rules:
            if rule.path == path:
                return rule
        raise Refused("RULE_UNKNOWN", rule=path, book=self.book_id)

    def refuse_unknown(self, rule: int) -> NoReturn:
        """Refuse a case that needs a figure the book does not know."""
        raise Refused("RULE_UNKNOWN", rule=self.rules[rule].path, book=self.book_id)


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
    """Turns one book into tables, keeping the pointer of every cell."""

    def __init__(self, book: RuleBook, rules: BenefitRules) -> None:
        self._book = book
        self._rules = rules
        self._pointers: list[RulePointer] = []

    def tables(self) -> BenefitTables:
        rules, book = self._rules, self._book
        deductible_fen, deductible_rule = self._deductibles()
        to_fen, ratio, rule = self._bands()
        pool_cap, pool_cap_rule = self._amount(rules.pool_cap, "rules.pool_cap")
        large = self._large()
        return BenefitTables(
            book_id=book.book_id,
            digest=book.digest,
            status=book.status,
            admdvs=book.admdvs,
            scheme=book.scheme,
            year_of=self._word(rules.period.year_of, "rules.period.year_of", _YEAR_OF),
            annual_deductible=self._word(rules.deductible.basis, "rules.deductible.basis", _BASES)
            == "annual",
            deductible_fen=deductible_fen,
            deductible_rule=deductible_rule,
            band_to_fen=to_fen,
            band_ratio=ratio,
            band_rule=rule,
            pool_cap_fen=pool_cap,
            pool_cap_rule=pool_cap_rule,
            has_large=bool(rules.large),
            large_ratio=large[0],
            large_ratio_rule=large[1],
            large_cap_fen=large[2],
            large_cap_rule=large[3],
            funds=self._funds(),
            rules=tuple(self._pointers),
        )

    def _refuse(self, path: str, fault: str) -> NoReturn:
        raise Refused("RULE_BOOK_SCHEMA", book=self._book.book_id, path=path, fault=fault)

    def _point(self, value: RuleValue | None, path: str) -> int:
        """Remember where a cell comes from; None for a cell that no row of the book fills."""
        pointer = (
            RulePointer(path, None, None, (), "own", "not in the book", doubtful=True)
            if value is None
            else RulePointer(
                path,
                value.value,
                value.clause,
                value.source_keys,
                value.confidence,
                value.remark,
                value.doubtful,
            )
        )
        self._pointers.append(pointer)
        return len(self._pointers) - 1

    def _scaled(self, text: str, digits: int, path: str) -> int:
        try:
            value = parse_scaled(text, digits)
        except Refused:
            value = -1
        if value < 0:
            raise Refused("RULE_BOOK_NUMBER", book=self._book.book_id, path=path, value=text)
        return value

    def _amount(self, value: RuleValue, path: str) -> tuple[int, int]:
        """Return (fen or UNKNOWN, pointer)."""
        rule = self._point(value, path)
        if value.value is None:
            return UNKNOWN, rule
        fen = self._scaled(value.value, 2, path)
        if fen > AMOUNT_MAX_FEN:
            raise Refused("RULE_OVERFLOW", book=self._book.book_id, path=path, most=AMOUNT_MAX_FEN)
        return fen, rule

    def _ratio(self, value: RuleValue, path: str) -> int:
        """Return basis points or UNKNOWN."""
        if value.value is None:
            return UNKNOWN
        points = self._scaled(value.value, 4, path)
        if points > BASIS:
            self._refuse(path, f"{value.value} is more than one")
        return points

    def _word(self, value: RuleValue, path: str, known: frozenset[str]) -> str | None:
        if value.value is not None and value.value not in known:
            self._refuse(path, f"{value.value}, expected one of {', '.join(sorted(known))}")
        return value.value

    def _deductibles(self) -> tuple[Grid, Grid]:
        amounts = [[UNKNOWN, UNKNOWN] for _ in LEVELS]
        rules = [[-1, -1] for _ in LEVELS]
        for at, row in enumerate(self._rules.deductible.rows):
            path = f"rules.deductible.rows[{at}].amount"
            fen, rule = self._amount(row.amount, path)
            column = 0 if row.admission == "first" else 1
            for level in row.levels:
                if rules[int(level) - 1][column] >= 0:
                    self._refuse(path, f"level {level}, {row.admission} admission is set twice")
                amounts[int(level) - 1][column] = fen
                rules[int(level) - 1][column] = rule
        missing = self._point(None, "rules.deductible")
        return _grid(amounts), _grid([[r if r >= 0 else missing for r in row] for row in rules])

    def _bands(self) -> tuple[tuple[Grid, ...], tuple[Grid, ...], tuple[Grid, ...]]:
        missing = ((NO_LIMIT,), (UNKNOWN,), (self._point(None, "rules.bands"),))
        cells: dict[tuple[int, str], tuple[tuple[int, ...], ...]] = {}
        for at, group in enumerate(self._rules.bands):
            path = f"rules.bands[{at}]"
            steps = self._steps(group, path)
            for key in ((int(level), person) for level in group.levels for person in group.persons):
                if key in cells:
                    self._refuse(path, f"level {key[0]}, {key[1]} is set twice")
                cells[key] = steps
        if self._rules.retired is not None:
            self._point(self._rules.retired.factor, _FACTOR)
        for level in LEVELS:
            if (level, "retired") not in cells and (level, "active") in cells:
                cells[level, "retired"] = self._derived(cells[level, "active"])
        rows = [[cells.get((level, p), missing) for p in PERSON_TYPES] for level in LEVELS]
        return (
            tuple(tuple(cell[0] for cell in row) for row in rows),
            tuple(tuple(cell[1] for cell in row) for row in rows),
            tuple(tuple(cell[2] for cell in row) for row in rows),
        )

    def _steps(self, group: BandGroup, path: str) -> tuple[tuple[int, ...], ...]:
        limits: list[int] = []
        ratios: list[int] = []
        rules: list[int] = []
        for at, step in enumerate(group.steps):
            here = f"{path}.steps[{at}]"
            if (step.to is None) != (at == len(group.steps) - 1):
                self._refuse(
                    here, "every band but the last has a limit, and only the last has none"
                )
            limit = NO_LIMIT if step.to is None else self._amount(step.to, f"{here}.to")[0]
            if limit == UNKNOWN:
                self._refuse(here, "the limit of a band can not be unknown")
            if limits and limit <= limits[-1]:
                self._refuse(here, "the limits of bands must rise")
            points = self._ratio(step.ratio, f"{here}.ratio")
            limits.append(limit)
            ratios.append(UNKNOWN if points == UNKNOWN else points * BASIS)
            rules.append(self._point(step.ratio, f"{here}.ratio"))
        if not limits:
            self._refuse(path, "a group of bands without a band")
        return tuple(limits), tuple(ratios), tuple(rules)

    def _derived(self, active: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        """Return the retiree's bands: personal share times the factor, exact over UNIT."""
        limits, ratios, rules = active
        retired = self._rules.retired
        if retired is None:
            return (NO_LIMIT,), (UNKNOWN,), (self._point(None, "rules.retired"),)
        factor = self._ratio(retired.factor, _FACTOR)
        if factor == UNKNOWN:
            return (NO_LIMIT,), (UNKNOWN,), (self._point(retired.factor, _FACTOR),)
        shares = tuple(r if r == UNKNOWN else UNIT - (UNIT - r) // BASIS * factor for r in ratios)
        return limits, shares, rules

    def _large(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        ratio, cap = [UNKNOWN] * len(PERSON_TYPES), [UNKNOWN] * len(PERSON_TYPES)
        missing = self._point(None, "rules.large")
        ratio_rule, cap_rule = [missing] * len(PERSON_TYPES), [missing] * len(PERSON_TYPES)
        for at, row in enumerate(self._rules.large):
            path = f"rules.large[{at}]"
            for index in map(PERSON_TYPES.index, row.persons):
                if ratio_rule[index] != missing:
                    self._refuse(path, f"{PERSON_TYPES[index]} is set twice")
                ratio[index] = self._ratio(row.ratio, f"{path}.ratio")
                ratio_rule[index] = self._point(row.ratio, f"{path}.ratio")
                cap[index], cap_rule[index] = self._amount(row.cap, f"{path}.cap")
        return tuple(ratio), tuple(ratio_rule), tuple(cap), tuple(cap_rule)

    def _funds(self) -> tuple[FundTerm, ...]:
        terms = []
        for at, fund in enumerate(self._rules.funds):
            path = f"rules.funds[{at}]"
            paid_at = fund.paid_at.need(f"{path}.paid_at", self._book.book_id)
            if paid_at not in _PAID_AT:
                self._refuse(f"{path}.paid_at", paid_at)
            if (fund.layer == "announced") != (paid_at != "discharge"):
                self._refuse(path, "what is paid at discharge is in the bill, and nothing else is")
            terms.append(
                FundTerm(
                    fund.fund, fund.layer, msgspec.convert(paid_at, PaidAt), fund.field, fund.title
                )
            )
        layers = [term.layer for term in terms if term.layer != "announced"]
        if layers != (["pool", "large"] if self._rules.large else ["pool"]):
            self._refuse("rules.funds", "one fund for each layer, the pool first")
        return tuple(terms)


def _grid(rows: list[list[int]]) -> Grid:
    return tuple(tuple(row) for row in rows)
