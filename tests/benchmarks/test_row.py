"""What a row calls kept, and what it is compared with."""

from typing import Any

import pytest

from benchmarks.row import Row
from benchmarks.runs import not_measured


def row(figure: float, **parts: Any) -> Row:
    """Return a row with this figure."""
    return Row("engine", "claims", figure, "/s", **parts)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        (row(5.0), None),
        (row(5.0, target=5.0), True),
        (row(4.9, target=5.0), False),
        (row(5.0, target=5.0, direction="at most"), True),
        (row(5.1, target=5.0, direction="at most"), False),
        (row(0.0, target=0.0, direction="at most"), True),
        (not_measured("engine", "claims", "/s", 5.0, "no peer"), False),
        (not_measured("engine", "wrong fen", "fen", 0.0, "no peer", "at most"), False),
    ],
    ids=[
        "told",
        "reached",
        "missed",
        "within",
        "beyond",
        "none wrong",
        "not measured",
        "not measured, at most",
    ],
)
def test_holds(given: Row, *, holds: bool | None) -> None:
    """The bound itself is kept; what could not be measured is not."""
    assert given.holds is holds


@pytest.mark.parametrize(
    ("reference_figure", "ratio"), [(None, None), (0.0, None), (2.0, 3.0)], ids=str
)
def test_ratio(reference_figure: float | None, ratio: float | None) -> None:
    """The figure over its reference, where there is one to divide by."""
    assert row(6.0, reference_figure=reference_figure).ratio == ratio


@pytest.mark.parametrize(
    ("given", "missed_by"),
    [
        (row(5.0), None),
        (row(5.0, target=5.0), None),
        (row(4.0, target=5.0), 0.2),
        (row(0.0, target=5.0), 1.0),
        (row(4.0, target=5.0, direction="at most"), None),
        (row(6.0, target=5.0, direction="at most"), 0.2),
        (row(15.0, target=5.0, direction="at most"), 2.0),
        (row(3.0, target=0.0, direction="at most"), None),
        (not_measured("engine", "claims", "/s", 5.0, "no peer"), None),
    ],
    ids=[
        "told",
        "reached",
        "short",
        "nothing",
        "within",
        "over",
        "far over",
        "of no share",
        "not measured",
    ],
)
def test_missed_by(given: Row, *, missed_by: float | None) -> None:
    """A share of the target on either side, where the promise is missed and there is a share."""
    assert given.missed_by == (None if missed_by is None else pytest.approx(missed_by))
