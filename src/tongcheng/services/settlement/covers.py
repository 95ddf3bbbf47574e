"""Second covers (大病保险, 医疗救助): a share of what a person bears of a year's in-scope amounts.

The burden of the year is a line from zero; a settlement moves along it from what was borne before
to what is borne now. Beyond the cover's deductible each step of the line has its ratio. Only the
part of the line that this settlement adds is paid for, so that a year's settlements together give
what the year's burden gives at once, but for the rounding of each payment to fen.
"""

import msgspec

from tongcheng.services.settlement.tables import (
    BASIS,
    UNKNOWN,
    BenefitTables,
    CoverLayer,
    CoverTable,
)
from tongcheng.services.settlement.trace import TraceRow


class Covered(msgspec.Struct, frozen=True):
    """What second covers pay at discharge (fen by layer), and what announced ones are to pay."""

    paid: dict[str, int]
    expected: dict[str, int | None]


def cover(
    tables: BenefitTables,
    table: CoverTable,
    layer: CoverLayer,
    burden: tuple[int, int],
    used_fen: int,
    *,
    lenient: bool = False,
) -> list[TraceRow]:
    """Return the stretches of the year's burden from before to now that the cover pays for.

    `used_fen` is what it has paid this year. An unknown figure that is needed is RULE_UNKNOWN;
    `lenient` takes an unknown cap for none, which gives the most that may be expected.
    """
    before, now = burden
    if now <= before:
        return []
    if table.deductible_fen == UNKNOWN:
        tables.refuse_unknown(table.deductible_rule)
    position = max(before, table.deductible_fen)
    if now <= position:
        return []
    if table.cap_fen == UNKNOWN and not lenient:
        tables.refuse_unknown(table.cap_rule)
    left = None if table.cap_fen == UNKNOWN else max(0, table.cap_fen - used_fen) * BASIS
    rows = []
    for limit, ratio, rule in zip(table.to_fen, table.ratio, table.rule, strict=True):
        if limit <= position or left == 0:
            continue
        if ratio == UNKNOWN:
            tables.refuse_unknown(rule)
        top = min(limit, now)
        amount = (top - position) * ratio
        if left is not None:
            amount = min(amount, left)
            left -= amount
        fen, rest = divmod(amount, BASIS)
        path, share = tables.rules[rule].path, ratio * BASIS
        rows.append(TraceRow(layer, path, position, top, share, fen, rest, BASIS, tables.digest))
        position = top
        if position == now:
            break
    return rows
