"""`tongcheng settlement statement`: what an operator types, and the exit codes."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from tongcheng.cli import main
from tongcheng.kernel import canonical
from tongcheng.kernel.store import Transaction
from tongcheng.node.offline import run_command
from tongcheng.services.settlement.statement_model import StatementFinding
from tongcheng.services.settlement.statements import STATEMENTS

MEMBERS = ("beijing-hsb", "tianjin-hsb")
MONTH = "2020-01"
"""A month that is over whenever this runs."""


def _call(*words: str | Path | int, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words], env={"LC_ALL": "C"})

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """Two nodes that do not run, with an accord in force between them."""
    for position, member in enumerate(MEMBERS):
        port = 8_101 + position
        _call("node", "init", "--data", tmp_path / member, "--member", member, "--port", port)
    cards = [word for each in MEMBERS for word in ("--card", tmp_path / each / "member-card.json")]
    file = tmp_path / "accord.json"
    _call("accord", "init", *cards, "-o", file)
    for member in MEMBERS:
        _call("accord", "sign", file, "--data", tmp_path / member)
    _call("accord", "adopt", file, "--data", tmp_path)
    return tmp_path


def test_send_and_list(region: Path) -> None:
    """Sent once; sent again it is under way, and refused where the member is named."""
    words = ("settlement", "statement", "send", "--data", region / MEMBERS[1], "--month", MONTH)
    first = _call(*words)
    again = _call(*words)
    named = _call(*words, "--peer", MEMBERS[0], exit_code=1)
    early = _call(*words[:-1], "2999-01", exit_code=1)
    listed = _call("settlement", "statement", "list", "--data", region, "--json")
    rows = json.loads(listed.output)

    assert "beijing-hsb 2020-01: 0 lines in 1 page, to be sent when the node runs" in first.output
    assert "under way" in again.output
    assert "[STATEMENT_UNDER_WAY]" in named.output
    assert "[MONTH_NOT_OVER]" in early.output
    assert [row["state"] for row in rows[MEMBERS[1]]] == ["sent"]
    assert rows[MEMBERS[0]] == []


def test_a_dispute_is_shown_with_its_differences(region: Path) -> None:
    """Every difference is a line, and the exit code says that somebody must look."""
    _call("settlement", "statement", "send", "--data", region / MEMBERS[1], "--month", MONTH)
    finding = StatementFinding("s1", "beijing/310/pool", "amount", 12_345, 0)

    def dispute(tx: Transaction) -> None:
        row = tx.select(STATEMENTS)[0]
        findings = canonical.encode(msgspec.to_builtins([finding]))
        tx.put(
            STATEMENTS,
            msgspec.structs.replace(row, state="disputed", finding_count=1, findings=findings),
        )

    run_command(region / MEMBERS[1], dispute)
    shown = _call(
        "settlement", "statement", "list", "--data", region / MEMBERS[1], exit_code=1
    ).output

    assert "2020-01 amount: s1 beijing/310/pool, 123.45 / 0.00" in shown
