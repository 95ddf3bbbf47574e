"""The benefit rules a second time, as a clerk would write them: exact fractions, no tables.

It shares nothing with the engine but the rule book's schema and the bill. Slow and plain on
purpose; hypothesis holds the engine against it.
"""

import math
from fractions import Fraction

from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.engine import Accumulators, Bill
from tongcheng.services.settlement.rules import BenefitRules, read_rules


def yuan(fen: int) -> Fraction:
    """Return fen as an exact number of yuan."""
    return Fraction(fen, 100)


def half_up(amount: Fraction) -> int:
    """Round a non-negative number of yuan to fen."""
    return math.floor(amount * 100 + Fraction(1, 2))


def settle(book: RuleBook, bill: Bill, before: Accumulators) -> dict[str, int]:
    """Return the figures of a settlement in fen, by the names of `Benefit`."""
    rules = read_rules(book)
    end = yuan(bill.in_scope_fen)
    start = deductible(rules, bill, before)
    slices = bands(rules, bill, start, end)
    left = max(Fraction(0), Fraction(str(rules.pool_cap.value)) - yuan(before.pool_paid_fen))

    pool, point = Fraction(0), start
    for top, ratio in slices:
        if pool == left:
            break
        if pool + (top - point) * ratio > left:
            point += (left - pool) / ratio
            pool = left
            break
        pool += (top - point) * ratio
        point = top

    large = Fraction(0)
    for row in rules.large:
        if bill.person_type in row.persons:
            cap = Fraction(str(row.cap.value)) - yuan(before.large_paid_fen)
            large = (end - point) * Fraction(str(row.ratio.value))
            large = min(large, max(Fraction(0), cap))

    parts = {
        "deductible_fen": half_up(start),
        "pool_fen": half_up(pool),
        "pool_self_fen": half_up(point - start - pool),
        "large_fen": half_up(large),
        "large_self_fen": half_up(end - point - large),
    }
    parts["person_in_scope_fen"] = bill.in_scope_fen - parts["pool_fen"] - parts["large_fen"]
    parts["rounding_residual_fen"] = parts["person_in_scope_fen"] - (
        parts["deductible_fen"] + parts["pool_self_fen"] + parts["large_self_fen"]
    )
    return parts


def deductible(rules: BenefitRules, bill: Bill, before: Accumulators) -> Fraction:
    """Return what no fund pays at the beginning of the line."""
    admission = "first" if bill.admission_number == 1 else "later"
    for row in rules.deductible.rows:
        if str(bill.hospital_level) in row.levels and row.admission == admission:
            amount = Fraction(str(row.amount.value))
            if rules.deductible.basis.value == "annual":
                amount = max(Fraction(0), amount - yuan(before.deductible_paid_fen))
            return min(amount, yuan(bill.in_scope_fen))
    raise AssertionError(bill)


def bands(
    rules: BenefitRules, bill: Bill, start: Fraction, end: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """Return (upper end, ratio) of the bands that reach beyond the start, cut at the end."""
    group = next(group for group in rules.bands if str(bill.hospital_level) in group.levels)
    result: list[tuple[Fraction, Fraction]] = []
    for step in group.steps:
        ratio = Fraction(str(step.ratio.value))
        if bill.person_type == "retired" and rules.retired is not None:
            ratio = 1 - (1 - ratio) * Fraction(str(rules.retired.factor.value))
        top = end if step.to is None else min(end, Fraction(str(step.to.value)))
        if top > max([start, *(earlier for earlier, _ in result)]):
            result.append((top, ratio))
    return result
