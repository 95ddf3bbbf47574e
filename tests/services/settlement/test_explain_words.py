"""The explanation in words: a person of seventy reads it, and no code or path is ever shown."""

import re
from typing import get_args

import msgspec
import pytest

from tests.services.settlement.books import beijing
from tests.services.settlement.explained import (
    BENEFITS,
    BY_DIGEST,
    decided,
    every,
    line,
    totals_of,
)
from tests.web import site
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.explain import explain
from tongcheng.services.settlement.explain_model import Explanation, Fact, Reason, leaf
from tongcheng.services.settlement.explain_words import rule_sentences, sentence
from tongcheng.services.settlement.lines import Part
from tongcheng.services.settlement.rule_words import RuleWords, rule_words
from tongcheng.web import Language

VOICES = site.toolkit().voices
CODE = re.compile(r"rules\.|_fen|[a-z]+_[a-z]+|\[\d|\bNone\b")
BOOKS = {book.book_id: book for book in BENEFITS}


def _explained(book_id: str, in_scope: int, before: Accumulators, **more: object) -> Explanation:
    facts = {
        "in_scope_fen": in_scope,
        "total_fen": in_scope + 1_000,
        "person_type": "retired",
        "hospital_level": 3,
        "hospital_subtype": "municipal",
        "admission_number": 1,
        "tier": "low",
        **more,
    }
    bill = msgspec.convert(facts, Bill)
    lines = [line(1, Part("class_c", 1_000))]
    result = decided(BOOKS[book_id], bill, before)
    return explain(totals_of(bill, 1_000), result, lines, BY_DIGEST)


BEIJING = "beijing-employee-inpatient"
USED = Accumulators(pool_paid_fen=824_049, admissions=1, deductible_paid_fen=130_000)
LARGE = _explained(BEIJING, 16_441_181, USED, admission_number=2)
REFERRED = _explained(BEIJING, 2_000_000, Accumulators(), person_type="active", filing="referral")

SAID: tuple[tuple[Explanation, str, Language, str, int], ...] = (
    (LARGE, "deductible", "zh",
     ("本年第 2 次住院的起付线：这一段由您自己付（本年此前已付起付线 1,300 元）"), 65_000),
    (LARGE, "pool", "zh",
     ("650 元到 30,000 元的部分，基金支付 91%（在职 85%，退休人员个人少付四成）"), 2_935_000),
    (LARGE, "pool", "en",
     ("From ¥650 to ¥30,000: the fund pays 91% (85% for those in work, for the "
      "retired the own share is 40% lower)"), 2_935_000),
    (LARGE, "stretch_own", "zh", "650 元到 30,000 元的部分：您付余下的 9%", 264_150),
    (LARGE, "stretch_fund", "en", "From ¥650 to ¥30,000: the fund pays 91%", 2_670_850),
    (LARGE, "pool_cap", "zh",
     ("统筹基金本年最多支付 100,000 元，费用到 97,372.18 元时付满（此前已用 8,240.49 "
      "元）"), 0),
    (LARGE, "large", "zh",
     ("97,372.18 元到 164,411.81 元的部分，大额医疗互助资金支付 80%"), 6_703_963),
    (LARGE, "line_class_c", "en", "样例项目1: not covered by the catalogue of the place", 1_000),
    (REFERRED, "filing", "zh", "您已办理转诊备案", 0),
    (REFERRED, "pool", "zh",
     ("1,300 元到 20,000 元的部分，基金支付 75%（规定的比例是 85%，异地就医按备案情况降 "
      "10 个百分点）"), 1_870_000),
)  # fmt: skip


@pytest.mark.parametrize(("found", "key", "language", "text", "amount_fen"), SAID)
def test_what_a_reason_says(
    found: Explanation, key: str, language: Language, text: str, amount_fen: int
) -> None:
    """Each amount has its sentence; golden G01's bands, a referral, a line."""
    reason = next(each for each in every(found.scope) if each.key == key)

    assert sentence(VOICES[language], reason).replace("\u00a0", " ") == text
    assert reason.amount_fen == amount_fen


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("book_id", BOOKS)
def test_no_sentence_shows_a_code(book_id: str, language: Language) -> None:
    """For every shipped book: each node and each rule has words, and they are words."""
    person = "retired" if "employee" in book_id else "resident"
    found = _explained(
        book_id, 60_000_000, Accumulators(), person_type=person, category="poor", filing="other"
    )

    for root in (found.scope, found.payers):
        for each in every(root):
            said = sentence(VOICES[language], each)
            assert said
            assert not CODE.search(said), said
            for rule in each.rules:
                assert not CODE.search(rule_sentences(VOICES[language], rule)[0])


def test_keys_that_only_a_peer_can_bring_have_words_too() -> None:
    """What moves an amount between payers, or is not explained, is said as well."""
    facts: dict[str, Fact] = {
        "moved_fen": 1,
        "payer": "pool",
        "title_zh": "基金",
        "title_en": "Fund",
    }
    keys = [
        f"{key}{side}"
        for key in ("rounding", "unexplained_payment", "hospital_bears")
        for side in ("", "_more", "_less")
    ]

    for key in (*keys, "cover", "cover_more", "cover_less", "account", "from_account", "hospital"):
        for language in get_args(Language):
            assert sentence(VOICES[language], leaf(key, 1, facts))


def test_the_side_without_the_lines_says_so() -> None:
    """The insured side has no lines: it says where they are."""
    bill = Bill(
        in_scope_fen=0,
        total_fen=500,
        person_type="retired",
        hospital_level=3,
        admission_number=1,
    )
    found = explain(totals_of(bill, 500), decided(beijing(), bill), None, BY_DIGEST)

    said = sentence(VOICES["en"], found.scope.children[0])

    assert said.endswith("(the lines stay where you were treated; they are not here)")


def test_a_fund_without_a_name_here_is_no_code() -> None:
    """Where the book is not on this node a fund is called a fund."""
    reason = Reason("fund", 1, {"fund": "pool_2", "layer": "pool"})

    assert sentence(VOICES["zh"], reason) == "基金支付"


RULES: tuple[tuple[str, Language, str], ...] = (
    ("rules.adjustments[0].personal_share_times", "zh",
     ("依据《北京市城镇职工基本医疗保险住院待遇》（草案），第三十六条（四）："
      "对部分人员的调整 个人负担的部分乘以 60%")),
    ("rules.bands[0].steps[0].ratio", "zh",
     ("依据《北京市城镇职工基本医疗保险住院待遇》（草案），第三十六条：支付比例 "
      "85%")),
    ("rules.pool_cap", "zh",
     ("依据《北京市城镇职工基本医疗保险住院待遇》（草案）：统筹基金年度最高支付限额 "
      "100,000 元")),
    ("rules.pool_cap", "en",
     ("By “Beijing employee basic medical insurance, inpatient benefits” (draft): "
      "the pooled fund's most in a year ¥100,000")),
    ("rules.catastrophic.terms[0].cap", "en",
     ("By “Beijing employee basic medical insurance, inpatient benefits” (draft): "
      "catastrophic cover not stated")),
)  # fmt: skip


@pytest.mark.parametrize(("path", "language", "text"), RULES)
def test_a_rule_is_named_by_title_clause_and_value(
    path: str, language: Language, text: str
) -> None:
    """By clause X of Y, as a person says it; a draft is called one."""
    words = rule_words(BY_DIGEST, beijing().digest, path)

    assert rule_sentences(VOICES[language], words)[0].replace("\u00a0", " ") == text


def test_a_doubtful_rule_says_what_speaks_against_it() -> None:
    """The other source's value stands beside the book's own, with the confidence and the remark."""
    rule = rule_words(BY_DIGEST, beijing().digest, "rules.pool_cap")

    said = rule_sentences(VOICES["en"], rule)

    assert said[1:] == (
        "Medium confidence: two sources agree",
        "Source: 82 cases read out of Beijing policy documents by hand",
        "Another source says ¥500,000",
        f"Note: {rule.remark}",
    )


def test_a_rule_of_a_book_elsewhere_says_so() -> None:
    """Only its digest is known."""
    rule = RuleWords(book_digest="ab" * 32, path="rules.pool_cap", here=False)

    (said,) = rule_sentences(VOICES["zh"], rule)

    assert "本节点没有这份规则" in said
    assert "abababababab" in said
