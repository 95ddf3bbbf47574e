"""The audit page: who read personal data, up to where it is sealed, and that looking is noted."""

import csv
import io
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import DAY_MS, Running
from tests.signed_in import cookies, signed_in
from tongcheng.kernel import audit
from tongcheng.kernel.audit import AUDIT, AuditRow, Entry
from tongcheng.kernel.store import Transaction
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console


def _client(running: Running) -> TestClient[Litestar]:
    node = running.cities.tianjin
    app = create_app(node, make_console(node), pages=True, run_node=False)
    return TestClient(app, cookies=cookies(running.run(signed_in(node, "auditor"))))


def _note(running: Running, *entries: Entry) -> None:
    def command(tx: Transaction) -> None:
        for entry in entries:
            audit.note(tx, entry)

    running.run(running.cities.tianjin.run(command))


def _rows(running: Running) -> list[AuditRow]:
    with running.cities.tianjin.database.snapshot() as snapshot:
        return snapshot.select(AUDIT)


def test_title_says_who_read(tmp_path: Path) -> None:
    """Nobody; then one reader; then who read most. What was no read counts for nothing."""
    with two_cities.running(tmp_path) as running, _client(running) as client:
        before = client.get("/zh/audit").text
        _note(running, Entry("H1", "stay.read", "s1"), Entry("H1", "mapping.put", "2 rows"))
        alone = client.get("/en/audit").text
        _note(running, Entry("beijing-hsb", "settlement.person/1", "ask"))
        _note(running, Entry("H1", "lines.read", "s1"))
        several = client.get("/zh/audit").text

    assert "<h1>今天还没有人查看过个人信息</h1>" in before
    assert "<h1>Personal data was read 1 time today, by H1</h1>" in alone
    assert "<h1>今天 2 方查看过个人信息，共 3 次，H1最多（2 次）</h1>" in several


def test_what_was_done_has_the_same_words_on_ones_own_account(tmp_path: Path) -> None:
    """A read by what was looked at, another action by its own words, a strange one by its code."""
    with two_cities.running(tmp_path) as running, _client(running) as client:
        client.get("/zh/audit/entries.csv")
        actor = _rows(running)[-1].actor
        _note(running, Entry(actor, "stay.read", "s1"), Entry(actor, "x.y", "s2"))
        pages = [client.get(path).text for path in ("/zh/account", f"/zh/audit?actor={actor}")]

    for page in pages:
        assert all(words in page for words in ("查看住院记录", "下载审计日志", "x.y"))


def test_every_look_is_noted_before_it_is_answered(tmp_path: Path) -> None:
    """One entry a page, with what was looked for; the download too."""
    with two_cities.running(tmp_path) as running, _client(running) as client:
        client.get("/zh/audit?subject=s1&actor=H1&on=2026-11-22")
        client.get("/zh/audit/entries.csv?action=stay.read")
        looks = [(row.action, row.subject, row.detail) for row in _rows(running)]

    assert looks[-2:] == [
        ("audit.read", "s1", "actor H1, on 2026-11-22"),
        ("audit.download", "audit", "action stay.read"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "on=2026-02-30",
        "on=9999-12-31",
        "before=0",
        "before=999",
        "before=x",
        "actor=%00%ff",
        "on=",
    ],
)
def test_a_query_that_means_nothing_hides_nothing(tmp_path: Path, query: str) -> None:
    """What a filter cannot mean is as if it were not there, or finds nothing: never a fault."""
    with two_cities.running(tmp_path) as running, _client(running) as client:
        assert client.get(f"/zh/audit?{query}").status_code == 200


def test_pages_and_download(tmp_path: Path) -> None:
    """Fifty entries a page with a link to the older ones; the file has them all, as text."""
    formula = '=HYPERLINK("x")'
    with two_cities.running(tmp_path) as running, _client(running) as client:
        _note(running, *(Entry("H1", "stay.read", f"s{number}") for number in range(60)))
        _note(running, Entry("H1", "x", formula))
        last = _rows(running)[-50].number
        first = client.get("/zh/audit?actor=H1").text
        second = client.get(f"/zh/audit?actor=H1&before={last}").text
        file = client.get("/zh/audit/entries.csv?actor=H1")

    assert first.count('<th scope="row"') == 50
    assert f'href="/zh/audit?actor=H1&amp;before={last}"' in first
    assert second.count('<th scope="row"') == 11
    assert "更早的记录" in first
    assert "更早的记录" not in second
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert len(lines) == 62
    assert lines[1][4] == f"'{formula}"
    assert [line[-1] for line in lines[:3]] == ["personal_read", "0", "1"]


def test_page_says_how_far_it_is_sealed(tmp_path: Path) -> None:
    """Nothing sealed, all sealed, some sealed; the proof is that of the newest seal."""
    with two_cities.running(tmp_path) as running, _client(running) as client:
        set_up = len(_rows(running))
        none = client.get("/zh/audit").text
        running.cities.clock.advance(DAY_MS)
        session = running.run(signed_in(running.cities.tianjin, "auditor"))
        client.cookies.update(cookies(session))
        running.run(running.cities.tianjin.run(audit.seal))
        with running.cities.tianjin.database.snapshot() as snapshot:
            sealed = audit.head(snapshot).sealed
        part = client.get("/zh/audit").text
        early = client.get("/zh/audit/seal.json")
        running.run(running.cities.tianjin.checkpoints.round())
        proved = client.get("/zh/audit/seal.json")
        page = client.get("/zh/audit").text

    assert f"{set_up} 条都还没有封存" in none
    assert f"第 1 至 {sealed} 条已于" in part
    assert "/zh/audit/seal.json" not in part
    assert early.status_code == 409
    assert "/zh/audit/seal.json" in page
    assert proved.json()["leaf"]["kind"] == audit.SEAL_KIND
    assert proved.json()["leaf"]["id"] == str(sealed)
