"""Checks a matrix of travel times against a plain search that shares no code with it.

    tongcheng mobility matrix --feed F.zip --places P.csv --on D --out times.csv
    python -m benchmarks.mobility_check --feed F.zip --places P.csv --on D --matrix times.csv

`benchmarks.plain_feed` reads the feeds by `csv` alone, by the rules of docs/mobility.md, and
`benchmarks.plain_city` searches instant by instant, ride by ride. All pairs of some origins (with
--arrive, destinations) are compared, each figure exactly. The question is taken from the method
beside the matrix. Exit code: 0 all equal; 1 some differ; 2 not checked: what this does not know
(streets, pathways, rule books), or times that go backwards. Of what a feed has that is wrong
`tongcheng mobility feed check` tells; here nothing is repaired.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.plain_city import City, Place, UnknownError, Walk, mirrored, searched
from benchmarks.plain_feed import city_of

ORIGINS, SHOWN = 5, 10
LABEL = re.compile(r"crow fly x ([\d.]+) at ([\d.]+) m/s")
IDS = ("id", "place_id", "cell_id", "zone_id", "code", "编号", "代码")
LONS, LATS = ("lon", "lng", "long", "longitude", "x", "经度"), ("lat", "latitude", "y", "纬度")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Figures = tuple[str, ...]
"""What a row of the matrix says, as text: percentiles, best, departures, share."""


class Asked(NamedTuple):
    """The question of a matrix, as its method has it."""

    instants: tuple[int, ...]
    longest_s: int
    cut_s: int
    percentiles: tuple[int, ...]
    rides_max: int | None
    arrive: bool
    step_s: int


def asked_of(parameters: Mapping[str, Any]) -> Asked:
    """Return the question; deadlines run backwards, as everything does in the mirror."""
    first_s, step_s, count = (parameters[name] for name in ("first_s", "step_s", "count"))
    instants = [first_s + at * step_s for at in range(count)]
    arrive = parameters["instants"] == "arrive by"
    return Asked(
        tuple(-each for each in reversed(instants)) if arrive else tuple(instants),
        parameters["longest_s"],
        parameters["cut_s"],
        tuple(parameters["percentiles"]),
        parameters["rides_max"],
        arrive,
        step_s,
    )


def walk_of(method: Mapping[str, Any]) -> Walk:
    """Return how one walks; refuses UnknownError what is not searched here."""
    parameters = method["parameters"]
    label = LABEL.fullmatch(parameters["walked"])
    if label is None or parameters["walked"] != parameters["walked_inside"]:
        raise UnknownError("walked", parameters["walked"])
    if any(source["kind"] == "process" for source in method["sources"]):
        raise UnknownError("process", "rule books")
    detour, speed = map(float, label.groups())
    names = ("walk_s_max", "change_s_max", "same_stop_s", "same_station_s")
    return Walk(detour, speed, *(parameters[name] for name in names))


def places_of(path: Path) -> list[Place]:
    """Return the places of a CSV table."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = []
    for number, row in enumerate(rows, 1):
        named = {name.strip().lower(): value.strip() for name, value in row.items()}
        place_id = next((named[name] for name in IDS if name in named), str(number))
        lon, lat = (next(named[name] for name in names if name in named) for names in (LONS, LATS))
        found.append(Place(place_id, float(lon), float(lat)))
    return found


def figures_of(times: Sequence[int | None], walk_s: int | None, asked: Asked) -> Figures | None:
    """Return what a row must say of the times at the instants; None where there is no row."""
    known = sorted(each for each in times if each is not None)
    if not known:
        return None
    ranks = [-(-percent * len(times) // 100) for percent in asked.percentiles]
    percentiles = [str(known[rank - 1]) if rank <= len(known) else "" for rank in ranks]
    cut_s = min(asked.cut_s, asked.longest_s)
    within = sum(each <= cut_s for each in known)
    arrivals = [None if each is None else at * asked.step_s + each for at, each in enumerate(times)]
    last = {arrival: at for at, arrival in enumerate(arrivals) if arrival is not None}
    usable = sum((times[at] or 0) <= cut_s for at in last.values())
    if walk_s is not None and walk_s <= cut_s:
        usable = len(times)
    return (*percentiles, str(known[0]), str(usable), repr(within / len(times)))


def expected(city: City, asked: Asked, origin: Place) -> dict[str, Figures]:
    """Return the rows of one origin by destination."""
    tables = [searched(city, origin, each, asked.longest_s, asked.rides_max)
              for each in asked.instants]  # fmt: skip
    walks = city.walks_from(origin)
    rows = {}
    for place in city.places:
        figures = figures_of(
            [table.get(place.place_id) for table in tables], walks.get(place.place_id), asked
        )
        if figures is not None:
            rows[place.place_id] = figures
    return rows


def written(path: Path, asked: Asked, wanted: set[str]) -> dict[str, dict[str, Figures]]:
    """Return the rows of a matrix whose origin (with deadlines, destination) is wanted."""
    found: dict[str, dict[str, Figures]] = {each: {} for each in wanted}
    ends = ("destination_id", "origin_id") if asked.arrive else ("origin_id", "destination_id")
    names = [*(f"p{each:02}_s" for each in asked.percentiles), "best_s", "departures"]
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            one, other = (unguarded(row[end]) for end in ends)
            if one in found:
                share = repr(float(row["share"]))
                found[one][other] = (*(row[name] for name in names), share)
    return found


def unguarded(word: str) -> str:
    """Return an id without the mark that keeps a spreadsheet from computing it."""
    return word[1:] if word[:1] == "'" and word[1:].startswith(FORMULA) else word


def differing(
    city: City, asked: Asked, origins: Sequence[Place], matrix: Path
) -> Iterator[tuple[str, str, Figures | None, Figures | None]]:
    """Yield every pair that is not told alike: from, to, the search's figures, the matrix's."""
    said = written(matrix, asked, {each.place_id for each in origins})
    for origin in origins:
        ours, theirs = expected(city, asked, origin), said[origin.place_id]
        for place in sorted({*ours, *theirs}):
            if ours.get(place) != theirs.get(place):
                yield origin.place_id, place, ours.get(place), theirs.get(place)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.mobility_check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--feed", type=Path, action="append", required=True, help="may be repeated")
    made.add_argument("--places", type=Path, required=True, help="a table, CSV")
    made.add_argument("--on", type=date.fromisoformat, required=True, help="the matrix's day")
    made.add_argument("--matrix", type=Path, required=True, help="the matrix, CSV")
    made.add_argument("--origins", type=int, default=ORIGINS, help="how many are searched")
    made.add_argument("--seed", type=int, default=1, help="which are")
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Check, tell, and return the exit code."""
    given = parser().parse_args(words)
    method = json.loads(Path(f"{given.matrix}.method.json").read_bytes())
    method = method.get("method", method)
    try:
        asked, walk = asked_of(method["parameters"]), walk_of(method)
        city = city_of(given.feed, given.on, places_of(given.places), walk)
    except UnknownError as fault:
        print(f"not checked: {fault}")
        return 2
    chosen = random.Random(given.seed).sample(  # noqa: S311 not a key
        city.places, min(given.origins, len(city.places))
    )
    if asked.arrive:
        city = mirrored(city)
    found = list(differing(city, asked, chosen, given.matrix))
    for one, other, ours, theirs in found[:SHOWN]:
        print(f"{one} → {other}: the search says {ours}, the matrix {theirs}")
    pairs = len(chosen) * len(city.places)
    print(f"{len(found)} of {pairs} pairs differ, {len(asked.instants)} instants each")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
