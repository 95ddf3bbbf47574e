"""Every page of the console in a real browser, in both languages, on a desk and on a phone.

The pages are found by following links as each sample person, so a new page is held to the same.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.story import crawl
from tests.story.region import Region, up

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NODE = "tianjin-hsb"
LOOKS = (("zh", 1360, "light"), ("en", 390, "dark"))
SHAPES_MIN = 20
"""Fewer would mean that the crawl no longer finds the pages, and every test here passes on air."""

TAB_STOPS = 12


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A region after some stays, with nobody arriving any more: pages that stand still."""
    with up(tmp_path_factory.mktemp("pages") / "region", stays=40, pace=0) as running:
        yield running


@pytest.fixture(scope="module")
def found(region: Region) -> dict[str, crawl.Found]:
    """One page of each shape, with a role that may open it."""
    pages = crawl.every_page(region.urls[NODE])
    assert len(pages) >= SHAPES_MIN, sorted(pages)
    return pages


class Readers:
    """A browser context per role, signed in."""

    def __init__(self, browser: Browser, url: str, **settings: object) -> None:
        self._browser = browser
        self._url = url
        self._settings = settings
        self._people = crawl.samples(url)
        self._contexts: dict[str, BrowserContext] = {}

    def page(self, role: str) -> Page:
        """Return a new page of somebody who has the role."""
        if role not in self._contexts:
            context = self._browser.new_context(**self._settings)  # type: ignore[arg-type]
            if role != crawl.VISITOR:
                with crawl.signed_in(self._url, self._people[role]) as client:
                    for cookie in client.cookies.jar:
                        context.add_cookies(
                            [{"name": cookie.name, "value": str(cookie.value), "url": self._url}]
                        )
            self._contexts[role] = context
        return self._contexts[role].new_page()

    def close(self) -> None:
        """End all of them."""
        for context in self._contexts.values():
            context.close()


def _asked(page: Page) -> list[str]:
    """Return a list that grows with every address the page asks for."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def _heard(page: Page) -> list[str]:
    """Return a list that grows with what the browser complains of: scripts, the policy."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A machine without a graphics card draws maps in software, and its driver says so.
        if message.type in {"error", "warning"} and "GL Driver Message" not in message.text:
            said.append(message.text)

    page.on("console", hear)
    return said


def _address(url: str, language: str, path: str) -> str:
    return f"{url}/{language}{path}".rstrip("/")


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_foreign(
    browser: Browser,
    region: Region,
    found: dict[str, crawl.Found],
    language: str,
    width: int,
    scheme: str,
) -> None:
    """WCAG 2.2 AA and best practices; no request elsewhere, no policy broken, nothing too wide."""
    url = region.urls[NODE]
    readers = Readers(browser, url, viewport={"width": width, "height": 844}, color_scheme=scheme)
    faults: list[str] = []
    for shape, each in found.items():
        page = readers.page(each.role)
        said, asked = _heard(page), _asked(page)
        page.goto(_address(url, language, each.path))
        violations = Axe().run(page).response["violations"]
        faults += [f"{shape}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in violations]
        faults += [f"{shape}: asks {one}" for one in asked if not one.startswith(url)]
        faults += [f"{shape}: the browser says: {one}" for one in said]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        faults += [f"{shape}: {overflow} px too wide"] if overflow > 0 else []
        page.close()
    readers.close()

    assert faults == []


def test_every_page_reads_without_scripts(
    browser: Browser, region: Region, found: dict[str, crawl.Found]
) -> None:
    """With scripts off the same title and the same tables are there, and nothing hides."""
    url = region.urls[NODE]
    on = Readers(browser, url, viewport={"width": 1360, "height": 844})
    off = Readers(browser, url, viewport={"width": 1360, "height": 844}, java_script_enabled=False)
    faults = []
    for shape, each in found.items():
        told = []
        for readers in (on, off):
            page = readers.page(each.role)
            page.goto(_address(url, "zh", each.path))
            rows = page.locator("main tr").count()
            told.append((page.locator("h1").inner_text(), rows > 0))
            page.close()
        faults += [f"{shape}: {told}"] if told[0] != told[1] else []
    on.close()
    off.close()

    assert faults == []


def test_the_keyboard_reaches_what_the_eye_sees_and_shows_where_it_is(
    browser: Browser, region: Region, found: dict[str, crawl.Found]
) -> None:
    """Tab goes in the order of the page, first to "skip"; whatever has the focus has an outline."""
    url = region.urls[NODE]
    readers = Readers(browser, url, viewport={"width": 1360, "height": 844})
    faults = []
    for shape, each in found.items():
        page = readers.page(each.role)
        page.goto(_address(url, "en", each.path))
        tops: list[float] = []
        for stop in range(TAB_STOPS):
            page.keyboard.press("Tab")
            place = page.evaluate(
                """() => { const at = document.activeElement, style = getComputedStyle(at);
                return {skip: at.classList.contains("skip"), body: at === document.body,
                  outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                  inMain: !!at.closest("main"), html: at.outerHTML.slice(0, 120),
                  order: [...document.querySelectorAll("*")].indexOf(at)} }"""
            )
            if place["body"]:
                break
            faults += [f"{shape}: skip is not first"] if (stop == 0) != place["skip"] else []
            faults += [f"{shape}: no outline: {place['html']}"] if not place["outlined"] else []
            tops.append(place["order"])
        faults += [f"{shape}: the order jumps"] if tops != sorted(tops) else []
        page.close()
    readers.close()

    assert faults == []


def test_the_language_switch_stays_on_the_page(
    browser: Browser, region: Region, found: dict[str, crawl.Found]
) -> None:
    """From every page to the same page in the other language and back, query and all."""
    url = region.urls[NODE]
    readers = Readers(browser, url, viewport={"width": 1360, "height": 844})
    faults = []
    for shape, each in found.items():
        page = readers.page(each.role)
        page.goto(_address(url, "zh", each.path))
        chinese = page.url
        page.locator("a.language").click()
        there = urlsplit(page.url)
        parts = (there.path.startswith("/en"), page.locator("html").get_attribute("lang"))
        page.locator("a.language").click()
        faults += [f"{shape}: {parts}"] if parts != (True, "en") else []
        faults += [f"{shape}: back at {page.url}"] if page.url != chinese else []
        page.close()
    readers.close()

    assert faults == []
