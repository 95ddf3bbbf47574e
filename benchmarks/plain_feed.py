"""A day of feeds read by `csv` alone, for `plain_city`: nothing of our code.

Written from docs/mobility.md. Feeds are taken to be without faults.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.plain_city import Call, City, Near, Place, Point, Stop, UnknownError, Walk

DAY_S: Final = 86_400
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ENTRANCE, IN_SEAT = "2", ("4", "5")
ADDED, FORBIDDEN, TIMED, NOT_HERE = "1", "3", "2", "1"
SPECIAL: Final = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")

Row = dict[str, str]


class Tables(NamedTuple):
    """The files of a feed, each as its rows."""

    number: int
    files: dict[str, list[Row]]

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a file, none where it is not there."""
        return self.files.get(f"{name}.txt", [])

    def stop(self, stop_id: str) -> Stop:
        """Return a stop of this feed."""
        return self.number, stop_id


class Timed(NamedTuple):
    """A call of a trip while its times are filled in."""

    row: Row
    arrival_s: int | None
    departure_s: int | None


def city_of(feeds: Sequence[Path], day: date, places: list[Place], walk: Walk) -> City:
    """Return what is searched; refuses UnknownError."""
    runs: list[list[Call]] = []
    stated: dict[tuple[Stop, Stop], int | None] = {}
    doors: dict[Stop, list[tuple[Point, int]]] = {}
    for number, path in enumerate(feeds):
        tables = read(number, path)
        if tables.rows("pathways"):
            raise UnknownError("pathways.txt", path)
        trips = trips_of(tables)
        called = {call.stop for calls in trips.values() for call in calls}
        runs += runs_of(tables, trips, day)
        stated |= within(tables, called, walk)
        doors |= doors_of(tables, called, walk)
    return City(places, runs, changes_of(doors, stated, walk), doors, walk)


def read(number: int, path: Path) -> Tables:
    """Return the tables of an archive."""
    files = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".txt"):
                text = io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")
                rows = [
                    {key.strip(): (value or "").strip() for key, value in row.items()}
                    for row in csv.DictReader(text)
                ]
                files[name.rpartition("/")[2]] = rows
    return Tables(number, files)


def clock(text: str) -> int | None:
    """Return `H:MM:SS` as seconds, None for a blank."""
    if not text:
        return None
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3_600 + minutes * 60 + seconds


def trips_of(tables: Tables) -> dict[str, list[Call]]:
    """Return the calls of every trip of two or more, blank times filled in."""
    of_trip: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tables.rows("stop_times"):
        of_trip[row["trip_id"]].append(row)
    found = {}
    for trip_id, rows in of_trip.items():
        rows.sort(key=lambda row: int(row["stop_sequence"]))
        timed = [
            Timed(row, one if one is not None else other, other if other is not None else one)
            for row in rows
            for one, other in [(clock(row["arrival_time"]), clock(row["departure_time"]))]
        ]
        known = [at for at, each in enumerate(timed) if each.arrival_s is not None]
        if known and known[-1] > known[0]:
            found[trip_id] = calls_of(tables, timed[known[0] : known[-1] + 1])
    return found


def calls_of(tables: Tables, timed: list[Timed]) -> list[Call]:
    """Return the calls of a trip: a blank time lies between two that are given."""
    calls = []
    for at, (row, arrival_s, departure_s) in enumerate(timed):
        if arrival_s is None or departure_s is None:
            arrival_s = departure_s = between(timed, at)  # noqa: PLW2901 it was blank
        boards, alights = (row.get(f"{kind}_type") != NOT_HERE for kind in ("pickup", "drop_off"))
        calls.append(Call(tables.stop(row["stop_id"]), arrival_s, departure_s, boards, alights))
    times = [each for call in calls for each in (call.arrival_s, call.departure_s)]
    if times != sorted(times):
        raise UnknownError("time_backwards", timed[0].row["trip_id"])
    return calls


def between(timed: list[Timed], at: int) -> int:
    """Return the time of a blank call."""
    known = [place for place, each in enumerate(timed) if each.arrival_s is not None]
    before, after = max(k for k in known if k < at), min(k for k in known if k > at)
    left_s, there_s = timed[before].departure_s, timed[after].arrival_s
    assert left_s is not None
    assert there_s is not None
    share = share_of([each.row for each in timed[before : after + 1]], at - before)
    return left_s + math.floor(share * (there_s - left_s) + 0.5)


def share_of(rows: list[Row], at: int) -> float:
    """Return how far along a gap a call lies: by distance where each row has it, else evenly."""
    told = [row.get("shape_dist_traveled", "") for row in rows]
    if all(told):
        along = [float(each) for each in told]
        if along == sorted(along) and along[-1] > along[0]:
            return (along[at] - along[0]) / (along[-1] - along[0])
    return at / (len(rows) - 1)


def services_of(tables: Tables, day: date) -> set[str]:
    """Return the services that run on a day."""
    word = day.strftime("%Y%m%d")
    running = {
        row["service_id"]
        for row in tables.rows("calendar")
        if row[WEEKDAYS[day.weekday()]] == "1" and row["start_date"] <= word <= row["end_date"]
    }
    for row in tables.rows("calendar_dates"):
        if row["date"] == word and row["exception_type"] == ADDED:
            running.add(row["service_id"])
        elif row["date"] == word:
            running.discard(row["service_id"])
    return running


def runs_of(tables: Tables, trips: dict[str, list[Call]], day: date) -> list[list[Call]]:
    """Return the runs of a day, and of the day before those that are under way after midnight."""
    repeats: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tables.rows("frequencies"):
        repeats[row["trip_id"]].append(row)
    found = []
    for back in (0, 1):
        running = services_of(tables, day - timedelta(days=back))
        for trip in tables.rows("trips"):
            calls = trips.get(trip["trip_id"], [])
            if trip["service_id"] not in running or not calls:
                continue
            found += [
                moved(calls, shift_s - back * DAY_S)
                for shift_s in shifts(repeats[trip["trip_id"]], calls[0].departure_s)
                if not back or calls[-1].arrival_s + shift_s > DAY_S
            ]
    return found


def shifts(rows: list[Row], departure_s: int) -> list[int]:
    """Return by how much a trip is moved each time that it runs."""
    if not rows:
        return [0]
    return [
        begins_s - departure_s
        for row in rows
        for begins_s in range(
            clock(row["start_time"]) or 0, clock(row["end_time"]) or 0, int(row["headway_secs"])
        )
    ]


def moved(calls: list[Call], shift_s: int) -> list[Call]:
    """Return calls at another time."""
    return [
        each._replace(arrival_s=each.arrival_s + shift_s, departure_s=each.departure_s + shift_s)
        for each in calls
    ]


def point(row: Row) -> Point:
    """Return where a stop lies."""
    return float(row["stop_lon"]), float(row["stop_lat"])


def stations(tables: Tables) -> dict[str, str]:
    """Return the station of every stop: itself without a parent, a parent's parent with two."""
    parent = {row["stop_id"]: row.get("parent_station", "") for row in tables.rows("stops")}
    return {each: parent.get(above) or above for each in parent for above in [parent[each] or each]}


def doors_of(tables: Tables, called: set[Stop], walk: Walk) -> dict[Stop, list[tuple[Point, int]]]:
    """Return the doors of the stops where vehicles call, each with the seconds behind it."""
    station = stations(tables)
    where = {row["stop_id"]: point(row) for row in tables.rows("stops") if row["stop_lat"]}
    entrances: defaultdict[str, list[Point]] = defaultdict(list)
    for row in tables.rows("stops"):
        if row.get("location_type") == ENTRANCE:
            entrances[station[row["stop_id"]]].append(where[row["stop_id"]])
    found = {}
    for stop in sorted(called):
        here = where[stop[1]]
        found[stop] = [(each, walk.seconds(here, each)) for each in entrances[station[stop[1]]]]
        found[stop] = found[stop] or [(here, 0)]
    return found


def within(tables: Tables, called: set[Stop], walk: Walk) -> dict[tuple[Stop, Stop], int | None]:
    """Return the changes of which a feed or its stations speak; None where there is none."""
    station = stations(tables)
    where = {row["stop_id"]: point(row) for row in tables.rows("stops") if row["stop_lat"]}
    members: defaultdict[str, list[Stop]] = defaultdict(list)
    for stop in sorted(called):
        members[station[stop[1]]].append(stop)
        if station[stop[1]] != stop[1]:
            members[stop[1]].append(stop)
    found: dict[tuple[Stop, Stop], int | None] = {}
    for one in called:
        for other in members[station[one[1]]]:
            straight_s = walk.seconds(where[one[1]], where[other[1]])
            found[one, other] = max(walk.same_station_s, straight_s)
        found[one, one] = walk.same_stop_s
    inside = dict(found)
    rows = [row for row in tables.rows("transfers")
            if not any(row.get(name) for name in SPECIAL)
            and row["transfer_type"] not in IN_SEAT]  # fmt: skip
    ends = ("from_stop_id", "to_stop_id")
    rows.sort(key=lambda row: sum(tables.stop(row[end]) in called for end in ends))
    for row in rows:
        kind, least = row["transfer_type"], row.get("min_transfer_time", "")
        for one in members[row[ends[0]]]:
            for other in members[row[ends[1]]]:
                straight_s = walk.seconds(where[one[1]], where[other[1]])
                reckoned = inside.get((one, other), max(walk.same_stop_s, straight_s))
                told = int(least) if kind == TIMED and least else reckoned
                found[one, other] = None if kind == FORBIDDEN else told
    return found


def changes_of(
    doors: dict[Stop, list[tuple[Point, int]]],
    stated: dict[tuple[Stop, Stop], int | None],
    walk: Walk,
) -> dict[Stop, dict[Stop, int]]:
    """Return all changes: those stated, else along the streets from door to door."""
    found: defaultdict[Stop, dict[Stop, int]] = defaultdict(dict)
    near = Near([(place, (stop, in_s)) for stop, each in doors.items() for place, in_s in each],
                walk)  # fmt: skip
    for one, each in doors.items():
        for place, out_s in each:
            for (other, in_s), street_s in near.within(place, walk.change_s_max):
                if (one, other) not in stated:
                    taken_s = max(walk.same_stop_s, out_s + street_s + in_s)
                    found[one][other] = min(found[one].get(other, taken_s), taken_s)
    for (one, other), seconds in stated.items():
        if seconds is not None:
            found[one][other] = max(1, seconds)
    return dict(found)
