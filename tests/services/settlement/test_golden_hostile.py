"""Whatever a golden case brings, the runner answers; rules and names at random."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.test_golden_format import BEIJING, L3, outcome_of

NAMES = sorted(
    {
        *("deductible", "bands", "bands_on_excess", "retiree", "pool_cap", "large", "total_cap"),
        *("catastrophic", "ratio", "rules", "persons", "period", "funds", "filing", "adjustments"),
        *("rows", "steps", "first", "later", "amount", "factor", "admission", "lv", "person", "to"),
        *("from", "cap", "value", "employee", "out_of_province", "unfiled", "terms", "rounding"),
        *("deductible_and_ratio", "subtype", "minus_each", "cut", "assistance", "1", "active"),
    }
)
SCALARS = st.none() | st.sampled_from(
    ["0", "0.5", "100", "-1", "2+", "85%", "x", "poor", "3", "1e9"]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
ANY_RULE = st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=5)


@settings(deadline=None)
@given(ANY_RULE, st.sampled_from(["active", "retired", "child", "x", ""]), SCALARS)
def test_no_rule_makes_the_runner_fail(rule: dict[str, Any], person: str, admission: Any) -> None:
    """Law: whatever a case brings, it passes or fails by name; the runner never falls over."""
    case: dict[str, Any] = {"person": person, "admission": admission, "in_scope": "1000.00"}

    outcome = outcome_of(inline_book={"ratio": "0.5", **rule}, expect={"pool": "1"}, **case)

    assert outcome.status in {"passed", "failed"}


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([*NAMES, "band_1_ratio", "large_cap"]), ANYTHING, max_size=3)
)
def test_no_override_makes_the_runner_fail(names: dict[str, Any]) -> None:
    """Law: the same for rule values by name."""
    outcome = outcome_of(overrides=names, in_scope="1000.00", expect={"pool": "1"}, **BEIJING, **L3)

    assert outcome.status in {"passed", "failed"}
