"""Bands hold who lives within their minutes, and their shapes are those of their cells."""

from typing import get_args

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.isochrones import (
    AssumedCells,
    Cells,
    GivenCells,
    GridCells,
    Nesting,
    grid_cells,
    isochrones,
)
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.shapes.geometry import MultiPolygon, double_area
from tongcheng.services.mobility.shapes.lattice import Grid

GRID = Grid(116_000_000, 39_000_000, 20_000, 15_000)
PLACES = tuple((column, row) for column in range(4) for row in range(3))
MINUTES = [0, 15, 30, 60]
SECONDS = st.lists(
    st.sampled_from([0, 1, 899, 900, 901, 1_800, 1_801, 3_600, 3_601, UNREACHED]),
    min_size=12,
    max_size=12,
)
BY_GRID = GridCells(GRID, PLACES)
BY_POLYGON = GivenCells([GRID.cell(each) for each in PLACES])


def area(shape: MultiPolygon | None) -> int:
    """Return twice the area, holes taken off."""
    if shape is None:
        return 0
    return sum(double_area(ring) for polygon in shape.polygons for ring in polygon)


@given(SECONDS)
def test_bands_are_cumulative_or_disjoint(times: list[int]) -> None:
    """The disjoint ones add up to the cumulative ones: people, cells and area."""
    seconds, people = np.array(times, np.uint16), np.arange(12)
    made = {
        nesting: isochrones(seconds, people, BY_GRID, MINUTES, regime="p50", nesting=nesting)
        for nesting in get_args(Nesting)
    }

    sums = np.zeros(3, np.int64)
    for whole, part, limit in zip(made["cumulative"], made["disjoint"], MINUTES, strict=True):
        sums += [part.people, part.cells, area(part.shape)]
        assert sums.tolist() == [whole.people, whole.cells, area(whole.shape)]
        assert whole.people == people[seconds <= limit * 60].sum()
        assert area(whole.shape) == 2 * whole.cells * GRID.width * GRID.height
        assert (whole.shape is None) == (whole.cells == 0)
    assert [band.above_minutes for band in made["cumulative"]] == [None] * 4
    assert [band.above_minutes for band in made["disjoint"]] == [None, 0, 15, 30]


@given(SECONDS)
def test_disjoint_shapes_do_not_meet(times: list[int]) -> None:
    """Their insides have no point in common, whatever made the shapes."""
    for cells in (BY_GRID, BY_POLYGON):
        bands = isochrones(
            np.array(times, np.uint16), np.ones(12, np.int64), cells, MINUTES,
            regime="best", nesting="disjoint",
        )  # fmt: skip
        shapes = [
            shapely.MultiPolygon([(outer, holes) for outer, *holes in band.shape.polygons])
            for band in bands
            if band.shape
        ]
        assert all(shape.is_valid for shape in shapes)
        for at, one in enumerate(shapes):
            assert all(one.intersection(two).area == 0 for two in shapes[at + 1 :])


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (BY_GRID, "grid"),
        (BY_POLYGON, "given"),
        (
            AssumedCells(np.linspace(116, 117, 12), np.full(12, 39.9), 500),
            "assumed hexagon of 500 m",
        ),
    ],
    ids=["grid", "given", "assumed"],
)
def test_every_band_says_what_its_outline_is_made_of(cells: Cells, told: str) -> None:
    """A shape that somebody assumed is never taken for a measured one."""
    (band,) = isochrones(np.zeros(12, np.uint16), np.ones(12, np.int64), cells, [30], regime="p50")

    assert band.properties() == {
        "minutes": 30,
        "above_minutes": None,
        "regime": "p50",
        "people": 12,
        "cells": 12,
        "cell_shape": told,
    }
    assert band.shape is not None


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=40))
def test_a_grid_is_read_off_the_middles_of_its_cells(cells: set[tuple[int, int]]) -> None:
    """Gaps and all: the outline is that of the grid the middles are from."""
    ordered = sorted(cells)
    middles = np.array(ordered) * [0.02, 0.015] + [116.01, 39.0075]
    read = grid_cells(middles[:, 0], middles[:, 1])
    everything = np.ones(len(ordered), np.bool_)

    assert read is not None
    assert read.union(everything) == GridCells(GRID, ordered).union(everything)


@pytest.mark.parametrize(
    "places",
    [
        [],
        [(116.0, 39.0)],
        [(116.0, 39.0), (116.02, 39.0)],
        [(116.0, 39.0), (116.0, 39.0), (116.02, 39.015)],
        [(116.0, 39.0), (116.02, 39.015), (116.05, 39.015)],
        [(116.0 + at * 0.013, 39.0 + at * at * 0.007) for at in range(12)],
    ],
    ids=["none", "one", "a row", "twice", "no whole steps", "scattered"],
)
def test_places_that_are_no_grid_are_not_made_one(places: list[tuple[float, float]]) -> None:
    """A cell whose shape nobody knows is not given one in silence."""
    made = np.array(places, np.float64).reshape(-1, 2)

    assert grid_cells(made[:, 0], made[:, 1]) is None
