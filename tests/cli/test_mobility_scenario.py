"""`tongcheng mobility scenario …`: what a planner types and reads, and the page about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import tidy
from tests.documents import command_lines
from tests.services.mobility.feeds import Line, line_tables, write_zip
from tests.services.mobility.scenario.scenario_texts import CHANGES, HEAD_LINES, document
from tongcheng.cli import main
from tongcheng.services.mobility.scenario.reading import read_scenario

PAGE = tidy.ROOT / "docs" / "mobility-scenarios.md"
SHIPPED = tidy.ROOT / "src" / "tongcheng" / "regions" / "jingjinji" / "geography" / "scenarios"
MEMBER = "beijing-hsb"


def _call(*words: str | Path, exit_code: int = 0, language: str = "C") -> Result:
    words = ("mobility", "scenario", *words)
    result = CliRunner().invoke(main, [str(word) for word in words], env={"LC_ALL": language})

    assert result.exit_code == exit_code, result.output + result.stderr
    assert "Traceback" not in result.output
    return result


def _json(*words: str | Path, exit_code: int = 0) -> Any:
    return json.loads(_call(*words, "--json", exit_code=exit_code).output)


@pytest.fixture(name="node")
def _node(tmp_path: Path) -> Path:
    words = ("node", "init", "--data", str(tmp_path / "node"), "--member", MEMBER)
    assert CliRunner().invoke(main, words).exit_code == 0
    return tmp_path / "node"


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(document(CHANGES["speed"]), "utf-8")
    return path


def test_shipped_scenarios_apply() -> None:
    """Each adds to its own base day what its name says, and all are listed."""
    paths = sorted(SHIPPED.glob("*.yaml"))
    found = {each["scenario_id"]: each for each in _json("check", *paths)}
    listed = _json("list")

    assert list(found) == [path.stem for path in paths]
    assert [each["scenario_id"] for each in listed] == [path.stem for path in paths]
    assert all(each["keeps_all"] for each in found.values())
    grown = {
        name: tuple(each["after"][what] - each["before"][what] for what in ("runs", "stretches"))
        for name, each in found.items()
    }
    assert grown == {
        "capital-ring": (0, 6), "jingbin": (18, 0), "jinxing": (18, 0), "shared-check": (0, 0)
    }  # fmt: skip
    assert all("mixed eras" in each["mark"] for each in found.values())


def test_seen_from_is_of_the_tables() -> None:
    """The places that a scenario is looked at from are those of the pack's own tables."""
    tables = "".join(
        (SHIPPED.parent / name).read_text("utf-8") for name in ("stations.csv", "counties.csv")
    )
    for path in SHIPPED.glob("*.yaml"):
        scenario = read_scenario(path.name, path.read_text("utf-8"))

        assert scenario.seen_from
        for seen in scenario.seen_from:
            places = [f"{seen.lon:.{digits}f},{seen.lat:.{digits}f}," for digits in (2, 4)]
            assert any(each in tables for each in places), seen


def test_in_words(file: Path) -> None:
    """What is changed stands with its line, in the reader's language."""
    english = _call("check", "--form", file).output
    chinese = _call("check", "--form", file, language="zh_CN.UTF-8").output

    assert f"{HEAD_LINES + 1}: time between calls times 4/5: ab" in english
    assert f"{HEAD_LINES + 1}: 站间运行时间乘以 4/5：ab" in chinese


def test_every_change_has_words(tmp_path: Path) -> None:
    """No kind of change is without words in either language."""
    path = tmp_path / "all.yaml"
    path.write_text(document(*CHANGES.values()), "utf-8")

    for language in ("C", "zh_CN.UTF-8"):
        lines = _call("check", "--form", path, language=language).output.splitlines()
        assert len(lines) == 1 + len(CHANGES)
        assert len(set(lines)) == len(lines)


def test_faults_are_told(file: Path) -> None:
    """A fault of the form, and one of the base, with the line; the others are still told."""
    bad = file.with_name("bad.yaml")
    bad.write_text(document(CHANGES["speed"].replace("4/5", "fast")), "utf-8")
    raw = file.with_name("raw.yaml")
    raw.write_bytes(b"a: b\nc: \xff\n")
    found = _json("check", bad, file, raw, SHIPPED / "jingbin.yaml", exit_code=1)

    assert [each.get("refused") for each in found] == [
        "SCENARIO_DOCUMENT", "SCENARIO_UNKNOWN", "SCENARIO_DOCUMENT", None
    ]  # fmt: skip
    assert [each["facts"]["line"] for each in found[:3]] == [HEAD_LINES + 3, HEAD_LINES + 1, 2]
    assert "[SCENARIO_UNKNOWN]" in _call("check", file, exit_code=1).output


def test_feeds_of_ones_own(tmp_path: Path) -> None:
    """A line of one's own feed is known by its id; the day is needed, and eras do not mix."""
    stops = {"W": (117.0, 39.0), "E": (117.3, 39.0)}
    feed = write_zip(
        tmp_path / "own.zip", line_tables(stops, [Line("A", ["W", "E"], ["7:10", "7:20"], [1_200])])
    )
    path = tmp_path / "more.yaml"
    path.write_text(
        document(CHANGES["headway_factor"].replace("services: [ab-fast]", "lines: [A]"))
    )
    (found,) = _json("check", path, "--feed", feed, "--on", "2026-03-11")

    assert (found["before"]["runs"], found["after"]["runs"]) == (2, 3)
    assert found["mark"] is None
    _call("check", path, "--feed", feed, exit_code=2)
    _call("check", path, "--processes", path, exit_code=2)
    wrong = tmp_path / "book.yaml"
    wrong.write_bytes("title: 北京".encode("gb18030"))
    refused = _call(
        "check", path, "--feed", feed, "--on", "2026-03-11", "--processes", wrong, exit_code=1
    )
    assert "[RULE_BOOK_YAML]" in refused.output
    silent = (SHIPPED.parent / "processes.yaml").read_text("utf-8").partition("\nrules:")[0]
    wrong.write_text(silent + "\nrules: {}\n", "utf-8")
    refused = _call(
        "check", path, "--feed", feed, "--on", "2026-03-11", "--processes", wrong, exit_code=1
    )
    assert "[PROCESS_UNKNOWN]" in refused.output


def test_kept_signed_and_withdrawn(node: Path, file: Path, tmp_path: Path) -> None:
    """A signed version is listed and verified, found out where changed, and can be withdrawn."""
    out = tmp_path / "signed.json"

    assert "test: version 1" in _call("sign", file, "--data", node, "--out", out).output
    assert "version 1" in _call("sign", file, "--data", node).output
    (kept,) = [each for each in _json("list", "--data", node) if each["version"]]
    assert (kept["scenario_id"], kept["version"]) == ("test", 1)
    assert "by beijing-hsb, good" in _call("verify", out, "--data", node).output
    out.write_bytes(out.read_bytes().replace(b"4/5", b"3/5"))
    assert "[SCENARIO_SIGNATURE]" in _call("verify", out, "--data", node, exit_code=1).stderr
    _call("withdraw", "test", "--data", node)
    assert "[SCENARIO_NOT_KEPT]" in _call("withdraw", "test", "--data", node, exit_code=1).stderr
    assert not [each for each in _json("list", "--data", node) if each["version"]]
    verified = CliRunner().invoke(main, ["journal", "verify", "--data", str(node)])
    assert verified.exit_code == 0, verified.output


def test_the_page_runs(node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its example is a scenario, and each of its commands, in order, does what it should."""
    page = PAGE.read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "more.yaml").write_text(example, "utf-8")
    (tmp_path / "own.yaml").write_text(
        document(CHANGES["headway_factor"].replace("services: [ab-fast]", "lines: [A]")), "utf-8"
    )
    stops = {"W": (117.0, 39.0), "E": (117.3, 39.0)}
    write_zip(tmp_path / "metro.zip", line_tables(stops, [Line("A", ["W", "E"], ["7:10"], [600])]))
    monkeypatch.chdir(tmp_path)
    lines = command_lines(page)

    assert len(lines) == 8
    assert node == tmp_path / "node"
    for words in lines:
        result = CliRunner().invoke(main, words, env={"LC_ALL": "C"})
        assert result.exit_code == 0, (words, result.output, result.stderr)
    assert read_scenario("more.yaml", example).only_adds
