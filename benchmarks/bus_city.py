"""A made-up city of buses: its streets, its lines, and hexagons that cover it. A seed makes it.

Streets are a grid of blocks, bent a little, with gaps. Every fourth is wide: buses run there and
stop at every second crossing. A line goes as straight as it can from one crossing of wide streets
to another, most by way of a third near the middle, so that lines are denser there, and slower.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import osmium

from benchmarks.mobility_worlds import BUS, SEED, Network, Trip

MIDDLE: Final = (117.2, 39.1)
DEGREE_M: Final = 111_320
"""Metres of a degree of latitude, and of longitude at the equator."""
APART_M: Final = 350
"""Between the middles of two hexagons side by side: about those of H3's resolution 9."""
BLOCK_M, BENT_M, BEYOND_M = 105, 15, 600
"""A block's side; how far a crossing lies off the grid; how far streets go on around the places."""
WIDE, STOP = 4, 2
"""Every so many streets are wide; buses stop at every so many crossings along them."""
GAPS: Final = 0.08
"""How many narrow streets are missing between two crossings."""
BY_THE_MIDDLE, INNER = 0.6, 1 / 3
"""How many lines go by way of the middle, and how far it reaches, of the city's radius."""
HEADWAYS_MIN: Final = (8, 10, 12, 15, 20)
FIRST_S, LAST_S = 5 * 3_600, 23 * 3_600
"""Buses leave their first stops from then until then."""
METRES_A_S, INNER_METRES_A_S, DWELL_S = 6.5, 5.0, (10, 20)
"""Between stops, and what a stop takes: 14 to 17 km/h in all."""

Crossing = tuple[int, int]
"""Which street from west to east, and from south to north; (0, 0) is the middle."""
Metres = tuple[float, float]
"""East and north of the middle."""


class Size(NamedTuple):
    """How many hexagons a city is, and how many lines it has, each both ways."""

    places: int
    lines: int

    @property
    def radius_m(self) -> float:
        """The radius of a circle as large as the hexagons."""
        return APART_M * math.sqrt(self.places * math.sqrt(3) / 2 / math.pi)


LIKE_PORTO_ALEGRE: Final = Size(1_227, 80)
"""The hexagons that r5r ships for Porto Alegre are as many: some 130 km². With so many lines a
plain range scan takes what it took for that city's own records: nine seconds of CPU."""
SMALL: Final = Size(61, 8)


class BusCity(NamedTuple):
    """Its day of buses; crossings with their places, pairs of them that streets join; hexagons.

    Places are (longitude, latitude). A street is told by its `highway` in OpenStreetMap's words.
    """

    network: Network
    crossings: Mapping[Crossing, tuple[float, float]]
    streets: Sequence[tuple[Crossing, Crossing, str]]
    places: Sequence[tuple[float, float]]


def bus_city(size: Size) -> BusCity:
    """Return the city of this size."""
    made = random.Random(SEED)  # noqa: S311 not a key
    crossings = dict(_crossings(made, size.radius_m + BEYOND_M))
    streets = list(_streets(made, crossings))
    lines = [_line(made, crossings, size.radius_m) for _ in range(size.lines)]
    trips: list[Trip] = []
    names: list[str] = []
    for number, line in enumerate(lines):
        headway_s = 60 * made.choice(HEADWAYS_MIN)
        for way, stops in (("out", line), ("back", line[::-1])):
            of_way = list(
                _trips(made, [(each, crossings[each]) for each in stops], headway_s, size)
            )
            trips += of_way
            # Each way is a route of its own: the peer takes the first trip's stops for all of one.
            names += [f"{number + 1} {way}"] * len(of_way)
    served = sorted({each for line in lines for each in line})
    stops_at = {_stop(each): _degrees(crossings[each]) for each in served}
    return BusCity(
        Network(stops_at, trips, names, BUS),
        {each: _degrees(at) for each, at in crossings.items()},
        streets,
        [_degrees(at) for at in hexagons(size.places)],
    )


def hexagons(count: int) -> list[Metres]:
    """Return the middles of so many hexagons, the nearest to the middle of all."""
    reach = math.isqrt(count) + 1
    grid = [
        (APART_M * (east + north % 2 / 2), APART_M * math.sqrt(3) / 2 * north)
        for north in range(-reach, reach + 1)
        for east in range(-reach, reach + 1)
    ]
    # Rounded, so that those of one distance stand in one order on every machine.
    return sorted(grid, key=lambda at: (round(math.hypot(*at), 3), at))[:count]


def write_streets(path: Path, city: BusCity) -> Path:
    """Write an extract in OpenStreetMap's binary format (.osm.pbf) that a peer reads too."""
    number = {each: at for at, each in enumerate(city.crossings, start=1)}
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf")) as writer:
        for each, at in city.crossings.items():
            writer.add_node(osmium.osm.mutable.Node(id=number[each], location=at))
        for street, (one, other, highway) in enumerate(city.streets, start=1):
            nodes, tags = [number[one], number[other]], {"highway": highway}
            writer.add_way(osmium.osm.mutable.Way(id=street, nodes=nodes, tags=tags))
    return path


def _degrees(at: Metres) -> tuple[float, float]:
    """Return longitude and latitude, to the decimetre."""
    lon, lat = MIDDLE
    width_m = DEGREE_M * math.cos(math.radians(lat))
    return round(lon + at[0] / width_m, 6), round(lat + at[1] / DEGREE_M, 6)


def _crossings(made: random.Random, radius_m: float) -> Iterator[tuple[Crossing, Metres]]:
    """Yield the crossings within a circle, and where they are."""
    reach = int(radius_m // BLOCK_M)
    for east in range(-reach, reach + 1):
        for north in range(-reach, reach + 1):
            if math.hypot(east, north) * BLOCK_M <= radius_m:
                east_m, north_m = (
                    BLOCK_M * each + made.uniform(-BENT_M, BENT_M) for each in (east, north)
                )
                yield (east, north), (east_m, north_m)


def _streets(
    made: random.Random, crossings: Mapping[Crossing, Metres]
) -> Iterator[tuple[Crossing, Crossing, str]]:
    """Yield the streets between crossings side by side."""
    for east, north in crossings:
        for other, across in (((east + 1, north), north), ((east, north + 1), east)):
            wide = across % WIDE == 0
            if other in crossings and (wide or made.random() >= GAPS):
                yield (east, north), other, "secondary" if wide else "residential"


def _line(
    made: random.Random, crossings: Mapping[Crossing, Metres], radius_m: float
) -> list[Crossing]:
    """Return the crossings where a line stops: none twice, and its ends are far apart."""
    wide = [
        each
        for each in crossings
        if not any(part % WIDE for part in each) and math.hypot(*each) * BLOCK_M <= radius_m
    ]
    inner = [each for each in wide if math.hypot(*each) * BLOCK_M <= radius_m * INNER]
    while True:
        begin, end = made.sample(wide, 2)
        middle = [made.choice(inner)] if made.random() < BY_THE_MIDDLE else []
        by = [begin, *middle, end]
        corners = [begin, *(each for leg in pairwise(by) for each in _along(*leg))]
        stops = [begin, *(each for pair in pairwise(corners) for each in _stops(*pair))]
        if math.dist(begin, end) * BLOCK_M >= radius_m and len(set(stops)) == len(stops):
            return stops


def _along(begin: Crossing, end: Crossing) -> Iterator[Crossing]:
    """Yield the wide crossings after the first, up to the last, near the straight line."""
    (east, north), whole = begin, (abs(end[0] - begin[0]), abs(end[1] - begin[1]))
    while (east, north) != end:
        left = (end[0] - east, end[1] - north)
        # The direction of which the larger share is left.
        if left[0] and abs(left[0]) * whole[1] >= abs(left[1]) * whole[0]:
            east += int(math.copysign(WIDE, left[0]))
        else:
            north += int(math.copysign(WIDE, left[1]))
        yield east, north


def _stops(one: Crossing, other: Crossing) -> Iterator[Crossing]:
    """Yield where a bus stops after one wide crossing, up to the next."""
    for at in range(STOP, WIDE + 1, STOP):
        east, north = (a + (b - a) * at // WIDE for a, b in zip(one, other, strict=True))
        yield east, north


def _trips(
    made: random.Random, stops: Sequence[tuple[Crossing, Metres]], headway_s: int, size: Size
) -> Iterator[Trip]:
    """Yield the trips of a line one way: they take as long as each other."""
    since_s = [0]
    for (_, one), (_, other) in pairwise(stops):
        inner = math.hypot(*other) <= size.radius_m * INNER
        speed = INNER_METRES_A_S if inner else METRES_A_S
        since_s.append(since_s[-1] + round(math.dist(one, other) / speed) + made.randint(*DWELL_S))
    for begin_s in range(FIRST_S + made.randrange(headway_s), LAST_S, headway_s):
        yield [
            (_stop(each), begin_s + after_s, begin_s + after_s)
            for (each, _), after_s in zip(stops, since_s, strict=True)
        ]


def _stop(at: Crossing) -> str:
    return f"B{at[0]}_{at[1]}"
