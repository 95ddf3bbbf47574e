"""`tongcheng settlement shadow` and the settings that go with it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from tongcheng.cli import main
from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.node.files import Settings, check
from tongcheng.node.offline import run_command
from tongcheng.services.settlement.store import SHADOWS, ShadowRow

URL = "http://127.0.0.1:9000/benefit"


def _shadow(node: Path, *words: str) -> Result:
    line = ["settlement", "shadow", "--data", str(node), *words]
    return CliRunner().invoke(main, line, env={"LC_ALL": "C"})


def test_listing(tmp_path: Path) -> None:
    """What is kept is listed in the order of decisions, with its causes; without any, exit 0."""
    node = tmp_path / "node"
    words = ["node", "init", "--data", str(node), "--member", "beijing-hsb"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert _shadow(node).exit_code == 0
    differences = canonical.encode([{"figure": "pool", "theirs_fen": 12_345, "ours_fen": 12_400}])
    kept = (
        ShadowRow("tianjin-hsb", "S2", 2, "RULE_UNKNOWN", "", canonical.encode([]), 0),
        ShadowRow("tianjin-hsb", "S1", 1, None, "float32|rounded_down", differences, 0),
    )

    def keep(tx: Transaction) -> None:
        for row in kept:
            tx.add(SHADOWS, row)

    run_command(node, keep)

    told, as_json = _shadow(node), _shadow(node, "--json")

    assert told.exit_code == as_json.exit_code == 1
    assert told.output.splitlines() == [
        "decision 1  tianjin-hsb  S1",
        "    pool: theirs 123.45, ours 124.00",
        "    float32: amounts in 32-bit floating point",
        "    rounded_down: cut off below the fen",
        "decision 2  tianjin-hsb  S2",
        "    not computed: RULE_UNKNOWN",
        "2 decisions differ",
    ]
    assert [each["settlement_id"] for each in json.loads(as_json.output)] == ["S1", "S2"]


def test_settings_go_together() -> None:
    """An address without a system that decides, or the reverse, is refused."""
    plain = Settings(member_id="beijing-hsb", region="jingjinji", address="http://127.0.0.1:1")
    check(plain)
    check(replace(plain, benefit="shadow", benefit_url=URL))
    for wrong in (replace(plain, benefit="agency"), replace(plain, benefit_url=URL)):
        with pytest.raises(Refused, match="BENEFIT_URL"):
            check(wrong)
