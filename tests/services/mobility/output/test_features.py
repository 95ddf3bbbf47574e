"""Isochrones are written with their properties, as three kinds of file."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.services.mobility.output.test_method import METHOD
from tongcheng.services.mobility.isochrones import GridCells, isochrones
from tongcheng.services.mobility.output.features import write_isochrones
from tongcheng.services.mobility.shapes.lattice import Grid

CELLS = GridCells(Grid(116_000_000, 39_000_000, 20_000, 15_000), ((0, 0), (1, 0), (5, 5)))


def test_bands_in_every_format(tmp_path: Path) -> None:
    """The same properties; a band that holds nothing has no shape."""
    seconds = np.array([700, 1_000, 1_700], np.uint16)
    bands = isochrones(
        seconds, np.array([5, 6, 7]), CELLS, [10, 20, 30], regime="p50", nesting="disjoint"
    )
    for suffix in ("parquet", "geojson", "csv"):
        write_isochrones(tmp_path / f"circle.{suffix}", bands, METHOD)
    table = pq.read_table(tmp_path / "circle.parquet")
    features = json.loads((tmp_path / "circle.geojson").read_bytes())["features"]

    expected = [band.properties() for band in bands]
    assert [each["people"] for each in expected] == [0, 11, 7]
    assert [each["properties"] for each in features] == expected
    assert table.drop_columns("geometry").to_pylist() == expected
    assert [each["geometry"] is None for each in features] == [True, False, False]
    rows = list(csv.reader((tmp_path / "circle.csv").read_text("utf-8").splitlines()))
    assert rows[0] == list(expected[0])
    assert rows[2] == ["20", "10", "p50", "11", "2", "grid"]
