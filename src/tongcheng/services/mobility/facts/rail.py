"""The trains of one day, from fact tables: which runs there are, when they call, how often.

A line is open where its rails are and a station where trains call; a service runs if every stretch
between its calls is open. Where a service says only its first and last minutes, the time between is
shared out by distance: each stretch weighs its great circle and `STOP_WEIGHT_M` more, because a
train that stops loses what it would have run in braking, standing and starting.

What a figure of another year says is taken for the day asked, and listed as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import (
    Confidence,
    LeftOut,
    Origin,
    is_open,
    sure_enough,
    weaker,
)
from tongcheng.services.mobility.facts.model import Facts, Line, LineStop, Station, TrainService
from tongcheng.services.mobility.nearness import Points, distances_m

STOP_WEIGHT_M: Final = 1_000
"""Chosen on 26 lines of the Beijing subway, whose posted times of 2026 are known: stations
between a line's ends come out 35 s wrong on average and at most 2.5 minutes, on two lines 4. By
distance alone it is 77 s, and at most 6.4 minutes."""

TRAINS_LEAST: Final = 2


class Call(NamedTuple):
    """A call of a run, in seconds after its first departure. `stated`: not reckoned between."""

    station_id: str
    arrival_s: int
    departure_s: int
    stated: bool


class Repeat(NamedTuple):
    """The run leaves every `headway_s` from `start_s`, the last time before `end_s`."""

    start_s: int
    end_s: int
    headway_s: int


class Run(NamedTuple):
    """One way of a service: `direction` 0 as it is written, 1 back."""

    run_id: str
    service_id: str
    line_id: str
    direction: int
    calls: tuple[Call, ...]
    repeats: tuple[Repeat, ...]


class Used(NamedTuple):
    """What a service's runs rest on: the years its figures speak of, and the least sure of them.

    `reckoned` calls have a time that was shared out between two stated ones.
    """

    service_id: str
    years: tuple[int, ...]
    confidence: Confidence
    reckoned: int


class RailDay(NamedTuple):
    """The runs of a day, in order of their ids, what they rest on, and what was left out."""

    on: date
    runs: tuple[Run, ...]
    used: tuple[Used, ...]
    left_out: tuple[LeftOut, ...]


def compile_day(
    facts: Facts,
    on: date,
    confidence_least: Confidence = "low",
    *,
    as_if_open: Collection[str] = (),
    without: Collection[str] = (),
) -> RailDay:
    """Return the trains of a day that rest on figures at least that sure.

    A scenario adds services `as_if_open`, whatever day it is, and takes others away (`without`); it
    names them by their ids. Refuses FACTS_EMPTY if no train is left, FACTS_UNKNOWN for an id that
    no service has.
    """
    known = {service.service_id for service in facts.services}
    for service_id in (*as_if_open, *without):
        if service_id not in known:
            raise Refused("FACTS_UNKNOWN", id=service_id)
    day = _Day(facts, on, confidence_least, frozenset(as_if_open))
    runs = [
        run
        for service in facts.services
        if service.service_id not in without
        for run in day.runs_of(service)
    ]
    if not runs:
        raise Refused("FACTS_EMPTY", on=on.isoformat())
    return RailDay(
        on,
        tuple(sorted(runs)),
        tuple(sorted(day.used)),
        tuple(sorted(day.left_out)),
    )


class _Day:
    """The open network of a day. Nothing of it is kept from one day to the next."""

    def __init__(
        self, facts: Facts, on: date, least: Confidence, as_if_open: frozenset[str]
    ) -> None:
        self._stations = {station.station_id: station for station in facts.stations}
        self._lines = {line.line_id: line for line in facts.lines}
        self._on = on
        self._least = least
        self._as_if_open = as_if_open
        self.used: list[Used] = []
        self.left_out: list[LeftOut] = []
        for line in facts.lines:
            self._note_closed(line)

    def runs_of(self, service: TrainService) -> Iterator[Run]:
        """Yield a service's runs, both ways; or note why there are none."""
        reason = self._reason_against(service)
        if reason is not None:
            self.left_out.append(LeftOut("service", service.service_id, reason))
            return
        repeats, origins = self._repeats(service)
        assert service.minutes_by is not None, "a running time has an origin"
        pieces = list(self._pieces(service))
        if not repeats or not pieces:
            reason = "no_way_open" if repeats else "too_few_trains"
            self.left_out.append(LeftOut("service", service.service_id, reason))
            return
        self._note_used(service, origins, pieces)
        for place, calls in enumerate(pieces):
            name = service.service_id if len(pieces) == 1 else f"{service.service_id}.{place + 1}"
            line_id = service.line_ids[0]
            yield Run(f"{name}.0", service.service_id, line_id, 0, calls, repeats)
            yield Run(f"{name}.1", service.service_id, line_id, 1, _back(calls), repeats)

    def _reason_against(self, service: TrainService) -> str | None:
        if not service.minutes or service.minutes_by is None:
            return "running_time_unknown"
        if not service.frequencies:
            return "trains_unknown"
        if service.service_id not in self._as_if_open:
            if service.runs_from is not None and self._on < service.runs_from.value:
                return "opens_later"
            if service.runs_until is not None and self._on >= service.runs_until.value:
                return "closed_by_then"
        origins = [service.minutes_by, *(each.by for each in service.frequencies)]
        if not all(sure_enough(by, self._least) for by in origins):
            return "not_sure_enough"
        return None

    def _repeats(self, service: TrainService) -> tuple[tuple[Repeat, ...], list[Origin]]:
        found: list[Repeat] = []
        origins: list[Origin] = []
        for each in service.frequencies:
            headway_s, start_s, end_s = each.headway_s, each.start_s, each.end_s
            if headway_s is None:
                assert each.trains is not None, "a frequency says one of the two"
                if each.trains < TRAINS_LEAST:
                    continue
                # Each train in the middle of its share of the time.
                headway_s = (end_s - start_s) // each.trains
                start_s += headway_s // 2
                end_s = start_s + headway_s * each.trains
            found.append(Repeat(start_s, end_s, headway_s))
            origins.append(each.by)
        return tuple(found), origins

    def _pieces(self, service: TrainService) -> Iterator[tuple[Call, ...]]:
        """Yield the stretches of a service that are open, with the times of their calls."""
        line = self._lines[service.line_ids[0]]
        station_ids = service.calls or tuple(stop.station_id for stop in line.stops)
        calls = _timed(service, station_ids, self._stations)
        if service.service_id in self._as_if_open:
            yield calls
            return
        if service.calls:
            if all(self._is_way_open(service, *way) for way in pairwise(service.calls)):
                yield calls
            return
        for piece in self._open_pieces(line):
            kept = [calls[place] for place in piece]
            yield _begun_at_zero(kept)

    def _open_pieces(self, line: Line) -> list[list[int]]:
        """Return the places of the stations where trains call, piece of open track by piece."""
        pieces: list[list[int]] = [[]]
        for place, stop in enumerate(line.stops):
            if place and not self._is_track_open(line.stops[place - 1], stop):
                pieces.append([])
            if is_open(stop.opened, self._on):
                pieces[-1].append(place)
        return [piece for piece in pieces if len(piece) >= 2]  # noqa: PLR2004 - a way has two ends

    def _is_track_open(self, before: LineStop, stop: LineStop) -> bool:
        if stop.track_opened is not None:
            return is_open(stop.track_opened, self._on)
        return is_open(before.opened, self._on) and is_open(stop.opened, self._on)

    def _is_way_open(self, service: TrainService, start: str, end: str) -> bool:
        """Say whether trains can run from one station to another along the service's lines.

        Where it changes from one line to the next, it does so at a station of both.
        """
        reached = {start} if self._calls_at(service, start) else set()
        for line_id in (*service.line_ids, *reversed(service.line_ids)):
            reached |= self._reach(self._lines[line_id], reached)
        return end in reached and self._calls_at(service, end)

    def _calls_at(self, service: TrainService, station_id: str) -> bool:
        return any(
            stop.station_id == station_id and is_open(stop.opened, self._on)
            for line_id in service.line_ids
            for stop in self._lines[line_id].stops
        )

    def _reach(self, line: Line, reached: set[str]) -> set[str]:
        found: set[str] = set()
        piece: set[str] = set()
        for place, stop in enumerate(line.stops):
            if place and not self._is_track_open(line.stops[place - 1], stop):
                found |= piece if piece & reached else set()
                piece = set()
            piece.add(stop.station_id)
        return found | (piece if piece & reached else set())

    def _note_closed(self, line: Line) -> None:
        for stop in line.stops:
            if stop.opened is None:
                self.left_out.append(
                    LeftOut("stop", f"{line.line_id} {stop.station_id}", "opening_unknown")
                )
            elif not is_open(stop.opened, self._on):
                self.left_out.append(
                    LeftOut("stop", f"{line.line_id} {stop.station_id}", "opens_later")
                )

    def _note_used(
        self, service: TrainService, origins: Sequence[Origin], pieces: Sequence[Sequence[Call]]
    ) -> None:
        assert service.minutes_by is not None, "a running time has an origin"
        confidence = service.minutes_by.confidence
        years = {service.minutes_by.year}
        for by in origins:
            confidence = weaker(confidence, by.confidence)
            years.add(by.year)
        reckoned = sum(not call.stated for piece in pieces for call in piece)
        self.used.append(Used(service.service_id, tuple(sorted(years)), confidence, reckoned))


def _begun_at_zero(calls: Sequence[Call]) -> tuple[Call, ...]:
    """Return part of a run as a run of its own, which stands at neither of its ends."""
    first_s, last = calls[0].departure_s, calls[-1]
    return (
        calls[0]._replace(arrival_s=0, departure_s=0),
        *(
            call._replace(
                arrival_s=call.arrival_s - first_s, departure_s=call.departure_s - first_s
            )
            for call in calls[1:-1]
        ),
        last._replace(arrival_s=last.arrival_s - first_s, departure_s=last.arrival_s - first_s),
    )


def _timed(
    service: TrainService, station_ids: Sequence[str], stations: Mapping[str, Station]
) -> tuple[Call, ...]:
    """Return the calls of a service at all these stations."""
    minutes = list(service.minutes)
    if len(minutes) != len(station_ids):
        minutes = [minutes[0], *[None] * (len(station_ids) - 2), minutes[-1]]
    arrivals_s = _filled_s(minutes, _weights(station_ids, stations))
    dwell_s = 0 if service.dwell_s is None else round(service.dwell_s.value)
    calls = []
    last = len(station_ids) - 1
    for place, station_id in enumerate(station_ids):
        arrival_s = arrivals_s[place]
        stands_s = dwell_s if 0 < place < last else 0
        if place < last:
            # A train does not stand longer than half of what is left until the next call.
            stands_s = min(stands_s, (arrivals_s[place + 1] - arrival_s) // 2)
        calls.append(Call(station_id, arrival_s, arrival_s + stands_s, minutes[place] is not None))
    return tuple(calls)


def _weights(station_ids: Sequence[str], stations: Mapping[str, Station]) -> list[int]:
    """Return the weight of each stretch: whole metres and STOP_WEIGHT_M."""
    lon = np.array([stations[each].at.lon for each in station_ids])
    lat = np.array([stations[each].at.lat for each in station_ids])
    metres = distances_m(Points(lon[:-1], lat[:-1]), Points(lon[1:], lat[1:]))
    return [round(each) + STOP_WEIGHT_M for each in metres.tolist()]


def _filled_s(minutes: Sequence[int | None], weights: Sequence[int]) -> list[int]:
    """Return arrivals in seconds: those stated, and between two of them shared out by weight."""
    stated = [place for place, minute in enumerate(minutes) if minute is not None]
    found = [0] * len(minutes)
    for start, end in pairwise(stated):
        first, last = minutes[start], minutes[end]
        assert first is not None, "stated"
        assert last is not None, "stated"
        whole = sum(weights[start:end])
        upto = 0
        for place in range(start, end):
            upto += weights[place]
            # Whole numbers, half a second up: the same on every machine.
            found[place + 1] = first * 60 + ((last - first) * 120 * upto + whole) // (2 * whole)
    return found


def _back(calls: Sequence[Call]) -> tuple[Call, ...]:
    """Return the run the other way, which takes as long between the same calls."""
    end_s = calls[-1].arrival_s
    return tuple(
        Call(call.station_id, end_s - call.departure_s, end_s - call.arrival_s, call.stated)
        for call in reversed(calls)
    )
