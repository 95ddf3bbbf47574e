"""One commit of booked claims: judged by the kernel, then the year, the ledger and the journal."""

from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel import canonical, journal, ledger, ledger_batch
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger import ACCOUNTS, TRANSFERS, Order
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import accumulators, purses
from tongcheng.services.settlement.accumulators import content_id
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATORS,
    NONE,
    OPENING,
    SETTLE,
    VOID,
    Events,
    Results,
    blank_events,
)
from tongcheng.services.settlement.batch.codes import CODES, FIELDS
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import EPOCH, SAME_DIVISION, Plan
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.booking.content import Judged, content_of
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID, LOT_KIND, subject
from tongcheng.services.settlement.booking.prepare import Passed, Prepared
from tongcheng.services.settlement.rules import FILINGS
from tongcheng.services.settlement.statements import month_at
from tongcheng.services.settlement.store import ENTRIES, YEARS, EntryRow, YearRow
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

Key = tuple[str, str, int]
"""Whose year: person, pooling area, calendar year."""
USED: Final = tuple(
    RESULT_AMOUNTS.index(name)
    for name in (
        "pool_fen",
        "large_fen",
        "deductible_fen",
        "burden_fen",
        "catastrophic_fen",
        "assistance_fen",
    )
)
_MOVED: Final = (
    "pool_fen",
    "large_fen",
    "deductible_fen",
    "admissions",
    "burden_fen",
    "catastrophic_fen",
    "assistance_fen",
)
"""What an entry moves, in its order."""
_ADMISSIONS: Final = _MOVED.index("admissions")
_FIRST_YEAR: Final = 1970
_LOCAL: Final = FILINGS.index("local")


class Booked(NamedTuple):
    """What one commit did: claims and voids booked, and rows that could not be judged."""

    claims: int
    voids: int
    passed: list[Passed]


class Committing:
    """Books prepared rows by one plan, the plan of the node's own books."""

    def __init__(self, home: Home, plan: Plan) -> None:
        self._home = home
        self._plan = plan
        self._funds = tuple(
            tuple(
                (term.fund, RESULT_AMOUNTS.index(f"{term.layer}_fen"))
                for term in version.tables.funds
                if term.layer != "announced"
            )
            for version in plan.versions
        )

    def command(self, prepared: Prepared, begin: int, end: int) -> Callable[[Transaction], Booked]:
        """Return the command that books some rows, all of them in one commit."""
        return lambda tx: _Lot(tx, self._plan, self._funds, prepared, (begin, end)).book()

    def check_drafts(self, prepared: Prepared) -> None:
        """Refuse RULE_BOOK_DRAFT where a draft would decide and this node lets none decide."""
        pairs = np.unique(np.stack([prepared.events.place, prepared.events.ended_on]), axis=1)
        for place, on in pairs.T.tolist():
            version = NONE if place < 0 else self._plan.version_at(place, on)
            if version != NONE and self._plan.versions[version].tables.status == "draft":
                self._home.shelf.at(self._plan.places[place].book_id, _day(on))
        # How a stay elsewhere counts as filed is decided by the cross-region book.
        events = prepared.events
        is_home = (events.filing == _LOCAL) & (events.pair == NONE)
        is_home |= (events.pair != NONE) & (events.pair & SAME_DIVISION != 0)
        for on in np.unique(events.ended_on[~is_home & (events.kind == SETTLE)]).tolist():
            version = self._plan.overlay_at(on)
            if version != NONE and self._plan.overlays[version].status == "draft":
                self._home.shelf.at(self._plan.overlays[version].terms.book_id, _day(on))


class _Lot:
    """One commit while it is made."""

    def __init__(
        self,
        tx: Transaction,
        plan: Plan,
        funds: tuple[tuple[tuple[str, int], ...], ...],
        prepared: Prepared,
        stretch: tuple[int, int],
    ) -> None:
        self._tx = tx
        self._plan = plan
        self._funds = funds
        self._prepared = prepared
        self._rows = np.arange(*stretch)
        self._month = month_at(tx.now_at, tx.home.region.zone)
        self._years: dict[Key, YearRow] = {}
        self._entries: list[EntryRow] = []
        self._orders: list[tuple[str, str, str, str, int]] = []
        self._taken_back: list[str] = []
        self._taken_back_by: list[tuple[str, str]] = []
        self._passed: list[Passed] = []

    def book(self) -> Booked:
        """Book what can be judged; the rest is told."""
        apart = self._prepared.is_apart[self._rows]
        self._read_years(self._rows[~apart])
        for row in self._rows[apart].tolist():
            self._take_back(row)
        voids = len(self._entries)
        rows = self._sound(self._rows[~apart])
        judged = self._judge(rows)
        voids += int((self._prepared.events.kind[judged.rows] == VOID).sum())
        if self._entries:
            self._write(judged)
        return Booked(len(self._entries) - voids, voids, self._passed)

    # what the persons have used before

    def _read_years(self, rows: NDArray[np.int64]) -> None:
        events, persons = self._prepared.events, self._prepared.person_key
        areas = [place.area_id for place in self._plan.places]
        rows = rows[events.place[rows] != NONE]
        ended_in = _years(events.ended_on[rows])
        asked = [(rows, ended_in)]
        for days in (events.admitted_on, events.period_from_on):
            years = _years(days[rows])
            differs = years != ended_in
            asked.append((rows[differs], years[differs]))
        keys = {
            (persons[row], areas[place], year)
            for some, years in asked
            for row, place, year in zip(
                some.tolist(), events.place[some].tolist(), years.tolist(), strict=True
            )
        }
        stored = self._tx.get_many(YEARS, sorted(keys))
        self._years.update({key: stored.get(key) or _blank(key) for key in keys})

    def _take_back(self, row: int) -> None:
        """Book the exact negative of a claim that an earlier commit booked."""
        prepared, tx = self._prepared, self._tx
        about = subject(prepared.reverses_id[row])
        found = {entry.origin: entry for entry in tx.select(ENTRIES, subject_id=about)}
        entry = found.get(HOME)
        if entry is None or entry.person_key != prepared.person_key[row]:
            was_refused = prepared.is_of_file[row]
            return self._pass(
                row, "CLAIM_VOID_REFUSED" if was_refused else "CLAIM_VOID_UNKNOWN", ""
            )
        if HOME_VOID in found:
            return self._pass(row, "CLAIM_VOID_TWICE", "")
        key = (entry.person_key, entry.area_id, entry.year)
        if key not in self._years:
            self._years[key] = tx.get(YEARS, *key) or _blank(key)
        moved = [-getattr(entry, name) for name in _MOVED]
        back = self._move(key, HOME_VOID, about, moved)
        self._taken_back.append(content_id(back))
        self._taken_back_by.append((prepared.claim_id[row], prepared.reverses_id[row]))
        for paid in tx.select(TRANSFERS, subject_id=about):
            accounts = (paid.credit_account, paid.debit_account)
            self._orders.append((about, paid.purse, *accounts, paid.amount_fen))
        return None

    # judging

    def _sound(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of persons whose years can be computed with; the others are told."""
        unsound: dict[str, str] = {}
        for (person_key, _, _), year in self._years.items():
            for field in ACCUMULATORS:
                if not 0 <= getattr(year, field) <= AMOUNT_MAX_FEN:
                    unsound.setdefault(person_key, field)
        if not unsound:
            return rows
        for row in rows.tolist():
            about = unsound.get(self._prepared.person_key[row])
            if about is not None:
                self._pass(row, "ACCUMULATORS_INVALID", about)
        persons = (self._prepared.person_key[row] for row in rows.tolist())
        return rows[[person not in unsound for person in persons]]

    def _judge(self, rows: NDArray[np.int64]) -> Judged:
        """Judge the rows after what their persons have used; book those that are judged."""
        events = Events(
            *(
                getattr(self._prepared.events, name)
                if name == "opening_fen"
                else getattr(self._prepared.events, name)[rows]
                for name in Events._fields
            )
        )
        inside = np.searchsorted(rows, events.reverses)
        events = events._replace(reverses=np.where(events.reverses == NONE, NONE, inside))
        opened, at = with_openings(events, self._openings(events, rows))
        results = run(self._plan, opened, trace=True)
        assert not results.code[opened.kind == OPENING].any(), "a stored year is sound"
        codes, details = results.code[at].tolist(), results.detail[at].tolist()
        for row, code, detail in zip(rows.tolist(), codes, details, strict=True):
            if code:
                self._pass(row, CODES[code], self._named(CODES[code], detail))
        judged = np.flatnonzero(results.code[at] == 0)
        before = len(self._entries)
        self._move_years(rows[judged], at[judged], opened, results)
        return Judged(rows[judged], at[judged], opened, results, self._entries[before:])

    def _openings(self, events: Events, rows: NDArray[np.int64]) -> "list[Opening]":
        """Return what each person has used, to be told before the person's first row."""
        begins: dict[str, tuple[int, int]] = {}
        for at, (row, person) in enumerate(zip(rows.tolist(), events.person.tolist(), strict=True)):
            begins.setdefault(self._prepared.person_key[row], (at, person))
        openings = []
        for (person_key, area_id, year), stored in self._years.items():
            used = [getattr(stored, name) for name in ACCUMULATORS]
            if any(used) and person_key in begins:
                at, person = begins[person_key]
                openings.append(Opening(at, person, self._place_in(area_id), year, used))
        return sorted(openings)

    def _place_in(self, area_id: str) -> int:
        areas = [place.area_id for place in self._plan.places]
        return areas.index(area_id)

    def _named(self, code: str, detail: int) -> str:
        """Return what a code is about."""
        if detail == NONE:
            return ""
        return self._plan.rules[detail].path if code == "RULE_UNKNOWN" else FIELDS[detail]

    # booking

    def _move_years(
        self, rows: NDArray[np.int64], at: NDArray[np.int64], events: Events, results: Results
    ) -> None:
        """Make the entries of judged rows, and the orders for what funds pay."""
        prepared, plan = self._prepared, self._plan
        amounts = results.amounts[at]
        moved = np.insert(amounts[:, USED], _ADMISSIONS, self._admissions(events, at), axis=1)
        # A void names no place and no hospital: they are its claim's.
        originals = events.reverses[at]
        claim_of = np.where(originals == NONE, at, originals)
        row_of = dict(zip(at.tolist(), rows.tolist(), strict=True))
        columns = (
            rows, claim_of, events.kind[at], events.place[claim_of], results.book[at],
            results.year[at], moved, amounts,
        )  # fmt: skip
        lists = (column.tolist() for column in columns)
        for row, claim_at, kind, place_no, book, year, moves, fens in zip(*lists, strict=True):
            claim, place = row_of[claim_at], plan.places[place_no]
            about = subject(prepared.claim_id[claim])
            key = (prepared.person_key[row], place.area_id, year)
            self._move(key, HOME_VOID if kind == VOID else HOME, about, moves)
            for fund, column in self._funds[book]:
                fen = fens[column]
                if fen:
                    purse = purses.purse_id(place.area_id, place.scheme, fund)
                    paid = purses.payable(prepared.institution_id[claim], purse)
                    spent = purses.benefit(purse)
                    sides = (spent, paid) if fen > 0 else (paid, spent)
                    self._orders.append((about, purse, *sides, abs(fen)))

    def _admissions(self, events: Events, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the admissions that rows count: a stay's first period of the year is one."""
        originals = events.reverses[at]
        is_void = events.kind[at] == VOID
        claims = np.where(is_void, originals, at)
        counted = (events.period_number[claims] == 1).astype(np.int64)
        moved: NDArray[np.int64] = np.where(is_void, -counted, counted)
        return moved

    def _move(self, key: Key, origin: str, about: str, moved: list[int]) -> EntryRow:
        year = self._years[key]
        person_key, area_id, number = key
        pool, large, deductible, admissions, burden, catastrophic, assistance = moved
        entry = EntryRow(
            person_key, area_id, number, year.entries + 1, origin, about, 0,
            pool, large, deductible, admissions, burden, catastrophic, assistance,
            self._tx.now_at,
        )  # fmt: skip
        self._years[key] = accumulators.add(year, entry)
        self._entries.append(entry)
        return entry

    def _pass(self, row: int, code: str, detail: str) -> None:
        prepared = self._prepared
        passed = Passed(int(prepared.row[row]), prepared.claim_id[row], code, detail)
        self._passed.append(passed)

    # storing

    def _write(self, judged: Judged) -> None:
        tx, lot_id = self._tx, self._tx.new_id()
        keys = {(entry.person_key, entry.area_id, entry.year) for entry in self._entries}
        tx.put_many(ENTRIES, {ENTRIES.key_of(entry): entry for entry in self._entries})
        tx.put_many(YEARS, {key: self._years[key] for key in keys})
        self._pay(lot_id)
        taken_back = (self._taken_back, self._taken_back_by)
        lot = content_of(self._plan, judged, self._prepared, *taken_back)
        journal.append(tx, LOT_KIND, lot_id, canonical.encode(lot))

    def _pay(self, lot_id: str) -> None:
        """Owe the hospitals what funds pay, in one set of transfers."""
        purse_of: dict[str, str] = {}
        for _, purse, debit, credit, _ in self._orders:
            purse_of[debit] = purse_of[credit] = purse
        there = self._tx.get_many(ACCOUNTS, [(account,) for account in purse_of])
        for account, purse in sorted(purse_of.items()):
            if (account,) not in there:
                ledger.open_account(self._tx, account, purse)
        orders = [
            Order(lot_id, leg, about, self._month, debit, credit, fen)
            for leg, (about, _, debit, credit, fen) in enumerate(self._orders)
        ]
        ledger_batch.transfer_many(self._tx, orders)


class Opening(NamedTuple):
    """What a person had used of a year, told before one row of a commit."""

    at: int
    person: int
    place: int
    year: int
    used: list[int]


def with_openings(events: Events, openings: list[Opening]) -> tuple[Events, NDArray[np.int64]]:
    """Return events with openings before their rows, and where each row of `events` is in them."""
    rows = len(events.person)
    before = np.array([opening.at for opening in openings], np.int64)
    at = np.arange(rows) + np.searchsorted(before, np.arange(rows), side="right")
    if not openings:
        return events, at
    opened = blank_events(rows + len(openings), len(openings))
    for name in Events._fields:
        if name != "opening_fen":
            getattr(opened, name)[at] = getattr(events, name)
    there = before + np.arange(len(openings))
    opened.reverses[at] = np.where(events.reverses == NONE, NONE, at[events.reverses])
    opened.kind[there] = OPENING
    opened.person[there] = [opening.person for opening in openings]
    opened.place[there] = [opening.place for opening in openings]
    opened.ended_on[there] = [_last_day(opening.year) for opening in openings]
    opened.opening[there] = np.arange(len(openings))
    opened.opening_fen[:] = [opening.used for opening in openings]
    return opened, at


def _years(days: NDArray[np.int32]) -> NDArray[np.int64]:
    years: NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    return years + _FIRST_YEAR


def _day(days: int) -> date:
    return date.fromordinal(days + EPOCH)


def _last_day(year: int) -> int:
    return date(year, 12, 31).toordinal() - EPOCH


def _blank(key: Key) -> YearRow:
    return YearRow(*key, 0, 0, 0, 0, 0, 0, 0, 0)
