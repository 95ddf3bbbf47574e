"""The lines of a stay on the visited side: split by the catalogue, kept, revoked, summed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import kept_lines
from tongcheng.services.settlement.catalogue import Item, ItemClass
from tongcheng.services.settlement.catalogue_store import Dated
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.lines import (
    Line,
    Part,
    Split,
    SplitLine,
    reasons,
    split_lines,
)
from tongcheng.services.settlement.mapping import Mapper
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.preflight import Finding, Severity, finding, first_error
from tongcheng.services.settlement.store import LinesRow, StayRow

ALL_LINES = "0000"
"""feedetl_sn of 2302 that means every line of the stay."""
LINES_MAX = 20_000
"""More lines than the longest known stay has; a runaway system is refused, not stored."""


class LineInput(msgspec.Struct, frozen=True, gc=False):
    """One line as a hospital states it (2301 feedetail); amounts exact, `charged_at` UTC ms."""

    line_id: str
    item_code: str
    hospital_code: str
    quantity_e4: int
    unit_price_e6: int
    amount_fen: int
    charged_at: int
    original_line_id: str | None = None
    doctor_code: str = ""
    department_code: str = ""


def active_lines(reading: Reading, stay_id: str) -> list[LineRow]:
    """Return the lines that count, in order of arrival."""
    known = kept_lines.by_id(kept_lines.of_stay(reading, stay_id))
    return _active(known.values())


def _active(rows: Iterable[LineRow]) -> list[LineRow]:
    return sorted((row for row in rows if not row.revoked), key=lambda row: row.number)


def add_lines(tx: Transaction, stay: StayRow, inputs: list[LineInput]) -> list[LineRow]:
    """Split and keep new lines, all or none; the same line sent again must be the same line.

    Refuses LINES_TOO_MANY, LINE_DUPLICATE, what `Mapper.check` says against a code, and whatever
    `lines.split_lines` refuses.
    """
    return _add(tx, stay, inputs, kept_lines.of_stay(tx, stay.stay_id))


def first_lines(tx: Transaction, stay: StayRow, inputs: list[LineInput]) -> list[LineRow]:
    """Split and keep the lines of a stay that has none yet, as `add_lines`."""
    return _add(tx, stay, inputs, ())


def _add(
    tx: Transaction, stay: StayRow, inputs: list[LineInput], kept: Sequence[LinesRow]
) -> list[LineRow]:
    known = kept_lines.by_id(kept)
    if len(known) + len(inputs) > LINES_MAX:
        raise Refused("LINES_TOO_MANY", limit=LINES_MAX)
    checked = coded(tx, tx.home, stay.institution_id, inputs, known)
    fault = first_error(found for _, found in checked if found is not None)
    if fault is not None:
        raise fault
    inputs = [one for one, _ in checked]
    for one in inputs:
        before = known.get(one.line_id)
        if before is not None and not before.revoked and not _same(before, one):
            raise Refused("LINE_DUPLICATE", line=one.line_id)
    is_new = [one for one in inputs if one.line_id not in known or known[one.line_id].revoked]
    catalogue = Dated(tx, tx.home, stay.catalogue)
    zone = tx.home.region.zone
    earlier = [split_line(row, zone) for row in _active(known.values())]
    split = split_lines(catalogue, [line_of(one, zone) for one in is_new], earlier)
    rows = dict(known)
    # After the last number, not after the count: a line revoked and sent again keeps one row.
    last = max((row.number for row in known.values()), default=0)
    for number, (one, done) in enumerate(zip(is_new, split, strict=True), start=last + 1):
        digest = _decided_by(rows, catalogue, done)
        rows[one.line_id] = _row(stay, number, one, done, digest)
    kept_lines.put(tx, stay.stay_id, kept, (rows[one.line_id] for one in is_new))
    return [rows[one.line_id] for one in inputs]


def coded(
    reading: Reading,
    home: Home,
    institution_id: str,
    inputs: list[LineInput],
    known: Mapping[str, LineRow],
) -> list[tuple[LineInput, Finding | None]]:
    """Return each line with its national code, and what the hospital's table says against it.

    A refund that names no code has its original's; about a refund the table says nothing.
    """
    mapper = Mapper(reading, institution_id, home.region.zone)
    codes = {line_id: row.item_code for line_id, row in known.items()}
    result: list[tuple[LineInput, Finding | None]] = []
    for one in inputs:
        given = one.item_code
        if one.quantity_e4 < 0:
            given = given or codes.get(one.original_line_id or "", "")
        said: Refused | None = None
        if one.quantity_e4 >= 0 or not given:
            given, said = mapper.check(one.line_id, one.hospital_code, given, one.charged_at)
        codes[one.line_id] = given
        if said is None and given == one.item_code:
            result.append((one, None))
            continue
        severity: Severity = "error" if said is None or mapper.is_error(said) else "warning"
        found = None if said is None else finding(said, severity, one.line_id)
        result.append((msgspec.structs.replace(one, item_code=given), found))
    return result


def revoke_lines(tx: Transaction, stay: StayRow, line_id: str, not_settled: frozenset[str]) -> int:
    """Let one line, or all, count no more; a line that a refund points to stays with it.

    Only lines that are `not_settled` can: one that a settled period has taken stays in its bill.
    """
    kept = kept_lines.of_stay(tx, stay.stay_id)
    rows = _active(kept_lines.by_id(kept).values())
    named = [row for row in rows if line_id in {row.line_id, ALL_LINES}]
    if not named and line_id != ALL_LINES:
        raise Refused("LINE_UNKNOWN", line=line_id)
    chosen = [row for row in named if row.line_id in not_settled]
    if not chosen and line_id != ALL_LINES:
        raise Refused("LINE_SETTLED", line=line_id)
    leaving = {row.line_id for row in chosen}
    for row in rows:
        if row.original_line_id in leaving and row.line_id not in leaving:
            raise Refused("LINE_HAS_REFUND", line=row.original_line_id or "", refund=row.line_id)
    revoked = (msgspec.structs.replace(row, revoked=True) for row in chosen)
    kept_lines.put(tx, stay.stay_id, kept, revoked)
    return len(chosen)


def totals_of(rows: list[LineRow]) -> ScopeTotals:
    """Return the sums of the lines that count; refuses a bill that refunds made negative."""
    sums = Split(
        self_paid_fen=sum(row.self_paid_fen for row in rows),
        over_ceiling_fen=sum(row.over_ceiling_fen for row in rows),
        first_self_pay_fen=sum(row.first_self_pay_fen for row in rows),
        in_scope_fen=sum(row.in_scope_fen for row in rows),
    )
    return scope_totals(sums)


def scope_totals(sums: Split) -> ScopeTotals:
    """Return the parts of a bill as they cross the border; refuses BILL_OUT_OF_RANGE."""
    value = {
        "total_fen": sums.total_fen,
        "self_paid_fen": sums.self_paid_fen,
        "over_ceiling_fen": sums.over_ceiling_fen,
        "first_self_pay_fen": sums.first_self_pay_fen,
        "in_scope_fen": sums.in_scope_fen,
    }
    try:
        return msgspec.convert(value, ScopeTotals)
    except msgspec.ValidationError:
        raise Refused("BILL_OUT_OF_RANGE", total_fen=sums.total_fen) from None


def lines_root(rows: list[LineRow]) -> str:
    """Return the Merkle root (hex) of the lines: what binds the totals to lines kept here."""
    return merkle.root([merkle.leaf_hash(raw) for raw in canonical.encode_each(rows)]).hex()


def _same(row: LineRow, one: LineInput) -> bool:
    return (
        row.item_code,
        row.quantity_e4,
        row.unit_price_e6,
        row.total_fen,
        row.original_line_id,
    ) == (
        one.item_code,
        one.quantity_e4,
        one.unit_price_e6,
        one.amount_fen,
        one.original_line_id,
    )


def line_of(one: LineInput, zone: str) -> Line:
    """Return a stated line as the splitter takes it."""
    return Line(
        line_id=one.line_id,
        item_code=one.item_code,
        quantity=one.quantity_e4,
        unit_price=one.unit_price_e6,
        amount_fen=one.amount_fen,
        occurred_on=local_date(one.charged_at, zone),
        original_id=one.original_line_id,
    )


def item_of(row: LineRow) -> Item:
    """Return the version of the item that decided about a kept line."""
    begins = date.fromisoformat(row.item_valid_from)
    return Item(
        code=row.item_code,
        name=row.item_name,
        item_class=msgspec.convert(row.item_class, ItemClass),
        price_ceiling=row.price_ceiling_e6,
        first_self_pay=row.first_self_pay_bp,
        charge_category=row.charge_category,
        valid_from=begins,
        valid_to=None,
    )


def split_of(row: LineRow) -> Split:
    """Return the parts of a kept line."""
    return Split(
        self_paid_fen=row.self_paid_fen,
        over_ceiling_fen=row.over_ceiling_fen,
        first_self_pay_fen=row.first_self_pay_fen,
        in_scope_fen=row.in_scope_fen,
    )


def split_line(row: LineRow, zone: str) -> SplitLine:
    """Return a kept line as the splitter knows it."""
    line = Line(
        line_id=row.line_id,
        item_code=row.item_code,
        quantity=row.quantity_e4,
        unit_price=row.unit_price_e6,
        amount_fen=row.total_fen,
        occurred_on=local_date(row.charged_at, zone),
        original_id=row.original_line_id,
    )
    return SplitLine(line=line, item=item_of(row), split=split_of(row))


def reasons_of(row: LineRow) -> tuple[Part, ...]:
    """Return why each part of a kept line is what it is, as `lines.reasons`."""
    return reasons(item_of(row), split_of(row))


def catalogue_digest(rows: list[LineRow]) -> str:
    """Return the catalogue that decided about the latest of a bill's lines; each names its own."""
    assert rows, "a bill without lines was refused before"
    return max(rows, key=lambda row: (row.charged_at, row.number)).catalogue_digest


def _decided_by(rows: Mapping[str, LineRow], catalogue: Dated, done: SplitLine) -> str:
    """Return the digest of the catalogue that split a line; a refund's is its original's."""
    if done.line.original_id is None or done.line.quantity > 0:
        return catalogue.digest(done.line.occurred_on)
    return rows[done.line.original_id].catalogue_digest


def _row(
    stay: StayRow, number: int, one: LineInput, done: SplitLine, catalogue_digest: str
) -> LineRow:
    return LineRow(
        stay_id=stay.stay_id,
        line_id=one.line_id,
        number=number,
        item_code=one.item_code,
        hospital_code=one.hospital_code,
        original_line_id=one.original_line_id,
        charged_at=one.charged_at,
        quantity_e4=one.quantity_e4,
        unit_price_e6=one.unit_price_e6,
        total_fen=one.amount_fen,
        self_paid_fen=done.split.self_paid_fen,
        over_ceiling_fen=done.split.over_ceiling_fen,
        first_self_pay_fen=done.split.first_self_pay_fen,
        in_scope_fen=done.split.in_scope_fen,
        item_class=done.item.item_class,
        revoked=False,
        item_name=done.item.name,
        charge_category=done.item.charge_category,
        price_ceiling_e6=done.item.price_ceiling,
        first_self_pay_bp=done.item.first_self_pay,
        item_valid_from=done.item.valid_from.isoformat(),
        catalogue_digest=catalogue_digest,
        doctor_code=one.doctor_code,
        department_code=one.department_code,
    )
