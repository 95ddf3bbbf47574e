"""Which seeds a run has: a function of the seed alone, so that a run can go on and grow."""

import pytest

from tongcheng.simulation.nation.plans import plan_of, plans


@pytest.mark.parametrize(
    ("settlements", "stays_per_seed"), [(1, 1), (10, 3), (1_000, 40), (5_000, 2_000)]
)
def test_the_plans_bring_at_least_so_many_stays(settlements: int, stays_per_seed: int) -> None:
    """Enough, and not one seed more than needed."""
    found = plans(7, settlements, stays_per_seed)

    stays = [plan.settlements for plan in found]
    assert sum(stays) >= settlements > sum(stays[:-1])
    assert [plan.seed for plan in found] == list(range(7, 7 + len(found)))


def test_more_settlements_only_add_seeds() -> None:
    """A run that is to be longer keeps what it has."""
    shorter, longer = plans(1, 300, 40), plans(1, 900, 40)

    assert longer[: len(shorter)] == shorter


def test_seeds_differ_in_size_and_in_faults() -> None:
    """From a half to three halves, some under heavy faults, most under the usual ones."""
    found = [plan_of(seed, 1_000) for seed in range(200)]

    assert min(plan.settlements for plan in found) < 600
    assert max(plan.settlements for plan in found) > 1_400
    assert all(500 <= plan.settlements <= 1_500 for plan in found)
    heavy = sum(plan.faults == "heavy" for plan in found)
    assert 5 < heavy < 50
    assert heavy + sum(plan.faults == "usual" for plan in found) == 200


def test_seeds_differ_in_how_much_is_under_way() -> None:
    """Mostly a busy region; now and then one where hardly two stays meet in a commit."""
    under_way = [plan_of(seed, 1_000).under_way for seed in range(400)]

    assert set(under_way) == {24, 100, 400, 1_600}
    assert under_way.count(24) < under_way.count(400) < under_way.count(1_600)
