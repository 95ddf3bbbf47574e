"""Timetables for the benchmarks of travel times, written as GTFS: made up, or of records."""

import csv
import gzip
import io
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

DAY: Final = date(2026, 3, 11)
"""When all feeds made here run: a Wednesday."""
DAY_S: Final = 86_400
SEED: Final = 20_261_123
TRAINS, CALLS_A_TRAIN, STATIONS = 4_458, 7.77, 672
"""China's fast trains of the first quarter of 2016: 34,647 calls."""
STOP_TIMES, STATION_LIST = "crh_china_2016q1_stop_times.csv.gz", "crh_china_2016_stations.csv"
"""Their records, where the folder of records has them."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RAIL, BUS = 2, 3
AGENCIES: Final = {RAIL: "铁路", BUS: "公交"}

Trip = list[tuple[str, int, int]]
"""Calls: stop, arrival, departure, seconds after midnight."""


class Network(NamedTuple):
    """Stops (longitude, latitude) by id, and trips, each once a day.

    `lines` names the line of each trip, and is empty where all are of one. `kind` is GTFS's
    `route_type`.
    """

    stops: Mapping[str, tuple[float, float]]
    trips: Sequence[Trip]
    lines: Sequence[str] = ()
    kind: int = RAIL


def write(path: Path, network: Network) -> Path:
    """Write a feed that runs on one day, `DAY`."""
    lines = network.lines or ["R"] * len(network.trips)
    trips = [(line, "D", f"T{at}") for at, line in enumerate(lines)]
    routes = [(line, line, network.kind) for line in dict.fromkeys(lines)]
    calls = [
        (f"T{at}", stop, place, clock(arrival_s), clock(departure_s))
        for at, trip in enumerate(network.trips)
        for place, (stop, arrival_s, departure_s) in enumerate(trip)
    ]
    stops = [(stop, stop, lon, lat) for stop, (lon, lat) in network.stops.items()]
    tables: dict[str, Sequence[Sequence[object]]] = {
        "agency": [
            ("agency_name", "agency_url", "agency_timezone"),
            (AGENCIES[network.kind], "https://agency.example/", "Asia/Shanghai"),
        ],
        "stops": [("stop_id", "stop_name", "stop_lon", "stop_lat"), *stops],
        "routes": [("route_id", "route_short_name", "route_type"), *routes],
        "trips": [("route_id", "service_id", "trip_id"), *trips],
        "stop_times": [
            ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
            *calls,
        ],
        # Not calendar_dates, for the peer reads no feed without a calendar.
        "calendar": [
            ("service_id", *WEEKDAYS, "start_date", "end_date"),
            ("D", *[1] * len(WEEKDAYS), f"{DAY:%Y%m%d}", f"{DAY:%Y%m%d}"),
        ],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            text = io.StringIO(newline="")
            csv.writer(text).writerows(rows)
            archive.writestr(f"{name}.txt", text.getvalue())
    return path


def clock(seconds: int) -> str:
    """Return seconds as `HH:MM:SS`."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def nation(trains: int = TRAINS, stations: int = STATIONS) -> Network:
    """Return a made-up rail day of a nation: trains along short ways between near stations."""
    made = random.Random(SEED)  # noqa: S311 not a key
    stops = {
        f"N{at}": (round(made.uniform(100, 124), 5), round(made.uniform(22, 46), 5))
        for at in range(stations)
    }
    near = {stop: nearest(stops, at) for stop, at in stops.items()}
    trips = []
    for _ in range(trains):
        stop, now_s = made.choice(list(stops)), made.randrange(6 * 3_600, 20 * 3_600)
        trip = [(stop, now_s, now_s)]
        for _ in range(max(1, round(made.gauss(CALLS_A_TRAIN - 1, 2)))):
            following = made.choice(near[stop])
            # Degrees at 200 km/h, and a minute.
            now_s += int(distance(stops[stop], stops[following]) * 2_000) + 60
            stop = following
            trip.append((stop, now_s, now_s + 120))
            now_s += 120
        trips.append(trip)
    return Network(stops, trips)


def nearest(stops: Mapping[str, tuple[float, float]], at: tuple[float, float]) -> list[str]:
    """Return the six stops next to one that lies here."""
    return sorted(stops, key=lambda other: distance(at, stops[other]))[1:7]


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how many degrees two points lie apart, roughly."""
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


def recorded(folder: Path) -> Network | None:
    """Return the rail day of the records, None where the folder has none."""
    if not (folder / STOP_TIMES).exists() or not (folder / STATION_LIST).exists():
        return None
    with (folder / STATION_LIST).open(encoding="utf-8", newline="") as lines:
        stops = {
            row["name"]: (float(row["lon_wgs84"]), float(row["lat_wgs84"]))
            for row in csv.DictReader(lines)
            if row["lon_wgs84"]
        }
    of_train: dict[str, list[dict[str, str]]] = {}
    with gzip.open(folder / STOP_TIMES, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            of_train.setdefault(row["row"], []).append(row)
    trips = [trip for rows in of_train.values() if len(trip := list(_calls(rows, stops))) > 1]
    return Network(stops, trips)


def _calls(
    rows: Sequence[Mapping[str, str]], stops: Mapping[str, tuple[float, float]]
) -> Iterator[tuple[str, int, int]]:
    """Yield the calls of a train; a time that falls is the next day's."""
    now_s = 0
    for row in rows:
        times = []
        for word in (row["arrive"] or row["depart"], row["depart"] or row["arrive"]):
            hours, minutes = map(int, word.split(":")[:2])
            given_s = hours * 3_600 + minutes * 60
            now_s = given_s + -(-max(0, now_s - given_s) // DAY_S) * DAY_S
            times.append(now_s)
        if row["station"] in stops:
            yield row["station"], times[0], times[1]


def city(side: int) -> tuple[Network, list[tuple[str, float, float]]]:
    """Return lines on a grid, and `side`² places 500 m apart of which few are near another."""
    stops = {
        f"C{x}-{y}": (round(117 + 0.0174 * x, 5), round(39 + 0.009 * y, 5))
        for x in range(side // 3)
        for y in range(side // 2)
    }
    ways = [[f"C{x}-{y}" for x in range(side // 3)] for y in range(side // 2)]
    ways += [[f"C{x}-{y}" for y in range(side // 2)] for x in range(side // 3)]
    trips = [
        [(stop, begin_s + 180 * at, begin_s + 180 * at) for at, stop in enumerate(way)]
        for number, line in enumerate(ways)
        for way in (line, line[::-1])
        for begin_s in range(7 * 3_600 + number % 10 * 60, 9 * 3_600, 600)
    ]
    places = [
        (f"p{x}-{y}", round(117 + 0.0058 * x, 5), round(39 + 0.0045 * y, 5))
        for x in range(side)
        for y in range(side)
    ]
    return Network(stops, trips), places
