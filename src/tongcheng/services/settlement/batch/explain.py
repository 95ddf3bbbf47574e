"""From a fixed trace row back to the rows that the engine writes, without asking the engine again.

What each band and step pays follows from where the trace says that the line passes from one to the
next; only the last stretch before a cap is what was left, and that is in the trace too.
"""

from typing import Any

import msgspec

from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.arrays import NONE, SETTLE, VOID, Events, Results
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.rules import AT_HOME, CATEGORIES, FILINGS
from tongcheng.services.settlement.tables import (
    BASIS,
    COVER_LAYERS,
    UNIT,
    CoverLayer,
    RuleRef,
)
from tongcheng.services.settlement.trace import TraceRow


def trace_of(plan: Plan, events: Events, results: Results, row: int) -> tuple[TraceRow, ...]:
    """Return how the amounts of a row came about, as `engine.settle` would; a void's are negative.

    The results need their trace. A row that moved nothing by a rule has no rows.
    """
    assert results.trace.shape[1], "these results have no trace"
    if results.code[row] != 0:
        return ()
    claim = int(events.reverses[row]) if events.kind[row] == VOID else row
    if events.kind[claim] != SETTLE:
        return ()
    of_claim = _Line(plan, events, results, claim).rows()
    if claim == row:
        return of_claim
    return tuple(
        msgspec.structs.replace(each, amount_fen=-each.amount_fen, amount_rest=-each.amount_rest)
        for each in of_claim
    )


def before_of(results: Results, row: int) -> Accumulators:
    """Return what the year stood at before a row was judged."""
    begin = trace_columns.BEFORE
    values = results.trace[row, begin : begin + len(arrays.ACCUMULATORS)].tolist()
    return Accumulators(**dict(zip(arrays.ACCUMULATORS, values, strict=True)))


class _Line:
    """The lines of one settled claim, rebuilt from its trace row."""

    def __init__(self, plan: Plan, events: Events, results: Results, row: int) -> None:
        version = plan.versions[results.book[row]]
        self._plan = plan
        self._tables = version.tables
        self._base = version.rules.base
        self._amounts: list[int] = results.amounts[row].tolist()
        self._trace: list[int] = results.trace[row].tolist()
        self._marks: list[int] = results.marks[row].tolist()
        self._in_scope = int(events.in_scope_fen[row])
        self._category = CATEGORIES[events.category[row]]
        self._cell = plan.cells[self._marks[trace_columns.CELL]]
        filing = FILINGS[self._marks[trace_columns.FILING]]
        self._at_home = filing in AT_HOME
        self._own = None if self._at_home else self._cell.filing.get(filing)

    def rows(self) -> tuple[TraceRow, ...]:
        """Return every row in the engine's order."""
        pool_end = self._trace[trace_columns.POOL_TO] + round_half_up(
            self._trace[trace_columns.POOL_LEFT], self._marks[trace_columns.POOL_RATIO]
        )
        found = [*self._deductible(), *self._pool(), *self._beyond(pool_end)]
        for layer in COVER_LAYERS:
            found += self._cover(layer)
        return tuple(found)

    def _row(self, rule: str, stretch: tuple[int, int], part: Any, **paid: Any) -> TraceRow:
        amounts = {"ratio": 0, "amount_fen": 0, "amount_rest": 0, "amount_over": 1, **paid}
        begin, end = stretch
        return TraceRow(
            part=part,
            rule=rule,
            from_fen=begin,
            to_fen=end,
            book=self._tables.digest,
            **amounts,
        )

    def _deductible(self) -> list[TraceRow]:
        rule = self._marks[trace_columns.DEDUCTIBLE_RULE]
        if rule == NONE:
            return []
        own = self._own is not None and self._own.deductible_fen is not None
        refs = () if own else tuple(map(self._tables.ref, self._cell.deductible.modifiers))
        stretch = (0, self._amounts[arrays.DEDUCTIBLE_FEN])
        path = self._plan.rules[rule].path
        return [self._row(path, stretch, "deductible", modified_by=refs)]

    def _pool(self) -> list[TraceRow]:
        first, count = self._marks[trace_columns.FIRST_BAND], self._marks[trace_columns.BANDS]
        bands, left = self._cell.bands, self._trace[trace_columns.POOL_LEFT]
        position, rows = self._amounts[arrays.DEDUCTIBLE_FEN], []
        for band in range(first, first + count):
            ratio, rule = self._ratio(band)
            capped = left > 0 and band == first + count - 1
            end = min(bands.to_fen[band], self._in_scope)
            amount = left if capped else (end - position) * ratio
            if capped:
                end = position + round_half_up(left, ratio)
            fen, rest = divmod(amount, UNIT)
            path = self._tables.rules[rule].path
            paid = {"ratio": ratio, "amount_fen": fen, "amount_rest": rest, "amount_over": UNIT}
            refs = self._band_refs()
            rows.append(self._row(path, (position, end), "pool", **paid, modified_by=refs))
            position = end
        return rows

    def _ratio(self, band: int) -> tuple[int, int]:
        """Return a band's ratio as the filing left it, and its rule."""
        if self._own is not None and self._own.ratio is not None:
            return self._own.ratio, self._own.ratio_rule
        cut = self._marks[trace_columns.CUT_POINTS]
        return max(0, self._cell.bands.ratio[band] - cut * BASIS), self._cell.bands.rule[band]

    def _band_refs(self) -> tuple[RuleRef, ...]:
        if self._own is not None and self._own.ratio is not None:
            return ()
        refs = tuple(map(self._tables.ref, self._cell.bands.modifiers))
        cut = self._marks[trace_columns.CUT_RULE]
        if cut == NONE:
            return refs
        return (*refs, RuleRef(self._plan.rules[cut].digest, self._plan.rules[cut].path))

    def _beyond(self, begin: int) -> list[TraceRow]:
        """Return what lies beyond the pool: the large-amount fund's part, and nobody's."""
        uncovered = self._trace[trace_columns.UNCOVERED_FROM]
        large, ratio = self._cell.large, self._marks[trace_columns.POOL_RATIO]
        position, left = self._trace[trace_columns.POOL_TO], self._trace[trace_columns.POOL_LEFT]
        if (self._in_scope - position) * ratio == left:
            return []
        if large is None:
            path = self._tables.rules[self._tables.pool_cap_rule].path
            return [self._row(path, (begin, self._in_scope), "uncovered")]
        over, part = ratio * BASIS, self._trace[trace_columns.LARGE_PART]
        fen = self._amounts[arrays.LARGE_FEN] - round_half_up(part, over)
        rows = []
        if fen or part or uncovered == NONE:
            path = self._tables.rules[large.ratio_rule].path
            end = self._in_scope if uncovered == NONE else uncovered
            paid = {"ratio": large.ratio * BASIS, "amount_fen": fen, "amount_rest": part}
            rows.append(self._row(path, (begin, end), "large", **paid, amount_over=over))
        if uncovered != NONE:
            path = self._tables.rules[large.cap_rule].path
            rows.append(self._row(path, (uncovered, self._in_scope), "uncovered"))
        return rows

    def _cover(self, layer: CoverLayer) -> list[TraceRow]:
        at = COVER_LAYERS.index(layer)
        position = self._trace[trace_columns.CATASTROPHIC_FROM + 2 * at]
        last = self._trace[trace_columns.CATASTROPHIC_TO + 2 * at]
        if position == NONE:
            return []
        rest = self._marks[trace_columns.CATASTROPHIC_REST + at]
        fen = self._amounts[arrays.CATASTROPHIC_FEN + at] - round_half_up(rest, BASIS)
        unpaid, rows = fen * BASIS + rest, []
        table = self._tables.covers[layer, self._category]
        for limit, ratio, rule in zip(table.to_fen, table.ratio, table.rule, strict=True):
            if limit <= position:
                continue
            end = min(limit, last)
            amount = min((end - position) * ratio, unpaid)
            unpaid -= amount
            fen, part = divmod(amount, BASIS)
            path = self._tables.rules[rule].path
            paid = {"amount_fen": fen, "amount_rest": part, "amount_over": BASIS}
            rows.append(self._row(path, (position, end), layer, ratio=ratio * BASIS, **paid))
            position = end
            if position == last:
                break
        assert unpaid == 0, "the steps pay what the trace says"
        return rows
