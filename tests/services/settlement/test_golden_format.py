"""The format of golden cases in full: rules of a case's own, overrides, words, and its schema.

All figures are made up for these tests. The kind `formula` stands only here and in docs/golden.md:
no published worked example under a rule of its own is known to us.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.services.settlement.books import REGION
from tests.services.settlement.test_golden import SHELF
from tongcheng.kernel import plain_yaml
from tongcheng.services.settlement import golden, golden_form
from tongcheng.services.settlement.golden_form import read_cases

ROOT = Path(__file__).resolve().parents[3]
SCHEMA_FILE = Path(golden_form.__file__).with_name("golden.schema.json")
PAGE = (ROOT / "docs" / "golden.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(cases:\n.*?)```", PAGE, re.DOTALL)
SHIPPED = sorted((REGION / "golden").glob("*.yaml"))


def outcome_of(**case: Any) -> golden.Outcome:
    """Run one synthetic case, written as JSON, which is YAML too."""
    said = {"id": "S1", "kind": "formula", "title": "synthetic", "source": "synthetic", **case}
    (outcome,) = golden.run(read_cases(json.dumps({"cases": [said]})), SHELF)
    return outcome


BEIJING = {"book": "beijing-employee-inpatient", "settled_on": "2025-06-29", "person": "active"}
L3: dict[str, Any] = {"hospital": {"level": 3}}
ROWS = [
    {"lv": [1, 2], "amount": 300},
    {"lv": 3, "admission": 1, "amount": 800, "src": "S", "conf": "low"},
    {"lv": 3, "admission": "2+", "minus_each": 100, "floor": 500},
    {"person": "retired", "minus": 50, "floor": 100},
    {"person": "student_child", "admission": "1+", "factor": "0.5"},
]
BANDS = [
    {"lv": 3, "from": 0, "to": 10000, "ratio": "0.80"},
    {"lv": 3, "from": 10000, "to": None, "ratio": "0.90"},
    {"lv": 2, "ratio": "0.70"},
    {"person": "retired", "add_points": "0.05"},
]
COVER = {"deductible": 1000, "bands": [{"to": 3000, "ratio": 0.5}, {"ratio": 0.6}], "cap": 1500}
WHOLE = {
    "book_id": "made-up",
    "kind": "benefit",
    "title": {"zh": "虚构", "en": "made up"},
    "admdvs": "110000",
    "scheme": "310",
    "effective": {"from": "2020-01-01", "to": None},
    "sources": {},
    "rules": {
        "persons": ["active"],
        "deductible": {
            "rows": [
                {"levels": ["3"], "admission": "first", "amount": 500},
                {"levels": ["3"], "admission": "later", "factor": "0.5"},
            ]
        },
        "bands": [{"levels": ["3"], "steps": [{"to": 1000, "ratio": "0.5"}, {"ratio": "0.6"}]}],
        "pool_cap": {"value": "100", "source": "x", "confidence": "own"},
        "large": [{"ratio": "0.8", "cap": 40}],
    },
}
PLAIN: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"ratio": 0.5}, {"in_scope": "0.02"}, {"pool": "0.01", "deductible": 0}),
    ({"ratio": "85%"}, {"in_scope": 100}, {"pool": 85}),
    ({"deductible": ROWS, "bands": BANDS}, {**L3, "in_scope": 10800}, {"pool": 8080}),
    (
        {"deductible": ROWS, "bands": BANDS},
        {**L3, "admission": 3, "in_scope": 10600},
        {"deductible": 600, "pool": 8060},
    ),
    (
        {"deductible": ROWS, "bands": BANDS},
        {**L3, "admission": 9, "in_scope": 500},
        {"deductible": 500, "pool": 0},
    ),
    (
        {"deductible": ROWS, "bands": BANDS},
        {"hospital": 2, "person": "retired", "admission": "2+", "in_scope": 1250},
        {"deductible": 250, "pool": 750},
    ),
    (
        {"deductible": ROWS, "bands": BANDS},
        {"hospital": 2, "person": "child", "admission": 2, "in_scope": 1150},
        {"deductible": 150, "pool": 700},
    ),
    (
        {"deductible_first": 100, "deductible_later": 50, "ratio": 1, "pool_cap": None},
        {"admission": 2, "in_scope": 60},
        {"deductible": 50, "pool": 10},
    ),
    (
        {"deductible": 100, "bands": [{"from": 100, "to": 200, "ratio": 1}]},
        {"in_scope": 300},
        {"pool": 100, "person_in_scope": 200},
    ),
    (
        {"deductible": {"1": 10, "3": 30}, "ratio": {"active": 0.5, "retired": 0.6}},
        {**L3, "person": "retired", "in_scope": 130},
        {"deductible": 30, "pool": 60},
    ),
    (
        {"deductible_and_ratio": [{"lv": 3, "subtype": "other", "deductible": 10, "ratio": 0.5}]},
        {"hospital": {"level": 3, "subtype": "district"}, "in_scope": 110},
        {"deductible": 10, "pool": 50},
    ),
    (
        {"ratio": 1, "pool_cap": {"amount": 100, "src": "S"}, "large_ratio": 0.5, "total_cap": 150},
        {"in_scope": 300},
        {"pool": 100, "large": 50, "person_in_scope": 150},
    ),
    (
        {
            "ratio": 1,
            "pool_cap": [{"amount": 10, "to": "2024-12-31"}, {"amount": 20, "from": "2025-01-01"}],
        },
        {"settled_on": "2025-01-01", "in_scope": 300},
        {"pool": 20},
    ),
    (
        {"ratio": 1, "cap": 100, "large_fund": [{"person": "active", "ratio": 0.5, "cap": None}]},
        {"in_scope": 300, "before": {"pool": 60}},
        {"pool": 40, "large": 130},
    ),
    (
        {"ratio": 0.5, "catastrophic": COVER},
        {"in_scope": 10000},
        {"pool": 5000, "burden": 5000, "catastrophic": 1500, "person_in_scope": 3500},
    ),
    (
        {"ratio": 0.5, "catastrophic": [{"person": "poor", **COVER}, {"remark": "nothing"}]},
        {"person": "resident_poor", "in_scope": 4000},
        {"catastrophic": 500},
    ),
    ({"ratio": 0.5, "cut": 0.1}, {"in_scope": 100, "filing": "other"}, {"pool": 40}),
    (
        {"ratio": 0.5, "out_of_province": [{"unfiled": {"deductible": 10, "ratio": 0.3}}]},
        {"in_scope": 110, "filing": "other"},
        {"deductible": 10, "pool": 30},
    ),
    (
        {"employee": {"ratio": 0.5}, "resident": {"ratio": 0.7}, "lesson": "x"},
        {"person": "elder", "in_scope": 100},
        {"pool": 70},
    ),
    (WHOLE, {**L3, "in_scope": 1500}, {"deductible": 500, "pool": 100, "large": 40}),
    (
        {"rules": WHOLE["rules"]},
        {**L3, "admission": 2, "in_scope": 300},
        {"deductible": 250, "pool": 25},
    ),
    (
        {"ratio": 0.5, "retiree": {"rule": "add_points", "points": 0.1}},
        {"person": "retiree", "in_scope": 100},
        {"pool": 60},
    ),
    (
        {"deductible": 100, "bands_on_excess": [[50, 0.5], [None, 0.6]], "rounding": "half_up"},
        {"in_scope": 250},
        {"pool": 85, "deductible": 100},
    ),
    (
        {"deductible": {"first": 100, "later": 10}, "bands_on_excess": [[0, 50, 1], [50, 60, 0.5]]},
        {"in_scope": 110, "admission": 2},
        {"pool": 55, "deductible": 10},
    ),
    (
        {"ratio": 0.5, "large": None, "retiree_factor": None, "pool_cap": None, "total_cap": None},
        {"in_scope": 100, "person": "retired"},
        {"pool": 50},
    ),
    ({"bands": [{"over": 0, "upto": 10, "rate": 1}]}, {"in_scope": 100}, {"pool": 10}),
    ({"deductible": None, "ratio": 0.5}, {"in_scope": 100}, {"refused": "RULE_UNKNOWN"}),
    (
        {
            "deductible": [{"amount": 5, "admission": 1}, {"admission": "2+", "remark": "?"}],
            "ratio": 1,
        },
        {"in_scope": 100, "admission": 2},
        {"refused": "RULE_UNKNOWN"},
    ),
]


@pytest.mark.parametrize(("rule", "stay", "expect"), PLAIN)
def test_rule_of_its_own(
    rule: dict[str, Any], stay: dict[str, Any], expect: dict[str, Any]
) -> None:
    """Every shape of a rule that a case may bring gives the amounts worked out by hand."""
    outcome = outcome_of(inline_book=rule, expect=expect, **stay)

    assert (outcome.status, outcome.lines) == ("passed", ())


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ratio": 1, "waiting_days": 3}, "waiting_days is not supported"),
    ({"deductible": 5}, "no ratio"),
    ({"bands": [{"to": 5, "ratio": 1}, {"from": 6, "ratio": 1}]}, "must begin where"),
    ({"bands": [{"ratio": 1}, {"ratio": 1}]}, "only the last band has no end"),
    ({"bands": [{"to": 5}]}, "without a ratio"),
    ({"bands": [{"lv": 1, "ratio": 1}]}, "no band applies"),
    ({"bands": [{"ratio": 1, "self": 1}]}, "self is not supported"),
    ({"bands": [{"ratio": [1]}]}, "one figure"),
    ({"ratio": 1, "deductible": [{"amount": 5}, {"amount": 6}]}, "both apply"),
    ({"ratio": 1, "deductible": [{"admission": "some", "amount": 5}]}, "none of 1, 2, 2+"),
    ({"ratio": 1, "deductible": {"later": 5}}, "first is expected"),
    ({"ratio": 1, "deductible": {"first": 5, "later": 5, "factor": 1}}, "one of later"),
    ({"ratio": 1, "deductible": [{"lv": 1, "amount": 5}]}, "no amount of a first"),
    ({"ratio": 1, "large": {"ratio": 1, "from": 5}}, "from is not supported"),
    ({"ratio": 1, "large": {"cap": 5}}, "a ratio is expected"),
    ({"ratio": 1, "large": {"ratio": 1, "cap": 5}, "large_fund": {"ratio": 1}}, "said twice"),
    ({"ratio": 1, "cap": 5, "large": {"ratio": 1, "cap": 5}, "total_cap": 11}, "not the sum"),
    ({"ratio": 1, "cap": 5, "total_cap": 11}, "no second fund"),
    ({"ratio": 1, "cap": [{"amount": 5, "from": "2020-01-01"}]}, "settled_on is missing"),
    ({"ratio": 1, "catastrophic": {"deductible": 1}}, "one of bands_on_excess"),
    ({"ratio": 1, "catastrophic": {"ratio": 1, "bands": [{"ratio": 1}]}}, "one of bands_on"),
    ({"ratio": 1, "retiree": {"rule": "add_points", "factor": 1}}, "either personal_share"),
    ({"ratio": {"retired": 1}}, "0 of its parts"),
    ({"resident": {"ratio": 1}}, "nothing about this person"),
    ({"rules": {"ratio": 1}, "more": 1}, "more is not supported"),
    ({"rules": [1]}, "a mapping is expected"),
    ({"ratio": 1, "rounding": "up"}, "only half_up"),
    ({"deductible": {"first": 1, "factor": 1}, "bands_on_excess": [[1, 1]], "ratio": 1}, "twice"),
    ({"bands": [[1, 1, 1, 1]]}, "a mapping is expected"),
    ({"ratio": 1, "adjustments": [{"persons": ["active"], "add": 1}]}, "adjustments[0]"),
]


@pytest.mark.parametrize(("rule", "fault"), REFUSED)
def test_what_is_not_understood_is_refused(rule: dict[str, Any], fault: str) -> None:
    """No part of a rule is passed over: the case fails and names it."""
    outcome = outcome_of(inline_book=rule, in_scope=100, expect={"pool": 0})

    assert outcome.status == "failed"
    assert fault in outcome.lines[0]


OVERRIDES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"rules.deductible.rows[0].amount": 300}, {"in_scope": 300}, {"deductible": 300}),
    ({"deductible.rows[0].amount": 0, "bands[0].steps[0].ratio": 0.5}, {}, {"pool": 5000}),
    ({"deductible": 0}, {}, {"deductible": 0, "pool": 8500}),
    ({"deductible_later": 0}, {"admission": 2}, {"pool": 8500}),
    ({"retiree_factor": 0, "deductible": 0}, {"person": "retired"}, {"pool": 10000}),
    ({"band_1_to": 5000, "deductible": 0}, {}, {"pool": "8750.00"}),
    ({"pool_cap": 1000, "large_ratio": 1, "large_cap": 10}, {}, {"pool": 1000, "large": 10}),
    (
        {"catastrophic_deductible": 1000, "catastrophic_cap": "none"},
        {},
        {"expected_catastrophic": "963.00"},
    ),
    ({"pool_cap": None}, {}, {"refused": "RULE_UNKNOWN"}),
    ({"deductible": {"first": 0}, "pool_cap": {"amount": 99}, "large.cap": 1}, {}, {"large": 1}),
    ({"large_fund": {"ratio": 1, "cap": 5}, "pool_cap": 0}, {}, {"pool": 0, "large": 5}),
    ({"cut": 0.1, "deductible": 0}, {"filing": "other"}, {"pool": 7500}),
    ({"cut": None}, {"filing": "other"}, {"refused": "RULE_UNKNOWN"}),
    ({"deductible": 0}, {"filing": "referral"}, {"pool": 7500}),
]


@pytest.mark.parametrize(("names", "stay", "expect"), OVERRIDES)
def test_override(names: dict[str, Any], stay: dict[str, Any], expect: dict[str, Any]) -> None:
    """A rule value put in by path or everyday name decides, for the case's own person."""
    case = {**BEIJING, **L3, "in_scope": 10000, **stay}

    outcome = outcome_of(overrides=names, expect=expect, **case)

    assert (outcome.status, outcome.lines) == ("passed", ())


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ({"ratio": 1}, "it could be bands[0].steps[0].ratio, bands[0].steps[1].ratio"),
        ({"pond": 1}, "no such rule value"),
        ({"band_9_ratio": 1}, "no such rule value"),
        ({"pool_cap": [1]}, "one figure"),
        ({"pool_cap": {}}, "one figure"),
        ({"pool_cap": {"from": 1}}, "no such rule value"),
        ({"pool_cap": "much"}, "RULE_BOOK_NUMBER"),
    ],
)
def test_wrong_override_names_the_candidates(names: dict[str, Any], fault: str) -> None:
    """An unknown or ambiguous name is refused, and says what it could have meant."""
    outcome = outcome_of(overrides=names, in_scope=1, expect={"pool": 0}, **BEIJING, **L3)

    assert outcome.status == "failed"
    assert fault in outcome.lines[0]


@pytest.mark.parametrize(
    ("person", "more", "pool"),
    [
        ("resident_high_tier", {}, 7500),
        ({"type": "resident", "tier": "low"}, {}, 6500),
        ("student_child", {"tier": "high"}, 7500),
        ("poor", {"tier": "low"}, 6500),
    ],
)
def test_words_for_a_person(person: Any, more: dict[str, Any], pool: int) -> None:
    """Type, tier and category are understood from compounds, mappings and keys alike."""
    case = {"book": "tianjin-inpatient", "settled_on": "2025-06-29", "in_scope": 10500}

    outcome = outcome_of(person=person, expect={"pool": pool}, **L3, **more, **case)

    assert (outcome.status, outcome.lines) == ("passed", ())


def test_book_without_a_scheme_is_the_persons_own() -> None:
    """One name of the facts holds employees and residents: 0.88 and 0.75 at level 2."""
    case = {"book": "hebei-langfang-inpatient", "settled_on": "2025-06-29", "hospital": 2}

    for person, deductible, pool in (("active", 500, 8800), ("resident", 600, 7500)):
        stay = {"person": person, "in_scope": 10000 + deductible}
        outcome = outcome_of(expect={"pool": pool}, **case, **stay)
        assert (outcome.status, outcome.lines) == ("passed", ()), person


def test_every_example_of_the_page_passes() -> None:
    """What docs/golden.md shows is what runs."""
    outcomes = [each for text in EXAMPLES for each in golden.run(read_cases(text), SHELF)]

    assert len(EXAMPLES) >= 4
    assert {each.status for each in outcomes} == {"passed"}, outcomes


def test_schema_is_published_as_it_is() -> None:
    """The file beside the code is what `tongcheng settlement golden --schema` writes."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == golden_form.schema()


@pytest.mark.parametrize(
    "text",
    [*(path.read_text("utf-8") for path in SHIPPED), *EXAMPLES],
    ids=[*(path.stem for path in SHIPPED), *(f"page-{at}" for at in range(len(EXAMPLES)))],
)
def test_schema_accepts_what_runs(text: str) -> None:
    """Shipped cases and examples validate as they are read: every scalar as text."""
    validator = jsonschema_rs.validator_for(golden_form.schema())

    assert [str(fault) for fault in validator.iter_errors(plain_yaml.parse(text))] == []


@pytest.mark.parametrize(
    "change",
    [{"kind": "polity"}, {"in_scope": "1e3"}, {"extra": 1}, {"expect": {"pond": 1}}, {"id": ""}],
)
def test_schema_refuses_what_does_not_run(change: dict[str, Any]) -> None:
    """A misspelled key, kind, figure or amount is found by the schema too."""
    case = {"id": "S1", "kind": "policy", "in_scope": "1", "expect": {"pool": 1}}
    validator = jsonschema_rs.validator_for(golden_form.schema())

    assert validator.is_valid({"cases": [case]})
    assert not validator.is_valid({"cases": [{**case, **change}]})
