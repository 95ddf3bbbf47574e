"""The engine against tables that a clerk can check, and against a second implementation."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement import naive
from tests.services.settlement.books import beijing, figure, made_up, simple_rules
from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_yuan
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.engine import (
    Accumulators,
    Benefit,
    Bill,
    accumulate,
    doubtful,
    reverse,
    settle,
)
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, compile_benefit

BEIJING = beijing()
FEN = st.integers(0, 2 * 10**9)

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
"""


def _rows(table: str) -> list[list[str]]:
    lines = [line.replace("|", " ").split() for line in table.strip().splitlines()]
    return lines[1:]


@pytest.mark.parametrize("row", _rows(SIMPLE), ids=" ".join)
def test_simple_book(row: list[str]) -> None:
    """Every boundary of a small book: deductible, band, both caps, used up before and within."""
    person, admission, *amounts = row
    in_scope, pool_used, large_used, *expected = (parse_yuan(text) for text in amounts)
    bill = _bill(in_scope, person=person, admission=int(admission))
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


def _bill(
    in_scope: int, *, total: int | None = None, person: Any = "active", admission: int = 1
) -> Bill:
    return Bill(
        in_scope_fen=in_scope,
        total_fen=total,
        person_type=person,
        hospital_level=3,
        admission_number=admission,
    )


def test_annual_deductible_is_charged_once() -> None:
    """With an annual deductible only what earlier stays left of it is charged, then nothing."""
    rules = simple_rules()
    rules["deductible"] = {**_mapping(rules["deductible"]), "basis": figure("annual")}
    tables = compile_benefit(made_up(rules))

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
    rules = simple_rules(large="absent")
    funds = rules["funds"]
    assert isinstance(funds, list)
    rules["funds"] = [funds[0]]

    benefit = settle(compile_benefit(made_up(rules)), _bill(2_000_000), Accumulators())

    assert benefit.funds == (("pool", 1_000_000),)
    assert benefit.person_in_scope_fen == 1_000_000
    assert benefit.trace[-1].part == "uncovered"
    assert benefit.trace[-1].rule == "rules.pool_cap"


def test_catastrophic_cover_is_announced_not_paid() -> None:
    """What pays at year end is named on the answer and is in none of its amounts."""
    benefit = settle(compile_benefit(BEIJING), _bill(50_000_000), Accumulators())

    assert benefit.announced == (("catastrophic", "year_end"), ("assistance", "on_claim"))
    assert [fund for fund, _ in benefit.funds] == ["pool", "large"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"in_scope_fen": -1}, "BILL_INVALID"),
    ({"in_scope_fen": 100, "total_fen": 99}, "BILL_INVALID"),
    ({"in_scope_fen": 0, "total_fen": -1}, "BILL_INVALID"),
    ({"in_scope_fen": AMOUNT_MAX_FEN + 1}, "BILL_TOO_LARGE"),
    ({"total_fen": AMOUNT_MAX_FEN + 1}, "BILL_TOO_LARGE"),
    ({"person_type": "child"}, "BILL_INVALID"),
    ({"hospital_level": 0}, "BILL_INVALID"),
    ({"hospital_level": 4}, "BILL_INVALID"),
    ({"admission_number": 0}, "BILL_INVALID"),
]


@pytest.mark.parametrize(("change", "code"), REFUSED)
def test_refuses_bills_no_rule_speaks_about(change: dict[str, Any], code: str) -> None:
    """A bill that can not be is refused by name and never computed."""
    bill = msgspec.structs.replace(_bill(1000), **change)

    with pytest.raises(Refused) as refused:
        settle(compile_benefit(BEIJING), bill, Accumulators())

    assert refused.value.code == code


def test_refuses_negative_accumulators() -> None:
    """An opening balance below zero is somebody's mistake and must not widen a cap."""
    with pytest.raises(Refused, match="ACCUMULATORS_INVALID"):
        settle(compile_benefit(BEIJING), _bill(1), Accumulators(pool_paid_fen=-1))


UNKNOWN: list[tuple[dict[str, Any], int, str | None]] = [
    ({"pool_cap": figure(None)}, 10_000, None),
    ({"pool_cap": figure(None)}, 10_001, "rules.pool_cap"),
    (
        {"large": [{"persons": ["active"], "ratio": figure(None), "cap": figure("1")}]},
        1_000_000,
        None,
    ),
    (
        {"large": [{"persons": ["active"], "ratio": figure(None), "cap": figure("1")}]},
        2_000_000,
        "rules.large[0].ratio",
    ),
    (
        {"large": [{"persons": ["active"], "ratio": figure("1"), "cap": figure(None)}]},
        2_000_000,
        "rules.large[0].cap",
    ),
    (
        {"large": [{"persons": ["retired"], "ratio": figure("1"), "cap": figure("1")}]},
        2_000_000,
        "rules.large",
    ),
    (
        {"bands": [{"levels": ["3"], "steps": [{"ratio": figure(None)}]}]},
        20_000,
        "rules.bands[0].steps[0].ratio",
    ),
    ({"bands": [{"levels": ["1"], "steps": [{"ratio": figure("1")}]}]}, 20_000, "rules.bands"),
]


@pytest.mark.parametrize(("changes", "in_scope", "rule"), UNKNOWN)
def test_unknown_figure_is_refused_only_when_needed(
    changes: dict[str, Any], in_scope: int, rule: str | None
) -> None:
    """A null never becomes a default; a case that does not touch it is settled all the same."""
    tables = compile_benefit(made_up(simple_rules(**changes)))
    bill = _bill(in_scope)

    if rule is None:
        settle(tables, bill, Accumulators())
    else:
        with pytest.raises(Refused) as refused:
            settle(tables, bill, Accumulators())
        assert (refused.value.code, refused.value.facts["rule"]) == ("RULE_UNKNOWN", rule)


DOUBTS = [
    ("retired", 3, 9_000_000, []),
    ("retired", 3, 16_441_181, ["rules.pool_cap"]),
    ("active", 3, 16_441_181, ["rules.pool_cap", "rules.large[0].ratio"]),
    ("active", 2, 3_000_000, []),
    ("active", 2, 3_000_001, ["rules.bands[1].steps[1].ratio"]),
]


@pytest.mark.parametrize(("person", "level", "in_scope", "paths"), DOUBTS)
def test_doubtful_figures_are_named(
    person: Any, level: int, in_scope: int, paths: list[str]
) -> None:
    """What rests on a doubtful figure says so; a doubtful figure it does not touch is silent."""
    bill = msgspec.structs.replace(_bill(in_scope, person=person), hospital_level=level)
    tables = compile_benefit(BEIJING)

    benefit = settle(tables, bill, Accumulators())

    found = [rule.path for rule in doubtful(tables, person, benefit.trace)]
    assert sorted(found) == sorted(paths)


ratios = st.integers(0, 10_000).map(lambda points: f"{points // 10_000}.{points % 10_000:04d}")
amounts = st.integers(0, 2 * 10**9).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")


@st.composite
def books(draw: st.DrawFn) -> RuleBook:
    """Any benefit book of the schema, sensible or not."""
    limits = sorted(draw(st.sets(st.integers(1, 10**9), max_size=3)))
    steps: list[Any] = [
        {"to": figure(f"{limit // 100}.{limit % 100:02d}"), "ratio": figure(draw(ratios))}
        for limit in limits
    ]
    steps.append({"ratio": figure(draw(ratios))})
    basis = draw(st.sampled_from(["each_admission", "annual"]))
    rows: list[Any] = [
        {"levels": ["3"], "admission": admission, "amount": figure(draw(amounts))}
        for admission in ("first", "later")
    ]
    return made_up(
        simple_rules(
            deductible={"basis": figure(basis), "rows": rows},
            bands=[{"levels": ["3"], "steps": steps}],
            retired={"method": "personal_share_times", "factor": figure(draw(ratios))},
            pool_cap=figure(draw(amounts)),
            large=[
                {"persons": [person], "ratio": figure(draw(ratios)), "cap": figure(draw(amounts))}
                for person in ("active", "retired")
            ],
        )
    )


bills = st.builds(
    lambda in_scope, beyond, person, admission: Bill(
        in_scope_fen=in_scope,
        total_fen=None if beyond is None else in_scope + beyond,
        person_type=person,
        hospital_level=3,
        admission_number=admission,
    ),
    FEN,
    st.none() | FEN,
    st.sampled_from(["active", "retired"]),
    st.integers(1, 5),
)
accumulators = st.builds(
    Accumulators,
    pool_paid_fen=FEN,
    large_paid_fen=FEN,
    deductible_paid_fen=FEN,
    admissions=st.integers(0, 9),
)


@settings(max_examples=400, deadline=None)
@given(book=st.just(BEIJING) | books(), bill=bills, before=accumulators)
def test_equals_the_naive_implementation(book: RuleBook, bill: Bill, before: Accumulators) -> None:
    """The integer engine and plain fractions agree on every figure, to the fen, for any book."""
    benefit = settle(compile_benefit(book), bill, before)

    expected = naive.settle(book, bill, before)
    assert {name: getattr(benefit, name) for name in expected} == expected


@settings(max_examples=200, deadline=None)
@given(book=st.just(BEIJING) | books(), bill=bills, before=accumulators)
def test_void_is_the_exact_negative(book: RuleBook, bill: Bill, before: Accumulators) -> None:
    """A void mirrors every amount and gives the accumulators back; its void is the original."""
    benefit = settle(compile_benefit(book), bill, before)

    void = reverse(benefit)

    for field in Benefit.__struct_fields__:
        if field.endswith("_fen") and getattr(benefit, field) is not None:
            assert getattr(void, field) == -getattr(benefit, field)
    assert void.funds == tuple((fund, -fen) for fund, fen in benefit.funds)
    assert accumulate(accumulate(before, benefit), void) == before
    assert reverse(void) == benefit


@settings(max_examples=200, deadline=None)
@given(book=st.just(BEIJING) | books(), bill=bills, before=accumulators)
def test_trace_covers_the_line_and_can_be_signed(
    book: RuleBook, bill: Bill, before: Accumulators
) -> None:
    """The rows lie end to end from zero to the in-scope amount, and fit canonical bytes."""
    benefit = settle(compile_benefit(book), bill, before)

    ends = [0, *(row.to_fen for row in benefit.trace)]
    assert [row.from_fen for row in benefit.trace] == ends[:-1]
    assert ends[-1] == bill.in_scope_fen
    raw = canonical.encode(benefit)
    assert canonical.decode_as(raw, Benefit) == benefit


@settings(max_examples=200, deadline=None)
@given(book=st.just(BEIJING) | books(), bill=bills, before=accumulators, more=FEN)
def test_more_in_scope_never_pays_less(
    book: RuleBook, bill: Bill, before: Accumulators, more: int
) -> None:
    """No fund pays less because more of the bill is in scope."""
    tables = compile_benefit(book)
    larger = msgspec.structs.replace(bill, in_scope_fen=bill.in_scope_fen + more, total_fen=None)

    less, greater = settle(tables, bill, before), settle(tables, larger, before)

    assert less.pool_fen <= greater.pool_fen
    assert less.large_fen <= greater.large_fen
