"""Places as cells of a map: their areas, a grid's, or squares, united fast and to the corner."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.services.mobility.shapes.test_meetings import comb
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


SPIKE = [(117, 39), (117.01, 39), (117.01, 39.005), (117.012, 39.0050001), (117.01, 39.0050002),
         (117.01, 39.01), (117, 39.01)]  # fmt: skip
"""A square with a spike of 2 cm, valid until it is rounded to micro-degrees, which are 11 cm."""
TAIL = [(117, 39), (117.01, 39), (117.01, 39.01), (117, 39.01), (117, 39), (116.99, 38.99)]
COLLAPSE = [(117, 39), (117.005, 39.0000001), (117.01, 39)]
BESIDE = shapely.box(117.01, 39, 117.02, 39.01)


@pytest.mark.parametrize("neighbour", [False, True], ids=["alone", "neighbour"])
@pytest.mark.parametrize(
    ("corners", "area"), [(SPIKE, 1e-4), (TAIL, 1e-4), (COLLAPSE, 0)], ids=["spike", "tail", "flat"]
)
def test_what_rounding_makes_cross_itself_is_mended(
    corners: list[tuple[float, float]],
    area: float,
    neighbour: bool,  # noqa: FBT001 a case
) -> None:
    """Spikes and tails go; what has no width is drawn as nothing, alone as points are."""
    areas = [shapely.Polygon(corners)] + [BESIDE] * neighbour
    cells = cells_of_places(
        _points(*[(117.005, 39.005), (117.015, 39.005)][: len(areas)]), np.array(areas)
    )
    chosen = cells.union(np.ones(len(areas), np.bool_))

    assert len(cells) == len(areas)
    if area or neighbour:
        assert isinstance(cells, ZoneCells)
        assert _area(chosen) == pytest.approx(area + 1e-4 * neighbour)
        first = cells.union(np.arange(len(areas)) == 0)
        assert _area(first) == pytest.approx(area)
        assert (first is None) == (not area)
    else:
        assert isinstance(cells, SquareCells)


def test_where_borders_are_mended_their_corners_are_whole() -> None:
    """Rounding crosses this area between micro-degrees; to round that corner too breaks it."""
    small = shapely.Polygon([(69, 56), (64, 34), (4, 3), (46, 59), (40, 48)])
    areas = np.array([shapely.transform(small, lambda units: units / 1e7 + [117, 39])])
    shape = cells_of_places(_points((117.0, 39.0)), areas).union(np.array([True]))

    assert _area(shape) > 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=3, max_size=7),
             min_size=1, max_size=4),
    st.integers(0, 15),
)  # fmt: skip
def test_areas_as_small_as_a_hand_never_fail(
    rings: list[list[tuple[int, int]]], chosen: int
) -> None:
    """Of whatever rounding leaves, the union is valid (`_area` looks) and not too far outside."""
    areas = np.array(
        [shapely.Polygon([(117 + x / 1e7, 39 + y / 1e7) for x, y in ring]) for ring in rings]
    )
    areas = shapely.make_valid(areas, method="structure", keep_collapsed=False)
    cells = cells_of_places(_points(*[(117.0, 39.0)] * len(areas)), areas)
    shape = cells.union(np.array([bool(chosen >> at & 1) for at in range(len(areas))]))

    assert _area(shape) >= 0
    if shape is not None and isinstance(cells, ZoneCells):
        low, high = shapely.total_bounds(areas)[:2] * MICRO, shapely.total_bounds(areas)[2:] * MICRO
        for polygon in shape.polygons:
            assert (np.array(polygon[0]) >= low - 1).all()
            assert (np.array(polygon[0]) <= high + 1).all()


def _combs(teeth: int) -> NDArray[Any]:
    """Return two combs, one across the other, 10 km each way."""
    across = shapely.transform(
        np.array([comb(teeth, upright=True), comb(teeth, upright=False)]),
        lambda units: units / 1e7 + [117, 39],
    )
    return np.array(across, object)


def test_areas_that_cross_too_often_are_drawn_as_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few corners can cross by the million: it is found out beforehand, by much or by little."""
    monkeypatch.setattr(zones, "CORNERS_MAX", {True: 40_000, False: 2_000})
    few, *others = (cells_of_places(MIDDLES, _combs(teeth)) for teeth in (10, 21, 300))

    assert isinstance(few, ZoneCells)
    assert few.shape == "given"
    assert all(isinstance(each, SquareCells) for each in others)


def test_areas_within_areas_by_the_thousand_are_drawn_as_points() -> None:
    """To see whether they lie within each other takes by the square of their number."""
    nested = np.array([shapely.box(117 + at, 39 + at, 118 - at, 40 - at)
                       for at in np.linspace(0, 0.4, 1_000)])  # fmt: skip
    points = _points(*[(117.5, 39.5)] * 1_000)

    assert isinstance(cells_of_places(points, nested), SquareCells)
    assert isinstance(cells_of_places(points, nested[::20]), ZoneCells)


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


def test_a_square_reaches_no_farther_than_its_diagonal() -> None:
    """A place in a corner of its square is 1.4 widths from the far one."""
    cells = SquareCells(*_points((117.0, 39.0)), 500)
    shape = cells.union(np.array([True]))
    assert shape is not None
    shrink = np.cos(np.radians(39))
    away = (np.array(shape.polygons[0][0]) / MICRO - [117, 39]) * [shrink, 1] * 111_195

    assert np.hypot(*away.T).max() <= 500 * 2**0.5 * 1.01
