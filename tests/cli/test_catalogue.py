"""`tongcheng settlement catalogue`: what an operator types, and the exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.services.settlement.books import REGION
from tongcheng.cli import main
from tongcheng.services.settlement.catalogue import COLUMNS

SHIPPED = REGION / "catalogues" / "tianjin-sample.csv"
HEAD = "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n" + ",".join(COLUMNS) + "\n"
ROW = "SAMPLE-X1,示例·一,B,10,0.1,drug,2024-01-01,\n"


def _call(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(
        main, ["settlement", "catalogue", *map(str, words)], env={"LC_ALL": "C"}
    )

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node's directory, the node not running."""
    words = ["node", "init", "--data", str(tmp_path / "node"), "--member", "tianjin-hsb"]
    assert CliRunner().invoke(main, words).exit_code == 0
    return tmp_path / "node"


def test_import_then_compare(tmp_path: Path, node: Path) -> None:
    """The node's own catalogue is compared by its name: before, with the pack's; then, imported."""
    file = tmp_path / "new.csv"
    file.write_text(HEAD + ROW, encoding="utf-8")
    name = SHIPPED.name

    pack = json.loads(_call("diff", name, SHIPPED, "--data", node, "--json").output)
    first = _call("import", file, "--data", node, "--name", name)
    again = _call("import", file, "--data", node, "--name", name)
    equal = json.loads(_call("diff", name, file, "--data", node, "--json").output)
    digest = equal["old"]
    by_digest = json.loads(_call("diff", digest, SHIPPED, "--data", node, "--json").output)

    assert pack["differences"] == []
    assert f"{name}: 1 items, for all days" in first.output
    assert "nothing was done" in again.output
    assert equal["differences"] == []
    assert by_digest["counts"]["ended"] == 1
    assert by_digest["counts"]["added"] >= 40


def test_diff_for_people(tmp_path: Path) -> None:
    """Each difference is a row: kind, days, and what was and is, in units that people read."""
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text(HEAD + ROW + ROW.replace("X1", "X2"), encoding="utf-8")
    changed = ROW.replace(",B,10,0.1,", ",A,12.5,0,") + ROW.replace("X1", "X3")
    new.write_text(HEAD + changed, encoding="utf-8")

    said = _call("diff", old, new).output

    assert "item_class B → A; price_ceiling 10 → 12.5; first_self_pay 0.1 → 0" in said
    assert "1 added, 1 ended, 1 changed" in said
    assert "2 and 2 items compared in " in said


def test_refusals(tmp_path: Path, node: Path) -> None:
    """A faulty file is refused with its line; a name that is nowhere is said to be nowhere."""
    bad, other = tmp_path / "bad.csv", tmp_path / "gb.csv"
    bad.write_text(HEAD + ROW + ROW, encoding="utf-8")
    other.write_text(HEAD + ROW, encoding="gb18030")

    twice = _call("import", bad, "--data", node, exit_code=1)
    garbled = _call("import", other, "--data", node, exit_code=1)
    nowhere = _call("diff", "nowhere", bad, "--data", node, exit_code=1)
    unnamed = _call("diff", "nowhere", bad, exit_code=2)

    assert "[CATALOGUE_FORM] Line 6 " in twice.output
    assert "[FILE_ENCODING] Line 5 " in garbled.output
    assert "[CATALOGUE_MISSING]" in nowhere.output
    assert "there is no file 'nowhere'" in unnamed.output
