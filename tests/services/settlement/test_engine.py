"""The engine against tables that a clerk can check."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import (
    beijing,
    figure,
    flat_rules,
    fund,
    made_up,
    period,
    simple_rules,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_yuan
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import doubtful
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, UNIT

BEIJING = beijing()

# The book: 100 deductible (50 later), half up to 1,000, then 0.8; a retiree bears half of a
# worker's share; pool cap 10,000; beyond it 0.9 up to 9,000.
SIMPLE = """
person  admission in_scope | pool_used large_used | deductible pool   pool_self large   large_self
active  1         0        | 0         0          | 0          0        0         0        0
active  1         99.99    | 0         0          | 99.99      0        0         0        0
active  1         100      | 0         0          | 100        0        0         0        0
active  1         100.01   | 0         0          | 100        0.01     0.01      0        0
active  1         1000     | 0         0          | 100        450      450       0        0
active  1         2000     | 0         0          | 100        1250     650       0        0
active  2         2000     | 0         0          | 50         1275     675       0        0
active  9         2000     | 0         0          | 50         1275     675       0        0
retired 1         2000     | 0         0          | 100        1575     325       0        0
active  1         1000     | 9550      0          | 100        450      450       0        0
active  1         1000     | 9551      0          | 100        449      449       1.80     0.20
active  1         1000     | 10000     0          | 100        0        0         810      90
active  1         1000     | 10000     9000       | 100        0        0         0        900
active  1         1000     | 10000     8900       | 100        0        0         100      800
active  1         1000     | 99999     99999      | 100        0        0         0        900
active  1         30000    | 0         0          | 100        10000    2837.50   9000     8062.50
active  1         1100.01  | 9550.01   0          | 100        449.99 449.99   90.03   10
active  1         1100     | 9500.07   0          | 100        499.93 462.48   33.83   3.76
active  1         100.05   | 10000     0          | 100        0      0        0.05    0.01
active  1         100.05   | 10000     8999.96    | 100        0      0        0.04    0.01
"""


def _rows(table: str) -> list[list[str]]:
    lines = [line.replace("|", " ").split() for line in table.strip().splitlines()]
    return lines[1:]


@pytest.mark.parametrize("row", _rows(SIMPLE), ids=" ".join)
def test_simple_book(row: list[str]) -> None:
    """Every boundary of a small book: deductible, band, both caps, used up before and within."""
    person, admission, *amounts = row
    in_scope, pool_used, large_used, *expected = (parse_yuan(text) for text in amounts)
    bill = _bill(in_scope, person_type=person, admission_number=int(admission))
    before = Accumulators(pool_paid_fen=pool_used, large_paid_fen=large_used)

    benefit = settle(compile_benefit(made_up(simple_rules())), bill, before)

    parts = [
        benefit.deductible_fen,
        benefit.pool_fen,
        benefit.pool_self_fen,
        benefit.large_fen,
        benefit.large_self_fen,
    ]
    assert parts == expected


def _bill(in_scope: int, **changes: Any) -> Bill:
    bill = Bill(
        in_scope_fen=in_scope,
        total_fen=None,
        person_type="active",
        hospital_level=3,
        admission_number=1,
    )
    return msgspec.structs.replace(bill, **changes)


def test_cap_between_two_fen() -> None:
    """One fen is left of a pool that pays 0.3: the cap lies at 3 1/3 fen, and nothing is lost.

    Of ten fen the pool pays 1 and leaves 2 1/3; of the other 6 2/3 the large fund pays 0.9, which
    is 6, and leaves 2/3.
    """
    rules = flat_rules("0.3", pool_cap=figure("0.01"))

    benefit = settle(compile_benefit(made_up(rules)), _bill(10), Accumulators())

    parts = (benefit.pool_fen, benefit.pool_self_fen, benefit.large_fen, benefit.large_self_fen)
    assert parts == (1, 2, 6, 1)
    assert [(row.from_fen, row.to_fen) for row in benefit.trace] == [(0, 3), (3, 10)]
    large = benefit.trace[1]
    assert (large.amount_fen, large.amount_rest) == (6, 0)


# Who is meant by a row: level, subtype, person, tier, and everybody where it is silent.
WHOM: dict[str, Any] = {
    "persons": ["active", "retired", "resident", "child", "elder"],
    "deductible": {
        "basis": figure("each_admission"),
        "rows": [
            {"levels": ["0"], "admission": "first", "amount": figure("10")},
            {"levels": ["1", "2"], "admission": "first", "amount": figure("40")},
            *(
                {"levels": ["3"], "subtypes": subtypes, "admission": "first", "amount": amount}
                for subtypes, amount in (
                    (["provincial"], figure("90")),
                    (["municipal"], figure("60")),
                    (["other"], figure("50")),
                )
            ),
            {"admission": "later", "minus_each": figure("15"), "floor": figure("20")},
        ],
    },
    "bands": [
        {"levels": ["0"], "steps": [{"ratio": figure("0.9")}]},
        *(
            {"levels": ["1"], **whom, "steps": [{"ratio": figure(ratio)}]}
            for whom, ratio in (
                ({"persons": ["active", "retired"]}, "0.8"),
                ({"persons": ["resident"], "tiers": ["low"]}, "0.5"),
                ({"persons": ["resident"], "tiers": ["middle"]}, "0.6"),
                ({"persons": ["resident"], "tiers": ["high"]}, "0.7"),
                ({"persons": ["child", "elder"]}, "0.75"),
            )
        ),
        {"levels": ["2"], "steps": [{"ratio": figure("0.7")}]},
        {"levels": ["3"], "subtypes": ["provincial"], "steps": [{"ratio": figure("0.55")}]},
        {"levels": ["3"], "subtypes": ["municipal"], "steps": [{"ratio": figure("0.6")}]},
        {"levels": ["3"], "subtypes": ["other"], "steps": [{"ratio": figure("0.65")}]},
    ],
    "adjustments": [],
}
SELECTED = """
level subtype    person   tier   admission | deductible pool_of_1000
0     -          active   -      1         | 10         891
0     provincial child    low    1         | 10         891
1     -          active   -      1         | 40         768
1     -          retired  -      1         | 40         768
1     -          resident low    1         | 40         480
1     -          resident middle 1         | 40         576
1     -          resident high   1         | 40         672
1     -          child    -      1         | 40         720
1     municipal  elder    high   1         | 40         720
2     district   active   -      1         | 40         672
3     provincial active   -      1         | 90         500.50
3     municipal  active   -      1         | 60         564
3     district   active   -      1         | 50         617.50
3     other      active   -      1         | 50         617.50
3     provincial active   -      2         | 75         508.75
3     provincial active   -      3         | 60         517
3     provincial active   -      5         | 30         533.50
3     provincial active   -      6         | 20         539
3     provincial active   -      7         | 20         539
1     -          active   -      2         | 25         780
1     -          active   -      3         | 20         784
0     -          active   -      2         | 10         891
3     -          active   -      1         | HOSPITAL_SUBTYPE_NEEDED
1     -          resident -      1         | PERSON_TIER_NEEDED
"""


@pytest.mark.parametrize("row", _rows(SELECTED), ids=" ".join)
def test_rows_are_picked_by_their_selectors(row: list[str]) -> None:
    """For each person and hospital the row that means them; later admissions down to the floor.

    A floor does not raise a deductible that lies below it, and `other` is whom no row names.
    """
    level, subtype, person, tier, admission, *expected = (None if w == "-" else w for w in row)
    bill = _bill(
        100_000,
        hospital_level=int(level or 0),
        hospital_subtype=subtype,
        person_type=person,
        tier=tier,
        admission_number=int(admission or 0),
    )
    tables = compile_benefit(made_up(simple_rules(**WHOM)))

    try:
        benefit = settle(tables, bill, Accumulators())
        found: list[Any] = [benefit.deductible_fen, benefit.pool_fen]
    except Refused as refused:
        found = [refused.code]

    assert found == [parse_yuan(text or "") if len(expected) > 1 else text for text in expected]


# Of the first and of the third admission, by what is written for some persons.
LET_OFF: list[tuple[str, list[Any], tuple[str, str]]] = [
    ("600", [], ("600", "400")),
    ("600", [{"minus": figure("100"), "floor": figure("100")}], ("500", "300")),
    ("450", [{"minus": figure("400"), "floor": figure("100")}], ("100", "100")),
    ("80", [{"minus": figure("100"), "floor": figure("100")}], ("80", "80")),
    ("600", [{"minus": figure("700")}], ("0", "0")),
    ("600", [{"factor": figure("0.5")}], ("300", "200")),
    ("600", [{"factor": figure("0.5")}, {"factor": figure("0.1")}], ("30", "20")),
    ("600", [{"factor": figure("0.5")}, {"minus": figure("50")}], ("250", "150")),
    ("600", [{"persons": ["retired"], "factor": figure("0.5")}], ("600", "400")),
    ("600", [{"levels": ["2"], "minus": figure("1")}], ("600", "400")),
]


@pytest.mark.parametrize(("first", "adjustments", "expected"), LET_OFF)
def test_some_bear_less_first(
    first: str, adjustments: list[Any], expected: tuple[str, str]
) -> None:
    """Each adjustment follows the one before it; none of them ever raises what is borne."""
    rows = [
        {"admission": "first", "amount": figure(first)},
        {"admission": "later", "minus_each": figure("100"), "floor": figure("100")},
    ]
    terms: Any = {"basis": figure("each_admission"), "rows": rows, "adjustments": adjustments}
    tables = compile_benefit(made_up(simple_rules(deductible=terms)))

    charged = [
        settle(tables, _bill(100_000, admission_number=number), Accumulators()).deductible_fen
        for number in (1, 3)
    ]

    assert charged == [parse_yuan(text) for text in expected]


def test_later_admission_by_factor() -> None:
    """A later admission that bears half of the first: 650 of 1,300."""
    rows = [
        {"admission": "first", "amount": figure("1300")},
        {"admission": "later", "factor": figure("0.5")},
    ]
    terms: Any = {"basis": figure("each_admission"), "rows": rows}
    tables = compile_benefit(made_up(simple_rules(deductible=terms)))

    benefit = settle(tables, _bill(500_000, admission_number=4), Accumulators())

    assert benefit.deductible_fen == 65_000


_TIMES = {"personal_share_times": figure("0.6")}
_MORE = {"add_points": figure("0.03")}
SHARES: list[tuple[list[dict[str, Any]], str]] = [
    ([], "0.85"),
    ([_TIMES], "0.91"),
    ([_MORE], "0.88"),
    ([_TIMES, _MORE], "0.94"),
    ([_MORE, _TIMES], "0.928"),
    ([{**_TIMES, "persons": ["retired"]}, _MORE], "0.88"),
    ([{**_MORE, "levels": ["1"]}], "0.85"),
]


@pytest.mark.parametrize(("adjustments", "share"), SHARES)
def test_ratio_is_adjusted_in_the_order_of_the_book(adjustments: list[Any], share: str) -> None:
    """A factor on the person's share and points on the fund's do not commute."""
    tables = compile_benefit(made_up(flat_rules("0.85", adjustments=adjustments)))

    benefit = settle(tables, _bill(10_000), Accumulators())

    assert Fraction(benefit.trace[0].ratio, UNIT) == Fraction(share)


@pytest.mark.parametrize(
    ("further", "deductibles"),
    [("none", ("100", "0", "0")), ("as_later_admission", ("100", "50", "50"))],
)
def test_further_periods_of_one_stay(further: str, deductibles: tuple[str, ...]) -> None:
    """A further settlement period bears what the book says, and is no further admission."""
    tables = compile_benefit(made_up(simple_rules(period=period(further))))

    found = [settle(tables, _bill(90_000, period_number=at), Accumulators()) for at in (1, 2, 3)]

    assert [each.deductible_fen for each in found] == [parse_yuan(text) for text in deductibles]
    assert [each.admissions for each in found] == [1, 0, 0]


def test_annual_deductible_is_charged_once() -> None:
    """With an annual deductible only what earlier stays left of it is charged, then nothing."""
    terms: Any = {**_mapping(simple_rules()["deductible"]), "basis": figure("annual")}
    tables = compile_benefit(made_up(simple_rules(deductible=terms)))

    charged = [
        settle(tables, _bill(5000), Accumulators(deductible_paid_fen=paid)).deductible_fen
        for paid in (0, 7000, 10000, 12000)
    ]

    assert charged == [5000, 3000, 0, 0]


def _mapping(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def test_without_large_fund_the_rest_is_uncovered() -> None:
    """A book without a large-amount fund leaves everything beyond the pool's cap to the person."""
    rules = simple_rules(large="absent", funds=[fund("pool")])

    benefit = settle(compile_benefit(made_up(rules)), _bill(2_000_000), Accumulators())

    assert benefit.funds == (("pool", 1_000_000),)
    assert benefit.person_in_scope_fen == 1_000_000
    assert benefit.trace[-1].part == "uncovered"
    assert benefit.trace[-1].rule == "rules.pool_cap"


DOUBTS = [
    ("retired", 3, 9_000_000, []),
    ("retired", 3, 16_441_181, ["rules.pool_cap"]),
    ("active", 3, 16_441_181, ["rules.pool_cap", "rules.large[0].ratio"]),
    ("active", 2, 3_000_000, []),
    ("active", 2, 3_000_001, ["rules.bands[1].steps[1].ratio"]),
]


@pytest.mark.parametrize(("person", "level", "in_scope", "paths"), DOUBTS)
def test_doubtful_figures_are_named(
    person: str, level: int, in_scope: int, paths: list[str]
) -> None:
    """What rests on a doubtful figure says so; a doubtful figure it does not touch is silent."""
    tables = compile_benefit(BEIJING)

    bill = _bill(in_scope, person_type=person, hospital_level=level)
    benefit = settle(tables, bill, Accumulators())

    found = [rule.path for rule in doubtful(tables, benefit.trace)]
    assert sorted(found) == sorted(paths)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"in_scope_fen": -1}, "in_scope_fen"),
    ({"in_scope_fen": 100, "total_fen": 99}, "total_fen"),
    ({"in_scope_fen": 0, "total_fen": -1}, "total_fen"),
    ({"in_scope_fen": AMOUNT_MAX_FEN + 1}, "BILL_TOO_LARGE"),
    ({"total_fen": AMOUNT_MAX_FEN + 1}, "BILL_TOO_LARGE"),
    ({"person_type": "child"}, "person_type"),
    ({"hospital_level": -1}, "hospital_level"),
    ({"hospital_level": 4}, "hospital_level"),
    ({"hospital_subtype": "national"}, "hospital_subtype"),
    ({"tier": "highest"}, "tier"),
    ({"category": "rich"}, "category"),
    ({"filing": "none"}, "filing"),
    ({"admission_number": 0}, "admission_number"),
    ({"admission_number": 10_000}, "admission_number"),
    ({"period_number": 0}, "period_number"),
]


@pytest.mark.parametrize(("change", "named"), REFUSED)
def test_refuses_bills_no_rule_speaks_about(change: dict[str, Any], named: str) -> None:
    """A bill that can not be is refused by name and never computed."""
    with pytest.raises(Refused) as refused:
        settle(compile_benefit(BEIJING), _bill(1000, **change), Accumulators())

    assert refused.value.facts.get("field", refused.value.code) == named


@pytest.mark.parametrize("field", Accumulators.__struct_fields__)
@pytest.mark.parametrize("used", [-1, AMOUNT_MAX_FEN + 1])
def test_refuses_impossible_accumulators(field: str, used: int) -> None:
    """An opening balance below zero is somebody's mistake and must not widen a cap."""
    with pytest.raises(Refused, match=f"ACCUMULATORS_INVALID.*{field}"):
        settle(compile_benefit(BEIJING), _bill(1), Accumulators(**{field: used}))
