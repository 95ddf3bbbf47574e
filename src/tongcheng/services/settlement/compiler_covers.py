"""The second covers and the funds of a benefit rule book, compiled."""

from typing import Final

import msgspec

from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.figures import Figures
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    BenefitRules,
    Category,
    Cover,
    CoverTerms,
    PaidAt,
)
from tongcheng.services.settlement.tables import (
    COVER_LAYERS,
    NO_LIMIT,
    UNKNOWN,
    CoverLayer,
    CoverTable,
    FundTerm,
)

NO_CAP: Final = "none"
"""The word for a cover that a source says has no limit; null is a limit that nobody knows."""
_PAID_AT: Final = frozenset({"discharge", "year_end", "on_claim"})


def compile_covers(
    figures: Figures, rules: BenefitRules
) -> dict[tuple[CoverLayer, Category], CoverTable]:
    """Return the covers by layer and category; a category set twice is refused."""
    tables: dict[tuple[CoverLayer, Category], CoverTable] = {}
    covers: tuple[tuple[CoverLayer, Cover | None], ...] = (
        ("catastrophic", rules.catastrophic),
        ("assistance", rules.assistance),
    )
    for layer, cover in covers:
        for at, terms in enumerate(() if cover is None else cover.terms):
            path = f"rules.{layer}.terms[{at}]"
            table = _cover(figures, terms, path)
            for category in terms.categories or CATEGORIES:
                if (layer, category) in tables:
                    figures.refuse(path, f"{category} is set twice")
                tables[layer, category] = table
    return tables


def _cover(figures: Figures, terms: CoverTerms, path: str) -> CoverTable:
    deductible, deductible_rule = figures.amount(terms.deductible, f"{path}.deductible")
    offset = deductible if terms.measure == "excess" and deductible != UNKNOWN else 0
    limits: list[int] = []
    ratios: list[int] = []
    rules: list[int] = []
    for at, step in enumerate(terms.steps):
        here = f"{path}.steps[{at}]"
        if (step.to is None) != (at == len(terms.steps) - 1):
            figures.refuse(here, "every step but the last has a limit, and only the last has none")
        limit = NO_LIMIT if step.to is None else figures.amount(step.to, f"{here}.to")[0]
        if limit == UNKNOWN:
            figures.refuse(here, "the limit of a step can not be unknown")
        if step.to is not None:
            limit += offset
        if limit <= (limits[-1] if limits else deductible):
            figures.refuse(here, "the limits of steps must rise, from the deductible on")
        points, rule = figures.points(step.ratio, f"{here}.ratio")
        limits.append(min(limit, NO_LIMIT))
        ratios.append(points)
        rules.append(rule)
    if not limits:
        figures.refuse(path, "a cover without a step")
    cap_path = f"{path}.cap"
    cap, cap_rule = (
        (NO_LIMIT, figures.point(terms.cap, cap_path))
        if terms.cap.value == NO_CAP
        else figures.amount(terms.cap, cap_path)
    )
    return CoverTable(
        deductible, deductible_rule, tuple(limits), tuple(ratios), tuple(rules), cap, cap_rule
    )


def compile_funds(book: RuleBook, figures: Figures, rules: BenefitRules) -> tuple[FundTerm, ...]:
    """Return the funds in the order of the book: one for each layer that pays at discharge."""
    terms = []
    for at, fund in enumerate(rules.funds):
        path = f"rules.funds[{at}]"
        figures.point(fund.paid_at, f"{path}.paid_at")
        paid_at = fund.paid_at.need(f"{path}.paid_at", book.book_id)
        if paid_at not in _PAID_AT:
            figures.refuse(f"{path}.paid_at", paid_at)
        if (fund.layer == "announced") != (paid_at != "discharge"):
            figures.refuse(path, "what is paid at discharge is in the bill, and nothing else is")
        terms.append(
            FundTerm(
                fund.fund, fund.layer, msgspec.convert(paid_at, PaidAt), fund.field, fund.title
            )
        )
    layers = [term.layer for term in terms if term.layer != "announced"]
    known = ["pool", *(["large"] if rules.large else [])]
    covered: tuple[tuple[CoverLayer, Cover | None], ...] = (
        ("catastrophic", rules.catastrophic),
        ("assistance", rules.assistance),
    )
    known += [layer for layer, cover in covered if cover is not None and layer in layers]
    if layers != known:
        figures.refuse("rules.funds", "one fund for each layer, the pool first")
    names = [term.fund for term in terms]
    if len(set(names)) != len(names):
        figures.refuse("rules.funds", "a fund stands twice")
    for layer, cover in covered:
        if cover is not None and layer not in {term.fund for term in terms} | set(layers):
            figures.refuse(f"rules.{layer}", "a cover without a fund that pays it")
    assert set(layers) <= {"pool", "large", *COVER_LAYERS}, layers
    return tuple(terms)
