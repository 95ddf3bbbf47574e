"""The settlement pages: the title is the answer, the figures add up, a difference is not hidden."""

import html as html_lib
import re

import msgspec
import pytest

from tests.services.settlement import samples
from tests.web import site
from tongcheng.kernel.access import Reader
from tongcheng.services.settlement import pages_view, stays_view
from tongcheng.services.settlement.views import Record, StaysQuery, StayState
from tongcheng.web import Language, Page

TOOLS = site.toolkit()

HEADLINES: tuple[tuple[StayState, str, str], ...] = (
    (
        "settled",
        "总费用 189,085.85 元，基金支付 145,391.22 元，个人负担 43,694.63 元",
        "Of ¥189,085.85, the funds pay ¥145,391.22 and the person ¥43,694.63",
    ),
    (
        "pending",
        "正在等北京答复，自 11月22日 17:57:05 起",
        "Waiting for Beijing since 22 Nov 17:57:05",
    ),
    ("refused", "北京未予结算", "Beijing refused to settle"),
    (
        "voiding",
        "正在等北京确认撤销，自 11月22日 17:57:05 起",
        "Waiting for Beijing to confirm the void since 22 Nov 17:57:05",
    ),
    ("voided", "结算已撤销，189,085.85 元 已全额冲回", "Voided: ¥189,085.85 was reversed in full"),
    (
        "disputed",
        "北京不接受撤销，须人工核对",
        "Beijing refused the void; people must settle what stands",
    ),
    ("admitted", "在院治疗，尚未结算", "In hospital, not settled yet"),
    ("discharged", "已出院，尚未结算", "Discharged, not settled yet"),
)


def _page(language: Language = "zh", *actions: str) -> Page:
    reader = Reader("account/sample", frozenset(actions))
    return Page(TOOLS, language, f"/{language}/settlement/stays", reader=reader)


def _text(html: str) -> str:
    return html_lib.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html)))


@pytest.mark.parametrize(("state", "zh", "en"), HEADLINES)
def test_the_title_of_a_stay_is_its_answer(state: StayState, zh: str, en: str) -> None:
    """Whoever opens the page knows the answer from its first line."""
    view = samples.stay(state)

    assert pages_view.stay_headline(_page("zh"), view).replace("\u00a0", " ") == zh
    assert pages_view.stay_headline(_page("en"), view) == en


NEXT: tuple[tuple[StayState, str], ...] = (
    ("pending", "已等 3 分钟。北京恢复应答后自动补送"),
    ("voiding", "已等 3 分钟。北京确认后基金支付全额冲回"),
    ("discharged", "等医院发起结算"),
    ("admitted", "出院时由医院发起结算"),
    ("disputed", "须人工处理"),
)


@pytest.mark.parametrize(("state", "words"), NEXT)
def test_a_stay_that_is_not_done_says_what_comes_next(state: StayState, words: str) -> None:
    """How long it has waited, who acts next, and that nobody need ask again."""
    assert words in _text(str(pages_view.stay(_page(), samples.stay(state)).content))


def test_a_void_before_settlement_moved_no_money() -> None:
    """A tombstone is told apart from a reversal."""
    view = msgspec.structs.replace(samples.stay("voided"), amounts=None, bands=())

    assert "no money moved" in pages_view.stay_headline(_page("en"), view)


def test_the_list_says_how_many_and_how_much() -> None:
    """Its title has the counts; what waits says for how long."""
    text = _text(stays_view.stays(_page("en"), samples.stays()).content)

    assert "187 settled, 3 open" in text
    assert "Pending 12 minutes" in text, "what waits shows its age"


def test_the_fragment_keeps_the_filter_and_pauses() -> None:
    """A filtered list stays filtered when it refreshes; a paused one does not refresh."""
    asked = StaysQuery(state="pending")
    live = stays_view.stays_rows(_page(), samples.stays(query=asked)).content
    asked = msgspec.structs.replace(asked, live=False)
    paused = stays_view.stays_rows(_page(), samples.stays(query=asked)).content

    assert 'hx-get="/zh/settlement/stays/rows?state=pending"' in live
    assert 'href="/zh/settlement/stays?state=pending&amp;live=0"' in live
    assert "hx-get" not in paused
    assert live.startswith("<div")


def test_sides_that_agree_and_sides_that_do_not() -> None:
    """One fen of difference changes the heading and marks its line."""
    view = samples.stay()
    visited, insured = view.sides
    wrong = tuple(
        Record(each.key, fen=each.fen + 1) if each.key == "between" and each.fen else each
        for each in insured.records
    )
    other = msgspec.structs.replace(
        view, sides=(visited, msgspec.structs.replace(insured, records=wrong))
    )

    same_page = _text(pages_view.stay(_page(), view).content)
    other_page = _text(pages_view.stay(_page(), other).content)

    assert "两地记录一致" in same_page
    assert "两地记录不一致" in other_page
    assert other_page.count("不一致") == 2


def test_the_page_shows_the_proof_of_each_step() -> None:
    """Each envelope leads to its proof, for whom may see it; a draft rule book is marked."""
    html = pages_view.stay(_page("en", "journal.entry.read"), samples.stay()).content
    without = pages_view.stay(_page("en"), samples.stay()).content

    assert re.findall(r'href="/en/journal/entries/([^"]+)"', html) == [
        step.envelope_id for step in samples.CHAIN
    ]
    assert "/journal/" not in without
    assert "By draft rules" in html
    assert "Signature verified" in html


def test_amounts_that_do_not_add_up_never_reach_a_page() -> None:
    """A view whose boxes do not add up is our bug, caught when it is made."""
    with pytest.raises(AssertionError, match="payers"):
        msgspec.structs.replace(samples.AMOUNTS, hospital_part_fen=1)
