"""Given polygons unite in whole micro-degrees; hexagons have the size they are said to have."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.shapes.geometry import MultiPolygon, double_area
from tongcheng.services.mobility.shapes.lattice import Grid
from tongcheng.services.mobility.shapes.polygons import hexagon, rounded, united

GRID = Grid(0, 0, 10, 10)


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_geos_and_the_walk_agree_on_cells(cells: set[tuple[int, int]]) -> None:
    """Two ways to the same shape: by the lattice's walk, and by uniting polygons."""
    walked, joined = GRID.union(cells), united([GRID.cell(cell) for cell in sorted(cells)])

    assert walked is not None
    assert joined is not None
    area = sum(double_area(ring) for polygon in joined.polygons for ring in polygon)
    assert area == sum(double_area(ring) for polygon in walked.polygons for ring in polygon)
    assert as_shapely(joined).equals(as_shapely(walked))
    assert joined == united([GRID.cell(cell) for cell in sorted(cells, reverse=True)])


def as_shapely(shape: MultiPolygon) -> shapely.MultiPolygon:
    """Return a shape as GEOS judges it."""
    return shapely.MultiPolygon([(outer, holes) for outer, *holes in shape.polygons])


def test_nothing_unites_to_nothing() -> None:
    """An empty band has no shape, and no empty one either."""
    assert united([]) is None


def test_a_border_that_crosses_itself_is_refused() -> None:
    """With the number of the shape and where it crosses."""
    bow = MultiPolygon(((((0, 0), (10, 10), (10, 0), (0, 10), (0, 0)),),))
    with pytest.raises(Refused) as refusal:
        united([GRID.cell((0, 0)), bow])

    assert refusal.value.code == "MOBILITY_POLYGON"
    assert refusal.value.facts["row"] == 1
    assert "Self-intersection" in str(refusal.value.facts["fault"])


@pytest.mark.parametrize("lat", [-30.0, 0.0, 39.9, 60.0])
def test_a_hexagon_has_its_size(lat: float) -> None:
    """Every corner lies so far from the middle, to a metre in a thousand."""
    (polygon,) = hexagon(116.4, lat, 1_000).polygons
    (ring,) = polygon
    distances = [
        math.hypot(
            (x / 1e6 - 116.4) * 111_195 * math.cos(math.radians(lat)), (y / 1e6 - lat) * 111_195
        )
        for x, y in ring
    ]

    assert len(ring) == 7
    assert double_area(ring) > 0
    assert distances == pytest.approx([1_000] * 7, abs=1)


@pytest.mark.parametrize("radius_m", [0, -5, 100_001])
def test_a_size_that_is_none_is_refused(radius_m: int) -> None:
    """A hexagon of no size would be a point again."""
    with pytest.raises(Refused, match="MOBILITY_PARAMETER"):
        hexagon(116.4, 39.9, radius_m)


def test_degrees_are_rounded_to_whole_micro_degrees() -> None:
    """Whatever way round it came; what is smaller than a micro-degree is gone."""
    square = shapely.Polygon([(0, 0), (0, 2e-5), (2e-5, 2e-5), (2e-5 + 4e-7, 0)])
    made = rounded(square)

    assert made == MultiPolygon(((((0, 0), (20, 0), (20, 20), (0, 20), (0, 0)),),))
    assert rounded(shapely.box(0, 0, 1e-8, 1e-8)) is None
