"""The tables of lines, their stations, their trains and how often these run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.model import (
    Frequency,
    Line,
    LineStop,
    Station,
    System,
    TrainService,
)
from tongcheng.services.mobility.facts.reading import Row, rows
from tongcheng.services.mobility.facts.tables import by_id, known, named

KM_MOST: Final = 5_000
KMH_MOST: Final = 1_000
MINUTES_MOST: Final = 1_440
DWELL_S_MOST: Final = 3_600
TRAINS_MOST: Final = 1_500
UNKNOWN: Final = "?"
"""Among minutes: nobody knows."""

_MINUTE = re.compile(r"[0-9]{1,4}")
_LINE = (
    "line_id,system_id,name_zh,name_en,opened,opened_by,length_km,length_km_by,"
    "design_kmh,design_kmh_by"
)
_STOP = "line_id,station_id,opened,opened_by,track_opened,track_opened_by"
_SERVICE = (
    "service_id,line_ids,calls,minutes,minutes_by,dwell_s,dwell_s_by,"
    "runs_from,runs_from_by,runs_until,runs_until_by"
)
_FREQUENCY = "service_id,start,end,trains,headway_min,frequency_by"


def lines(
    texts: Mapping[str, str],
    known_sources: Collection[str],
    systems: Mapping[str, System],
    stations: Mapping[str, Station],
) -> dict[str, Line]:
    """Read lines.csv with line_stops.csv, whose rows stand in the order of the stations."""
    found: dict[str, Line] = {}
    where: dict[str, Row] = {}
    for row in rows("lines.csv", texts["lines.csv"], _LINE.split(","), known_sources):
        line = Line(
            row.id("line_id"),
            known(row, "system_id", systems),
            named(row),
            row.day("opened"),
            row.figure("length_km", 0.1, KM_MOST),
            row.figure("design_kmh", 5, KMH_MOST),
            (),
        )
        by_id(found, row, "line_id", line)
        where[line.line_id] = row
    stops: dict[str, list[LineStop]] = {line_id: [] for line_id in found}
    for row in rows("line_stops.csv", texts["line_stops.csv"], _STOP.split(","), known_sources):
        line = found[known(row, "line_id", found)]
        station = stations[known(row, "station_id", stations)]
        if station.system_id != line.system_id:
            raise row.fault("station_id", "of another system than the line")
        opened = row.day("opened") or line.opened
        stops[line.line_id].append(LineStop(station.station_id, opened, row.day("track_opened")))
    for line_id, called in stops.items():
        if len(called) < 2:  # noqa: PLR2004 - a line has two ends
            raise where[line_id].fault("line_id", "fewer than two stations in line_stops.csv")
    return {line_id: line._replace(stops=tuple(stops[line_id])) for line_id, line in found.items()}


def services(
    texts: Mapping[str, str],
    known_sources: Collection[str],
    known_lines: Mapping[str, Line],
) -> dict[str, TrainService]:
    """Read services.csv with frequencies.csv."""
    found: dict[str, TrainService] = {}
    for row in rows("services.csv", texts["services.csv"], _SERVICE.split(","), known_sources):
        by_id(found, row, "service_id", _service(row, known_lines))
    often: dict[str, list[Frequency]] = {service_id: [] for service_id in found}
    text = texts["frequencies.csv"]
    for row in rows("frequencies.csv", text, _FREQUENCY.split(","), known_sources):
        often[known(row, "service_id", found)].append(_frequency(row))
    return {
        service_id: service._replace(frequencies=tuple(sorted(often[service_id])))
        for service_id, service in found.items()
    }


def _service(row: Row, known_lines: Mapping[str, Line]) -> TrainService:
    line_ids = row.ids("line_ids")
    for line_id in line_ids:
        if line_id not in known_lines:
            raise row.unknown("line_ids", line_id)
    called = {stop.station_id for line_id in line_ids for stop in known_lines[line_id].stops}
    calls = () if row.optional("calls") == "*" else row.ids("calls")
    for station_id in calls:
        if station_id not in called:
            raise row.unknown("calls", station_id)
    if not calls and len(line_ids) != 1:
        raise row.fault("calls", "every stop (*) is of one line")
    if len(calls) == 1:
        raise row.fault("calls", "one call is no way")
    minutes = _minutes(row, len(calls))
    return TrainService(
        row.id("service_id"),
        line_ids,
        calls,
        minutes,
        row.origin("minutes_by") if minutes else None,
        row.figure("dwell_s", 0, DWELL_S_MOST),
        row.day("runs_from"),
        row.day("runs_until"),
        (),
    )


def _minutes(row: Row, calls: int) -> tuple[int | None, ...]:
    if not row.optional("minutes"):
        if row.optional("minutes_by"):
            raise row.fault("minutes", "a figure and its origin stand together or not at all")
        return ()
    found: list[int | None] = []
    for word in row.text("minutes").split(" "):
        if word != UNKNOWN and not _MINUTE.fullmatch(word):
            raise row.fault("minutes", "not whole minutes and ? with one space between them")
        found.append(None if word == UNKNOWN else int(word))
    if len(found) not in (2, calls):
        raise row.fault("minutes", "neither one for each call nor the first and the last alone")
    stated = [each for each in found if each is not None]
    if found[0] != 0 or found[-1] is None or found[-1] > MINUTES_MOST:
        raise row.fault("minutes", "begins with 0 and ends with the whole running time")
    if any(later <= earlier for earlier, later in pairwise(stated)):
        raise row.fault("minutes", "goes backwards")
    return tuple(found)


def _frequency(row: Row) -> Frequency:
    start_s, end_s = row.clock_s("start"), row.clock_s("end")
    if end_s <= start_s:
        raise row.fault("end", "not after the start")
    if bool(row.optional("trains")) == bool(row.optional("headway_min")):
        raise row.fault("trains", "say either how many trains or every how many minutes")
    by = row.origin("frequency_by")
    if row.optional("trains"):
        return Frequency(start_s, end_s, row.whole("trains", 1, TRAINS_MOST), None, by)
    headway_s = round(row.number("headway_min", 0.5, MINUTES_MOST) * 60)
    if headway_s > end_s - start_s:
        raise row.fault("headway_min", "longer than from start to end")
    return Frequency(start_s, end_s, None, headway_s, by)


def check_overlap(services: Mapping[str, TrainService]) -> None:
    """Refuse FACTS_OVERLAP for a service that runs by two frequencies at one time."""
    for service_id, service in services.items():
        for first, second in pairwise(service.frequencies):
            if second.start_s < first.end_s:
                raise Refused("FACTS_OVERLAP", file="frequencies.csv", id=service_id)
