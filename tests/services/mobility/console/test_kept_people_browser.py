"""Kept places in a real browser: chosen by keyboard, drawn by the map, and nothing foreign."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.browser import serving
from tests.services.mobility.console.kept_files import places_entry
from tests.services.mobility.console.small_pack import node_in, pack_in
from tests.toy import NOW_AT
from tongcheng.kernel.store import Writer
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.keeping import adding

pytestmark = pytest.mark.browser

LOOKS = (("zh", 1360, "light"), ("en", 390, "dark"))
PATHS = ("/mobility", "/mobility/compare", "/mobility?people=_region")
ZONES = b"id,lon,lat,county,pop\nz1,117.000,39.000,100001,40\nz2,117.012,39.000,100002,7\n"
WAIT_S = 20


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node of the small region, ready, that keeps places."""
    folder = tmp_path_factory.mktemp("people")
    pack, node = pack_in(folder / "pack"), node_in(folder / "node")
    entry = places_entry(folder, node.home, ZONES)
    node.database.open_writing(NOW_AT)
    publish = partial(records.publish, change=adding(entry))
    outcome = Writer(node.database, node.home, node.clock).run([publish])[0]
    node.database.close()
    assert outcome.error is None, outcome.error
    app = create_app(node, make_console(node, synthetic=True), pages=True, pack_folder=pack)
    with serving(app) as served:
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


def _moving(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.dataset.map") == "moving")


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_foreign(
    browser: Browser, address: str, language: str, width: int, scheme: str
) -> None:
    """With kept places and with the cells, wide and narrow, light and dark."""
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
    foreign = [each for each in asked if not each.removeprefix("blob:").startswith(address)]
    assert (foreign, broken) == ([], [])


def test_the_keyboard_chooses_whose_people_count(browser: Browser, address: str) -> None:
    """Title, mark and address follow on the same page; back is back."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.goto(f"{address}/en/mobility?place=%E7%94%B2")
    counted = page.locator("h1").inner_text()
    _until(lambda: _moving(page), "the map moves")
    page.evaluate("window.same = true")

    page.locator("#people").focus()
    page.keyboard.press("ArrowDown")
    _until(lambda: "people=_region" in page.evaluate("location.href"), "the address says whose")
    _until(lambda: page.locator("h1").inner_text() != counted, "the figure is another")
    marks = page.locator(".mobility-marks").inner_text()
    page.go_back()
    _until(lambda: page.locator("h1").inner_text() == counted, "back is back")

    assert counted.startswith("47 people")
    assert "People below the county are modelled" in marks
    assert "modelled" not in page.locator(".mobility-marks").inner_text()
    assert page.evaluate("window.same")
    page.close()


def test_without_scripts_the_form_does_it(browser: Browser, address: str) -> None:
    """The picture shows the places, and sending the form leads to the cells."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/en/mobility?place=%E7%94%B2")
    shown = page.locator("svg.geo .geo-band-1").count()
    page.select_option("#people", "_region")
    page.locator("#mobility-form button").click()

    assert shown == 1
    assert "people=_region" in page.url
    assert "People below the county are modelled" in page.locator(".mobility-marks").inner_text()
    context.close()
