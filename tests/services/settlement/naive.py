"""The benefit rules a second time, as a clerk would work them out: exact fractions, no tables.

It shares nothing with the engine but the rule book's schema and the bill. Slow and plain on
purpose; hypothesis holds the engine against it. Amounts are yuan until a fund pays whole fen.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, RuleValue
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.rules import (
    BenefitRules,
    Cover,
    CoverTerms,
    DeductibleRow,
    FilingRow,
    Selector,
    Step,
    read_rules,
)

Row = TypeVar("Row", bound=Selector)
Rounding = Callable[[Fraction], Fraction]
ENDLESS = Fraction(10**15)


def yuan(fen: int) -> Fraction:
    """Return fen as an exact number of yuan."""
    return Fraction(fen, 100)


def half_up(amount: Fraction) -> Fraction:
    """Round a non-negative number of yuan to whole fen."""
    return yuan(math.floor(amount * 100 + Fraction(1, 2)))


def exactly(amount: Fraction) -> Fraction:
    """Round nothing: what the clauses give before anybody pays whole fen."""
    return amount


def known(value: RuleValue) -> Fraction:
    """Return a figure, or refuse the case that needs it."""
    if value.value is None:
        raise Refused("RULE_UNKNOWN")
    return Fraction(value.value)


def settle(
    book: RuleBook,
    bill: Bill,
    before: Accumulators,
    cut: int | None = None,
    rounded: Rounding = half_up,
) -> dict[str, Fraction | None]:
    """Return the figures of a settlement in fen, by the names of `Benefit`.

    `cut` is what the region takes off for the stay's filing in basis points, None if unknown.
    What an announced fund is expected to pay stands under `expected {fund}`.
    """
    rules = read_rules(book)
    ask_for_what_is_missing(rules, bill)
    end = yuan(bill.in_scope_fen)
    start = deductible(rules, bill, before)
    pool, point = pool_pays(rules, bill, before, start, cut)
    large = large_pays(rules, bill, before, end - point)
    shown = {
        "deductible_fen": start,
        "pool_self_fen": rounded(point - start - pool),
        "large_self_fen": rounded(end - point - large),
    }
    burden = end - rounded(pool) - rounded(large)
    covered, expected = covers_pay(rules, bill, before, burden, rounded)
    funds = {"pool_fen": rounded(pool), "large_fen": rounded(large), **covered}
    parts = {
        **shown,
        **funds,
        "burden_fen": burden,
        "person_in_scope_fen": end - sum(funds.values()),
        "rounding_residual_fen": burden - sum(shown.values()),
    }
    in_fen: dict[str, Fraction | None] = {name: amount * 100 for name, amount in parts.items()}
    total = None if bill.total_fen is None else yuan(bill.total_fen) - sum(funds.values())
    in_fen["personal_total_fen"] = None if total is None else total * 100
    in_fen["admissions"] = Fraction(1 if bill.period_number == 1 else 0)
    later = {fund: None if fen is None else fen * 100 for fund, fen in expected.items()}
    return {**in_fen, **{f"expected {fund}": fen for fund, fen in later.items()}}


# Which row speaks about this person in this hospital


def ask_for_what_is_missing(rules: BenefitRules, bill: Bill) -> None:
    """Where any row goes by a hospital's subtype or a person's tier, the bill must name it."""
    rows: list[Selector] = [*rules.deductible.rows, *rules.deductible.adjustments]
    rows += [*rules.bands, *rules.adjustments, *rules.filing, *rules.large]
    for row in rows:
        if row.subtypes and at_level(row, bill) and bill.hospital_subtype is None:
            raise Refused("HOSPITAL_SUBTYPE_NEEDED")
    for row in rows:
        if row.tiers and bill.person_type in (row.persons or rules.persons) and bill.tier is None:
            raise Refused("PERSON_TIER_NEEDED")


def at_level(row: Selector, bill: Bill) -> bool:
    """Whether a row speaks about hospitals of this level."""
    return not row.levels or str(bill.hospital_level) in row.levels


def speaking(rows: Sequence[Row], bill: Bill) -> list[Row]:
    """Return the rows that speak about a bill; `other` is every subtype that none of them names."""
    here = [row for row in rows if at_level(row, bill)]
    named = {subtype for row in here for subtype in row.subtypes}
    called = {bill.hospital_subtype if bill.hospital_subtype in named else "other"}
    return [
        row
        for row in here
        if (not row.persons or bill.person_type in row.persons)
        and (not row.tiers or bill.tier in row.tiers)
        and (not row.subtypes or called & set(row.subtypes))
    ]


def only(rows: Sequence[Row], bill: Bill) -> Row | None:
    """Return the one row that speaks about a bill, None where none does."""
    found = speaking(rows, bill)
    assert len(found) <= 1, found
    return found[0] if found else None


def needed(rows: Sequence[Row], bill: Bill) -> Row:
    """Return the one row that speaks about a bill, or refuse the case that needs it."""
    row = only(rows, bill)
    if row is None:
        raise Refused("RULE_UNKNOWN")
    return row


def own_terms(rules: BenefitRules, bill: Bill) -> FilingRow | None:
    """Return the place's own terms for the way a stay elsewhere was filed."""
    if bill.filing in {"local", "deemed"}:
        return None
    return only([row for row in rules.filing if bill.filing in row.filings], bill)


# What the person bears first


def deductible(rules: BenefitRules, bill: Bill, before: Accumulators) -> Fraction:
    """Return what no fund pays at the beginning of the line."""
    end, number = yuan(bill.in_scope_fen), bill.admission_number
    if end == 0:
        return end
    if bill.period_number > 1:
        further = rules.period.further_periods.value
        if further is None:
            raise Refused("RULE_UNKNOWN")
        if further == "none":
            return Fraction(0)
        number = max(number, 2)
    own = own_terms(rules, bill)
    if own is not None and own.deductible is not None:
        amount = known(own.deductible)
    else:
        amount = let_off(rules, bill, of_admission(rules, bill, number))
    paid = yuan(before.deductible_paid_fen)
    basis = rules.deductible.basis.value
    if basis is None and amount and paid:
        raise Refused("RULE_UNKNOWN")
    if basis == "annual":
        amount = max(Fraction(0), amount - paid)
    return min(amount, end)


def of_admission(rules: BenefitRules, bill: Bill, number: int) -> Fraction:
    """Return what the n-th admission of the year bears first, before anything is let off."""

    def row_for(admission: str) -> DeductibleRow:
        rows = [row for row in rules.deductible.rows if row.admission == admission]
        return needed(rows, bill)

    def first() -> Fraction:
        row = row_for("first")
        assert row.amount is not None
        return known(row.amount)

    if number == 1:
        return first()
    row = row_for("later")
    if row.amount is not None:
        return known(row.amount)
    if row.factor is not None:
        return first() * known(row.factor)
    assert row.minus_each is not None
    lowest = Fraction(0) if row.floor is None else known(row.floor)
    return max(first() - known(row.minus_each) * (number - 1), min(first(), lowest))


def let_off(rules: BenefitRules, bill: Bill, amount: Fraction) -> Fraction:
    """Return what remains of a deductible for a person who bears less of it."""
    for row in speaking(rules.deductible.adjustments, bill):
        if row.factor is not None:
            amount *= known(row.factor)
        else:
            assert row.minus is not None
            lowest = Fraction(0) if row.floor is None else known(row.floor)
            amount = min(amount, max(amount - known(row.minus), lowest))
    return amount


# What pool and large-amount fund pay


def share(rules: BenefitRules, bill: Bill, step: Step | None, cut: int | None) -> Fraction:
    """Return the pool's ratio in one band, None for a place without bands of its own."""
    own = own_terms(rules, bill)
    if own is not None and own.ratio is not None:
        return known(own.ratio)
    if step is None:
        raise Refused("RULE_UNKNOWN")
    ratio = known(step.ratio)
    for row in speaking(rules.adjustments, bill):
        if row.personal_share_times is not None:
            ratio = 1 - (1 - ratio) * known(row.personal_share_times)
        else:
            assert row.add_points is not None
            ratio += known(row.add_points)
    if bill.filing in {"local", "deemed"}:
        return ratio
    if own is not None and own.cut is not None:
        return max(Fraction(0), ratio - known(own.cut))
    if cut is None:
        raise Refused("RULE_UNKNOWN")
    return max(Fraction(0), ratio - Fraction(cut, 10_000))


def pool_pays(
    rules: BenefitRules, bill: Bill, before: Accumulators, start: Fraction, cut: int | None
) -> tuple[Fraction, Fraction]:
    """Return what the pool pays, and up to which point of the line it goes."""
    end, point, pool = yuan(bill.in_scope_fen), start, Fraction(0)
    if point == end:
        return pool, point
    most = max(Fraction(0), known(rules.pool_cap) - yuan(before.pool_paid_fen))
    group = only(rules.bands, bill)
    steps: tuple[Step | None, ...] = (None,) if group is None else group.steps
    for step in steps:
        top = end if step is None or step.to is None else min(end, known(step.to))
        if top <= point:
            continue
        if pool == most:
            break
        ratio = share(rules, bill, step, cut)
        if pool + (top - point) * ratio > most:
            return most, point + (most - pool) / ratio
        pool += (top - point) * ratio
        point = top
    return pool, point


def large_pays(rules: BenefitRules, bill: Bill, before: Accumulators, rest: Fraction) -> Fraction:
    """Return what the large-amount fund pays of what the pool no longer carries."""
    if rest == 0 or not rules.large:
        return Fraction(0)
    row = needed(rules.large, bill)
    ratio, most = known(row.ratio), known(row.cap) - yuan(before.large_paid_fen)
    return min(rest * ratio, max(Fraction(0), most))


# What second covers pay on the year's burden


def covers_pay(
    rules: BenefitRules, bill: Bill, before: Accumulators, burden: Fraction, rounded: Rounding
) -> tuple[dict[str, Fraction], dict[str, Fraction | None]]:
    """Return what covers pay at discharge, and what announced funds are expected to pay."""
    borne, more = yuan(before.burden_fen), burden
    paid = {"catastrophic_fen": Fraction(0), "assistance_fen": Fraction(0)}
    expected: dict[str, Fraction | None] = {
        fund.fund: None for fund in rules.funds if fund.layer == "announced"
    }
    in_the_bill = {fund.layer for fund in rules.funds}
    covers: tuple[tuple[str, Cover | None, int], ...] = (
        ("catastrophic", rules.catastrophic, before.catastrophic_paid_fen),
        ("assistance", rules.assistance, before.assistance_paid_fen),
    )
    for name, cover, used in covers:
        terms = terms_for(cover, bill)
        if terms is not None and name in in_the_bill:
            now = rounded(cover_pays(terms, borne, borne + more, yuan(used)))
            paid[f"{name}_fen"] = now
            more -= now
        elif terms is not None:
            try:
                most = cover_pays(terms, borne, borne + more, yuan(used), at_most=True)
                expected[name] = rounded(most)
            except Refused:
                expected[name] = None
        borne = max(Fraction(0), borne - yuan(used))
    return paid, expected


def terms_for(cover: Cover | None, bill: Bill) -> CoverTerms | None:
    """Return a cover's terms for the person's category, None where it does not cover him."""
    for terms in () if cover is None else cover.terms:
        if not terms.categories or bill.category in terms.categories:
            return terms
    return None


def cover_pays(
    terms: CoverTerms, borne: Fraction, now: Fraction, used: Fraction, *, at_most: bool = False
) -> Fraction:
    """Return what a cover pays for the stretch of the year's burden from `borne` to `now`."""
    if now <= borne:
        return Fraction(0)
    begin = known(terms.deductible)
    point, paid, most = max(borne, begin), Fraction(0), ENDLESS
    if now <= point:
        return paid
    if terms.cap.value is None and not at_most:
        raise Refused("RULE_UNKNOWN")
    if terms.cap.value not in {None, "none"}:
        most = max(Fraction(0), known(terms.cap) - used)
    for step in terms.steps:
        limit = ENDLESS if step.to is None else known(step.to)
        top = min(now, limit + begin if terms.measure == "excess" else limit)
        if top > point and paid < most:
            paid += (top - point) * known(step.ratio)
            point = top
    return min(paid, most)
