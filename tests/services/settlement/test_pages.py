"""The settlement pages over a real store: what was settled is what both cities' pages say."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.test_periods import in_periods
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tests.signed_in import cookies, signed_in
from tongcheng.kernel import canonical
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.exchange.acts import RefusedBody
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement import stays_csv, stays_data
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.store import CLAIMS


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def _get(running: Running, member: str, path: str) -> tuple[int, str]:
    node = running.cities.wire.nodes[member]
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    cookie = cookies(running.run(signed_in(node)))
    with TestClient(app, cookies=cookie) as client:
        answer = client.get(path)
        return answer.status_code, answer.text


def test_a_settled_stay_is_shown_by_both_cities(running: Running) -> None:
    """Each city's page of the stay states the same amounts and the chain of envelopes."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())

    for member in (VISITED, INSURED):
        for language in ("zh", "en"):
            status, text = _get(running, member, f"/{language}/settlement/stays/{claim.stay_id}")
            assert status == 200
            for fen in (claim.total_fen, claim.fund_fen, claim.person_fen):
                assert f"{fen // 100:,}.{fen % 100:02}" in text
            assert claim.settlement_id in text
            assert claim.settle_id in text
            assert "测试" not in text.partition("<main")[2]


def test_periods_are_shown_beside_each_other(running: Running) -> None:
    """Each city's page of a stay in two periods lists both, with their days and amounts."""
    first, last = running.run(in_periods(running.cities))
    running.run(running.cities.quiet())

    for member in (VISITED, INSURED):
        status, text = _get(running, member, f"/en/settlement/stays/{first.stay_id}")
        assert status == 200
        assert "Period 1 of this stay" in text
        assert "Period 2 of this stay" in text
        for book in ("Beijing employee basic medical insurance", "stays in another province"):
            assert book in text, "both books that decided are named"
        for fen in (first.total_fen, last.total_fen):
            assert f"{fen // 100:,}.{fen % 100:02}" in text


def test_the_list_shows_stays_and_its_filter_leaves_out_others(running: Running) -> None:
    """A stay only admitted is in the whole list and not among the settled ones."""
    claim = running.run(running.cities.settled(0))
    open_stay = running.run(running.cities.admitted(1))

    status, text = _get(running, VISITED, "/zh/settlement/stays")
    assert status == 200
    assert claim.stay_id in text
    assert open_stay.stay_id in text
    assert text.count(">草案<") == 1, "of the two only the settled one has amounts"

    _, settled = _get(running, VISITED, "/zh/settlement/stays?state=settled")
    assert claim.stay_id in settled
    assert open_stay.stay_id not in settled

    _, older = _get(running, VISITED, "/en/settlement/stays?before=1.x")
    assert claim.stay_id not in older


def test_a_stay_is_found_by_its_numbers(running: Running) -> None:
    """Written in full, each number leads to its stay, and the finding is in the audit."""
    claim = running.run(running.cities.settled(0))
    other = running.run(running.cities.admitted(1))
    running.run(running.cities.quiet())

    for number in ("ZY000000", claim.stay_id, claim.settlement_id):
        _, found = _get(running, VISITED, f"/en/settlement/stays?q={number}")
        assert "1 stay found" in found
        assert claim.stay_id in found
        assert other.stay_id not in found
    for number in ("ZY00000", "%25", "%00", claim.stay_id[:-1]):
        _, found = _get(running, VISITED, f"/en/settlement/stays?q={number}")
        assert "Nothing found" in found or number == "%00"
    _, there = _get(running, INSURED, f"/en/settlement/stays?q={claim.settlement_id}")
    assert claim.stay_id in there
    rows = running.run(running.cities.tianjin.read(lambda s: s.select(AUDIT)))
    read = [(row.subject, row.detail) for row in rows if row.action == "stay.read"]
    assert read == [(claim.stay_id, "found by its number")] * 3


FILTERS: tuple[tuple[str, set[str]], ...] = (
    ("hospital=H12010100001", {VISITED}),
    ("hospital=H12010200002", set()),
    ("area=beijing", {VISITED, INSURED}),
    ("area=tianjin", set()),
    ("area=nowhere", set()),
    ("on=2026-11-22", {VISITED, INSURED}),
    ("on=2026-11-21", set()),
    ("on=0001-01-01", {VISITED, INSURED}),
)


@pytest.mark.parametrize(("query", "shown"), FILTERS)
def test_filters_narrow_the_list_and_its_file(
    running: Running, query: str, shown: set[str]
) -> None:
    """A hospital is chosen among those here; what a filter cannot mean is left out."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())

    for member in (VISITED, INSURED):
        _, listed = _get(running, member, f"/en/settlement/stays?{query}")
        status, file = _get(running, member, f"/en/settlement/stays/download.csv?{query}")
        assert status == 200
        assert (claim.stay_id in listed, claim.stay_id in file) == (member in shown,) * 2


def test_the_file_has_the_list_and_no_person(running: Running) -> None:
    """One line a stay under the names of its columns; no number of a patient's, no formula."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())

    _, text = _get(running, VISITED, "/zh/settlement/stays/download.csv?q=ZY000000")
    header, line, end = text.split("\r\n")
    assert header == "\ufeff" + ",".join(stays_csv.COLUMNS)
    assert line.startswith(f"{claim.stay_id},2026-11-22 18:00:00,已结算,")
    assert f"{claim.total_fen // 100}.{claim.total_fen % 100:02}" in line
    assert end == ""
    assert "ZY000000" not in text


def test_pages_of_the_list_hold_each_stay_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stays of one commit share an instant; the next page goes on between them."""
    monkeypatch.setattr(stays_data, "PAGE_ROWS", 2)
    stays = [running.run(running.cities.admitted(number)).stay_id for number in range(5)]
    address, found = "/zh/settlement/stays", []
    while address:
        _, text = _get(running, VISITED, address)
        found += re.findall(r'id="row-([^"]+)"', text)
        after = re.search(r'href="(/zh[^"]+before=[^"]+)"', text)
        address = html.unescape(after[1]) if after else ""

    assert sorted(found) == sorted(stays)


def test_a_void_is_open_until_it_is_confirmed(running: Running) -> None:
    """While the other city is silent, neither a settlement nor its void is called done."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    cities.wire.cut = True
    running.run(cities.desk.void(cities.caller, claim.settlement_id))

    _, listed = _get(running, VISITED, "/en/settlement/stays")
    _, page = _get(running, VISITED, f"/en/settlement/stays/{claim.stay_id}")

    assert "0 settled, 1 open" in listed
    assert 'Void pending <span class="count">1</span>' in listed
    assert "Waiting for Beijing to confirm the void" in page


def test_who_has_left_unsettled_is_not_in_hospital(running: Running) -> None:
    """A discharged stay without a settlement has a state, a filter and a title of its own."""
    cities = running.cities
    inside = running.run(cities.admitted(1))
    left, _ = running.run(cities.discharged(2))

    _, all_stays = _get(running, VISITED, "/en/settlement/stays")
    _, discharged = _get(running, VISITED, "/en/settlement/stays?state=discharged")
    _, admitted = _get(running, VISITED, "/en/settlement/stays?state=admitted")
    _, page = _get(running, VISITED, f"/en/settlement/stays/{left.stay_id}")

    assert 'Admitted <span class="count">1</span>' in all_stays
    assert 'Discharged, unsettled <span class="count">1</span>' in all_stays
    assert (left.stay_id in discharged, inside.stay_id in discharged) == (True, False)
    assert (left.stay_id in admitted, inside.stay_id in admitted) == (False, True)
    assert "Discharged, not settled yet" in page


def test_a_cancelled_stay_is_shown_as_voided(running: Running) -> None:
    """A void is told by both pages; the amounts that were taken back stay readable."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    running.run(cities.desk.void(cities.caller, claim.settlement_id))
    running.run(cities.quiet())

    for member in (VISITED, INSURED):
        status, text = _get(running, member, f"/en/settlement/stays/{claim.stay_id}")
        assert status == 200
        assert "Voided" in text


def test_what_a_peer_says_cannot_take_the_page_away(running: Running) -> None:
    """The amounts of an answer are checked when it is taken; its way to them is only shown.

    A refusal may come without the facts that our words for its code need.
    """
    claim = running.run(running.cities.settled(0))
    result = canonical.decode_as(claim.result, BenefitResult)
    trace = [msgspec.structs.replace(row, rule="no/such", amount_fen=-9) for row in result.trace]
    odd = msgspec.structs.replace(result, person_type="<b>", trace=trace)
    refusal = RefusedBody(code="STAY_STATE", facts={"code": "<b>", "peer": 1})
    changed = msgspec.structs.replace(
        claim, result=canonical.encode(odd), refusal=canonical.encode(refusal)
    )
    running.run(running.cities.tianjin.run(lambda tx: tx.put(CLAIMS, changed)))

    status, text = _get(running, VISITED, f"/en/settlement/stays/{claim.stay_id}")
    assert status == 200
    assert "<b>" not in text


def test_an_unknown_stay_is_a_page_that_says_so(running: Running) -> None:
    """A stay that is not here is answered with the catalogue's words, not with a fault."""
    status, text = _get(running, VISITED, "/en/settlement/stays/nothing")

    assert status == 404
    assert "STAY_UNKNOWN" in text


def test_the_home_page_counts_what_is_settled(running: Running) -> None:
    """The plan's figure is computed from the store at the moment it is asked."""
    running.run(running.cities.settled(0))

    status, text = _get(running, VISITED, "/en")

    assert status == 200
    assert "/en/settlement/stays" in text


def test_the_exchange_page_says_whether_somebody_must_act(running: Running) -> None:
    """With the wire up every channel moves; the page of the other city is of the same mind."""
    running.run(running.cities.settled(0))
    running.run(running.cities.quiet())

    for language, words in (("zh", "与各地的往来"), ("en", "Channels with the other members")):
        status, text = _get(running, INSURED, f"/{language}/exchange")
        assert status == 200
        assert words in text


def test_the_chain_leads_to_the_proof_of_each_envelope(running: Running) -> None:
    """The link beside an envelope answers with its leaf and its path in the journal."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    running.run(cities.tianjin.checkpoints.round())

    path = f"/en/journal/entries/{claim.settle_id}"
    _, page = _get(running, VISITED, f"/en/settlement/stays/{claim.stay_id}")
    assert f'href="{path}"' in page
    status, text = _get(running, VISITED, path)
    assert status == 200
    assert claim.settle_id in text
    assert _get(running, VISITED, "/en/journal/entries/nothing")[0] == 404
    assert _get(running, VISITED, "/en/journal/proofs/nothing")[0] == 404
