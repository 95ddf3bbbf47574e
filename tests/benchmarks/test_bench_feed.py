"""The benchmark of feeds reads what it wrote, whole."""

from pathlib import Path

from benchmarks.bench_feed import STATIONS, parsed, write
from tongcheng.services.mobility.feed.reading import read_feed


def test_the_feed_is_sound(tmp_path: Path) -> None:
    """Nothing of it is left out, so that all of the time goes into what a feed takes."""
    write(tmp_path / "feed.zip", 60)

    report = read_feed(tmp_path / "feed.zip", "bench").report

    assert report.errors == 0
    assert report.counts.calls == 60 * STATIONS == parsed(tmp_path / "feed.zip") - 1
    assert {each.code for each in report.findings} <= {"columns_ignored", "datum_unknown"}
