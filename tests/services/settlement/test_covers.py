"""Second covers and the funds that pay them, against tables that a clerk can check."""

from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import beijing, figure, flat_rules, fund, made_up
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, Expected, accumulate, reverse
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

TITLE: Plain = {"zh": "虚构", "en": "made up"}


def _terms(
    deductible: str | None = "1000",
    steps: tuple[tuple[str | None, str | None], ...] = (("500", "0.6"), (None, "0.7")),
    cap: str | None = "2000",
    **others: Any,
) -> dict[str, Any]:
    """Return the terms of one cover: nothing up to 1,000, 0.6 of the next 500, then 0.7."""
    written = [
        {"ratio": figure(ratio)} | ({} if to is None else {"to": figure(to)}) for to, ratio in steps
    ]
    return {"deductible": figure(deductible), "steps": written, "cap": figure(cap), **others}


def _rules(paid_at: str = "discharge", **covers: dict[str, Any]) -> dict[str, Any]:
    """Return a book whose pool pays nothing: what is in scope is the burden."""
    layer = None if paid_at == "discharge" else "announced"
    funds: list[Any] = [fund("pool"), *(fund(name, layer, paid_at) for name in covers)]
    written: dict[str, Any] = {
        name: {"title": TITLE, "terms": [terms]} for name, terms in covers.items()
    }
    return flat_rules(
        "0.5", **{"pool_cap": figure("0"), "large": "absent", "funds": funds, **written}
    )


def _settle(rules: dict[str, Any], in_scope: str, before: Accumulators, **bill: Any) -> Benefit:
    asked = Bill(
        in_scope_fen=parse_yuan(in_scope),
        total_fen=None,
        person_type="active",
        hospital_level=3,
        admission_number=1,
    )
    return settle(compile_benefit(made_up(rules)), msgspec.structs.replace(asked, **bill), before)


# Borne before in the year, what this stay adds, what the cover has paid, what it pays now.
YEAR = """
borne adds    used | pays
0     1000    0    | 0
0     1000.01 0    | 0.01
0     1500    0    | 300
0     1500.01 0    | 300.01
0     2000    0    | 650
1000  0       0    | 0
1000  500     0    | 300
500   1000    0    | 300
500   500     0    | 0
1400  200     240  | 130
1500  100     300  | 70
0     5000    0    | 2000
1500  3500    300  | 1700
9000  100     2000 | 0
9000  100     1999 | 1
9000  100     9999 | 0
"""
_BY_BURDEN = _terms(steps=(("1500", "0.6"), (None, "0.7")), measure="burden")


@pytest.mark.parametrize("terms", [_terms(), _BY_BURDEN], ids=["excess", "burden"])
@pytest.mark.parametrize("row", YEAR.strip().splitlines()[1:])
def test_cover_of_a_year(row: str, terms: dict[str, Any]) -> None:
    """Each boundary of the deductible, a step and the cap; limits may count from either zero."""
    borne, adds, used, pays = row.replace("|", " ").split()
    before = Accumulators(
        burden_fen=parse_yuan(borne), catastrophic_paid_fen=parse_yuan(used), admissions=1
    )

    benefit = _settle(_rules(catastrophic=terms), adds, before)

    assert benefit.catastrophic_fen == parse_yuan(pays)
    assert benefit.burden_fen == parse_yuan(adds)
    assert benefit.person_in_scope_fen == parse_yuan(adds) - parse_yuan(pays)
    assert benefit.funds == (("pool", 0), ("catastrophic", parse_yuan(pays)))


def test_cover_without_limit() -> None:
    """Where a source says that there is no limit, no year is so dear that nothing more is paid."""
    before = Accumulators(burden_fen=AMOUNT_MAX_FEN, catastrophic_paid_fen=AMOUNT_MAX_FEN)

    benefit = _settle(_rules(catastrophic=_terms(cap="none")), "1000", before)

    assert benefit.catastrophic_fen == 70_000


def test_rows_of_the_year_in_the_trace() -> None:
    """The rows lie on the year's burden, from what was borne before to what is borne now."""
    benefit = _settle(_rules(catastrophic=_terms()), "1000", Accumulators(burden_fen=80_000))

    rows = [row for row in benefit.trace if row.part == "catastrophic"]
    assert [(row.rule, row.from_fen, row.to_fen, row.amount_fen) for row in rows] == [
        ("rules.catastrophic.terms[0].steps[0].ratio", 100_000, 150_000, 30_000),
        ("rules.catastrophic.terms[0].steps[1].ratio", 150_000, 180_000, 21_000),
    ]


_HALF = _terms("0", ((None, "0.5"),), "500")
# Who, what this stay adds: what each cover pays. Assistance pays half of what the other leaves.
BOTH = """
category adds | catastrophic assistance
general  2000 | 650          0
poor     1000 | 0            500
poor     800  | 0            400
poor     1500 | 300          500
"""


@pytest.mark.parametrize("row", BOTH.strip().splitlines()[1:])
def test_assistance_after_the_other_cover(row: str) -> None:
    """Assistance looks at what is left after the first cover, of persons entitled to it only."""
    category, adds, *paid = row.replace("|", " ").split()
    rules = _rules(catastrophic=_terms(), assistance={**_HALF, "categories": ["poor"]})

    benefit = _settle(rules, adds, Accumulators(), category=category)

    found = [benefit.catastrophic_fen, benefit.assistance_fen]
    assert found == [parse_yuan(text) for text in paid]


def test_assistance_goes_on_where_the_year_stands() -> None:
    """Of 2,000 borne before 650 were paid back: assistance begins at 1,350, not at 2,000.

    Of the next 100 the first cover pays 70; assistance pays half of the 30 that are left.
    """
    rules = _rules(catastrophic=_terms(), assistance=_terms("1350", ((None, "0.5"),), "none"))
    before = Accumulators(burden_fen=200_000, catastrophic_paid_fen=65_000)

    benefit = _settle(rules, "100", before)

    assert (benefit.catastrophic_fen, benefit.assistance_fen) == (7000, 1500)
    assert (benefit.trace[-1].from_fen, benefit.trace[-1].to_fen) == (135_000, 138_000)


def test_assistance_of_one_whom_the_other_cover_no_longer_covers() -> None:
    """What was paid back in the year is off the burden, though nothing more is paid back now."""
    rules = _rules(
        catastrophic={**_terms(), "categories": ["general"]},
        assistance=_terms("1400", ((None, "0.5"),), "none"),
    )
    before = Accumulators(burden_fen=200_000, catastrophic_paid_fen=65_000)

    benefit = _settle(rules, "100", before, category="poor")

    assert (benefit.catastrophic_fen, benefit.assistance_fen) == (0, 2500)


def test_assistance_after_what_an_announced_cover_has_paid() -> None:
    """An import says that the announced cover has paid 650 of the year: it is off the burden."""
    rules = _rules(catastrophic=_terms(), assistance=_terms("1400", ((None, "0.5"),), "none"))
    rules["funds"][1] = fund("catastrophic", "announced", "year_end")
    before = Accumulators(burden_fen=200_000, catastrophic_paid_fen=65_000)

    benefit = _settle(rules, "100", before)

    assert (benefit.catastrophic_fen, benefit.assistance_fen) == (0, 2500)
    assert benefit.announced == (Expected("catastrophic", "year_end", 7000),)


UNKNOWN: list[tuple[dict[str, Any], str, str | None]] = [
    (_terms(None), "0", None),
    (_terms(None), "0.01", "deductible"),
    (_terms(cap=None), "1000", None),
    (_terms(cap=None), "1000.01", "cap"),
    (_terms(steps=(("500", "0.6"), (None, None))), "1500", None),
    (_terms(steps=(("500", "0.6"), (None, None))), "1500.01", "steps[1].ratio"),
    (_terms(steps=(("500", "0.6"), (None, None)), cap="300"), "1600", None),
]


@pytest.mark.parametrize(("terms", "adds", "rule"), UNKNOWN)
def test_unknown_figure_of_a_cover(terms: dict[str, Any], adds: str, rule: str | None) -> None:
    """At discharge it refuses the bill that needs it; in an announcement it leaves the amount out.

    An unknown cap does not: the announcement says what may be paid at most.
    """
    paid, announced = (_rules(when, catastrophic=terms) for when in ("discharge", "year_end"))

    if rule is None:
        _settle(paid, adds, Accumulators())
    else:
        with pytest.raises(Refused) as refused:
            _settle(paid, adds, Accumulators())
        assert refused.value.facts["rule"] == f"rules.catastrophic.terms[0].{rule}"

    (expected,) = _settle(announced, adds, Accumulators()).announced
    assert (expected.amount_fen is None) == (rule not in {None, "cap"})


def test_announced_cover_is_in_no_amount() -> None:
    """What pays later is named with its time and amount, and the person bears it today."""
    rules = _rules("year_end", catastrophic=_terms())

    benefit = _settle(rules, "2000", Accumulators())

    assert benefit.announced == (Expected("catastrophic", "year_end", 65_000),)
    assert benefit.funds == (("pool", 0),)
    assert (benefit.catastrophic_fen, benefit.person_in_scope_fen) == (0, 200_000)


def test_void_takes_an_announcement_back() -> None:
    """A void announces the exact negative, so that its own void is the settlement again."""
    benefit = _settle(_rules("year_end", catastrophic=_terms()), "2000", Accumulators())

    void = reverse(benefit)

    assert void.announced == (Expected("catastrophic", "year_end", -65_000),)
    assert reverse(void) == benefit


def test_shipped_book_announces() -> None:
    """A large Beijing bill: 500,000 in scope, worker, level 3, first of the year.

    Pool 100,000 (reached at 110,110.53), large fund 0.85 of the rest: 331,406.05. Of the burden of
    68,593.95 what exceeds 30,404 is 38,189.95, of which 0.6 is expected after the year's end.
    """
    bill = Bill(
        in_scope_fen=50_000_000,
        total_fen=None,
        person_type="active",
        hospital_level=3,
        admission_number=1,
    )

    benefit = settle(compile_benefit(beijing()), bill, Accumulators())

    assert (benefit.pool_fen, benefit.large_fen) == (10_000_000, 33_140_605)
    assert benefit.burden_fen == 6_859_395
    assert benefit.announced == (
        Expected("catastrophic", "year_end", 2_291_397),
        Expected("assistance", "on_claim", None),
    )


def test_year_of_a_person() -> None:
    """Three stays of a year and the void of the second: each figure of the accumulators.

    The third stay stands as it was settled, though the year it began from has changed since.
    """
    rules, year = _rules(catastrophic=_terms()), Accumulators()
    stays = []
    for adds in ("900", "600", "200"):
        stays.append(_settle(rules, adds, year))
        year = accumulate(year, stays[-1])

    year = accumulate(year, reverse(stays[1]))

    assert [stay.catastrophic_fen for stay in stays] == [0, 30_000, 14_000]
    assert year == Accumulators(admissions=2, burden_fen=110_000, catastrophic_paid_fen=14_000)


_LATER: dict[str, Any] = {"title": TITLE, "terms": [_terms()]}
UNSOUND: list[tuple[dict[str, Any], str]] = [
    ({"catastrophic": {"title": TITLE, "terms": [_terms(), _terms()]}}, "catastrophic.terms[1]"),
    (
        {"catastrophic": {"title": TITLE, "terms": [_terms(categories=["poor"]), _terms()]}},
        "catastrophic.terms[1]",
    ),
    ({"catastrophic": {"title": TITLE, "terms": [_terms(steps=())]}}, "catastrophic.terms[0]"),
    *(
        ({"catastrophic": {"title": TITLE, "terms": [terms]}}, f"catastrophic.terms[0].{path}")
        for terms, path in (
            (_terms(steps=((None, "0.5"), (None, "0.5"))), "steps[0]"),
            (_terms(steps=(("5", "0.5"),)), "steps[0]"),
            (_terms(steps=(("5", "0.5"), ("5", "0.5"), (None, "1"))), "steps[1]"),
            (_terms(steps=(("0", "0.5"), (None, "1"))), "steps[0]"),
            (_terms(steps=(("1000", "0.5"), (None, "1")), measure="burden"), "steps[0]"),
            (_terms(steps=((None, "1.5"),)), "steps[0].ratio"),
        )
    ),
    ({"catastrophic": _LATER, "funds": [fund("pool")]}, "catastrophic"),
    ({"funds": [fund("pool"), fund("catastrophic")]}, "funds"),
    ({"catastrophic": _LATER, "funds": [fund("catastrophic"), fund("pool")]}, "funds"),
    ({"funds": [fund("pool"), fund("pool", "announced", "year_end")]}, "funds"),
]


@pytest.mark.parametrize(("changes", "path"), UNSOUND)
def test_unsound_cover_is_refused(changes: dict[str, Any], path: str) -> None:
    """A cover or a fund that could pay nonsense is refused before any bill, with its path."""
    funds = [fund("pool"), fund("catastrophic")]
    rules = flat_rules("0.5", **{"large": "absent", "funds": funds, **changes})

    with pytest.raises(Refused) as refused:
        compile_benefit(made_up(rules))

    assert (refused.value.code, refused.value.facts["path"]) == (
        "RULE_BOOK_SCHEMA",
        f"rules.{path}",
    )
