"""The ledger's pages over two running nodes: what the title says, what the rows say, what fails."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.test_statements import plant
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tests.signed_in import cookies, signed_in
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.mirror import job


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def get(running: Running, member: str, path: str, *roles: str) -> tuple[int, str]:
    """Return a page as somebody with these roles sees it (none: nearly all)."""
    node = running.cities.wire.nodes[member]
    cookie = cookies(running.run(signed_in(node, *roles)))
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    with TestClient(app, cookies=cookie) as client:
        answer = client.get(path, follow_redirects=False)
        return answer.status_code, answer.text


async def looked(cities: two_cities.TwoCities) -> None:
    """Let both nodes look into the mirror now."""
    cities.clock.advance(job.RESTING_MS)
    for node in (cities.tianjin, cities.beijing):
        await job.look_at_all(node)


def test_both_cities_show_the_same_agreed_figures(running: Running) -> None:
    """Each title says that the books agree; each table has the other's figure beside its own."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())
    running.run(looked(running.cities))

    for member, title in (
        (VISITED, "The books of Tianjin and Beijing agree to the fen"),
        (INSURED, "The books of Beijing and Tianjin agree to the fen"),
    ):
        status, text = get(running, member, "/en/ledger")
        assert status == 200
        assert title in text
        assert ">0.00<" in text
        assert "Provisional: the month is not over" in text
        assert f"{claim.fund_fen // 100:,}" in text
        assert len(text.encode()) < 100_000


def test_a_planted_difference_is_the_title(running: Running) -> None:
    """Money on one side only: both cities' pages say so, and name the settlement."""

    async def planted() -> None:
        await plant(1, is_visited=True)(running.cities)

    running.run(planted())
    running.run(looked(running.cities))

    for member in (VISITED, INSURED):
        _, text = get(running, member, "/en/ledger")
        assert "1 settlement differs between the two books" in text
        assert "s00000" in text


def test_silence_is_said_with_its_beginning(running: Running) -> None:
    """Without an answer the page shows what was last seen, and since when nobody answers."""
    running.run(running.cities.settled(0))
    running.run(looked(running.cities))
    running.cities.wire.cut = True
    running.run(looked(running.cities))

    _, text = get(running, VISITED, "/en/ledger")

    assert "No answer from Beijing" in text
    assert "no answer since" in text
    assert "The mirror as of" in text


def test_a_purse_leads_to_every_movement(running: Running) -> None:
    """A purse's month lists settlements with stay and proof, and taken back ones as such."""
    first = running.run(running.cities.settled(0))
    second = running.run(running.cities.settled(1))
    cities = running.cities
    running.run(cities.desk.void(cities.caller, first.settlement_id))
    running.run(cities.quiet())
    _, ledger = get(running, VISITED, "/en/ledger")
    path = next(part.split('"')[0] for part in ledger.split('href="') if "/310/pool/" in part[:60])

    status, text = get(running, VISITED, path)
    _, file = get(running, VISITED, f"{path}.csv")
    rows = list(csv.DictReader(io.StringIO(file.lstrip("\ufeff"))))

    assert status == 200
    for claim in (first, second):
        assert f"/en/settlement/stays/{claim.stay_id}" in text
        assert f"/en/journal/entries/{claim.settle_id}" in text
    assert len(rows) == 3
    postings = sorted(set(re.findall(r'"/en(/journal/entries/transfer/[0-9a-f]{32})"', text)))
    assert len(postings) == 3
    for posting, row in zip(postings, reversed(rows), strict=True):
        status, shown = get(running, VISITED, f"/en{posting}")
        assert status == 200
        assert f"¥{abs(Decimal(row['amount_yuan'])):,}" in shown
    assert [row["settlement_id"] for row in rows].count(first.settlement_id) == 2


def test_links_are_offered_to_who_may_follow_them(running: Running) -> None:
    """An accountant sees the settlement and no link to what the table does not let them read."""
    running.run(running.cities.settled(0))
    _, ledger = get(running, VISITED, "/en/ledger", "fund-accountant")
    path = next(part.split('"')[0] for part in ledger.split('href="') if "/310/pool/" in part[:60])

    status, text = get(running, VISITED, path, "fund-accountant")

    assert status == 200
    assert "/en/journal/entries/" not in text


UNKNOWN = ["/en/ledger/beijing/310/pool/1999-01", "/en/ledger/no/such/purse/2026-11"]


@pytest.mark.parametrize("path", UNKNOWN)
def test_what_is_not_booked_is_said(running: Running, path: str) -> None:
    """A purse that is not in the ledger is a page that says so."""
    status, text = get(running, VISITED, path)

    assert status == 404
    assert "PURSE_NOT_BOOKED" in text


def test_the_file_has_what_the_page_shows(running: Running) -> None:
    """One line for each purse, amounts in yuan, provisional while the month runs."""
    claim = running.run(running.cities.settled(0))
    running.run(looked(running.cities))

    _, text = get(running, VISITED, "/en/ledger.csv")
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))

    assert sum(int(row["net_yuan"].replace(".", "")) for row in rows) == claim.fund_fen
    assert {row["difference_yuan"] for row in rows} == {"0.00"}
    assert {row["provisional"] for row in rows} == {"1"}
