"""Writes GTFS feeds from plain tables: a table is a list of rows, a row a dict of what it says.

`sound_tables()` has one of everything and is without fault; `line_tables` makes a feed of lines
that run to a plan. Both return new tables each time, so a test changes what it likes and writes
them with `write_zip` or `write_folder`; `write_texts` takes texts as they are, for what no table
can say.

    tables = sound_tables()
    tables["stops.txt"][0]["stop_lat"] = 0
    reading = read_feed(write_zip(tmp_path / "feed.zip", tables), "demo")
"""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Row = dict[str, object]
Tables = dict[str, list[Row]]
"""File name to its rows. A column that only some rows have is empty in the others."""

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""In every member, so that equal tables make equal archives."""


class Line(NamedTuple):
    """A line of `line_tables`: its stops, one ride's length between two, and its departures.

    `departures` are times `H:MM` or `H:MM:SS` at the first stop; `rides_s` has one length for each
    way between two stops, or a single one for all.
    """

    name: str
    stops: Sequence[str]
    departures: Sequence[str]
    rides_s: Sequence[int]
    dwell_s: int = 0
    mode: int = 1


def seconds(time: str) -> int:
    """Return `H:MM` or `H:MM:SS` as seconds."""
    parts = [int(each) for each in time.split(":")]
    return sum(each * unit for each, unit in zip(parts, (3600, 60, 1), strict=False))


def clock(total_s: int) -> str:
    """Return seconds as `HH:MM:SS`, beyond 24 hours as GTFS writes them."""
    return f"{total_s // 3600:02}:{total_s // 60 % 60:02}:{total_s % 60:02}"


def rows_of(text: str) -> list[Row]:
    """Return the rows of a table written as comma-separated text with its line of names."""
    return [dict(row) for row in csv.DictReader(io.StringIO(text.strip()))]


def sound_tables() -> Tables:
    """Return a feed without fault that has one of everything.

    Station A (platforms A1, A2, entrance AX) and stops B, C, about 5 km from one to the next, near
    Tianjin. Trip T1 has a blank timepoint at B, T2 (line R1 too) runs back past midnight, T3 every
    10 minutes from 8:00 to 9:00. Service WK runs on weekdays of 2026 but 2026-05-01, HO on that day
    alone.
    """
    return {name: rows_of(text) for name, text in SOUND.items()}


SOUND = {
    "agency.txt": """
agency_id,agency_name,agency_url,agency_timezone
M,示例地铁,https://metro.example/,Asia/Shanghai
""",
    "stops.txt": """
stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
A,甲站,39.1000,117.2000,1,
A1,甲站,39.1000,117.2001,0,A
A2,甲站,39.1000,117.1999,0,A
AX,甲站东口,39.1000,117.2010,2,A
B,乙站,39.1000,117.2600,0,
C,丙站,39.1000,117.3200,0,
""",
    "routes.txt": """
route_id,agency_id,route_short_name,route_long_name,route_type
R1,M,1,示例1号线,1
""",
    "trips.txt": """
route_id,service_id,trip_id
R1,WK,T1
R1,WK,T2
R1,HO,T3
""",
    "stop_times.txt": """
trip_id,arrival_time,departure_time,stop_id,stop_sequence
T1,07:00:00,07:00:00,A1,1
T1,,,B,2
T1,07:10:00,07:10:00,C,3
T2,23:55:00,23:55:00,C,1
T2,24:00:30,24:01:00,B,2
T2,24:06:00,24:06:00,A2,3
T3,08:00:00,08:00:00,A1,1
T3,08:05:00,08:05:30,B,2
T3,08:10:00,08:10:00,C,3
""",
    "calendar.txt": """
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
WK,1,1,1,1,1,0,0,20260101,20261231
""",
    "calendar_dates.txt": """
service_id,date,exception_type
WK,20260501,2
HO,20260501,1
""",
    "frequencies.txt": """
trip_id,start_time,end_time,headway_secs,exact_times
T3,08:00:00,09:00:00,600,0
""",
    "transfers.txt": """
from_stop_id,to_stop_id,transfer_type,min_transfer_time
A1,A2,2,120
""",
    "pathways.txt": """
pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,traversal_time
P1,AX,A1,1,1,90
""",
    "feed_info.txt": """
feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date
示例地铁,https://metro.example/,zh,20260101,20261231
""",
}


def line_tables(
    places: Mapping[str, tuple[float, float]],
    lines: Sequence[Line],
    *,
    start: str = "20260101",
    end: str = "20261231",
) -> Tables:
    """Return a feed of lines over stops at `places` (lon, lat), run on every day of the span.

    The trip of a line's n-th departure (from 0) is called `<line>-<n>`.
    """
    tables: Tables = {
        name: [] for name in ("stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
    }
    tables["agency.txt"] = rows_of(SOUND["agency.txt"])
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    span: Row = {"service_id": "ALL", "start_date": start, "end_date": end}
    tables["calendar.txt"] = [span | dict.fromkeys(week, 1)]
    tables["stops.txt"] = [
        {"stop_id": stop_id, "stop_name": stop_id, "stop_lat": lat, "stop_lon": lon}
        for stop_id, (lon, lat) in places.items()
    ]
    for line in lines:
        name: Row = {"route_id": line.name, "route_short_name": line.name}
        tables["routes.txt"].append(name | {"agency_id": "M", "route_type": line.mode})
        for number, departure in enumerate(line.departures):
            trip_id = f"{line.name}-{number}"
            trip: Row = {"route_id": line.name, "service_id": "ALL", "trip_id": trip_id}
            tables["trips.txt"].append(trip)
            tables["stop_times.txt"] += _calls(line, trip_id, seconds(departure))
    return tables


def _calls(line: Line, trip_id: str, start_s: int) -> list[Row]:
    """Return the calls of one trip; it does not wait at its first stop."""
    rides = line.rides_s if len(line.rides_s) > 1 else list(line.rides_s) * (len(line.stops) - 1)
    calls: list[Row] = []
    now_s = start_s
    for place, (stop_id, ride_s) in enumerate(zip(line.stops, [0, *rides], strict=True)):
        arrival_s = now_s + ride_s
        now_s = arrival_s + (line.dwell_s if 0 < place < len(line.stops) - 1 else 0)
        times = {"arrival_time": clock(arrival_s), "departure_time": clock(now_s)}
        calls.append({"trip_id": trip_id, **times, "stop_id": stop_id, "stop_sequence": place + 1})
    return calls


def text_of(rows: Sequence[Mapping[str, object]]) -> str:
    """Return a table as a GTFS file's text, its columns in the order in which they come up."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def write_zip(path: Path, tables: Mapping[str, Sequence[Mapping[str, object]]]) -> Path:
    """Write the tables as a GTFS archive; a table without rows is left out."""
    return write_texts(path, {name: text_of(rows) for name, rows in tables.items() if rows})


def write_folder(path: Path, tables: Mapping[str, Sequence[Mapping[str, object]]]) -> Path:
    """Write the tables as files of a directory; a table without rows is left out."""
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        if rows:
            (path / name).write_text(text_of(rows), encoding="utf-8")
    return path


def write_texts(path: Path, texts: Mapping[str, str | bytes]) -> Path:
    """Write an archive of these members as they are: equal ones make equal bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in texts.items():
            member = zipfile.ZipInfo(name, ZIP_TIME)
            raw = content.encode() if isinstance(content, str) else content
            archive.writestr(member, raw, zipfile.ZIP_DEFLATED)
    return path
