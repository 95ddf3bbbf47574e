"""The laws that indices of inequality keep, their definitions, and where they are not defined."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.figure import Figure, Undefined
from tongcheng.services.mobility.measures.inequality import (
    concentration,
    gini,
    inequality,
    lorenz,
    mean,
    palma,
    theil,
)

Index = Callable[[NDArray[np.int64], NDArray[np.int64]], Figure]
INDICES: list[Index] = [gini, palma, theil]


class Spread(NamedTuple):
    """Values with people and a rank, one a place."""

    values: NDArray[np.int64]
    people: NDArray[np.int64]
    rank: NDArray[np.int64]


@st.composite
def spreads(draw: st.DrawFn, people_max: int = 10**6) -> Spread:
    """Draw spreads where somebody has something; zeros and equal values are common."""
    size = draw(st.integers(1, 8))
    value = st.one_of(st.integers(0, 3), st.integers(0, 10**9))
    columns = [
        draw(st.lists(each, min_size=size, max_size=size))
        for each in (value, st.one_of(st.integers(0, 2), st.integers(0, people_max)), value)
    ]
    spread = Spread(*(np.array(column, np.int64) for column in columns))
    assume((spread.values * np.minimum(spread.people, 1)).any())
    return spread


def each_person(spread: Spread) -> list[int]:
    """Return everybody's value; only for few people."""
    return np.repeat(spread.values, spread.people).tolist()


def value_of(figure: Figure) -> float:
    """Return a figure that is defined."""
    assert figure.value is not None
    assert figure.undefined is None
    return figure.value


@given(spreads())
def test_gini_is_its_definition(spread: Spread) -> None:
    """Half the mean difference of all pairs by the mean, exactly, rounded once."""
    pairs = list(zip(spread.values.tolist(), spread.people.tolist(), strict=True))
    people, total = sum(n for _, n in pairs), sum(x * n for x, n in pairs)
    apart = sum(n * m * abs(x - y) for x, n in pairs for y, m in pairs)

    assert gini(spread.values, spread.people).value == float(Fraction(apart, 2 * people * total))


@given(spreads())
def test_gini_lies_in_its_bounds(spread: Spread) -> None:
    """At most 1 - m/N for the least place with any people; one place each: 1 - 1/n."""
    ones = np.ones_like(spread.people)
    people, least = int(spread.people.sum()), int(spread.people[spread.people > 0].min())

    assert 0 <= value_of(gini(spread.values, spread.people)) <= (people - least) / people
    assert 0 <= value_of(gini(spread.values, ones)) <= (len(ones) - 1) / len(ones)


@pytest.mark.parametrize("index", INDICES)
@given(spreads(), st.integers(1, 1_000))
def test_scale_changes_nothing(index: Index, spread: Spread, factor: int) -> None:
    """In minutes or in hours, to the last bit."""
    assert index(spread.values * factor, spread.people) == index(spread.values, spread.people)


@pytest.mark.parametrize("index", INDICES)
@given(spreads(), st.integers(1, 5))
def test_replication_changes_nothing(index: Index, spread: Spread, times: int) -> None:
    """So many equal cities together are as unequal as one; nor does order or a merger tell."""
    tiled = index(np.tile(spread.values, times), np.tile(spread.people, times))
    merged = index(spread.values[::-1], spread.people[::-1] * times)
    expected = index(spread.values, spread.people)

    assert merged == expected
    if index is theil:  # its sum has other addends, each rounded
        assert value_of(tiled) == pytest.approx(value_of(expected), rel=1e-12, abs=1e-15)
    else:
        assert tiled == expected


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=8), st.data())
def test_a_transfer_to_somebody_poorer_makes_less_unequal(
    values: list[int], data: st.DataObject
) -> None:
    """Pigou and Dalton: what does not turn the two round never raises an index."""
    ordered = sorted(values)
    poor, rich = sorted(
        data.draw(st.lists(st.integers(0, len(values) - 1), min_size=2, max_size=2))
    )
    assume(ordered[rich] > ordered[poor])
    moved = data.draw(st.integers(1, ordered[rich] - ordered[poor]))
    after = ordered.copy()
    after[poor], after[rich] = ordered[poor] + moved, ordered[rich] - moved
    people = np.ones(len(values), np.int64)
    one, two = np.array(ordered), np.array(after)
    turned = moved == ordered[rich] - ordered[poor]

    assert value_of(gini(two, people)) <= value_of(gini(one, people))
    assert turned or value_of(gini(two, people)) < value_of(gini(one, people))
    assert value_of(theil(two, people)) <= value_of(theil(one, people)) + 1e-14


@given(spreads())
def test_lorenz_bounds_the_area_that_is_gini(spread: Spread) -> None:
    """It rises from (0, 0) to (1, 1), convex, below the diagonal; Gini is twice the area."""
    points = lorenz(spread.values, spread.people)
    steps = list(itertools.pairwise(points))
    slopes = [(h2 - h1) / (p2 - p1) for (p1, h1), (p2, h2) in steps if p2 > p1]
    area = math.fsum((p2 - p1) * (h1 + h2) for (p1, h1), (p2, h2) in steps)

    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert all(held <= below + 1e-15 for below, held in points)
    assert all(two >= one - 1e-9 for one, two in itertools.pairwise(slopes))
    assert 1 - area == pytest.approx(value_of(gini(spread.values, spread.people)), abs=1e-12)


@given(spreads(people_max=6))
@settings(max_examples=50)
def test_palma_and_theil_are_their_definitions_person_by_person(spread: Spread) -> None:
    """Everybody ten times, so that tenths are whole people."""
    everybody = sorted(each_person(spread) * 10)
    tenth = len(everybody) // 10
    poorest, richest = sum(everybody[: 4 * tenth]), sum(everybody[-tenth:])
    average = sum(everybody) / len(everybody)
    expected = sum(x / average * math.log(x / average) for x in everybody if x) / len(everybody)

    made = palma(spread.values, spread.people)
    if poorest:
        assert made.value == richest / poorest
    else:
        assert made == Figure(None, Undefined.POOREST_NOTHING)
    told = value_of(theil(spread.values, spread.people))
    assert told == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert 0 <= told <= math.log(len(everybody) / 10) + 1e-12


@given(spreads())
def test_concentration_is_the_covariance_with_the_rank(spread: Spread) -> None:
    """2/μ cov(x, R), people of one rank at its middle; ranked by itself it is Gini."""
    people = spread.people.tolist()
    total = sum(people)
    middle = [
        Fraction(
            2 * sum(n for n, r in zip(people, spread.rank, strict=True) if r < rank)
            + sum(n for n, r in zip(people, spread.rank, strict=True) if r == rank),
            2 * total,
        )
        for rank in spread.rank
    ]
    rows = list(zip(spread.values.tolist(), people, middle, strict=True))
    held = sum(x * n for x, n, _ in rows)
    expected = 2 * sum((x * n * r for x, n, r in rows), Fraction(0)) / held - 1
    made = concentration(spread.values, spread.people, spread.rank)

    assert made.value == float(expected)
    assert concentration(spread.values, spread.people, spread.values) == gini(
        spread.values, spread.people
    )
    turned = concentration(spread.values, spread.people, -spread.rank)
    assert value_of(turned) == -value_of(made)


@given(spreads(), st.integers(-40, 40))
def test_floats_are_fractions(spread: Spread, power: int) -> None:
    """Values as floats, by any power of two, give the bits of the whole ones."""
    floats = np.ldexp(spread.values.astype(np.float64), power)
    whole, made = inequality(spread.values, spread.people), inequality(floats, spread.people)

    assert made._replace(mean=whole.mean) == whole
    assert value_of(made.mean) == value_of(whole.mean) * 2.0**power


@pytest.mark.parametrize(
    ("values", "people", "expected"),
    [
        ([], [], {"mean": "NOBODY", "gini": "NOBODY", "palma": "NOBODY", "theil": "NOBODY"}),
        (
            [3, 4],
            [0, 0],
            {"mean": "NOBODY", "gini": "NOBODY", "palma": "NOBODY", "theil": "NOBODY"},
        ),
        ([0, 0], [1, 2], {"gini": "NOTHING", "palma": "NOTHING", "theil": "NOTHING"}),
        ([5, 0], [0, 2], {"gini": "NOTHING", "palma": "NOTHING", "theil": "NOTHING"}),
        ([0, 9], [6, 4], {"palma": "POOREST_NOTHING"}),
        ([1e-300, 1e300], [9, 1], {"palma": "TOO_LARGE"}),
    ],
)
def test_what_is_not_defined_says_why(
    values: list[float], people: list[int], expected: dict[str, str]
) -> None:
    """Never a number that means nothing: None, and the reason."""
    made = inequality(np.array(values, np.float64), np.array(people, np.int64))
    told = {name: getattr(made, name) for name in ("mean", "gini", "palma", "theil")}

    assert {name: one.undefined for name, one in told.items() if one.undefined} == expected
    assert all((one.value is None) == (one.undefined is not None) for one in told.values())
    assert all(one.value is None or math.isfinite(one.value) for one in told.values())
    assert bool(lorenz(np.array(values), np.array(people, np.int64))) == ("gini" not in expected)


def test_known_figures() -> None:
    """Small enough for paper: two persons, one with everything; five equal steps."""
    one, steps = np.array([0, 1]), np.array([1, 2, 3, 4, 5])
    pair, five = np.array([1, 1]), np.array([1, 1, 1, 1, 1])

    assert gini(one, pair) == Figure(0.5)
    assert theil(one, pair) == Figure(math.log(2))
    assert gini(steps, five) == Figure(4 / 15)
    assert palma(steps, five) == Figure(2.5 / 3)
    assert mean(steps, np.array([1, 0, 0, 0, 3])) == Figure(4.0)


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=5))
def test_the_logarithm_is_one(values: list[float]) -> None:
    """Theil's T of ordinary floats agrees with the machine's own logarithm."""
    people = np.ones(len(values), np.int64)
    assume(max(values) > 0)
    total = sum(map(Fraction, values))
    relative = [float(Fraction(each) * len(values) / total) for each in values]
    expected = math.fsum(each * math.log(each) for each in relative if each) / len(values)

    told = value_of(theil(np.array(values), people))
    assert told == pytest.approx(expected, rel=1e-12, abs=1e-14)
