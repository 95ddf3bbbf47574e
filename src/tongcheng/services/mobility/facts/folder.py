"""A region's folder of fact tables, read whole; the one place where these files are opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import line_tables, road_tables, tables
from tongcheng.services.mobility.facts.model import Facts

TABLES: Final = (
    "cities.csv",
    "counties.csv",
    "frequencies.csv",
    "line_stops.csv",
    "lines.csv",
    "road_edges.csv",
    "road_nodes.csv",
    "services.csv",
    "sources.csv",
    "stations.csv",
    "systems.csv",
)
BYTES_MAX: Final = 8_388_608
"""A table that somebody wrote by hand is not longer."""


def load(folder: Path, zone: str) -> Facts:
    """Return the facts in a folder; `zone` is the region's IANA time zone.

    Refuses FACTS_FILE for a table that is missing, too long or not UTF-8, and what the tables'
    readers refuse, with the file and the line.
    """
    digest = hashlib.sha256()
    texts: dict[str, str] = {}
    for name in TABLES:
        raw = _bytes(folder / name)
        digest.update(f"{name} {len(raw)}\n".encode() + raw)
        try:
            texts[name] = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("FACTS_FILE", file=name, fault="not UTF-8") from None
    return facts_of(texts, zone, digest.hexdigest())


def facts_of(texts: dict[str, str], zone: str, digest: str) -> Facts:
    """Return the facts of all TABLES' texts."""
    sources = tables.sources("sources.csv", texts["sources.csv"])
    cities = tables.cities("cities.csv", texts["cities.csv"], sources)
    counties = tables.counties("counties.csv", texts["counties.csv"], sources, cities)
    systems = tables.systems("systems.csv", texts["systems.csv"])
    stations = tables.stations("stations.csv", texts["stations.csv"], sources, systems)
    lines = line_tables.lines(texts, sources, systems, stations)
    services = line_tables.services(texts, sources, lines)
    line_tables.check_overlap(services)
    nodes = road_tables.road_nodes(texts["road_nodes.csv"], sources)
    edges = road_tables.road_edges(texts["road_edges.csv"], sources, nodes)
    return Facts(
        digest,
        zone,
        tuple(sources.values()),
        tuple(cities.values()),
        tuple(counties.values()),
        tuple(systems.values()),
        tuple(stations.values()),
        tuple(lines.values()),
        tuple(services.values()),
        tuple(nodes.values()),
        tuple(edges.values()),
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as fault:
        reason = fault.strerror or "not readable"
        raise Refused("FACTS_FILE", file=path.name, fault=reason) from None
    if len(raw) > BYTES_MAX:
        raise Refused("FACTS_FILE", file=path.name, fault=f"longer than {BYTES_MAX} bytes")
    return raw
