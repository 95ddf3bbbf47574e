"""`tongcheng settlement filing`: the id number is asked for and never shown."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.services.settlement.two_cities import id_number
from tongcheng.cli import main
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.node import files
from tongcheng.node.files import Settings
from tongcheng.node.offline import run_command
from tongcheng.services.settlement import insured
from tongcheng.services.settlement.model import Identity


@pytest.fixture(name="node")
def _node(tmp_path: Path) -> Path:
    """A node of Beijing's that insures one made-up person."""
    folder = tmp_path / "beijing-hsb"
    settings = Settings(
        member_id="beijing-hsb", region="jingjinji", address="http://127.0.0.1:8100"
    )
    files.create(folder, settings, SystemEntropy(), None)
    who = Identity("测试", id_number(0), "2", "1950-01-01")
    run_command(
        folder,
        lambda tx: insured.enrol(tx, who, admdvs="110000", scheme="310", person_type="retired"),
    )
    return folder


def _call(*words: object, typed: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, ["settlement", "filing", *map(str, words)], input=typed)
    assert result.exit_code == exit_code, result.output
    assert typed.strip() not in result.output
    return result.output


def test_added_and_listed(node: Path) -> None:
    """What was kept is listed; the same again is the same filing."""
    number = id_number(0) + "\n"
    add = ("add", "referral", "--place", "12", "--from", "2026-01-01", "--data", node)

    told = [_call(*add, typed=number) for _ in range(2)]
    listed = _call("list", "--data", node, typed=number)
    rows = msgspec.json.decode(_call("list", "--data", node, "--json", typed=number).split("\n")[1])

    assert "1: referral, for 12, 2026-01-01 – open" in told[0]
    assert told[0] == told[1]
    assert "1 filing\n" in listed
    assert [row["filing"] for row in rows] == ["referral"]


def test_a_stranger_and_a_wrong_place_are_refused(node: Path) -> None:
    """By name, and nothing is kept."""
    number = id_number(0) + "\n"
    days = ("--from", "2026-01-01", "--data", node)

    stranger = _call("add", "other", "--place", "12", *days, typed="990101X\n", exit_code=1)
    nowhere = _call("add", "other", "--place", "Tianjin", *days, typed=number, exit_code=1)
    listed = _call("list", "--data", node, typed=number)

    assert "[PERSON_NOT_INSURED_HERE]" in stranger
    assert "[FILING_FORM]" in nowhere
    assert "0 filings" in listed
