"""What synthetic claims are about: the places, persons and hospitals that rule books can judge.

Each combination is tried on the engine with small and very large bills, first and later admissions.
One of which a figure is not known is left out, so that a synthetic file has no row that can not be
judged but those asked for.
"""

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Final, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement import engine
from tongcheng.services.settlement.batch.plan import EPOCH, Plan, Version
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.rules import (
    AT_HOME,
    CATEGORIES,
    FILINGS,
    LEVELS,
    SUBTYPES,
    TIERS,
    Filing,
    PersonType,
    Subtype,
    Tier,
)
from tongcheng.services.settlement.tables import NO_CUT, UNKNOWN, BenefitTables, Cut

PROBES_FEN: Final = (200_000, 2_000_000, 20_000_000, 1_000_000_000)


class Kind(NamedTuple):
    """A kind of person in a kind of hospital that a book can judge."""

    person_type: PersonType
    tier: Tier | None
    level: int
    subtype: Subtype | None


class Where(NamedTuple):
    """A place of a plan with the kinds that it can judge, and ways of filing that it knows.

    `again` tells whether a later admission of a year can be judged, `periods` a further period,
    `crosses` a stay that began in the year before.
    """

    admdvs: str
    scheme: str
    kinds: tuple[Kind, ...]
    filings: tuple[Filing, ...]
    again: bool
    periods: bool
    crosses: bool


def year_of(plan: Plan) -> int:
    """Return the first year in which the newest version of every book is in force all through."""
    begins = [date.fromordinal(each.from_on + EPOCH) for each in _newest(plan)]
    latest = max(begins, default=date(2025, 1, 1))
    return latest.year if (latest.month, latest.day) == (1, 1) else latest.year + 1


def _newest(plan: Plan) -> list[Version]:
    return [plan.versions[place.end - 1] for place in plan.places]


def places_of(plan: Plan, year: int) -> list[Where]:
    """Return the places whose book is known in that year; refuses SYNTHETIC_NOTHING for none."""
    found = [each for at in range(len(plan.places)) if (each := _where(plan, at, year)) is not None]
    if not found:
        raise Refused("SYNTHETIC_NOTHING", year=year)
    return found


def _where(plan: Plan, place: int, year: int) -> Where | None:
    first, last = (date(year, *day).toordinal() - EPOCH for day in ((1, 1), (12, 31)))
    version = plan.version_at(place, first)
    if version < 0 or version != plan.version_at(place, last):
        return None
    tables = plan.versions[version].tables
    kinds = tuple(each for each in _kinds(tables) if _judges(tables, each))
    if not kinds:
        return None
    return Where(
        admdvs=tables.admdvs,
        scheme=plan.places[place].scheme,
        kinds=kinds,
        filings=tuple(
            filing
            for filing in FILINGS
            if filing not in AT_HOME
            and all(_judges(tables, kind, filing, _cut(plan, filing)) for kind in kinds)
        ),
        again=all(_judges(tables, kind, number=2) for kind in kinds),
        periods=all(_judges(tables, kind, number=2, period=2) for kind in kinds),
        crosses=tables.year_of is not None,
    )


def _cut(plan: Plan, filing: Filing) -> Cut:
    """Return what the newest cross-region book takes off; unknown where there is none."""
    return plan.overlays[-1].terms.cut(filing) if plan.overlays else Cut(UNKNOWN)


def _kinds(tables: BenefitTables) -> Iterator[Kind]:
    for level, person_type in product(LEVELS, tables.persons):
        subtypes = SUBTYPES if level in tables.subtype_levels else (None,)
        tiers = TIERS if person_type in tables.tiered else (None,)
        for subtype, tier in product(subtypes, tiers):
            yield Kind(person_type, tier, level, subtype)


def _judges(
    tables: BenefitTables,
    kind: Kind,
    filing: Filing = "local",
    cut: Cut = NO_CUT,
    *,
    number: int = 1,
    period: int = 1,
) -> bool:
    """Tell whether a book judges such a bill whatever its amount."""
    try:
        for fen, category in product(PROBES_FEN, CATEGORIES):
            bill = Bill(
                in_scope_fen=fen,
                total_fen=fen,
                person_type=kind.person_type,
                hospital_level=kind.level,
                hospital_subtype=kind.subtype,
                tier=kind.tier,
                category=category,
                filing=filing,
                admission_number=number,
                period_number=period,
            )
            used = 0 if number == 1 else fen
            before = Accumulators(pool_paid_fen=used, deductible_paid_fen=used, burden_fen=used)
            engine.settle(tables, bill, before, cut)
    except Refused:
        return False
    return True
