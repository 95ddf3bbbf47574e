"""Each fact table's columns, and what a row of them means.

Every reader refuses what `reading.rows` and `Row` refuse, FACTS_TWICE for an id that stands twice,
and FACTS_REFERENCE for one that no table has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import Figure, Source
from tongcheng.services.mobility.facts.model import City, County, Name, Place, Station, System
from tongcheng.services.mobility.facts.reading import YEAR_LEAST, YEAR_MOST, Row, rows

PEOPLE_MOST: Final = 2_000_000_000

_Item = TypeVar("_Item")


def named(row: Row) -> Name:
    """Return the name in the columns name_zh and name_en."""
    return Name(row.text("name_zh"), row.optional("name_en"))


def placed(row: Row) -> Place:
    """Return the point in the columns lon, lat and place_by."""
    return Place(row.number("lon", -180, 180), row.number("lat", -90, 90), row.origin("place_by"))


def known(row: Row, column: str, ids: Collection[str]) -> str:
    """Return an id that must be among `ids`."""
    found = row.id(column)
    if found not in ids:
        raise row.unknown(column, found)
    return found


def by_id(found: dict[str, _Item], row: Row, column: str, item: _Item) -> None:
    """Keep an item under the id in a column; refuses FACTS_TWICE."""
    wanted = row.id(column)
    if wanted in found:
        raise Refused("FACTS_TWICE", file=row.file, line=row.line, id=wanted)
    found[wanted] = item


def _table(
    file: str,
    text: str,
    columns: str,
    sources: Collection[str],
    item: Callable[[Row], _Item],
) -> dict[str, _Item]:
    """Read a table whose first column is the id of a row."""
    names = columns.split(",")
    found: dict[str, _Item] = {}
    for row in rows(file, text, names, sources):
        by_id(found, row, names[0], item(row))
    return found


def sources(file: str, text: str) -> dict[str, Source]:
    """Read sources.csv."""

    def source(row: Row) -> Source:
        year = row.whole("year", YEAR_LEAST, YEAR_MOST)
        return Source(
            row.id("source_id"),
            row.text("title"),
            row.text("publisher"),
            year,
            row.optional("address"),
        )

    return _table(file, text, "source_id,title,publisher,year,address", (), source)


def _people(row: Row) -> Figure[float]:
    figure = row.figure("population", 0, PEOPLE_MOST)
    if figure is None:
        raise row.fault("population", "blank")
    return figure


def cities(file: str, text: str, known_sources: Collection[str]) -> dict[str, City]:
    """Read cities.csv."""
    columns = "city_id,name_zh,name_en,lon,lat,place_by,population,population_by"

    def city(row: Row) -> City:
        return City(row.id("city_id"), named(row), placed(row), _people(row))

    return _table(file, text, columns, known_sources, city)


def counties(
    file: str, text: str, known_sources: Collection[str], of: Mapping[str, City]
) -> dict[str, County]:
    """Read counties.csv. A row without a place is a zone that is counted apart."""
    columns = "county_id,name_zh,name_en,city_id,lon,lat,place_by,population,population_by"

    def county(row: Row) -> County:
        has_place = bool(row.optional("lon") or row.optional("lat") or row.optional("place_by"))
        return County(
            row.id("county_id"),
            named(row),
            known(row, "city_id", of),
            placed(row) if has_place else None,
            _people(row),
        )

    return _table(file, text, columns, known_sources, county)


def systems(file: str, text: str) -> dict[str, System]:
    """Read systems.csv."""

    def system(row: Row) -> System:
        mode = row.text("mode")
        if mode not in ("rail", "metro"):
            raise row.fault("mode", "neither rail nor metro")
        return System(
            row.id("system_id"),
            named(row),
            "rail" if mode == "rail" else "metro",
            row.text("address"),
        )

    return _table(file, text, "system_id,name_zh,name_en,mode,address", (), system)


def stations(
    file: str, text: str, known_sources: Collection[str], of: Mapping[str, System]
) -> dict[str, Station]:
    """Read stations.csv."""
    columns = "station_id,system_id,name_zh,name_en,lon,lat,place_by"

    def station(row: Row) -> Station:
        return Station(row.id("station_id"), known(row, "system_id", of), named(row), placed(row))

    return _table(file, text, columns, known_sources, station)
