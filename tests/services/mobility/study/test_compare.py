"""Before and after a line was added: who gains, as plain loops count, and nobody loses."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.services.mobility.study.town import (
    BACK,
    DAY,
    FAST,
    PLACES,
    QUESTION,
    SLOW,
    STOPS,
    ready_with,
)
from tongcheng.services.mobility.facts.roads import RoadDay
from tongcheng.services.mobility.isochrones import grid_cells
from tongcheng.services.mobility.links import links_of
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.study.circle import areas_of, people_of
from tongcheng.services.mobility.study.compare import (
    Change,
    Side,
    ask,
    compare_points,
    gain_bands,
    gain_columns,
    gains,
    means,
    unequal,
)
from tongcheng.services.mobility.study.reach import RoadReady, Spot, road_ready
from tongcheng.services.mobility.walking import Assumed, CrowFly

PEOPLE = people_of(PLACES)
AREAS = areas_of(PLACES.area_ids, {})
POINTS = Points(PLACES.points.lon[::4], PLACES.points.lat[::4])
WEST = Spot(*STOPS["W"])
EAST = Spot(*STOPS["E"])
HOUR = 3_600


def _sides(folder: Path) -> tuple[Side, Side]:
    return ready_with(folder, SLOW, BACK), ready_with(folder, SLOW, BACK, FAST)


def _driven(*ways: tuple[int, int, int]) -> RoadReady:
    """Return roads between the line's ends, with these ways both ways."""
    both = [*ways, *((two, one, taken) for one, two, taken in ways)]
    lon, lat = np.array(list(STOPS.values()), np.float64).T
    links = links_of(3, *np.array(both, np.int64).T)
    roads = RoadDay(DAY, tuple(STOPS), lon, lat, links, (), ())
    return road_ready(PLACES, roads, Assumed("lanes", CrowFly(3.0)), ())


def _compared(sides: tuple[Side, Side], *, deadlines: bool, threads: int = 1) -> Change:
    return compare_points(
        sides,
        POINTS,
        PEOPLE,
        QUESTION,
        HOUR,
        deadlines=deadlines,
        threads=threads,
        progress=lambda _done, _all: None,
    )


def test_who_gains_is_counted_as_plain_loops_count(tmp_path: Path) -> None:
    """Before and gained make after; what the added train reaches in the hour is gained."""
    before, after = (ask(side, WEST, QUESTION, deadlines=False) for side in _sides(tmp_path))

    rows = gains(before, after, PEOPLE, AREAS, (1_800, HOUR))

    for row in rows:
        own = [at for at, area in enumerate(PLACES.area_ids) if area == row.area_id]
        for regime in ("p50", "p90", "best"):
            for at, limit in enumerate((1_800, HOUR)):
                old = {place for place in own if before.seconds[regime][place] <= limit}
                new = {place for place in own if after.seconds[regime][place] <= limit}
                told = [
                    sum(int(PEOPLE[place]) for place in places)
                    for places in (old, new, new - old, old - new)
                ]
                assert row.within[regime][at] == tuple(told)
    east = rows[0].within["best"][0]
    assert east[2] > 0, "within half an hour only by the fast train"
    assert sum(row.within["p50"][1][3] for row in rows) == 0
    columns = gain_columns(rows, (1_800, HOUR))
    assert columns["best_gained_1800_s"].to_pylist()[0] == east[2]


def test_what_is_gained_is_drawn(tmp_path: Path) -> None:
    """Three shapes a time and regime; the third holds the people who are in the second alone."""
    before, after = (ask(side, WEST, QUESTION, deadlines=False) for side in _sides(tmp_path))
    cells = grid_cells(*PLACES.points)
    assert cells is not None

    found = gain_bands(before, after, PEOPLE, cells, [30, 60])

    people = {(band.regime, band.minutes): band.people for band in found}
    assert len(found) == len(people) == 3 * 3 * 2
    for regime in ("p50", "p90", "best"):
        for limit in (30, 60):
            sides = [people[f"{regime} {side}", limit] for side in ("before", "gained", "after")]
            assert sides[0] + sides[1] == sides[2]


@pytest.mark.parametrize("deadlines", [False, True])
def test_points_are_compared_like_spots(tmp_path: Path, *, deadlines: bool) -> None:
    """From every point the people that a click there shows; and nobody's journey is longer."""
    sides = _sides(tmp_path)

    change = _compared(sides, deadlines=deadlines)

    for at, (lon, lat) in enumerate(zip(*POINTS, strict=True)):
        for side, found in zip(sides, (change.before, change.after), strict=True):
            answer = ask(side, Spot(float(lon), float(lat)), QUESTION, deadlines=deadlines)
            for regime, seconds in answer.seconds.items():
                assert found[regime][at] == PEOPLE[seconds <= HOUR].sum()
    assert all(each.is_monotone for each in change.monotone.values())
    assert change.monotone["best"].faster > 0
    assert change.monotone["best"].pairs == len(POINTS.lon) * len(PEOPLE)


def test_a_line_taken_away_is_told_by_name(tmp_path: Path) -> None:
    """The other way round journeys are longer: the pairs are there, with seconds."""
    before, after = _sides(tmp_path)

    told = _compared((after, before), deadlines=False).monotone["best"]

    assert not told.is_monotone
    assert told.offending
    assert all(each.after_s > each.before_s for each in told.offending)


def test_threads_decide_nothing(tmp_path: Path) -> None:
    """Three threads find what one finds."""
    sides = _sides(tmp_path)

    one, three = (_compared(sides, deadlines=False, threads=each) for each in (1, 3))

    assert one.monotone == three.monotone
    for regime in one.after:
        assert np.array_equal(one.after[regime], three.after[regime])


def test_roads_are_compared_too() -> None:
    """A road between the ends: more people reach the east by car, and none fewer."""
    sides = (_driven((0, 1, 2_000)), _driven((0, 1, 2_000), (0, 2, 600)))

    change = _compared(sides, deadlines=True)

    assert list(change.before) == ["car"]
    assert change.monotone["car"].is_monotone
    assert (change.after["car"] > change.before["car"]).any()
    answer = ask(sides[1], EAST, QUESTION, deadlines=True)
    assert answer.departures is None


def test_means_weigh_people() -> None:
    """By area the mean over its points' people, and Gini of before and after beside it."""
    areas = areas_of(("a", "b", "a"), {})
    people = np.array([1, 5, 3], np.int64)
    before, after = np.array([10, 20, 30], np.int64), np.array([10, 20, 31], np.int64)

    found = means(areas, people, before, after)

    assert [(each.area_id, each.people) for each in found] == [("a", 4), ("b", 5)]
    assert found[0].before.value == float(Fraction(10 + 90, 4))
    assert found[0].after.value == float(Fraction(10 + 93, 4))
    told = unequal(Change({"best": before}, {"best": after}, {}), people)
    assert list(told) == ["best_before", "best_after"]
    assert told["best_before"].people == 9
