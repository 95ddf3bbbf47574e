"""`tongcheng settlement golden`: one line a case, counted by kind, exit 1 when one is wrong."""

import json
from pathlib import Path

from click.testing import CliRunner

from tongcheng.cli import main
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.services.settlement import golden_form

SHIPPED = PACKS_DIR / "jingjinji" / "golden" / "beijing-employee.yaml"


def test_the_shipped_cases_pass_and_show_what_is_unexplained() -> None:
    """G01: the residual by name, and the personal total beside the published one."""
    result = CliRunner().invoke(main, ["settlement", "golden"])

    assert result.exit_code == 0, result.output
    assert "ours 43694.63, published 43694.67 (unexplained)" in result.output
    assert "rounding_residual: -0.01" in result.output
    assert "derived = computed by us" in result.output
    assert "rule books as drafts" in result.output
    assert "68 passed, 0 failed" in result.output


def test_one_wrong_figure_fails_that_case(tmp_path: Path) -> None:
    """A file with one figure changed by a fen names the case and both figures."""
    text = SHIPPED.read_text("utf-8").replace("91759.51", "91759.52", 1)
    (tmp_path / "wrong.yaml").write_text(text, "utf-8")

    result = CliRunner().invoke(main, ["settlement", "golden", str(tmp_path / "wrong.yaml")])

    assert result.exit_code == 1
    assert "G01   failed" in result.output
    assert "ours 91759.51, expected 91759.52" in result.output
    assert "9 passed, 1 failed" in result.output


def test_schema_is_written_and_nothing_is_run() -> None:
    """`--schema` writes the JSON Schema that stands beside the code."""
    result = CliRunner().invoke(main, ["settlement", "golden", "--schema"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == golden_form.schema()


def test_malformed_case_is_counted_apart_and_a_binary_file_refused(tmp_path: Path) -> None:
    """A case of no known kind fails beside the others; a file that is no text is refused."""
    path = tmp_path / "cases.yaml"
    path.write_text("cases: [{id: a, kind: polity}]", "utf-8")

    result = CliRunner().invoke(main, ["settlement", "golden", str(path)])

    assert result.exit_code == 1
    assert "unreadable: 1 failed (not of the format)" in result.output

    path.write_bytes(b"\xff\xfe")
    refused = CliRunner().invoke(main, ["settlement", "golden", str(path)])
    assert refused.exit_code == 1
    assert "not UTF-8" in refused.output
