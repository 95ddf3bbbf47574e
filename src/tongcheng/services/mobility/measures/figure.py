"""A figure, or why there is none: never a number that means nothing."""

from enum import StrEnum
from typing import NamedTuple


class Undefined(StrEnum):
    """Why a figure is not defined."""

    NOBODY = "NOBODY"
    """Nobody lives there: nothing can be unequal, or a mean, among no people."""
    NOTHING = "NOTHING"
    """Everybody has nothing: no share of it is defined."""
    POOREST_NOTHING = "POOREST_NOTHING"
    """The poorest two fifths have nothing: no multiple of it is defined."""
    TOO_LARGE = "TOO_LARGE"
    """The ratio is beyond the largest number that can be told (1.8 · 10³⁰⁸)."""


class Figure(NamedTuple):
    """A figure, finite; or None with the reason."""

    value: float | None
    undefined: Undefined | None = None


def quotient(above: int, below: int, undefined: Undefined) -> Figure:
    """Return a quotient of whole numbers, rounded once; `undefined` where it is by zero."""
    if not below:
        return Figure(None, undefined)
    try:
        return Figure(above / below)
    except OverflowError:
        return Figure(None, Undefined.TOO_LARGE)
