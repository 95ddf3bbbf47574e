"""The union of cells covers them and nothing else, is valid, and runs the right way round."""

from collections.abc import Iterable

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.shapes.geometry import MultiPolygon, double_area
from tongcheng.services.mobility.shapes.lattice import Cell, Grid

GRID = Grid(116_000_000, 39_000_000, 20_000, 15_000)
CELLS = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)))


def cells_of(*rows: str) -> list[Cell]:
    """Return the cells that are drawn, the north on top."""
    return [
        (column, len(rows) - 1 - row)
        for row, line in enumerate(rows)
        for column, sign in enumerate(line)
        if sign == "#"
    ]


def as_shapely(shape: MultiPolygon) -> shapely.MultiPolygon:
    """Return a shape as GEOS judges it."""
    return shapely.MultiPolygon([(outer, holes) for outer, *holes in shape.polygons])


def boxes(cells: Iterable[Cell]) -> shapely.Geometry:
    """Return what GEOS makes of the same cells."""
    return shapely.union_all(
        [
            shapely.box(
                GRID.west + x * GRID.width,
                GRID.south + y * GRID.height,
                GRID.west + (x + 1) * GRID.width,
                GRID.south + (y + 1) * GRID.height,
            )
            for x, y in cells
        ]
    )


@given(CELLS)
def test_the_union_is_that_of_geos(cells: set[Cell]) -> None:
    """Equal as sets of points, valid, and every ring the right way round."""
    made = GRID.union(cells)
    if made is None:
        assert not cells
        return
    shape = as_shapely(made)

    assert shape.is_valid, shapely.is_valid_reason(shape)
    assert shape.equals(boxes(cells))
    for outer, *holes in made.polygons:
        assert double_area(outer) > 0
        assert all(double_area(hole) < 0 for hole in holes)
        for ring in (outer, *holes):
            assert ring[0] == ring[-1] == min(ring)
            assert len(set(ring)) == len(ring) - 1, "no corner twice"


@given(CELLS, st.randoms(use_true_random=False))
def test_the_order_of_cells_changes_nothing(cells: set[Cell], chance: object) -> None:
    """The same rings, beginning at the same corners."""
    ordered = sorted(cells)
    shuffled = ordered.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random

    assert GRID.union(shuffled) == GRID.union(ordered)


@pytest.mark.parametrize(
    ("drawn", "rings"),
    [
        (("#",), [1]),
        (("##", "##"), [1]),
        (("#.", ".#"), [1, 1]),
        (("###", "#.#", "###"), [2]),
        (("####", "#.##", "##.#", "####"), [3]),
        ((".##", "#.#", "###"), [2]),
        (("#####", "#...#", "#.#.#", "#...#", "#####"), [2, 1]),
    ],
    ids=["one", "square", "corner", "ring", "holes that touch", "hole at the rim", "island"],
)
def test_polygons_and_holes(drawn: tuple[str, ...], rings: list[int]) -> None:
    """Cells that touch in a corner are two polygons; holes that touch are two holes."""
    made = GRID.union(cells_of(*drawn))

    assert made is not None
    assert [len(polygon) for polygon in made.polygons] == rings
    assert as_shapely(made).is_valid


def test_one_cell_is_its_four_corners() -> None:
    """In micro-degrees, counterclockwise from the south-west."""
    assert GRID.cell((1, 2)).polygons == (
        (
            (
                (116_020_000, 39_030_000),
                (116_040_000, 39_030_000),
                (116_040_000, 39_045_000),
                (116_020_000, 39_045_000),
                (116_020_000, 39_030_000),
            ),
        ),
    )
