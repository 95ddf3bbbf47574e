"""The kernel in plain Python: every row asked of `engine.settle` itself, one after another.

What the kernel must equal, and what computes where there is no numba. It reads the compiled tables
and never the layout; of the trace it derives the columns from the rows that the engine wrote.
"""

from datetime import date
from typing import Any, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch import trace_columns
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATORS,
    NONE,
    OPENING,
    UNKNOWN_FEN,
    VOID,
    Events,
    Results,
    blank_results,
)
from tongcheng.services.settlement.batch.codes import CODE_OF, FIELDS
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import (
    DAY_MAX,
    DAY_MIN,
    EPOCH,
    SAME_DIVISION,
    Plan,
    Version,
)
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse
from tongcheng.services.settlement.rules import (
    AT_HOME,
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import (
    AMOUNT_MAX_FEN,
    BASIS,
    COVER_LAYERS,
    NO_CUT,
    UNIT,
    Cell,
    Cut,
)
from tongcheng.services.settlement.trace import TraceRow

Key = tuple[str, int]
NOTHING = Accumulators()


def run(plan: Plan, events: Events, *, trace: bool = False) -> Results:
    """Judge a batch as the kernel does."""
    return Twin(plan, events, trace=trace).results


class _NotJudgedError(Exception):
    """A row is not judged, by a code that is about nothing but the row: no facts are needed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Moved(NamedTuple):
    """What a void needs of the row that it takes back: whose year moved, and what came of it.

    `benefit` is None for an opening.
    """

    key: Key
    benefit: Benefit | None


class Twin:
    """Walks the rows person by person.

    With `keep`, `benefits` holds the engine's answers and their negatives by row, and `before` what
    the year stood at before each row that moved it.
    """

    def __init__(self, plan: Plan, events: Events, *, trace: bool, keep: bool = False) -> None:
        self._plan = plan
        self._events = events
        self._traced = trace
        self._keep = keep
        self._years: dict[Key, Accumulators] = {}
        self._moved: dict[int, _Moved | None] = {}
        self.benefits: dict[int, Benefit] = {}
        self.before: dict[int, Accumulators] = {}
        self.results = blank_results(len(events.person), trace=trace)
        for row in range(len(events.person)):
            if row == 0 or events.person[row] != events.person[row - 1]:
                self._years, self._moved = {}, {}
            try:
                self._take(row)
            except _NotJudgedError as why:
                self.results.code[row] = CODE_OF[why.code]
            except Refused as refused:
                self.results.code[row] = CODE_OF[refused.code]
                self.results.detail[row] = self._detail(row, refused)

    def _take(self, row: int) -> None:
        fault = int(self._events.fault[row])
        kind = int(self._events.kind[row])
        if kind != VOID:
            self._moved[row] = None
        if fault:
            self.results.code[row] = fault
        elif kind == VOID:
            self._void(row)
        elif kind == OPENING:
            self._open(row)
        else:
            self._settle(row)

    def _void(self, row: int) -> None:
        original = int(self._events.reverses[row])
        if original not in self._moved:
            raise _NotJudgedError("CLAIM_VOID_UNKNOWN")
        moved = self._moved[original]
        if moved is None:
            raise _NotJudgedError("CLAIM_VOID_REFUSED")
        if self.results.voided[original]:
            raise _NotJudgedError("CLAIM_VOID_TWICE")
        before = self._years[moved.key]
        self._note_before(row, before)
        if moved.benefit is None:
            self._years[moved.key] = self._opened(original, before, sign=-1)
        else:
            void = reverse(moved.benefit)
            self._write(row, void)
            self._years[moved.key] = accumulate(before, void)
        self.results.voided[original] = True
        self.results.book[row] = self.results.book[original]
        self.results.year[row] = self.results.year[original]

    def _area(self, row: int) -> str:
        place = int(self._events.place[row])
        if place < 0:
            raise _NotJudgedError("AREA_WITHOUT_RULE_BOOK")
        return self._plan.places[place].area_id

    def _open(self, row: int) -> None:
        area, on = self._area(row), int(self._events.ended_on[row])
        if not DAY_MIN <= on <= DAY_MAX:
            raise _NotJudgedError("STAY_DATES")
        year = _day(on).year
        self.results.year[row] = year
        used = self._events.opening_fen[int(self._events.opening[row])].tolist()
        for field, value in zip(ACCUMULATORS, used, strict=True):
            if not 0 <= value <= AMOUNT_MAX_FEN:
                raise Refused("ACCUMULATORS_INVALID", field=field, value=value)
        before = self._years.get((area, year), NOTHING)
        self._note_before(row, before)
        self._years[area, year] = self._opened(row, before, sign=1)
        self._moved[row] = _Moved((area, year), None)

    def _opened(self, row: int, before: Accumulators, *, sign: int) -> Accumulators:
        """Return a year with what an opening says was used, or without it."""
        used = self._events.opening_fen[int(self._events.opening[row])].tolist()
        fields = zip(ACCUMULATORS, used, strict=True)
        return Accumulators(**{name: getattr(before, name) + sign * fen for name, fen in fields})

    def _settle(self, row: int) -> None:
        area = self._area(row)
        admitted, begins, ends = (
            int(days[row])
            for days in (
                self._events.admitted_on,
                self._events.period_from_on,
                self._events.ended_on,
            )
        )
        if not DAY_MIN <= admitted <= begins <= ends <= DAY_MAX:
            raise _NotJudgedError("STAY_DATES")
        version = self._plan.version_at(int(self._events.place[row]), ends)
        if version == NONE:
            raise _NotJudgedError("RULE_BOOK_MISSING")
        self.results.book[row] = version
        year = _year(self._plan.versions[version], *map(_day, (admitted, begins, ends)))
        self.results.year[row] = year
        filing, overlay, cut = self._filed(row, ends)
        before = self._years.get((area, year), NOTHING)
        bill = self._bill(row, before, filing)
        tables = self._plan.versions[version].tables
        benefit = settle(tables, bill, before, cut)
        self._years[area, year] = accumulate(before, benefit)
        self._moved[row] = _Moved((area, year), benefit)
        self._write(row, benefit)
        self._note_before(row, before)
        if self._traced:
            cell = self._plan.cell_at(
                version,
                bill.hospital_level,
                int(self._events.hospital_subtype[row]),
                int(self._events.person_type[row]),
                int(self._events.tier[row]),
            )
            _Notes(self._plan, self.results, row, bill, benefit).write(version, overlay, cell)

    def _filed(self, row: int, on: int) -> tuple[str, int, Cut]:
        """Return how a stay counts as filed, by which cross-region version, and what it takes."""
        pair, filing = int(self._events.pair[row]), _word(FILINGS, self._events.filing[row])
        if not self._plan.overlays or (pair == NONE and filing in AT_HOME):
            same = pair != NONE and pair & SAME_DIVISION
            return "local" if same else filing, NONE, NO_CUT
        at = self._plan.overlay_at(on)
        if at == NONE:
            raise _NotJudgedError("RULE_BOOK_MISSING")
        if pair != NONE and pair & SAME_DIVISION:
            return "local", NONE, NO_CUT
        terms = self._plan.overlays[at].terms
        groups = [self._plan.between.index(prefixes) for prefixes, _ in terms.deemed]
        if pair != NONE and any(pair & 2 << group for group in groups):
            return "deemed", at, NO_CUT
        known: Any = filing  # a word that is none is refused by the engine
        return filing, at, NO_CUT if filing in AT_HOME else terms.cut(known)

    def _bill(self, row: int, before: Accumulators, filing: Any) -> Bill:
        events = self._events
        total = int(events.total_fen[row])
        period = int(events.period_number[row])
        person: Any = _word(PERSON_TYPES, events.person_type[row])
        subtype: Any = _word((*SUBTYPES, None), events.hospital_subtype[row])
        tier: Any = _word((*TIERS, None), events.tier[row])
        category: Any = _word(CATEGORIES, events.category[row])
        return Bill(
            in_scope_fen=int(events.in_scope_fen[row]),
            total_fen=None if total == UNKNOWN_FEN else total,
            person_type=person,
            hospital_level=int(events.hospital_level[row]),
            admission_number=admission_number(before.admissions, period),
            hospital_subtype=subtype,
            tier=tier,
            category=category,
            filing=filing,
            period_number=period,
        )

    def _note_before(self, row: int, before: Accumulators) -> None:
        if self._keep:
            self.before[row] = before
        if self._traced:
            for column, field in enumerate(ACCUMULATORS):
                self.results.trace[row, trace_columns.BEFORE + column] = getattr(before, field)

    def _write(self, row: int, benefit: Benefit) -> None:
        if self._keep:
            self.benefits[row] = benefit
        expected = {f"{each.fund}_expected_fen": each.amount_fen for each in benefit.announced}
        for column, name in enumerate(RESULT_AMOUNTS):
            fen = expected.get(name) if "expected" in name else getattr(benefit, name)
            self.results.amounts[row, column] = UNKNOWN_FEN if fen is None else fen

    def _detail(self, row: int, refused: Refused) -> int:
        """Return the place of what a refusal names: a rule or a field."""
        if refused.code != "RULE_UNKNOWN":
            field = refused.facts.get("field")
            return NONE if field is None else FIELDS.index(str(field))
        path, book_id = refused.facts["rule"], refused.facts["book"]
        version = self._plan.versions[int(self.results.book[row])]
        if book_id == version.tables.book_id:
            rules = range(version.rules.base, version.rules.large + 1)
        else:
            overlay = self._plan.overlay_at(int(self._events.ended_on[row]))
            cuts = self._plan.overlays[overlay].cut_rules
            filing = int(self._events.filing[row])
            rules = range(cuts[filing], cuts[filing] + 1)
        return next(at for at in rules if self._plan.rules[at].path == path)


class _Notes:
    """Writes the fixed trace row of a settlement from the rows that the engine wrote."""

    def __init__(
        self, plan: Plan, results: Results, row: int, bill: Bill, benefit: Benefit
    ) -> None:
        self._plan = plan
        self._trace = results.trace[row]
        self._marks = results.marks[row]
        self._bill = bill
        self._benefit = benefit

    def write(self, version: int, overlay: int, place: int) -> None:
        """Write every column but the accumulators before."""
        cell, base = self._plan.cells[place], self._plan.versions[version].rules.base
        paths = [rule.path for rule in self._plan.versions[version].tables.rules]
        filing = self._bill.filing
        self._marks[trace_columns.ADMISSION_NUMBER] = self._bill.admission_number
        self._marks[trace_columns.FILING] = FILINGS.index(filing)
        self._marks[trace_columns.OVERLAY] = overlay
        self._marks[trace_columns.CELL] = place
        first = self._rows("deductible")
        self._marks[trace_columns.DEDUCTIBLE_RULE] = (
            base + paths.index(first[0].rule) if first else NONE
        )
        own = None if filing in AT_HOME else cell.filing.get(filing)
        points, rule = 0, NONE
        if own is not None and own.ratio is not None:
            rule = base + own.ratio_rule
        elif own is not None and own.cut is not None:
            points, rule = own.cut, base + own.cut_rule
        elif filing not in AT_HOME and overlay != NONE:
            cut = self._plan.overlays[overlay].terms.cut(filing)
            points = cut.points
            rule = self._plan.overlays[overlay].cut_rules[FILINGS.index(filing)]
        elif filing not in AT_HOME:
            points, rule = -1, self._plan.versions[version].rules.filing + FILINGS.index(filing)
        self._marks[trace_columns.CUT_POINTS] = points
        self._marks[trace_columns.CUT_RULE] = rule
        self._line(cell)
        for layer, name in enumerate(COVER_LAYERS):
            self._cover(layer, self._rows(name))

    def _rows(self, part: str) -> list[TraceRow]:
        return [row for row in self._benefit.trace if row.part == part]

    def _line(self, cell: Cell) -> None:
        """Write how far pool and large-amount fund go on the line of the stay."""
        begin, rows = self._benefit.deductible_fen, self._rows("pool")
        position, left, ratio, first = begin, 0, 1, NONE
        if rows:
            first = next(at for at, limit in enumerate(cell.bands.to_fen) if limit > begin)
            last = rows[-1]
            position, paid = last.to_fen, last.amount_fen * UNIT + last.amount_rest
            top = min(cell.bands.to_fen[first + len(rows) - 1], self._bill.in_scope_fen)
            if paid != (top - last.from_fen) * last.ratio:
                position, left, ratio = last.from_fen, paid, last.ratio
        self._trace[trace_columns.POOL_TO] = position
        self._trace[trace_columns.POOL_LEFT] = left
        self._marks[trace_columns.POOL_RATIO] = ratio
        self._marks[trace_columns.POOL_REST] = sum(row.amount_rest for row in rows) % UNIT
        self._marks[trace_columns.FIRST_BAND] = first
        self._marks[trace_columns.BANDS] = len(rows)
        large, uncovered = self._rows("large"), self._rows("uncovered")
        self._trace[trace_columns.LARGE_PART] = sum(row.amount_rest for row in large)
        self._trace[trace_columns.UNCOVERED_FROM] = uncovered[0].from_fen if uncovered else NONE

    def _cover(self, layer: int, rows: list[TraceRow]) -> None:
        column = trace_columns.CATASTROPHIC_FROM + 2 * layer
        self._trace[column] = rows[0].from_fen if rows else NONE
        self._trace[column + 1] = rows[-1].to_fen if rows else 0
        rest = sum(row.amount_rest for row in rows) % BASIS
        self._marks[trace_columns.CATASTROPHIC_REST + layer] = rest


def _year(version: Version, admitted: date, begins: date, ends: date) -> int:
    """Return whose accumulators a settlement moves: `benefit.year_of_stay`."""
    if admitted.year == ends.year:
        return ends.year
    year_of = version.tables.year_of
    if year_of == "admission":
        return admitted.year
    if year_of == "split" and begins.year != ends.year:
        raise _NotJudgedError("PERIOD_CROSSES_YEAR")
    if year_of is None:
        book = version.tables.book_id
        raise Refused("RULE_UNKNOWN", rule="rules.period.year_of", book=book)
    return ends.year


def _word(words: tuple[Any, ...], place: int) -> Any:
    """Return a word by its place (the last is for -1), or something that is none of them."""
    known = 0 <= place < len(words) or (place == NONE and words[-1] is None)
    return words[int(place)] if known and (place != len(words) - 1 or words[-1]) else f"#{place}"


def _day(since_1970: int) -> date:
    return date.fromordinal(since_1970 + EPOCH)
