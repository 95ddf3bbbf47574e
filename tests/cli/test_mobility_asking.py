"""`tongcheng mobility reach`, `circle`, `compare`: what a planner types, and what comes of it."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import tidy
from tests.documents import command_lines
from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.cli import main

PAGE = tidy.ROOT / "docs" / "mobility.md"
WEST, EAST = (117.0, 39.0), (117.3, 39.0)
PLACES = (
    "id,name,lon,lat,county,population,doctors\n"
    "w,西,117.0,39.0,W,100,1\ne,东,117.3,39.0,E,50,2\nfar,远,118.0,39.0,E,7,0\n"
)
LINE = Line("L", ["W", "E"], ["7:10", "7:40"], [1_200])
FASTER = """scenario_id: faster
title: {zh: 提速, en: Faster trains}
status: {value: proposal, source: null, year: null, confidence: null}
changes:
- change: speed
  lines: [L]
  factor: "FACTOR"
"""
OWN = ("--feed", "metro.zip", "--places", "places.csv", "--on", "2026-03-11")
SOUTH = "116.3724,39.8635"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a directory with a line of two trains and three places, two of them at its ends."""
    monkeypatch.chdir(tmp_path)
    write_zip(tmp_path / "metro.zip", line_tables({"W": WEST, "E": EAST}, [LINE]))
    (tmp_path / "places.csv").write_text(PLACES, encoding="utf-8")
    for factor, name in (("0.5", "faster"), ("2", "slower")):
        text = FASTER.replace("FACTOR", factor)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def _run(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["mobility", *words])

    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output
    return result


def _json(*words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_run(*words, "--json").output)
    return told


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_a_place_reaches_is_drawn_and_counted(folder: Path) -> None:
    """From the west the train reaches 50 people, at best in 20 minutes; the far 7 nobody."""
    told = _json("reach", *OWN, "--at", "w", "--until", "08:00", "--minutes", "25,60",
                 "--out", "r.geojson")  # fmt: skip

    assert told["counted"]["within"] == {"p50": [100, 150], "best": [150, 150]}
    assert told["counted"]["people"] == 157
    assert [area["area_id"] for area in told["counted"]["areas"]] == ["E", "W"]
    drawn = json.loads((folder / "r.geojson").read_text("utf-8"))
    assert [each["properties"]["people"] for each in drawn["features"]] == [100, 150, 150, 150]
    assert drawn["features"][0]["properties"]["cell_shape"] == "assumed hexagon of 500 m"
    assert drawn["method"]["parameters"]["place"] == "117.000000,39.000000"


def test_who_reaches_a_place_is_counted(folder: Path) -> None:
    """Toward the west there is no train, toward the east there is; the file has both regimes."""
    east = _json("circle", *OWN, "--at", "117.3,39.0", "--until", "08:00", "--out", "c.csv")
    west = _json("circle", *OWN, "--at", "西", "--until", "08:00", "--out", "w.csv")

    assert east["counted"]["within"]["best"] == [150, 150]
    assert west["counted"]["within"]["best"] == [100, 100]
    (first, second) = _rows(folder / "c.csv")
    assert (first["area_id"], first["people"], first["best_within_3600_s"]) == ("E", "57", "50")
    assert (second["name"], second["best_departures"]) == ("W", "1")


def test_every_place_is_measured(folder: Path) -> None:
    """Doctors within an hour, to the first of them, by gravity and shared; people where none is."""
    for measure, column, expected in (
        ("within", "best_within_3600_s", ["3", "2", "0"]),
        ("kth", "best_kth_1_s", ["0", "0", ""]),
        ("gravity", "best_gravity", None),
        ("catchment", "best_access", ["0.02333333333333333", "0.013333333333333334", "0"]),
    ):
        _run("circle", *OWN, "--measure", measure, "--of", "doctors", "--out", f"{measure}.csv")
        found = [row[column] for row in _rows(folder / f"{measure}.csv")]
        if expected is not None:
            numbers = [float(each) if each else None for each in found]
            assert numbers == pytest.approx([float(each) if each else None for each in expected])
    told = _json("circle", *OWN, "--measure", "within", "--minutes", "60", "--out", "p.csv")
    assert told["of"] == "people"
    assert _rows(folder / "p.csv")[0]["best_within_3600_s"] == "150"


@pytest.mark.parametrize(
    "words",
    [
        ["circle", "--places", "pipe.csv"],
        ["circle", "--places", "places.csv", "--processes", "pipe.csv"],
        ["compare", "--places", "places.csv", "--scenario", "pipe.yaml"],
    ],
)
def test_nobody_waits_for_a_pipe(folder: Path, words: list[str]) -> None:
    """What is named is a file: a pipe may never end."""
    for name in ("pipe.csv", "pipe.yaml"):
        os.mkfifo(folder / name)
    asked = ("--feed", "metro.zip", "--on", "2026-03-11", "--at", "w", "--out", "c.csv")

    assert "[FILE_MISSING]" in _run(*words, *asked, exit_code=1).stderr


def test_a_scenario_or_book_too_large_is_not_read_whole(folder: Path) -> None:
    """A file of holes is refused by name, before it fills memory."""
    for name, code in (("--scenario", "SCENARIO_DOCUMENT"), ("--processes", "RULE_BOOK_TOO_LARGE")):
        with (folder / "large.yaml").open("wb") as file:
            file.truncate(1 << 32)
        (folder / "faster.yaml").write_text(FASTER.replace("FACTOR", "0.8"), encoding="utf-8")
        scenario = () if name == "--scenario" else ("--scenario", "faster.yaml")
        given = (*OWN, *scenario, name, "large.yaml", "--at", "w", "--out", "g.csv")
        assert f"[{code}]" in _run("compare", *given, exit_code=1).stderr


def test_places_of_no_area_are_counted_together(folder: Path) -> None:
    """A file that names no areas is one, not none of which nobody is counted."""
    plain = [line.split(",") for line in PLACES.splitlines()]
    (folder / "places.csv").write_text(
        "".join(",".join(each[:4] + each[5:]) + "\n" for each in plain), encoding="utf-8"
    )
    _run("circle", *OWN, "--at", "w", "--outward", "--out", "c.csv")

    (row,) = _rows(folder / "c.csv")
    assert (row["area_id"], row["people"], row["best_within_3600_s"]) == ("all", "157", "150")


def test_places_without_people_count_as_one(folder: Path) -> None:
    """And the answer says so, as a figure of people would be another."""
    bare = [line.rsplit(",", 2)[0] for line in PLACES.splitlines()]
    (folder / "bare.csv").write_text("\n".join(bare), encoding="utf-8")
    own = [word if word != "places.csv" else "bare.csv" for word in OWN]

    told = _json("circle", *own, "--at", "w", "--outward", "--out", "c.csv")
    measured = _json("circle", *own, "--measure", "within", "--out", "m.csv")

    assert told["counted"]["people"] == 3
    assert told["assumed"]["people"].endswith("each of them counts as one")
    assert measured["assumed"]["people"] == told["assumed"]["people"]


def test_a_faster_train_brings_people_within(folder: Path) -> None:
    """In ten minutes instead of twenty: who gains, from the place and from every place."""
    told = _json("compare", *OWN, "--scenario", "faster.yaml", "--at", "e", "--minutes", "15",
                 "--out", "g.csv", "--points", "p.csv")  # fmt: skip

    (seen,) = told["seen"]
    assert seen["all"]["best"] == [[50, 150, 100, 0]]
    assert told["points"]["monotone"]["best"]["slower"] == 0
    assert told["points"]["points"] == 3
    gained = {row["area_id"]: row["best_gained_900_s"] for row in _rows(folder / "g.csv")}
    assert gained == {"E": "0", "W": "100"}
    points = {row["point_id"]: row["best_after_900_s"] for row in _rows(folder / "p.csv")}
    assert points == {"w": "100", "e": "150", "far": "7"}
    method = json.loads((folder / "g.csv.method.json").read_text("utf-8"))
    assert "scenario" in {each["kind"] for each in method["method"]["sources"]}


def test_slower_trains_are_told_by_name(folder: Path) -> None:
    """Journeys become longer, and that is no fault: nobody said that it only adds."""
    result = _run("compare", *OWN, "--scenario", "slower.yaml", "--at", "e", "--out", "g.geojson")

    assert "西 w – 东 e" in result.output
    assert "a fault" not in result.output
    drawn = json.loads((folder / "g.geojson").read_text("utf-8"))
    assert {each["properties"]["regime"] for each in drawn["features"]} == {
        f"{regime} {side}" for regime in ("p50", "best") for side in ("before", "after", "gained")
    }


def test_the_same_files_make_the_same_bytes(folder: Path) -> None:
    """Threads decide nothing; a table, its method, shapes and the figures of points."""
    for threads in ("1", "3"):
        for name in (f"{threads}.csv", f"{threads}.geojson"):
            _run("compare", *OWN, "--scenario", "faster.yaml", "--at", "e", "--out", name,
                 "--points", f"{name}.points.csv", "--threads", threads)  # fmt: skip

    for name in ("csv", "geojson", "csv.points.csv", "geojson.points.csv"):
        assert (folder / f"1.{name}").read_bytes() == (folder / f"3.{name}").read_bytes()


def test_the_regions_own_facts_are_asked(folder: Path) -> None:
    """On a fresh machine, by car as the scenario says; everything says that people are modelled."""
    told = _json("compare", "--scenario", "capital-ring", "--seen-only", "--out", "ring.csv")

    assert told["mode"] == "car"
    assert told["keeps_all"] is True
    assert told["points"] is None
    assert told["seen"]
    for seen in told["seen"]:
        before, after, gained, lost = seen["all"]["car"][1]
        assert before + gained == after
        assert gained > 100_000
        assert lost == 0
    assert told["assumed"]["people"].startswith("modelled")
    assert "modelled" in (folder / "ring.csv.method.json").read_text("utf-8")


def test_feeds_of_ones_own_replace_a_regions_trains(folder: Path) -> None:
    """Without places it is the region's modelled people who ride them, through its doors."""
    told = _json("circle", "--feed", "metro.zip", "--on", "2026-03-11", "--at", "117.3,39.0",
                 "--out", "c.csv")  # fmt: skip

    method = json.loads((folder / "c.csv.method.json").read_text("utf-8"))["method"]
    kinds = {(each["kind"], each["id"]) for each in method["sources"]}
    assert ("feed", "metro") in kinds
    assert "process" in {kind for kind, _ in kinds}
    assert told["assumed"]["people"].startswith("modelled")
    assert "trains" not in told["assumed"], "no fact table is in it"
    assert sum(told["counted"]["within"]["best"]) > 0


def test_the_port_is_reached_from_every_county(folder: Path) -> None:
    """By road from all of them, by rail from where a train or a length is known."""
    told = _json("circle", "--port", "--on", "2026-03-11", "--out", "p.csv")

    rows = {row["area_id"]: row for row in _rows(folder / "p.csv")}
    assert len(rows) == len(told["counties"]) == 199
    assert rows["110117"]["rail_s"] == str(270 * 60)
    assert rows["110117"]["rail_basis"] == "train"
    assert all(row["road_s"] for row in rows.values())
    assert int(rows["120116"]["road_s"]) < int(rows["110101"]["road_s"])


def test_the_way_to_the_port_is_drawn(folder: Path) -> None:
    """Cells within each time by road; more people the longer it may take, and they are modelled."""
    _run("circle", "--port", "--on", "2026-03-11", "--minutes", "60,180", "--out", "p.geojson")

    drawn = json.loads((folder / "p.geojson").read_text("utf-8"))
    near, far = (each["properties"] for each in drawn["features"])
    assert 1_000_000 < near["people"] < far["people"]
    assert near["cell_shape"] == "grid"
    assert drawn["method"]["parameters"]["people"].startswith("modelled")


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["reach", "--at", SOUTH, "--out", "r.geojson"], 2, "--on is needed"),
        (["reach", *OWN, "--at", "200,39", "--out", "r.geojson"], 2, "no longitude"),
        (["reach", *OWN, "--at", "nan,39", "--out", "r.geojson"], 2, "no longitude"),
        (["reach", *OWN, "--at", "nowhere", "--out", "r.geojson"], 2, "no place of"),
        (["reach", *OWN, "--at", "w", "--by", "car", "--out", "r.geojson"], 2, "roads of a region"),
        (["reach", *OWN, "--at", "w", "--minutes", "60,30", "--out", "r.csv"], 1, "MOBILITY_ORDER"),
        (["reach", *OWN, "--at", "w", "--minutes", "x", "--out", "r.csv"], 2, "list of minutes"),
        (["reach", *OWN, "--at", "w", "--minutes", "30,121", "--out", "r.csv"], 2, "--longest"),
        (["circle", *OWN, "--at", "w", "--longest", "59", "--out", "r.csv"], 2, "--longest"),
        (["circle", *OWN, "--measure", "catchment", "--minutes", "180", "--out", "r.csv"], 2,
         "--longest"),
        (["reach", *OWN, "--at", "w", "--out", "r.xlsx"], 1, "MOBILITY_OUT"),
        (["circle", *OWN, "--out", "c.csv"], 2, "one of --at, --port and --measure"),
        (["circle", *OWN, "--measure", "kth", "--toward", "--out", "c.csv"], 2, "--toward is of"),
        (["circle", *OWN, "--port", "--out", "c.csv"], 2, "region's facts"),
        (["circle", "--measure", "kth", "--out", "c.csv"], 2, "study of one's own"),
        (["circle", *OWN, "--measure", "kth", "--of", "beds", "--out", "c.csv"], 2, "doctors"),
        (["compare", "--scenario", "gone", "--out", "g.csv"], 2, "has no scenario gone; it has:"),
        (["compare", "--scenario", "../x", "--out", "g.csv"], 2, "has no scenario"),
        (["compare", *OWN, "--scenario", "gone.yaml", "--out", "g.csv"], 1, "FILE_MISSING"),
        (["compare", *OWN, "--scenario", "faster.yaml", "--out", "g.csv"], 2, "no place to look"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused(
    folder: Path, words: list[str], exit_code: int, said: str
) -> None:
    """By name, with nothing written."""
    before = sorted(folder.iterdir())

    result = _run(*words, exit_code=exit_code)

    assert said in " ".join(result.output.split())
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["reach", "circle", "compare"])
def test_the_commands_of_the_page_run(folder: Path, name: str) -> None:
    """Each example of docs/mobility.md does what it says, on a small feed and on the region."""
    lines = [words for words in command_lines(PAGE.read_text("utf-8")) if name in words]

    assert len(lines) >= 2
    for words in lines:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, (words, result.output)
        assert (folder / words[words.index("--out") + 1]).exists()
