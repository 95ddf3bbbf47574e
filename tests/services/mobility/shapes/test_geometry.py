"""Shapes are written as the standards say, and read back the same by another program."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.shapes.geometry import (
    Geometry,
    MultiPolygon,
    Point,
    bounds,
    geojson,
    micro,
    well_known_binary,
)

SQUARE = ((0, 0), (4_000_000, 0), (4_000_000, 4_000_000), (0, 4_000_000), (0, 0))
HOLE = (
    (1_000_000, 1_000_000),
    (1_000_000, 2_000_000),
    (2_000_000, 2_000_000),
    (1_000_000, 1_000_000),
)
SHAPES: list[Geometry] = [Point((116_378_517, 39_865_246)), MultiPolygon(((SQUARE, HOLE), (HOLE,)))]


@pytest.mark.parametrize("shape", SHAPES)
def test_geojson_and_binary_say_the_same(shape: Geometry) -> None:
    """GEOS reads the same from both, and the same bounds."""
    from_json = shapely.from_geojson(
        str(geojson(shape)).replace("'", '"').replace("(", "[").replace(")", "]")
    )
    from_binary = shapely.from_wkb(well_known_binary(shape))

    assert from_json.equals_exact(from_binary)
    assert from_binary.geom_type == type(shape).__name__
    assert tuple(micro(each) for each in from_binary.bounds) == bounds(shape)
    assert shapely.to_wkb(from_binary, byte_order=1) == well_known_binary(shape)


@given(st.integers(-180_000_000, 180_000_000))
def test_six_decimals_are_told_exactly(value: int) -> None:
    """A micro-degree is written with at most six decimals and read back."""
    coordinates = geojson(Point((value, 0)))["coordinates"]
    assert isinstance(coordinates, tuple)
    told: float = coordinates[0]
    written = repr(told)

    assert micro(float(written)) == value
    assert "e" in written or len(written.partition(".")[2]) <= 6
    assert math.isclose(told, value / 1e6, rel_tol=0, abs_tol=0)
