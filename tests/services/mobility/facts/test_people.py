"""Modelled cells: totals to the last person, borders by plain loops, the same on every machine."""

from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.facts.fact_texts import changed, texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import people
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.outline import Outline, read_outline
from tongcheng.services.mobility.isochrones import grid_cells
from tongcheng.services.mobility.places.model import Places

ALPHA = [[116.9, 38.9], [117.3, 38.9], [117.3, 39.1], [116.9, 39.1], [116.9, 38.9]]
BETA = [[117.3, 38.9], [117.6, 38.9], [117.6, 39.1], [117.3, 39.1], [117.3, 38.9]]


def _outline(*rings: list[list[float]]) -> Outline:
    features = [
        {
            "properties": {"division": f"{number}00000"},
            "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
        }
        for number, ring in enumerate(rings, start=1)
    ]
    return read_outline(
        "o", msgspec.json.encode({"type": "FeatureCollection", "features": features})
    )


def _places(tables: dict[str, str] | None = None) -> Places:
    facts = facts_of(tables or texts(), "Asia/Shanghai", "00")
    return people.region_places(facts, _outline(ALPHA, BETA))


def _by(places: Places, length: int) -> dict[str, int]:
    """Return people by the first characters of their county's code."""
    found: dict[str, int] = {}
    assert places.population is not None
    for area, count in zip(places.area_ids, places.population.tolist(), strict=True):
        found[area[:length]] = found.get(area[:length], 0) + count
    return found


def test_totals_are_exact_to_the_last_person() -> None:
    """A city has its counties' people and those of its zone; a county without zone just its own."""
    places = _places()

    assert _by(places, 1) == {"1": 900, "2": 300}
    assert _by(places, 6)["200001"] == 300
    assert _by(places, 6)["100001"] >= 600


def test_cells_are_of_one_grid_and_have_people() -> None:
    """They can be drawn as what they are; nobody is left to live in the sea."""
    places = _places()
    assert places.population is not None

    assert grid_cells(*places.points) is not None
    assert places.population.min() > 0
    assert places.points.lon.min() > 116.9
    assert places.points.lon.max() < 117.6
    assert (np.diff(places.points.lat) >= 0).all()
    assert people.places_digest(places) == people.places_digest(_places())


def test_a_cell_is_of_the_nearest_county_of_its_division() -> None:
    """A point just over the border of a division does not draw cells across it."""
    near_border = changed("counties.csv", "200000,117.50,39.00", "200000,117.31,39.00")

    places = _places(near_border)

    for lon, lat, area in zip(*places.points, places.area_ids, strict=True):
        assert area[0] == ("1" if lon < 117.3 else "2"), (lon, lat)
        if area[0] == "1":
            assert area == ("100001" if lon > 117.0 else "100002"), (lon, lat)


def test_more_people_live_near_stations() -> None:
    """The cell at a station has more than one of the same county that is far from everything."""
    crowded = changed(
        "counties.csv", "39.00,own 2020 low,300,press", "39.00,own 2020 low,30000,press"
    )
    places = _places(crowded)
    assert places.population is not None
    own = [
        (abs(lon - 117.5) + abs(lat - 39), count)
        for lon, lat, area, count in zip(
            *places.points, places.area_ids, places.population.tolist(), strict=True
        )
        if area == "200001"
    ]

    assert min(own)[1] > 5 * max(own)[1] > 0


def test_a_county_without_a_cell_takes_the_nearest_free_one() -> None:
    """Two points in one cell: both counties keep their people, in cells side by side."""
    twins = changed("counties.csv", "100000,116.99,39.00", "100000,117.01,39.00")

    places = _places(twins)

    assert _by(places, 1)["1"] == 900
    assert places.area_ids.count("100002") == 1


def test_a_zone_of_a_city_without_cells_lives_at_its_seat() -> None:
    """Nobody is lost where a city's counties have no place of their own."""
    bare = changed("counties.csv", "200000,117.50,39.00,own 2020 low,300", "200000,,,,300")

    places = _places(bare)

    assert sum(_by(places, 1).values()) == 1_200


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_shares_are_whole_and_as_near_as_can_be(total: int, weights: list[int]) -> None:
    """Each is its exact share rounded down or up, and those rounded up were the nearest to it."""
    parts = people.shared(total, np.array(weights, np.int64)).tolist()

    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert sum(parts) == total
    pairs = list(zip(parts, exact, strict=True))
    assert all(abs(part - share) < 1 for part, share in pairs)
    up = [share - int(share) for part, share in pairs if part > share]
    down = [share - int(share) for part, share in pairs if part < share]
    assert not up or not down or min(up) >= max(down)


_CORNER = st.tuples(st.integers(11_690, 11_720), st.integers(3_890, 3_920))


@given(st.lists(_CORNER, min_size=3, max_size=8))
def test_cells_inside_are_those_of_a_plain_ray(corners: list[tuple[int, int]]) -> None:
    """Middle by middle and side by side, in fractions, whatever the polygon crosses."""
    ring = tuple((lon * 10_000, lat * 10_000) for lon, lat in [*corners, corners[0]])
    first, size = (116_800_000 // people.WIDTH, 38_800_000 // people.HEIGHT), (40, 30)

    found = people.within((ring,), first, size)

    for row in range(size[0]):
        for column in range(size[1]):
            x = (first[0] + column) * people.WIDTH + people.WIDTH // 2
            y = (first[1] + row) * people.HEIGHT + people.HEIGHT // 2
            west = 0
            for (a, b), (c, d) in pairwise(ring):
                if (b <= y) != (d <= y):
                    west += a + Fraction((c - a) * (y - b), d - b) < x
            assert found[row, column] == (west % 2 == 1), (row, column)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b'{"type":"FeatureCollection","features":[]}', b"\xff", b'{"type":"Feature"}'],
)
def test_what_is_no_outline_is_refused(raw: bytes) -> None:
    """The file is named, and what is wrong with it."""
    with pytest.raises(Refused) as refused:
        read_outline("outline.geojson", raw)

    assert refused.value.code == "FACTS_DOCUMENT"
    assert refused.value.facts["file"] == "outline.geojson"
