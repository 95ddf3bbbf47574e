"""What a book does not know is refused by name, and only where a bill needs it."""

from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import figure, flat_rules, made_up, period, simple_rules
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.tables import NO_CUT, BenefitTables

_FIRST = {"admission": "first", "amount": figure("100")}


def _deductible(*rows: dict[str, Any], **others: Any) -> dict[str, Any]:
    terms = {"basis": figure("each_admission"), "rows": list(rows)}
    return {"deductible": {**terms, **others}}


def _later(**terms: Any) -> dict[str, Any]:
    return {"admission": "later", **terms}


def _large(ratio: str | None, cap: str | None) -> dict[str, Any]:
    return {"large": [{"persons": ["active"], "ratio": figure(ratio), "cap": figure(cap)}]}


def _bands(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"bands": [{"levels": ["3"], "steps": list(steps)}]}


Row = tuple[dict[str, Any], dict[str, Any], str | None]
_TWO_BANDS = _bands({"to": figure("1000"), "ratio": figure("0.5")}, {"ratio": figure(None)})
_FALLING = _deductible(_FIRST, _later(minus_each=figure(None), floor=figure("1")))
_LET_OFF = _deductible(_FIRST, adjustments=[{"minus": figure("1"), "floor": figure(None)}])

# What is changed in the simple book; the bill, in fen; the rule that is refused, None if none is.
UNKNOWN: list[Row] = [
    ({"pool_cap": figure(None)}, {"in_scope_fen": 10_000}, None),
    ({"pool_cap": figure(None)}, {"in_scope_fen": 10_001}, "rules.pool_cap"),
    (_large(None, "1"), {"in_scope_fen": 1_000_000}, None),
    (_large(None, "1"), {"in_scope_fen": 2_000_000}, "rules.large[0].ratio"),
    (_large("1", None), {"in_scope_fen": 2_000_000}, "rules.large[0].cap"),
    (_large("1", "1"), {"in_scope_fen": 2_000_000, "person_type": "retired"}, "rules.large"),
    (_bands({"ratio": figure(None)}), {}, "rules.bands[0].steps[0].ratio"),
    (_TWO_BANDS, {"in_scope_fen": 100_000}, None),
    (_TWO_BANDS, {"in_scope_fen": 100_001}, "rules.bands[0].steps[1].ratio"),
    ({}, {"hospital_level": 2}, "rules.bands"),
    ({}, {"hospital_level": 0}, "rules.deductible"),
    ({}, {"hospital_level": 0, "in_scope_fen": 0}, None),
    (_deductible(_FIRST), {"admission_number": 2}, "rules.deductible"),
    (_deductible(_FIRST), {"period_number": 2}, "rules.deductible"),
    (_deductible(_FIRST), {}, None),
    (_FALLING, {"admission_number": 2}, "rules.deductible.rows[1].minus_each"),
    (_FALLING, {"admission_number": 1}, None),
    (
        _deductible(_FIRST, _later(minus_each=figure("1"), floor=figure(None))),
        {"admission_number": 2},
        "rules.deductible.rows[1].floor",
    ),
    (
        _deductible(_FIRST, _later(factor=figure(None))),
        {"admission_number": 2},
        "rules.deductible.rows[1].factor",
    ),
    (
        _deductible({**_FIRST, "amount": figure(None)}, _later(factor=figure("0.5"))),
        {"admission_number": 2},
        "rules.deductible.rows[0].amount",
    ),
    (
        _deductible({**_FIRST, "amount": figure(None)}, _later(amount=figure("50"))),
        {"admission_number": 2},
        None,
    ),
    (_LET_OFF, {}, "rules.deductible.adjustments[0].floor"),
    (
        _deductible(_FIRST, adjustments=[{"factor": figure(None)}]),
        {},
        "rules.deductible.adjustments[0].factor",
    ),
    (
        {"adjustments": [{"persons": ["retired"], "add_points": figure(None)}]},
        {"person_type": "retired"},
        "rules.adjustments[0].add_points",
    ),
    ({"adjustments": [{"persons": ["retired"], "add_points": figure(None)}]}, {}, None),
    ({"period": period() | {"bands": figure(None)}}, {}, "rules.period.bands"),
    ({"period": period(None)}, {}, None),
    ({"period": period(None)}, {"period_number": 2}, "rules.period.further_periods"),
    ({"filing": [{"filings": ["other"], "deductible": figure(None)}]}, {}, None),
    (
        {"filing": [{"filings": ["other"], "deductible": figure(None)}]},
        {"filing": "other"},
        "rules.filing[0].deductible",
    ),
]


@pytest.mark.parametrize(("changes", "bill", "rule"), UNKNOWN)
def test_unknown_figure_is_refused_only_when_needed(
    changes: dict[str, Any], bill: dict[str, Any], rule: str | None
) -> None:
    """A null never becomes a default; a case that does not touch it is settled all the same."""
    tables = compile_benefit(made_up(simple_rules(**changes)))

    assert _refused(tables, _bill(**bill), Accumulators()) == rule


def _bill(**changes: Any) -> Bill:
    bill = Bill(
        in_scope_fen=20_000,
        total_fen=None,
        person_type="active",
        hospital_level=3,
        admission_number=1,
    )
    return msgspec.structs.replace(bill, **changes)


def _refused(tables: BenefitTables, bill: Bill, before: Accumulators) -> object:
    """Return the rule that is unknown, None where the bill is settled."""
    try:
        settle(tables, bill, before, NO_CUT)
    except Refused as refused:
        return refused.facts["rule"] if refused.code == "RULE_UNKNOWN" else refused.code
    return None


@pytest.mark.parametrize(
    ("in_scope", "pool_used", "rule"),
    [
        (10_000, 0, None),
        (10_001, 0, "filing.other"),
        (10_001, 1_000_000, None),
    ],
)
def test_unknown_cut_is_refused_only_when_needed(
    in_scope: int, pool_used: int, rule: str | None
) -> None:
    """Below the deductible, and where the pool is used up, nobody asks how a stay was filed."""
    tables = compile_benefit(made_up(simple_rules()))
    bill = _bill(in_scope_fen=in_scope, filing="other")

    assert _refused(tables, bill, Accumulators(pool_paid_fen=pool_used)) == rule


@pytest.mark.parametrize(
    ("first", "paid", "rule"),
    [("100", 0, None), ("100", 1, "rules.deductible.basis"), ("0", 1, None)],
)
def test_unknown_basis_is_refused_once_something_was_borne(
    first: str, paid: int, rule: str | None
) -> None:
    """Whether a deductible is annual makes no difference to the first stay of a year."""
    row = {"admission": "first", "amount": figure(first)}
    terms = _deductible(row, basis=figure(None))
    tables = compile_benefit(made_up(simple_rules(**terms)))

    assert _refused(tables, _bill(), Accumulators(deductible_paid_fen=paid)) == rule


def _row(section: str, selector: dict[str, Any]) -> dict[str, Any]:
    """Return one row with this selector, in a section of the rules."""
    rows: dict[str, Any] = {
        "bands": {"steps": [{"ratio": figure("1")}]},
        "adjustments": {"add_points": figure("0.1")},
        "filing": {"filings": ["other"], "cut": figure("0.1")},
        "large": {"ratio": figure("1"), "cap": figure("1")},
    }
    if section == "deductible.rows":
        return _deductible({**_FIRST, **selector})
    if section == "deductible.adjustments":
        return _deductible(_FIRST, adjustments=[{**selector, "minus": figure("1")}])
    return {section: [{**selector, **rows[section]}]}


SECTIONS = ["deductible.rows", "deductible.adjustments", "bands", "adjustments", "filing", "large"]


@pytest.mark.parametrize("section", SECTIONS)
def test_subtype_is_asked_for_where_a_row_goes_by_it(section: str) -> None:
    """A hospital that a row might mean is never taken for one that it does not mean."""
    changes = _row(section, {"levels": ["3"], "subtypes": ["provincial"]})
    tables = compile_benefit(made_up(flat_rules("0.5", **changes)))

    assert _code(tables, _bill()) == "HOSPITAL_SUBTYPE_NEEDED"
    assert _code(tables, _bill(hospital_subtype="provincial")) is None
    assert _code(tables, _bill(hospital_level=2)) in {None, "RULE_UNKNOWN"}


@pytest.mark.parametrize("section", SECTIONS)
def test_tier_is_asked_for_where_a_row_goes_by_it(section: str) -> None:
    """A person whom a row might mean is never taken for one whom it does not mean."""
    changes = _row(section, {"persons": ["active"], "tiers": ["low"]})
    tables = compile_benefit(made_up(flat_rules("0.5", **changes)))

    assert _code(tables, _bill()) == "PERSON_TIER_NEEDED"
    assert _code(tables, _bill(tier="low")) is None
    assert _code(tables, _bill(person_type="retired")) in {None, "RULE_UNKNOWN"}


def _code(tables: BenefitTables, bill: Bill) -> str | None:
    try:
        settle(tables, bill, Accumulators())
    except Refused as refused:
        return refused.code
    return None
