"""Money is a whole number of fen (分), one hundredth of a yuan (元); no float ever touches it."""

from __future__ import annotations

import functools
import re

from tongcheng.kernel.errors import Refused

Fen = int

FEN_MAX = 2**53 - 1
"""The largest amount either way: what every JSON reader still holds exactly."""

_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_TEXT_LENGTH_MAX = 40
_TEXTS_KEPT = 16_384
"""Bills repeat the same quantities and prices; what is refused is not kept."""


@functools.lru_cache(maxsize=_TEXTS_KEPT)
def parse_scaled(text: str, digits: int) -> int:
    """Read exact decimal text as an integer in units of 10**-digits.

    `parse_scaled("1.5", 4)` is 15000: a quantity has 4 digits, a unit price in yuan 6. Refuses
    AMOUNT_MALFORMED (a sign other than a leading minus, leading zeros, more digits after the point
    than `digits`, anything else that is not a decimal) and AMOUNT_TOO_LARGE (beyond FEN_MAX units).
    """
    assert digits >= 0, digits
    match = _DECIMAL.fullmatch(text) if len(text) <= _TEXT_LENGTH_MAX else None
    if match is None or len(match[3] or "") > digits:
        raise Refused("AMOUNT_MALFORMED", given=ascii(text[:_TEXT_LENGTH_MAX]), digits=digits)
    value = int(match[2] + (match[3] or "").ljust(digits, "0"))
    if value > FEN_MAX:
        raise Refused("AMOUNT_TOO_LARGE", given=text, digits=digits)
    return -value if match[1] else value


def parse_yuan(text: str) -> Fen:
    """Read yuan as exact decimal text ("12", "12.3", "-12.34") into fen; refuses as above."""
    return parse_scaled(text, 2)


def format_yuan(fen: Fen) -> str:
    """Write fen as yuan with two digits after the point: 123456 is "1234.56"."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"


def round_half_up(numerator: int, denominator: int) -> int:
    """Round an exact fraction to a whole number, halves away from zero.

    Away from zero, so that the void of a settlement (the same figures, negative) is its exact
    mirror: round_half_up(-n, d) == -round_half_up(n, d).
    """
    assert denominator > 0, denominator
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded
