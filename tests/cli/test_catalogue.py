"""`tongcheng settlement catalogue` and `mapping`: what an operator types, and the exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.services.settlement.books import REGION
from tongcheng.cli import main
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.services.settlement.catalogue import COLUMNS
from tongcheng.services.settlement.mapping import MAPPINGS
from tongcheng.services.settlement.store import INSTITUTIONS, InstitutionRow

SHIPPED = REGION / "catalogues" / "tianjin-sample.csv"
HEAD = "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n" + ",".join(COLUMNS) + "\n"
ROW = "SAMPLE-X1,示例·一,B,10,0.1,drug,2024-01-01,\n"


def _call(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["settlement", *map(str, words)], env={"LC_ALL": "C"})

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

    pack = json.loads(_call("catalogue", "diff", name, SHIPPED, "--data", node, "--json").output)
    first = _call("catalogue", "import", file, "--data", node, "--name", name)
    again = _call("catalogue", "import", file, "--data", node, "--name", name)
    equal = json.loads(_call("catalogue", "diff", name, file, "--data", node, "--json").output)
    digest = equal["old"]
    by_digest = json.loads(
        _call("catalogue", "diff", digest, SHIPPED, "--data", node, "--json").output
    )

    assert pack["differences"] == []
    assert f"{name}: 1 item, for all days" in first.output
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

    said = _call("catalogue", "diff", old, new).output

    assert "item_class B → A; price_ceiling 10 → 12.5; first_self_pay 0.1 → 0" in said
    assert "1 added, 1 ended, 1 changed" in said
    assert "2 and 2 items compared in " in said


def test_refusals(tmp_path: Path, node: Path) -> None:
    """A faulty file is refused with its line; a name that is nowhere is said to be nowhere."""
    bad, other = tmp_path / "bad.csv", tmp_path / "gb.csv"
    bad.write_text(HEAD + ROW + ROW, encoding="utf-8")
    other.write_text(HEAD + ROW, encoding="gb18030")

    twice = _call("catalogue", "import", bad, "--data", node, exit_code=1)
    garbled = _call("catalogue", "import", other, "--data", node, exit_code=1)
    nowhere = _call("catalogue", "diff", "nowhere", bad, "--data", node, exit_code=1)
    unnamed = _call("catalogue", "diff", "nowhere", bad, exit_code=2)

    assert "[CATALOGUE_FORM] Line 6 " in twice.output
    assert "[FILE_ENCODING] Line 5 " in garbled.output
    assert "[CATALOGUE_MISSING]" in nowhere.output
    assert "there is no file 'nowhere'" in unnamed.output


def test_import_of_a_mapping(tmp_path: Path, node: Path) -> None:
    """A table goes to one institution, all of it or nothing; strictness is its choice."""
    file, bad = tmp_path / "codes.csv", tmp_path / "bad.csv"
    head = "hospital_code,med_list_codg,from,to\n"
    file.write_text(head + "h1,N1,2026-01-01,\nh2,N2,2026-01-01,\n", encoding="utf-8")
    bad.write_text(head + "h3,N3,2026-01-01,\nh4,N4,soon,\n", encoding="utf-8")
    place = InstitutionRow("H1", "示例医院", "Sample Hospital", 3, None, "120000", SHIPPED.name)
    run_command(node, lambda tx: tx.put(INSTITUTIONS, place))
    words = ("--institution", "H1", "--data", node)

    done = _call("mapping", "import", file, *words, "--strict")
    refused = _call("mapping", "import", bad, *words, exit_code=1)
    nobody = _call("mapping", "import", file, "--institution", "?", "--data", node, exit_code=1)
    kept, row = read_snapshot(
        node, lambda s, _: (len(s.select(MAPPINGS)), s.get(INSTITUTIONS, "H1"))
    )

    assert "H1: 2 rows" in done.output
    assert "[MAPPING_FORM]" in refused.output
    assert "[INSTITUTION_UNKNOWN]" in nobody.output
    assert kept == 2
    assert row is not None
    assert row.mapping == "strict"
