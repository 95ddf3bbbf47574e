"""Ledger and months in a real browser: axe, the policy, the chart, and the picture without it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.browser import serving
from tests.services.settlement import two_cities
from tests.signed_in import browser_cookies, signed_in
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.mirror import job

pytestmark = pytest.mark.browser

MONTH = "/settlement/months/2026-11"
PAGES = ("/ledger", "/ledger/beijing/310/pool/2026-11", "/settlement/months", MONTH)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Any]]]:
    """Tianjin's console after one settled and one voided stay: its address, and who is signed in.

    The node's loop lives in a thread of its own, because the browser has one in this thread.
    """
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1))
        manager = two_cities.running(tmp_path_factory.mktemp("books"))
        running = thread.submit(manager.__enter__).result()
        stack.callback(lambda: thread.submit(manager.__exit__, None, None, None).result())
        both = running.cities

        async def play() -> Any:
            await both.settled(0, days=60)
            voided = await both.settled(1)
            await both.desk.void(both.caller, voided.settlement_id)
            await both.quiet()
            both.clock.advance(job.RESTING_MS)
            await job.look_at_all(both.tianjin)
            return await signed_in(both.tianjin)

        session = thread.submit(running.run, play()).result()
        console = make_console(both.tianjin, synthetic=True)
        app = create_app(both.tianjin, console, pages=True, run_node=False)
        address = stack.enter_context(serving(app))
        yield address, browser_cookies(session, address)


@pytest.mark.parametrize(("language", "width"), [("zh", 1360), ("en", 390)])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(
    browser: Browser, node: tuple[str, list[Any]], path: str, language: str, width: int
) -> None:
    """No violation, nothing against the policy, nothing asked of strangers, no scroll sideways."""
    address, cookies = node
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies(cookies)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    answer = page.goto(f"{address}/{language}{path}")
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert answer is not None
    assert answer.status == 200
    assert [one["id"] for one in found] == []
    assert [url for url in asked if not url.startswith(address)] == []
    assert said == []
    assert sideways <= 0
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_picture_of_the_days_is_there(
    browser: Browser, node: tuple[str, list[Any]], *, scripts: bool
) -> None:
    """Scripts put a chart in its place and keep it for paper; without them it stands itself."""
    address, cookies = node
    context = browser.new_context(java_script_enabled=scripts)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(f"{address}/en{MONTH}")
    page.wait_for_load_state("networkidle")

    assert page.locator(".month-bars rect").count() > 0
    assert page.locator(".month-days rect").count() > 0
    assert page.locator(".month-days").is_visible() is not scripts
    assert page.locator("#daily canvas").count() == int(scripts)

    page.emulate_media(media="print")

    assert page.locator(".month-days").is_visible()
    assert page.locator(".month-signatures").is_visible()
    context.close()
