"""`tongcheng mobility feed check`: what an analyst types and reads, and the page about it."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests import tidy
from tests.documents import command_lines
from tests.services.mobility.feeds import Tables, sound_tables, write_folder, write_zip
from tongcheng.cli import main, mobility_feed_page
from tongcheng.cli.mobility_feed_check import feed_id_of
from tongcheng.kernel.texts import Texts
from tongcheng.services.mobility.feed.findings import SEVERITIES
from tongcheng.services.mobility.service import TEXTS_PATH

PAGE = tidy.ROOT / "docs" / "mobility-feeds.md"
REFERENCE = "name,lon,lat\n" + "".join(f"第{n}站,{116 + n / 10},39.9\n" for n in range(9))


def _check(*words: str | Path, exit_code: int = 0, language: str = "C") -> Result:
    words = ("mobility", "feed", "check", *words)
    result = CliRunner().invoke(main, list(map(str, words)), env={"LC_ALL": language})

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


def _broken() -> Tables:
    tables = sound_tables()
    tables["stop_times.txt"][7]["arrival_time"] = "07:55:00"
    return tables


def test_for_people(tmp_path: Path) -> None:
    """What was read, each finding with its line, and a verdict last."""
    lines = _check(write_zip(tmp_path / "feed.zip", sound_tables())).output.splitlines()

    assert lines[0].startswith(str(tmp_path / "feed.zip"))
    assert "4 platforms, 1 stations, 1 entrances" in lines[2]
    assert lines[3] == "runs on 261 days, 2026-01-01 to 2026-12-31"
    assert any("[datum_unknown]" in line for line in lines)
    assert lines[-1] == "fit for use, with doubts: see the warnings"


def test_errors_end_with_one(tmp_path: Path) -> None:
    """What had to be left out is told with its line, in the reader's language."""
    path = write_zip(tmp_path / "feed.zip", _broken())

    english = _check(path, exit_code=1).output
    chinese = _check(path, exit_code=1, language="zh_CN.UTF-8").output

    assert "error stop_times.txt arrival_time: times go backwards; the trip was left out" in english
    assert "    9: 07:55:00" in english
    assert "错误 stop_times.txt arrival_time：时间倒退，整趟车次未采用" in chinese.replace(
        ": ", "："
    )


def test_for_machines(tmp_path: Path) -> None:
    """One list for all files, refused ones with their code; the exit code is of the worst."""
    sound = write_zip(tmp_path / "a.zip", sound_tables())
    folder = write_folder(tmp_path / "b", sound_tables())
    (tmp_path / "c.zip").write_bytes(b"no archive")

    found = json.loads(_check(sound, folder, tmp_path / "c.zip", "--json", exit_code=1).output)

    assert [each["file"] for each in found] == [str(sound), str(folder), str(tmp_path / "c.zip")]
    assert found[0]["report"]["counts"]["calls"] == 9
    assert found[0]["report"]["days"]["first_on"] == "2026-01-01"
    assert found[1]["report"]["feed_id"] == "b"
    assert found[2]["refused"] == "FEED_ARCHIVE"


def test_refused(tmp_path: Path) -> None:
    """A refusal is told in words beside what was read of other files."""
    said = _check(
        tmp_path / "nothing.zip", write_zip(tmp_path / "a.zip", sound_tables()), exit_code=1
    ).output

    assert "[FILE_MISSING]" in said
    assert "fit for use" in said


def test_datum_is_told(tmp_path: Path) -> None:
    """Said by an option, places are converted and the report says so; a bad reference refuses."""
    path = write_zip(tmp_path / "feed.zip", sound_tables())
    (tmp_path / "bad.csv").write_text("name,lon,lat\nA,x,1\n", encoding="utf-8")

    said = _check(path, "--datum", "gcj02").output
    refused = _check(path, "--reference", tmp_path / "bad.csv", exit_code=1).output

    assert "places were in GCJ-02, made WGS-84 (as was said)" in said
    assert "[datum_converted]" in said
    assert "[REFERENCE_FILE]" in refused


@pytest.mark.parametrize("words", [[], ["a.zip", "--datum", "bd09"], ["a.zip", "--frobnicate"]])
def test_not_understood(words: list[str]) -> None:
    """What is no such command ends with 2."""
    _check(*words, exit_code=2)


@pytest.mark.parametrize(
    ("name", "feed_id"),
    [
        ("beijing_subway_2026h2.gtfs.zip", "beijing-subway-2026h2"),
        ("Feed.ZIP", "feed"),
        ("北京.zip", "feed"),
        ("x" * 50, "x" * 32),
    ],
)
def test_ids_of_files(name: str, feed_id: str) -> None:
    """A feed is called like its file, as far as that makes an id."""
    assert feed_id_of(Path(name)) == feed_id


def test_every_finding_has_words() -> None:
    """A code without words, and words without a code, are faults of ours."""
    prefix = "mobility.feed.finding."
    keys = filter(re.compile(re.escape(prefix)).match, Texts.load(TEXTS_PATH).keys())

    assert sorted(keys) == sorted(prefix + code for code in SEVERITIES)


def test_the_page_shows_the_findings_of_the_code() -> None:
    """The page between its marks is what `tongcheng docs feeds` would write now."""
    page = PAGE.read_text("utf-8")

    assert mobility_feed_page.replaced(page) == page


def test_the_page_is_written(tmp_path: Path) -> None:
    """`tongcheng docs feeds` writes what is between the marks, and nothing else."""
    page = PAGE.read_text("utf-8")
    stale = page.replace("| `speed` | warning |", "| `speed` | error |")
    (tmp_path / PAGE.name).write_text(stale, encoding="utf-8")

    assert stale != page
    assert CliRunner().invoke(main, ["docs", "feeds", "--folder", str(tmp_path)]).exit_code == 0
    assert (tmp_path / PAGE.name).read_text("utf-8") == page


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the page does what it says, on a small feed."""
    monkeypatch.chdir(tmp_path)
    write_zip(Path("feed.zip"), sound_tables())
    shutil.copy("feed.zip", "other-feed.zip")
    write_folder(Path("folder"), sound_tables())
    Path("stations.csv").write_text(REFERENCE, encoding="utf-8")
    lines = command_lines(PAGE.read_text("utf-8"))

    assert len(lines) == 4
    for words in lines:
        assert CliRunner().invoke(main, words).exit_code == 0, words
