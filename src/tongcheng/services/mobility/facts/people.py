"""Modelled cells: where people might live, where only the totals of counties are known.

A region's tables have the people of each county and one point inside it, no borders and no grid.
So a regular grid is laid over the outline, and the totals are spread over it by a rule that
anybody can read here. Nothing of it was measured below the county, and every output says `LABEL`.

1. A cell is in when its middle lies in the outline, and belongs to the county whose point is the
   nearest of its division of the first rank. A county that gets no cell takes the free one nearest
   its point.
2. A cell weighs `EVEN`, and more near a station or a county's point: a quartic (biweight) kernel
   `peak · (1 - d²/r²)²` within r, summed over all of them (Silverman, Density Estimation, 1986).
3. A county's people are shared among its cells by weight, the rest by largest remainder.
4. People who were counted apart without a place (development zones) are shared among the cells of
   their city by the people there. So a county's cells may hold more than its own count; a city's
   hold exactly its total.

All is whole numbers: every machine makes the same cells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from math import cos, radians
from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.facts.model import Facts, Place
from tongcheng.services.mobility.facts.outline import Division, Outline
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Bool, Int64
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.shapes.geometry import MICRO, Polygon, micro

WIDTH: Final = 20_000
HEIGHT: Final = 15_000
"""Micro-degrees of a cell, about 1.7 km either way between 36 and 43 degrees north."""

EVEN: Final = 1_000
"""What a cell weighs far from everything, so that peaks count in thousandths of it."""

LABEL: Final = (
    "modelled: county totals spread over cells of 0.02 x 0.015 degrees, more near stations and"
    " county points; below the county nothing was counted"
)

NOBODYS: Final = -1
"""The county of a cell in a division of which no county is known."""

_UNITS_A_DEGREE: Final = 11_120
"""Distances are in units of about 10 m, a degree of latitude 111.2 km."""
_COSINE_PARTS: Final = 1_000
_EVERY: Final = slice(None)


class Kernel(NamedTuple):
    """How much more a cell weighs near some points: `peak` at them, none beyond `radius_m`."""

    peak: int
    radius_m: int


METRO: Final = Kernel(20_000, 3_000)
RAIL: Final = Kernel(20_000, 5_000)
COUNTY: Final = Kernel(20_000, 8_000)
"""Chosen, not fitted: no counted grid of the region may be shipped to fit them on."""


class _Cells(NamedTuple):
    """Cells of the grid in order of row and column, and the division that each lies in."""

    column: Int64
    row: Int64
    division: Int64

    @property
    def lon(self) -> Int64:
        """Middles, in micro-degrees."""
        return self.column * WIDTH + WIDTH // 2

    @property
    def lat(self) -> Int64:
        """Middles, in micro-degrees."""
        return self.row * HEIGHT + HEIGHT // 2


def region_places(facts: Facts, outline: Outline) -> Places:
    """Return the modelled cells of a region with their people, those with nobody left out.

    `area_ids` are counties; ids are column and row of the grid that begins at 0 degrees.
    """
    cells = _inside(outline.divisions)
    flat = _Flat(cells)
    counties = [county for county in facts.counties if county.at is not None]
    county = _counties(cells, flat, [(each.county_id, each.at) for each in counties], outline)
    weight = _weights(facts, flat)
    living = np.zeros(len(cells.row), np.int64)
    for number, each in enumerate(counties):
        chosen = np.flatnonzero(county == number)
        living[chosen] = shared(int(each.population.value), weight[chosen])
    of_city = [city.city_id for city in facts.cities]
    city = np.array([of_city.index(each.city_id) for each in counties], np.int64)
    _settle_zones(facts, flat, np.where(county == NOBODYS, NOBODYS, city[county]), living)
    kept = np.flatnonzero(living)
    return Places(
        tuple(map("{}-{}".format, cells.column[kept].tolist(), cells.row[kept].tolist())),
        tuple(counties[at].name.zh for at in county[kept].tolist()),
        Points(cells.lon[kept] / MICRO, cells.lat[kept] / MICRO),
        tuple(counties[at].county_id for at in county[kept].tolist()),
        living[kept],
        (),
    )


def places_digest(places: Places) -> str:
    """Return the hex SHA-256 of modelled cells: who lives in which, and of what county it is."""
    digest = hashlib.sha256(" ".join(places.ids).encode() + b"\n")
    digest.update(" ".join(places.area_ids).encode() + b"\n")
    assert places.population is not None, "modelled cells have people"
    digest.update(places.population.astype("<i8").tobytes())
    return digest.hexdigest()


def shared(total: int, weights: Int64) -> Int64:
    """Return a whole total shared by weights, by largest remainder; the first of equals gains."""
    most = int(weights.sum())
    assert most > 0, "something weighs"
    assert total * int(weights.max()) < 1 << 63, "a share fits into 64 bits"
    parts, left = np.divmod(total * weights, most)
    short = total - int(parts.sum())
    parts[np.argsort(-left, kind="stable")[:short]] += 1
    return np.asarray(parts, np.int64)


def _inside(divisions: Sequence[Division]) -> _Cells:
    """Return the cells whose middles lie in a division; of two that overlap, the first has it."""
    rings = [ring for each in divisions for polygon in each.polygons for ring in polygon]
    corners = np.array([corner for ring in rings for corner in ring], np.int64)
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    first = int(west) // WIDTH, int(south) // HEIGHT
    size = int(north) // HEIGHT - first[1] + 1, int(east) // WIDTH - first[0] + 1
    division = np.full(size, -1, np.int64)
    for number, each in enumerate(divisions):
        for polygon in each.polygons:
            division[within(polygon, first, size) & (division < 0)] = number
    row, column = np.nonzero(division >= 0)
    return _Cells(column + first[0], row + first[1], division[row, column])


def within(polygon: Polygon, first: tuple[int, int], size: tuple[int, int]) -> Bool:
    """Say which cells' middles lie in a polygon: an odd number of sides to their west.

    `first` is the column and row of the grid's first cell here, `size` counts rows and columns.

    In whole numbers a middle is east of a crossing when it is east of its floor; a middle that
    lies on a side belongs to one side of it, whichever way one walks.
    """
    turns = np.zeros((size[0], size[1] + 1), np.int64)
    middles = (np.arange(size[0]) + first[1]) * HEIGHT + HEIGHT // 2
    for ring in polygon:
        for (x, y), (u, v) in pairwise(ring):
            low, high = np.searchsorted(middles, (min(y, v), max(y, v)))
            if low == high:
                continue
            crossing = x + (u - x) * (middles[low:high] - y) // (v - y)
            column = (crossing - WIDTH // 2) // WIDTH + 1 - first[0]
            np.add.at(turns, (np.arange(low, high), np.clip(column, 0, size[1])), 1)
    return np.asarray(np.cumsum(turns, axis=1)[:, :-1] % 2 == 1)


class _Flat:
    """Cells on a plane in units of 10 m: a degree of longitude as it is in the region's middle."""

    def __init__(self, cells: _Cells) -> None:
        middle = (int(cells.lat.min()) + int(cells.lat.max())) / 2 / MICRO
        self._cosine = round(cos(radians(middle)) * _COSINE_PARTS)
        self.x, self.y = self._plane(cells.lon, cells.lat)

    def from_place(self, at: Place, rows: slice = _EVERY) -> Int64:
        """Return the squared distance of some cells from a place."""
        x, y = self._plane(np.array(micro(at.lon)), np.array(micro(at.lat)))
        return np.asarray((self.x[rows] - x) ** 2 + (self.y[rows] - y) ** 2, np.int64)

    def rows_near(self, at: Place, radius: int) -> slice:
        """Return the cells that are no further north or south: they are in order of their rows."""
        _, y = self._plane(np.array(micro(at.lon)), np.array(micro(at.lat)))
        return slice(*np.searchsorted(self.y, (int(y) - radius, int(y) + radius + 1)).tolist())

    def _plane(self, lon: Int64, lat: Int64) -> tuple[Int64, Int64]:
        east = lon * _UNITS_A_DEGREE // MICRO * self._cosine // _COSINE_PARTS
        return east, lat * _UNITS_A_DEGREE // MICRO


def _counties(
    cells: _Cells, flat: _Flat, counties: list[tuple[str, Place | None]], outline: Outline
) -> Int64:
    """Return the county of each cell, by its number; NOBODYS in a division that has none."""
    found = np.full(len(cells.row), NOBODYS, np.int64)
    least = np.full(len(cells.row), np.iinfo(np.int64).max)
    code = [each.division[:2] for each in outline.divisions]
    of_division = {prefix: cells.division == number for number, prefix in enumerate(code)}
    apart: list[Int64] = []
    for number, (county_id, at) in enumerate(counties):
        assert at is not None, "a county has a point"
        apart.append(flat.from_place(at))
        own = of_division.get(county_id[:2])
        if own is not None:
            nearer = own & (apart[-1] < least)
            found[nearer], least[nearer] = number, apart[-1][nearer]
    taken = np.zeros(len(cells.row), np.bool_)
    while lonely := sorted(set(range(len(counties))) - set(found.tolist())):
        assert not taken.all(), "a region has more cells than counties"
        free = np.where(taken, np.iinfo(np.int64).max, apart[lonely[0]])
        cell = int(free.argmin())
        found[cell], taken[cell] = lonely[0], True
    return found


def _settle_zones(facts: Facts, flat: _Flat, city: Int64, living: Int64) -> None:
    """Add the people without a place to the cells of their city; `city` numbers each cell's."""
    zones = [each for each in facts.counties if each.at is None]
    for number, each in enumerate(facts.cities):
        people = sum(int(zone.population.value) for zone in zones if zone.city_id == each.city_id)
        chosen = np.flatnonzero((city == number) & (living > 0))
        if len(chosen):
            living[chosen] += shared(people, living[chosen])
        elif people:
            apart = np.where(city == NOBODYS, np.iinfo(np.int64).max, flat.from_place(each.at))
            living[apart.argmin()] += people


def _weights(facts: Facts, flat: _Flat) -> Int64:
    """Return what each cell weighs."""
    weight = np.full(len(flat.x), EVEN, np.int64)
    modes = {system.system_id: system.mode for system in facts.systems}
    near = [(each.at, METRO if modes[each.system_id] == "metro" else RAIL)
            for each in facts.stations]  # fmt: skip
    near += [(each.at, COUNTY) for each in facts.counties if each.at is not None]
    for at, kernel in near:
        radius = kernel.radius_m // 10
        rows = flat.rows_near(at, radius)
        left = radius * radius - flat.from_place(at, rows)
        inside = left > 0
        weight[rows][inside] += kernel.peak * left[inside] ** 2 // radius**4
    return weight
