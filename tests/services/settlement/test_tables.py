"""Compiling rule books: what becomes of figures, and what is refused before any case."""

from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import beijing, figure, made_up, simple_rules
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import check, rule_values
from tongcheng.services.settlement.tables import (
    AMOUNT_MAX_FEN,
    UNIT,
    UNKNOWN,
    check_benefit,
    compile_benefit,
)


def test_shipped_book_is_sound() -> None:
    """The shipped book has an origin for every figure, compiles, and its caps agree."""
    assert check(beijing()) == []
    assert check_benefit(beijing()) == []


# What the law says of level 3: a retiree bears 60 % of the worker's share.
SHARES = """
level person  band1  band2  band3
3     active  0.85   0.90   0.95
3     retired 0.91   0.94   0.97
2     active  0.87   0.92   0.97
2     retired 0.922  0.952  0.982
1     active  0.90   0.95   0.97
1     retired 0.94   0.97   0.982
"""


@pytest.mark.parametrize("row", SHARES.strip().splitlines()[1:])
def test_shares_of_the_shipped_book(row: str) -> None:
    """Every level and person type, with the retiree's factor exact."""
    level, person, *shares = row.split()
    tables = compile_benefit(beijing())

    found = tables.band_ratio[int(level) - 1][("active", "retired").index(person)]

    assert [ratio / UNIT for ratio in found] == [float(share) for share in shares]


def test_every_cell_points_to_its_rule() -> None:
    """A cell can be explained: its pointer carries value, source, confidence and doubt."""
    tables = compile_benefit(beijing())

    cap = tables.rules[tables.pool_cap_rule]
    second = tables.rules[tables.band_rule[1][0][1]]

    assert (cap.path, cap.value, cap.sources, cap.doubtful) == (
        "rules.pool_cap",
        "100000",
        ("gs33",),
        True,
    )
    assert (second.path, second.confidence, second.doubtful) == (
        "rules.bands[1].steps[1].ratio",
        "own",
        True,
    )
    assert tables.pointer("rules.retired.factor").value == "0.60"
    with pytest.raises(Refused, match="RULE_UNKNOWN"):
        tables.pointer("rules.nothing")


def test_conflict_of_sources_is_kept() -> None:
    """The pool cap is 100,000 by one source and 500,000 by another, and the book says both."""
    cap = dict(rule_values(beijing()))["rules.pool_cap"]

    assert [(conflict.value, conflict.source) for conflict in cap.conflicts] == [("500000", "tsbj")]


def test_what_the_book_does_not_say_is_unknown() -> None:
    """A level without rules is unknown, not zero and not its neighbour's."""
    tables = compile_benefit(made_up(simple_rules()))

    assert tables.band_ratio[0][0] == (UNKNOWN,)
    assert tables.rules[tables.band_rule[0][0][0]].path == "rules.bands"


ROW: dict[str, Any] = {"levels": ["3"], "admission": "first", "amount": figure("1")}
STEP: dict[str, Any] = {"ratio": figure("0.5")}
FUND: dict[str, Any] = {
    "fund": "pool",
    "layer": "pool",
    "title": {"zh": "甲", "en": "a"},
    "paid_at": figure("discharge"),
}


def _bands(*steps: dict[str, Any]) -> Plain:
    return [{"levels": ["3"], "steps": list(steps)}]


def _to(limit: str) -> dict[str, Any]:
    return {"to": figure(limit), "ratio": figure("0.5")}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"pool_cap": "absent"}, "RULE_BOOK_SCHEMA", "rules"),
    ({"extra": figure("1")}, "RULE_BOOK_SCHEMA", "rules"),
    ({"pool_cap": {"value": "1", "source": "s"}}, "RULE_BOOK_SCHEMA", "rules.pool_cap"),
    ({"pool_cap": figure("1e3")}, "RULE_BOOK_NUMBER", "rules.pool_cap"),
    ({"pool_cap": figure("-1")}, "RULE_BOOK_NUMBER", "rules.pool_cap"),
    ({"pool_cap": figure("1.005")}, "RULE_BOOK_NUMBER", "rules.pool_cap"),
    ({"pool_cap": figure(str(AMOUNT_MAX_FEN // 100 + 1))}, "RULE_OVERFLOW", "rules.pool_cap"),
    (
        {"deductible": {"basis": figure("each_admission"), "rows": [ROW, ROW]}},
        "RULE_BOOK_SCHEMA",
        "rules.deductible.rows[1].amount",
    ),
    (
        {"deductible": {"basis": figure("sometimes"), "rows": [ROW]}},
        "RULE_BOOK_SCHEMA",
        "rules.deductible.basis",
    ),
    ({"bands": _bands()}, "RULE_BOOK_SCHEMA", "rules.bands[0]"),
    ({"bands": _bands(_to("5"))}, "RULE_BOOK_SCHEMA", "rules.bands[0].steps[0]"),
    ({"bands": _bands(STEP, STEP)}, "RULE_BOOK_SCHEMA", "rules.bands[0].steps[0]"),
    (
        {"bands": _bands(_to("5"), _to("5"), STEP)},
        "RULE_BOOK_SCHEMA",
        "rules.bands[0].steps[1]",
    ),
    (
        {"bands": _bands({"to": figure(None), "ratio": figure("0.5")}, STEP)},
        "RULE_BOOK_SCHEMA",
        "rules.bands[0].steps[0]",
    ),
    (
        {"bands": _bands({"ratio": figure("1.0001")})},
        "RULE_BOOK_SCHEMA",
        "rules.bands[0].steps[0].ratio",
    ),
    (
        {"bands": _bands({"ratio": figure("0.85001")})},
        "RULE_BOOK_NUMBER",
        "rules.bands[0].steps[0].ratio",
    ),
    ({"funds": [FUND]}, "RULE_BOOK_SCHEMA", "rules.funds"),
    (
        {"funds": [{**FUND, "paid_at": figure("year_end")}]},
        "RULE_BOOK_SCHEMA",
        "rules.funds[0]",
    ),
    ({"funds": [{**FUND, "paid_at": figure(None)}]}, "RULE_UNKNOWN", "rules.funds[0].paid_at"),
]


@pytest.mark.parametrize(("changes", "code", "path"), REFUSED)
def test_unsound_book_is_refused(changes: dict[str, Any], code: str, path: str) -> None:
    """A book that could compute nonsense never becomes tables; the fault is named with its path."""
    book = made_up(simple_rules(**changes))

    with pytest.raises(Refused) as refused:
        compile_benefit(book)

    assert refused.value.code == code
    assert str(refused.value.facts.get("path", refused.value.facts.get("rule"))) == path
    assert check_benefit(book)[0].code == code


def test_other_kinds_are_refused() -> None:
    """A book of another kind is not read as benefits."""
    other = msgspec.structs.replace(made_up(simple_rules()), kind="recognition")

    with pytest.raises(Refused, match="RULE_BOOK_KIND"):
        compile_benefit(other)


def test_caps_that_do_not_add_up_are_a_problem() -> None:
    """Pool and large-amount caps should make the total that the same book names."""
    book = made_up(simple_rules(total_cap=figure("20000")))

    assert [problem.code for problem in check_benefit(book)] == ["CAPS_DISAGREE"]
