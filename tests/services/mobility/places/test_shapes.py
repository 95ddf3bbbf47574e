"""Areas of places: those without an inside, and those that would take too long to judge."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely

from tests.services.mobility.places.test_reading import geojson
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.places.reading import read_places


def test_an_area_without_an_inside_is_empty_and_counts() -> None:
    """Who lives there is counted at the middle of its border; a tail is cut off."""
    flat = shapely.Polygon([(117, 39), (117.5, 39), (118, 39)])
    tail = shapely.Polygon([(117, 39), (118, 39), (118, 40), (117, 40), (117, 39), (116, 38)])
    places, report, areas = read_places(geojson([flat, tail], {"pop": [3, 5]}), "geojson")

    assert places.population is not None
    assert places.population.tolist() == [3, 5]
    assert (places.points.lon.tolist(), places.points.lat.tolist()) == ([117.5, 117.5], [39, 39.5])
    assert areas is not None
    assert [each.wkt for each in areas[:1]] == ["POLYGON EMPTY"]
    assert areas[1].equals(shapely.box(117, 39, 118, 40))
    assert [(each.code, each.rows) for each in report.findings] == [("geometry_invalid", (1, 2))]


def _scribble() -> Any:
    """Return an area that crosses itself a quarter of a million times."""
    return shapely.Polygon(np.random.default_rng(1).uniform(39, 40, (1_000, 2)))


def _slanting() -> Any:
    """Return a valid comb whose teeth all have boxes that meet."""
    corners = [(38.9, 38.9), (39.2, 38.9)]
    for at in reversed(range(1_500)):
        left, right = 39 + at / 1e4, 39 + at / 1e4 + 5e-5
        corners += [(right, 39), (right + 1, 40), (left + 1, 40), (left, 39)]
    return shapely.Polygon(corners)


def _nested() -> Any:
    """Return a valid area in 5,000 parts whose boxes lie within each other."""
    parts = []
    for near in np.linspace(39, 39.4, 5_000).tolist():
        far, inner = 79 - near, near + 1e-5
        parts.append(((near, near), (far, near), (far, inner), (inner, inner), (inner, far)))
    return shapely.MultiPolygon(
        [shapely.Polygon([*part, (part[0][0], part[4][1])]) for part in parts]
    )


@pytest.mark.parametrize(
    ("drawn", "what"),
    [(_scribble, "crossings"), (_slanting, "crossings"), (_nested, "corners of rings in rings")],
)
def test_areas_that_take_too_long_to_judge_are_refused(drawn: Callable[[], Any], what: str) -> None:
    """By their crossings, or by what lies within each other, and before it takes long."""
    with pytest.raises(Refused) as refusal:
        read_places(geojson([drawn()], {}), "geojson")

    assert (refusal.value.code, refusal.value.facts["what"]) == ("PLACES_TOO_LARGE", what)
