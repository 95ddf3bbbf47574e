"""Shared supply is conserved, equals its twin in fractions, and does not care about the cut."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.measures.tables import (
    Table,
    cuts,
    random_table,
    tables,
    weighted_naively,
)
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.measures.catchment import Access, Demand, Ratios
from tongcheng.services.mobility.measures.decay import Decay, Gaussian, Steps, weights, within
from tongcheng.services.mobility.measures.parameters import TOTAL_MAX

ZONES = Steps((600, 1_200, 1_800), (1_000_000, 680_000, 220_000))
DECAYS: st.SearchStrategy[Decay] = st.sampled_from([within(1_800), ZONES, Gaussian(900)])
HORIZON_S = 3_600


def ratios_of(table: Table, decay: Decay) -> Ratios:
    """Return step one of a whole table at once; the supply is its counts."""
    demand = Demand(table.counts, decay, HORIZON_S)
    demand.add(table.seconds, table.people)
    return demand.ratios()


def exactly(table: Table, decay: Decay) -> list[Fraction]:
    """Compute both steps in fractions, from the definition."""
    weight = weights(decay, HORIZON_S)[table.seconds].astype(object)
    demand = (weight * table.people.astype(object)[:, None]).sum(axis=0)
    ratio = [
        Fraction(int(supply), int(people)) if people else Fraction(0)
        for supply, people in zip(table.counts, demand, strict=True)
    ]
    return [sum((w * r for w, r in zip(row, ratio, strict=True)), Fraction(0)) for row in weight]


@given(tables(), DECAYS)
@settings(deadline=None)
def test_access_is_its_twin_in_fractions(table: Table, decay: Decay) -> None:
    """Within the rounding of one sum of floats."""
    access = Access(ratios_of(table, decay), decay, HORIZON_S).of(table.seconds)

    for made, expected in zip(access.tolist(), exactly(table, decay), strict=True):
        assert made == pytest.approx(float(expected), rel=1e-14, abs=0)


@given(tables(), DECAYS)
@settings(deadline=None)
def test_supply_is_conserved(table: Table, decay: Decay) -> None:
    """Access times people is the supply that somebody reaches; the rest is told as idle."""
    ratios = ratios_of(table, decay)
    access = Access(ratios, decay, HORIZON_S).of(table.seconds)

    shared = float(access @ table.people)
    assert shared == pytest.approx(float(table.counts.sum() - ratios.idle.sum()), rel=1e-12)
    exact = sum(a * int(p) for a, p in zip(exactly(table, decay), table.people, strict=True))
    assert exact == table.counts.sum() - ratios.idle.sum()


@given(tables(), DECAYS, st.lists(st.integers(0, 6)), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_neither_cut_nor_order_of_blocks_changes_a_bit(
    table: Table, decay: Decay, at: list[int], chance: object
) -> None:
    """Demand adds up whole numbers, so workers may hand in their blocks as they finish."""
    parts = cuts(len(table.seconds), at)
    chance.shuffle(parts)  # type: ignore[attr-defined]  # hypothesis' own Random
    demand = Demand(table.counts, decay, HORIZON_S)
    for part in parts:
        demand.add(table.seconds[part], table.people[part])
    whole, cut = ratios_of(table, decay), demand.ratios()
    access = Access(cut, decay, HORIZON_S)

    assert [each.tobytes() for each in cut] == [each.tobytes() for each in whole]
    rows = [access.of(table.seconds[row : row + 1]) for row in range(len(table.seconds))]
    assert np.concatenate(rows).tobytes() == access.of(table.seconds).tobytes()


def test_floats_are_added_in_the_order_of_the_row() -> None:
    """To the bit: a loop that added four at a time would be seen on so long a row."""
    table = random_table(3, 6, 1_009)
    ratios = ratios_of(table, ZONES)
    weight = weights(ZONES, HORIZON_S)
    naive = [weighted_naively(row, ratios.ratio, weight, 0.0) for row in table.seconds]

    assert Access(ratios, ZONES, HORIZON_S).of(table.seconds).tolist() == naive
    columns = table.seconds.T
    assert ratios.demand.tolist() == [
        weighted_naively(column, table.people, weight, 0) for column in columns
    ]


def test_supply_that_nobody_reaches_is_idle() -> None:
    """No ratio is defined without demand, and none is made up."""
    table = Table(np.array([[60, 9_000]], np.uint16), np.array([10]), np.array([5, 7]))
    ratios = ratios_of(table, within(1_800))

    assert ratios.idle.tolist() == [0, 7]
    assert Access(ratios, within(1_800), HORIZON_S).of(table.seconds).tolist() == [0.5]


def test_too_many_people_are_refused_over_all_blocks() -> None:
    """Each block may be within bounds, and all of them not."""
    demand = Demand(np.array([1]), within(60), HORIZON_S)
    row = np.array([[0]], np.uint16)
    demand.add(row, np.array([TOTAL_MAX]))

    assert demand.ratios().demand.tolist() == [TOTAL_MAX * 10**9]
    with pytest.raises(Refused, match="MOBILITY_COUNTS"):
        demand.add(row, np.array([1]))
