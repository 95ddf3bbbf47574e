"""Travel times between all places over two hours of departures, beside a peer; and plain scans.

Two cities: one made up (benchmarks/bus_city.py), of the size of Porto Alegre, which needs no
records; and São Paulo by the records that r5r ships (a feed by headways, an extract of its streets,
hexagons): a folder that holds spo.zip, spo_osm.pbf and spo_hexgrid.csv, named by the environment
variable TONGCHENG_BENCH_MOBILITY. Without them nothing is promised of that city.

Ours reduces 120 departures to three percentiles, the best-timed trip and two counts, any number of
rides, to the second; the peer computes one table of times for each departure, with four rides at
most and the ten nearest stops of a place, and reduces nothing.
"""

import csv
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks import mobility_worlds
from benchmarks.bus_city import LIKE_PORTO_ALEGRE, SMALL, Size, bus_city, write_streets
from benchmarks.peer import Peer, PeerError, python_of
from benchmarks.peer import run as run_peer
from benchmarks.row import Row
from benchmarks.runs import not_measured, quick, tell
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED, Int64
from tongcheng.services.mobility.scan import run
from tongcheng.services.mobility.scan.model import Block, Question, Ways, Window
from tongcheng.services.mobility.scan.network import Network, ahead
from tongcheng.services.mobility.streets.access import ways_of
from tongcheng.services.mobility.streets.extract import read_ways
from tongcheng.services.mobility.streets.graph import graph_of
from tongcheng.services.mobility.streets.network import StreetNetwork
from tongcheng.services.mobility.timetable.compiling import compiled
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES
from tongcheng.services.mobility.walking import Walking

AREA = "mobility"
RECORDS = "TONGCHENG_BENCH_MOBILITY"
FERROBUS = Peer("ferrobus", "ferrobus", "0.2.1", "ferrobus")
SCRIPT = Path(__file__).parent / "peers" / "matrix.py"
TIMES_FERROBUS, MADE_UP_S = 7, 4.0
"""How many times as long ferrobus takes, and the longest for the city that is made up."""
FIRST_S, STEP_S, INSTANTS, QUICK_INSTANTS = 7 * 3_600, 60, 120, 4
LONGEST_S, WALK_S, CHANGE_S, NEAREST_STOPS = 7_200, 1_200, 600, 10
PERCENTILES = (25, 50, 75)
ROUNDS = 3
NO_RECORDS = f"no records: {RECORDS} names no folder"
ORIGINS = 40
"""About so many origins are also scanned for each departure on its own."""


class Records(NamedTuple):
    """A city's records: a feed and a day that it runs on, an extract of streets, and places.

    `seconds_max` is what all its times may take whatever a peer takes, None where nothing is said.
    """

    name: str
    feed: Path
    day: date
    streets: Path
    places: Points
    note: str = ""
    seconds_max: float | None = None


class City(NamedTuple):
    """A city's day as ours scans it: the network, and the ways between it and the places."""

    network: Network
    ways: Ways


class Told(msgspec.Struct, frozen=True):
    """What the peer said: seconds for all departures, and how many times it found."""

    seconds: float
    reached: int


def sao_paulo(folder: Path) -> Records:
    """Return the records of a folder; the day is a Monday within the feed's calendar."""
    with (folder / "spo_hexgrid.csv").open(encoding="utf-8", newline="") as lines:
        cells = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)]
    lon, lat = np.array(cells).T.copy()
    feed, streets, day = folder / "spo.zip", folder / "spo_osm.pbf", date(2019, 10, 7)
    return Records("São Paulo", feed, day, streets, Points(lon, lat))


def made_up(folder: Path, size: Size) -> Records:
    """Write a made-up city of buses into a folder, and return its records."""
    city = bus_city(size)
    feed = mobility_worlds.write(folder / "buses.zip", city.network)
    streets = write_streets(folder / "streets.osm.pbf", city)
    lon, lat = np.array(city.places).T.copy()
    note = f"made up: {len(city.network.stops):,} stops"
    return Records(
        "a city of buses",
        feed,
        mobility_worlds.DAY,
        streets,
        Points(lon, lat),
        note,
        MADE_UP_S,
    )


def city_of(records: Records) -> City:
    """Read a city's records."""
    streets = StreetNetwork(graph_of(read_ways(records.streets, "foot"), "foot"))
    walking = Walking(streets=streets, change_s_max=CHANGE_S)
    feed = read_feed(records.feed, "city").feed
    made = compiled([feed], records.day, NO_PROCESSES, walking)
    return City(ahead(made.timetable), ways_of(records.places, made, streets, WALK_S))


def question_of(instants: int) -> Question:
    """Return what is asked of ours."""
    return Question(Window(FIRST_S, STEP_S, instants), LONGEST_S, PERCENTILES)


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the best time of several."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def asked(records: Records, instants: int) -> Told | str:
    """Return what the peer took for the same departures, or why it gave nothing."""
    question = {
        "day": records.day.isoformat(),
        "change_s": CHANGE_S,
        "walk_s": WALK_S,
        "stops": NEAREST_STOPS,
        "departures_s": [FIRST_S + at * STEP_S for at in range(instants)],
        "places": list(zip(*(each.tolist() for each in records.places), strict=True)),
    }
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        shutil.unpack_archive(records.feed, here / "feed", "zip")
        shutil.copy(records.streets, here / "streets.osm.pbf")
        (here / "asked.json").write_text(json.dumps(question), "utf-8")
        try:
            run_peer([str(python_of(FERROBUS)), str(SCRIPT), name])
        except PeerError as error:
            return str(error)
        return msgspec.json.decode((here / "told.json").read_bytes(), type=Told)


def one_by_one(city: City, question: Question, origin: int) -> Int64:
    """Return an origin's times by destination and instant, each departure scanned on its own."""
    access, direct = (links_row(links, origin) for links in (city.ways.access, city.ways.direct))
    ways = Ways(access, city.ways.egress, direct)
    window = question.window
    table = np.full((ways.egress.rows, window.instants), UNREACHED, np.int64)
    to = np.repeat(np.arange(ways.egress.rows), np.diff(ways.egress.start))
    for at in range(window.instants):
        single = question._replace(window=Window(window.first_s + at * window.step_s, 1, 1))
        _, trail = run.trail(city.network, ways, single, 1, capped=False)
        arrivals = trail.arrived_s[0, ways.egress.to].astype(np.int64) + ways.egress.seconds
        np.minimum.at(table[:, at], to, arrivals)
        np.minimum.at(table[:, at], direct.to, direct.seconds)
    return np.where(table > question.longest_s, UNREACHED, table)


def links_row(links: Links, at: int) -> Links:
    """Return the ways of one thing."""
    begin, end = links.start[at], links.start[at + 1]
    start = np.array([0, end - begin], np.int64)
    return Links(start, links.to[begin:end], links.seconds[begin:end])


def plain_row(name: str, city: City, question: Question) -> Row:
    """Return how many medians a plain scan of each departure finds otherwise."""
    rows = city.ways.access.rows
    origins = range(0, rows, max(1, rows // ORIGINS))
    blocks = list(run.blocks(city.network, city.ways, question))
    medians = np.concatenate([each.times[PERCENTILES.index(50)] for each in blocks])
    rank = question.ranks[PERCENTILES.index(50)]
    differ = 0
    for origin in origins:
        table = np.sort(one_by_one(city, question, origin), axis=1)
        differ += int((table[:, rank - 1] != medians[origin]).sum())
    cells = len(origins) * city.ways.egress.rows
    what = f"{name}, medians of {cells:,} that differ from a plain scan of every departure"
    return Row(AREA, what, differ, "medians", 0, "at most", "connection scan, one departure each")


def told_size(name: str, city: City, question: Question) -> str:
    """Say how large the work is."""
    return f"{name}, {city.ways.access.rows:,}² places × {question.window.instants} departures"


def peer_row(
    records: Records, city: City, question: Question, taken_s: float, said: Told | str
) -> Row:
    """Return ours beside the peer; of two bounds the tighter is promised."""
    what = f"{told_size(records.name, city, question)}, two threads"
    bounds = [] if records.seconds_max is None else [records.seconds_max]
    if isinstance(said, str):
        return not_measured(AREA, what, "s", min(bounds, default=0), said, "at most")
    bounds.append(said.seconds / TIMES_FERROBUS)
    notes = ["to the second, any number of rides, reduced; the peer: 4 rides, 10 stops a place"]
    if records.seconds_max is not None:
        both = f"{records.seconds_max:.1f} s, and the peer's time over {TIMES_FERROBUS}"
        notes.append(f"promised: {both}")
    if records.note:
        changes = city.network.changes
        each = len(changes.to) / changes.rows
        notes.append(f"{records.note}, {len(city.network.trip):,} connections")
        notes.append(f"most of the time goes to changes on foot, {each:.0f} from each stop")
    return Row(
        AREA,
        what,
        taken_s,
        "s",
        min(bounds),
        "at most",
        f"{FERROBUS.title} {FERROBUS.version}",
        said.seconds,
        note="; ".join(notes),
    )


def rows_of(records: Records, instants: int) -> list[Row]:
    """Return a city's rows: all pairs beside the peer, and medians beside a plain scan."""
    city, question = city_of(records), question_of(instants)
    tell(f"{told_size(records.name, city, question)}, {len(city.network.trip):,} connections")

    def scanned() -> list[Block]:
        return list(run.blocks(city.network, city.ways, question))

    taken_s = seconds(scanned)
    said = asked(records, instants)
    taken_s = min(taken_s, seconds(scanned))
    tell(f"ours {taken_s:.3f} s; {FERROBUS.title}: {said}")
    row = peer_row(records, city, question, taken_s, said)
    return [row, plain_row(records.name, city, question)]


def recorded_rows(instants: int) -> list[Row]:
    """Return the rows of the city of the records, or one that says that there are none."""
    named = os.environ.get(RECORDS)
    if named is None:
        return [Row(AREA, "travel times between all places", float("nan"), "s", note=NO_RECORDS)]
    return rows_of(sao_paulo(Path(named)), instants)


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    size, instants = (SMALL, QUICK_INSTANTS) if quick() else (LIKE_PORTO_ALEGRE, INSTANTS)
    run.warm()
    with tempfile.TemporaryDirectory() as name:
        rows = rows_of(made_up(Path(name), size), instants)
    return rows + recorded_rows(instants)


def main() -> None:
    """Measure and print."""
    for row in measure():
        beside = "" if row.reference_figure is None else f" {row.reference_figure:,.3f}"
        print(f"{row.what}: {row.figure:,.3f} {row.unit}; {row.reference}{beside}; {row.note}")


if __name__ == "__main__":
    main()
