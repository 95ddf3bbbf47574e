"""The figures of one rule book as integers, each remembered with its rule."""

from typing import NoReturn

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled
from tongcheng.kernel.rulebook import RuleBook, RuleValue
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, BASIS, UNKNOWN, RulePointer

AMOUNT_DIGITS = 2
RATIO_DIGITS = 4


class Figures:
    """Reads rule values of one book; a pointer to a rule is its place in `pointers()`."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._pointers: list[RulePointer] = []
        self._places: dict[str, int] = {}

    def pointers(self) -> tuple[RulePointer, ...]:
        """Return every rule that was read, in the order of reading."""
        return tuple(self._pointers)

    def refuse(self, path: str, fault: str) -> NoReturn:
        """Refuse the book: RULE_BOOK_SCHEMA."""
        raise Refused("RULE_BOOK_SCHEMA", book=self._book.book_id, path=path, fault=fault)

    def point(self, value: RuleValue, path: str) -> int:
        """Remember where a figure comes from."""
        return self._place(
            RulePointer(
                path,
                value.value,
                value.clause,
                value.source_keys,
                value.confidence,
                value.remark,
                value.doubtful,
            )
        )

    def missing(self, path: str) -> int:
        """Remember that no row of the book gives a figure."""
        pointer = RulePointer(
            path=path,
            value=None,
            clause=None,
            sources=(),
            confidence="own",
            remark="not in the book",
            doubtful=True,
        )
        return self._place(pointer)

    def _place(self, pointer: RulePointer) -> int:
        if pointer.path not in self._places:
            self._places[pointer.path] = len(self._pointers)
            self._pointers.append(pointer)
        return self._places[pointer.path]

    def amount(self, value: RuleValue, path: str) -> tuple[int, int]:
        """Return (fen or UNKNOWN, pointer)."""
        rule = self.point(value, path)
        if value.value is None:
            return UNKNOWN, rule
        fen = self._scaled(value.value, AMOUNT_DIGITS, path)
        if fen > AMOUNT_MAX_FEN:
            raise Refused("RULE_OVERFLOW", book=self._book.book_id, path=path, most=AMOUNT_MAX_FEN)
        return fen, rule

    def points(self, value: RuleValue, path: str) -> tuple[int, int]:
        """Return (basis points of a ratio from 0 to 1, or UNKNOWN; pointer)."""
        rule = self.point(value, path)
        if value.value is None:
            return UNKNOWN, rule
        points = self._scaled(value.value, RATIO_DIGITS, path)
        if points > BASIS:
            self.refuse(path, f"{value.value} is more than one")
        return points, rule

    def word(self, value: RuleValue, path: str, known: frozenset[str]) -> str | None:
        """Return a word out of those known, None where the book does not know."""
        self.point(value, path)
        if value.value is not None and value.value not in known:
            self.refuse(path, f"{value.value}, expected one of {', '.join(sorted(known))}")
        return value.value

    def times(self, whole: int, points: int, path: str) -> int:
        """Return a share of a whole; refuses one that does not come out even."""
        product, rest = divmod(whole * points, BASIS)
        if rest:
            self.refuse(path, f"{points} basis points of {whole} do not come out even")
        return product

    def _scaled(self, text: str, digits: int, path: str) -> int:
        try:
            value = parse_scaled(text, digits)
        except Refused:
            value = -1
        if value < 0:
            raise Refused("RULE_BOOK_NUMBER", book=self._book.book_id, path=path, value=text)
        return value
