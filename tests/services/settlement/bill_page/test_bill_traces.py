"""Who has read a person's data, as the person's own page says it."""

from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from tests.services.settlement.bill_page.reader import Ward, delegate, ward
from tests.signed_in import cookies, signed_in
from tongcheng.kernel import audit
from tongcheng.kernel.access import accounts, reviews
from tongcheng.kernel.access.reviews import Glass
from tongcheng.kernel.audit import Entry
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.journal import JOURNAL_LEAVES
from tongcheng.kernel.store import Transaction
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console

REASON = "患者昏迷，急诊需要核对昨晚的结算"
SECTION = '<h3 class="apart">谁看过我的信息</h3>'


def _section(ward: Ward, page: str) -> str:
    text = ward.get(page).text
    return " ".join(text.split(SECTION)[1].split("</section>")[0].split())


def _note(ward: Ward, *entries: Entry) -> None:
    def command(tx: Transaction) -> None:
        for entry in entries:
            audit.note(tx, entry)

    ward.running.run(ward.cities.tianjin.run(command))


def _opened(ward: Ward, settlement: dict[str, Any]) -> str:
    page: str = ward.link(settlement["settlement_id"])["page"]
    ward.open(page)
    return page


def test_every_way_in_stands_there(tmp_path: Path) -> None:
    """A hospital by REST or the national interface, a peer, a clerk, and one in another's place."""
    with ward(tmp_path) as hospital:
        settlement = hospital.settled()
        stay_id, node = settlement["stay_id"], hospital.cities.tianjin
        clerk = hospital.running.run(signed_in(node, "clerk")).account_id
        hospital.ok("GET", f"/stays/{stay_id}/lines")
        person_id = hospital.ok("GET", f"/stays/{stay_id}")["person_id"]
        _note(
            hospital,
            Entry("H12010100001", "national.2303", person_id),
            Entry("beijing-hsb", "journal.entry.read", settlement["settlement_id"]),
            Entry(f"account/{clerk}", "stay.read", stay_id),
            Entry(f"account/{clerk} for account/another", "stay.read", stay_id),
            Entry(f"account/{clerk}", "stay.read", "another-stay"),
        )
        section = _section(hospital, _opened(hospital, settlement))

    assert "查看费用明细" in section
    assert "试算待遇" in section
    assert "北京市医疗保障局 · 核对日志条目" in section
    assert section.count("天津市医疗保障局 · 查看住院记录") == 2
    assert section.count("受同事委托") == 1
    assert clerk not in section
    assert "这份账单由您或您的代理人打开、查看过" in section


def test_what_is_read_through_the_journal_stands_there(tmp_path: Path) -> None:
    """Whoever reads the settlement by its entries leaves a trace as by its page: none is a way."""
    with ward(tmp_path) as hospital:
        settlement = hospital.settled()
        auditor = hospital.running.run(signed_in(hospital.cities.tianjin, "auditor"))
        with hospital.cities.tianjin.database.snapshot() as snapshot:
            leaves = snapshot.select(JOURNAL_LEAVES, kind="settlement_claim")
        app = create_app(
            hospital.cities.tianjin,
            make_console(hospital.cities.tianjin),
            pages=True,
            run_node=False,
        )
        page = _opened(hospital, settlement)
        before = _section(hospital, page).count("核对日志条目")
        with TestClient(app, cookies=cookies(auditor)) as client:
            for leaf in leaves:
                assert client.get(f"/zh/journal/entries/{leaf.leaf_index}").status_code == 200
        after = _section(hospital, page).count("核对日志条目")

    assert (before, after) == (0, len(leaves))
    assert leaves


def test_an_emergency_stands_there_with_its_review(tmp_path: Path) -> None:
    """Under review, overdue, and what was found: the person learns each."""
    with ward(tmp_path) as hospital:
        settlement = hospital.settled()
        node, run = hospital.cities.tianjin, hospital.running.run
        duty, judge = run(signed_in(node, "duty-operator")), run(signed_in(node, "auditor"))

        def break_glass(tx: Transaction) -> str:
            account = accounts.need(tx, duty.account_id)
            glass = Glass("settlement.stay.read", settlement["stay_id"], REASON)
            row = reviews.break_glass(tx, account, glass)
            audit.note(tx, Entry(row.actor, "stay.read", settlement["stay_id"]))
            return row.emergency_id

        name = run(node.run(break_glass))

        def decide(tx: Transaction) -> None:
            reviewer = accounts.need(tx, judge.account_id)
            reviews.decide(tx, reviewer, name, "object", "没有急诊记录可以证明")

        page = _opened(hospital, settlement)
        waiting = _section(hospital, page)
        hospital.cities.clock.advance(8 * DAY_MS)
        page = _opened(hospital, settlement)
        overdue = _section(hospital, page)
        run(node.run(decide))
        found = _section(hospital, page)

    assert "紧急查阅，正在审查是否正当" in waiting
    assert "紧急查阅，审查已逾期" in overdue
    assert "紧急查阅，经审查不正当" in found
    assert REASON not in waiting + overdue + found


def test_the_last_twenty_are_shown_and_all_counted(tmp_path: Path) -> None:
    """A stay that was read more often says how often."""
    with ward(tmp_path) as hospital:
        settlement = hospital.settled()
        page = _opened(hospital, settlement)
        before = _section(hospital, page)
        shown = before.count("<li>")
        _note(hospital, *[Entry("H9", "stay.read", settlement["stay_id"])] * 30)
        section = _section(hospital, page)

    assert section.count("<li>") == 20
    assert f"共 {shown + 30} 次，这里列出最近 20 次" in section


def test_a_delegate_is_not_told_where_else_the_person_was(tmp_path: Path) -> None:
    """Look-ups of the person by other hospitals are the patient's to know alone."""
    with ward(tmp_path) as hospital:
        settlement = hospital.settled()
        stay_id = settlement["stay_id"]
        person_id = hospital.ok("GET", f"/stays/{stay_id}")["person_id"]
        _note(hospital, Entry("H12010200002", "settlement.person/1", person_id))
        made = hospital.ok("POST", f"/stays/{stay_id}/delegates", delegate())
        link = hospital.link(settlement["settlement_id"], delegate_id=made["delegate_id"])
        hospital.open(link["page"], "0021")
        theirs = _section(hospital, link["page"])
        own = _section(hospital, _opened(hospital, settlement))

    assert "查询参保地" in own
    assert "查询参保地" not in theirs
