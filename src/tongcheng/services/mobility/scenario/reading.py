"""Reads a scenario's document; every fault names its line.

Whether a service, line, station or stretch exists is known when the scenario is applied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import documents
from tongcheng.services.mobility.facts.model import Name
from tongcheng.services.mobility.scenario import shapes
from tongcheng.services.mobility.scenario.cells import Cells
from tongcheng.services.mobility.scenario.model import (
    AddLine,
    AddRoad,
    AddRoads,
    AddServices,
    Change,
    Chosen,
    CloseStop,
    Dwell,
    HeadwayFactor,
    HeadwaySpan,
    Process,
    RemoveLine,
    Reroute,
    Scenario,
    Seen,
    Speed,
    Status,
)

CHARACTERS_MAX: Final = 262_144

_OF_ITS_OWN: Final = ("mode", "calls", "minutes", "start", "end")
_OWN_BESIDES: Final = ("line", "name", "dwell_s", "headway_min", "trains")
_STRETCH: Final = ("start", "end", "length_km", "design_kmh")


def read_scenario(file: str, text: str) -> Scenario:
    """Return the scenario that a text describes; `file` names it in refusals.

    Refuses SCENARIO_DOCUMENT with the line and the fault, and CANONICAL_… for text without bytes.
    """
    if len(text) > CHARACTERS_MAX:
        raise Refused("SCENARIO_DOCUMENT", file=file, line=1, fault="too long")
    try:
        plain = documents.plain_of(file, text)
        shape = documents.shaped(file, text, plain, shapes.ScenarioShape)
    except Refused as refused:
        if refused.code != "FACTS_DOCUMENT":
            raise
        raise Refused("SCENARIO_DOCUMENT", **refused.facts) from None
    assert isinstance(plain, dict), "its shape is a mapping"
    cells = Cells(file, text)
    base_on = None if shape.base is None else cells.day(".base.facts_on", shape.base.facts_on)
    after_on = None if shape.after_on is None else cells.day(".after_on", shape.after_on)
    if base_on is not None and after_on is not None and after_on < base_on:
        raise cells.fault(".after_on", "before the day of the base")
    changes = tuple(
        _change(cells, f".changes[{place}]", place, each)
        for place, each in enumerate(shape.changes)
    )
    _check_line_ids(cells, changes)
    status = shape.status
    return Scenario(
        shape.scenario_id,
        Name(shape.title.zh, shape.title.en),
        None if shape.project is None else Name(shape.project.zh, shape.project.en),
        Status(status.value, status.source or "", status.year or "", status.confidence or ""),
        base_on,
        after_on,
        changes,
        None if shape.limits is None else Name(shape.limits.zh, shape.limits.en),
        tuple(_seen(cells, place, each) for place, each in enumerate(shape.seen_from)),
        shape.mode or _mode(changes),
        canonical.digest(canonical.encode(plain)),
        plain,
        file,
        documents.item_lines(text, "changes"),
    )


def _mode(changes: tuple[Change, ...]) -> Literal["transit", "car"]:
    roads = all(isinstance(change, AddRoad | AddRoads) for change in changes)
    return "car" if roads else "transit"


def _seen(cells: Cells, place: int, given: shapes.SeenShape) -> Seen:
    where = f".seen_from[{place}]"
    lon = cells.degrees(where + ".lon", given.lon, 180)
    lat = cells.degrees(where + ".lat", given.lat, 90)
    return Seen(Name(given.name.zh, given.name.en), lon, lat)


def _check_line_ids(cells: Cells, changes: tuple[Change, ...]) -> None:
    seen: set[str] = set()
    for place, change in enumerate(changes):
        if isinstance(change, AddLine):
            if change.line_id in seen:
                raise cells.fault(".changes" + f"[{place}].line", "an id that an earlier line has")
            seen.add(change.line_id)


def _change(cells: Cells, where: str, place: int, given: shapes.AnyShape) -> Change:
    if isinstance(given, shapes.AddLineShape):
        return _add_line(cells, where, place, given)
    return _READERS[type(given)](cells, where, given)


def _given(cells: Cells, where: str, shape: object, needed: tuple[str, ...]) -> None:
    """Refuse a form of which something that it needs is missing."""
    for name in needed:
        if getattr(shape, name) is None:
            raise cells.fault(where, f"{name} is missing")


def _none_of(cells: Cells, where: str, shape: object, names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(shape, name) is not None:
            raise cells.fault(where + "." + name, "not together with from_facts")


def _add_line(cells: Cells, where: str, place: int, given: shapes.AddLineShape) -> Change:
    if given.from_facts is not None:
        _none_of(cells, where, given, _OF_ITS_OWN + _OWN_BESIDES)
        return AddServices(cells.once(where + ".from_facts", given.from_facts))
    _given(cells, where, given, _OF_ITS_OWN)
    assert given.mode is not None, "given"
    assert given.calls is not None, "given"
    assert given.minutes is not None, "given"
    assert given.start is not None, "given"
    assert given.end is not None, "given"
    line_id = given.line or f"line-{place + 1}"
    dwell_s = 0
    if given.dwell_s is not None:
        dwell_s = cells.whole(where + ".dwell_s", given.dwell_s, 0, 3_600)
    return AddLine(
        line_id,
        given.name or line_id,
        given.mode,
        cells.calls(where + ".calls", given.calls),
        cells.arrivals_s(where + ".minutes", given.minutes, len(given.calls)),
        dwell_s,
        cells.repeats(where, given.start, given.end, given.headway_min, given.trains),
    )


def _chosen(
    cells: Cells,
    where: str,
    services: tuple[str, ...] | None,
    lines: tuple[str, ...] | None,
) -> Chosen:
    if services is None and lines is None:
        raise cells.fault(where, "names neither services nor lines")
    return Chosen(cells.once(where + ".services", services), cells.once(where + ".lines", lines))


def _remove_line(cells: Cells, where: str, given: shapes.RemoveLineShape) -> Change:
    return RemoveLine(_chosen(cells, where, given.services, given.lines))


def _reroute(cells: Cells, where: str, given: shapes.RerouteShape) -> Change:
    return Reroute(
        given.service,
        cells.calls(where + ".calls", given.calls),
        cells.arrivals_s(where + ".minutes", given.minutes, len(given.calls)),
    )


def _headway(cells: Cells, where: str, given: shapes.HeadwayShape) -> Change:
    chosen = _chosen(cells, where, given.services, given.lines)
    span = ("headway_min", "start", "end")
    if given.factor is None:
        _given(cells, where, given, span)
        assert given.start is not None, "given"
        assert given.end is not None, "given"
        repeats = cells.repeats(where, given.start, given.end, given.headway_min, None)
        return HeadwaySpan(chosen, repeats)
    for name in span:
        if getattr(given, name) is not None:
            raise cells.fault(where + "." + name, "not together with factor")
    return HeadwayFactor(chosen, cells.factor(where + ".factor", given.factor))


def _speed(cells: Cells, where: str, given: shapes.SpeedShape) -> Change:
    chosen = _chosen(cells, where, given.services, given.lines)
    return Speed(chosen, cells.factor(where + ".factor", given.factor))


def _dwell(cells: Cells, where: str, given: shapes.DwellShape) -> Change:
    chosen = _chosen(cells, where, given.services, given.lines)
    return Dwell(chosen, cells.whole(where + ".dwell_s", given.dwell_s, 0, 3_600))


def _close_stop(cells: Cells, where: str, given: shapes.CloseStopShape) -> Change:
    return CloseStop(cells.once(where + ".stations", given.stations))


def _process(cells: Cells, where: str, given: shapes.ProcessShape) -> Change:
    if given.enter_s is None and given.leave_s is None:
        raise cells.fault(where, "says neither enter_s nor leave_s")
    return Process(
        given.modes or (),
        cells.once(where + ".stations", given.stations),
        cells.step(where + ".enter_s", given.enter_s),
        cells.step(where + ".leave_s", given.leave_s),
    )


def _add_road(cells: Cells, where: str, given: shapes.AddRoadShape) -> Change:
    if given.from_facts is not None:
        _none_of(cells, where, given, _STRETCH)
        return AddRoads(cells.once(where + ".from_facts", given.from_facts))
    _given(cells, where, given, _STRETCH)
    assert given.start is not None, "given"
    assert given.end is not None, "given"
    assert given.length_km is not None, "given"
    assert given.design_kmh is not None, "given"
    start = cells.call(where + ".start", given.start)
    end = cells.call(where + ".end", given.end)
    if start == end:
        raise cells.fault(where + ".end", "the same as the start")
    length_m = cells.thousandths(where + ".length_km", given.length_km, 1_000)
    speed = cells.thousandths(where + ".design_kmh", given.design_kmh, 200)
    return AddRoad(start, end, length_m, speed)


_READERS: Final[dict[type, Callable[[Cells, str, Any], Change]]] = {
    shapes.RemoveLineShape: _remove_line,
    shapes.RerouteShape: _reroute,
    shapes.HeadwayShape: _headway,
    shapes.SpeedShape: _speed,
    shapes.DwellShape: _dwell,
    shapes.CloseStopShape: _close_stop,
    shapes.ProcessShape: _process,
    shapes.AddRoadShape: _add_road,
}
