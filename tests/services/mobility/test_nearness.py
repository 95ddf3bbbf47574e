"""Pairs within a distance: all of them, no other, anywhere on the Earth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility import nearness
from tongcheng.services.mobility.nearness import EARTH_RADIUS_M, Points, distances_m, near

Place = tuple[float, float]
AROUND = st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
CENTRES = st.sampled_from([(117.2, 39.1), (179.995, 0.0), (-46.6, -23.5), (30.0, 89.99)])


def haversine_m(one: Place, other: Place) -> float:
    """Return the great-circle distance by the usual formula (Sinnott, Sky and Telescope 68)."""
    (lon, lat), (lon_also, lat_also) = ([math.radians(each) for each in p] for p in (one, other))
    half = (
        math.sin((lat_also - lat) / 2) ** 2
        + math.cos(lat) * math.cos(lat_also) * math.sin((lon_also - lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def points(places: list[Place]) -> Points:
    """Return places as columns."""
    return Points(*np.array(places, np.float64).reshape(-1, 2).T)


@given(
    CENTRES,
    st.lists(AROUND, max_size=20),
    st.lists(AROUND, max_size=20),
    st.floats(0, 3_000),
    st.integers(1, 40),
)
def test_near_finds_what_looking_at_all_finds(
    centre: Place, here: list[Place], there: list[Place], limit_m: float, portion: int
) -> None:
    """On either side of the date line and beside the pole too, whatever fits into a portion."""

    def moved(places: list[Place]) -> list[Place]:
        return [
            ((centre[0] + lon + 180) % 360 - 180, min(90.0, centre[1] + lat)) for lon, lat in places
        ]

    origins, to = moved(here), moved(there)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearness, "CANDIDATES_MAX", portion)
        found = {
            (int(origin), int(target)): distance
            for pairs in near(points(origins), points(to), limit_m)
            for origin, target, distance in zip(*pairs, strict=True)
        }

    all_m = {
        (i, j): haversine_m(one, other)
        for i, one in enumerate(origins)
        for j, other in enumerate(to)
    }
    sure = {pair for pair, metres in all_m.items() if metres < limit_m - 1e-5}
    possible = {pair for pair, metres in all_m.items() if metres <= limit_m + 1e-5}
    assert sure <= found.keys() <= possible
    assert all(metres == pytest.approx(all_m[pair], abs=1e-5) for pair, metres in found.items())


def test_origins_come_in_order() -> None:
    """Portions can be joined as they come."""
    places = points([(117 + step / 1000, 39) for step in range(50)])
    origins = np.concatenate([pairs.origin for pairs in near(places, places, 500)])

    assert np.all(np.diff(origins) >= 0)
    assert set(origins.tolist()) == set(range(50))


def test_distances_of_pairs() -> None:
    """A degree of a meridian is a 360th of the circumference."""
    one = distances_m(points([(117, 39), (117, 39)]), points([(117, 40), (117, 39)]))

    assert one.tolist() == pytest.approx([EARTH_RADIUS_M * math.pi / 180, 0.0])
