"""What the person's bill says: boxes that add up, every line, what is odd about a settlement."""

import re
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.bill_page.reader import Ward, bill_lines, rename_lines, ward
from tests.services.settlement.two_cities import stored_digest
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement.bill_page.data import LINES_SHOWN
from tongcheng.services.settlement.store import CLAIMS

BOX = re.compile(r'data-box="([a-z_]+)" data-fen="(-?[0-9]+)">([^<]+)<')
AMOUNT = re.compile(r'class="fen amount" data-fen="(-?[0-9]+)"')
SUM = re.compile(r'class="group-sum" data-fen="(-?[0-9]+)"')
PAYERS = ("pool", "other", "account", "cash")


def _opened(desk: Ward, *, count: int = 12) -> tuple[str, int]:
    """Return the address of a bill that is open, and its total in fen."""
    settled = desk.settled(count=count)
    link = desk.link(settled["settlement_id"])
    assert desk.open(link["page"]).status_code == 303
    return link["page"], settled["total_fen"]


def test_boxes_and_lines_add_up_to_the_bill(tmp_path: Path) -> None:
    """The paper's boxes, her two parts, the categories and the lines: each adds up to the fen."""
    with ward(tmp_path) as desk:
        page, total = _opened(desk, count=60)
        html = desk.get(page).text

    boxes = {key: int(fen) for key, fen, _ in BOX.findall(html)}
    shown = {key: int(re.sub("[.,]", "", text)) for key, _, text in BOX.findall(html)}
    lines = [int(fen) for fen in AMOUNT.findall(html)]
    assert shown == boxes
    assert boxes["total"] == total == sum(boxes[each] for each in PAYERS)
    assert boxes["person"] == boxes["account"] + boxes["cash"]
    assert boxes["person"] == boxes["own_share"] + boxes["not_covered"]
    assert min(boxes["own_share"], boxes["not_covered"]) > 0
    assert len(lines) == 60
    assert sum(lines) == sum(int(fen) for fen in SUM.findall(html)) == total
    assert min(lines) < 0


def test_a_refund_stands_below_its_original(tmp_path: Path) -> None:
    """Whatever the order of arrival, the line that gives back follows the one it gives back."""
    with ward(tmp_path) as desk:
        page, _ = _opened(desk, count=20)
        html = desk.get(page).text

    numbers = [int(each) for each in re.findall(r'href="[^"]*/line/(\d+)"', html)]
    refunds = {10: 9, 20: 19}
    found = {each: numbers[numbers.index(each) - 1] for each in refunds}
    assert found == refunds
    assert html.count('class="refund"') == len(refunds)


def test_a_long_bill_has_pages(tmp_path: Path) -> None:
    """600 lines: a hundred a page, each once, sums of the whole on every page; or all at once."""
    with ward(tmp_path) as desk:
        page, total = _opened(desk, count=600)
        pages = [desk.get(f"{page}?page={number}").text for number in range(1, 7)]
        odd = [desk.get(f"{page}?page={each}").text for each in ("0", "7", "x", "99999", "1' OR 1")]
        whole = desk.get(f"{page}?lines=all").text

    lines = [AMOUNT.findall(each) for each in pages]
    assert [len(each) for each in lines] == [LINES_SHOWN] * 6
    assert [fen for each in lines for fen in each] == AMOUNT.findall(whole)
    assert sum(int(fen) for fen in AMOUNT.findall(whole)) == total
    assert {sum(int(fen) for fen in SUM.findall(each)) for each in pages} == {total}
    assert [AMOUNT.findall(each) for each in odd] == [lines[0], lines[5], *[lines[0]] * 3]


def test_names_and_texts_are_only_text(tmp_path: Path) -> None:
    """An item's name or a person's words with markup in them stay what they are: letters."""
    evil = "<script>alert(1)</script>\"'&"

    def rename(tx: Transaction) -> None:
        rename_lines(tx, item_name=evil, charge_category=evil)

    with ward(tmp_path) as desk:
        page, _ = _opened(desk)
        desk.running.run(desk.cities.tianjin.run(rename))
        html = desk.get(page).text
        form = html.split('name="form" value="')[1].split('"')[0]
        desk.post(f"{page}/line/1", form=form, text=evil)
        line = desk.get(f"{page}/line/1").text

    assert "<script" not in html + line
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") > 12
    assert line.count("&lt;script&gt;") >= 3


def test_a_page_asks_nobody_else_and_runs_nothing(tmp_path: Path) -> None:
    """No script, no style in the page, no address but the node's own; no cache keeps it."""
    with ward(tmp_path) as desk:
        page, _ = _opened(desk)
        answers = [desk.get(page), desk.get(f"{page}/line/1")]

    for each in answers:
        assert "<script" not in each.text
        assert " style=" not in each.text
        assert re.findall(r'(?:src|href|action)="(?!/|#)', each.text) == []
        assert each.headers["cache-control"] == "no-store"
        assert "script-src 'self'" in each.headers["content-security-policy"]
        assert each.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_draft_is_said_plainly(tmp_path: Path, language: str) -> None:
    """Every amount follows from a book that nobody adopted, and the page says so at its top."""
    words = {"zh": "按规则草案计算", "en": "Computed by draft rules"}
    with ward(tmp_path) as desk:
        page, _ = _opened(desk)
        html = desk.get(page.replace("/zh/", f"/{language}/")).text

    assert html.index(words[language]) < html.index("data-box")


def test_a_voided_settlement_says_so(tmp_path: Path) -> None:
    """The link stays; the page says that nothing of it counts and shows no lines."""
    with ward(tmp_path) as desk:
        settled = desk.settled()
        link = desk.link(settled["settlement_id"])
        desk.open(link["page"])
        desk.ok("POST", f"/settlements/{settled['settlement_id']}/void")
        html = desk.get(link["page"]).text
        gone = desk.get(f"{link['page']}/line/1")

    assert "这次结算已撤销" in html
    assert AMOUNT.findall(html) == []
    assert (gone.status_code, "<h1>" in gone.text) == (404, True)


def test_a_disputed_void_says_so(tmp_path: Path) -> None:
    """A void that the insured side refused leaves the person a warning, not a wrong figure."""

    def dispute(tx: Transaction) -> None:
        for row in tx.select(CLAIMS):
            tx.put(CLAIMS, msgspec.structs.replace(row, state="disputed"))

    with ward(tmp_path) as desk:
        page, _ = _opened(desk)
        desk.running.run(desk.cities.tianjin.run(dispute))
        html = desk.get(page).text

    assert "这次结算有争议" in html


def test_reading_changes_nothing_but_the_audit(tmp_path: Path) -> None:
    """A bill may be read as often as she likes."""
    with ward(tmp_path) as desk:
        page, _ = _opened(desk)
        before = stored_digest(desk.cities.tianjin, "settlement_")
        for path in ("", "?page=2", "?lines=all", "/line/1", "/line/99", "/line/x"):
            desk.get(page + path)
        after = stored_digest(desk.cities.tianjin, "settlement_")

    assert before == after


def test_sample_lines_are_what_tests_rely_on() -> None:
    """Class C, over the ceiling and refunds are all in the synthetic bill."""
    lines = bill_lines(0, 60)

    assert len({line["line_id"] for line in lines}) == 60
    assert sum(line["amount_fen"] < 0 for line in lines) == 6
    assert "SAMPLE-TJ-X0014" in {line["item_code"] for line in lines}
