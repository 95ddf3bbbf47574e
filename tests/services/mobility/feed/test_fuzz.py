"""Whatever a feed says: it is read, and what comes out holds together, or it is refused."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.mobility.feeds import sound_tables, text_of, write_texts, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import NONE, PLATFORM, Feed
from tongcheng.services.mobility.feed.reading import read_feed

CELLS = [
    (name, row, column)
    for name, rows in sound_tables().items()
    for row, values in enumerate(rows)
    for column in values
]
VALUES = st.one_of(
    st.sampled_from(
        [
            *("", "0", "1", "-1", "2", "9", "1e99", "nan", "99:59:59", "24:00:00", "A", "B", "T1"),
            *("WK", "39.1", "117.2", "1172000", "20260229", "20261231", "Asia/Tokyo", "\n", '"'),
        ]
    ),
    st.text(max_size=12),
    st.floats().map(str),
)
FILES = sorted(sound_tables())
ARCHIVE = write_zip(Path(tempfile.mkdtemp()) / "feed.zip", sound_tables()).read_bytes()


def _assert_whole(feed: Feed) -> None:
    """What everything after relies on: indices are rows, times go forward, places are places."""
    stops, trips, calls = feed.stops, feed.trips, feed.calls
    assert len(set(stops.ids)) == len(stops.ids) == len(stops.names) == len(stops.lon)
    assert np.all((np.abs(stops.lon) <= 180) & (np.abs(stops.lat) <= 90))
    assert np.all((stops.parent >= NONE) & (stops.parent < len(stops.ids)))
    assert trips.start[0] == 0
    assert trips.start[-1] == len(calls.stop)
    assert np.all(np.diff(trips.start) >= 2)
    assert np.all(stops.kind[calls.stop] == PLATFORM)
    assert np.all((trips.route >= 0) & (trips.route < len(feed.routes.ids)))
    assert np.all((trips.service >= 0) & (trips.service < len(feed.services)))
    trip = np.repeat(np.arange(len(trips.ids)), np.diff(trips.start))
    follows = trip[1:] == trip[:-1]
    assert np.all(calls.arrival_s >= 0)
    assert np.all(calls.departure_s >= calls.arrival_s)
    assert np.all((calls.arrival_s[1:] >= calls.departure_s[:-1])[follows])
    assert np.all(feed.frequencies.headway_s > 0)
    for table in (feed.transfers, feed.pathways):
        for ends in (table.origin, table.to):
            assert np.all((ends >= 0) & (ends < len(stops.ids)))


def _try(content: bytes) -> bool:
    """Read an archive's bytes; tell whether it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.zip"
        path.write_bytes(content)
        try:
            _assert_whole(read_feed(path, "demo").feed)
        except Refused:
            return True
    return False


@given(st.lists(st.tuples(st.sampled_from(CELLS), VALUES), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_other_values(changes: list[tuple[tuple[str, int, str], str]]) -> None:
    """Any value in any cell."""
    tables = sound_tables()
    for (name, row, column), value in changes:
        tables[name][row][column] = value.encode("utf-8", "replace").decode()
    with tempfile.TemporaryDirectory() as folder:
        path = write_zip(Path(folder) / "feed.zip", tables)
        _try(path.read_bytes())


@given(st.sampled_from(FILES), st.data())
@settings(max_examples=150, deadline=None)
def test_other_bytes_of_a_file(name: str, data: st.DataObject) -> None:
    """Bytes put into a file, taken out of it, or changed."""
    texts: dict[str, str | bytes] = {each: text_of(rows) for each, rows in sound_tables().items()}
    raw = bytearray(str(texts[name]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(begin, min(len(raw), begin + 8)))
        raw[begin:end] = data.draw(st.binary(max_size=8))
    with tempfile.TemporaryDirectory() as folder:
        _try(write_texts(Path(folder) / "feed.zip", {**texts, name: bytes(raw)}).read_bytes())


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_other_bytes_of_the_archive(data: st.DataObject) -> None:
    """Bytes of the archive changed, its directory and its headers included."""
    raw = bytearray(ARCHIVE)
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    _try(bytes(raw))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_rows_and_files_missing(data: st.DataObject) -> None:
    """Rows left out, doubled or in another order, and files left out."""
    tables = sound_tables()
    for name in FILES:
        rows = tables[name]
        tables[name] = data.draw(st.lists(st.sampled_from(rows), max_size=len(rows) + 2))
    with tempfile.TemporaryDirectory() as folder:
        _try(write_zip(Path(folder) / "feed.zip", tables).read_bytes())


def test_the_check_sees_a_refusal() -> None:
    """The sound archive is read, and half of it refused: the fuzzing above tells them apart."""
    assert not _try(ARCHIVE)
    assert _try(ARCHIVE[: len(ARCHIVE) // 2])
