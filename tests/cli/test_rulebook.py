"""`tongcheng rulebook`: what a person and a machine see, and the exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.services.settlement.books import REGION
from tongcheng.cli.rulebook import rulebook

BOOK = REGION / "rulebooks" / "beijing-employee-inpatient.yaml"


def _run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(rulebook, [str(word) for word in arguments])


def _json(result: Result) -> Any:
    return json.loads(result.output)


def test_check_of_the_shipped_books() -> None:
    """What ships is free of problems, and the check says how many figures are doubtful."""
    result = _run("check", "--json")

    assert result.exit_code == 0
    books = {one["book_id"]: one for one in _json(result)}
    beijing = books["beijing-employee-inpatient"]
    assert beijing["problems"] == []
    assert 0 < beijing["doubtful"] < beijing["figures"]


BROKEN = [
    ("confidence: high", "confidence: sure", "CONFIDENCE_UNKNOWN"),
    ('value: "0.85"', 'value: "1.85"', "RULE_BOOK_SCHEMA"),
    ('value: "500000", source: tsbj, confidence', 'value: "1", source: tsbj, confidence', "CAPS"),
    ("kind: benefit", "kind: benefit\nkind: benefit", "RULE_BOOK_DUPLICATE_KEY"),
]


@pytest.mark.parametrize(("old", "new", "code"), BROKEN)
def test_check_names_problems(tmp_path: Path, old: str, new: str, code: str) -> None:
    """A fault is named with its code, for people and machines, and the exit code is 1."""
    text = BOOK.read_text("utf-8")
    assert old in text
    path = tmp_path / "broken.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")

    people, machine = _run("check", path), _run("check", "--json", path)

    assert (people.exit_code, machine.exit_code) == (1, 1)
    assert code in people.output
    assert code in _json(machine)[0]["problems"][0]["code"]


def test_check_finds_overlapping_versions(tmp_path: Path) -> None:
    """Two files of one book that are in force on one day are a problem of the second."""
    path = tmp_path / "again.yaml"
    path.write_bytes(BOOK.read_bytes())

    result = _run("check", "--json", BOOK, path)

    assert result.exit_code == 1
    assert [len(one["problems"]) for one in _json(result)] == [0, 1]


def test_check_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file that is not UTF-8 is a problem, not a traceback."""
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    result = _run("check", path)

    assert result.exit_code == 1
    assert "RULE_BOOK_YAML" in result.output


@pytest.mark.parametrize("name", [BOOK, "beijing-employee-inpatient"])
def test_show_marks_doubtful_figures(name: object) -> None:
    """Every figure stands with its source; doubtful ones and conflicts are marked."""
    result = _run("show", name)

    assert result.exit_code == 0
    rows = result.output.split("├")
    cells = {row.split("│")[1].strip(): row for row in rows if "│" in row}
    assert "doubtful" in cells["pool_cap"]
    assert "500000 by tsbj" in cells["pool_cap"]
    assert "doubtful" not in cells["bands[0].steps[0].ratio"]
    assert "levels 3" in cells["bands[0].steps[0].ratio"]
    assert "unknown" in cells["catastrophic.terms[0].cap"]


def test_show_as_json() -> None:
    """A machine gets the same figures and marks."""
    document = _json(_run("show", "beijing-employee-inpatient", "--json"))

    figures = {figure["path"]: figure for figure in document["figures"]}
    assert document["status"] == "draft"
    assert figures["rules.pool_cap"]["doubtful"]
    assert figures["rules.pool_cap"]["conflicts"][0]["value"] == "500000"


USAGE = [
    ("check", "no-such-file.yaml"),
    ("show", "no-such-book"),
    ("show", "beijing-employee-inpatient", "--on", "2021-12-31"),
    ("show", "beijing-employee-inpatient", "--on", "yesterday"),
    ("diff", BOOK),
]


@pytest.mark.parametrize("arguments", USAGE)
def test_usage_errors(arguments: tuple[object, ...]) -> None:
    """What can not be understood ends with 2."""
    assert _run(*arguments).exit_code == 2


def test_diff(tmp_path: Path) -> None:
    """One changed ratio is one line, before and after."""
    path = tmp_path / "new.yaml"
    text = BOOK.read_text("utf-8").replace('value: "0.87"', 'value: "0.88"')
    path.write_text(text, encoding="utf-8")

    people, machine = _run("diff", BOOK, path), _run("diff", "--json", BOOK, path)

    assert (people.exit_code, machine.exit_code) == (0, 0)
    assert "0.88" in people.output
    assert _json(machine) == [
        {"path": "rules.bands[1].steps[0].ratio.value", "before": "0.87", "after": "0.88"}
    ]


def test_diff_of_what_is_no_book(tmp_path: Path) -> None:
    """A file that can not be read is named with its code."""
    path = tmp_path / "no.yaml"
    path.write_text("a: 1", encoding="utf-8")

    result = _run("diff", BOOK, path)

    assert result.exit_code == 1
    assert "RULE_BOOK_FIELD" in result.output
