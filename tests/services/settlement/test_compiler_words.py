"""Books that say what the engine cannot compute: refused, and never read as something else."""

from typing import Any

import pytest

from tests.services.settlement.books import figure, fund, made_up, period, simple_rules
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.compiler import check_benefit, compile_benefit
from tongcheng.services.settlement.overlay import compile_overlay
from tongcheng.services.settlement.rules import read_rules

STEPS: list[Any] = [{"ratio": figure("0.5")}]
FIRST = {"admission": "first", "amount": figure("100")}
TITLE: dict[str, Any] = {"zh": "虚构", "en": "synthetic"}


def _first(**more: Any) -> dict[str, Any]:
    later = {"admission": "later", "amount": figure("50")}
    return {"basis": figure("each_admission"), "rows": [{**FIRST, **more}, later]}


def _named(name: str) -> list[Any]:
    return [{**fund("pool"), "fund": name}, fund("large")]


NONSENSE: dict[str, tuple[dict[str, Any], str, str]] = {
    "a cap that restarts nobody knows when": (
        {"period": {**period(), "cap": figure(None)}},
        "RULE_UNKNOWN",
        "rules.period.cap",
    ),
    "insures nobody": ({"persons": []}, "RULE_BOOK_SCHEMA", "rules.persons"),
    "a row about no level": (
        {"bands": [{"levels": [], "steps": STEPS}]},
        "RULE_BOOK_SCHEMA",
        "rules.bands[0].levels",
    ),
    "a row about no category": (
        {
            "assistance": {
                "title": TITLE,
                "terms": [
                    {
                        "categories": [],
                        "deductible": figure("1"),
                        "steps": STEPS,
                        "cap": figure("none"),
                    }
                ],
            }
        },
        "RULE_BOOK_SCHEMA",
        "rules.assistance.terms[0].categories",
    ),
    "a cover without terms": (
        {"catastrophic": {"title": TITLE, "terms": []}},
        "RULE_BOOK_SCHEMA",
        "rules.catastrophic.terms",
    ),
    "a cut where nothing is cut": (
        {"filing": [{"filings": ["deemed"], "cut": figure("0.1")}]},
        "RULE_BOOK_SCHEMA",
        "rules.filing[0]",
    ),
    "terms of no filing": (
        {"filing": [{"filings": [], "cut": figure("0.1")}]},
        "RULE_BOOK_SCHEMA",
        "rules.filing[0].filings",
    ),
    "a first band of nothing": (
        {"bands": [{"steps": [{"to": figure("0"), "ratio": figure("0.9")}, *STEPS]}]},
        "RULE_BOOK_SCHEMA",
        "rules.bands[0].steps[0]",
    ),
    "two amounts of a first admission": (
        {"deductible": _first(factor=figure("0.5"))},
        "RULE_BOOK_SCHEMA",
        "rules.deductible.rows[0]",
    ),
    "a fund that reads as two": (
        {"funds": _named("310/pool")},
        "RULE_BOOK_SCHEMA",
        "rules.funds[0].fund",
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_can_not_be_computed_is_refused(name: str) -> None:
    """A word that is passed over would be computed as the one word that the engine knows."""
    changes, code, path = NONSENSE[name]
    book = made_up(simple_rules(**changes))

    with pytest.raises(Refused) as refused:
        compile_benefit(book)

    assert refused.value.code == code
    assert str(refused.value.facts.get("path", refused.value.facts.get("rule"))) == path
    assert [(one.code, one.path) for one in check_benefit(book)] == [(code, path)]


def test_the_rules_that_they_are_changed_from_compile() -> None:
    """Else every line above would be refused for another reason."""
    assert read_rules(made_up(simple_rules())).persons
    assert check_benefit(made_up(simple_rules())) == []
    assert check_benefit(made_up(simple_rules(deductible=_first()))) == []
    assert check_benefit(made_up(simple_rules(bands=[{"steps": STEPS}]))) == []


@pytest.mark.parametrize("between", [[], [""], ["1"], ["京"]])
def test_an_agreement_between_nobody_or_everybody_is_refused(between: list[str]) -> None:
    """An empty prefix fits every division: the whole country would count as filed."""
    rules: Any = {
        "filing": [{"filings": ["other"], "cut": figure("0.2")}],
        "emergency_filed": figure("yes"),
        "deemed": [{"between": between, "filed": figure("yes")}],
    }
    with pytest.raises(Refused) as refused:
        compile_overlay(made_up(rules, kind="cross_region"))

    assert refused.value.code == "RULE_BOOK_SCHEMA"
    assert str(refused.value.facts["path"]).startswith("rules.deemed[0].between")
