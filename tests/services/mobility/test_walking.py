"""Walking as the crow flies: seconds rounded once, within the limit, and parameters that can be."""

import numpy as np
import pytest

from tests.services.mobility.test_nearness import haversine_m, points
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility import walking
from tongcheng.services.mobility.walking import CrowFly, Walking, check_walking

HERE = (117.2, 39.1)
AROUND = [(117.2 + step * 0.0011, 39.1) for step in range(12)]


@pytest.mark.parametrize("limit_s", [0, 1, 103, 400])
def test_ways_are_those_within_the_limit(limit_s: int) -> None:
    """A way of exactly the limit is in, one that is a second longer is not."""
    links = CrowFly(1.2, 1.3).ways(points([HERE]), points(AROUND), limit_s)

    all_s = [int(haversine_m(HERE, to) * 1.3 / 1.2 + 0.5) for to in AROUND]
    expected = [(place, taken_s) for place, taken_s in enumerate(all_s) if taken_s <= limit_s]
    assert list(zip(links.to.tolist(), links.seconds.tolist(), strict=True)) == expected
    assert 103 in all_s


def test_rounding_is_half_up() -> None:
    """Half a second counts as one, so that no platform's rounding of halves matters."""
    distance_m = np.array([0.0, 0.5, 1.5, 2.49])

    assert CrowFly(1.0, 1.0).seconds(distance_m).tolist() == [0, 1, 2, 2]


def test_label_says_what_was_not_seen() -> None:
    """Who reads a map sees that no street was walked."""
    assert CrowFly(1.2, 1.3).label == "crow fly x 1.3 at 1.2 m/s"


def test_too_many_ways_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that would fill memory is refused before it does."""
    monkeypatch.setattr(walking, "LINKS_MAX", 10)
    with pytest.raises(Refused, match="MOBILITY_TOO_MANY_WAYS"):
        CrowFly().ways(points(AROUND), points(AROUND), 3_600)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (Walking(CrowFly(speed_m_per_s=4_300)), "speed_m_per_s"),
        (Walking(CrowFly(speed_m_per_s=float("nan"))), "speed_m_per_s"),
        (Walking(CrowFly(detour=0.9)), "detour"),
        (Walking(same_stop_s=0), "same_stop_s"),
        (Walking(same_station_s=-1), "same_station_s"),
        (Walking(change_s_max=86_401), "change_s_max"),
        (Walking(pathway_s=-1), "pathway_s"),
        (Walking(elevator_s=-1), "elevator_s"),
    ],
)
def test_impossible_parameters_are_refused(parameters: Walking, name: str) -> None:
    """Kilometres an hour taken for metres a second are noticed, and the parameter is named."""
    with pytest.raises(Refused) as refusal:
        check_walking(parameters)

    assert (refusal.value.code, refusal.value.facts["name"]) == ("MOBILITY_PARAMETER", name)


def test_defaults_are_possible() -> None:
    """What is offered can be used."""
    check_walking(Walking())
