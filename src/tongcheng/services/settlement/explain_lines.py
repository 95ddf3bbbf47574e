"""Why lines of a bill are paid by the person herself: by the catalogue of the visited place."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from tongcheng.services.settlement.explain_model import PERSON, Fact, Reason, added, leaf, node
from tongcheng.services.settlement.lines import Part

Scope = Literal["self_paid", "over_ceiling", "first_self_pay"]
LINES_SHOWN: Final = 200
"""Lines that a scope lists; of a longer bill the smaller ones stand together."""
ELSEWHERE: Final = "elsewhere"
"""The fact `lines` of a scope whose lines are not on this node."""
_REASON: Final[dict[Scope, str]] = {
    "self_paid": "class_c",
    "over_ceiling": "over_ceiling",
    "first_self_pay": "first_self_pay",
}


class ExplainedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line that counts, with the reasons of its parts.

    `quantity_e4` is in 10**-4 and negative for a refund, `unit_price_e6` in 10**-6 yuan;
    `catalogue` is the digest of the catalogue that decided, by a version of the item in force
    from `valid_from_on`.
    """

    line_id: str
    item_code: str
    item_name: str
    quantity_e4: int
    unit_price_e6: int
    catalogue: str
    valid_from_on: str
    parts: tuple[Part, ...]


def of_lines(scope: Scope, amount_fen: int, lines: Sequence[ExplainedLine] | None) -> Reason:
    """Return one scope with its lines, the largest first; without them where they are not here."""
    if lines is None:
        return leaf(scope, amount_fen, {"payer": PERSON, "lines": ELSEWHERE})
    found = [
        _line(line, part) for line in lines for part in line.parts if part.reason == _REASON[scope]
    ]
    if not found:
        return leaf(scope, amount_fen, {"payer": PERSON})
    found.sort(key=lambda each: -abs(each.amount_fen))
    shown, others = found[:LINES_SHOWN], found[LINES_SHOWN:]
    if others:
        facts: dict[str, Fact] = {"payer": PERSON, "count": len(others)}
        shown.append(leaf("line_others", added(others), facts))
    rest = amount_fen - added(shown)
    if rest:
        # A settlement that was taken back: its lines may have been changed since.
        shown.append(leaf("lines_differ", rest, {"payer": PERSON}))
    return node(scope, amount_fen, shown, {"count": len(found)})


def _line(line: ExplainedLine, part: Part) -> Reason:
    facts: dict[str, Fact] = {
        "payer": PERSON,
        "line_id": line.line_id,
        "item_code": line.item_code,
        "item_name": line.item_name,
        "quantity_e4": line.quantity_e4,
        "unit_price_e6": line.unit_price_e6,
        "catalogue": line.catalogue,
        "valid_from_on": line.valid_from_on,
    }
    if part.ceiling_e6 is not None:
        facts["ceiling_e6"] = part.ceiling_e6
    if part.ratio_bp is not None:
        facts["ratio_bp"] = part.ratio_bp
    return leaf(f"line_{part.reason}", part.amount_fen, facts)
