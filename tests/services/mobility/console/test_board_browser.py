"""Drawing on the map in a real browser: clicks and names become a change that can be tried."""

import time
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.browser import serving
from tests.kernel.access.people import DIGEST, TABLE, term
from tests.services.mobility.console.small_pack import node_in, pack_in
from tests.toy import NOW_AT
from tongcheng.kernel.access import accounts
from tongcheng.kernel.access.accounts import OPERATOR, NewAccount
from tongcheng.kernel.store import Transaction, Writer
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console

pytestmark = pytest.mark.browser

ROLES = (
    "policy-officer",
    "clerk",
    "fund-accountant",
    "auditor",
    "duty-operator",
    "leader",
)
"""Who has all of them has the longest header."""
NEW = "/en/mobility/scenarios/new"


def _hire(tx: Transaction) -> None:
    for name, roles in (("zhou", ROLES[:1]), ("wu", ROLES)):
        terms = tuple(map(term, roles))
        new = NewAccount(name, f"示例{name}", terms, DIGEST, sample=True)
        accounts.add(tx, TABLE, OPERATOR, new)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demonstration node of the small region, ready, with an officer who may draw."""
    folder = tmp_path_factory.mktemp("board")
    pack, node = pack_in(folder / "pack"), node_in(folder / "node", 0)
    node.database.open_writing(NOW_AT)
    outcome = Writer(node.database, node.home, node.clock).run([_hire])[0]
    node.database.close()
    assert outcome.error is None, outcome.error
    console = make_console(node, synthetic=True, demo=True)
    with serving(create_app(node, console, pages=True, pack_folder=pack)) as served:
        until = time.monotonic() + 120
        while "geo-still" not in httpx.get(f"{served}/zh/mobility", trust_env=False).text:
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield served


def _drawing(browser: Browser, address: str, width: int = 1360, account: int = 0) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{address}{NEW}")
    with page.expect_navigation():
        page.locator("button.sample").nth(account).click()
    return page


def _tried(page: Page) -> str:
    with page.expect_navigation():
        page.locator("button[value=try]").click()
    return page.locator("main").inner_text()


def test_clicks_become_a_line_that_can_be_tried(browser: Browser, address: str) -> None:
    """Near a station a click is the station; elsewhere a place whose name one writes."""
    page = _drawing(browser, address)
    picture = page.locator("#board svg.geo")
    box = picture.bounding_box()
    assert box is not None
    page.locator("#board circle.geo-dot-rail").first.click()
    picture.click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.3})
    page.locator("#board-calls input").fill('新"站')
    page.locator("#board-write").click()
    text = page.locator("#text").input_value()

    assert "minutes assumed" in text
    assert "mode: rail" in text
    assert '- {name: "新\\"站", lon: "117.' in text
    assert page.locator("#board-calls li").count() == 0
    said = _tried(page)
    assert "Before and after" in said, said[:3000]
    page.close()


def test_names_and_keys_do_the_same_for_a_road(browser: Browser, address: str) -> None:
    """By the fields alone: two ends, written as a stretch between nodes of the roads."""
    page = _drawing(browser, address, 390)
    page.locator("[name=board-kind][value=road]").check()
    page.locator("#board-write").click()
    assert "at least" in page.locator("#board-said").inner_text()
    for name in ("nowhere", "nb", "Gamma"):
        page.locator("#board-place").fill(name)
        page.locator("#board-place").press("Enter")
        unknown = page.locator("#board-said").inner_text()
        assert bool(unknown) == (name == "nowhere")
    page.locator("#board-write").click()
    text = page.locator("#text").input_value()

    assert "- change: add_road\n  start: nb\n  end: nc\n" in text
    said = _tried(page)
    assert "Before and after" in said, said[:3000]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def test_the_browser_completes_names_and_a_line_may_return(browser: Browser, address: str) -> None:
    """By name and id, stations for a line and nodes for a road; a call is taken away alone."""
    page = _drawing(browser, address)
    offered = {
        kind: page.locator(f"#board-{kind} option").evaluate_all("all => all.map(one => one.value)")
        for kind in ("stations", "nodes")
    }
    for name in ("Alpha · a", "b", "Alpha"):
        page.locator("#board-place").fill(name)
        page.locator("#board-add").click()
    page.locator("#board-calls button").last.click()
    calls = page.locator("#board-calls li").all_inner_texts()
    page.locator("[name=board-kind][value=road]").check()

    assert "Alpha · a" in offered["stations"]
    assert "Gamma · nc" in offered["nodes"]
    assert not {*offered["stations"]} & {*offered["nodes"]}
    assert [each.split(" · ")[0] for each in calls] == ["Alpha", "Beta"]
    assert page.locator("#board-place").get_attribute("list") == "board-nodes"
    page.close()


def test_axe_finds_nothing_and_many_roles_fit(browser: Browser, address: str) -> None:
    """The header of somebody with six roles is no wider than the page, in English too."""
    page = _drawing(browser, address, account=1)
    violations = Axe().run(page).response["violations"]

    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in violations] == []
    for width in (1360, 1100, 800):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (width, wide)
    page.close()
