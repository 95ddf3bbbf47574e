"""The desk in words: its title is the answer, every row says since when, why and where."""

import html as html_lib
import re

import msgspec
import pytest

from tests.services.settlement import samples_desk
from tests.services.settlement.samples import NOW
from tests.web import site
from tongcheng.kernel.access import Reader
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.services.settlement import ages
from tongcheng.services.settlement.desk_page import view
from tongcheng.services.settlement.desk_page.model import Ages, DeskPage, OneSided
from tongcheng.web import Language, Page

TOOLS = site.toolkit()
BUSY = samples_desk.desk()
QUIET = samples_desk.desk(busy=False)
CLOSED = msgspec.structs.replace(BUSY, ages=Ages(), waiting=())
ONE = msgspec.structs.replace(BUSY, ages=Ages(long=1))


def _page(language: Language = "zh", *actions: str) -> Page:
    reader = Reader("account/clerk", frozenset({"settlement.desk.read", *actions}))
    return Page(TOOLS, language, f"/{language}/settlement", reader=reader)


def _text(html: str) -> str:
    plain = html_lib.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html)))
    return plain.replace("\u00a0", " ")


TITLES = (
    (BUSY, "今天有 65 笔未闭合", "65 settlements are open"),
    (ONE, "今天有 1 笔未闭合", "1 settlement is open"),
    (CLOSED, "全部闭合，今天已结算 41 笔", "Everything is closed; 41 settled today"),
    (QUIET, "全部闭合，今天还没有结算", "Everything is closed; nothing settled yet today"),
)


@pytest.mark.parametrize(("desk", "zh", "en"), TITLES)
def test_the_title_is_the_answer(desk: DeskPage, zh: str, en: str) -> None:
    """Whoever looks up from other work knows from the first line."""
    assert view.headline(_page("zh"), desk) == zh
    assert view.headline(_page("en"), desk) == en


ROWS = (
    # waiting, kind, why
    ("3 天", "结算", "北京拒收，须人工处理（RULE_UNKNOWN）"),
    ("42 分钟", "结算", "北京自 17:18:05 起没有应答，恢复后自动补送"),
    ("5 分钟", "结算", "北京的答复本方校验未通过（RULE_UNKNOWN）"),
    ("1 分钟", "撤销", "北京已收到，正在核定"),
    ("3 秒", "结算", "正在送达北京"),
)


def test_each_row_says_how_long_and_why() -> None:
    """The longest waiting stands first, in words a clerk can repeat on the telephone."""
    table = view.waiting_table(_page(), BUSY)

    found = []
    for row in table.rows:
        age, _, _, kind, _, why = row.cells
        assert age.badge is not None
        found.append((age.badge.text, kind.text, why.text))
    assert tuple(found) == ROWS


AGES = (
    # ms, zh, en, band
    (-5, "0 秒", "0 seconds", "fresh"),
    (1_000, "1 秒", "1 second", "fresh"),
    (59_999, "59 秒", "59 seconds", "fresh"),
    (60_000, "1 分钟", "1 minute", "slow"),
    (599_999, "9 分钟", "9 minutes", "slow"),
    (600_000, "10 分钟", "10 minutes", "long"),
    (3_600_000, "1 小时", "1 hour", "long"),
    (86_400_000 * 2, "2 天", "2 days", "long"),
)


@pytest.mark.parametrize(("age_ms", "zh", "en", "band"), AGES)
def test_ages(age_ms: int, zh: str, en: str, band: str) -> None:
    """One unit, rounded down; a minute is noticed, ten are too long."""
    assert _page("zh").voice.age(age_ms) == zh
    assert _page("en").voice.age(age_ms) == en
    assert ages.band_of(age_ms) == band


def test_nothing_is_offered_that_may_not_be_opened() -> None:
    """A reader of the desk alone sees it without one link out of it but its own."""
    closed = str(view.desk_rows(_page("en"), BUSY).content)
    allowed = ("settlement.stay.read", "settlement.stays.read", "settlement.ledger.read")
    opened = str(view.desk_rows(_page("en", *allowed), BUSY).content)

    assert "/settlement/stays" not in closed
    assert "/ledger" not in closed
    for path in (
        "/en/ledger",
        "/en/settlement/stays?state=disputed",
        samples_desk.WAITING[0].stay_id,
    ):
        assert path in opened
    assert "60 more in the list of stays" in opened


def test_what_is_not_known_is_not_said() -> None:
    """Before any peer has answered there is no count of one-sided settlements, not a zero."""
    busy = _text(str(view.desk(_page("en"), BUSY).content))
    quiet = _text(str(view.desk(_page("en"), QUIET).content))

    assert "0 one-sided (compared at 17:59:05) , 1 side not compared yet".replace(" ,", ",") in busy
    assert "one-sided" not in quiet
    assert "Nothing needs you" in quiet


def test_an_instant_of_another_day_has_its_day() -> None:
    """At night "since 17:18:05" is not enough when it was yesterday; nor is a look of Friday's."""
    yesterday = NOW - DAY_MS
    waiting = msgspec.structs.replace(samples_desk.WAITING[1], why_since=yesterday)
    looks = OneSided(0, yesterday, 0)
    desk = msgspec.structs.replace(BUSY, waiting=(waiting,), one_sided=looks)

    text = _text(str(view.desk(_page("zh"), desk).content))

    assert "北京自 11月21日 18:00:05 起没有应答" in text
    assert "单边 0 笔（11月21日 18:00:05 与对方核对）" in text


def test_sums_that_differ_are_said() -> None:
    """No settlement is named, and still it is not nought."""
    looks = OneSided(0, NOW, 0, sums_differ=True)
    text = _text(
        str(view.desk(_page("zh"), msgspec.structs.replace(BUSY, one_sided=looks)).content)
    )

    assert "两边的合计不一致" in text
    assert "单边" not in text


def test_who_was_undone_is_told_beside_who_waits() -> None:
    """Refused or taken back: they left, and nothing stands for them."""
    busy = _text(str(view.desk(_page("zh"), BUSY).content))
    quiet = _text(str(view.desk(_page("zh"), QUIET).content))

    assert "另有 3 笔出院后未予结算或已撤销，尚未重新结算" in busy
    assert "尚未重新结算" not in quiet


def test_the_picture_stands_beside_its_table() -> None:
    """The hour of the picture is a row; the sums of the ways are the day's."""
    text = _text(str(view.desk(_page("zh"), BUSY).content))

    assert "17:00–18:00 41" in text
    assert "合计 41 987,657.32 665,434.10 322,223.22" in text
    assert "缺少一个数值 RULE_UNKNOWN 对方 2 请参保地补充" in text
    assert "NEW_AT_THE_PEER 本方 1" in text


def test_a_paused_desk_does_not_refresh() -> None:
    """Paused, it offers to go on; live, it asks for its own part."""
    live = str(view.desk_rows(_page("zh"), BUSY).content)
    paused = str(view.desk_rows(_page("zh"), samples_desk.desk(live=False)).content)

    assert 'hx-get="/zh/settlement/desk/rows"' in live
    assert 'href="/zh/settlement?live=0"' in live
    assert "hx-get" not in paused
    assert 'href="/zh/settlement"' in paused
