"""Money in whole fen."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel import money
from tongcheng.kernel.errors import Refused

AMOUNTS = st.integers(min_value=-money.FEN_MAX, max_value=money.FEN_MAX)

# what the hospital writes | what we book in fen
READ = """
0               | 0
12              | 1200
12.3            | 1230
12.34           | 1234
-12.34          | -1234
0.01            | 1
-0.01           | -1
-0.00           | 0
43694.63        | 4369463
90071992547409.91 | 9007199254740991
"""

# what the hospital writes | why we refuse
REFUSED = """
90071992547409.92 | AMOUNT_TOO_LARGE
-99999999999999999999 | AMOUNT_TOO_LARGE
12.345          | AMOUNT_MALFORMED
12.340          | AMOUNT_MALFORMED
012             | AMOUNT_MALFORMED
+12             | AMOUNT_MALFORMED
.5              | AMOUNT_MALFORMED
12.             | AMOUNT_MALFORMED
1,200           | AMOUNT_MALFORMED
¥12             | AMOUNT_MALFORMED
1e3             | AMOUNT_MALFORMED
１２            | AMOUNT_MALFORMED
--1             | AMOUNT_MALFORMED
NaN             | AMOUNT_MALFORMED
"""


def _rows(table: str) -> list[tuple[str, str]]:
    rows = [line.split("|") for line in table.strip().splitlines()]
    return [(given.strip(), expected.strip()) for given, expected in rows]


@pytest.mark.parametrize(("text", "fen"), _rows(READ))
def test_parse_yuan(text: str, fen: str) -> None:
    """Decimal text is read exactly."""
    assert money.parse_yuan(text) == int(fen)


@pytest.mark.parametrize(
    ("text", "code"), [*_rows(REFUSED), ("", "AMOUNT_MALFORMED"), ("1\n", "AMOUNT_MALFORMED")]
)
def test_parse_yuan_refuses(text: str, code: str) -> None:
    """What is not exactly an amount is refused and never repaired."""
    with pytest.raises(Refused, match=code):
        money.parse_yuan(text)


def test_a_long_text_is_not_even_read() -> None:
    """A million digits cost nothing, and do not come back in the refusal."""
    with pytest.raises(Refused, match="AMOUNT_MALFORMED") as caught:
        money.parse_yuan("9" * 1_000_000)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "digits", "value"),
    [("1.5", 4, 15_000), ("0.0001", 4, 1), ("2.345678", 6, 2_345_678), ("7", 0, 7)],
)
def test_parse_scaled(text: str, digits: int, value: int) -> None:
    """Quantities have four digits after the point, unit prices six."""
    assert money.parse_scaled(text, digits) == value


def test_parse_scaled_without_digits() -> None:
    """A whole number has no point."""
    with pytest.raises(Refused, match="AMOUNT_MALFORMED"):
        money.parse_scaled("7.0", 0)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123456, "1234.56"), (-100, "-1.00")],
)
def test_format_yuan(fen: int, text: str) -> None:
    """Always two digits after the point."""
    assert money.format_yuan(fen) == text


@given(AMOUNTS)
def test_what_is_written_is_read_back(fen: int) -> None:
    """No fen is lost between two systems that talk in yuan."""
    assert money.parse_yuan(money.format_yuan(fen)) == fen


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    """Nothing but a refusal comes out of what a stranger writes."""
    code, fen = "AMOUNT_", 0
    try:
        fen = money.parse_yuan(text)
    except Refused as refused:
        code = refused.code

    assert code.startswith("AMOUNT_")
    assert abs(fen) <= money.FEN_MAX


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 2, 1), (-1, 2, -1), (49, 100, 0), (5, 10, 1), (14, 10, 1), (15, 10, 2), (-25, 10, -3)],
)
def test_round_half_up(numerator: int, denominator: int, rounded: int) -> None:
    """Halves go away from zero, as every cashier does."""
    assert money.round_half_up(numerator, denominator) == rounded


@given(st.integers(), st.integers(min_value=1))
def test_a_void_mirrors_its_settlement(numerator: int, denominator: int) -> None:
    """The same figures, negative, round to the same fen, negative."""
    rounded = money.round_half_up(numerator, denominator)

    assert money.round_half_up(-numerator, denominator) == -rounded


@given(st.integers(), st.integers(min_value=1))
def test_rounding_moves_at_most_half(numerator: int, denominator: int) -> None:
    """The rounded figure is the nearest whole number."""
    exact = Fraction(numerator, denominator)

    assert abs(money.round_half_up(numerator, denominator) - exact) <= Fraction(1, 2)
