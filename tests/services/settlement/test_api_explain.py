"""The explanation over REST and on the pages: the same tree, with the lines where they are."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import (
    FIRST_HOSPITAL,
    INSURED,
    OTHER_HOSPITAL,
    VISITED,
    Running,
)
from tests.signed_in import cookies, signed_in
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import Shelf
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.desk import Desk

API = "/api/settlement/v1/settlements"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def _get(running: Running, path: str, *, by: str = FIRST_HOSPITAL) -> tuple[int, Any]:
    node = running.cities.tianjin
    app = create_app(node, make_console(node), run_node=False)
    token = {"Authorization": f"Bearer {running.cities.tokens[by]}"}
    with TestClient(app) as client:
        answer = client.get(f"{API}/{path}", headers=token)
        return answer.status_code, answer.json()


def _page(running: Running, member: str, path: str) -> str:
    node = running.cities.wire.nodes[member]
    app = create_app(node, make_console(node), pages=True, run_node=False)
    cookie = cookies(running.run(signed_in(node)))
    with TestClient(app, cookies=cookie) as client:
        text = client.get(path).text
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", text)))


def _every(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        yield from _every(child)


def test_every_amount_of_the_answer_adds_up(running: Running) -> None:
    """Both trees close to the fen; each line stands in the part that it made; a draft is one."""
    claim = running.run(running.cities.settled(0, days=300))

    status, found = _get(running, f"{claim.settlement_id}/explanation")

    assert status == 200
    assert found["book_status"] == "draft"
    assert found["total_fen"] == claim.total_fen
    for root in ("scope", "payers"):
        for each in _every(found[root]):
            if each["children"]:
                assert sum(c["amount_fen"] for c in each["children"]) == each["amount_fen"]
            assert each["text"] is None
            assert each["rule_text"] == []
    scopes = {each["key"]: each for each in found["scope"]["children"]}
    lines = {key: {c["facts"]["line_id"] for c in scopes[key]["children"]} for key in scopes
             if key != "in_scope"}  # fmt: skip
    assert lines == {
        "first_self_pay": {"L2"},
        "over_ceiling": {"L1", "L2", "L4"},
        "self_paid": {"L3"},
    }
    funds = [each for each in found["payers"]["children"] if each["key"] == "fund"]
    assert sum(each["amount_fen"] for each in funds) == claim.fund_fen


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "基金支付 91%（在职 85%，退休人员个人少付四成）"),
        ("en", "the fund pays 91% (85% for those in work, for the retired the own share is"),
    ],
)
def test_the_answer_can_be_read_out(running: Running, language: str, said: str) -> None:
    """With a language every node has its sentence, and every rule its own."""
    claim = running.run(running.cities.settled(0, days=300))

    status, found = _get(running, f"{claim.settlement_id}/explanation?language={language}")

    assert status == 200
    texts = [each["text"] for each in _every(found["scope"])]
    assert all(texts)
    assert any(said in text for text in texts)
    ruled = [each for each in _every(found["scope"]) if each["rule"]]
    assert all(each["rule_text"] for each in ruled)


def test_who_may_not_ask_learns_nothing(running: Running) -> None:
    """Another hospital's settlement does not exist, and one not decided has no explanation."""
    cities = running.cities
    claim = running.run(cities.settled(0))
    stay, total_fen = running.run(cities.discharged(1))
    running.run(cities.quiet())
    cities.wire.cut = True
    refused, problem = _get(running, f"{claim.settlement_id}/explanation", by=OTHER_HOSPITAL)
    assert (refused, problem["code"]) == (404, "SETTLEMENT_UNKNOWN")
    desk = Desk(cities.tianjin, wait_ms=0)
    with pytest.raises(Refused, match="SETTLE-PENDING") as pending:
        running.run(desk.settle(cities.caller, stay.stay_id, total_fen))
    settlement = pending.value.facts["settlement"]

    refused, problem = _get(running, f"{settlement}/explanation")

    assert problem["code"] == "SETTLEMENT_UNDECIDED"
    assert refused == 409


@pytest.mark.parametrize("state", ["settled", "voided"])
def test_both_cities_pages_explain(running: Running, state: str) -> None:
    """The visited side lists the lines; the insured side says where they are; so after a void."""
    cities = running.cities
    claim = running.run(cities.settled(0, days=300))
    if state == "voided":
        running.run(cities.desk.void(cities.caller, claim.settlement_id))
    running.run(cities.quiet())

    visited = _page(running, VISITED, f"/en/settlement/stays/{claim.stay_id}")
    insured = _page(running, INSURED, f"/en/settlement/stays/{claim.stay_id}")

    for text in (visited, insured):
        assert "Why these amounts" in text
        assert "From ¥1,300 to ¥30,000: the fund pays 91%" in text
        assert "drafts: no two officers" in text
        assert "does not say how this part came about" not in text
    assert "quantity 300" in visited
    assert "the lines stay where you were treated" not in visited
    assert "the lines stay where you were treated" in insured
    assert "quantity 300" not in insured


def test_a_book_that_is_not_on_the_node_is_said_so(running: Running) -> None:
    """Without the book the amounts still add up; its digest and that it is elsewhere are shown."""
    claim = running.run(running.cities.settled(0, days=300))
    running.cities.tianjin.home.shelf = Shelf([])

    text = _page(running, VISITED, f"/zh/settlement/stays/{claim.stay_id}")

    assert "本节点没有这份规则" in text
    assert "的部分，基金支付 91%" in text
