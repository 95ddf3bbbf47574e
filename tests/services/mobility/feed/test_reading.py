"""A feed without fault is read whole: every table, every time, every id in its namespace."""

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.services.mobility.feeds import (
    Line,
    line_tables,
    sound_tables,
    text_of,
    write_folder,
    write_texts,
    write_zip,
)
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import NONE
from tongcheng.services.mobility.feed.reading import FeedReading, read_feed


@pytest.fixture
def sound(tmp_path: Path) -> FeedReading:
    """The reading of the feed that has one of everything."""
    return read_feed(write_zip(tmp_path / "feed.zip", sound_tables()), "demo")


def test_stops(sound: FeedReading) -> None:
    """Ids are namespaced, parents are rows, places are degrees."""
    stops = sound.feed.stops

    assert stops.ids == ("demo:A", "demo:A1", "demo:A2", "demo:AX", "demo:B", "demo:C")
    assert stops.parent.tolist() == [NONE, 0, 0, 0, NONE, NONE]
    assert stops.kind.tolist() == [1, 0, 0, 2, 0, 0]
    assert (stops.lon[4], stops.lat[4]) == (117.26, 39.1)


def test_calls(sound: FeedReading) -> None:
    """Blank times are filled in, times run on past midnight, calls lie by trip."""
    calls, trips = sound.feed.calls, sound.feed.trips

    assert trips.ids == ("demo:T1", "demo:T2", "demo:T3")
    assert trips.start.tolist() == [0, 3, 6, 9]
    assert calls.stop.tolist() == [1, 4, 5, 5, 4, 2, 1, 4, 5]
    assert calls.arrival_s[:3].tolist() == [25_200, 25_500, 25_800]
    assert calls.departure_s[3:6].tolist() == [86_100, 86_460, 86_760]
    assert calls.boards.all()
    assert calls.alights.all()


def test_services(sound: FeedReading) -> None:
    """A weekday service does not run on its exception; one of an exception alone runs then."""
    weekday, holiday = sound.feed.services
    labour_day = date(2026, 5, 1)

    assert not weekday.runs_on(labour_day)
    assert weekday.runs_on(date(2026, 4, 30))
    assert not weekday.runs_on(date(2026, 5, 2))
    assert holiday.runs_on(labour_day)
    assert not holiday.runs_on(date(2026, 4, 30))
    assert sound.report.days.count == 261
    assert sound.report.days.first_on == date(2026, 1, 1)


def test_what_is_there_besides(sound: FeedReading) -> None:
    """Frequencies, transfers, and pathways in both directions."""
    frequencies, transfers, pathways = (
        sound.feed.frequencies,
        sound.feed.transfers,
        sound.feed.pathways,
    )

    assert [each.tolist() for each in frequencies] == [[2], [28_800], [32_400], [600], [False]]
    assert [each.tolist() for each in transfers] == [[1], [2], [2], [120]]
    assert [each.tolist() for each in pathways[:4]] == [[3, 1], [1, 3], [1, 1], [90, 90]]
    assert np.isnan(pathways.length_m).all()


def test_report(sound: FeedReading) -> None:
    """Nothing is wrong but that, without references, the datum of a Chinese feed is unknown."""
    report = sound.report
    told = [each.code for each in report.findings if each.severity != "ignored"]

    assert told == ["datum_unknown"]
    assert report.verdict == "doubtful"
    assert report.zone == sound.feed.zone == "Asia/Shanghai"
    assert report.counts.calls_interpolated == 1
    assert (report.counts.platforms, report.counts.stations, report.counts.entrances) == (4, 1, 1)


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    """An archive's digest is its SHA-256; a directory's that of what sha256sum writes of it."""
    archive = write_zip(tmp_path / "feed.zip", sound_tables())
    folder = write_folder(tmp_path / "folder", sound_tables())
    (folder / "notes.md").write_text("not of the feed", encoding="utf-8")
    names = sorted(name for name in sound_tables())
    sums = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    )

    first, second = read_feed(archive, "demo"), read_feed(folder, "demo")

    assert first.feed.digest == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert second.feed.digest == hashlib.sha256(sums.encode()).hexdigest()
    assert first.feed.stops.ids == second.feed.stops.ids


def test_same_bytes_same_feed(tmp_path: Path) -> None:
    """Reading twice comes to equal feeds and reports."""
    path = write_zip(tmp_path / "feed.zip", sound_tables())
    first, second = (read_feed(path, "demo") for _ in range(2))

    assert repr(first.feed) == repr(second.feed)
    assert first.report == second.report


def test_trips_in_any_order_of_lines(tmp_path: Path) -> None:
    """The order of lines in stop_times.txt decides nothing; stop_sequence does."""
    tables = sound_tables()
    tables["stop_times.txt"].reverse()

    feed = read_feed(write_zip(tmp_path / "feed.zip", tables), "demo").feed

    assert feed.calls.stop.tolist() == [1, 4, 5, 5, 4, 2, 1, 4, 5]


def test_as_publishers_write(tmp_path: Path) -> None:
    """Byte order marks, CRLF, blanks round names and values, quoted newlines: the same feed."""
    tables = sound_tables()
    texts: dict[str, str | bytes] = {}
    for name, rows in tables.items():
        text = text_of(rows).replace("\n", "\r\n").replace(",", " , ")
        texts[name] = b"\xef\xbb\xbf" + text.encode()
    texts["stops.txt"] = text_of(tables["stops.txt"]).replace("乙站", '"乙\n站"')

    feed = read_feed(write_texts(tmp_path / "feed.zip", texts), "demo").feed

    assert feed.stops.ids[0] == "demo:A"
    assert feed.stops.names[4] == "乙\n站"
    assert feed.calls.arrival_s[:3].tolist() == [25_200, 25_500, 25_800]


def test_lines_of_a_builder(tmp_path: Path) -> None:
    """A feed of lines is sound too, and without Chinese places its datum is no question."""
    places = {"A": (2.30, 48.8), "B": (2.35, 48.8), "C": (2.40, 48.8)}
    tables = line_tables(places, [Line("L", ["A", "B", "C"], ["7:00", "7:10"], [300])])
    tables["agency.txt"][0]["agency_timezone"] = "Europe/Paris"

    report = read_feed(write_zip(tmp_path / "feed.zip", tables), "demo").report

    assert report.verdict == "sound"
    assert report.datum.datum == "wgs84"


@pytest.mark.parametrize("feed_id", ["", "A", "-a", "a:b", "a" * 33, "京", "a_b"])
def test_ids_of_feeds(feed_id: str, tmp_path: Path) -> None:
    """A feed's id must not be mistaken for part of a stop's."""
    with pytest.raises(Refused, match="FEED_ID"):
        read_feed(write_zip(tmp_path / "feed.zip", sound_tables()), feed_id)
