"""`tongcheng mobility matrix`: what a planner types, and what comes out of it to the second."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests import tidy
from tests.documents import command_lines
from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.cli import main

PAGE = tidy.ROOT / "docs" / "mobility.md"
WEST, EAST = (117.0, 39.0), (117.3, 39.0)
PLACES = "id,lon,lat,population\nw,117.0,39.0,100\ne,117.3,39.0,50\nfar,118.0,39.0,7\n"
LINE = Line("L", ["W", "E"], ["7:10", "7:40"], [1_200])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a directory with a line of two trains and three places, two of them at its ends."""
    monkeypatch.chdir(tmp_path)
    write_zip(tmp_path / "metro.zip", line_tables({"W": WEST, "E": EAST}, [LINE]))
    (tmp_path / "places.csv").write_text(PLACES, encoding="utf-8")
    return tmp_path


def _matrix(*words: str, exit_code: int = 0) -> Result:
    common = ["--feed", "metro.zip", "--places", "places.csv", "--on", "2026-03-11"]
    result = CliRunner().invoke(main, ["mobility", "matrix", *common, *words])

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


def _rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["origin_id"], row["destination_id"]): row for row in csv.DictReader(file)}


def test_two_trains_in_an_hour(folder: Path) -> None:
    """From 7:00 to 7:59 one waits for 7:10 or 7:40; who comes later than 7:40 is not carried."""
    _matrix("--until", "08:00", "--percentile", "50", "--percentile", "90", "--out", "m.csv")

    rows = _rows(folder / "m.csv")
    assert sorted(rows) == [("e", "e"), ("far", "far"), ("w", "e"), ("w", "w")]
    ride = rows["w", "e"]
    # Best is 20 minutes from the door; of 60 minutes 41 are early enough. The 30th shortest wait
    # of 0..10 and 0..29 minutes is 18 minutes, and the 54th is none.
    assert ride["best_s"] == "1200"
    assert ride["p50_s"] == str(1_200 + 18 * 60)
    assert ride["p90_s"] == ""
    assert ride["departures"] == "2"
    assert float(ride["share"]) == pytest.approx(41 / 60)
    assert rows["w", "w"]["p50_s"] == "0"


def test_deadlines_are_the_mirror(folder: Path) -> None:
    """To be there by a minute from 7:00 on: who must be there before 7:30 can not come by train."""
    _matrix("--until", "08:00", "--arrive", "--out", "m.csv")

    ride = _rows(folder / "m.csv")["w", "e"]
    assert ride["best_s"] == "1200"
    assert float(ride["share"]) == pytest.approx(30 / 60)


def test_the_same_files_make_the_same_bytes(folder: Path) -> None:
    """Threads and workers decide nothing, and the file says how it was made."""
    done = [
        json.loads(_matrix(*words, "--json", "--out", f"{at}.parquet").output)
        for at, words in enumerate((["--threads", "1"], ["--threads", "3"], ["--workers", "1"]))
    ]

    assert len({(folder / f"{at}.parquet").read_bytes() for at in range(3)}) == 1
    assert done[0]["method"] == done[1]["method"] == done[2]["method"]
    assert done[0]["assumed"]["walked"] == "crow fly x 1.3 at 1.2 m/s"
    assert done[0]["places"] == 3
    assert done[0]["reached_pairs"] == 4


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--from", "08:00", "--until", "08:00", "--out", "m.csv"], 2, "--until must be after"),
        (["--from", "8", "--out", "m.csv"], 2, "no time HH:MM"),
        (["--on", "2031-01-01", "--out", "m.csv"], 1, "TIMETABLE_DAY"),
        (["--feed", "gone.zip", "--out", "m.csv"], 1, "FILE_MISSING"),
        (["--out", "m.xlsx"], 1, "MOBILITY_OUT"),
        (["--walk", "2000", "--out", "m.csv"], 1, "MOBILITY_PARAMETER"),
        (["--workers", "1", "--scheduler", "tls://x:1", "--out", "m.csv"], 2, "of its own"),
        (["--scheduler", "tcp://10.0.0.1:8786", "--out", "m.csv"], 1, "SCHEDULER_UNPROTECTED"),
    ],
)
def test_what_can_not_be_computed_is_refused(
    folder: Path, words: list[str], exit_code: int, said: str
) -> None:
    """A wrong option, day or file is named, and no file is left."""
    found = _matrix(*words, exit_code=exit_code)

    assert said in found.output + found.stderr
    assert sorted(each.name for each in folder.iterdir()) == ["metro.zip", "places.csv"]


def test_the_command_of_the_page_runs(folder: Path) -> None:
    """The example of docs/mobility.md does what it says, on a small feed."""
    lines = [words for words in command_lines(PAGE.read_text("utf-8")) if "matrix" in words]

    assert lines
    for words in lines:
        assert CliRunner().invoke(main, words).exit_code == 0, words
    assert (folder / "times.parquet").exists()
