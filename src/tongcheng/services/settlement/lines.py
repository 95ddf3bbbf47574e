"""The split of a bill's lines by the visited place's catalogue, to the fen.

A line's amount is quantity times unit price, rounded once. It falls into four parts that always
add up to it: wholly self-paid (全自费), over the price ceiling (超限价), first self-paid (先行自付)
and in scope (符合政策范围). Each part but the last is rounded once; in scope is the complement.

A refund is a line of negative quantity that points to its original. What is left of the original
after it is split as if only that had been billed, and the refund is the difference; so the parts
of a line and its refunds always are those of what remains, and a whole refund is the exact
negative of what remained.
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan, round_half_up
from tongcheng.services.settlement.catalogue import PRICE_DIGITS, RATIO_DIGITS, Item, Items

QUANTITY_DIGITS = 4
Reason = Literal["class_c", "over_ceiling", "first_self_pay", "in_scope"]
_PER_FEN = 10 ** (QUANTITY_DIGITS + PRICE_DIGITS - 2)


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line (费用明细) as the hospital sends it.

    `quantity` is in 10**-4, negative for a refund; `unit_price` in 10**-6 yuan; `amount_fen` is
    what the hospital states; `original_id` names the refunded line.
    """

    line_id: str
    item_code: str
    quantity: int
    unit_price: int
    amount_fen: int
    occurred_on: date
    original_id: str | None = None


class Split(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Four parts of an amount, in fen; a refund's are negative."""

    self_paid_fen: int = 0
    over_ceiling_fen: int = 0
    first_self_pay_fen: int = 0
    in_scope_fen: int = 0

    @property
    def total_fen(self) -> int:
        """The amount that the parts add up to."""
        return (
            self.self_paid_fen + self.over_ceiling_fen + self.first_self_pay_fen + self.in_scope_fen
        )

    def __add__(self, other: "Split") -> "Split":
        return _combine(self, other, 1)

    def __sub__(self, other: "Split") -> "Split":
        return _combine(self, other, -1)


class SplitLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line with the catalogue's item that decided about it, and its parts."""

    line: Line
    item: Item
    split: Split


class Part(msgspec.Struct, frozen=True):
    """One part of a line with the reason for it, a stable key.

    `class_c`: the item is wholly self-paid; `over_ceiling`: what the price exceeds `ceiling_e6`
    (10**-6 yuan a unit) by; `first_self_pay`: the share `ratio_bp` (basis points) of the rest that
    the person pays first; `in_scope`: what insurance counts.
    """

    reason: Reason
    amount_fen: int
    ceiling_e6: int | None = None
    ratio_bp: int | None = None


class _Left(msgspec.Struct, frozen=True, gc=False):
    """What refunds have left of an original line."""

    quantity: int
    split: Split


def amount_of(quantity: int, unit_price: int) -> int:
    """Return quantity (10**-4) times unit price (10**-6 yuan), rounded once to fen."""
    return round_half_up(quantity * unit_price, _PER_FEN)


class Splitter:
    """Splits the lines of one stay one after the other; `earlier` are those already split.

    A line that is refused leaves no trace: the next one is split as if it had never come.
    """

    def __init__(self, catalogue: Items, earlier: Iterable[SplitLine] = ()) -> None:
        self._catalogue = catalogue
        self._originals: dict[str, SplitLine] = {}
        self._left: dict[str, _Left] = {}
        self._seen: set[str] = set()
        for known in earlier:
            self._remember(known)

    def split(self, line: Line) -> SplitLine:
        """Split the next line; the codes of its refusals are those of `split_lines`."""
        if line.line_id in self._seen:
            raise Refused("LINE_DUPLICATE", line=line.line_id)
        if line.quantity == 0:
            raise Refused("LINE_QUANTITY_ZERO", line=line.line_id)
        if line.unit_price < 0:
            raise Refused("LINE_PRICE_NEGATIVE", line=line.line_id)
        if line.quantity > 0:
            _match(line, amount_of(line.quantity, line.unit_price))
            item = self._catalogue.item(line.item_code, line.occurred_on)
            parts = split(self._catalogue, item, line.quantity, line.amount_fen)
        else:
            original, remains = self._original(line)
            item = original.item
            parts = _refund(self._catalogue, line, item, remains)
        done = SplitLine(line=line, item=item, split=parts)
        assert parts.total_fen == line.amount_fen, "the parts of a line add up to it"
        self._remember(done)
        return done

    def _original(self, line: Line) -> tuple[SplitLine, _Left]:
        if line.original_id is None:
            raise Refused("LINE_ORIGINAL_MISSING", line=line.line_id)
        original = self._originals.get(line.original_id)
        if original is None:
            raise Refused("LINE_ORIGINAL_UNKNOWN", line=line.line_id, original=line.original_id)
        same = (original.line.item_code, original.line.unit_price)
        if same != (line.item_code, line.unit_price):
            raise Refused("LINE_REFUND_MISMATCH", line=line.line_id, original=line.original_id)
        return original, self._left[line.original_id]

    def _remember(self, done: SplitLine) -> None:
        line = done.line
        self._seen.add(line.line_id)
        if line.quantity > 0:
            self._originals[line.line_id] = done
            self._left[line.line_id] = _Left(line.quantity, done.split)
            return
        assert line.original_id is not None, "a refund that was split has its original"
        before = self._left[line.original_id]
        remains = _Left(before.quantity + line.quantity, before.split + done.split)
        self._left[line.original_id] = remains


def split_lines(
    catalogue: Items, lines: Iterable[Line], earlier: Iterable[SplitLine] = ()
) -> tuple[SplitLine, ...]:
    """Split lines of one stay, in their order; `earlier` are those of it already split.

    All or nothing. Refuses, by line: LINE_DUPLICATE, LINE_QUANTITY_ZERO, LINE_PRICE_NEGATIVE,
    LINE_AMOUNT_MISMATCH, CATALOGUE_ITEM_UNKNOWN, RULE_UNKNOWN (an unknown first self-paid share);
    for refunds LINE_ORIGINAL_MISSING, LINE_ORIGINAL_UNKNOWN, LINE_REFUND_MISMATCH,
    LINE_REFUND_TOO_LARGE.
    """
    splitter = Splitter(catalogue, earlier)
    return tuple(splitter.split(line) for line in lines)


def reasons(item: Item, split: Split) -> tuple[Part, ...]:
    """Return why each part of a line is what it is, in the order in which they are taken off.

    Only parts that are not zero; their amounts add up to the line. A part that is negative has
    the reason of what it takes back.
    """
    parts = (
        Part("class_c", split.self_paid_fen),
        Part("over_ceiling", split.over_ceiling_fen, ceiling_e6=item.price_ceiling),
        Part("first_self_pay", split.first_self_pay_fen, ratio_bp=item.first_self_pay),
        Part("in_scope", split.in_scope_fen),
    )
    return tuple(part for part in parts if part.amount_fen)


def totals(lines: Iterable[SplitLine]) -> Split:
    """Return the parts of a stay: the sums over its lines and refunds."""
    total = Split()
    for line in lines:
        total += line.split
    return total


def split(catalogue: Items, item: Item, quantity: int, amount_fen: int) -> Split:
    """Split a positive amount by its item: class C, then the ceiling, then the first share."""
    if item.item_class == "C":
        return Split(self_paid_fen=amount_fen)
    payable = amount_fen
    if item.price_ceiling is not None:
        payable = min(amount_fen, amount_of(quantity, item.price_ceiling))
    if item.first_self_pay is None:
        rule = f"{item.code}.first_self_pay_ratio"
        raise Refused("RULE_UNKNOWN", rule=rule, book=catalogue.catalogue_id)
    first = round_half_up(payable * item.first_self_pay, 10**RATIO_DIGITS)
    return Split(
        over_ceiling_fen=amount_fen - payable,
        first_self_pay_fen=first,
        in_scope_fen=payable - first,
    )


def _match(line: Line, computed_fen: int) -> None:
    if line.amount_fen != computed_fen:
        raise Refused(
            "LINE_AMOUNT_MISMATCH",
            line=line.line_id,
            stated=format_yuan(line.amount_fen),
            computed=format_yuan(computed_fen),
        )


def _refund(catalogue: Items, line: Line, item: Item, remains: _Left) -> Split:
    quantity = remains.quantity + line.quantity
    if quantity < 0:
        raise _too_large(line)
    if quantity == 0:
        # The last refund gives back what is left, whatever earlier ones were rounded to.
        _match(line, -remains.split.total_fen)
        return Split() - remains.split
    _match(line, amount_of(line.quantity, line.unit_price))
    amount_fen = remains.split.total_fen + line.amount_fen
    if amount_fen < 0:
        raise _too_large(line)
    return split(catalogue, item, quantity, amount_fen) - remains.split


def _too_large(line: Line) -> Refused:
    return Refused("LINE_REFUND_TOO_LARGE", line=line.line_id, original=line.original_id or "")


def _combine(one: Split, other: Split, sign: int) -> Split:
    return Split(
        self_paid_fen=one.self_paid_fen + sign * other.self_paid_fen,
        over_ceiling_fen=one.over_ceiling_fen + sign * other.over_ceiling_fen,
        first_self_pay_fen=one.first_self_pay_fen + sign * other.first_self_pay_fen,
        in_scope_fen=one.in_scope_fen + sign * other.in_scope_fen,
    )
