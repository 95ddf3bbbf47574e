"""Which seeds are run, and what each of them is: how many stays, under how many faults."""

from tongcheng.simulation.faults import Chance, ProfileName
from tongcheng.simulation.region import Plan

HEAVY_SHARE = 0.1
"""Seeds under heavy faults; the others are under the usual ones."""
MOSTLY_WHOLE_SHARE = 0.75
"""Seeds whose hospitals mostly bring a stay whole, as their own systems hold it, in one call."""
WHOLE_SHARE = 0.9
"""Of the stays of such a seed; the others, and all of other seeds, come by every way there is."""
UNDER_WAY = (24, *2 * (100,), *6 * (400,), *11 * (1_600,))
"""Stays under way at one moment: a region that has much to do shares its commits among many."""


def plan_of(seed: int, stays_per_seed: int) -> Plan:
    """Return a seed's simulation: from a half to three halves of so many stays."""
    chance = Chance(seed, "nation")
    stays = chance.whole((stays_per_seed + 1) // 2, stays_per_seed + stays_per_seed // 2)
    faults: ProfileName = "heavy" if chance.happens(HEAVY_SHARE) else "usual"
    whole_share = WHOLE_SHARE if chance.happens(MOSTLY_WHOLE_SHARE) else None
    return Plan(seed, stays, faults, whole_share, UNDER_WAY[chance.whole(0, len(UNDER_WAY) - 1)])


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
