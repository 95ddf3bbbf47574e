"""The story of the demonstration, told by hand in a real browser, from the first page to the last.

A woman insured in Beijing was in hospital in Tianjin: her stay, who pays, the bill she reads on her
phone; then the line is cut and put together again, a record is forged, and a proof is checked. The
tests go on from one another's state, in this order.
"""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.story.region import Region, up

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NODE = "tianjin-hsb"
PEER = "beijing-hsb"
HOSPITAL = "H1200000S001"
LAST_FOUR = "002T"
"""Of the made-up id number of the first person in demo.yaml."""

PATIENCE_MS = 60_000
"""What happens by itself takes a second or two; a machine that runs all tests is slower."""


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A region in which somebody arrives every second."""
    with up(tmp_path_factory.mktemp("story") / "region", stays=30, pace=1) as running:
        yield running


@pytest.fixture
def page(browser: Browser, region: Region) -> Iterator[Page]:
    """A new visitor of Tianjin's console."""
    context = browser.new_context(
        base_url=region.urls[NODE], viewport={"width": 1360, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context.new_page()
    context.close()


def _sign_in(page: Page, role: str) -> None:
    """Sign in as the sample person who has the role, where the page asks for it."""
    page.locator("button.sample").filter(has=page.get_by_text(role, exact=True)).click()


def _yuan(text: str) -> int:
    found = re.search(r"-?[0-9][0-9,]*\.[0-9]{2}", text)
    assert found, text
    return int(found.group().replace(",", "").replace(".", ""))


def test_her_stay_is_where_the_plan_says(page: Page) -> None:
    """From the joint plan through the sign-in to her stay, whose parts add up."""
    page.goto("/zh")
    page.get_by_role("link", name="看她这笔住院").first.click()
    expect(page).to_have_url(re.compile(r"/zh/sign-in\?then="))
    _sign_in(page, "经办")
    expect(page).to_have_url(re.compile(r"/zh/settlement/stays/[0-9a-z]+$"))
    shown = page.locator(".sum").first.locator(".box-amount").all_inner_texts()
    boxes = [_yuan(text) for text in shown]
    page.locator("a.language").click()

    assert boxes[0] == sum(boxes[1:])
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_contain_text("the funds pay")


def test_a_role_sees_no_more_than_it_may(page: Page) -> None:
    """Who manages accounts finds no way to a stay; the address itself is refused in words."""
    page.goto("/en/sign-in")
    _sign_in(page, "Account administrator")
    page.goto("/en")
    ways = page.locator('a[href*="/settlement/stays"]').count()
    answer = page.goto("/en/settlement/stays")

    assert ways == 0
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("main")).to_contain_text("Clerk")


def test_she_reads_her_bill_and_who_has_read_it(browser: Browser, region: Region) -> None:
    """The link from the hospital's sheet, her last four, the boxes, who has read, and paper."""
    url = region.urls[NODE]
    token = json.loads((region.folder / "demo-credentials.json").read_text("utf-8"))[HOSPITAL]
    stay = re.search(r"/settlement/stays/([0-9a-z]+)", httpx.get(f"{url}/zh", trust_env=False).text)
    assert stay
    with httpx.Client(
        base_url=f"{url}/api/settlement/v1",
        headers={"authorization": f"Bearer {token}"},
        trust_env=False,
    ) as hospital:
        told = hospital.get(f"/stays/{stay.group(1)}").raise_for_status().json()
        settlement_id = told["settlement_id"]
        link = hospital.post(f"/settlements/{settlement_id}/bill-link", json={})
    context = browser.new_context(base_url=url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(link.raise_for_status().json()["path"].replace("/b/", "/zh/bill/"))
    page.locator("#characters").fill(LAST_FOUR)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-box=total]")

    expect(page.locator("main")).to_contain_text("谁看过我的信息")
    expect(page.locator("main")).to_contain_text("经办")
    page.emulate_media(media="print")
    assert page.locator("button:visible, nav:visible").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()


def test_a_cut_line_loses_nothing(page: Page) -> None:
    """Cut by a button: settlements wait and show for how long. Healed: none waits, 0 one-sided."""
    page.goto("/en/demo")
    page.locator("#cut-button").click()
    expect(page.locator("#cut tbody tr").first).to_be_visible()
    page.goto("/en/settlement")
    _sign_in(page, "Clerk")
    expect(page.locator("h1")).to_contain_text(re.compile("[1-9][0-9]* settlements? (is|are) open"))
    page.goto("/en/exchange")
    expect(page.locator("main table")).not_to_contain_text(re.compile("Moving.*Moving", re.DOTALL))
    page.goto("/en/demo")
    page.locator("#heal-button").click()
    expect(page.locator("#heal .notice-good")).to_contain_text("0 one-sided")
    expect(page.locator("#cut")).to_contain_text("Nothing waits")


def test_a_line_is_cut_and_healed_by_command(region: Region, page: Page) -> None:
    """The same in another window: the page shows what the command did."""
    cut = region.run("demo", "cut", "--data", str(region.folder))
    page.goto("/en/demo")

    assert cut.returncode == 0, cut.stderr
    expect(page.locator("#cut-button")).to_be_disabled()
    healed = region.run("demo", "heal", "--wait", "--data", str(region.folder))
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "one-sided" in healed.stdout
    expect(page.locator("#cut-button")).to_be_enabled()


@pytest.mark.parametrize("target", ["settlement", "transfer", "audit", "journal"])
def test_a_forged_record_is_named(page: Page, target: str) -> None:
    """Whatever is forged on a copy, verification names its table and its key."""
    page.goto("/en/demo")
    page.locator(f'input[name="target"][value="{target}"]').check()
    page.locator("#forge button").click()
    expect(page.locator("#forged .notice-good")).to_be_visible()
    facts = dict(
        zip(
            page.locator("#forged dt").all_inner_texts(),
            page.locator("#forged dd").all_inner_texts(),
            strict=True,
        )
    )
    changed = facts["Changed"].split(".")[0]

    assert any(changed in text for name, text in facts.items() if name != "Changed")


def test_a_proof_is_checked_on_the_page(page: Page) -> None:
    """The browser recomputes it: it holds; with one letter changed it fails and says where."""
    page.goto("/en/journal/entries/1")
    _sign_in(page, "Auditor")
    page.get_by_role("button", name="Check the proof").click()
    expect(page.locator("[data-verdict]")).to_contain_text("The proof holds")
    page.locator("summary", has_text="you may change it").click()
    proof = page.locator("textarea")
    proof.fill(proof.input_value().replace('"index": 1', '"index": 2', 1))
    page.get_by_role("button", name="Check the proof").click()
    expect(page.locator("[data-verdict]")).not_to_contain_text("The proof holds")
    assert page.locator(".check-failed:visible").count() >= 1
