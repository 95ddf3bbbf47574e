"""The real pages over a real store in a real browser: axe finds nothing, no stranger is asked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.browser import serving
from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tests.signed_in import Session, browser_cookies, signed_in
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node

pytestmark = pytest.mark.browser

ASKED = "area=beijing&scheme=310&person=retired&visited=elsewhere&level=3&amount=120000"
PAGES = (
    "/",
    "/settlement/stays",
    "/settlement/stays/{stay}",
    "/exchange",
    "/rulebooks",
    "/rulebooks/beijing-employee-inpatient",
    "/estimate",
    f"/estimate?{ASKED}",
    "/estimate?area=tianjin&scheme=390&person=resident&tier=middle&amount=9000",
    "/estimate?amount=abc&on=never",
)


class Consoles(NamedTuple):
    """Member → where its console is, and the cookies of somebody signed in; the stay's id."""

    addresses: dict[str, str]
    cookies: dict[str, Any]
    stay_id: str


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    """Both cities' consoles after one settled and one voided stay.

    The nodes' loop lives in a thread of its own, because the browser has one in this thread.
    """
    with ExitStack() as stack:
        thread = stack.enter_context(ThreadPoolExecutor(1))
        manager = two_cities.running(tmp_path_factory.mktemp("cities"))
        running = thread.submit(manager.__enter__).result()
        stack.callback(lambda: thread.submit(manager.__exit__, None, None, None).result())

        def play() -> str:
            both = running.cities
            claim = running.run(both.settled(0, days=60))
            voided = running.run(both.settled(1))
            running.run(both.desk.void(both.caller, voided.settlement_id))
            running.run(both.quiet())
            return claim.stay_id

        stay_id = thread.submit(play).result()
        addresses, cookies = {}, {}
        for member in (VISITED, INSURED):
            node = running.cities.wire.nodes[member]
            app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
            addresses[member] = stack.enter_context(serving(app))
            session = thread.submit(_signed_in, running, node).result()
            cookies[member] = browser_cookies(session, addresses[member])
        yield Consoles(addresses, cookies, stay_id)


def _signed_in(running: Running, node: Node) -> Session:
    return running.run(signed_in(node))


@pytest.mark.parametrize("member", [VISITED, INSURED])
@pytest.mark.parametrize(("language", "width"), [("zh", 1360), ("en", 390)])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(
    browser: Browser,
    cities: Consoles,
    member: str,
    path: str,
    language: str,
    width: int,
) -> None:
    """No violation of WCAG 2.2 AA; every request goes to the node that serves the page."""
    addresses, stay_id = cities.addresses, cities.stay_id
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_cookies(cities.cookies[member])
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{addresses[member]}/{language}{path.format(stay=stay_id)}")
    where = page.url
    violations = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth") > width
    context.close()

    assert answer is not None
    assert answer.status == 200
    assert "/sign-in" not in where
    assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations] == []
    assert [url for url in asked if not url.startswith(addresses[member])] == []
    assert not wide, "the page scrolls sideways"
