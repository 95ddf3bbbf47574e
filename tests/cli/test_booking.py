"""`tongcheng settlement book`, as docs/booking.md says it, on a node of the demonstration."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import command_lines
from tests.tidy import ROOT

PAGE = (ROOT / "docs" / "booking.md").read_text("utf-8")


def call(folder: Path, *words: str, exit_code: int = 0) -> str:
    """Run a command of ours in a process of its own, in a directory."""
    ran = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", "from tongcheng.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert ran.returncode == exit_code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration without a stay: its persons and hospitals."""
    folder = tmp_path_factory.mktemp("region")
    call(folder, "up", "--no-serve", "--stays", "0", "--data", "nodes", "--port", "8490")
    return folder


@pytest.fixture
def region(made: Path, tmp_path: Path) -> Path:
    """A copy of the demonstration, and the page's file of claims beside it."""
    shutil.copytree(made, tmp_path / "region")
    table = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert table is not None
    (tmp_path / "region" / "home.csv").write_text(table[1], "utf-8")
    return tmp_path / "region"


def test_page_does_what_it_says(region: Path) -> None:
    """Its command books its file; again it books nothing; the node verifies."""
    lines = command_lines(PAGE)
    assert len(lines) == 1
    said = call(region, *lines[0])
    assert "2 claims and 1 void booked in 1 commit" in said
    assert (region / "not-booked.csv").read_text("utf-8") == "row,claim_id,code,detail\n"
    again = json.loads(call(region, *lines[0], "--json"))
    assert (again["already"], again["claims"], again["voids"]) == (3, 0, 0)
    assert "holds" in call(region, "journal", "verify", "--data", "nodes/beijing-hsb")


def test_rows_that_are_not_booked_are_listed_and_end_in_one(region: Path) -> None:
    """A hospital without a contract: listed, with a claim_id that no spreadsheet computes."""
    claims = (region / "home.csv").read_text("utf-8").replace("H1100000S001", "H9", 1)
    claims = claims.replace("H-1", "=H-1", 1)
    (region / "home.csv").write_text(claims, "utf-8")
    said = call(region, *command_lines(PAGE)[0], exit_code=1)
    assert "1 row is not booked: INSTITUTION_UNKNOWN" in said
    listed = (region / "not-booked.csv").read_text("utf-8").splitlines()
    assert listed[1:] == ["0,'=H-1,INSTITUTION_UNKNOWN,H9"]


def test_a_file_that_is_none_is_refused_by_name(region: Path) -> None:
    """Nothing is booked of a file without the columns of claims."""
    (region / "home.csv").write_text("a,b\n1,2\n", "utf-8")
    assert "CLAIMS_COLUMNS" in call(region, *command_lines(PAGE)[0], exit_code=1)
