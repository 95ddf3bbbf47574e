"""The lines of a stay on the visited side: split by the catalogue, kept, revoked, summed."""

from functools import lru_cache

import msgspec

from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import catalogue as catalogues
from tongcheng.services.settlement.catalogue import Catalogue
from tongcheng.services.settlement.lines import Line, Split, SplitLine, split_lines
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.store import LINES, LineRow, StayRow

ALL_LINES = "0000"
"""feedetl_sn of 2302 that means every line of the stay."""
LINES_MAX = 20_000
"""More lines than the longest known stay has; a runaway system is refused, not stored."""


class LineInput(msgspec.Struct, frozen=True):
    """One line as a hospital states it (2301 feedetail); amounts exact, `charged_at` UTC ms."""

    line_id: str
    item_code: str
    hospital_code: str
    quantity_e4: int
    unit_price_e6: int
    amount_fen: int
    charged_at: int
    original_line_id: str | None = None


@lru_cache(maxsize=64)
def _parsed(raw: bytes) -> Catalogue:
    return catalogues.parse(raw.decode())


def catalogue_of(home: Home, name: str) -> Catalogue:
    """Return a catalogue of this node by the file name that the institution is bound to."""
    raw = home.datasets.get(name)
    if raw is None:
        raise Refused("CATALOGUE_MISSING", catalogue=name)
    return _parsed(raw)


def active_lines(reading: Reading, stay_id: str) -> list[LineRow]:
    """Return the lines that count, in order of arrival."""
    rows = [row for row in reading.select(LINES, stay_id=stay_id) if not row.revoked]
    return sorted(rows, key=lambda row: row.number)


def add_lines(tx: Transaction, stay: StayRow, inputs: list[LineInput]) -> list[LineRow]:
    """Split and keep new lines, all or none; the same line sent again must be the same line."""
    known = {row.line_id: row for row in tx.select(LINES, stay_id=stay.stay_id)}
    if len(known) + len(inputs) > LINES_MAX:
        raise Refused("LINES_TOO_MANY", limit=LINES_MAX)
    for one in inputs:
        before = known.get(one.line_id)
        if before is not None and not before.revoked and not _same(before, one):
            raise Refused("LINE_DUPLICATE", line=one.line_id)
    is_new = [one for one in inputs if one.line_id not in known or known[one.line_id].revoked]
    catalogue = catalogue_of(tx.home, stay.catalogue)
    zone = tx.home.region.zone
    earlier = [_split_line(catalogue, row, zone) for row in active_lines(tx, stay.stay_id)]
    lines = [
        Line(
            line_id=one.line_id,
            item_code=one.item_code,
            quantity=one.quantity_e4,
            unit_price=one.unit_price_e6,
            amount_fen=one.amount_fen,
            occurred_on=local_date(one.charged_at, zone),
            original_id=one.original_line_id,
        )
        for one in is_new
    ]
    split = split_lines(catalogue, lines, earlier)
    # After the last number, not after the count: a line revoked and sent again keeps one row.
    last = max((row.number for row in known.values()), default=0)
    for number, (one, done) in enumerate(zip(is_new, split, strict=True), start=last + 1):
        tx.put(LINES, _row(stay, number, one, done))
    return [tx.need(LINES, stay.stay_id, one.line_id) for one in inputs]


def revoke_lines(tx: Transaction, stay: StayRow, line_id: str) -> int:
    """Let one line, or all, count no more; a line that a refund points to stays with it."""
    rows = active_lines(tx, stay.stay_id)
    chosen = [row for row in rows if line_id in {row.line_id, ALL_LINES}]
    if not chosen and line_id != ALL_LINES:
        raise Refused("LINE_UNKNOWN", line=line_id)
    leaving = {row.line_id for row in chosen}
    for row in rows:
        if row.original_line_id in leaving and row.line_id not in leaving:
            raise Refused("LINE_HAS_REFUND", line=row.original_line_id or "", refund=row.line_id)
    for row in chosen:
        tx.put(LINES, msgspec.structs.replace(row, revoked=True))
    return len(chosen)


def totals_of(rows: list[LineRow]) -> ScopeTotals:
    """Return the sums of the lines that count; refuses a bill that refunds made negative."""
    sums = Split()
    for row in rows:
        sums += Split(
            self_paid_fen=row.self_paid_fen,
            over_ceiling_fen=row.over_ceiling_fen,
            first_self_pay_fen=row.first_self_pay_fen,
            in_scope_fen=row.in_scope_fen,
        )
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
    return merkle.root([merkle.leaf_hash(canonical.encode(row)) for row in rows]).hex()


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


def _split_line(catalogue: Catalogue, row: LineRow, zone: str) -> SplitLine:
    """Return a kept line as the splitter knows it."""
    occurred_on = local_date(row.charged_at, zone)
    line = Line(
        line_id=row.line_id,
        item_code=row.item_code,
        quantity=row.quantity_e4,
        unit_price=row.unit_price_e6,
        amount_fen=row.total_fen,
        occurred_on=occurred_on,
        original_id=row.original_line_id,
    )
    parts = Split(
        self_paid_fen=row.self_paid_fen,
        over_ceiling_fen=row.over_ceiling_fen,
        first_self_pay_fen=row.first_self_pay_fen,
        in_scope_fen=row.in_scope_fen,
    )
    return SplitLine(line=line, item=catalogue.item(row.item_code, occurred_on), split=parts)


def _row(stay: StayRow, number: int, one: LineInput, done: SplitLine) -> LineRow:
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
    )
