"""`tongcheng settlement case`: the agency lists, reads and decides, and each of it is on record."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.cli.cases import Listed
from tongcheng.kernel import audit, cases
from tongcheng.kernel.cases import Actor, Opening
from tongcheng.kernel.store import Transaction
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.services.settlement.line_query import LINE_QUERY

MEMBER = "tianjin-hsb"
QUESTION = "这一天我没有做过这项检查。"
PARTIES = {"person": "person-1", "hospital": "H1200000S001", "agency": MEMBER}


def _call(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(
        main, ["settlement", "case", *map(str, words)], env={"LC_ALL": "C", "COLUMNS": "160"}
    )

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node laid out, without rule books in use: no deadline of a query is known there."""
    words = ["node", "init", "--data", str(tmp_path / MEMBER), "--member", MEMBER]
    assert CliRunner().invoke(main, [*words, "--port", "8101"]).exit_code == 0
    return tmp_path / MEMBER


def _escalated(folder: Path, item: str = "L1") -> str:
    def command(tx: Transaction) -> str:
        opening = Opening("stay-1", item, PARTIES)
        case_id = cases.open_case(tx, LINE_QUERY, opening, QUESTION).case.case_id
        for action, role in (("explained", "hospital"), ("escalated", "person")):
            actor = Actor(role, PARTIES[role])
            cases.act(tx, LINE_QUERY, case_id, action, actor, f"{action}.")
        return case_id

    case_id: str = run_command(folder, command)
    return case_id


def test_from_the_list_to_the_decision(folder: Path) -> None:
    """The list has no personal text, `read` has it all; the decision closes the case."""
    case_id = _escalated(folder)
    listed = _call("list", "--data", folder)
    shown = _call("read", case_id, "--data", folder, "--officer", "officer-1")
    decided = _call(
        "decide", case_id, "upheld", "--data", folder, "--officer", "officer-2", "--text", "是。"
    )
    again = _call("list", "--data", folder)

    assert case_id in listed.output
    assert QUESTION not in listed.output
    assert "1 open, 0 overdue" in listed.output
    for words in (QUESTION, "explained.", "escalated."):
        assert words in shown.output
    assert f"{case_id}: upheld; receipt 4, leaf 3" in decided.output
    assert "0 open, 0 overdue" in again.output
    noted = read_snapshot(folder, lambda s, _: s.select(audit.AUDIT, subject=case_id))
    assert [(one.actor, one.action) for one in noted] == [
        ("officer-1", "case.read"),
        ("officer-2", "case.upheld"),
    ]


def test_what_was_said_looks_like_no_hand_over(folder: Path) -> None:
    """A person's second line, made up as the hospital's answer, stands apart from real ones."""
    forged = "2  2026-11-23 00:00:00  hospital: corrected  (leaf 9)"

    def command(tx: Transaction) -> str:
        opening = Opening("stay-1", "L1", PARTIES)
        return cases.open_case(tx, LINE_QUERY, opening, f"为什么？\n{forged}").case.case_id

    shown = _call("read", run_command(folder, command), "--data", folder, "--officer", "o")

    assert f"   > {forged}" in shown.output.splitlines()
    assert [line[0] for line in shown.output.splitlines() if line[0].isdigit()] == ["1"]


def test_a_list_for_a_machine(folder: Path) -> None:
    """JSON with whose turn it is, until when, or the code that says why that is not known."""
    case_id = _escalated(folder)
    found = msgspec.json.decode(_call("list", "--data", folder, "--json").output, type=list[Listed])
    late = _call("list", "--data", folder, "--overdue", "--json")

    assert [(one.case_id, one.owner, one.overdue) for one in found] == [(case_id, "agency", False)]
    assert found[0].due_at is None
    assert found[0].why == "RULE_BOOK_DRAFT"
    assert msgspec.json.decode(late.output) == []


def test_every_open_case_is_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list goes on after a page, to the last case."""
    monkeypatch.setattr("tongcheng.cli.cases.PAGE_CASES", 2)
    for number in range(5):
        _escalated(folder, f"L{number}")

    assert "5 open" in _call("list", "--data", folder).output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing", "upheld", "--text", "x"), "CASE_UNKNOWN"),
        (("{case}", "upheld"), "CASE_WORDS"),
        (("{case}", "lapsed"), "CASE_ACTION"),
    ],
)
def test_decisions_that_are_refused(folder: Path, words: tuple[str, ...], code: str) -> None:
    """A case that is not there, no reasons, a move that the table does not have: named."""
    case_id = _escalated(folder)
    given = [word.format(case=case_id) for word in words]
    refused = _call("decide", *given, "--data", folder, "--officer", "one", exit_code=1)

    assert f"[{code}]" in refused.output
