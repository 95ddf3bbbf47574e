"""Which known mistakes give a row's figures exactly."""

from collections.abc import Iterator
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_model import Cause, Figures, Row, cite, figures_of
from tongcheng.services.settlement.audit_rounding import roundings
from tongcheng.services.settlement.audit_variants import Case, Variant, variants
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit

CAUSES: Final = (
    "sums_not_closed",
    "settled_twice",
    "void_not_negative",
    "opening_lost",
    "opening_not_following",
    "opening_ignored",
    "opening_reset",
    "deductible_swapped",
    "deductible_missing",
    "deductible_twice",
    "deductible_reduction_missing",
    "deductible_other_level",
    "deductible_other_person",
    "person_factor_missing",
    "person_points_multiplied",
    "other_person",
    "bands_other_person",
    "other_tier",
    "other_category",
    "other_level",
    "bands_other_level",
    "other_subtype",
    "other_period",
    "filing_cut_multiplied",
    "filing_cut_missing",
    "filing_cut_though_deemed",
    "other_filing",
    "band_neighbour",
    "band_whole",
    "bands_after_deductible",
    "pool_cap_ignored",
    "large_missing",
    "large_on_payment",
    "large_other_person",
    "large_cap_other",
    "large_cap_ignored",
    "cover_missing",
    "other_version",
    "other_reading",
    "rounded_down",
    "rounded_up",
    "rounded_to_even",
    "rounded_each_band",
    "rounded_each_band_down",
    "cap_point_rounded",
    "float32",
    "one_fen",
    "unexplained",
)
"""Every cause there is, in the order of the page docs/audit.md."""

GENERAL: Final = {
    "deductible_swapped": {"deductible_other_level", "deductible_other_person", "other_period"},
    "deductible_reduction_missing": {"deductible_other_person"},
    "deductible_missing": {"other_period"},
    "deductible_other_level": {"other_level"},
    "bands_other_level": {"other_level"},
    "bands_other_person": {"other_person"},
    "person_factor_missing": {"bands_other_person", "other_person", "band_neighbour"},
    "filing_cut_missing": {"other_filing"},
    "band_neighbour": {"band_whole"},
    "opening_ignored": {"opening_reset"},
    "rounded_down": {"rounded_each_band_down"},
}
"""A cause → wider ones that are not named beside it: they would change no more of this row."""


def explain(
    case: Case, row: Row, ours: Benefit, books: Books, broken: list[tuple[str, int]]
) -> Iterator[Cause]:
    """Yield every cause that gives their figures to the fen; `unexplained` when there is none.

    `broken` are the identities that their figures break: that is a cause of its own.
    """
    found = [
        Cause(key="sums_not_closed", facts={"sum": name, "misses_fen": missed})
        for name, missed in broken
    ]
    our_figures = figures_of(ours)
    for variant in variants(case, row, books):
        if _fits(row.theirs, _computed(variant, our_figures)):
            rules = (case.tables.rules[rule] for rule in dict.fromkeys(variant.rules))
            told = tuple(cite(row.book_id, case.tables.digest, rule) for rule in rules)
            found.append(Cause(key=variant.key, facts=variant.facts, rules=told))
    found += [
        Cause(key=key) for key, figures in roundings(case, ours) if _fits(row.theirs, figures)
    ]
    if not found and all(abs(fen - our_figures[name]) <= 1 for name, fen in row.theirs.items()):
        found.append(Cause(key="one_fen"))
    wider = set().union(*(GENERAL.get(cause.key, set()) for cause in found))
    seen = set()
    for cause in found or [Cause(key="unexplained")]:
        if cause.key not in wider and (told_key := (cause.key, str(cause.facts))) not in seen:
            seen.add(told_key)
            yield cause


def _computed(variant: Variant, ours: Figures) -> Figures | None:
    case = variant.case
    try:
        benefit = settle(case.tables, case.bill, case.before, case.cut)
    except Refused:
        return None
    figures = figures_of(benefit)
    return figures | {name: ours[name] for name in variant.shown_as_ours}


def _fits(theirs: Figures, figures: Figures | None) -> bool:
    return figures is not None and all(figures.get(name) == fen for name, fen in theirs.items())
