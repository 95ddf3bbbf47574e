"""`tongcheng settlement audit`: the same from CSV and Parquet, what it says, its exit codes."""

import csv
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.services.settlement.audit_rows import make, write
from tongcheng.cli import main
from tongcheng.cli.audit_words import CAUSE_WORDS, LABELS
from tongcheng.services.settlement.audit_causes import CAUSES, GENERAL
from tongcheng.services.settlement.audit_model import FUNDS

ROWS, PLANTED = 400, 34


def run(*arguments: str | Path) -> Result:
    """Run the command in English."""
    line = ["settlement", "audit", *map(str, arguments)]
    return CliRunner().invoke(main, line, env={"LC_ALL": "C"})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_both_kinds_of_file(tmp_path: Path, suffix: str) -> None:
    """Both name every planted row with its cause, in text, in JSON and in --out."""
    rows, plan = make(ROWS, PLANTED)
    file, out = tmp_path / f"rows{suffix}", tmp_path / "out.csv"
    write(file, rows)

    told, as_json = run(file, "--out", out), run(file, "--json")

    assert told.exit_code == as_json.exit_code == 1
    assert f"{ROWS} rows: {ROWS - PLANTED} equal, {PLANTED} differ, 0 could not" in told.output
    lines = [json.loads(line) for line in as_json.output.splitlines()]
    found = {line["finding"]["settlement_id"]: line["finding"] for line in lines[:-1]}
    assert found.keys() == plan.keys()
    with out.open(encoding="utf-8", newline="") as written:
        table = list(csv.DictReader(written))
    assert {line["settlement_id"]: line["causes"] for line in table} == plan
    assert sum(bool(line["rules"]) for line in table) > len(table) // 2
    funds = [each for line in found.values() for each in line["differences"]]
    over = sum(max(0, each["theirs_fen"] - each["ours_fen"]) for each in funds
               if each["figure"] in FUNDS)  # fmt: skip
    assert over > 0
    assert sum(each["rows"] for each in lines[-1]["causes"].values()) == PLANTED


def test_equal_file(tmp_path: Path) -> None:
    """A file without a difference exits with 0 and says so."""
    file = tmp_path / "rows.csv"
    write(file, make(60, 0)[0])

    result = run(file)

    assert result.exit_code == 0, result.output
    assert "60 rows: 60 equal, 0 differ" in result.output


def test_files_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong columns, no text, no Parquet, no reader of Parquet: refused by name."""
    bad = tmp_path / "bad.csv"
    cases = [(b"a,b\n1,2\n", "AUDIT_COLUMNS"), (b"\xff\xfe", "AUDIT_FILE"), (b"", "AUDIT_COLUMNS")]
    for content, code in cases:
        bad.write_bytes(content)
        result = run(bad)
        assert (result.exit_code, f"[{code}]" in result.output) == (1, True), result.output
    parquet = tmp_path / "bad.parquet"
    parquet.write_bytes(b"PAR1")
    assert "[AUDIT_FILE]" in run(parquet).output
    monkeypatch.setitem(sys.modules, "polars", None)
    assert "[PARQUET_UNREADABLE]" in run(parquet).output
    assert run(tmp_path / "none.csv").exit_code == 2


def test_row_with_too_few_fields(tmp_path: Path) -> None:
    """It is listed and counted; a file in which no row can be judged is no success."""
    file = tmp_path / "rows.csv"
    write(file, make(1, 0)[0])
    header = file.read_text("utf-8").splitlines()[0]
    file.write_text(f"{header}\nS1,P1\n", "utf-8")

    result = run(file)

    assert "[AUDIT_VALUE] column=* value=2 fields" in result.output
    assert result.exit_code == 1


EVIL = "\x1b[2J\x9b31m\u202eS1"


def test_a_file_steers_no_terminal(tmp_path: Path) -> None:
    """What another system wrote is repeated without controls, and never at any length."""
    file = tmp_path / "rows.csv"
    write(file, make(1, 0)[0])
    header, row = file.read_text("utf-8").splitlines()[:2]
    contents = {
        "[AUDIT_COLUMNS]": f"{header},{EVIL}{'x' * 5_000}\n",
        "[AUDIT_VALUE] column=settlement_id": f"{header}\n{EVIL},{row.partition(',')[2]}\n",
        "[AUDIT_VALUE] column=*": f"{header}\n{EVIL}{'x' * 5_000},P1\n",
        "[AUDIT_FILE]": f"{header}\n{'x' * 200_000},P1\n",
    }
    for code, content in contents.items():
        file.write_text(content, "utf-8")
        result = run(file)
        assert (result.exit_code, code in result.output) == (1, True), result.output
        assert not set(EVIL[:-2]) & set(result.output) - set("[2J31m")
        assert len(result.output) < 3_000


def test_every_cause_has_its_sentence() -> None:
    """Each cause is said in both languages, and documented; no sentence is for nothing."""
    page = Path(__file__).parents[2] / "docs" / "audit.md"

    assert list(CAUSE_WORDS) == list(CAUSES)
    assert all(words.keys() == {"zh", "en"} for words in CAUSE_WORDS.values())
    assert LABELS["zh"].keys() == LABELS["en"].keys()
    assert {*GENERAL, *(wide for each in GENERAL.values() for wide in each)} <= set(CAUSES)
    documented = page.read_text("utf-8")
    assert [key for key in CAUSES if f"`{key}`" not in documented] == []
