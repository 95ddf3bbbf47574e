"""Writes results of claims as Parquet or CSV: whole or not at all, in the order of the input."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    UNKNOWN_FEN,
    VOID,
    Events,
    Results,
)
from tongcheng.services.settlement.batch.codes import CODE_OF, CODES, FIELDS
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS, RESULT_COLUMNS
from tongcheng.services.settlement.batch.output import Output, open_output
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.reading import Batch, Claims
from tongcheng.services.settlement.batch.scratch import Scratch
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS

ROWS_A_GROUP: Final = 262_144
"""Rows of a row group: as many in any case, so that a file's bytes follow from its rows alone."""
ROWS_A_WINDOW: Final = 500_000
"""Rows that are put in order at a time."""
ROWS_IN_CACHE: Final = 4_096
FUNDS: Final = ("pool_fen", "large_fen", "catastrophic_fen", "assistance_fen")
_FUND_PLACES: Final = [RESULT_AMOUNTS.index(name) for name in FUNDS]
_ABOUT: Final = {
    "CLAIM_VOID_UNKNOWN": "reverses",
    "CLAIM_VOID_TWICE": "reverses",
    "CLAIM_VOID_REFUSED": "reverses",
    "STAY_DATES": "admitted_on",
    "RULE_BOOK_MISSING": "ended_on",
    "PERIOD_CROSSES_YEAR": "period_from_on",
    "BILL_TOO_LARGE": "total_fen",
    "HOSPITAL_SUBTYPE_NEEDED": "hospital_subtype",
    "PERSON_TIER_NEEDED": "tier",
}
"""Code → the column that it is about, where neither the reader nor the kernel names one."""


class Tables:
    """Makes tables of results under one plan."""

    def __init__(self, plan: Plan, claim_id: pa.DataType, *, trace: bool) -> None:
        self._trace = trace
        tables = [version.tables for version in plan.versions]
        self._books = [_Words([getattr(each, name) for each in tables]) for name in _BOOK]
        self._rules = _Words([rule.path for rule in plan.rules])
        self._details = pa.array([*FIELDS, *self._rules.words])
        about = [_ABOUT.get(code) for code in CODES]
        self._about = np.array([NONE if name is None else FIELDS.index(name) for name in about])
        kinds = [
            claim_id if each.kind == "as read" else _KINDS[each.kind] for each in RESULT_COLUMNS
        ]
        fields = [
            pa.field(each.name, kind) for each, kind in zip(RESULT_COLUMNS, kinds, strict=True)
        ]
        if trace:
            fields += [pa.field(each.name, pa.int64()) for each in TRACE_COLUMNS]
            fields += [pa.field(each.name, pa.int32()) for each in MARK_COLUMNS]
        self.schema = pa.schema(fields)

    def table(self, batch: Batch, results: Results) -> pa.Table:
        """Return a batch's results in the order of the input."""
        events = batch.events
        judged = results.code == 0
        settled = judged & (events.kind != OPENING)
        amounts = columns_of(results.amounts)
        fund = amounts[_FUND_PLACES].sum(axis=0)
        total = _totals(events)
        paying = settled & (total != UNKNOWN_FEN)
        expected = [amounts[RESULT_AMOUNTS.index(name)] for name in _EXPECTED]
        columns: list[pa.Array] = [
            batch.claim_id,
            pa.array(batch.row),
            _words(results.code, pa.array(CODES), judged),
            self._detail(batch, results, judged),
            *(book.array(results.book) for book in self._books),
            pa.array(results.year, mask=_none(results.year != 0)),
            pa.array(results.voided),
            *(_fen(each, settled) for each in amounts[: -len(expected)]),
            *(_fen(each, settled & (each != UNKNOWN_FEN)) for each in expected),
            _fen(total - fund, paying),
            _fen(fund, settled),
        ]
        if self._trace:
            columns += [_fen(each, settled) for each in columns_of(results.trace)]
            columns += [_fen(each, settled) for each in columns_of(results.marks)]
        table = pa.Table.from_arrays(columns, schema=self.schema)
        if (np.diff(batch.row) > 0).all():
            return table
        return table.take(pa.array(np.argsort(batch.row)))

    def _detail(self, batch: Batch, results: Results, judged: NDArray[np.bool_]) -> pa.Array:
        """Return the column or the rule that each row's code is about."""
        if judged.all():
            return pa.DictionaryArray.from_arrays(pa.nulls(len(judged), pa.int32()), self._details)
        is_rule = results.code == CODE_OF["RULE_UNKNOWN"]
        at = np.where(batch.events.fault != 0, batch.column, results.detail)
        rule = len(FIELDS) + self._rules.places[np.where(is_rule, at, 0)]
        place = np.where(is_rule & (at != NONE), rule, at)
        place = np.where(place == NONE, self._about[results.code], place)
        return _words(place.astype(np.int32), self._details, judged | (place == NONE))


_BOOK: Final = ("book_id", "digest", "status")
_EXPECTED: Final = ("catastrophic_expected_fen", "assistance_expected_fen")
assert RESULT_AMOUNTS[-2:] == _EXPECTED, "the expected amounts come last"
_KINDS: Final = {
    "word": pa.dictionary(pa.int32(), pa.string()),
    "int64": pa.int64(),
    "int16": pa.int16(),
    "bool": pa.bool_(),
}


class _Words:
    """Words of things, each different one once: Parquet keeps such a dictionary as it is."""

    def __init__(self, of_thing: list[str]) -> None:
        self.words = list(dict.fromkeys(of_thing))
        self.places = np.array([*map(self.words.index, of_thing), NONE], np.int32)

    def array(self, things: NDArray[Any]) -> pa.Array:
        """Return the words of things, null for NONE (the last place)."""
        places = self.places[things]
        return _words(places, pa.array(self.words, pa.string()), places == NONE)


def columns_of(table: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of a table, each in one piece; a few rows at a time, to stay in cache."""
    columns = np.empty((table.shape[1], len(table)), table.dtype)
    for begin in range(0, len(table), ROWS_IN_CACHE):
        end = begin + ROWS_IN_CACHE
        columns[:, begin:end] = table[begin:end].T
    return columns


def _words(
    places: NDArray[Any], words: pa.Array, without: NDArray[np.bool_] | None
) -> pa.DictionaryArray:
    mask = without if without is not None and without.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=mask), words)


def _none(there: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return None if there.all() else ~there


def _fen(values: NDArray[Any], there: NDArray[np.bool_]) -> pa.Array:
    """Return amounts, null where there are none."""
    return pa.array(values, mask=_none(there))


def _totals(events: Events) -> NDArray[np.int64]:
    """Return the bills; a void's is its claim's, negative."""
    voids = np.flatnonzero((events.kind == VOID) & (events.reverses != NONE))
    if not len(voids):
        return events.total_fen
    total = events.total_fen.copy()
    of_claim = total[events.reverses[voids]]
    total[voids] = np.where(of_claim == UNKNOWN_FEN, UNKNOWN_FEN, -of_claim)
    return total


class Writer:
    """A file of results being written; it takes its name when everything is in it."""

    def __init__(self, output: Output, tables: Tables, scattered: "_Scattered | None") -> None:
        self._output, self._tables, self._scattered = output, tables, scattered
        self._waiting: list[pa.Table] = []

    def write(self, batch: Batch, results: Results) -> None:
        """Add a batch that `Claims.batches` yielded, with what became of it."""
        self.add(self._tables.table(batch, results))

    def add(self, table: pa.Table) -> None:
        """Add what `Tables.table` made of such a batch."""
        if self._scattered is None:
            self._group(table)
        else:
            self._scattered.add(table)

    def finish(self) -> None:
        """Put what came in no order into that of the input, and write what is left."""
        if self._scattered is not None:
            for table in self._scattered.in_order():
                self._group(table)
        if self._waiting and (left := pa.concat_tables(self._waiting)).num_rows:
            self._output.write(left.combine_chunks())

    def _group(self, table: pa.Table) -> None:
        """Write row groups that are full, and keep the rest."""
        self._waiting.append(table)
        if sum(each.num_rows for each in self._waiting) < ROWS_A_GROUP:
            return
        joined = pa.concat_tables(self._waiting)
        full = joined.num_rows // ROWS_A_GROUP * ROWS_A_GROUP
        for begin in range(0, full, ROWS_A_GROUP):
            # In one piece, as pages end where pieces do.
            self._output.write(joined.slice(begin, ROWS_A_GROUP).combine_chunks())
        self._waiting = [joined.slice(full)]


class _Scattered(Scratch):
    """Batches of results whose rows come from all over the input, each in order in itself."""

    def __init__(self, folder: Path, rows: int) -> None:
        super().__init__(folder, "results", 1)
        self._rows = rows
        self._batches: list[NDArray[np.int64]] = []
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Keep a batch on disk."""
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._files[0], table.schema)
        batch = table.combine_chunks().to_batches()[0]
        self._writer.write_batch(batch)
        windows = np.arange(0, self._rows + ROWS_A_WINDOW, ROWS_A_WINDOW)
        self._batches.append(np.searchsorted(batch.column("row").to_numpy(), windows))

    def in_order(self) -> Iterator[pa.Table]:
        """Yield all rows in the order of the input."""
        if self._writer is None:
            return
        self._writer.close()
        self._files[0].close()
        with pa.memory_map(str(self._paths[0])) as source:
            opened = pa.ipc.open_file(source)
            for window in range(-(-self._rows // ROWS_A_WINDOW)):
                pieces = [
                    opened.get_batch(at).slice(cut[window], cut[window + 1] - cut[window])
                    for at, cut in enumerate(self._batches)
                ]
                table = pa.Table.from_batches(pieces)
                yield table.take(pa.array(np.argsort(table.column("row").to_numpy())))


@contextmanager
def open_results(
    path: Path, plan: Plan, claims: Claims, *, trace: bool = False
) -> Iterator[Writer]:
    """Open a file for the results of all batches of some claims; refuses CLAIMS_OUT."""
    tables = Tables(plan, claims.id_type, trace=trace)
    with (
        open_output(path, tables.schema, _notes(plan)) as output,
        nullcontext() if claims.adjacent else _Scattered(claims.folder(), claims.rows) as kept,
    ):
        writer = Writer(output, tables, kept)
        yield writer
        writer.finish()


def _notes(plan: Plan) -> dict[str, str]:
    """Return what the file says of the books it rests on."""
    benefits = [each.tables for each in plan.versions]
    books = [(each.book_id, each.digest, str(each.status)) for each in benefits]
    books += [(each.terms.book_id, each.terms.digest, each.status) for each in plan.overlays]
    return {
        "tongcheng.books": "\n".join(" ".join(each) for each in books),
        "tongcheng.draft": "yes" if any(status == "draft" for _, _, status in books) else "no",
    }
