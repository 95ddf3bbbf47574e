"""The literal tables of a what-if: what is added up, in which groups, bands and deciles (pure)."""

from bisect import bisect_right
from typing import Final

from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS

FUNDS: Final = ("pool_fen", "large_fen", "catastrophic_fen", "assistance_fen")
"""What funds pay at discharge, by layer."""
PERSON: Final = "person_in_scope_fen"
ANNOUNCED: Final = ("catastrophic_expected_fen", "assistance_expected_fen")
"""What funds would pay at most that are only announced, where that is known."""
COMPARED: Final = ("deductible_fen", PERSON, *FUNDS, *ANNOUNCED)
"""A settlement has changed when one of these has."""

COUNTS: Final = (
    "settlements",
    "changed",
    "direct",
    "persons",
    "gaining",
    "gained_fen",
    "losing",
    "lost_fen",
)
"""`settlements` stand: judged under both rules and not taken back; `changed` among them, `direct`
of these by the rules themselves. `persons` have at least one; `gaining` would bear less in all
their settlements of the group together, `losing` more."""
AMOUNTS: Final = (*FUNDS, PERSON)
MEASURES: Final = (
    *COUNTS,
    *(f"old_{name}" for name in AMOUNTS),
    *(f"new_{name}" for name in AMOUNTS),
    *(f"old_{name}" for name in ANNOUNCED),
    *(f"new_{name}" for name in ANNOUNCED),
    "old_announced_unknown",
    "new_announced_unknown",
)
"""What is added up for each group. Announced amounts that are not known count as 0 and apart."""

DIMENSIONS: Final = (
    "all",
    "insured_area",
    "scheme",
    "person_type",
    "visited_area",
    "age",
    "hospital_level",
)
HALF: Final = 4
"""The first so many dimensions are added up together, and the others (see `loops.add_rows`)."""

PERSON_COLUMNS: Final = ("old_person_fen", "difference_fen", "old_fund_fen", "settlements")
"""What is kept of each person: in scope, over the settlements that stand."""

AGE_FROM: Final = (0, 18, 35, 45, 55, 65, 75, 85)
"""First years of the age bands; the last has no end."""
AGE_MAX: Final = 150
BAND_FROM_FEN: Final = (1, 100_00, 500_00, 1_000_00, 5_000_00, 10_000_00, 50_000_00)
"""First fen of the bands in which persons gain or lose; the last has no end."""
BANDS: Final = 2 * len(BAND_FROM_FEN) + 1
"""Bands from the largest gains over no difference, in the middle, to the largest losses."""
DECILES: Final = 10

COMPARED_AT: Final = tuple(RESULT_AMOUNTS.index(name) for name in COMPARED)
AMOUNTS_AT: Final = tuple(RESULT_AMOUNTS.index(name) for name in AMOUNTS)
FUNDS_AT: Final = tuple(RESULT_AMOUNTS.index(name) for name in FUNDS)
PERSON_AT: Final = RESULT_AMOUNTS.index(PERSON)
ANNOUNCED_AT: Final = tuple(RESULT_AMOUNTS.index(name) for name in ANNOUNCED)


def age_band(age: int) -> int:
    """Return the band of an age in years; the one after the last where it is none."""
    if not 0 <= age <= AGE_MAX:
        return len(AGE_FROM)
    return bisect_right(AGE_FROM, age) - 1


def band_of(difference_fen: int) -> int:
    """Return the band of what a person would bear more (fen, negative is a gain)."""
    steps = bisect_right(BAND_FROM_FEN, abs(difference_fen))
    middle = len(BAND_FROM_FEN)
    return middle - steps if difference_fen < 0 else middle + steps
