"""What a region's fact tables say, each row a value; names are the region's own (`zh`) and English.

Distances are kilometres and metres, times seconds, dates local, places degrees of WGS-84.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from tongcheng.services.mobility.facts.figures import Figure, Origin, Source


class Name(NamedTuple):
    """A name; `en` is "" where nobody is sure of it."""

    zh: str
    en: str


class Place(NamedTuple):
    """A point, with who says it is there."""

    lon: float
    lat: float
    by: Origin


class City(NamedTuple):
    """A city of the region with the people counted there. `at` is its seat."""

    city_id: str
    name: Name
    at: Place
    population: Figure[float]


class County(NamedTuple):
    """A county-level division, or a development zone counted apart, which has no place (None)."""

    county_id: str
    name: Name
    city_id: str
    at: Place | None
    population: Figure[float]


class System(NamedTuple):
    """What one buys a ticket of and is checked for: a railway, a city's metro."""

    system_id: str
    name: Name
    mode: Literal["rail", "metro"]
    address: str


class Station(NamedTuple):
    """Where the vehicles of one system are boarded."""

    station_id: str
    system_id: str
    name: Name
    at: Place


class LineStop(NamedTuple):
    """A station of a line. `opened`: trains call; `track_opened`: rails from the stop before.

    Without `track_opened` the rails came with the later of the two stations.
    """

    station_id: str
    opened: Figure[date] | None
    track_opened: Figure[date] | None


class Line(NamedTuple):
    """A line with its stations in order, both ways alike."""

    line_id: str
    system_id: str
    name: Name
    opened: Figure[date] | None
    length_km: Figure[float] | None
    design_kmh: Figure[float] | None
    stops: tuple[LineStop, ...]


class Frequency(NamedTuple):
    """How often from one time of a weekday to another: `trains` in all, or one each `headway_s`.

    One of the two is known. Times are seconds after midnight of the service day.
    """

    start_s: int
    end_s: int
    trains: int | None
    headway_s: int | None
    by: Origin


class TrainService(NamedTuple):
    """Trains that call at the same stations, both ways alike.

    `calls` are station ids, () for every stop of its one line. `minutes` are arrivals after the
    first departure, None where unknown, one for each call, or the first and the last alone;
    () if nobody knows. It ran from `runs_from` until `runs_until`, where those are known.
    """

    service_id: str
    line_ids: tuple[str, ...]
    calls: tuple[str, ...]
    minutes: tuple[int | None, ...]
    minutes_by: Origin | None
    dwell_s: Figure[float] | None
    runs_from: Figure[date] | None
    runs_until: Figure[date] | None
    frequencies: tuple[Frequency, ...]


class RoadNode(NamedTuple):
    """An interchange, a junction with a town, or a gate."""

    node_id: str
    name: Name
    at: Place


class RoadEdge(NamedTuple):
    """A stretch of road between two nodes, both ways alike; `road` is its number."""

    edge_id: str
    road: str
    start: str
    end: str
    length_km: Figure[float] | None
    design_kmh: Figure[float] | None
    opened: Figure[date] | None


class Facts(NamedTuple):
    """A region's tables. `digest` is the hex SHA-256 of their names and bytes."""

    digest: str
    zone: str
    sources: tuple[Source, ...]
    cities: tuple[City, ...]
    counties: tuple[County, ...]
    systems: tuple[System, ...]
    stations: tuple[Station, ...]
    lines: tuple[Line, ...]
    services: tuple[TrainService, ...]
    road_nodes: tuple[RoadNode, ...]
    road_edges: tuple[RoadEdge, ...]
