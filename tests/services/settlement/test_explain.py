"""The explanation of a bill: the amounts of parts add up, whoever pays, and each has its rule."""

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.services.settlement.books import beijing
from tests.services.settlement.explained import (
    BENEFITS,
    BY_DIGEST,
    COVERING,
    decided,
    every,
    line,
    totals_of,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.explain import explain
from tongcheng.services.settlement.explain_lines import LINES_SHOWN
from tongcheng.services.settlement.explain_model import Explanation, Reason, added, leaves
from tongcheng.services.settlement.lines import Part
from tongcheng.services.settlement.model import BenefitResult, FundPayment
from tongcheng.services.settlement.rule_words import rule_words
from tongcheng.services.settlement.rules import CATEGORIES, FILINGS, LEVELS, SUBTYPES, TIERS

FEN = st.integers(0, 100_000_000)
BEIJING = beijing()


def _bill(in_scope: int, **more: object) -> Bill:
    facts = {
        "in_scope_fen": in_scope,
        "total_fen": in_scope,
        "person_type": "retired",
        "hospital_level": 3,
        "admission_number": 1,
        **more,
    }
    return msgspec.convert(facts, Bill)


def _holds(found: Explanation, result: BenefitResult, total_fen: int) -> None:
    """Check the laws of both cuts."""
    for root in (found.scope, found.payers):
        assert root.amount_fen == total_fen
        for each in every(root):
            assert not each.children or added(each.children) == each.amount_fen, each.key
    paid: dict[str, int] = {}
    for each in leaves(found.scope):
        payer = str(each.facts.get("payer", "person"))
        paid[payer] = paid.get(payer, 0) + each.amount_fen
    expected = {each.fund: each.amount_fen for each in result.funds}
    expected |= {"person": result.person_fen, "hospital": result.hospital_fen}
    assert {k: v for k, v in paid.items() if v} == {k: v for k, v in expected.items() if v}


def _known(book: RuleBook, bill: Bill, before: Accumulators) -> BenefitResult | None:
    """Return the answer, None where the book does not know a figure."""
    try:
        return decided(book, bill, before)
    except Refused as refused:
        if refused.code != "RULE_UNKNOWN":
            raise
        return None


@given(data=st.data())
@settings(max_examples=300)
def test_parts_add_up_to_the_fen(data: st.DataObject) -> None:
    """Whatever the books, the person, the year before: every sum holds, nothing is unexplained."""
    book = BENEFITS[data.draw(st.integers(0, len(BENEFITS) - 1))]
    self_paid, over, first, in_scope = (data.draw(FEN) for _ in range(4))
    bill = _bill(
        in_scope,
        total_fen=in_scope + self_paid + over + first,
        person_type=data.draw(st.sampled_from(tables_of(book).persons)),
        hospital_level=data.draw(st.sampled_from(LEVELS)),
        hospital_subtype=data.draw(st.sampled_from(SUBTYPES)),
        tier=data.draw(st.sampled_from(TIERS)),
        category=data.draw(st.sampled_from(CATEGORIES)),
        filing=data.draw(st.sampled_from(FILINGS)),
        admission_number=data.draw(st.integers(1, 3)),
    )
    before = Accumulators(
        pool_paid_fen=data.draw(st.integers(0, 40_000_000)),
        large_paid_fen=data.draw(st.integers(0, 50_000_000)),
        burden_fen=data.draw(FEN),
    )
    result = _known(book, bill, before)
    assume(result is not None)
    assert result is not None

    found = explain(totals_of(bill, self_paid, over, first), result, None, BY_DIGEST)

    _holds(found, result, bill.total_fen or 0)
    keys = {each.key for root in (found.scope, found.payers) for each in every(root)}
    assert not [key for key in keys if key.startswith("unexplained")]


@pytest.mark.parametrize("part", ["in_scope", "funds", "hospital"])
def test_what_a_peer_does_not_explain_is_named(part: str) -> None:
    """A trace that leaves an amount open, or pays another: the sums hold, the gap has a name."""
    bill = _bill(5_000_000)
    result = decided(BEIJING, bill)
    payment = result.funds[0]
    changes: dict[str, dict[str, object]] = {
        "in_scope": {"trace": result.trace[:-1]},
        "funds": {
            "funds": [msgspec.structs.replace(payment, amount_fen=payment.amount_fen - 777)],
            "person_fen": result.person_fen + 777 + sum(x.amount_fen for x in result.funds[1:]),
        },
        "hospital": {"hospital_fen": 12_345, "person_fen": result.person_fen - 12_345},
    }
    result = msgspec.structs.replace(result, **changes[part])

    found = explain(totals_of(bill), result, None, BY_DIGEST)

    _holds(found, result, 5_000_000)
    keys = {each.key for each in every(found.scope)}
    expected = {
        "in_scope": "unexplained",
        "funds": "unexplained_payment",
        "hospital": "hospital_bears",
    }
    assert expected[part] in keys


def test_two_funds_of_one_layer_are_still_both_there() -> None:
    """A peer may pay one layer from two purses: the second is shown, without a reason."""
    bill = _bill(5_000_000)
    result = decided(BEIJING, bill)
    more = FundPayment(fund="second", layer="pool", purse="p/second", amount_fen=100)
    result = msgspec.structs.replace(
        result, funds=[more, *result.funds], person_fen=result.person_fen - 100
    )

    payers = explain(totals_of(bill), result, None, BY_DIGEST).payers

    shown = {each.facts.get("fund"): each for each in payers.children if each.key == "fund"}
    assert shown["second"].amount_fen == 100
    assert [each.key for each in shown["second"].children] == ["unexplained"]
    for each in every(payers):
        assert not each.children or added(each.children) == each.amount_fen


def test_a_second_cover_takes_over_what_the_person_would_bear() -> None:
    """It pays by steps of the year's burden; the bill stays, the person bears that much less."""
    bill = _bill(20_000_000, person_type="resident", tier="low", category="poor")
    result = decided(COVERING, bill, Accumulators(burden_fen=1_000_000))

    found = explain(totals_of(bill), result, None, BY_DIGEST)

    _holds(found, result, 20_000_000)
    cover = next(each for each in every(found.scope) if each.key == "cover")
    pays, less = cover.children
    # 10,000 before and 500 + 35 % of 199,500 now: 80,325, of which 60 % beyond 28,000.
    assert cover.amount_fen == 0
    assert (pays.amount_fen, less.amount_fen) == (3_139_500, -3_139_500)
    (step,) = pays.children
    assert (step.facts["from_fen"], step.facts["to_fen"]) == (2_800_000, 8_032_500)
    assert step.facts["ratio_e8"] == 60_000_000
    assert step.doubtful


def _keys(reason: Reason) -> list[str]:
    return [each.key for each in reason.children]


def test_lines_stand_under_the_part_that_they_made() -> None:
    """Each scope lists its lines, largest first, refunds too; what they do not give is named."""
    lines = [
        line(1, Part("class_c", 5_000)),
        line(2, Part("class_c", 9_000)),
        line(3, Part("class_c", -1_000), quantity_e4=-10_000),
        line(
            4,
            Part("over_ceiling", 300, ceiling_e6=120_450_000),
            Part("first_self_pay", 200, ratio_bp=1_000),
            Part("in_scope", 1_800),
        ),
    ]
    bill = _bill(1_800, total_fen=1_800 + 13_001 + 300 + 200)
    totals = totals_of(bill, 13_001, 300, 200)
    result = decided(BEIJING, bill)

    found = explain(totals, result, lines, BY_DIGEST)

    _holds(found, result, totals.total_fen)
    in_scope, first, over, own = found.scope.children
    assert [each.amount_fen for each in own.children] == [9_000, 5_000, -1_000, 1]
    assert _keys(own) == ["line_class_c"] * 3 + ["lines_differ"]
    assert over.children[0].facts["ceiling_e6"] == 120_450_000
    assert first.children[0].facts["ratio_bp"] == 1_000
    assert in_scope.key == "in_scope"


def test_a_long_bill_lists_its_largest_lines() -> None:
    """20,000 lines are not 20,000 rows: the smaller ones stand together, and still add up."""
    lines = [line(number, Part("class_c", number)) for number in range(1, LINES_SHOWN + 4)]
    own_fen = sum(range(1, LINES_SHOWN + 4))
    bill = _bill(0, total_fen=own_fen)

    found = explain(totals_of(bill, own_fen), decided(BEIJING, bill), lines, BY_DIGEST)

    (own,) = found.scope.children
    assert len(own.children) == LINES_SHOWN + 1
    assert own.children[-1].key == "line_others"
    assert own.children[-1].amount_fen == 1 + 2 + 3


def test_a_rule_says_all_that_its_book_says() -> None:
    """Title, dates, clause, value as stated, sources, confidence, the other value, the remark."""
    found = rule_words(BY_DIGEST, BEIJING.digest, "rules.pool_cap")

    assert (found.here, found.status, found.book_id) == (True, "draft", BEIJING.book_id)
    assert (found.title_zh, found.from_on) == ("北京市城镇职工基本医疗保险住院待遇", "2022-01-01")
    assert (found.value, found.confidence, found.doubtful) == ("100000", "medium", True)
    assert [each.value for each in found.conflicts] == ["500000"]
    assert found.sources[0].what.startswith("82 cases")
    assert found.conflicts[0].sources[0].what.startswith("secondary compilation")
    band = rule_words(BY_DIGEST, BEIJING.digest, "rules.bands[0].steps[0].ratio")
    assert (band.value, band.clause, band.section) == ("0.85", "第三十六条", "bands")
    share = "rules.adjustments[0].personal_share_times"
    assert rule_words(BY_DIGEST, BEIJING.digest, share).persons == ("retired",)


@pytest.mark.parametrize(
    "path",
    ["rules.bands", "rules.bands[9].steps[0].ratio", "rules..x", "", "x" * 5000, "rules[0]", "[0]"],
)
def test_a_path_that_leads_nowhere_is_doubtful(path: str) -> None:
    """A peer's trace may name anything; the book says nothing about it."""
    found = rule_words(BY_DIGEST, BEIJING.digest, path)

    assert (found.here, found.value, found.doubtful) == (True, None, True)


def test_a_book_that_is_not_here_is_named_by_its_digest() -> None:
    """The tree still adds up, and says that the book is elsewhere."""
    bill = _bill(5_000_000)
    result = decided(BEIJING, bill)

    found = explain(totals_of(bill), result, None, {})

    _holds(found, result, 5_000_000)
    rules = [rule for each in every(found.scope) for rule in each.rules]
    assert rules
    assert {(rule.here, rule.book_digest, rule.value) for rule in rules} == {
        (False, BEIJING.digest, None)
    }
