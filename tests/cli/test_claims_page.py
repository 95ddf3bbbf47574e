"""The tables of docs/claims.md are those of the code, and its commands do what they say."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import tidy
from tests.documents import command_lines
from tongcheng.cli import claims_page, main
from tongcheng.node import files

PAGE = tidy.ROOT / "docs" / "claims.md"


def test_the_page_shows_the_tables_of_the_code() -> None:
    """The page between its marks is what `tongcheng docs claims` would write now."""
    page = PAGE.read_text("utf-8")

    assert claims_page.replaced(page) == page


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in its order, on fewer claims; the book of an area is one that is shipped."""
    monkeypatch.chdir(tmp_path)
    book = files.pack_folder("jingjinji") / "rulebooks" / "beijing-employee-inpatient.yaml"
    Path("our-area-2026.yaml").write_text(book.read_text("utf-8"), "utf-8")
    lines = list(command_lines(PAGE.read_text("utf-8")))
    assert len(lines) == 5
    for words in [[*lines[0][:-1], "claims.csv"], *lines]:
        fewer = [re.sub("^100000$", "500", word) for word in words]
        assert run(fewer) == 0, fewer


def run(words: list[str]) -> int:
    """Run a command and return its exit code."""
    return CliRunner().invoke(main, words, env={"LC_ALL": "C"}).exit_code
