"""Travel times of a region and of a nation: one place, all places, a scenario, memory, and errors.

The region is the one that ships, 京津冀: its modelled cells and its trains of fact tables, on foot.
The nation is that of records where the folder TONGCHENG_BENCH_MOBILITY has them (China's fast
trains of 2016), else a made-up one of the same size, and the row says which.
"""

import csv
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import mobility_check, mobility_worlds
from benchmarks.bench_mobility import FIRST_S, RECORDS, STEP_S, seconds
from benchmarks.plain_city import Place, Walk
from benchmarks.plain_feed import city_of
from benchmarks.row import Row
from benchmarks.runs import quick, tell
from tongcheng.node import files
from tongcheng.services.mobility.facts.people import HEIGHT, WIDTH
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan import run
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scenario.applying import applied
from tongcheng.services.mobility.shapes.geometry import MICRO
from tongcheng.services.mobility.study.matrix import Hands, write_matrix
from tongcheng.services.mobility.study.model import Ready, Study
from tongcheng.services.mobility.study.preparing import prepare
from tongcheng.services.mobility.study.reach import Spot, reach_of
from tongcheng.services.mobility.study.region import (
    GEOGRAPHY,
    RIDE,
    WALK,
    Region,
    base_on,
    load,
    ready_of,
)
from tongcheng.services.mobility.walking import CrowFly

AREA = "mobility"
DAY = mobility_worlds.DAY
ZONE: Final = "Asia/Shanghai"
CELLS, QUICK_CELLS = 4_071, 300
ORIGINS, PAIRS, PLAIN = 200, 12, 6
INSTANTS, DAY_INSTANTS, LONGEST_S, DAY_LONGEST_S = 120, 1_440, 7_200, 64_800
SIDE, QUICK_SIDE = 141, 30
REGION_S, ONE_MS, EDIT_S, NATION_S = 1.5, 1.2, 2.0, 5.0
SPOT: Final = Spot(116.379, 39.865)
"""Beijing South."""


@cache
def region() -> Region:
    """Return the region that ships."""
    return load(files.pack_folder("jingjinji") / GEOGRAPHY, ZONE)


def places_at(points: Points) -> Places:
    """Return nameless places."""
    ids = tuple(f"p{at:05}" for at in range(len(points.lon)))
    return Places(ids, ids, points, ids, None, ())


def region_study(cells: int) -> Ready:
    """Return the region's trains, with the cells where most people live."""
    here, base = region(), base_on(region(), DAY)
    assert here.places.population is not None, "cells have people"
    most = np.sort(np.argsort(-here.places.population, kind="stable")[:cells])
    points = Points(here.places.points.lon[most], here.places.points.lat[most])
    return prepare(Study(base.feeds, DAY, places_at(points), "", base.processes))


def dense_study(count: int) -> Ready:
    """Return the region's trains and places by its bicycle or bus, nearly all near some stop.

    Places are the middles of quarters of the cells that reach a stop.
    """
    here, base = region(), base_on(region(), DAY)
    near = np.flatnonzero(np.diff(ready_of(here, base).hanging.access.start))
    at = here.places.points
    lon, lat = (
        (middles[near, None] + apart * np.array(signs) / (4 * MICRO)).ravel()
        for middles, apart, signs in (
            (at.lon, WIDTH, (-1, -1, 1, 1)),
            (at.lat, HEIGHT, (-1, 1, -1, 1)),
        )
    )
    chosen = np.linspace(0, len(lon) - 1, count).astype(np.int64)
    places = places_at(Points(lon[chosen], lat[chosen]))
    return prepare(Study(base.feeds, DAY, places, "", base.processes, feeder=RIDE))


def dense_row() -> Row:
    """Return all pairs where every place is near stops: what a region costs that has buses."""
    ready, question = dense_study(QUICK_CELLS if quick() else CELLS), question_of()
    network, ways = ready.networks.ahead, ready.ways
    whole_s = seconds(lambda: sum(len(each.least) for each in run.blocks(network, ways, question)))
    near, count = int((np.diff(ways.access.start) > 0).sum()), len(ready.places.ids)
    return Row(
        AREA,
        f"{count:,} places near stops × {INSTANTS} departures, all pairs, two threads",
        whole_s,
        "s",
        note=f"{near:,} of them reach {len(ways.access.to) / near:.1f} stops each, by bicycle or"
        " bus of no timetable",
    )


def question_of(instants: int = INSTANTS, longest_s: int = LONGEST_S) -> Question:
    """Return what is asked: departures by the minute."""
    return Question(Window(FIRST_S, STEP_S, instants), longest_s)


def region_rows() -> list[Row]:
    """Return all pairs of the region's cells, and one row of them alone."""
    ready, question = region_study(QUICK_CELLS if quick() else CELLS), question_of()
    network, ways = ready.networks.ahead, ready.ways
    count = len(ready.places.ids)
    whole_s = seconds(lambda: sum(len(each.least) for each in run.blocks(network, ways, question)))
    scan = run.Scan(network, ways, question)
    # From a cell that reaches no stop nothing is scanned, which would be quick and say nothing.
    near = np.flatnonzero(np.diff(ways.access.start)).tolist()
    origins = near[:: max(1, len(near) // ORIGINS)]
    one_s = seconds(lambda: [scan.block(origin, 1) for origin in origins]) / len(origins)
    single = question._replace(window=Window(FIRST_S, STEP_S, 1))
    plain = run.Scan(network, ways, single)
    plain_s = seconds(lambda: [plain.block(origin, 1) for origin in origins]) / len(origins)
    what = f"{count:,} cells of a region × {INSTANTS} departures"
    return [
        Row(
            AREA,
            f"{what}, all pairs, two threads",
            whole_s,
            "s",
            REGION_S,
            "at most",
            note=f"{len(near):,} of them reach a stop on foot",
        ),
        Row(
            AREA,
            f"{what}, one to all, an origin, one thread",
            1_000 * one_s,
            "ms",
            ONE_MS,
            "at most",
            reference="as many scans of one departure",
            reference_figure=1_000 * plain_s * INSTANTS,
        ),
        mirror_row(ready, question),
        dense_row(),
    ]


def mirror_row(ready: Ready, question: Question) -> Row:
    """Return how many journeys the scan forward has and the one backward has not, or vice versa."""
    window = question.window
    instants = window.first_s + window.step_s * np.arange(window.instants)
    chosen = np.arange(0, len(ready.places.ids), max(1, len(ready.places.ids) // PAIRS))[:PAIRS]
    forward = {o: run.profile(ready.networks.ahead, ready.ways, question, o) for o in chosen}
    differ = compared = 0
    for end in chosen:
        back = run.profile(ready.networks.mirrored, ready.ways, question, end)
        for origin in chosen:
            there = forward[origin][end].astype(np.int64)
            arrival = np.where(there == UNREACHED, 1 << 40, instants + there)
            here = back[origin].astype(np.int64)
            leaves = np.where(here == UNREACHED, -(1 << 40), instants - here)
            in_time = instants[None, :] - instants[:, None] <= question.longest_s
            by_forward = (arrival[:, None] <= instants[None, :]) & in_time
            by_backward = (leaves[None, :] >= instants[:, None]) & in_time
            differ += int((by_forward != by_backward).sum())
            compared += by_forward.size
    what = f"departures and deadlines, {compared:,}, that one direction keeps and the other not"
    return Row(AREA, what, differ, "journeys", 0, "at most")


def edit_row() -> Row:
    """Return the longest that a scenario of the region takes from its text to a new map."""
    here, question = region(), question_of()
    bases = [base_on(here, each.base_on or DAY) for each in here.scenarios]

    def mapped(number: int) -> None:
        ready = ready_of(here, applied(bases[number], here.scenarios[number]), WALK)
        reach_of(ready, SPOT, question, deadlines=False)

    taken_s = {
        each.scenario_id: seconds(lambda number=number: mapped(number))  # type: ignore[misc]
        for number, each in enumerate(here.scenarios)
    }
    longest = max(taken_s, key=lambda each: taken_s[each])
    cells = len(here.places.ids)
    what = f"scenario edit → new map of {cells:,} cells, {INSTANTS} departures"
    note = f"the longest of {len(taken_s)}: {longest}; compiled, hung and scanned anew"
    return Row(AREA, what, taken_s[longest], "s", EDIT_S, "at most", note=note)


def nation_row(folder: Path) -> Row:
    """Return a nation's rail, every station to every station, leaving at any minute of a day."""
    records = os.environ.get(RECORDS)
    network = mobility_worlds.recorded(Path(records)) if records else None
    source = "made-up, of the size of China's fast trains of 2016" if network is None else (
        "China's fast trains of 2016"
    )  # fmt: skip
    network = network or mobility_worlds.nation(*((300, 60) if quick() else ()))
    read = read_feed(mobility_worlds.write(folder / "nation.zip", network), "nation")
    lon, lat = np.array(list(network.stops.values()), np.float64).T.copy()
    places = places_at(Points(lon, lat))
    instants = INSTANTS if quick() else DAY_INSTANTS
    question = Question(Window(0, STEP_S, instants), DAY_LONGEST_S)

    def work() -> None:
        ready = prepare(Study((read.feed,), DAY, places, "", walk_s_max=0))
        for _ in run.forward(ready.timetable, ready.ways, question):
            pass

    calls = sum(map(len, network.trips))
    what = f"{len(lon):,} stations, {calls:,} calls, all pairs × {instants:,} departures"
    return Row(AREA, what, seconds(work), "s", NATION_S, "at most", note=f"compiled too; {source}")


def plain_row(folder: Path) -> Row:
    """Return how many pairs of a made-up city an independent search finds otherwise."""
    network, places = mobility_worlds.city(9 if quick() else 30)
    feed = mobility_worlds.write(folder / "city.zip", network)
    lon, lat = np.array([each[1:] for each in places], np.float64).T.copy()
    table = places_at(Points(lon, lat))
    ready = prepare(Study((read_feed(feed, "city").feed,), DAY, table, ""))
    question, out = question_of(12), folder / "city.csv"
    done = write_matrix(
        out, ready, question, deadlines=False, hands=Hands(), progress=lambda *_: None
    )
    assumed, fly = ready.assumed, CrowFly()
    names = ("walk_s_max", "change_s_max", "same_stop_s", "same_station_s")
    walk = Walk(fly.detour, fly.speed_m_per_s, *(int(assumed[name]) for name in names))
    named = [Place(*each) for each in zip(table.ids, lon.tolist(), lat.tolist(), strict=True)]
    city = city_of([feed], DAY, named, walk)
    asked = mobility_check.asked_of(done.method.parameters)
    chosen = named[:: max(1, len(named) // PLAIN)]
    differ = sum(1 for _ in mobility_check.differing(city, asked, chosen, out))
    what = f"pairs of {len(chosen) * len(named):,} that an independent search finds otherwise"
    return Row(AREA, what, differ, "pairs", 0, "at most", "benchmarks.mobility_check")


def memory_row(folder: Path) -> Row:
    """Return the most memory that the command takes for many places of short reach."""
    network, places = mobility_worlds.city(QUICK_SIDE if quick() else SIDE)
    mobility_worlds.write(folder / "wide.zip", network)
    with (folder / "places.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "lon", "lat"), *places])
    words = ["--feed", "wide.zip", "--places", "places.csv", "--on", DAY.isoformat()]
    words += ["--until", "07:10", "--longest", "30", "--walk", "8", "--out", "wide.parquet"]
    command = [sys.executable, "-c", "from tongcheng.cli import main; main()", "mobility", "matrix"]
    with subprocess.Popen(  # noqa: S603 our own interpreter and words
        [*command, *words], cwd=folder, stdout=subprocess.DEVNULL
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, "the command ended well"
    what = f"peak memory of a matrix, {len(places):,}² places, short reach"
    return Row(AREA, what, usage.ru_maxrss / 1_024, "MiB")


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    run.warm()
    rows = [*region_rows(), edit_row()]
    for row in rows:
        tell(f"{row.what}: {row.figure:,.3f} {row.unit}")
    with tempfile.TemporaryDirectory() as name:
        rows += [each(Path(name)) for each in (nation_row, plain_row, memory_row)]
    return rows


def main() -> None:
    """Measure and print."""
    for row in measure():
        beside = "" if row.reference_figure is None else f" {row.reference_figure:,.3f}"
        print(f"{row.what}: {row.figure:,.3f} {row.unit}; {row.reference}{beside}; {row.note}")


if __name__ == "__main__":
    main()
