"""Reads places from a file's bytes, checks them, and says what it found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Bool, Int64
from tongcheng.services.mobility.places.findings import Findings, Report, none_of
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.places.table import (
    BYTES_MAX,
    NAMES,
    Table,
    check_size,
    column_of,
    numbers,
)

Format = Literal["csv", "geojson", "parquet"]

LON_MAX: Final = 180
LAT_MAX: Final = 90
COUNT_MAX: Final = 1 << 53
"""Beyond it a number read as a float is no longer every whole number."""


class PlacesReading(NamedTuple):
    """Places, and what became of their file.

    `areas` are the places' polygons (shapely's, valid, in degrees), None of a place that is a
    point; None of a file without shapes.
    """

    places: Places
    report: Report
    areas: NDArray[Any] | None = None


class _Counts(NamedTuple):
    """A column of whole numbers, and in which rows it can not be used."""

    values: Int64
    unusable: Bool


def read_places(
    raw: bytes, form: Format, opportunities: Sequence[str] | None = None
) -> PlacesReading:
    """Read a file of places; a row with a fault is left out and counted in the report.

    Args:
        raw: the file.
        form: what it is.
        opportunities: columns to take as such; None for all that are numbers and nothing else.

    Raises:
        Refused: PLACES_BROKEN, PLACES_CRS, PLACES_COLUMN, PLACES_TOO_LARGE; PLACES_NONE where no
            row is fit for use; MOBILITY_EXTRA where the format's library is not installed.
    """
    assert form in get_args(Format), form
    check_size("bytes", len(raw), BYTES_MAX)
    findings = Findings()
    table = _table(raw, form, findings)
    columns = list(table.columns)
    left_out = _off(table, findings)
    ids, id_faults = _ids(table, findings)
    left_out |= id_faults
    counted: list[tuple[str, Int64]] = []
    population = column_of("population", columns)
    for name in ([population] if population is not None else []) + _opportunities(
        table, opportunities, findings
    ):
        counts = _counts(table, name, findings)
        left_out |= counts.unusable
        counted.append((name, counts.values))
    kept = ~left_out
    if not kept.any():
        raise Refused("PLACES_NONE", rows=len(kept))
    rows = np.flatnonzero(kept).tolist()
    named, areas = (_words(table, column_of(role, columns), rows) for role in ("name", "area"))
    figures = {name: values[kept] for name, values in counted}
    people = figures.pop(population) if population is not None else None
    places = Places(
        ids=tuple(ids[row] for row in rows),
        names=named,
        points=Points(table.lon[kept], table.lat[kept]),
        area_ids=areas,
        population=people,
        opportunities=tuple(sorted(figures.items())),
    )
    digest = hashlib.sha256(raw).hexdigest()
    report = Report(digest, len(kept), len(rows), findings.listed())
    return PlacesReading(places, report, None if table.areas is None else table.areas[kept])


def _table(raw: bytes, form: Format, findings: Findings) -> Table:
    try:
        if form == "csv":
            from tongcheng.services.mobility.places.csv_table import csv_table  # noqa: PLC0415

            return csv_table(raw, findings)
        if form == "geojson":
            from tongcheng.services.mobility.places.geojson_table import (  # noqa: PLC0415
                geojson_table,
            )

            return geojson_table(raw, findings)
        from tongcheng.services.mobility.places.parquet_table import (  # noqa: PLC0415
            parquet_table,
        )

        return parquet_table(raw, findings)
    except ModuleNotFoundError as missing:
        raise Refused("MOBILITY_EXTRA", package=str(missing.name)) from None


def _off(table: Table, findings: Findings) -> Bool:
    """Return where a place is on no map, NaN included, or at 0, 0, where nobody lives."""
    inside = (np.abs(table.lon) <= LON_MAX) & (np.abs(table.lat) <= LAT_MAX)
    zero = (table.lon == 0) & (table.lat == 0)
    findings.add("place_out_of_range", table.rows, ~inside & ~table.shapeless)
    findings.add("place_at_zero", table.rows, zero)
    off: Bool = ~inside | zero
    return off


def _ids(table: Table, findings: Findings) -> tuple[list[str], Bool]:
    """Return each row's id, its number where the file has none, and where an id is no use."""
    faults = none_of(len(table.rows))
    column = column_of("id", list(table.columns))
    if column is None:
        return [str(row) for row in table.rows.tolist()], faults
    ids = ["" if value is None else str(value).strip() for value in table.columns[column]]
    missing = np.array([not each for each in ids], np.bool_)
    seen: set[str] = set()
    twice = none_of(len(ids))
    for row, each in enumerate(ids):
        twice[row] = each in seen and bool(each)
        seen.add(each)
    findings.add("id_missing", table.rows, missing, column)
    findings.add("id_twice", table.rows, twice, column)
    return ids, missing | twice


def _opportunities(table: Table, wanted: Sequence[str] | None, findings: Findings) -> list[str]:
    """Return the columns of opportunities; refuses PLACES_COLUMN for one that is not there."""
    taken = {column_of(role, list(table.columns)) for role in NAMES}
    if wanted is not None:
        for name in wanted:
            if name not in table.columns or name in taken:
                raise Refused("PLACES_COLUMN", column=name)
        chosen = list(dict.fromkeys(wanted))
    else:
        chosen = [name for name in table.columns if name not in taken and _numeric(table, name)]
    for name in table.columns:
        if name not in taken and name not in chosen:
            findings.column("column_ignored", name)
    return chosen


def _numeric(table: Table, name: str) -> bool:
    """Say whether all of a column is numbers of something: finite, and none below 0."""
    found = numbers(table.columns[name])
    with np.errstate(invalid="ignore"):
        return bool(len(found)) and bool(np.all((found >= 0) & (found <= COUNT_MAX)))


def _counts(table: Table, name: str, findings: Findings) -> _Counts:
    """Return a column in whole numbers, half up."""
    values = table.columns[name]
    found = numbers(values)
    blank = np.array([value is None or value == "" for value in values], np.bool_)
    with np.errstate(invalid="ignore"):
        negative = found < 0
        wrong = ~(np.abs(found) <= COUNT_MAX) & ~blank
        usable = ~(blank | negative | wrong)
        whole = np.where(usable, np.floor(found + 0.5), 0)
    findings.add("value_missing", table.rows, blank, name)
    findings.add("value_negative", table.rows, negative & ~wrong, name)
    findings.add("value_wrong", table.rows, wrong, name)
    findings.add("value_rounded", table.rows, usable & (whole != found), name)
    return _Counts(whole.astype(np.int64), ~usable)


def _words(table: Table, column: str | None, rows: list[int]) -> tuple[str, ...]:
    if column is None:
        return ("",) * len(rows)
    values = table.columns[column]
    return tuple("" if values[row] is None else str(values[row]).strip() for row in rows)
