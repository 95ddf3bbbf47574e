"""The builder of feeds that other tests use: what it writes is what was said."""

import zipfile
from pathlib import Path

from tests.services.mobility.feeds import (
    Line,
    line_tables,
    rows_of,
    sound_tables,
    text_of,
    write_folder,
    write_zip,
)


def test_tables_are_new_each_time() -> None:
    """A test that changes its tables changes no other test's."""
    changed = sound_tables()
    changed["stops.txt"][0]["stop_lat"] = 0

    assert sound_tables()["stops.txt"][0]["stop_lat"] == "39.1000"


def test_lines_run_to_plan() -> None:
    """A line's trips start at its departures, ride and wait as told, and not at their ends."""
    places = {"A": (117.0, 39.0), "B": (117.1, 39.0), "C": (117.2, 39.0)}
    line = Line("L", ["A", "B", "C"], ["7:00", "23:59:30"], [60, 120], dwell_s=10)

    calls = line_tables(places, [line])["stop_times.txt"]

    assert [(c["trip_id"], c["arrival_time"], c["departure_time"]) for c in calls] == [
        ("L-0", "07:00:00", "07:00:00"),
        ("L-0", "07:01:00", "07:01:10"),
        ("L-0", "07:03:10", "07:03:10"),
        ("L-1", "23:59:30", "23:59:30"),
        ("L-1", "24:00:30", "24:00:40"),
        ("L-1", "24:02:40", "24:02:40"),
    ]


def test_archives_are_the_same_bytes(tmp_path: Path) -> None:
    """Equal tables make equal archives, whose files are those of a folder; empty tables none."""
    tables = {**sound_tables(), "shapes.txt": []}
    one = write_zip(tmp_path / "one.zip", tables)
    two = write_zip(tmp_path / "two.zip", sound_tables())
    folder = write_folder(tmp_path / "folder", tables)

    with zipfile.ZipFile(one) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}

    assert one.read_bytes() == two.read_bytes()
    assert members == {each.name: each.read_text("utf-8") for each in folder.iterdir()}


def test_text_has_all_columns() -> None:
    """A column that only a later row has stands in all, in the order in which they come up."""
    text = text_of([{"a": 1}, {"b": "x,y", "a": 2}])

    assert text == 'a,b\n1,\n2,"x,y"\n'
    assert rows_of(text) == [{"a": "1", "b": ""}, {"a": "2", "b": "x,y"}]
