"""The lines of a stay as they are kept: what came together is one row, in order of arrival.

A bill has many lines. A row for each, with a code and an entry of the index, cost an eighth of what
the visited node computes for a settlement; they are read and written together anyway.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement.store import LINES, LinesRow


class LineRow(msgspec.Struct, frozen=True, gc=False):
    """One line of the bill, split by the catalogue (费用明细). Amounts are fen, negative on refund.

    `number` is the order of arrival in the stay; `revoked` lines count no more. What the catalogue
    said of the item is kept on the line, so that a bill reads the same after the catalogue changes:
    the ceiling in 10**-6 yuan, the first self-paid share in basis points, and whose digest said so.
    """

    stay_id: str
    line_id: str
    number: int
    item_code: str
    hospital_code: str
    original_line_id: str | None
    charged_at: int
    quantity_e4: int
    unit_price_e6: int
    total_fen: int
    self_paid_fen: int
    over_ceiling_fen: int
    first_self_pay_fen: int
    in_scope_fen: int
    item_class: str
    revoked: bool
    item_name: str
    charge_category: str
    price_ceiling_e6: int | None
    first_self_pay_bp: int | None
    item_valid_from: str
    catalogue_digest: str
    doctor_code: str
    department_code: str


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[Any, ...]]).decode

assert LineRow.__struct_fields__[0] == "stay_id", "which the row says of all its lines"


def of_stay(reading: Reading, stay_id: str) -> list[LinesRow]:
    """Return the rows that hold a stay's lines, in order of arrival."""
    return reading.select(LINES, stay_id=stay_id)


def by_id(kept: Iterable[LinesRow]) -> dict[str, LineRow]:
    """Return every line in some rows, revoked ones too, by its id."""
    return {line.line_id: line for row in kept for line in unpacked(row)}


def put(tx: Transaction, stay_id: str, kept: Sequence[LinesRow], lines: Iterable[LineRow]) -> None:
    """Keep lines of a stay of which `kept` are all the rows: known ones where they are."""
    left = {line.line_id: line for line in lines}
    for row in kept:
        known = unpacked(row)
        if any(line.line_id in left for line in known):
            changed = [left.pop(line.line_id, line) for line in known]
            tx.put(LINES, _packed(stay_id, row.part, changed))
    if left:
        tx.add(LINES, _packed(stay_id, len(kept) + 1, list(left.values())))


def unpacked(row: LinesRow) -> list[LineRow]:
    """Return the lines in a row."""
    return [LineRow(row.stay_id, *values) for values in _decode(row.lines)]


def _packed(stay_id: str, part: int, lines: Sequence[LineRow]) -> LinesRow:
    values = [msgspec.structs.astuple(line)[1:] for line in lines]
    return LinesRow(stay_id, part, len(lines), _encode(values))
