"""A 60-line bill from JSON over REST to the person's page, on a phone and on paper, in Chromium."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.browser import serving
from tests.services.settlement.bill_page.reader import PATIENT, ward
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console

pytestmark = pytest.mark.browser

LINES = 60
AMOUNTS = """() => Object.fromEntries([...document.querySelectorAll("[data-box]")].map(
  each => [each.dataset.box, each.textContent.trim()]))"""
COLUMN = (
    """() => [...document.querySelectorAll("td.amount")].map(each => each.textContent.trim())"""
)
FOCUS = """() => { const box = document.activeElement.getBoundingClientRect();
  return [Math.round(box.top + window.scrollY), Math.round(box.height),
          document.activeElement.className]; }"""


class Served(msgspec.Struct, frozen=True):
    """A node that serves a settled bill: its address, the link's token, the bill in fen."""

    url: str
    token: str
    total_fen: int


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Identify, admit, 60 lines, discharge, settle, link, all over REST; the console is closed.

    The nodes' loop lives in a thread of its own, because the browser has one in this thread.
    """
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1))
        manager = ward(tmp_path_factory.mktemp("ward"))
        desk = thread.submit(manager.__enter__).result()
        stack.callback(lambda: thread.submit(manager.__exit__, None, None, None).result())
        settled = thread.submit(desk.settled, 0, count=LINES).result()
        link = thread.submit(desk.link, settled["settlement_id"]).result()
        node = desk.cities.tianjin
        app = create_app(node, make_console(node, synthetic=True), run_node=False)
        url = stack.enter_context(serving(app))
        yield Served(url, link["token"], settled["total_fen"])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def _open(page: Page, served: Served, language: str) -> None:
    page.goto(f"{served.url}/b/{served.token}")
    page.goto(f"{served.url}/{language}/bill/{served.token}")
    page.keyboard.press("Tab")
    page.locator("#characters").focus()
    page.keyboard.type(PATIENT)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-box=total]")


def _fen(text: str) -> int:
    return int(text.replace(",", "").replace(".", "").replace("\u2212", "-"))


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


def _is_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_she_sees_on_a_phone_adds_up(
    page: Page, served: Served, language: str, scheme: str
) -> None:
    """Read from the screen: boxes, her two parts and all lines; large type; no stranger asked."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{served.url}/{language}/bill/{served.token}")
    question = (_violations(page), _is_wide(page))
    _open(page, served, language)
    boxes = {key: _fen(text) for key, text in page.evaluate(AMOUNTS).items()}
    lines = [_fen(text) for text in page.evaluate(COLUMN)]
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")

    assert question == ([], False)
    paid = sum(boxes[each] for each in ("pool", "other", "account", "cash"))
    assert boxes["total"] == paid == sum(lines) == served.total_fen
    assert boxes["account"] + boxes["cash"] == boxes["own_share"] + boxes["not_covered"]
    assert len(lines) == LINES
    assert size >= 18
    assert _violations(page) == []
    assert not _is_wide(page), "the page scrolls sideways"
    assert [url for url in asked if not url.startswith(served.url)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_keyboard_goes_down_the_page(page: Page, served: Served, language: str) -> None:
    """The skip link, the language, then every line's button in its order, then the end."""
    _open(page, served, language)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    stops = []
    for _ in range(LINES + 3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUS))

    tops = [top for top, _, _ in stops[1:]]
    assert "skip" in stops[0][2]
    assert "language" in stops[1][2]
    assert sum("button-line" in name for _, _, name in stops) == LINES
    assert tops == sorted(tops)
    assert min(height for _, height, name in stops if "button" in name) >= 44


def test_paper_has_one_column_and_no_buttons(page: Page, served: Served) -> None:
    """As wide as A4 between its margins: nothing to press, nothing cut off, every line there."""
    _open(page, served, "zh")
    page.set_viewport_size({"width": 672, "height": 1_000})
    page.emulate_media(media="print")
    shown = page.locator("button:visible, a.button:visible, nav:visible, .skip:visible").count()

    assert shown == 0
    assert not _is_wide(page)
    assert page.locator("td.amount:visible").count() == LINES
    assert page.locator("thead th:visible").count() > 0
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_line_is_asked_about(page: Page, served: Served, language: str) -> None:
    """From the button to the receipt and back, by hand; the question can be taken back."""
    _open(page, served, language)
    page.locator("a.button-line").nth(5).click()
    empty = _violations(page)
    page.fill("#text", "我不记得这一项")
    page.locator("form.question button").click()
    page.wait_for_selector(".receipt code")
    receipt = page.locator(".receipt code").first.text_content() or ""
    violations, wide = _violations(page), _is_wide(page)
    page.locator(".actions button").first.click()
    page.wait_for_selector("form.question")
    steps = page.locator(".steps").first.locator("li").count()

    assert empty == violations == []
    assert not wide
    assert len(receipt) == 64
    assert steps == 2
