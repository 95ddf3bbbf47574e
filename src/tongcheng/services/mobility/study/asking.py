"""What can be asked, wherever it is from: a region's own facts, or feeds and places of a user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from tongcheng.kernel.canonical import Json
from tongcheng.services.mobility.isochrones import AssumedCells, Cells, grid_cells
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.output.method import Method, Source
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.scenario.model import Base, Scenario
from tongcheng.services.mobility.study import region as regions
from tongcheng.services.mobility.study.circle import Areas, areas_of, people_of, said_of
from tongcheng.services.mobility.study.compare import Side
from tongcheng.services.mobility.study.hinterland import county_places
from tongcheng.services.mobility.study.methods import method_of, road_method_of
from tongcheng.services.mobility.study.model import Study
from tongcheng.services.mobility.study.preparing import prepare
from tongcheng.services.mobility.study.reach import RoadReady, Spot
from tongcheng.services.mobility.walking import Feeder

Mode: TypeAlias = Literal["transit", "car"]

ALL: Final = "all"
"""The one area of places whose file names none."""
MICRO_DIGITS: Final = 6


class World(NamedTuple):
    """A base that can be asked, and who lives where.

    `areas` are those of the places. `points` are what stands for whole areas where many are asked:
    a point of each county, or of a user's study every place; `point_areas` are the areas that
    their figures are averaged in. `make` makes a base ready to be asked, before or after.
    """

    base: Base
    places: Places
    people: Int64
    areas: Areas
    points: Places
    point_areas: Areas
    make: Callable[[Base, Mode], Side]


def world_of_region(
    region: regions.Region,
    base: Base,
    feeder: Feeder,
    walk_s_max: int,
    *,
    said: tuple[tuple[str, str], ...] = (),
) -> World:
    """Return a day of a region, with its modelled cells by county; `said` as a study has it."""
    facts = region.facts
    names = {each.county_id: each.name.zh for each in facts.counties}
    city_of = {each.county_id: each.city_id for each in facts.counties}
    points = county_places(facts)

    def make(given: Base, mode: Mode) -> Side:
        if mode == "car":
            return regions.roads_of(region, given)
        return regions.ready_of(region, given, feeder, walk_s_max, said=said)

    return World(
        base,
        region.places,
        people_of(region.places),
        areas_of(region.places.area_ids, names),
        points,
        areas_of(
            [city_of[each] for each in points.ids],
            {each.city_id: each.name.zh for each in facts.cities},
        ),
        make,
    )


def world_of_study(study: Study) -> World:
    """Return a user's own study: its areas are those of its places, called by their ids."""
    places = study.places
    areas = areas_of(places.area_ids if any(places.area_ids) else (ALL,) * len(places.ids), {})

    def make(given: Base, mode: Mode) -> Side:
        assert mode == "transit", "a study has no table of roads"
        changed = study._replace(feeds=given.feeds, processes=given.processes)
        ready = prepare(changed, for_spots=True)
        told = tuple(Source("scenario", f"scenario-{number}", digest)
                     for number, digest in enumerate(given.scenarios, start=1))  # fmt: skip
        return ready._replace(
            sources=(*ready.sources, *told), assumed={**ready.assumed, **said_of(places)}
        )

    base = Base(study.day, study.feeds, study.processes)
    return World(base, places, people_of(places), areas, places, areas, make)


def cells_of(places: Places, radius_m: int) -> Cells:
    """Return the cells that places are the middles of, or hexagons of a chosen size for points.

    Refuses MOBILITY_PARAMETER for a radius that is none.
    """
    return grid_cells(*places.points) or AssumedCells(*places.points, radius_m)


def people_at_points(world: World) -> Int64:
    """Return how many people each point stands for."""
    return np.asarray(people_of(world.points), np.int64)


def names_of(places: Places) -> list[str]:
    """Return what to call each place: its id, and its name where that is another."""
    pairs = zip(places.ids, places.names, strict=True)
    return [one if other in {"", one} else f"{other} {one}" for one, other in pairs]


def asked_method(
    measure: str,
    side: Side,
    question: Question,
    *,
    deadlines: bool,
    spot: Spot | None = None,
    scenario: Scenario | None = None,
    parameters: dict[str, Json] | None = None,
) -> Method:
    """Return the method of an answer: what was asked, of what, and by which code.

    Of a comparison `side` is the one after: its sources have the scenario and the feeds made by
    it, whose digests come from those before.
    """
    page = "docs/mobility-measures.md"
    if isinstance(side, RoadReady):
        made = road_method_of(measure, page, side, question.longest_s, deadlines=deadlines)
    else:
        made = method_of(measure, page, side, question, deadlines=deadlines)
    told: dict[str, Json] = {**made.parameters, **(parameters or {})}
    if spot is not None:
        told["place"] = f"{spot.lon:.{MICRO_DIGITS}f},{spot.lat:.{MICRO_DIGITS}f}"
    if scenario is not None:
        told["scenario"] = scenario.scenario_id
    return Method(made.measure, made.definition, told, made.sources, made.kernel)
