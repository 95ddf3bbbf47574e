"""Read a made-up feed as large as a city's metro; beside it what only parsing its rows takes.

The reference is Python's csv module over the same unpacked text, looking at no value: what of our
time is not checking, sorting and reporting. Both are the best of some rounds, in turns.
"""

import csv
import io
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Row
from benchmarks.runs import quick, tell
from tongcheng.services.mobility.feed.reading import read_feed

AREA = "feed"
LINES, STATIONS = 25, 20
TRIPS, QUICK_TRIPS = 20_000, 500
ROUNDS = 3
SECONDS_MAX = 5.0
"""Beijing's 397,000 calls of 2026, on two shared cores; an analyst waits for it at each change."""
_WEEK = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"


def _clock(total_s: int) -> str:
    return f"{total_s // 3600:02}:{total_s // 60 % 60:02}:{total_s % 60:02}"


def _stops() -> Iterator[str]:
    yield "stop_id,stop_name,stop_lat,stop_lon"
    for line in range(LINES):
        for station in range(STATIONS):
            lat, lon = 39.6 + 0.02 * line, 116.2 + 0.012 * station
            yield f"S{line}-{station},{station},{lat:.4f},{lon:.4f}"


def _stop_times(trips: int) -> Iterator[str]:
    """Yield calls, two minutes from each to the next, as whole timetables of trips."""
    yield "trip_id,arrival_time,departure_time,stop_id,stop_sequence"
    for trip in range(trips):
        line, start_s = trip % LINES, 18_000 + trip * 67_000 // trips
        for station in range(STATIONS):
            at = _clock(start_s + 120 * station)
            yield f"T{trip},{at},{at},S{line}-{station},{station + 1}"


def write(path: Path, trips: int) -> None:
    """Write the feed as an archive."""
    tables = {
        "agency.txt": [
            "agency_name,agency_url,agency_timezone",
            "M,http://m.example,Asia/Shanghai",
        ],
        "stops.txt": _stops(),
        "routes.txt": [
            "route_id,route_short_name,route_type",
            *(f"{n},{n},1" for n in range(LINES)),
        ],
        "trips.txt": [
            "route_id,service_id,trip_id",
            *(f"{trip % LINES},W,T{trip}" for trip in range(trips)),
        ],
        "stop_times.txt": _stop_times(trips),
        "calendar.txt": [
            f"service_id,{_WEEK},start_date,end_date",
            "W,1,1,1,1,1,1,1,20260701,20261231",
        ],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in tables.items():
            archive.writestr(name, "\n".join([*lines, ""]))


def parsed(path: Path) -> int:
    """Return how many rows the csv module finds in the feed's calls."""
    with zipfile.ZipFile(path) as archive, archive.open("stop_times.txt") as member:
        return sum(1 for _ in csv.reader(io.TextIOWrapper(member, "utf-8", newline="")))


def measure() -> list[Row]:
    """Return the row of the table of all benchmarks."""
    trips = QUICK_TRIPS if quick() else TRIPS
    ours, plain = float("inf"), float("inf")
    calls = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.zip"
        write(path, trips)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            calls = read_feed(path, "bench").report.counts.calls
            ended = time.perf_counter()
            rows = parsed(path)
            ours = min(ours, ended - started)
            plain = min(plain, time.perf_counter() - ended)
            assert rows == calls + 1 == trips * STATIONS + 1, "both read every call"
            tell(f"{calls:,} calls read in {ours:.2f} s, parsed alone in {plain:.2f} s")
    return [
        Row(
            AREA,
            f"a feed of {calls:,} calls read, checked and reported on",
            ours,
            "s",
            target=SECONDS_MAX,
            direction="at most",
            reference="the csv module over its calls, looking at no value",
            reference_figure=plain,
        )
    ]
