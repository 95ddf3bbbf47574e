"""Signing in with a real browser: by form and keyboard, on a desk and a phone, axe at each page."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests import toy
from tests.browser import serving
from tests.kernel.access.people import DIGEST, PASSWORD, TABLE, term
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.access import accounts
from tongcheng.kernel.access.accounts import OPERATOR, NewAccount
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.store import Transaction, Writer
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.services import SERVICES

pytestmark = pytest.mark.browser

LOOKS = (("zh", 1360, "light"), ("en", 390, "dark"))


def _hire(tx: Transaction) -> None:
    for name, role in (("zhao", "administrator"), ("li", "clerk")):
        for sample in (False, True):
            new = NewAccount(f"{name}{sample:d}", f"示例{name}", (term(role),), DIGEST, sample)
            accounts.add(tx, TABLE, OPERATOR, new)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demonstration node with two people, made up and not."""
    folder = tmp_path_factory.mktemp("access")
    clock = ManualClock(NOW_AT)
    node = toy.toy_node(folder, MEMBERS[0], toy.Nowhere(), clock, threaded=True, quiet=True)
    node.services = SERVICES
    node.database.open_writing(NOW_AT)
    outcome = Writer(node.database, node.home, clock).run([_hire])[0]
    node.database.close()
    assert outcome.error is None, outcome.error
    console = make_console(node, synthetic=True, demo=True)
    with serving(create_app(node, console, pages=True)) as served:
        yield served


def _faults(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations]
    return [f"{page.url}: {fault}" for fault in (*found, *(["too wide"] if wide else []))]


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_every_page_of_access(
    browser: Browser, address: str, language: str, width: int, scheme: str
) -> None:
    """From the refusal of a visitor to an account of somebody else, without a script."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    faults: list[str] = []
    page.goto(f"{address}/{language}/accounts")
    faults += _faults(page)
    page.fill("#name", "zhao0")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    faults += _faults(page)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{language}/accounts")
    faults += _faults(page)
    page.locator("tbody a").first.click()
    faults += _faults(page)
    for path in ("/account", "/account/password", "/settlement/stays"):
        page.goto(f"{address}/{language}{path}")
        faults += _faults(page)
    page.goto(f"{address}/{language}/accounts")
    page.fill("#display", f"示例 {language}")
    page.fill("#name", f"new-{language}")
    page.locator("main form .button").click()
    expect(page.locator(".given")).to_be_visible()
    faults += _faults(page)
    context.close()

    assert faults == []


@pytest.mark.parametrize("width", [1360, 390])
def test_a_sample_person_enters_with_one_click_and_leaves(
    browser: Browser, address: str, width: int
) -> None:
    """Scripts off; on a phone the way out is in the menu."""
    context = browser.new_context(
        viewport={"width": width, "height": 844}, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{address}/zh/settlement/stays")
    page.locator(".sample", has_text="经办").click()
    assert page.url == f"{address}/zh/settlement/stays"
    where = ".account"
    if width == 390:
        page.locator(".menu summary").click()
        where = ".menu-account"
    expect(page.locator(where)).to_contain_text("示例li")
    page.locator(where).get_by_role("button", name="退出").click()
    assert page.url == f"{address}/zh/sign-in"
    page.goto(f"{address}/zh/settlement/stays")
    assert "/sign-in" in page.url
    context.close()
