"""Judge the judge: are the kernel's amounts right to the fen, by reckoning that is not its own?

Two oracles that share nothing with the kernel's arithmetic:

- `wrong_of` looks at every row of any number of claims by whole columns. What a year stood at
  before a row is the running sum of the amounts before it; deductible, pool and large-amount fund
  follow from that in int64, and in exact fractions, row by row, where a yearly cap bites. It takes
  from the compiled books what a cell says, and from the trace which cell, filing and cross-region
  version spoke.
- `wrong_in_sample` walks whole persons by the clerk of the tests (`tests/.../naive.py`): fractions,
  from the YAML's own figures, no tables, its own accumulators; slow, so of a part of the persons.

A row that was refused must be refused by the clerk too.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tests.services.settlement import naive
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.arrays import NONE, VOID, Events, Results
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    KIND,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
    read_rules,
)
from tongcheng.services.settlement.tables import BASIS, NO_CUT, UNIT, UNKNOWN, Cut

Ints = NDArray[np.int64]
NUMBER_SHIFT, FILING_SHIFT, OVERLAY_SHIFT = 10, 4, 8
"""Bits for an admission's number, a filing, and a version of the cross-region book plus one."""
BANDS_MAX = 12
MOVED = (
    (arrays.POOL_FEN, 0),
    (arrays.LARGE_FEN, 1),
    (arrays.DEDUCTIBLE_FEN, 2),
    (arrays.BURDEN_FEN, 4),
    (arrays.CATASTROPHIC_FEN, 5),
    (arrays.ASSISTANCE_FEN, 6),
)
"""Which amount moves which accumulator; the fourth counts admissions."""


class Terms(NamedTuple):
    """What speaks about a row: fen, shares over UNIT, basis points; NONE where nothing does."""

    deductible_fen: int
    annual: bool
    to_fen: tuple[int, ...]
    ratio: tuple[int, ...]
    pool_cap_fen: int
    large_ratio: int
    large_cap_fen: int


def wrong_of(plan: Plan, events: Events, results: Results) -> int:
    """Return how many judged rows have a wrong amount or a wrong standing of the year."""
    settled = (results.code == 0) & (events.kind != VOID)
    voids = np.flatnonzero((results.code == 0) & (events.kind == VOID))
    wrong = np.zeros(len(settled), np.bool_)
    given = results.amounts[voids] + results.amounts[events.reverses[voids]]
    # What an announced fund is expected to pay is told, not moved.
    wrong[voids] = (given[:, : arrays.CATASTROPHIC_EXPECTED_FEN] != 0).any(axis=1)
    wrong |= _standing_wrong(events, results)
    rows = np.flatnonzero(settled)
    wrong[rows] |= _amounts_wrong(plan, events, results, rows)
    return int(wrong.sum())


def _standing_wrong(events: Events, results: Results) -> NDArray[np.bool_]:
    """Return the judged rows whose trace says of the year before what its rows do not add up to."""
    judged = results.code == 0
    years = np.unique(results.year)
    # A person's rows lie together by time, so those of a year do, but for voids of the year before.
    key = events.person * len(years) + np.searchsorted(years, results.year)
    order = np.argsort(key, kind="stable")
    first = np.concatenate([[True], np.diff(key[order]) != 0])
    amounts = np.where(judged[:, None], results.amounts, 0)
    sign = np.where(judged, np.where(events.kind == VOID, -1, 1), 0)
    wrong = np.zeros(len(key), np.bool_)
    moved = [*((amounts[:, column], at) for column, at in MOVED), (sign, 3)]
    for each, at in moved:
        total = np.concatenate([[0], np.cumsum(each[order])[:-1]])
        begin = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
        before = np.empty_like(total)
        before[order] = total - total[begin]
        wrong |= judged & (before != results.trace[:, trace_columns.BEFORE + at])
    return wrong


def _amounts_wrong(plan: Plan, events: Events, results: Results, rows: Ints) -> NDArray[np.bool_]:
    """Return which settled rows pay other than the terms say, given what the year stood at."""
    marks, trace, amounts = results.marks[rows], results.trace[rows], results.amounts[rows]
    key = marks[:, trace_columns.CELL].astype(np.int64)
    for column, shift, more in (
        (trace_columns.ADMISSION_NUMBER, NUMBER_SHIFT, 0),
        (trace_columns.FILING, FILING_SHIFT, 0),
        (trace_columns.OVERLAY, OVERLAY_SHIFT, 1),
    ):
        key = (key << shift) | (marks[:, column] + more)
    key = key << 15 | results.book[rows]
    kinds, which = np.unique(key, return_inverse=True)
    terms = [_terms(plan, int(each)) for each in kinds]
    before = trace[:, : trace_columns.POOL_TO]
    end = events.in_scope_fen[rows]
    first = _of(terms, "deductible_fen")[which]
    annual = _of(terms, "annual")[which] != 0
    first = np.where(annual, np.maximum(0, first - before[:, 2]), first)
    first = np.minimum(first, end)
    exact = np.zeros(len(rows), np.int64)
    begin = np.zeros(len(rows), np.int64)
    for band in range(BANDS_MAX):
        top = np.array([_padded(each.to_fen, band) for each in terms])[which]
        ratio = np.array([_padded(each.ratio, band) for each in terms])[which]
        stretch = np.clip(end, begin, top) - np.clip(first, begin, top)
        exact += np.maximum(0, stretch) * ratio
        begin = top
    most = np.maximum(0, _of(terms, "pool_cap_fen")[which] - before[:, 0]) * UNIT
    pool = (exact + UNIT // 2) // UNIT
    large = np.zeros(len(rows), np.int64)
    for at in np.flatnonzero(exact > most):
        pool[at], large[at] = _capped(
            terms[which[at]], int(end[at]), int(first[at]), int(before[at, 0]), int(before[at, 1])
        )
    covered = amounts[:, arrays.CATASTROPHIC_FEN] + amounts[:, arrays.ASSISTANCE_FEN]
    wrong: NDArray[np.bool_] = (
        (amounts[:, arrays.DEDUCTIBLE_FEN] != first)
        | (amounts[:, arrays.POOL_FEN] != pool)
        | (amounts[:, arrays.LARGE_FEN] != large)
        | (amounts[:, arrays.BURDEN_FEN] != end - pool - large)
        | (amounts[:, arrays.PERSON_IN_SCOPE_FEN] != end - pool - large - covered)
    )
    return wrong


def _of(terms: Sequence[Terms], name: str) -> Ints:
    return np.array([getattr(each, name) for each in terms], np.int64)


def _padded(values: tuple[int, ...], at: int) -> int:
    return values[min(at, len(values) - 1)]


def _terms(plan: Plan, key: int) -> Terms:
    """Return what speaks about rows of one cell, admission, filing and cross-region version."""
    key, version = key >> 15, key & (1 << 15) - 1
    key, overlay = key >> OVERLAY_SHIFT, (key & (1 << OVERLAY_SHIFT) - 1) - 1
    key, filed = key >> FILING_SHIFT, FILINGS[key & (1 << FILING_SHIFT) - 1]
    cell = plan.cells[key >> NUMBER_SHIFT]
    number = key & (1 << NUMBER_SHIFT) - 1
    tables = plan.versions[version].tables
    own = None if filed in {"local", "deemed"} else cell.filing.get(filed)
    first = cell.deductible.of_admission(number)
    if own is not None and own.deductible_fen is not None:
        first = own.deductible_fen
    cut = 0
    if filed not in {"local", "deemed"} and overlay != NONE:
        cut = plan.overlays[overlay].terms.cut(filed).points
    if own is not None and own.cut is not None:
        cut = own.cut
    ratio = tuple(max(0, each - cut * BASIS) for each in cell.bands.ratio)
    if own is not None and own.ratio is not None:
        ratio = (own.ratio,) * len(ratio)
    assert len(ratio) <= BANDS_MAX, len(ratio)
    return Terms(
        deductible_fen=first,
        annual=bool(tables.annual_deductible),
        to_fen=cell.bands.to_fen,
        ratio=ratio,
        pool_cap_fen=tables.pool_cap_fen,
        large_ratio=NONE if cell.large is None else cell.large.ratio,
        large_cap_fen=NONE if cell.large is None else cell.large.cap_fen,
    )


def _capped(
    terms: Terms, end: int, first: int, pool_paid: int, large_paid: int
) -> tuple[int, int]:  # fmt: skip
    """Return what pool and large-amount fund pay of a stay that reaches the yearly cap, in fen."""
    most = Fraction(max(0, terms.pool_cap_fen - pool_paid))
    point, paid = Fraction(first), Fraction(0)
    for top, share in zip(terms.to_fen, terms.ratio, strict=True):
        stretch, ratio = min(end, top) - point, Fraction(share, UNIT)
        if stretch <= 0:
            continue
        if paid + stretch * ratio > most:
            point, paid = point + (most - paid) / ratio, most
            break
        point, paid = point + stretch, paid + stretch * ratio
    large = Fraction(0)
    if terms.large_ratio != NONE:
        left = Fraction(max(0, terms.large_cap_fen - large_paid))
        large = min(left, (end - point) * Fraction(terms.large_ratio, BASIS))
    return _half_up(paid), _half_up(large)


def _half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def wrong_in_sample(
    plan: Plan, books: Sequence[RuleBook], events: Events, results: Results, rows: int
) -> tuple[int, int]:
    """Walk the first persons by the clerk; return how many rows were looked at, and how many wrong.

    Wrong is an amount that differs, a refusal of what the clerk settles, or the reverse.
    """
    clerk = _Clerk(plan, books, events, results)
    rows = min(rows, len(events.person))
    while rows < len(events.person) and events.person[rows] == events.person[rows - 1]:
        rows += 1
    rules = {book.digest: read_rules(book) for book in books if book.kind == KIND}
    # The clerk reads a book's rules anew for every claim: here they are read once.
    with patch.object(naive, "read_rules", lambda book: rules[book.digest]):
        return rows, sum(not clerk.agrees(row) for row in range(rows))


class _Clerk:
    """Walks persons' rows and keeps the books of each year."""

    def __init__(
        self, plan: Plan, books: Sequence[RuleBook], events: Events, results: Results
    ) -> None:
        self._plan, self._events, self._results = plan, events, results
        self._books = {book.digest: book for book in books}
        self._years: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._done: dict[int, tuple[tuple[int, int], dict[str, int]]] = {}

    def agrees(self, row: int) -> bool:
        """Judge a row and say whether the kernel said the same."""
        code = CODES[self._results.code[row]]
        if self._events.kind[row] == VOID:
            return self._void(row, code)
        on = int(self._events.ended_on[row])
        version = self._plan.version_at(int(self._events.place[row]), on)
        if version == NONE:
            return code == "RULE_BOOK_MISSING"
        tables = self._plan.versions[version].tables
        year = self._year(row, tables.year_of)
        if year is None:
            return code == "RULE_UNKNOWN"
        key = int(self._events.person[row]), year
        cut = self._cut(row, on)
        if cut is None:
            return code == "RULE_BOOK_MISSING"
        used = self._years[key]
        before = Accumulators(**used)
        bill = self._bill(row, before.admissions + 1)
        book = self._books[tables.digest]
        points = None if cut.points == UNKNOWN else cut.points
        try:
            found = naive.settle(book, bill, before, points)
        except Refused as refused:
            return refused.code == code
        return self._same(row, key, code, found)

    def _year(self, row: int, rule: str | None) -> int | None:
        """Return the year a stay counts in; None if its days lie in two and no rule says which."""
        first, last = (
            (date(1970, 1, 1) + timedelta(days=int(each[row]))).year
            for each in (self._events.admitted_on, self._events.ended_on)
        )
        if first == last or rule == "discharge":
            return last
        return first if rule == "admission" else None

    def _cut(self, row: int, on: int) -> Cut | None:
        """Return what is taken off for the filing; None where no cross-region book is in force."""
        filed = FILINGS[self._events.filing[row]]
        if filed in {"local", "deemed"}:
            return NO_CUT
        overlay = self._plan.overlay_at(on)
        return None if overlay == NONE else self._plan.overlays[overlay].terms.cut(filed)

    def _bill(self, row: int, number: int) -> Bill:
        given = self._events
        tier, subtype = int(given.tier[row]), int(given.hospital_subtype[row])
        return Bill(
            in_scope_fen=int(given.in_scope_fen[row]),
            total_fen=None,
            person_type=PERSON_TYPES[given.person_type[row]],
            hospital_level=int(given.hospital_level[row]),
            hospital_subtype=None if subtype == NONE else SUBTYPES[subtype],
            tier=None if tier == NONE else TIERS[tier],
            category=CATEGORIES[given.category[row]],
            filing=FILINGS[given.filing[row]],
            admission_number=number,
            period_number=1,
        )

    def _same(
        self, row: int, key: tuple[int, int], code: str, found: dict[str, Fraction | None]
    ) -> bool:
        """Enter what the clerk found; say whether the kernel found it too."""
        fen = {name: int(each) for name, each in found.items() if each is not None}
        moved = {
            "pool_paid_fen": fen["pool_fen"],
            "large_paid_fen": fen["large_fen"],
            "deductible_paid_fen": fen["deductible_fen"],
            "admissions": 1,
            "burden_fen": fen["burden_fen"],
            "catastrophic_paid_fen": fen["catastrophic_fen"],
            "assistance_paid_fen": fen["assistance_fen"],
        }
        self._move(key, moved, 1)
        self._done[row] = key, moved
        names = RESULT_AMOUNTS[: arrays.CATASTROPHIC_EXPECTED_FEN]
        kernel = self._results.amounts[row, : len(names)].tolist()
        return not code and kernel == [fen[name] for name in names]

    def _void(self, row: int, code: str) -> bool:
        """Take back what the clerk entered; one of a refused claim is refused."""
        done = self._done.get(int(self._events.reverses[row]))
        if done is None:
            return code == "CLAIM_VOID_REFUSED"
        self._move(*done, -1)
        return not code

    def _move(self, key: tuple[int, int], moved: dict[str, int], sign: int) -> None:
        for name, fen in moved.items():
            self._years[key][name] += sign * fen
