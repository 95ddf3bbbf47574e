"""The trains of a day as a GTFS feed: text files in one archive, the same bytes on every machine.

https://gtfs.org/documentation/schedule/reference/. Every run repeats by frequencies.txt with
exact_times 0, because nobody stated its minutes; it runs Monday to Friday of the day's year. The
archive is stored, not compressed (compressors differ), and its files are dated 1980-01-01, the
first day that a ZIP file can name (PKWARE APPNOTE 4.4.6).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tongcheng.services.mobility.facts.model import Facts
from tongcheng.services.mobility.facts.rail import RailDay

SERVICE_ID: Final = "weekday"
ROUTE_TYPES: Final = {"rail": 2, "metro": 1}

_DATED = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE = 0o100644 << 16

_Cell = str | int
_Rows = Iterable[Sequence[_Cell]]


class Publisher(NamedTuple):
    """Who puts the feed together: feed_info.txt. `language` is of names, as BCP 47 has it."""

    name: str
    address: str
    language: str


def archive(facts: Facts, day: RailDay, publisher: Publisher) -> bytes:
    """Return the feed of a day's trains."""
    tables = {
        "agency.txt": _agency(facts, day, publisher),
        "calendar.txt": _calendar(day),
        "feed_info.txt": _feed_info(facts, day, publisher),
        "frequencies.txt": _frequencies(day),
        "routes.txt": _routes(facts, day),
        "stop_times.txt": _stop_times(day),
        "stops.txt": _stops(facts, day),
        "trips.txt": _trips(facts, day),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for name, rows in sorted(tables.items()):
            entry = zipfile.ZipInfo(name, _DATED)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            packed.writestr(entry, _csv(rows))
    return buffer.getvalue()


def clock(seconds: int) -> str:
    """Return seconds after midnight as GTFS writes them: H may pass 23."""
    assert seconds >= 0, "a service day begins at its midnight"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _csv(rows: _Rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _line_ids(day: RailDay) -> set[str]:
    return {run.line_id for run in day.runs}


def _agency(facts: Facts, day: RailDay, publisher: Publisher) -> _Rows:
    yield "agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"
    line_ids = _line_ids(day)
    running = {line.system_id for line in facts.lines if line.line_id in line_ids}
    for system in sorted(facts.systems):
        if system.system_id in running:
            yield (
                system.system_id,
                system.name.zh,
                system.address,
                facts.zone,
                publisher.language,
            )


def _calendar(day: RailDay) -> _Rows:
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    yield "service_id", *week, "start_date", "end_date"
    yield SERVICE_ID, 1, 1, 1, 1, 1, 0, 0, f"{day.on.year}0101", f"{day.on.year}1231"


def _feed_info(facts: Facts, day: RailDay, publisher: Publisher) -> _Rows:
    yield (
        "feed_publisher_name",
        "feed_publisher_url",
        "feed_lang",
        "feed_start_date",
        "feed_end_date",
        "feed_version",
    )
    yield (
        publisher.name,
        publisher.address,
        publisher.language,
        f"{day.on.year}0101",
        f"{day.on.year}1231",
        f"{day.on.isoformat()} {facts.digest[:16]}",
    )


def _frequencies(day: RailDay) -> _Rows:
    yield "trip_id", "start_time", "end_time", "headway_secs", "exact_times"
    for run in day.runs:
        for repeat in run.repeats:
            yield (
                run.run_id,
                clock(repeat.start_s),
                clock(repeat.end_s),
                repeat.headway_s,
                0,
            )


def _routes(facts: Facts, day: RailDay) -> _Rows:
    yield "route_id", "agency_id", "route_long_name", "route_type"
    line_ids = _line_ids(day)
    modes = {system.system_id: system.mode for system in facts.systems}
    for line in sorted(facts.lines, key=lambda each: each.line_id):
        if line.line_id in line_ids:
            kind = ROUTE_TYPES[modes[line.system_id]]
            yield line.line_id, line.system_id, line.name.zh, kind


def _stops(facts: Facts, day: RailDay) -> _Rows:
    yield "stop_id", "stop_name", "stop_lat", "stop_lon"
    called = {call.station_id for run in day.runs for call in run.calls}
    for station in sorted(facts.stations, key=lambda each: each.station_id):
        if station.station_id in called:
            at = station.at
            yield station.station_id, station.name.zh, f"{at.lat:.5f}", f"{at.lon:.5f}"


def _trips(facts: Facts, day: RailDay) -> _Rows:
    yield "route_id", "service_id", "trip_id", "trip_headsign", "direction_id"
    names = {station.station_id: station.name.zh for station in facts.stations}
    for run in day.runs:
        headsign = names[run.calls[-1].station_id]
        yield run.line_id, SERVICE_ID, run.run_id, headsign, run.direction


def _stop_times(day: RailDay) -> _Rows:
    yield "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "timepoint"
    for run in day.runs:
        first_s = run.repeats[0].start_s
        for place, call in enumerate(run.calls, 1):
            yield (
                run.run_id,
                clock(first_s + call.arrival_s),
                clock(first_s + call.departure_s),
                call.station_id,
                place,
                int(call.stated),
            )
