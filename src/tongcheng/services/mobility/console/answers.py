"""What a click is answered with: how far each cell is, and who lives how near, by county and city.

Nothing is counted here: `study.circle` and `study.compare` count, the same for the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.canonical import Json
from tongcheng.services.mobility.console.atlas import Atlas, Prepared
from tongcheng.services.mobility.console.query import Asked
from tongcheng.services.mobility.isochrones import Isochrone, isochrones
from tongcheng.services.mobility.measures.areas import NOWHERE
from tongcheng.services.mobility.measures.monotone import Comparison, Monotone
from tongcheng.services.mobility.numbers import UNREACHED, Bool, UInt16
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.scenario.applying import keeps_all
from tongcheng.services.mobility.scenario.model import Scenario
from tongcheng.services.mobility.shapes.geometry import MultiPolygon
from tongcheng.services.mobility.study import circle, compare
from tongcheng.services.mobility.study.circle import BEST, CAR, Areas, Count
from tongcheng.services.mobility.study.compare import Gain
from tongcheng.services.mobility.study.methods import method_of, road_method_of
from tongcheng.services.mobility.study.reach import Spot

MINUTE_S: Final = 60
MEDIAN: Final = "p50"
DEFINITION: Final = "docs/mobility-measures.md"


class AreaRow(NamedTuple):
    """A county with somebody inside: its count, and the seconds of its nearest cell."""

    area: int
    counted: Count
    within: int
    fastest_s: int


class Answer(NamedTuple):
    """One question's answer; `regime` is the one shown, of those of `found`.

    `rows` are counties with somebody inside, the most people first. `bands` are disjoint.
    """

    asked: Asked
    spot: Spot
    found: circle.Answer
    regime: str
    counts: tuple[Count, ...]
    rows: tuple[AreaRow, ...]
    bands: tuple[Isochrone, ...]
    method: Method

    @property
    def people(self) -> int:
        """People inside, by the regime that is shown."""
        return self.people_by(self.regime)

    def people_by(self, regime: str) -> int:
        """People inside by a regime."""
        return sum(count.within[regime][-1] for count in self.counts)


def answer_of(atlas: Atlas, prepared: Prepared, asked: Asked, spot: Spot) -> Answer:
    """Return who is within reach of a spot; refuses as `compare.ask` does."""
    found = compare.ask(prepared.side, spot, question_of(asked), deadlines=asked.arriving)
    regime = regime_of(prepared, asked)
    seconds = found.seconds[regime]
    limits = [minutes * MINUTE_S for minutes in asked.bands]
    counts = circle.circle(found, atlas.people, atlas.areas, limits)
    fastest = _fastest(atlas.areas, seconds)
    rows = (
        AreaRow(area, count, count.within[regime][-1], fastest[area])
        for area, count in enumerate(counts)
        if count.within[regime][-1]
    )
    return Answer(
        asked,
        spot,
        found,
        regime,
        tuple(counts),
        tuple(sorted(rows, key=lambda row: (-row.within, row.area))),
        _bands(atlas, seconds, asked, regime),
        method(prepared, asked, spot),
    )


class Compared(NamedTuple):
    """Before and after a scenario, seen from a spot.

    `both` are the people within before and after, by each regime's name.
    `gains` are those of counties in which somebody gains or loses, the most people first. `cities`
    are ids, the people of their counties, and those within before and after. Of the
    map, `same` is within before and after, `gained` only after, `lost` only before. `pairs` is
    every cell's journey before and after; `is_law` says that by the scenario none may be slower.
    """

    asked: Asked
    spot: Spot
    regime: str
    both: tuple[tuple[str, int, int], ...]
    gains: tuple[Gain, ...]
    cities: tuple[tuple[str, int, int, int], ...]
    same: MultiPolygon | None
    gained: MultiPolygon | None
    lost: MultiPolygon | None
    bands: tuple[tuple[Isochrone, ...], tuple[Isochrone, ...]]
    pairs: Comparison
    is_law: bool
    methods: tuple[Method, Method]

    @property
    def before(self) -> int:
        """People within before, by the regime that is shown."""
        return next(old for name, old, _ in self.both if name == self.regime)

    @property
    def after(self) -> int:
        """People within after, by the regime that is shown."""
        return next(new for name, _, new in self.both if name == self.regime)


def compared(
    atlas: Atlas, sides: tuple[Prepared, Prepared], scenario: Scenario, asked: Asked, spot: Spot
) -> Compared:
    """Return what a scenario changes for those around a spot; refuses as `compare.ask` does."""
    question, limit_s = question_of(asked), asked.minutes * MINUTE_S
    old, new = (compare.ask(each.side, spot, question, deadlines=asked.arriving) for each in sides)
    regime = regime_of(sides[0], asked)
    gains = compare.gains(old, new, atlas.people, atlas.areas, [limit_s])
    of = {each.area_id: each.within[regime][-1] for each in gains}
    is_old, is_new = old.seconds[regime] <= limit_s, new.seconds[regime] <= limit_s
    law = Monotone()
    law.add(old.seconds[regime][np.newaxis], new.seconds[regime][np.newaxis])
    changed = [each for each in gains if of[each.area_id][2] or of[each.area_id][3]]
    return Compared(
        asked,
        spot,
        regime,
        _by_regime(gains),
        tuple(sorted(changed, key=lambda each: (-of[each.area_id][2], each.area_id))),
        _by_city(atlas, gains, of),
        _shape(atlas, is_old & is_new),
        _shape(atlas, is_new & ~is_old),
        _shape(atlas, is_old & ~is_new),
        (
            _bands(atlas, old.seconds[regime], asked, regime),
            _bands(atlas, new.seconds[regime], asked, regime),
        ),
        law.result(),
        keeps_all(sides[0].base, scenario),
        (method(sides[0], asked, spot), method(sides[1], asked, spot)),
    )


def _by_regime(gains: Sequence[Gain]) -> tuple[tuple[str, int, int], ...]:
    regimes = gains[0].within if gains else {}
    return tuple(
        (
            name,
            sum(each.within[name][-1][0] for each in gains),
            sum(each.within[name][-1][1] for each in gains),
        )
        for name in regimes
    )


def _bands(atlas: Atlas, seconds: UInt16, asked: Asked, regime: str) -> tuple[Isochrone, ...]:
    return tuple(
        isochrones(
            seconds, atlas.people, atlas.cells, asked.bands, regime=regime, nesting="disjoint"
        )
    )


def _by_city(
    atlas: Atlas, gains: Sequence[Gain], of: dict[str, tuple[int, int, int, int]]
) -> tuple[tuple[str, int, int, int], ...]:
    """Return the ids of the cities in which somebody is inside, their people, and how many are."""
    people = {each.area_id: each.people for each in gains}
    found = []
    for city in atlas.cities:
        own = [each.county_id for each in atlas.counties if each.city_id == city.city_id]
        before, after = (sum(of[each][side] for each in own) for side in (0, 1))
        if before or after:
            found.append((city.city_id, sum(people[each] for each in own), before, after))
    return tuple(found)


def _shape(atlas: Atlas, chosen: Bool) -> MultiPolygon | None:
    return atlas.cells.union(chosen)


def _fastest(areas: Areas, seconds: UInt16) -> list[int]:
    """Return by area the seconds of its nearest cell."""
    found = np.full(len(areas.ids), UNREACHED, np.uint16)
    there = areas.area != NOWHERE
    np.minimum.at(found, areas.area[there], seconds[there])
    return list(found.tolist())


def question_of(asked: Asked) -> Question:
    """Return what the kernels are asked; no journey beyond the longest of the map is a time."""
    window = Window(asked.begin_min * MINUTE_S, MINUTE_S, asked.end_min - asked.begin_min)
    return Question(window, asked.minutes * MINUTE_S, (50,), asked.minutes * MINUTE_S)


def regime_of(prepared: Prepared, asked: Asked) -> str:
    """Return the name of the regime that is shown."""
    if prepared.roads is not None:
        return CAR
    return BEST if asked.best else MEDIAN


def method(prepared: Prepared, asked: Asked, spot: Spot) -> Method:
    """Return how a figure of a spot was made."""
    measure = "people within a time of a place"
    question, deadlines = question_of(asked), asked.arriving
    if prepared.roads is not None:
        longest_s = question.longest_s
        made = road_method_of(measure, DEFINITION, prepared.roads, longest_s, deadlines=deadlines)
    else:
        made = method_of(measure, DEFINITION, prepared.ready, question, deadlines=deadlines)
    where: dict[str, Json] = {
        "spot_lon": f"{spot.lon:.5f}",
        "spot_lat": f"{spot.lat:.5f}",
        "regime": regime_of(prepared, asked),
    }
    return Method(
        made.measure, made.definition, {**made.parameters, **where}, made.sources, made.kernel
    )
