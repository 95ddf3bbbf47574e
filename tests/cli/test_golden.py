"""`tongcheng settlement golden`: one line a case, counted by kind, exit 1 when one is wrong."""

from pathlib import Path

from click.testing import CliRunner

from tongcheng.cli import main
from tongcheng.kernel.region import PACKS_DIR

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
