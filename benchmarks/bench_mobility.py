"""Travel times between all places over two hours of departures, beside a peer; and plain scans.

The records are those that r5r ships for São Paulo (a feed by headways, an extract of its streets,
hexagons): a folder that holds spo.zip, spo_osm.pbf and spo_hexgrid.csv, named by the environment
variable TONGCHENG_BENCH_MOBILITY. Without them nothing is promised and nothing measured.

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
TIMES_FERROBUS = 7
DAY = date(2019, 10, 7)
"""A Monday within the feed's calendar."""
FIRST_S, STEP_S, INSTANTS, QUICK_INSTANTS = 7 * 3_600, 60, 120, 4
LONGEST_S, WALK_S, CHANGE_S, NEAREST_STOPS = 7_200, 1_200, 600, 10
PERCENTILES = (25, 50, 75)
ROUNDS = 3
NO_RECORDS = f"no records: {RECORDS} names no folder"
SAMPLE = 8
"""One origin in so many is also scanned for each departure on its own."""


class City(NamedTuple):
    """What both are given: ours compiled, and the places as they are."""

    network: Network
    ways: Ways
    places: Points


class Told(msgspec.Struct, frozen=True):
    """What the peer said: seconds for all departures, and how many times it found."""

    seconds: float
    reached: int


def city_of(folder: Path) -> City:
    """Read the records of a folder."""
    with (folder / "spo_hexgrid.csv").open(encoding="utf-8", newline="") as lines:
        cells = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)]
    lon, lat = np.array(cells).T.copy()
    places = Points(lon, lat)
    streets = StreetNetwork(graph_of(read_ways(folder / "spo_osm.pbf", "foot"), "foot"))
    walking = Walking(streets=streets, change_s_max=CHANGE_S)
    feed = read_feed(folder / "spo.zip", "spo").feed
    made = compiled([feed], DAY, NO_PROCESSES, walking)
    return City(ahead(made.timetable), ways_of(places, made, streets, WALK_S), places)


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


def asked(folder: Path, city: City, instants: int) -> Told | str:
    """Return what the peer took for the same departures, or why it gave nothing."""
    question = {
        "day": DAY.isoformat(),
        "change_s": CHANGE_S,
        "walk_s": WALK_S,
        "stops": NEAREST_STOPS,
        "departures_s": [FIRST_S + at * STEP_S for at in range(instants)],
        "places": list(zip(city.places.lon.tolist(), city.places.lat.tolist(), strict=True)),
    }
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        shutil.unpack_archive(folder / "spo.zip", here / "feed", "zip")
        shutil.copy(folder / "spo_osm.pbf", here / "streets.osm.pbf")
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


def plain_row(city: City, question: Question) -> Row:
    """Return how many medians a plain scan of each departure finds otherwise."""
    origins = range(0, city.ways.access.rows, SAMPLE)
    blocks = list(run.blocks(city.network, city.ways, question))
    medians = np.concatenate([each.times[PERCENTILES.index(50)] for each in blocks])
    rank = question.ranks[PERCENTILES.index(50)]
    differ = 0
    for origin in origins:
        table = np.sort(one_by_one(city, question, origin), axis=1)
        differ += int((table[:, rank - 1] != medians[origin]).sum())
    cells = len(origins) * city.ways.egress.rows
    what = f"medians of {cells:,} that differ from a plain scan of every departure"
    return Row(AREA, what, differ, "medians", 0, "at most", "connection scan, one departure each")


def told_size(city: City, question: Question) -> str:
    """Say how large the work is."""
    return f"{city.ways.access.rows:,}² places × {question.window.instants} departures"


def peer_row(city: City, question: Question, taken_s: float, said: Told | str) -> Row:
    """Return ours beside the peer."""
    what = f"{told_size(city, question)}, two threads"
    name = f"{FERROBUS.title} {FERROBUS.version}"
    if isinstance(said, str):
        return not_measured(AREA, what, "s", 0, said, "at most")
    return Row(
        AREA,
        what,
        taken_s,
        "s",
        said.seconds / TIMES_FERROBUS,
        "at most",
        name,
        said.seconds,
        note="to the second, any number of rides, reduced; the peer: 4 rides, 10 stops a place",
    )


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    named = os.environ.get(RECORDS)
    if named is None:
        return [Row(AREA, "travel times between all places", float("nan"), "s", note=NO_RECORDS)]
    folder, instants = Path(named), QUICK_INSTANTS if quick() else INSTANTS
    run.warm()
    city, question = city_of(folder), question_of(instants)
    tell(f"{told_size(city, question)}, {len(city.network.trip):,} connections")

    def scanned() -> list[Block]:
        return list(run.blocks(city.network, city.ways, question))

    taken_s = seconds(scanned)
    said = asked(folder, city, instants)
    taken_s = min(taken_s, seconds(scanned))
    tell(f"ours {taken_s:.3f} s; {FERROBUS.title}: {said}")
    return [peer_row(city, question, taken_s, said), plain_row(city, question)]


def main() -> None:
    """Measure and print."""
    for row in measure():
        beside = "" if row.reference_figure is None else f" {row.reference_figure:,.3f}"
        print(f"{row.what}: {row.figure:,.3f} {row.unit}; {row.reference}{beside}; {row.note}")


if __name__ == "__main__":
    main()
