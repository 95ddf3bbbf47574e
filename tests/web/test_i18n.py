"""Numbers, money and dates as people say them, in both languages; money never through a float."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel.texts import Texts
from tongcheng.web import i18n

NOW = 1_795_341_605_678  # 2026-11-22 18:00:05 in Asia/Shanghai
ZONE = "Asia/Shanghai"

MONEY = (
    # fen, zh, en
    (0, "0.00\u00a0元", "¥0.00"),
    (5, "0.05\u00a0元", "¥0.05"),
    (123_456, "1,234.56\u00a0元", "¥1,234.56"),
    (-123_456, "−1,234.56\u00a0元", "−¥1,234.56"),
    (2**53 - 1, "90,071,992,547,409.91\u00a0元", "¥90,071,992,547,409.91"),
)
SAID = (
    # fen, zh, en
    (999_999, "", ""),
    (1_000_000, "约 1 万元", ""),
    (312_345_678, "约 312.35 万元", "about ¥3.12 million"),
    (1_234_567_890_00, "约 12.35 亿元", "about ¥1.23 billion"),
)
ACCEPTED = (
    # Accept-Language, chosen
    ("", "zh"),
    ("en", "en"),
    ("en-GB,en;q=0.9,zh;q=0.8", "en"),
    ("fr,zh-CN;q=0.8,en;q=0.7", "zh"),
    ("de", "zh"),
    ("en;q=nonsense, zh;q=0.1", "zh"),
    (",;;q=,=", "zh"),
)


@pytest.mark.parametrize(("fen", "zh", "en"), MONEY)
def test_money_is_exact_with_its_unit(fen: int, zh: str, en: str) -> None:
    """The unit stands where the language puts it, and no fen is lost."""
    assert (i18n.money(fen, "zh"), i18n.money(fen, "en")) == (zh, en)


@pytest.mark.parametrize(("fen", "zh", "en"), SAID)
def test_large_amounts_are_said_as_people_say_them(fen: int, zh: str, en: str) -> None:
    """万 and 亿 beside the exact value in Chinese, million and billion in English."""
    assert (i18n.money_said(fen, "zh"), i18n.money_said(fen, "en")) == (zh, en)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_an_amount_reads_back_to_the_fen(fen: int) -> None:
    """What a clerk reads is what the ledger holds."""
    written = i18n.amount(fen).replace(",", "").replace(".", "").replace(i18n.MINUS, "-")

    assert int(written) == fen


def test_dates_are_in_the_zone_of_the_region() -> None:
    """An instant is shown on the region's wall clock, a date as its language writes it."""
    assert i18n.moment(NOW, "zh", ZONE) == "11月22日 18:00:05"
    assert i18n.moment(NOW, "en", ZONE) == "22 Nov 18:00:05"
    assert i18n.time_of_day(NOW, ZONE) == "18:00:05"
    assert i18n.day(date(2026, 1, 3), "zh") == "2026年1月3日"
    assert i18n.day(date(2026, 1, 3), "en") == "3 Jan 2026"
    assert i18n.month("2026-01", "zh") == "2026年1月"
    assert i18n.month("2026-01", "en") == "January 2026"


def test_rates_and_counts() -> None:
    """Basis points become per cent without a needless zero."""
    assert [i18n.percent(bp, "zh") for bp in (8_500, 9_750, 10_000, 0)] == [
        "85%",
        "97.5%",
        "100%",
        "0%",
    ]
    assert i18n.number(-1_234_567, "en") == "−1,234,567"


def test_plurals_follow_the_language() -> None:
    """English has a singular; Chinese has one form."""
    texts = Texts(
        {
            "stay.one": {"zh": "{count} 笔", "en": "{count} stay"},
            "stay.other": {"zh": "{count} 笔", "en": "{count} stays"},
        }
    )

    said = [i18n.plural(texts, "stay", count, "en") for count in (0, 1, 1_200)]

    assert said == ["0 stays", "1 stay", "1,200 stays"]
    assert i18n.plural(texts, "stay", 1, "zh") == "1 笔"


@pytest.mark.parametrize(("header", "language"), ACCEPTED)
def test_a_browser_is_answered_in_its_language(header: str, language: str) -> None:
    """Chinese unless English is asked for; nonsense in a header is no error."""
    assert i18n.preferred(header) == language


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    """A stranger's header never raises."""
    assert i18n.preferred(header) in i18n.LANGUAGES


def test_the_language_link_leads_to_the_same_page() -> None:
    """The other language is one click away, with the same query."""
    assert i18n.in_other_language("/zh") == "/en"
    assert i18n.in_other_language("/en/settlement/stays", "state=pending") == (
        "/zh/settlement/stays?state=pending"
    )
    assert i18n.language_of_path("/english") is None
