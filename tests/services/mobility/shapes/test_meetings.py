"""Crossings of borders are counted before they are computed: never too few, and not for long."""

import random
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tongcheng.services.mobility.shapes.meetings import corners_beside, meetings


def _array(*areas: Any) -> NDArray[Any]:
    found = np.empty(len(areas), object)
    found[:] = areas
    return found


def _pieces(area: Any) -> list[Any]:
    """Return the pieces of an area's border."""
    rings = [ring for part in shapely.get_parts(area) for ring in shapely.get_rings(part)]
    return [shapely.LineString(ends) for ring in rings for ends in pairwise(ring.coords)]


def _crossings(pieces: list[Any]) -> int:
    """Return how many pieces touch that share no corner, by looking at every two."""
    return sum(
        one.intersects(other) and not {*one.coords} & {*other.coords}
        for one, other in combinations(pieces, 2)
    )


def comb(teeth: int, *, upright: bool) -> Any:
    """Return a comb of a million units each way; two across cross (2 teeth - 1)² times."""
    width = 1_000_000 // teeth
    corners = [(0, 0), (1_000_000, 0)]
    for at in reversed(range(teeth)):
        left, right = at * width, at * width + width // 2
        corners += [(right, 9), (right, 1_000_000), (left, 1_000_000), (left, 9)]
    return shapely.Polygon([(x, y) if upright else (y, x) for x, y in corners])


@given(st.integers(0, 2**32), st.integers(1, 3), st.booleans())
def test_no_crossing_is_missed(seed: int, count: int, alone: bool) -> None:  # noqa: FBT001 a case
    """Whatever areas look like, at least those are counted that looking at every two finds."""
    drawn = random.Random(seed)
    areas = [
        shapely.Polygon([(drawn.randint(0, 9), drawn.randint(0, 9)) for _ in range(5)])
        for _ in range(count)
    ]
    pieces = [_pieces(each) for each in areas]
    truth = (
        sum(map(_crossings, pieces)) if alone else _crossings([one for of in pieces for one in of])
    )

    for most in {0, truth - 1, truth, truth + 9} - {-1}:
        assert meetings(_array(*areas), most, alone=alone) >= min(truth, most + 1)


def test_combs_across_each_other_cross_by_the_square() -> None:
    """Counted to the last where that may be, and given up early where it may not."""
    combs = _array(comb(30, upright=True), comb(30, upright=False))
    truth = _crossings([piece for each in combs for piece in _pieces(each)])

    assert truth == meetings(combs, truth) == 59**2
    assert meetings(combs, 500) > 500
    assert meetings(combs, 0, alone=True) == 0


def test_parts_are_looked_at_too() -> None:
    """An area in parts has borders like any other."""
    combs = shapely.MultiPolygon([comb(10, upright=True), comb(10, upright=False)])

    assert meetings(_array(combs), 100, alone=True) > 100


def test_what_shares_a_corner_does_not_meet() -> None:
    """A chequered field has no crossing; only a corner of thousands of areas is too much."""
    field = [shapely.box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)]
    bent = [shapely.affinity.rotate(each, 30, origin=(0, 0)) for each in field]
    turns = np.linspace(0, 2 * np.pi, 200)
    rim = [(round(9e5 * np.cos(turn)), round(9e5 * np.sin(turn))) for turn in turns]
    fan = [shapely.Polygon([(0, 0), *ends]) for ends in pairwise(rim)]

    assert meetings(_array(*bent), 0) == 0
    assert meetings(_array(*fan), 0) > 0


@pytest.mark.parametrize(("margin", "found"), [(0, 0), (0.5, 0), (1, 1)])
def test_what_comes_near_touches(margin: float, found: int) -> None:
    """Two borders a unit apart meet where a unit counts."""
    above, below = (
        shapely.Polygon([(0, 1), (9, 1), (5, 9)]),
        shapely.Polygon([(1, 0), (8, 0), (5, -9)]),
    )

    assert (meetings(_array(above, below), 0, margin=margin) > 0) == bool(found)


def test_corners_of_rings_that_may_lie_within_each_other() -> None:
    """Every two of nested squares count their ten corners; of areas alone, their own holes."""
    nested = [shapely.box(at, at, 100 - at, 100 - at) for at in range(20)]
    holed = shapely.Polygon(nested[0].exterior, [nested[5].exterior])

    assert corners_beside(_array(*nested), 10**6) == 10 * 20 * 19 // 2
    assert corners_beside(_array(*nested), 10**6, alone=True) == 0
    assert corners_beside(_array(holed, *nested), 10**6, alone=True) == 10
    assert corners_beside(_array(shapely.MultiPolygon(nested)), 10**6, alone=True) == 1_900
    assert corners_beside(_array(*nested), 99) > 99


def test_nothing_meets_nothing() -> None:
    """Without areas, and with those that have no inside."""
    for areas in (_array(), _array(shapely.Polygon(), shapely.Polygon())):
        assert meetings(areas, 0) == corners_beside(areas, 0) == 0
