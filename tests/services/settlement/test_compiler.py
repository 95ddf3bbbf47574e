"""Compiling rule books: what becomes of figures, and what is refused before any case."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import (
    beijing,
    figure,
    fund,
    made_up,
    period,
    shipped,
    simple_rules,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, check, rule_values
from tongcheng.services.settlement.compiler import check_benefit, compile_benefit
from tongcheng.services.settlement.tables import (
    AMOUNT_MAX_FEN,
    UNIT,
    UNKNOWN,
    BenefitTables,
    Cell,
)


@pytest.mark.parametrize(
    "book", shipped(), ids=lambda book: f"{book.book_id} {book.effective_from}"
)
def test_shipped_book_is_sound(book: RuleBook) -> None:
    """Each shipped book has an origin for every figure, compiles, and its caps agree."""
    assert check(book) == []
    assert check_benefit(book) == []


def _cell(tables: BenefitTables, level: int, person: Any) -> Cell:
    return tables.cells[level, None, person, None]


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
def test_shares_of_the_beijing_book(row: str) -> None:
    """Every level and person type, with the retiree's factor exact."""
    level, person, *shares = row.split()

    found = _cell(compile_benefit(beijing()), int(level), person).bands.ratio

    assert [Fraction(ratio, UNIT) for ratio in found] == [Fraction(share) for share in shares]


def test_every_cell_points_to_its_rule() -> None:
    """A cell can be explained: its pointer carries value, source, confidence and doubt."""
    tables = compile_benefit(beijing())

    cap = tables.rules[tables.pool_cap_rule]
    second = tables.rules[_cell(tables, 2, "active").bands.rule[1]]

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
    assert tables.pointer("rules.adjustments[0].personal_share_times").value == "0.60"
    with pytest.raises(Refused, match="RULE_UNKNOWN"):
        tables.pointer("rules.nothing")


def test_conflict_of_sources_is_kept() -> None:
    """The pool cap is 100,000 by one source and 500,000 by another, and the book says both."""
    cap = dict(rule_values(beijing()))["rules.pool_cap"]

    assert [(conflict.value, conflict.source) for conflict in cap.conflicts] == [("500000", "tsbj")]


def test_what_the_book_does_not_say_is_unknown() -> None:
    """A level without rules is unknown, not zero and not its neighbour's."""
    tables = compile_benefit(made_up(simple_rules()))

    bands = _cell(tables, 1, "active").bands
    assert bands.ratio == (UNKNOWN,)
    assert tables.rules[bands.rule[0]].path == "rules.bands"
    assert _cell(tables, 0, "active").deductible.first_fen == UNKNOWN


def test_alternatives_decide_nothing() -> None:
    """Another reading of the whole is kept in the book, and compiles to the same tables."""
    alternative: Any = {
        "title": {"zh": "另一种", "en": "another"},
        "source": "synthetic",
        "rules": {"pool_cap": figure("1"), "bands": []},
    }
    plain = compile_benefit(made_up(simple_rules()))
    other = compile_benefit(made_up(simple_rules(alternatives=[alternative])))

    assert other.digest != plain.digest
    assert msgspec.structs.replace(other, digest=plain.digest) == plain


def test_compiled_once_and_for_all_sections() -> None:
    """What depends on a hospital's subtype or a person's tier is known before any bill."""
    tables = compile_benefit(made_up(simple_rules()))

    assert (tables.subtype_levels, tables.tiered) == (frozenset(), frozenset())
    assert len(tables.cells) == 4 * 5 * 2 * 4
    assert tables.annual_deductible is False
    assert (tables.year_of, tables.further_periods) == (None, "as_later_admission")


ROW: dict[str, Any] = {"levels": ["3"], "admission": "first", "amount": figure("1")}
STEP: dict[str, Any] = {"ratio": figure("0.5")}
FUND = fund("pool")


def _bands(*steps: dict[str, Any]) -> Plain:
    return [{"levels": ["3"], "steps": list(steps)}]


def _deductible(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"deductible": {"basis": figure("each_admission"), "rows": list(rows)}}


def _later(**terms: Any) -> dict[str, Any]:
    return _deductible(ROW, {"admission": "later", **terms})


def _let_off(*adjustments: dict[str, Any]) -> dict[str, Any]:
    terms = _deductible(ROW)["deductible"]
    return {"deductible": {**terms, "adjustments": list(adjustments)}}


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
        "rules.deductible.rows[1]",
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
    (
        _deductible({**ROW, "amount": figure("1"), "factor": figure("1")}, {"admission": "later"}),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.rows[1]",
    ),
    (
        _later(amount=figure("1"), factor=figure("1")),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.rows[1]",
    ),
    (_later(amount=figure("1"), floor=figure("1")), "RULE_BOOK_SCHEMA", "rules.deductible.rows[1]"),
    (_later(factor=figure("1.1")), "RULE_BOOK_SCHEMA", "rules.deductible.rows[1].factor"),
    (_later(factor=figure("0.3333")), "RULE_BOOK_SCHEMA", "rules.deductible.rows[1].factor"),
    (_deductible({"admission": "first"}), "RULE_BOOK_SCHEMA", "rules.deductible.rows[0]"),
    (_let_off({}), "RULE_BOOK_SCHEMA", "rules.deductible.adjustments[0]"),
    (
        _let_off({"minus": figure("1"), "factor": figure("1")}),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.adjustments[0]",
    ),
    (
        _let_off({"minus": figure("1")}, {"factor": figure("0.5")}),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.adjustments[1]",
    ),
    (
        _let_off({"minus": figure("1")}, {"minus": figure("1")}),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.adjustments[1]",
    ),
    (
        _let_off({"factor": figure("0.3333")}),
        "RULE_BOOK_SCHEMA",
        "rules.deductible.adjustments[0].factor",
    ),
    ({"adjustments": [{}]}, "RULE_BOOK_SCHEMA", "rules.adjustments[0]"),
    (
        {"adjustments": [{"add_points": figure("0.1"), "personal_share_times": figure("1")}]},
        "RULE_BOOK_SCHEMA",
        "rules.adjustments[0]",
    ),
    (
        {"adjustments": [{"add_points": figure("0.2001")}]},
        "RULE_BOOK_SCHEMA",
        "rules.adjustments[0].add_points",
    ),
    (
        {"adjustments": [{"personal_share_times": figure("1.5")}]},
        "RULE_BOOK_SCHEMA",
        "rules.adjustments[0].personal_share_times",
    ),
    (
        {"adjustments": [{"personal_share_times": figure("0.3333")}] * 2},
        "RULE_BOOK_SCHEMA",
        "rules.adjustments[1].personal_share_times",
    ),
    (
        {"filing": [{"filings": ["other"], "cut": figure("0.1"), "ratio": figure("0.1")}]},
        "RULE_BOOK_SCHEMA",
        "rules.filing[0]",
    ),
    ({"period": period("sometimes")}, "RULE_BOOK_SCHEMA", "rules.period.further_periods"),
    (
        {"period": {**period(), "year_of": figure("birth")}},
        "RULE_BOOK_SCHEMA",
        "rules.period.year_of",
    ),
    ({"persons": ["pensioner"]}, "RULE_BOOK_SCHEMA", "rules.persons[0]"),
    ({"bands": [{"levels": ["4"], "steps": []}]}, "RULE_BOOK_SCHEMA", "rules.bands[0].levels[0]"),
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


# A row of a section, beside one that may speak about the same person in the same hospital.
TWICE: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({"levels": ["1", "2"]}, {"levels": ["2", "3"]}, True),
    ({"levels": ["1"]}, {"levels": ["2"]}, False),
    ({"levels": ["1"]}, {"persons": ["active"]}, True),
    ({"levels": ["1"], "persons": ["retired"]}, {"persons": ["active"]}, False),
    ({"subtypes": ["provincial"]}, {"subtypes": ["other"]}, False),
    ({"subtypes": ["provincial"]}, {}, True),
    ({"subtypes": ["other"]}, {"subtypes": ["other"], "levels": ["0"]}, True),
    ({"tiers": ["low"]}, {"tiers": ["high"]}, False),
    ({"tiers": ["low"]}, {"tiers": ["high", "low"]}, True),
    ({"tiers": ["low"], "persons": ["active"]}, {"tiers": ["low"], "persons": ["retired"]}, False),
]


@pytest.mark.parametrize("section", ["rows", "bands", "large", "filing"])
@pytest.mark.parametrize(("one", "other", "refused"), TWICE)
def test_two_rows_for_one_person_in_one_hospital(
    section: str, one: dict[str, Any], other: dict[str, Any], *, refused: bool
) -> None:
    """Which of two rows holds is not guessed: the book is refused, and the second row is named.

    A row about something else comes before them, so that the place in the section is seen.
    """
    else_where: dict[str, dict[str, Any]] = {
        "rows": {"admission": "later", "amount": figure("1")},
        "filing": {"filings": ["referral"]},
    }
    rows: dict[str, dict[str, Any]] = {
        "rows": {"admission": "first", "amount": figure("1")},
        "bands": {"steps": [STEP]},
        "large": {"ratio": figure("1"), "cap": figure("1")},
        "filing": {"filings": ["other"]},
    }
    first = [else_where[section]] if section in else_where else []
    written = [*first, *({**each, **rows[section]} for each in (one, other))]
    changes = _deductible(*written) if section == "rows" else {section: written}

    problems = check_benefit(made_up(simple_rules(**changes)))

    path = {"rows": "rules.deductible.rows"}.get(section, f"rules.{section}")
    found = [(problem.code, problem.path) for problem in problems]
    assert found == ([("RULE_BOOK_SCHEMA", f"{path}[{len(written) - 1}]")] if refused else [])


OTHER = """
subtype    levels3 level2
provincial 10      10
municipal  20      -
district   -       20
other      -       20
"""


@pytest.mark.parametrize("row", OTHER.strip().splitlines()[1:])
def test_other_subtypes_are_those_that_no_row_of_the_level_names(row: str) -> None:
    """An adjustment for `other` leaves alone whom another adjustment names at that level."""
    subtype, *expected = row.split()
    letting: list[Any] = [
        {"subtypes": ["provincial"], "minus": figure("10")},
        {"levels": ["3"], "subtypes": ["municipal"], "minus": figure("20")},
        {"levels": ["2"], "subtypes": ["other"], "minus": figure("20")},
        {"levels": ["2"], "subtypes": ["municipal"], "minus": figure("0")},
    ]
    terms: Any = simple_rules()["deductible"]
    changes: Plain = {**terms, "adjustments": letting}
    tables = compile_benefit(made_up(simple_rules(deductible=changes)))

    found = []
    for level in (3, 2):
        key: Any = (level, subtype, "active", None)
        found.append(10_000 - tables.cells[key].deductible.of_admission(1))

    assert found == [0 if text == "-" else int(text) * 100 for text in expected]


def test_other_kinds_are_refused() -> None:
    """A book of another kind is not read as benefits."""
    other = msgspec.structs.replace(made_up(simple_rules()), kind="recognition")

    with pytest.raises(Refused, match="RULE_BOOK_KIND"):
        compile_benefit(other)


def test_caps_that_do_not_add_up_are_a_problem() -> None:
    """Pool and large-amount caps should make the total that the same book names."""
    book = made_up(simple_rules(total_cap=figure("20000")))

    assert [problem.code for problem in check_benefit(book)] == ["CAPS_DISAGREE"]


@pytest.mark.parametrize("name", ["bands", "deductible", "cap"])
def test_what_is_not_computed_is_refused(name: str) -> None:
    """A book whose bands, deductible or cap restart otherwise is refused, never misread."""
    book = made_up(simple_rules(period=period() | {name: figure("half_year")}))

    with pytest.raises(Refused, match="RULE_BOOK_SCHEMA"):
        compile_benefit(book)
