"""`tongcheng mobility feed add|list|publish|take|remove`, and matrices of what nodes keep."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import tidy
from tests.documents import command_lines
from tests.services.mobility.feeds import Line, line_tables, write_zip
from tests.services.mobility.streets.test_extract import STREETS, write
from tongcheng.cli import main
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home

PAGE = tidy.ROOT / "docs" / "mobility-bundles.md"
BEIJING, TIANJIN = "beijing-hsb", "tianjin-hsb"
MEMBERS = (BEIJING, TIANJIN)
WORDS = ("--source", "synthetic", "--licence", "CC0-1.0")
PLACES = "id,lon,lat,population\nw,117.0,39.0,100\nm,117.3,39.0,50\ne,117.6,39.0,7\n"
BOOK = """
book_id: doors
kind: station_process
title: {zh: 进出站, en: Doors}
admdvs: "120000"
scheme: none
effective: {from: "2026-01-01", to: null}
sources:
  survey: {what: synthetic}
rules:
  processes:
    - modes: [metro]
      enter_s: {value: "60", source: survey, confidence: low}
      leave_s: {value: "30", source: survey, confidence: low}
"""
EAST = line_tables(
    {"M": (117.3, 39.0), "E": (117.6, 39.0)}, [Line("B", ["M", "E"], ["7:45"], [900])]
)
WEST = line_tables(
    {"W": (117.0, 39.0), "M": (117.3, 39.0)}, [Line("A", ["W", "M"], ["7:10", "7:20"], [1_200])]
)


def _call(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words], env={"LC_ALL": "C"})

    assert result.exit_code == exit_code, result.output + result.stderr
    assert "Traceback" not in result.output
    return result


def _feed(*words: str | Path, exit_code: int = 0) -> Result:
    return _call("mobility", "feed", *words, exit_code=exit_code)


def _listed(node: Path) -> Any:
    return json.loads(_feed("list", "--data", node, "--json").output)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nodes under an accord, a feed of each, places, and a rule book."""
    folder = tmp_path_factory.mktemp("region")
    for member in MEMBERS:
        _call("node", "init", "--data", folder / member, "--member", member)
    cards = [word for each in MEMBERS for word in ("--card", folder / each / "member-card.json")]
    _call("accord", "init", *cards, "-o", folder / "accord.json")
    _call("accord", "sign", folder / "accord.json", "--data", folder)
    _call("accord", "adopt", folder / "accord.json", "--data", folder)
    write_zip(folder / "metro.zip", WEST)
    write_zip(folder / "rail.zip", EAST)
    (folder / "cells.csv").write_text(PLACES, encoding="utf-8")
    (folder / "doors.yaml").write_text(BOOK, encoding="utf-8")
    return folder


@pytest.fixture
def folder(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a copy of that directory, with nothing kept yet."""
    shutil.copytree(laid_out, tmp_path / "r")
    monkeypatch.chdir(tmp_path / "r")
    return tmp_path / "r"


def _keep_all(folder: Path) -> None:
    """Let Beijing keep a feed and the places, and Tianjin a feed and the rule book."""
    _feed("add", "metro.zip", "--data", BEIJING, *WORDS)
    _feed("add", "cells.csv", "--kind", "places", "--data", BEIJING, *WORDS, "--modelled")
    _feed("add", "rail=rail.zip", "--data", TIANJIN, *WORDS, "--attribution", "© Rail")
    _feed("add", "doors.yaml", "--kind", "processes", "--data", TIANJIN, *WORDS)
    assert {each.name for each in folder.glob("*-hsb")} == set(MEMBERS)


def _exchange() -> None:
    for one, other in (MEMBERS, MEMBERS[::-1]):
        _feed("publish", "--data", one, "--out", f"{one}.zip")
        _feed("take", f"{one}.zip", "--data", other)


def _matrix(node: str, out: str, *words: str, exit_code: int = 0) -> Result:
    common = ["--data", node, "--places", "cells", "--on", "2026-03-11", "--until", "08:00"]
    return _call("mobility", "matrix", *common, *words, "--out", out, exit_code=exit_code)


def test_a_file_is_kept_published_and_listed(folder: Path) -> None:
    """The report is printed, the bundle counts up, and its entry says what is known of the file."""
    first = _feed("add", "metro.zip", "--data", BEIJING, *WORDS)
    again = _feed("add", "metro.zip", "--data", BEIJING, *WORDS)
    write_zip(folder / "metro.zip", EAST)
    other = json.loads(_feed("add", "metro.zip", "--data", BEIJING, *WORDS, "--json").output)
    (bundle,) = _listed(folder / BEIJING)["bundles"]
    told = _feed("list", "--data", BEIJING).output

    assert "fit for use" in first.output
    assert f"bundle of {BEIJING}: version 1, " in first.output
    assert "nothing was done" in again.output
    assert (other["published"], other["report"]["verdict"]) == (2, "doubtful")
    assert (bundle["version"], bundle["own"]) == (2, True)
    (entry,) = bundle["entries"]
    assert (entry["id"], entry["valid_from"], entry["valid_to"]) == (
        "metro",
        "2026-01-01",
        "2026-12-31",
    )
    assert f"{BEIJING} (own): version 2, signed " in told
    assert "all feeds run from 2026-01-01 to 2026-12-31" in told


def test_two_nodes_make_the_same_bytes(folder: Path) -> None:
    """Each keeps what the other lacks; after an exchange both compute the same file, byte by byte.

    So they do with other threads, and with what was read again from disk.
    """
    _keep_all(folder)
    _exchange()
    for node, threads in ((BEIJING, "1"), (TIANJIN, "3")):
        Path(f"of-{node}").mkdir()
        for form in ("parquet", "csv"):
            _matrix(node, f"of-{node}/m.{form}", "--threads", threads)

    for form in ("parquet", "csv", "csv.method.json"):
        one, other = (folder / f"of-{node}" / f"m.{form}" for node in MEMBERS)
        assert one.read_bytes() == other.read_bytes()
    text = (folder / f"of-{BEIJING}" / "m.csv").read_text("utf-8")
    # By both members' feeds, which neither has alone: one leaves w at 7:19, a minute for the door,
    # and comes out at e half a minute after 8:00.
    assert '"w","e",,2490,1,' in text
    told = json.loads((folder / f"of-{BEIJING}" / "m.csv.method.json").read_bytes())
    method = told["method"]
    assert [source["id"] for source in method["sources"]] == ["metro", "rail", "places", "doors"]
    assert method["parameters"]["modelled"] == "places cells"
    assert method["parameters"]["credits"] == "synthetic (CC0-1.0); © Rail (CC0-1.0)"


def test_streets_are_kept_and_walked(folder: Path) -> None:
    """An extract is an entry too; a study that names it walks along it, and says whose it is."""
    write(folder / "roads.osm.pbf", STREETS)
    words = ("--attribution", "© OpenStreetMap contributors", "--data", BEIJING, *WORDS)
    added = _feed("add", "roads.osm.pbf", "--kind", "streets", *words)
    _keep_all(folder)
    _matrix(BEIJING, "m.csv", "--streets", "roads")
    method = json.loads((folder / "m.csv.method.json").read_bytes())["method"]

    assert "ways 2, points 5" in added.output
    assert {"id": "foot", "kind": "streets"}.items() <= method["sources"][-1].items()
    assert "© OpenStreetMap contributors (CC0-1.0)" in method["parameters"]["credits"]


def test_the_commands_of_the_page_run(folder: Path) -> None:
    """Every example of docs/mobility-bundles.md does what it says, from first to last."""
    _keep_all(folder)
    lines = [
        [{"DIR": TIANJIN if "take" in words else BEIJING}.get(word, word) for word in words]
        for words in command_lines(PAGE.read_text("utf-8"))
        if "--from" not in words  # test_mobility_take_from.py has nodes that answer
    ]

    assert len(lines) >= 7
    for words in lines:
        _call(*words)
    assert (folder / "times.parquet").exists()


def test_a_bundle_is_the_same_bytes_each_time_and_taken_once(folder: Path) -> None:
    """Publishing again writes the same archive; taking it again does nothing, and heals files."""
    _keep_all(folder)
    for out in ("1.zip", "2.zip"):
        _feed("publish", "--data", BEIJING, "--out", out)
    first = _feed("take", "1.zip", "--data", TIANJIN)
    listed = _listed(folder / TIANJIN)["bundles"]
    lost = folder / TIANJIN / "mobility" / listed[0]["entries"][0]["sha256"]
    lost.unlink()
    broken = _matrix(TIANJIN, "m.csv", exit_code=1)
    again = _feed("take", "1.zip", "--data", TIANJIN)

    assert (folder / "1.zip").read_bytes() == (folder / "2.zip").read_bytes()
    assert f"{BEIJING}: version 2, 2 files, " in first.output
    assert "[BUNDLE_FILE_MISSING]" in broken.output + broken.stderr
    assert "taken before" in again.output
    assert lost.exists()
    assert [one["own"] for one in listed] == [False, True]
    assert _listed(folder / TIANJIN)["bundles"] == listed
    assert lost.stat().st_mode & 0o077 == 0


def test_verification_names_what_is_wrong(folder: Path) -> None:
    """A changed byte of a kept file is found by `journal verify`, with the file's digest."""
    _keep_all(folder)
    before = _call("journal", "verify", "--data", BEIJING)
    (entry, *_) = _listed(folder / BEIJING)["bundles"][0]["entries"]
    file = folder / BEIJING / "mobility" / entry["sha256"]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    after = _call("journal", "verify", "--data", BEIJING, exit_code=1)

    assert entry["sha256"] not in before.output
    assert entry["sha256"] in after.output


def test_mixed_eras_are_refused_and_marked(folder: Path) -> None:
    """Feeds without a common day are refused by their spans, unless one is named."""
    _keep_all(folder)
    old = line_tables(
        {"W": (117.0, 39.0), "M": (117.3, 39.0)},
        [Line("O", ["W", "M"], ["7:10"], [60])],
        start="20160101",
        end="20160331",
    )
    write_zip(folder / "old.zip", old)
    _feed("add", "old.zip", "--data", BEIJING, *WORDS)
    refused = _matrix(BEIJING, "m.csv", exit_code=1)
    _matrix(BEIJING, "m.csv", "--feed", "metro")
    listing = _listed(folder / BEIJING)

    said = refused.output + refused.stderr
    assert "[BUNDLE_ERAS]" in said
    assert f"{BEIJING}/old 2016-01-01 – 2016-03-31" in said.replace("\n", " ")
    assert (listing["mixed_eras"], listing["common_days"]) == (True, None)
    assert "MIXED ERAS" in _feed("list", "--data", BEIJING).output


def test_one_id_of_two_members(folder: Path) -> None:
    """Two files of one id are refused until the member is named; the same file twice is one."""
    _keep_all(folder)
    _feed("add", "metro=rail.zip", "--data", TIANJIN, *WORDS)
    _exchange()
    refused = _matrix(BEIJING, "m.csv", exit_code=1)
    _matrix(BEIJING, "m.csv", "--feed", f"{TIANJIN}/metro")
    _feed("add", "metro.zip", "--data", TIANJIN, *WORDS)
    _feed("publish", "--data", TIANJIN, "--out", "t.zip")
    _feed("take", "t.zip", "--data", BEIJING)
    _matrix(BEIJING, "m.csv")

    assert "[BUNDLE_TWICE]" in refused.output + refused.stderr


def test_removing(folder: Path) -> None:
    """What is removed is in no later version; an id that is not there is refused."""
    _keep_all(folder)
    _feed("remove", "metro", "--data", BEIJING)
    refused = _feed("remove", "metro", "--data", BEIJING, exit_code=1)
    (bundle,) = _listed(folder / BEIJING)["bundles"]
    none = _matrix(BEIJING, "m.csv", exit_code=1)

    assert "[BUNDLE_UNKNOWN]" in refused.output
    assert [entry["id"] for entry in bundle["entries"]] == ["cells"]
    assert "[TIMETABLE_NO_FEED]" in none.output + none.stderr


def test_pruning(folder: Path) -> None:
    """What was removed is deleted when that is asked for; what any bundle names stays."""
    _keep_all(folder)
    _exchange()
    _feed("remove", "metro", "--data", BEIJING)
    before = sorted((folder / BEIJING / "mobility").iterdir())
    told = _feed("prune", "--data", BEIJING).output
    again = _feed("prune", "--data", BEIJING).output
    after = sorted((folder / BEIJING / "mobility").iterdir())
    _call("journal", "verify", "--data", BEIJING)

    assert (len(before), len(after)) == (8, 6)
    assert "deleted 2 files, " in told
    assert "deleted 0 files, 0 bytes" in again
    _matrix(BEIJING, "m.csv")


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["add", "gone.zip", *WORDS], 1, "FILE_MISSING"),
        (["add", "cells.csv", *WORDS], 2, "ends in .zip"),
        (["add", "broken.zip", *WORDS], 1, "FEED_ARCHIVE"),
        (["add", "Metro=metro.zip", *WORDS], 1, "FEED_ID"),
        (["add", "x.csv", "--kind", "places", *WORDS], 1, "PLACES_"),
        (["add", "cells.csv", "--kind", "processes", *WORDS], 2, "ends in .yaml"),
        (["add", "settings.yaml", "--kind", "processes", *WORDS], 1, "RULE_BOOK"),
        (["add", "x.osm.pbf", "--kind", "streets", *WORDS], 1, "STREETS_BROKEN"),
        (["add", "metro.zip", "--source", "a\x1b[2J", "--licence", "x"], 1, "SCHEMA_MISMATCH"),
        (["add", "metro.zip", "--source", "", "--licence", "x"], 1, "SCHEMA_MISMATCH"),
        (["publish", "--out", "b.zip"], 1, "BUNDLE_NONE"),
        (["take", "metro.zip"], 1, "BUNDLE_"),
        (["take", "gone.zip"], 1, "FILE_MISSING"),
        (["remove", "metro"], 1, "BUNDLE_UNKNOWN"),
    ],
)
def test_what_can_not_be_kept_is_refused(
    folder: Path, words: list[str], exit_code: int, said: str
) -> None:
    """By name, and nothing is kept of it."""
    for name, content in (
        ("broken.zip", b"PK no archive"),
        ("x.csv", b"a,b\n1,2\n"),
        ("settings.yaml", b"a: 1\n"),
        ("x.osm.pbf", b"no blobs"),
    ):
        (folder / name).write_bytes(content)
    refused = _feed(*words, "--data", BEIJING, exit_code=exit_code)

    assert said in refused.output + refused.stderr
    assert _listed(folder / BEIJING)["bundles"] == []
    assert not list((folder / BEIJING).glob("mobility/*"))


def test_an_id_of_another_kind_is_refused(folder: Path) -> None:
    """In a bundle an id means one file; the refused one leaves no bytes behind."""
    _feed("add", "metro.zip", "--data", BEIJING, *WORDS)
    before = sorted((folder / BEIJING / "mobility").iterdir())
    words = ("metro=cells.csv", "--kind", "places", "--data", BEIJING, *WORDS)
    refused = _feed("add", *words, exit_code=1)

    assert "[BUNDLE_ID]" in refused.output
    assert sorted((folder / BEIJING / "mobility").iterdir()) == before


def test_a_running_node_is_not_written_to(folder: Path) -> None:
    """While a node runs, adding says so; listing and publishing are possible."""
    _feed("add", "metro.zip", "--data", BEIJING, *WORDS)
    database = open_database(folder / BEIJING, open_home(folder / BEIJING).ring.mac_key)
    database.open_writing(0)
    try:
        refused = _feed("add", "rail.zip", "--data", BEIJING, *WORDS, exit_code=1)
        _feed("list", "--data", BEIJING)
        _feed("publish", "--data", BEIJING, "--out", "b.zip")
    finally:
        database.close()

    assert "[STORE_IN_USE]" in refused.output


def test_a_study_needs_feeds_from_somewhere(folder: Path) -> None:
    """Without --data and without --feed the command says what it lacks."""
    words = ["mobility", "matrix", "--places", "cells.csv", "--on", "2026-03-11", "--out", "m.csv"]
    refused = _call(*words, exit_code=2)

    assert "--feed is needed" in refused.output + refused.stderr
    assert not (folder / "m.csv").exists()
