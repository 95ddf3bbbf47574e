"""Mobility in a real browser: a click moves the circle; axe, the policy, and no script at all."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.browser import serving
from tests.services.mobility.console.small_pack import app_in

pytestmark = pytest.mark.browser

LOOKS = (("zh", 1360, "light"), ("en", 390, "dark"))
PATHS = (
    "/mobility",
    "/mobility?regime=best&minutes=90",
    "/mobility/compare",
    "/mobility/scenarios",
)
WAIT_S = 20


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node of the small region, ready."""
    with app_in(tmp_path_factory.mktemp("browser")) as app, serving(app) as served:
        until = time.monotonic() + 120
        while "geo-still" not in httpx.get(f"{served}/zh/mobility", trust_env=False).text:
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield served


def _until(holds: Callable[[], object], what: str) -> None:
    """Wait; our policy forbids what Playwright would evaluate for it."""
    until = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def _address(page: Page) -> str:
    return str(page.evaluate("location.href"))


def _moving(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.dataset.map") == "moving")


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_foreign(
    browser: Browser, address: str, language: str, width: int, scheme: str
) -> None:
    """WCAG 2.2 AA in both languages; no request elsewhere; nothing too wide."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda told: broken.append(told.text) if told.type == "error" else None)
    faults: list[str] = []
    for path in PATHS:
        page.goto(f"{address}/{language}{path}")
        violations = Axe().run(page).response["violations"]
        faults += [f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in violations]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        faults += [f"{path}: {wide} px too wide"] if wide > 0 else []
    context.close()

    assert faults == []
    # MapLibre's worker hands itself what it computed under addresses of its own.
    foreign = [each for each in asked if not each.removeprefix("blob:").startswith(address)]
    assert (foreign, broken) == ([], [])


def test_a_click_on_the_map_asks_about_that_place(browser: Browser, address: str) -> None:
    """Title, address and table are those of the place, the page stays; back is back."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.goto(f"{address}/en/mobility?place=%E7%94%B2")
    first = page.locator("h1").inner_text()
    _until(lambda: _moving(page), "the map moves")
    page.evaluate("window.same = true")

    canvas = page.locator(".maplibregl-canvas")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 0.7, "y": box["height"] * 0.4})
    _until(lambda: "lon=" in _address(page), "the address says where")
    second = page.locator("h1").inner_text()
    page.go_back()
    _until(lambda: page.locator("h1").inner_text() == first, "back is back")

    assert "(117." in second
    assert second != first
    assert page.evaluate("window.same")
    page.close()


def test_the_keyboard_chooses_what_lies_under_the_cross(browser: Browser, address: str) -> None:
    """Arrow keys move the map, Enter takes its middle."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.goto(f"{address}/en/mobility?place=%E7%94%B2")
    _until(lambda: _moving(page), "the map moves")

    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("ArrowRight")
    time.sleep(0.5)
    page.keyboard.press("Enter")
    _until(lambda: "lon=" in _address(page), "the address says where")

    assert "reach" in page.locator("h1").inner_text()
    page.close()


def test_a_slider_says_its_value_and_asks(browser: Browser, address: str) -> None:
    """At most 65 minutes, by one key."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.goto(f"{address}/en/mobility?place=%E7%94%B2")

    page.locator("#minutes").focus()
    page.keyboard.press("ArrowRight")
    _until(lambda: "minutes=65" in _address(page), "the address says how long")

    assert page.locator("#minutes-value").inner_text() == "65 min"
    assert "within 65 minutes" in page.locator("h1").inner_text()
    page.close()


def test_without_scripts_the_form_does_it(browser: Browser, address: str) -> None:
    """The picture, the table and the form are there; sending it leads to another place."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/en/mobility")
    page.fill("#place", "Beta")
    page.locator("#mobility-form button").click()

    assert "Beta station" in page.locator("h1").inner_text()
    assert page.locator("svg.geo .geo-land").count() == 2
    assert page.locator("tbody tr").count() > 0
    context.close()
