"""From a GTFS archive to a day: what is read is what is compiled."""

from datetime import date
from pathlib import Path

from tests.services.mobility.feeds import Line, line_tables, sound_tables, write_zip
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.timetable.compiling import compiled
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES
from tongcheng.services.mobility.walking import Walking


def read(path: Path, tables: dict[str, list[dict[str, object]]], feed_id: str) -> Feed:
    """Return what is read from an archive of these tables."""
    return read_feed(write_zip(path / f"{feed_id}.zip", tables), feed_id).feed


def test_the_sound_feed_on_a_holiday(tmp_path: Path) -> None:
    """The eve's night train still comes, the weekday's trips do not, and the repeats run."""
    made = compiled(
        [read(tmp_path, sound_tables(), "m")], date(2026, 5, 1), NO_PROCESSES, Walking()
    )
    day = made.timetable
    night = 23 * 3600 + 55 * 60 - 86_400

    assert day.stops.ids == ("m:A1", "m:A2", "m:B", "m:C")
    assert [run.split(":")[1] for run in day.runs.ids] == [
        f"T2@{night}",
        *(f"T3@{28_800 + turn * 600}" for turn in range(6)),
    ]
    assert day.connections.departure_s[:3].tolist() == [night, 60, 28_800]
    assert day.connections.arrival_s[:3].tolist() == [30, 360, 29_100]
    changes = dict(
        zip(day.changes.to[: day.changes.start[1]].tolist(), day.changes.seconds.tolist(),
            strict=False)
    )  # fmt: skip
    assert changes == {0: 60, 1: 120}
    # The entrance leads to A1 by its pathway of 90 s, and to A2, which has none, straight.
    assert made.entrances.entering.to[:2].tolist() == [0, 1]
    assert made.entrances.entering.seconds[0] == 90
    assert len(made.entrances.points.lon) == 3


def test_two_feeds_read_are_one_day(tmp_path: Path) -> None:
    """Blank timepoints were filled in, and the other feed's stop is a walk away."""
    metro = read(tmp_path, sound_tables(), "m")
    bus = read(
        tmp_path,
        line_tables(
            {"x": (117.3203, 39.1), "y": (117.5, 39.1)},
            [Line("bus", ["x", "y"], ["7:15"], [1200], mode=3)],
        ),
        "b",
    )
    made = compiled([metro, bus], date(2026, 3, 11), NO_PROCESSES, Walking())
    day = made.timetable
    ids = day.stops.ids

    assert made.systems == ("b/bus", "m/metro")
    assert [f"{ids[o]}-{ids[t]}" for o, t in zip(*day.connections[:2], strict=True)][-5:-2] == [
        "m:A1-m:B",
        "m:B-m:C",
        "b:x-b:y",
    ]
    row = ids.index("m:C")
    to = day.changes.to[day.changes.start[row] : day.changes.start[row + 1]]
    assert [ids[each] for each in to] == ["b:x", "m:C"]
