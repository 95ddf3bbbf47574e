"""The page `/demo` on real nodes: the tour by hand, in a browser, with and without scripts."""

import time
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser import launch
from tests.cli.demo.conftest import Live
from tongcheng.node.line import lines_of

BEIJING, TIANJIN = "beijing-hsb", "tianjin-hsb"
WITHIN_MS = 60_000

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with launch() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _healed(region: Live) -> Iterator[None]:
    """Leave every line whole."""
    yield
    cut = lines_of(region.folder / TIANJIN)
    cut.heal(cut.all())


def _open(browser: Browser, *, scripts: bool = True, width: int = 1360, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    return page


@pytest.mark.browser
def test_the_tour_in_a_browser(region: Live, browser: Browser) -> None:
    """Cut, watch it wait, heal, read 0 one-sided, forge, read table and key: without reloading."""
    page = _open(browser)
    page.goto(f"{region.nodes[TIANJIN].url}/en/demo")
    page.click("#cut-button")
    expect(page.locator("h1")).to_contain_text("Tianjin is cut off", timeout=WITHIN_MS)
    expect(page.locator("h1")).to_contain_text("wait", timeout=WITHIN_MS)
    expect(page.locator("#cut .lines .badge-bad")).to_have_count(2, timeout=WITHIN_MS)
    assert page.locator("#cut tbody tr").count() >= 1
    page.click("#heal-button")
    expect(page.locator("#heal .notice")).to_contain_text("0 one-sided", timeout=WITHIN_MS)
    expect(page.locator("#heal .notice")).to_contain_text("compared with Beijing, Hebei")
    page.check("input[value=transfer]")
    page.click("#forge button")
    expect(page.locator("#forged .notice")).to_contain_text("Found:", timeout=WITHIN_MS)
    expect(page.locator("#forged .forged")).to_contain_text("ledger_transfers.amount_fen")
    page.context.close()


@pytest.mark.browser
def test_the_tour_without_scripts(region: Live, browser: Browser) -> None:
    """Every button is a form; what is not found is said to be."""
    page = _open(browser, scripts=False, width=390)
    page.goto(f"{region.nodes[BEIJING].url}/zh/demo")
    page.click("#cut-button")
    assert page.locator("#cut .badge-bad").count() >= 2
    page.click("#heal-button")
    assert page.locator("#cut .lines .badge-good").count() == 2
    page.check("input[value=audit]")
    page.check("input[name=with_keys]")
    page.click("#forge button")
    until = time.monotonic() + 30
    while "没有查出来" not in page.locator("#forged").inner_text():
        assert time.monotonic() < until
        page.reload()
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width", "dark"), [("zh", 1360, False), ("en", 390, True)])
def test_axe_finds_nothing(
    region: Live, browser: Browser, language: str, width: int, *, dark: bool
) -> None:
    """Whole and cut, with a forgery shown; and nothing scrolls sideways."""
    page = _open(browser, width=width, dark=dark)
    page.goto(f"{region.nodes[TIANJIN].url}/{language}/demo")
    page.check("input[value=journal]")
    page.click("#forge button")
    expect(page.locator("#forged .notice-good")).to_be_visible(timeout=WITHIN_MS)
    page.click("#cut-button")
    expect(page.locator("#cut .lines .badge-bad")).to_have_count(2, timeout=WITHIN_MS)
    violations = Axe().run(page).response["violations"]
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.context.close()

    assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations] == []
    assert overflow <= 0


@pytest.mark.parametrize("target", ["", "everything", "settlement'--"])
def test_unknown_record_is_refused(region: Live, target: str) -> None:
    """Only what the page offers is forged."""
    url = f"{region.nodes[TIANJIN].url}/en/demo/forge"
    answer = httpx.post(url, data={"target": target}, trust_env=False)

    assert answer.status_code == 400
    assert "FORM_MALFORMED" in answer.text


@pytest.mark.parametrize("path", ["cut", "heal", "forge"])
def test_another_site_cannot_break_it(region: Live, path: str) -> None:
    """A form that another page sends is refused before it is read."""
    url = f"{region.nodes[TIANJIN].url}/en/demo/{path}"
    headers = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    answer = httpx.post(url, data={"target": "audit"}, headers=headers, trust_env=False)

    assert answer.status_code == 403
    assert lines_of(region.folder / TIANJIN).all() == {}


def test_page_is_quick_and_small(region: Live) -> None:
    """Both fragments and the page, under 100 kB and, as a median of many, well under a second."""
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        answer = httpx.get(f"{region.nodes[TIANJIN].url}/zh/demo", trust_env=False)
        times.append(time.perf_counter() - begun)
        assert answer.status_code == 200
        assert len(answer.content) < 100_000
    assert sorted(times)[len(times) // 2] < 1.0
