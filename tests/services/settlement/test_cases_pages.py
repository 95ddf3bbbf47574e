"""The pages of cases: whose turn it is and until when, in words, and nothing that was said."""

import html as html_lib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from tests.services.settlement import samples_cases, two_cities
from tests.services.settlement.two_cities import DAY_MS, VISITED, Running
from tests.signed_in import cookies, signed_in
from tests.web import site
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.cases import Handed
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement import cases_view, line_query
from tongcheng.services.settlement.cases_view import CASES_PATH
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.web import Language, Page

TOOLS = site.toolkit()
QUESTION = "这一天我没有做过这项检查。"


def _page(language: Language = "zh") -> Page:
    return Page(TOOLS, language, f"/{language}{CASES_PATH}")


def _text(html: str) -> str:
    plain = html_lib.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html)))
    return plain.replace("\u00a0", " ")


def test_every_state_and_role_has_its_words() -> None:
    """The page has words for all that the table of the kind can lead to."""
    assert set(cases_view.STATES) == {LINE_QUERY.first, *LINE_QUERY.table.values()}
    assert set(cases_view.ROLE_KEYS) == LINE_QUERY.roles
    assert set(LINE_QUERY.may) <= set(cases_view.STATES), "an action has its state's words"


@pytest.mark.parametrize("state", sorted(samples_cases.WAYS))
def test_one_case(state: str) -> None:
    """The title is where it stands; as many legs and receipts as hand-overs say; no party's id."""
    view = samples_cases.case_page(state)
    shown = str(cases_view.case(_page("en"), view).content)

    assert f"<h1>{TOOLS.console.texts.get(cases_view.STATES[state][0], 'en')}</h1>" in shown
    assert all(one.digest.hex()[:16] in shown for one in view.history.receipts)
    assert not any(party in shown for party in ("person-1", "H1200000S001"))


@pytest.mark.parametrize(
    ("state", "zh", "en"),
    [
        ("asked", "2026年11月9日 已逾期 13 天", "9 Nov 2026 overdue by 13 days"),
        ("explained", "2026年11月11日 已逾期 11 天", "11 Nov 2026 overdue by 11 days"),
        (
            "escalated",
            "尚不能确定 没有 2027 年的放假安排。",
            "Not known yet The holidays of 2027 are not known.",
        ),
    ],
)
def test_a_deadline_in_words(state: str, zh: str, en: str) -> None:
    """The last day, by how much it is overdue, or why there is no deadline."""
    view = samples_cases.case_page(state)

    assert zh in _text(str(cases_view.case(_page("zh"), view).content))
    assert en in _text(str(cases_view.case(_page("en"), view).content))


def test_the_list_says_how_many() -> None:
    """Open, overdue and undated are counted in words, and the list goes on where it ends."""
    text = str(cases_view.cases_list(_page("en"), samples_cases.cases_page(3)).content)
    empty = _text(str(cases_view.cases_list(_page("zh"), samples_cases.cases_page(0)).content))

    for words in ("3 queries are open", "2 are overdue", "1 has no deadline yet"):
        assert words in text
    assert "?after=1.case-9" in text
    assert "没有未办结的明细疑问" in empty
    assert "逾期" not in empty


# over a real store


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def _get(running: Running, path: str) -> tuple[int, str]:
    node = running.cities.wire.nodes[VISITED]
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    cookie = cookies(running.run(signed_in(node)))
    with TestClient(app, cookies=cookie) as client:
        answer = client.get(path)
        return answer.status_code, answer.text


async def _asked(running: Running) -> Handed:
    cities = running.cities
    stay, _ = await cities.discharged()
    handed: Handed = await cities.tianjin.run(
        lambda tx: line_query.open_query(tx, stay.person_id, stay.stay_id, "L1", QUESTION)
    )
    return handed


def test_pages_over_a_store(running: Running) -> None:
    """List and case show the stay, the line and the deadline, and not a word of the person's."""
    case = running.run(_asked(running)).case
    running.cities.clock.advance(10 * DAY_MS)
    for language in ("zh", "en"):
        for path in ("", f"/{case.case_id}"):
            status, text = _get(running, f"/{language}{CASES_PATH}{path}")

            assert status == 200
            assert case.subject in text
            assert str(case.owner_party) not in text
            assert QUESTION not in text
            assert ("overdue by 5 days" if language == "en" else "已逾期 5 天") in _text(text)
    status, _ = _get(running, f"/zh{CASES_PATH}?after=nonsense")
    assert status == 200
    assert _get(running, f"/en{CASES_PATH}/nothing")[0] == 404


def test_reading_a_case_is_audited(running: Running) -> None:
    """Whoever opens the page of a case leaves an entry; a case that is not there leaves none."""
    case = running.run(_asked(running)).case
    _get(running, f"/zh{CASES_PATH}/{case.case_id}")
    _get(running, f"/zh{CASES_PATH}/nothing")
    rows = running.run(running.cities.tianjin.read(lambda s: s.select(AUDIT)))

    read = [row for row in rows if row.action == "case.read"]
    assert [row.subject for row in read] == [case.case_id]
    assert read[0].actor.startswith("account/")
