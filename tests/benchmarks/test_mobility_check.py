"""Our matrix and a plain search of the same files agree, also where a feed is hostile."""

import csv
import random
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import mobility_check
from tests.services.mobility.feeds import Row, Tables, clock, write_zip
from tests.tidy import ROOT
from tongcheng.cli import main

DAY = "2026-03-11"
LON, LAT, DEGREE = 117.0, 39.0, 0.06
STATIONS, LINES = 12, 5


def feed(seed: int) -> Tables:
    """Return a feed with a bit of everything that is without fault, and hard to read."""
    made = random.Random(seed)
    tables: Tables = {
        "agency.txt": [{"agency_id": "A", "agency_name": "甲", "agency_url": "https://a.example/",
                        "agency_timezone": "Asia/Shanghai"}],
        "stops.txt": list(stops(made)),
        "routes.txt": [{"route_id": f"L{at}", "agency_id": "A", "route_short_name": f"{at}",
                        "route_type": made.choice([1, 3])} for at in range(LINES)],
        "trips.txt": [], "stop_times.txt": [], "frequencies.txt": [],
        "transfers.txt": list(transfers(made)),
    }  # fmt: skip
    if made.random() < 0.5:
        tables["calendar_dates.txt"] = dates()
    else:
        tables["calendar.txt"] = calendar()
        tables["calendar_dates.txt"] = [
            {"service_id": "OFF", "date": "20260311", "exception_type": 2},
            {"service_id": "ADD", "date": "20260311", "exception_type": 1},
        ]
    for line in range(LINES):
        for trip in range(7):
            add_trip(made, tables, line, trip)
    return tables


def stops(made: random.Random) -> Iterator[Row]:
    """Yield stops of their own, and stations with two platforms, some of them with entrances."""
    for at in range(STATIONS):
        lon, lat = LON + made.random() * DEGREE, LAT + made.random() * DEGREE
        where = {"stop_name": f"站{at}", "stop_lon": round(lon, 5), "stop_lat": round(lat, 5)}
        station = at % 3 != 0
        yield {"stop_id": f"S{at}", **where, "location_type": int(station), "parent_station": ""}
        for platform in range(2 * station):
            place = {**where, "stop_lon": round(lon + 0.0012 * platform, 5)}
            yield {"stop_id": f"S{at}P{platform}", **place, "location_type": 0,
                   "parent_station": f"S{at}"}  # fmt: skip
        for door in range(made.randrange(3) * station):
            place = {**where, "stop_lat": round(lat + 0.002 * (door + 1), 5)}
            yield {"stop_id": f"S{at}E{door}", **place, "location_type": 2,
                   "parent_station": f"S{at}"}  # fmt: skip


def platform(made: random.Random, at: int) -> str:
    """Return where vehicles call at a station."""
    return f"S{at}" if at % 3 == 0 else f"S{at}P{made.randrange(2)}"


def transfers(made: random.Random) -> Iterator[Row]:
    """Yield rows of every kind, about platforms and about stations."""
    told = set()
    for _ in range(14):
        ends = tuple(made.choice([f"S{at}", platform(made, at)])
                     for at in (made.randrange(STATIONS), made.randrange(STATIONS)))  # fmt: skip
        kind = made.randrange(4)
        if ends not in told:
            told.add(ends)
            least = made.choice([0, 1, 45, 400]) if kind == 2 and made.random() < 0.8 else ""
            yield {"from_stop_id": ends[0], "to_stop_id": ends[1], "transfer_type": kind,
                   "min_transfer_time": least}  # fmt: skip


def dates() -> list[Row]:
    """Return services that only exceptions tell of; NIGHT is of the day before."""
    days = {"ON": "20260311", "ADD": "20260311", "NIGHT": "20260310", "OFF": "20260312"}
    return [{"service_id": each, "date": day, "exception_type": 1} for each, day in days.items()]


def calendar() -> list[Row]:
    """Return the same by weekdays; ADD runs on none."""
    days = {"ON": 2, "OFF": 2, "NIGHT": 1, "ADD": -1}
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return [
        {"service_id": each, **{name: int(at == on) for at, name in enumerate(names)},
         "start_date": "20260101", "end_date": "20261231"}
        for each, on in days.items()
    ]  # fmt: skip


def add_trip(made: random.Random, tables: Tables, line: int, trip: int) -> None:
    """Add a trip: some repeat, some are of the night before, some lack times or do not stop."""
    trip_id = f"L{line}-{trip}"
    service = made.choice(["ON", "ON", "ADD", "NIGHT", "OFF"])
    tables["trips.txt"].append({"route_id": f"L{line}", "service_id": service, "trip_id": trip_id})
    now_s = 7 * 3_600 + made.randrange(3_600) + 86_400 * (service == "NIGHT")
    order = random.Random(line).sample(range(STATIONS), 6)
    if trip % 2:
        order.reverse()
    distances = made.random() < 0.5
    for at, stop in enumerate(order):
        departure_s = now_s + made.choice([0, 30])
        blank = 0 < at < len(order) - 1 and made.random() < 0.3
        tables["stop_times.txt"].append({
            "trip_id": trip_id, "stop_id": platform(made, stop), "stop_sequence": 3 * at + 1,
            "arrival_time": "" if blank else clock(now_s),
            "departure_time": "" if blank else clock(departure_s),
            "pickup_type": 1 if made.random() < 0.1 else "",
            "drop_off_type": 1 if made.random() < 0.1 else 0,
            "shape_dist_traveled": 1.5 * at + made.random() if distances else "",
        })  # fmt: skip
        now_s = departure_s + 420 + made.randrange(200)
    if made.random() < 0.3:
        begins_s = 6 * 3_600 + made.randrange(5_000) + 86_400 * (service == "NIGHT")
        tables["frequencies.txt"].append({
            "trip_id": trip_id, "start_time": clock(begins_s), "end_time": clock(begins_s + 4_000),
            "headway_secs": made.choice([333, 700]), "exact_times": made.choice([0, 1]),
        })  # fmt: skip


def write(folder: Path, seed: int) -> list[str]:
    """Write feed and places; return what both commands are told."""
    write_zip(folder / "feed.zip", feed(seed))
    made = random.Random(seed)
    with (folder / "places.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "lon", "lat"])
        for at in range(25):
            rows.writerow([f"-{at}", *(round(edge + made.random() * DEGREE, 5)
                                       for edge in (LON, LAT))])  # fmt: skip
    files = ["--feed", str(folder / "feed.zip"), "--places", str(folder / "places.csv")]
    return [*files, "--on", DAY]


def compared(folder: Path, words: list[str], *options: str) -> int:
    """Compute a matrix and check it; return the check's exit code."""
    out = folder / "m.csv"
    percentiles = ["--percentile", "10", "--percentile", "50"]
    done = CliRunner().invoke(
        main, ["mobility", "matrix", *words, "--out", str(out), *percentiles, *options]
    )
    assert done.exit_code == 0, done.output
    return mobility_check.main([*words, "--matrix", str(out)])


@pytest.mark.parametrize("seed", range(12))
def test_hostile_feeds_are_searched_alike(tmp_path: Path, seed: int) -> None:
    """Every figure of every pair, forward or by deadlines, with any number of rides or few."""
    words = write(tmp_path, seed)
    options = [[], ["--arrive"], ["--rides", "1"], ["--every", "97", "--longest", "40"]][seed % 4]

    assert compared(tmp_path, words, "--until", "08:10", *options) == 0
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        ridden = [row for row in csv.DictReader(file) if int(row["best_s"]) > 1_200]
    assert len(ridden) > 50, "most walk at most twenty minutes: the others ride"


def test_the_night_before_is_searched_alike(tmp_path: Path) -> None:
    """After midnight only trips of the day before run."""
    words = write(tmp_path, 3)

    assert compared(tmp_path, words, "--from", "06:30", "--until", "07:30") == 0


@pytest.mark.parametrize("column", [None, "p50_s", "best_s", "departures", "share"])
def test_a_wrong_matrix_is_told(tmp_path: Path, column: str | None) -> None:
    """Of every seventh row one figure is another, or the row is gone."""
    words = write(tmp_path, 1)
    assert compared(tmp_path, words, "--until", "07:20") == 0
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if column is None:
        del rows[::7]
    else:
        for row in rows[::7]:
            row[column] = f"{1 - float(row[column])}" if column == "share" else f"1{row[column]}"
    with (tmp_path / "m.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    assert mobility_check.main([*words, "--matrix", str(tmp_path / "m.csv")]) == 1


def test_what_is_not_known_is_not_checked(tmp_path: Path) -> None:
    """Pathways are ways that the plain search does not take."""
    words = write(tmp_path, 1)
    assert compared(tmp_path, words, "--until", "07:20") == 0
    tables = feed(1)
    tables["pathways.txt"] = [{"pathway_id": "P"}]
    write_zip(tmp_path / "feed.zip", tables)

    assert mobility_check.main([*words, "--matrix", str(tmp_path / "m.csv")]) == 2


def test_the_commands_of_the_page_check_what_they_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lines of docs/mobility.md, one after the other, on a small feed."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, 1)
    (tmp_path / "feed.zip").rename("metro.zip")
    lines = (ROOT / "docs" / "mobility.md").read_text("utf-8").splitlines()
    at = next(at for at, line in enumerate(lines) if "benchmarks.mobility_check" in line)
    ours, check = (shlex.split(line) for line in lines[at - 1 : at + 1])

    assert CliRunner().invoke(main, ours[1:]).exit_code == 0
    assert mobility_check.main(check[check.index("benchmarks.mobility_check") + 1 :]) == 0
