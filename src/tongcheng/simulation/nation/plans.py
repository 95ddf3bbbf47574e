"""Which seeds are run, and what each of them is: how many stays, under how many faults."""

from tongcheng.simulation.faults import Chance
from tongcheng.simulation.region import Plan

HEAVY_SHARE = 0.25
"""Seeds under heavy faults; the others are under the usual ones."""


def plan_of(seed: int, stays_per_seed: int) -> Plan:
    """Return a seed's simulation: from a half to three halves of so many stays."""
    chance = Chance(seed, "nation")
    stays = chance.whole((stays_per_seed + 1) // 2, stays_per_seed + stays_per_seed // 2)
    return Plan(seed, stays, "heavy" if chance.happens(HEAVY_SHARE) else "usual")


def plans(first_seed: int, settlements: int, stays_per_seed: int) -> list[Plan]:
    """Return the plans of as many seeds, from the first on, as bring at least so many stays."""
    assert settlements > 0, settlements
    assert stays_per_seed > 0, stays_per_seed
    found: list[Plan] = []
    stays = 0
    while stays < settlements:
        found.append(plan_of(first_seed + len(found), stays_per_seed))
        stays += found[-1].settlements
    return found
