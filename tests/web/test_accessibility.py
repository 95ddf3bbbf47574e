"""Every page in a real browser.

axe finds nothing, nothing foreign is asked for, a phone does not scroll sideways, and the list
refreshes itself within the content policy.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser import serving
from tests.web import site
from tongcheng.web import LANGUAGES, Language

pytestmark = pytest.mark.browser

DESK = 1360
# Both languages, both schemes, a desk and a phone, without every combination of them.
LOOKS: tuple[tuple[Language, int, str], ...] = (("zh", DESK, "light"), ("en", 390, "dark"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A tiny node on a free port."""
    with serving(site.app()) as served:
        yield served


def _open(browser: Browser, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=False,
    )
    return context.new_page()


def _asked(page: Page) -> list[str]:
    """Return a list that grows with every address the page asks for."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", site.PATHS)
def test_axe_finds_nothing(
    browser: Browser, address: str, path: str, language: Language, width: int, scheme: str
) -> None:
    """No violation of WCAG 2.2 AA or of axe's best practices, and nothing asked of strangers."""
    page = _open(browser, width, scheme)
    asked = _asked(page)
    page.goto(f"{address}/{language}{path}")
    violations = Axe().run(page).response["violations"]
    page.context.close()

    assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations] == []
    assert [url for url in asked if not url.startswith(address)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [768, 320])
def test_nothing_scrolls_sideways(
    browser: Browser, address: str, width: int, language: Language
) -> None:
    """From a tablet to the smallest phone, every page fits its width."""
    page = _open(browser, width, "light")
    too_wide = {}
    for path in site.PATHS:
        page.goto(f"{address}/{language}{path}")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            too_wide[path] = overflow
    page.context.close()

    assert too_wide == {}


LIVE_PAGES = (
    ("/settlement/stays", "**/settlement/stays/rows"),
    ("/settlement", "**/settlement/desk/rows"),
)


@pytest.mark.parametrize(("path", "part"), LIVE_PAGES)
def test_a_live_page_refreshes_itself_within_the_policy(
    browser: Browser, address: str, path: str, part: str
) -> None:
    """Htmx polls the part that changes; the browser reports no breach of the policy."""
    page = _open(browser, DESK, "light")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{address}/zh{path}")
    with page.expect_response(part) as polled:
        pass

    assert polled.value.status == 200
    expect(page.locator("h1")).to_have_count(1)
    assert said == []
    page.context.close()


@pytest.mark.parametrize(("path", "part"), LIVE_PAGES)
def test_a_silent_node_is_admitted(browser: Browser, address: str, path: str, part: str) -> None:
    """When the node stops answering, the page says that it shows what it last heard."""
    page = _open(browser, DESK, "light")
    page.route(part, lambda route: route.abort())
    page.goto(f"{address}/zh{path}")

    expect(page.get_by_text("节点没有应答")).to_be_visible(timeout=5_000)
    page.context.close()


def test_what_is_open_stays_open_when_the_page_refreshes(browser: Browser, address: str) -> None:
    """A reader who has opened a table is not interrupted; one who pauses is left in peace."""
    page = _open(browser, DESK, "light")
    page.goto(f"{address}/en/settlement")
    page.locator("#desk-hours summary").click()
    with page.expect_response("**/settlement/desk/rows"):
        pass
    page.wait_for_timeout(300)
    expect(page.locator("#desk-hours[open]")).to_have_count(1)

    page.get_by_text("Pause").click()
    asked = _asked(page)
    page.wait_for_timeout(2_500)
    assert [url for url in asked if url.endswith("/rows")] == []
    page.context.close()


def test_a_row_leads_to_its_stay_and_works_without_scripts(browser: Browser, address: str) -> None:
    """Any place of a row can be clicked; no script is needed for it."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/en/settlement/stays")
    expect(page.get_by_text("Reload this page")).to_be_visible()
    link = page.locator("tbody tr a").first.get_attribute("href")
    page.locator("tbody tr").first.locator("td").nth(2).click(force=True)  # the link covers the row

    assert link is not None
    assert page.url == f"{address}{link}"
    context.close()


def test_the_skip_link_reaches_the_content(browser: Browser, address: str) -> None:
    """With the keyboard alone, the first stop leads past the navigation."""
    page = _open(browser, DESK, "light")
    page.goto(f"{address}/en")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"
    page.context.close()
