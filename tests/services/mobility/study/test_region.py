"""The shipped geography, put together: its people are those of the census, its day can be asked."""

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tongcheng.kernel import region as packs
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import people
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.shapes.geometry import MICRO
from tongcheng.services.mobility.study import region
from tongcheng.services.mobility.study.reach import (
    ROAD_ACCESS_S_MAX,
    Spot,
    reach_by_car,
    reach_of,
)

PACK = packs.PACKS_DIR / "jingjinji" / region.GEOGRAPHY
QUESTION = Question(Window(25_200, 60, 120), 7_200)
SOUTH = Spot(116.3724, 39.8635)
ON = date(2022, 12, 29)


@cache
def loaded() -> region.Region:
    """Return the shipped geography, read once."""
    return region.load(PACK, "Asia/Shanghai")


def test_the_people_are_those_of_the_census() -> None:
    """Published totals of the 2020 census, to the last person; every county has cells."""
    places = loaded().places
    assert places.population is not None
    totals = dict.fromkeys(("11", "12", "13"), 0)
    for area, count in zip(places.area_ids, places.population.tolist(), strict=True):
        totals[area[:2]] += count

    assert totals == {"11": 21_893_095, "12": 13_866_009, "13": 74_610_235}
    assert set(places.area_ids) == {
        each.county_id for each in loaded().facts.counties if each.at is not None
    }


def test_a_day_can_be_asked_by_train_and_by_car() -> None:
    """Some people are within an hour of Beijing South, more if they time it; all say `modelled`."""
    found = loaded()
    living = found.places.population
    assert living is not None
    base = region.base_on(found, ON)
    ready, roads = region.ready_of(found, base), region.roads_of(found, base)

    reach = reach_of(ready, SOUTH, QUESTION, deadlines=True)
    driven = reach_by_car(roads, SOUTH, 3_600, deadlines=True)

    within = int(living[reach.times[0] <= 3_600].sum())
    best = int(living[reach.least <= 3_600].sum())
    assert 1_000_000 < within < best < 20_000_000
    assert int(living[driven <= 3_600].sum()) > 1_000_000
    assert (reach.least <= reach.times[0]).all()
    assert ready.assumed["people"] == roads.assumed["people"] == people.LABEL
    assert str(ready.assumed["trains"]).startswith("typical figures, no timetable, of 20")
    assert {source.kind for source in ready.sources} == {
        "facts", "feed", "outline", "places", "process",
    }  # fmt: skip


def test_nothing_hangs_on_the_order_of_a_set() -> None:
    """Loaded again, every cell and every digest is the same."""
    again = region.load(PACK, "Asia/Shanghai")

    assert again.places_digest == loaded().places_digest
    assert again.places.ids == loaded().places.ids
    assert np.array_equal(again.places.points.lon, loaded().places.points.lon)


def test_the_pages_say_what_the_code_assumes() -> None:
    """Speeds, kernels and the number of cells stand in the documents as they are computed with."""
    docs = Path(__file__).parents[4] / "docs"
    asking = " ".join((docs / "mobility.md").read_text("utf-8").split())
    who = " ".join((docs / "mobility-region.md").read_text("utf-8").split())
    told = {
        f"{people.WIDTH / MICRO}° × {people.HEIGHT / MICRO}°": who,
        f"up to {people.METRO.peak // people.EVEN} more": who,
        f"falling to 0 at {people.METRO.radius_m // 1_000} km": who,
        f"railway station ({people.RAIL.radius_m // 1_000} km)": who,
        f"county's point ({people.COUNTY.radius_m // 1_000} km)": who,
        f"in {len(loaded().places.ids):,} cells": who,
        f"at {region.RIDE.straight.speed_m_per_s * region.KMH:g} km/h": asking,
        f"at {region.DRIVE.straight.speed_m_per_s * region.KMH:g} km/h": asking,
        "at most an hour away" if ROAD_ACCESS_S_MAX == 3_600 else "?": asking,
    }

    assert [each for each, page in told.items() if each not in page] == []


def test_a_folder_without_geography_is_refused(tmp_path: Path) -> None:
    """The first file that is missing is named."""
    with pytest.raises(Refused) as refused:
        region.load(tmp_path, "Asia/Shanghai")

    assert refused.value.code == "FACTS_FILE"
