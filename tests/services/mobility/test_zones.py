"""Places as cells of a map: their areas, a grid's, or squares, united fast and to the corner."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.services.mobility import zones
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.shapes.geometry import MICRO, MultiPolygon
from tongcheng.services.mobility.zones import SQUARES_MAX, SquareCells, ZoneCells, cells_of_places


def _points(*places: tuple[float, float]) -> Points:
    lon, lat = zip(*places, strict=True)
    return Points(np.array(lon, np.float64), np.array(lat, np.float64))


def _area(shape: MultiPolygon | None) -> float:
    """Return how large a shape is, in square degrees."""
    if shape is None:
        return 0.0
    whole = shapely.MultiPolygon([(outer, holes) for outer, *holes in shape.polygons])
    assert whole.is_valid
    return float(whole.area / MICRO**2)


BOXES = np.array(
    [
        shapely.box(117.0, 39.0, 117.1, 39.1),
        shapely.box(117.1, 39.0, 117.3, 39.1),
        shapely.box(117.0, 39.1, 117.3, 39.2),
    ],
    object,
)
MIDDLES = _points((117.05, 39.05), (117.2, 39.05), (117.15, 39.15))


@pytest.mark.parametrize("meet", [True, False], ids=["coverage", "overlapping"])
def test_areas_are_drawn_as_they_are(meet: bool) -> None:  # noqa: FBT001 a case
    """Neighbours melt into one, whether their borders meet to the corner or overlap."""
    areas = BOXES.copy()
    if not meet:
        areas[0] = shapely.box(117.0, 39.0, 117.12, 39.1)
    cells = cells_of_places(MIDDLES, areas)
    both = cells.union(np.array([True, True, False]))

    assert (cells.shape, len(cells)) == ("given", 3)
    assert both is not None
    assert len(both.polygons) == 1
    assert _area(both) == pytest.approx(0.03)
    assert cells.union(np.zeros(3, np.bool_)) is None


def test_a_file_with_points_too_is_drawn_as_points() -> None:
    """Half of them as areas would make those look like less."""
    areas = BOXES.copy()
    areas[1] = None

    assert isinstance(cells_of_places(MIDDLES, areas), SquareCells)


def test_borders_with_far_too_many_corners_are_simpler_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What two share stays shared; where nothing helps, they are drawn as points."""
    monkeypatch.setattr(zones, "CORNERS_MAX", {True: 40, False: 10})
    row = [shapely.box(117.0 + at / 10, 39.0, 117.1 + at / 10, 39.1) for at in range(3)]
    fine = shapely.segmentize(np.array(row, object), 0.001)
    simpler = cells_of_places(MIDDLES, fine)
    monkeypatch.setattr(zones, "CORNERS_MAX", {True: 5, False: 5})
    hopeless = cells_of_places(MIDDLES, fine)

    assert isinstance(simpler, ZoneCells)
    assert simpler.shape == "given, borders simpler by 50 m"
    assert _area(simpler.union(np.ones(3, np.bool_))) == pytest.approx(0.03)
    assert isinstance(hopeless, SquareCells)


def test_middles_of_a_grid_are_its_cells() -> None:
    """A counted grid without shapes looks like the grid that it is."""
    steps = [(117 + x * 0.01, 39 + y * 0.01) for x in range(3) for y in range(3)]

    assert cells_of_places(_points(*steps), None).shape == "grid"


def test_scattered_points_are_squares_as_wide_as_they_lie_apart() -> None:
    """One alone is large; many are wide enough that there are not too many squares."""
    random = np.random.default_rng(1)
    lon, lat = random.uniform(116, 118, 20_000), random.uniform(38, 40, 20_000)
    many = cells_of_places(Points(lon, lat), None)
    alone = cells_of_places(_points((117.0, 39.0)), None)

    assert isinstance(many, SquareCells)
    assert many.squares <= SQUARES_MAX
    assert alone.shape == "assumed squares of 2000 m"
    assert many.shape == f"assumed squares of {many.width_m} m"
    assert many.width_m % 100 == 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(116, 118), st.floats(38, 40)), min_size=1, max_size=20, unique=True
    ),
    st.integers(0, 2**20 - 1),
)
def test_every_chosen_point_lies_in_the_shape(
    places: list[tuple[float, float]], chosen: int
) -> None:
    """Also those that share a square with one that is not chosen, and one on a square's border."""
    cells = SquareCells(*_points(*places), 500)
    picked = np.array([bool(chosen >> at & 1) for at in range(len(places))])
    shape = cells.union(picked)
    if shape is None:
        assert not picked.any()
        return
    whole = shapely.MultiPolygon([(outer, holes) for outer, *holes in shape.polygons])

    for (lon, lat), is_in in zip(places, picked.tolist(), strict=True):
        assert not is_in or whole.distance(shapely.Point(lon * MICRO, lat * MICRO)) < 1
