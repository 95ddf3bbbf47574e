"""Holds settlements that somebody else computed against the rule books, and says why they differ.

For every row: are its own sums closed, was it settled before, does it follow from the person's
row before it, and does the engine, asked the same, give the same to the fen? A row that differs is
explained by trying what systems are known to get wrong (`audit_variants`, `audit_rounding`). What
explains it gives every figure exactly; where several do, all are named; where none does, the
cause is `unexplained`.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Protocol

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_causes import explain
from tongcheng.services.settlement.audit_model import (
    Cause,
    Cited,
    Difference,
    Figures,
    Finding,
    Row,
    Unjudged,
    cite,
    compare,
    figures_of,
    sums_broken,
)
from tongcheng.services.settlement.audit_rows import OPENINGS
from tongcheng.services.settlement.audit_variants import Case
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit

ACCUMULATED = ("pool", "large", "deductible", "catastrophic", "assistance")
"""Figures that move the year's accumulator `<figure>_paid_fen`."""


class Memory(Protocol):
    """Keeps what later rows are held against; a file may have more rows than memory has room."""

    def recall(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return what is kept under these keys."""
        ...

    def keep(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values, in place of those kept before."""
        ...


class Settled(msgspec.Struct, frozen=True, array_like=True):
    """A settlement of the file, as later rows may refer to it."""

    line: int
    settlement_id: str
    in_scope_fen: int
    total_fen: int | None
    figures: Figures
    likeness: bytes


class Year(msgspec.Struct, frozen=True, array_like=True):
    """A person's year after her last row, by their own figures; None is what they did not give."""

    line: int
    order: int | None
    used: dict[str, int | None]


class Tally(msgspec.Struct, kw_only=True):
    """What was seen. `higher` counts rows whose opening is more than the file accounts for."""

    rows: int = 0
    equal: int = 0
    differing: int = 0
    unjudged: int = 0
    higher: int = 0


class Auditor:
    """Judges a file batch by batch.

    With `complete` the file is said to hold everything that the persons used, so an opening that
    is higher than their rows account for is a difference too.
    """

    def __init__(self, books: Books, memory: Memory, *, complete: bool = False) -> None:
        self.tally = Tally()
        self._books = books
        self._memory = memory
        self._complete = complete
        self._known: dict[bytes, bytes] = {}
        self._fresh: dict[bytes, bytes] = {}

    def batch(self, rows: Iterable[Row | Unjudged]) -> Iterator[Finding | Unjudged]:
        """Judge rows in the order of the file; what is equal is counted and not returned."""
        given = list(rows)
        wanted = [key for row in given if isinstance(row, Row) for key in _keys(row)]
        self._known = self._memory.recall(wanted)
        self._fresh = {}
        for row in given:
            self.tally.rows += 1
            found = row if isinstance(row, Unjudged) else self._judge(row)
            if found is None:
                self.tally.equal += 1
                continue
            self.tally.unjudged += isinstance(found, Unjudged)
            self.tally.differing += isinstance(found, Finding)
            yield found
        self._memory.keep(self._fresh)

    # one row

    def _judge(self, row: Row) -> Finding | Unjudged | None:
        try:
            if row.is_void:
                return self._void(row)
            return self._again(row) or self._settlement(row)
        except Refused as refused:
            return Unjudged(
                line=row.line,
                settlement_id=row.settlement_id,
                code=refused.code,
                facts=dict(refused.facts),
            )

    def _void(self, row: Row) -> Finding | None:
        """A void is the exact negative of what it takes back, and gives the year back."""
        key = _key("id", row.voids or "")
        found = self._get(key)
        if row.voids is None or not found:
            raise Refused("AUDIT_VOID_OF", settlement=row.voids or "")
        original = msgspec.msgpack.decode(found, type=Settled)
        stated: Figures = {"in_scope": row.bill.in_scope_fen, **row.theirs}
        mirrored = {"in_scope": -original.in_scope_fen}
        mirrored |= {name: -fen for name, fen in original.figures.items()}
        if row.bill.total_fen is not None and original.total_fen is not None:
            stated["total"], mirrored["total"] = row.bill.total_fen, -original.total_fen
        # What was taken back may be settled again.
        self._put(original.likeness, b"")
        self._advance(row, -1)
        differences = compare(stated, mirrored)
        if not differences:
            return None
        cause = Cause(key="void_not_negative", facts={"of": row.voids, "line": original.line})
        return _finding(row, None, differences, (cause,))

    def _again(self, row: Row) -> Finding | None:
        """The same settlement id, or the same stay under another, is paid for twice."""
        named, alike = _key("id", row.settlement_id), _likeness(row)
        for key in (named, alike):
            found = self._get(key)
            if found:
                before = msgspec.msgpack.decode(found, type=Settled)
                cause = Cause(
                    key="settled_twice",
                    facts={"first": before.settlement_id, "line": before.line},
                )
                differences = compare(row.theirs, dict.fromkeys(row.theirs, 0))
                return _finding(row, None, differences, (cause,))
        kept = msgspec.msgpack.encode(
            Settled(
                row.line,
                row.settlement_id,
                row.bill.in_scope_fen,
                row.bill.total_fen,
                row.theirs,
                alike,
            )
        )
        self._put(named, kept)
        self._put(alike, kept)
        return None

    def _settlement(self, row: Row) -> Finding | None:
        expected = self._expected(row)
        self._advance(row, 1)
        tables = self._books.tables(row.book_id, row.settled_on)
        cut = self._books.cut_of(row)
        case = Case(tables=tables, bill=row.bill, before=row.before, cut=cut)
        ours = settle(tables, row.bill, row.before, cut)
        differences = compare(row.theirs, figures_of(ours))
        broken = sums_broken(row.bill, row.theirs)
        causes = tuple(explain(case, row, ours, self._books, broken)) if differences else ()
        if expected is not None:
            return self._not_following(row, case, ours, expected, causes)
        if not differences:
            return None
        return _finding(row, ours, differences, causes, rules_behind(case, ours, differences))

    def _not_following(
        self, row: Row, case: Case, ours: Benefit, expected: Accumulators, causes: tuple[Cause, ...]
    ) -> Finding:
        """The opening is not what the person's row before it left; say what that changes."""
        number = row.bill.admission_number + expected.admissions - row.before.admissions
        followed = msgspec.structs.replace(case, before=expected).with_bill(
            admission_number=max(1, number)
        )
        try:
            ours = settle(followed.tables, followed.bill, expected, case.cut)
        except Refused:
            followed = case
        stated, held = _openings(row.before), _openings(expected)
        differences = (*compare(stated, held), *compare(row.theirs, figures_of(ours)))
        lost = not any(stated.values()) and any(held.values())
        key = "opening_lost" if lost else "opening_not_following"
        cause = Cause(key=key, facts={"admissions": expected.admissions})
        return _finding(
            row, ours, differences, (cause, *causes), rules_behind(followed, ours, differences)
        )

    # a person's year

    def _expected(self, row: Row) -> Accumulators | None:
        """Return the opening that the person's last row leaves, if this row's is another."""
        found = self._get(_year_key(row))
        if not found:
            return None
        year = msgspec.msgpack.decode(found, type=Year)
        if None not in (year.order, row.order) and (row.order or 0) < (year.order or 0):
            raise Refused("AUDIT_ORDER", line=year.line)
        stated = {field: getattr(row.before, field) for field in row.before.__struct_fields__}
        held = {
            field: stated[field] if value is None else value for field, value in year.used.items()
        }
        lower = any(stated[field] < held[field] for field in stated)
        higher = any(stated[field] > held[field] for field in stated)
        # Other settlements, local or outpatient, may have come between two rows of the file.
        self.tally.higher += higher and not lower
        return Accumulators(**held) if lower or (higher and self._complete) else None

    def _advance(self, row: Row, sign: int) -> None:
        """Move the person's year by their figures; what they do not give is not known after."""
        moves: dict[str, int | None] = {
            f"{name}_paid_fen": row.theirs.get(name) for name in ACCUMULATED
        }
        # A fund that the file never names is one that it does not have.
        for name in ("large", "catastrophic", "assistance"):
            moves[f"{name}_paid_fen"] = row.theirs.get(name, 0)
        first = row.bill.period_number == 1
        moves["admissions"] = sign if first else 0
        if "pool" in row.theirs:
            moves["burden_fen"] = (
                row.bill.in_scope_fen - row.theirs["pool"] - row.theirs.get("large", 0)
            )
        used: dict[str, int | None] = {}
        for field, stated in self._stated(row).items():
            move = moves.get(field)
            used[field] = None if move is None or stated is None else stated + move
        year = Year(row.line, row.order, used)
        self._put(_year_key(row), msgspec.msgpack.encode(year))

    def _stated(self, row: Row) -> dict[str, int | None]:
        """Return the row's opening; a void that states none goes on from the person's last row."""
        found = self._get(_year_key(row))
        if row.is_void and row.before == Accumulators(admissions=row.before.admissions) and found:
            return msgspec.msgpack.decode(found, type=Year).used
        return {field: getattr(row.before, field) for field in row.before.__struct_fields__}

    # memory

    def _get(self, key: bytes) -> bytes | None:
        return self._fresh.get(key, self._known.get(key))

    def _put(self, key: bytes, value: bytes) -> None:
        self._fresh[key] = value


def rules_behind(case: Case, ours: Benefit, differences: Iterable[Difference]) -> tuple[Cited, ...]:
    """Return the rules of our answer that the figures in dispute rest on, in the trace's order."""
    parts = {each.figure for each in differences}
    if not parts & {"deductible", "pool", "large", "catastrophic", "assistance"}:
        parts |= {"deductible", "pool", "large"}
    tables = case.tables
    paths: dict[str, None] = {}
    for row in ours.trace:
        if row.part in parts or (row.part == "uncovered" and parts & {"pool", "large"}):
            paths[row.rule] = None
            for ref in row.modified_by:
                if ref.book == tables.digest:
                    paths[ref.rule] = None
    if any(row.part in {"large", "uncovered"} for row in ours.trace):
        paths[tables.rules[tables.pool_cap_rule].path] = None
    return tuple(cite(tables.book_id, tables.digest, tables.pointer(path)) for path in paths)


def _finding(
    row: Row,
    ours: Benefit | None,
    differences: tuple[Difference, ...],
    causes: tuple[Cause, ...],
    rules: tuple[Cited, ...] = (),
) -> Finding:
    return Finding(
        line=row.line,
        settlement_id=row.settlement_id,
        person_id=row.person_id,
        settled_on=row.settled_on,
        book_id=row.book_id,
        book_digest=None if ours is None else ours.book,
        book_status=None if ours is None else ours.book_status,
        differences=differences,
        causes=causes,
        rules=rules,
    )


def _openings(used: Accumulators) -> Figures:
    return {column: getattr(used, field) for column, field in OPENINGS.items()}


def _key(*parts: object) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()


def _year_key(row: Row) -> bytes:
    return _key("year", row.person_id, row.book_id, row.settled_on.year)


def _likeness(row: Row) -> bytes:
    """What no two settlements share: person, day, place and amounts of one period."""
    bill = row.bill
    stay = (row.settled_on, bill.hospital_level, bill.period_number)
    return _key("alike", row.person_id, row.book_id, *stay, bill.in_scope_fen, bill.total_fen)


def _keys(row: Row) -> list[bytes]:
    return [
        _key("id", row.settlement_id),
        _key("id", row.voids or ""),
        _likeness(row),
        _year_key(row),
    ]
