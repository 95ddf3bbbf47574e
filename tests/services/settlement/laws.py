"""What the tests of laws share: asking the engine, asking by hand, comparing the answers."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, settings

from tests.services.settlement import naive
from tests.services.settlement.books import Case, Question
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.tables import UNKNOWN, BenefitTables

LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FUNDS = ("pool_fen", "large_fen", "catastrophic_fen", "assistance_fen")


def ask(tables: BenefitTables, question: Question) -> Benefit | str:
    """Return the answer, or the code of a refusal; an unknown figure must be named rightly."""
    try:
        return settle(tables, *question)
    except Refused as refused:
        if refused.code == "RULE_UNKNOWN":
            named = [rule for rule in tables.rules if rule.path == refused.facts["rule"]]
            assert all(rule.value is None for rule in named), named
        return refused.code


def answers(case: Case) -> list[tuple[Question, Benefit]]:
    """Return the questions that the book answers."""
    tables = compile_benefit(case.book)
    asked = [(question, ask(tables, question)) for question in case.questions]
    return [(question, found) for question, found in asked if not isinstance(found, str)]


def by_hand(book: RuleBook, question: Question, **how: Any) -> dict[str, Fraction | None] | str:
    """Return the answer of the naive implementation, or the code of its refusal."""
    bill, before, cut = question
    points = None if cut.ref is None or cut.points == UNKNOWN else cut.points
    try:
        return naive.settle(book, bill, before, points, **how)
    except Refused as refused:
        return refused.code


def _figures(benefit: Benefit, names: Iterable[str]) -> dict[str, int | None]:
    announced = {f"expected {each.fund}": each.amount_fen for each in benefit.announced}
    paid = {name: getattr(benefit, name) for name in names if not name.startswith("expected")}
    return {**paid, **announced}


def assert_same(found: Benefit | str, expected: dict[str, Fraction | None] | str) -> None:
    """Hold an answer of the engine against that of the naive implementation."""
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected
    else:
        assert _figures(found, expected) == expected
